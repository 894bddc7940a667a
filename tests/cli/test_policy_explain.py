"""`policy explain`: the path of a decision, for one person, and for a mail of the past that somebody asks about."""

import json
from dataclasses import replace

import pytest

from consent_track.activities import answering
from consent_track.domain.vocabulary import MailType, Purpose
from tests import world
from tests.cli.test_policy import QUESTION, name_draft
from tests.world import ALICE, BOB, CHARLIE, DAY, OPERATOR

THEN = ["--as-of", "2026-11-18"]
STEPS = ["readable", "scope", "addressee", "age", "person", "mail", "rule"]


@pytest.fixture
def acme(tmp_path, clock_of_acme):
    """Alice, who consented, and Bob, who withdrew, got the November newsletter on 18 November 2026."""
    runtime = world.populated(tmp_path / "home", clock=clock_of_acme)
    for address in (ALICE, BOB):
        world.prepare(runtime, world.mail_to(address), address)
    yield runtime
    runtime.database.close()


@pytest.fixture
def clock_of_acme():
    return world.Clock()


def asked(run, acme, *words):
    code, out, err = run("policy", "explain", *words, "--json", home=acme.config.home)
    assert code == 0, err
    return json.loads(out)


def by_purpose(mail):
    return {one["purpose"]: one for one in mail["decisions"]}


class TestPath:
    @pytest.mark.law("RE-09")
    @pytest.mark.parametrize("place", ["FR", "IT", "DE", "US-CA", "BR", "AR"])
    def test_every_step_is_there_up_to_the_one_that_decided(self, run, place):
        value = json.loads(run(*QUESTION, "--jurisdiction", place, "--status", "withdrawn", "--json")[1])
        assert [one["step"] for one in value["path"]] == STEPS
        assert [one["answer"] for one in value["path"]] == [None] * 6 + ["withdrawn"]
        assert value["decision"]["reason"] == "withdrawn"
        asking = json.loads(run(*QUESTION, "--jurisdiction", place, "--mail-type", "consent_request", "--json")[1])
        assert [one["step"] for one in asking["path"]] == STEPS[:-1]
        assert asking["path"][-1]["answer"] == asking["decision"]["reason"] == "consent_request_mail"

    def test_in_words(self, run):
        out = run(*QUESTION, "--jurisdiction", "FR")[1]
        assert "Path       1 readable: Is there a policy for this mail, and can the person's choices be read?" in out
        assert "           5 person: Does anything the person said or is stand against it: an objection" in out
        assert out.count("-> passed") == 6
        assert "7 rule: It needs the person's consent." in out
        assert "-> decides: no_consent" in out


class TestPastMail:
    @pytest.mark.law("RE-09")
    def test_was_there_a_pixel_in_her_mail_of_18_november(self, run, acme):
        (mail,) = asked(run, acme, "--address", ALICE, *THEN)["mails"]
        assert (mail["pixel"], mail["links"], mail["outcome"]) == (True, True, "prepared")
        assert mail["purposes"] == ["click_performance", "open_performance"]
        assert (mail["mail_type"], mail["jurisdiction"]) == ("requested_newsletter", "FR")
        assert (mail["campaign"], mail["locale_of_notice"]) == ("november", "en")
        assert mail["policy"]["version"] == acme.policies.for_jurisdiction("FR").hash
        assert (mail["policy"]["id"], mail["policy"]["law_version"]) == ("FR", "2026-11-23")
        opens = by_purpose(mail)["open_performance"]
        assert (opens["reason"], opens["walked_again"]) == ("consent_given", "consent_given")
        assert opens["event"]["sequence"] == 1
        assert (opens["event"]["status"], opens["event"]["method"]) == ("given", "command_line")
        assert [one["step"] for one in opens["path"]] == STEPS
        assert mail["changed_since"] == {"policy": {"changed": False, "cells": []}, "choice": []}

    def test_and_in_his_there_was_none_because_he_had_withdrawn(self, run, acme):
        (mail,) = asked(run, acme, "--address", BOB, *THEN)["mails"]
        assert (mail["pixel"], mail["links"], mail["purposes"]) == (False, False, [])
        assert by_purpose(mail)["open_performance"]["walked_again"] == "withdrawn"

    def test_what_she_chose_later_is_told_apart(self, run, acme, clock_of_acme):
        clock_of_acme.move(DAY)
        world.withdraws(acme, ALICE)
        (mail,) = asked(run, acme, "--address", ALICE, *THEN)["mails"]
        assert mail["pixel"]
        assert by_purpose(mail)["open_performance"]["walked_again"] == "consent_given"
        assert "withdrawn" in {event["status"] for event in mail["changed_since"]["choice"]}
        out = run("policy", "explain", "--address", ALICE, *THEN, home=acme.config.home)[1]
        assert "Pixel      yes; measured links: yes" in out
        assert "the choices have changed:" in out
        assert "withdrawn open_performance by operator (command_line, operator)" in out

    def test_what_the_policy_became_later_is_told_cell_by_cell(self, run, acme):
        house = acme.config.home / "policies"
        house.mkdir(exist_ok=True)
        shipped = (acme.config.policies_dirs[0] / "house.toml").read_text()
        (house / "house.toml").write_text(shipped.replace('individual = "consent"', 'individual = "never"'))
        (mail,) = asked(run, acme, "--address", ALICE, *THEN)["mails"]
        policy = mail["changed_since"]["policy"]
        assert policy["changed"]
        assert "here open_performance in every mail: consent -> never" in policy["cells"]
        assert by_purpose(mail)["open_performance"]["walked_again"] == "consent_given", "by the policy of then"

    def test_a_version_that_is_no_longer_kept_is_named_and_the_register_still_speaks(self, run, acme):
        from sqlalchemy import text

        with acme.processing() as p:
            p.session.connection().execute(text("UPDATE mailing SET policy_hash = 'ff00'"))
        (mail,) = asked(run, acme, "--address", ALICE, *THEN)["mails"]
        assert mail["policy"] == {
            "version": "ff00",
            "id": None,
            "law_version": None,
            "status": None,
            "in_use": None,
        }
        opens = by_purpose(mail)["open_performance"]
        assert (mail["pixel"], opens["reason"], opens["path"], opens["walked_again"]) == (
            True,
            "consent_given",
            [],
            None,
        )
        assert "no longer kept ff00" in run("policy", "explain", "--address", ALICE, *THEN, home=acme.config.home)[1]

    def test_one_mail_among_many_by_campaign_or_number(self, run, acme):
        world.prepare(acme, world.mail_to(ALICE), ALICE, replace(world.NEWSLETTER, campaign="december"))
        both = asked(run, acme, "--address", ALICE, *THEN)["mails"]
        assert sorted(mail["campaign"] for mail in both) == ["december", "november"]
        (december,) = asked(run, acme, "--address", ALICE, "--campaign", "december")["mails"]
        number = str(december["message"])
        found = asked(run, acme, "--address", ALICE, "--message", number)["mails"]
        assert [mail["campaign"] for mail in found] == ["december"]
        assert asked(run, acme, "--address", BOB, "--message", number)["mails"] == [], "not his mail"

    @pytest.mark.parametrize(
        ("address", "day", "words"),
        [
            (ALICE, "2026-11-17", "No mail was prepared for this person then."),
            (ALICE, "2019-01-01", "The register keeps 731 days; that day is over."),
            (CHARLIE, "2026-11-18", "Nobody is known under this address; no mail of theirs was measured individually."),
        ],
    )
    def test_where_there_is_none_it_says_why(self, run, acme, address, day, words):
        assert asked(run, acme, "--address", address, "--as-of", day) == {"mails": [], "none": words}

    def test_of_an_erased_person_nothing_is_left_to_explain(self, run, acme):
        answering.erase(acme.processing, 1, ALICE, OPERATOR)
        value = asked(run, acme, "--address", ALICE, *THEN)
        assert value["mails"] == []
        assert value["none"].startswith("This person was erased")

    def test_an_objection_and_an_unsubscription_of_then_are_walked_again(self, run, acme):
        with acme.processing() as p:
            subject = world.knowing.find(p, 1, ALICE)
            world.consenting.end_mail(p, 1, subject, OPERATOR)
            world.consenting.object_to(p, 1, subject, OPERATOR)
        world.prepare(acme, world.mail_to(ALICE), ALICE, replace(world.NEWSLETTER, campaign="late"))
        (mail,) = asked(run, acme, "--address", ALICE, "--campaign", "late")["mails"]
        opens = by_purpose(mail)["open_performance"]
        assert (opens["reason"], opens["walked_again"]) == ("objected", "objected")
        assert opens["path"][-1]["step"] == "person"


class TestOnePersonToday:
    ABOUT = ["--purpose", "open_performance", "--mail-type", "requested_newsletter", "--jurisdiction", "FR"]

    def test_the_entry_of_the_ledger_is_named(self, run, acme):
        value = asked(run, acme, *self.ABOUT, "--address", ALICE)
        assert (value["status"], value["decision"]["reason"]) == ("given", "consent_given")
        assert value["event"]["sequence"] == 1
        out = run("policy", "explain", *self.ABOUT, "--address", ALICE, home=acme.config.home)[1]
        assert "Rests on   ledger entry 1 of 2026-11-17 11:06:40 UTC: given open_performance" in out

    def test_nobody_is_known_and_that_decides(self, run, acme):
        value = asked(run, acme, *self.ABOUT, "--address", CHARLIE)
        assert (value["decision"]["reason"], value["event"]) == ("subject_unknown", None)
        assert [one["step"] for one in value["path"]][-1] == "addressee"


class TestSeveralLaws:
    @pytest.mark.law("RT-06")
    def test_the_strictest_holds_and_what_differs_is_listed(self, run):
        value = json.loads(run(*QUESTION, "--jurisdiction", "FR", "--jurisdiction", "US-CA", "--json")[1])
        assert value["jurisdictions"] == ["FR", "US-CA"]
        assert [one["law"]["requirement"] for one in value["laws"]] == ["consent", "notice"]
        assert (value["requirement"], value["decision"]["reason"]) == ("consent", "no_consent")
        ask = next(one for one in value["conflicts"] if one["about"] == "parameters.re_ask_cooldown_months")
        assert (ask["said"], ask["holds"]) == ({"FR": "6", "US-CA": "12"}, "12")
        assert value["kept"]["request_log"]["min_days"] == 731

    @pytest.mark.law("RT-06")
    def test_a_duty_to_keep_stays_and_is_said(self, run, installed):
        name_draft(installed, "IN")
        question = [*QUESTION, "--jurisdiction", "FR", "--jurisdiction", "IN"]
        value = json.loads(run(*question, "--json", home=installed)[1])
        assert value["kept"]["hits"] == {"min_days": 365, "max_days": 396, "days": 396}
        out = run(*question, home=installed)[1]
        assert "Kept       hits: at least 365 days, at most 396; the purge uses 396" in out
        assert "Conflict   retention.hits: FR 0 to 396 days, IN 365 to 396 days -> 396 days (the longest minimum" in out

    def test_the_differences_about_other_purposes_are_left_to_the_json(self, run):
        question = ["--purpose", "personalisation", "--mail-type", "transactional"]
        question += ["--jurisdiction", "FR", "--jurisdiction", "US-CA"]
        out = run("policy", "explain", *question)[1]
        assert "Together   consent: the strictest holds" in out
        assert "Conflict   open_performance" not in out

    def test_one_law_twice_is_one_law(self, run):
        value = json.loads(run(*QUESTION, "--jurisdiction", "FR", "--jurisdiction", "FR", "--json")[1])
        assert value["jurisdiction"] == "FR"


@pytest.mark.parametrize(
    "words",
    [
        ["--as-of", "2026-11-18"],
        ["--address", ALICE, "--as-of", "2026-11-18", "--status", "given"],
        ["--address", ALICE, "--as-of", "2026-11-18", "--purpose", Purpose.OPEN_PERFORMANCE.value],
        ["--address", ALICE],
        ["--mail-type", MailType.TRANSACTIONAL.value],
        ["--address", ALICE, "--as-of", "18 November"],
        ["--address", ALICE, "--message", "first"],
    ],
)
def test_a_question_that_is_neither_is_a_usage_error(run, words):
    assert run("policy", "explain", *words)[0] == 2


def test_an_address_that_is_none_is_refused(run, acme):
    code, _, err = run("policy", "explain", "--address", "alice", *THEN, home=acme.config.home)
    assert code == 1
    assert err.startswith("address: ")
