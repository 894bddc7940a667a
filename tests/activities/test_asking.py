"""Asking in waves, as a story: Alice allows already, Bob withdrew, Charlie never said, Dora objected."""

import re
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from consent_track.activities import answering, asking, awaiting, consenting, knowing
from consent_track.activities.asking import Addressee, Done
from consent_track.domain.decision import THE_SUBJECT, Allowed, Message, decide
from consent_track.domain.errors import ForgedToken, InputRefused, StorageUnavailable
from consent_track.domain.vocabulary import MailType, Purpose, TokenClass
from consent_track.mail.headers import Declared
from consent_track.records import people, waves
from tests import world
from tests.activities.asked import (
    BOTH,
    DORA,
    ERIN,
    FRED,
    LIST,
    NOVEMBER,
    URL,
    WHY_NOT,
    delivered,
    history,
    start,
    state,
    statuses,
    told_apart,
)
from tests.world import ALICE, BOB, CHARLIE, OPERATOR


@pytest.fixture
def acme(acme):
    return told_apart(acme)


def test_only_charlie_and_fred_are_asked_and_the_others_are_passed_over_with_a_reason(acme):
    assert start(acme) == Done(2, 0, 0, WHY_NOT)
    asked = {"open_performance": "requested", "click_performance": "requested"}
    assert statuses(acme, CHARLIE) == statuses(acme, FRED) == asked
    assert statuses(acme, ALICE) == {"open_performance": "given", "click_performance": "given"}
    assert statuses(acme, BOB)["open_performance"] == "withdrawn"
    assert state(acme, "info@example.org") is None
    assert state(acme, ERIN) is None
    assert {to for to, _ in delivered(acme)} == {CHARLIE, FRED}


def test_the_ledger_says_who_asked_when_and_in_which_words(acme):
    start(acme)
    events = history(acme, CHARLIE)
    assert [event["status"] for event in events] == ["requested", "requested"]
    event = events[1]
    assert (event["act"], event["actor"], event["method"]) == ("tracking", "operator", "request_mail")
    assert (event["locale"], event["jurisdiction"], event["asked_at"]) == ("en", "FR", world.NOW)
    assert event["words"]["mail.request.ask.click_performance"] == "May %(controller)s see which links you click?"
    assert events[0]["flow_id"] == event["flow_id"]


@pytest.mark.law("CC-07")
def test_a_question_allows_nothing(acme):
    start(acme)
    law = acme.policies.for_jurisdiction("FR")
    said = Message(MailType.REQUESTED_NEWSLETTER, "FR", frozenset(BOTH), world.NOW)
    for purpose in BOTH:
        answer = decide(THE_SUBJECT, said, purpose, state(acme, CHARLIE), law, world.NOW + 10)
        assert not isinstance(answer, Allowed)
    mail = world.prepare(acme, world.mail_to(CHARLIE), CHARLIE).result.data.decode()
    assert "/o/" not in mail
    assert "/c/" not in mail


def test_run_again_it_asks_nobody_twice(acme):
    start(acme)
    before = len(world.chain(acme))
    again = start(acme)
    assert (again.asked, again.asked_before) == (0, 2)
    assert len(world.chain(acme)) == before
    assert len(delivered(acme)) == 2
    assert awaiting.report(acme.reading, 1, "november").asked == 2


def test_another_wave_does_not_ask_while_the_first_question_is_open(acme):
    start(acme, CHARLIE)
    assert start(acme, CHARLIE, plan=replace(NOVEMBER, name="december")).not_asked == {"question_open": 1}


class Meddler:
    """Writes as ever; while the states of a batch are held, it has another wave begun at the same people."""

    def __init__(self, runtime):
        self.runtime, self.letters, self.held, self.tried = runtime, runtime.letters(), False, 0

    @contextmanager
    def begin(self):
        with self.runtime.processing() as p:
            self.held = True
            yield p
        self.held = False

    def words(self, *about):
        if self.held and not self.tried:
            self.tried += 1
            with pytest.raises(StorageUnavailable):
                start(self.runtime, CHARLIE, plan=replace(NOVEMBER, name="december"))
        return self.letters.words(*about)

    def request(self, question):
        return self.letters.request(question)


def test_two_waves_at_once_ask_nobody_twice(acme):
    meddler = Meddler(acme)
    done = asking.start(meddler.begin, acme.reading, NOVEMBER, [Addressee(CHARLIE)], meddler, pause=0)
    assert (done.asked, meddler.tried) == (1, 1)
    assert len(history(acme, CHARLIE)) == 2
    assert start(acme, CHARLIE, plan=replace(NOVEMBER, name="december")).not_asked == {"question_open": 1}


def test_whoever_says_no_between_the_first_look_and_the_question_is_not_asked(acme):
    said = []

    @contextmanager
    def begin():
        if said == ["begun"]:
            with acme.processing() as p:
                consenting.turn_off(p, 1, knowing.obtain(p, 1, CHARLIE), OPERATOR)
        said.append("begun")
        with acme.processing() as p:
            yield p

    done = asking.start(begin, acme.reading, NOVEMBER, [Addressee(CHARLIE)], acme.letters(), pause=0)
    assert done == Done(0, 0, 0, {"refused": 1})
    assert delivered(acme) == []


def test_a_limit_leaves_the_rest_for_the_next_run(acme):
    many = [f"reader{number}@example.org" for number in range(250)]
    assert start(acme, *many, limit=120) == Done(120, 0, 130, {})
    assert start(acme, *many, limit=120) == Done(120, 120, 10, {})
    assert start(acme, *many) == Done(10, 240, 0, {})
    assert awaiting.report(acme.reading, 1, "november").asked == 250


def test_a_run_that_died_goes_on_where_it_stopped(acme):
    many = [f"reader{number}@example.org" for number in range(250)]

    def dying():
        yield from (Addressee(one) for one in many[:150])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asking.start(acme.processing, acme.reading, NOVEMBER, dying(), acme.letters(), pause=0)
    assert start(acme, *many) == Done(110, 140, 0, {})
    assert len({to for to, _ in delivered(acme)}) == len(delivered(acme) or many) == 250


def test_a_dry_run_says_the_same_and_writes_nothing(acme):
    before, known = len(world.chain(acme)), count_people(acme)
    who = [Addressee(one) for one in LIST]
    assert asking.rehearse(acme.reading, NOVEMBER, who, acme.letters()) == Done(2, 0, 0, WHY_NOT)
    assert asking.rehearse(acme.reading, NOVEMBER, who, acme.letters(), limit=1) == Done(1, 0, 1, WHY_NOT)
    assert (len(world.chain(acme)), count_people(acme)) == (before, known)
    with acme.reading() as p:
        assert waves.find(p.session, 1, "november") is None
        assert knowing.find(p, 1, CHARLIE) is None


def count_people(runtime):
    with runtime.reading() as p:
        return len(people.after(p.session, 1, 0, 10_000))


def test_everybody_is_everybody_of_whom_something_is_held(acme):
    with acme.processing() as p:
        knowing.obtain(p, 1, CHARLIE, "fr")
    assert {one.address for one in asking.everybody(acme.reading, 1)} == {ALICE, BOB, CHARLIE, DORA}


class TestWords:
    """Decision 27 and DI-03: nobody is asked in words that nobody signed, or in a language that is not theirs."""

    @pytest.mark.law("DI-03")
    @pytest.mark.parametrize("locale", ["de", "ar", "fi"])
    def test_not_in_words_that_nobody_signed_or_that_do_not_exist(self, acme, locale):
        assert start(acme, Addressee(CHARLIE, locale)).not_asked == {"locale_not_signed": 1}
        assert state(acme, CHARLIE) is None

    def test_in_the_language_of_the_person(self, acme):
        with acme.processing() as p:
            knowing.obtain(p, 1, CHARLIE, "fr")
        start(acme, CHARLIE)
        [(_, mail)] = delivered(acme)
        assert message_from_bytes(mail, policy=default)["Content-Language"] == "fr"
        assert history(acme, CHARLIE)[0]["locale"] == "fr"

    def test_a_wave_keeps_its_words(self, acme):
        start(acme, CHARLIE)
        with acme.processing() as p:
            wave = waves.find(p.session, 1, "november")
            waves.change(p.session, wave, wordings={"en": "0" * 64})
        with pytest.raises(InputRefused, match="begun in other words"):
            start(acme, FRED)
        assert state(acme, FRED) is None or state(acme, FRED).choices == {}

    def test_a_wave_keeps_its_purposes_and_its_law(self, acme):
        start(acme, CHARLIE)
        for other in (replace(NOVEMBER, purposes=BOTH[:1]), replace(NOVEMBER, jurisdiction="DE")):
            with pytest.raises(InputRefused, match="begun for other purposes or under another law"):
                start(acme, FRED, plan=other)

    @pytest.mark.parametrize(
        "wrong", [{"purposes": ()}, {"purposes": (Purpose.GEO,)}, {"name": " "}, {"name": "a\nb"}, {"controller": 9}]
    )
    def test_what_cannot_be_asked_is_refused_before_anything_is_written(self, acme, wrong):
        before = len(world.chain(acme))
        with pytest.raises(InputRefused):
            start(acme, plan=replace(NOVEMBER, **wrong))
        assert len(world.chain(acme)) == before


class TestTheMail:
    """CC-05: the mail that asks measures nothing, and only the choice link carries a token."""

    def parts(self, runtime):
        [(_, mail)] = delivered(runtime)
        parsed = message_from_bytes(mail, policy=default)
        return mail, parsed, parsed.get_body(("plain",)).get_content(), parsed.get_body(("html",)).get_content()

    @pytest.mark.law("CC-05", "WD-15")
    def test_two_answers_alike_and_nothing_else(self, acme):
        start(acme, CHARLIE)
        _, mail, text, page = self.parts(acme)
        assert mail["To"] == CHARLIE
        assert mail["List-Unsubscribe"] is None
        assert "<img" not in page
        links = re.findall(r'<a href="([^"]+)" style="([^"]+)">([^<]+)</a>', page)
        (yes, yes_style, yes_words), (no, no_style, no_words), (privacy, _, _) = links
        assert (yes_words, no_words) == ("Yes, allow", "No, thanks")
        assert yes_style == no_style
        assert yes.removesuffix("#yes") == no.removesuffix("#no")
        assert privacy == "https://acme.example/privacy"
        assert set(re.findall(r"https://\S+", text)) == {yes, no, privacy}
        assert "We ask again in 6 months at the earliest" in " ".join(text.split())

    @pytest.mark.law("CC-05")
    def test_its_one_token_is_a_preference_token_and_nothing_more(self, acme):
        start(acme, CHARLIE)
        _, _, text, _ = self.parts(acme)
        [token] = set(re.findall(URL + r"/p/([A-Za-z0-9_-]+)#", text))
        facts = acme.tokens.open(TokenClass.PREFERENCE, token)
        assert (facts.controller, facts.purposes, facts.destination) == (1, 0, "")
        for other in set(TokenClass) - {TokenClass.PREFERENCE}:
            with pytest.raises(ForgedToken):
                acme.tokens.open(other, token)

    @pytest.mark.law("CC-05")
    def test_prepared_as_a_consent_request_only_the_choice_link_carries_a_token(self, acme):
        """Also for Alice, who allows two purposes fully and is asked for a third."""
        start(acme, ALICE, plan=replace(NOVEMBER, purposes=(*BOTH, Purpose.PERSONALISATION)))
        assert statuses(acme, ALICE)["personalisation"] == "requested"
        mail, _, text, page = self.parts(acme)
        said = Declared(MailType.CONSENT_REQUEST, "FR", "en", "november")
        prepared = world.prepare(acme, mail, ALICE, said)
        out = message_from_bytes(prepared.result.data, policy=default)
        after = out.get_body(("html",)).get_content()
        links = re.findall(r'href="([^"]+)"', page)
        assert re.findall(r'href="([^"]+)"', after)[: len(links)] == links, "byte for byte"
        assert all(line in out.get_body(("plain",)).get_content() for line in text.splitlines())
        assert "<img" not in after
        assert (prepared.row.purposes, prepared.result.links, prepared.result.done.opens) == (0, 0, False)
        assert not re.search(r"/[ocuv]/[A-Za-z0-9_-]{40}", after)
        for token in re.findall(r"/p/([A-Za-z0-9_-]{40,})", after):
            assert acme.tokens.open(TokenClass.PREFERENCE, token)
        measured = world.prepare(acme, world.mail_to(ALICE), ALICE).result
        assert measured.done.opens, "the same person, in another mail"
        assert measured.links == 1

    def test_in_any_other_mail_and_for_anybody_else_it_is_taken_out(self, acme):
        start(acme, CHARLIE, FRED)
        mails = dict(delivered(acme))
        request = Declared(MailType.CONSENT_REQUEST, "FR", "en", "november")
        for who, said in ((CHARLIE, world.NEWSLETTER), (FRED, request), ("nobody@example.org", request)):
            mail = mails[CHARLIE].replace(CHARLIE.encode(), who.encode())
            assert b"#yes" in mail
            out = message_from_bytes(world.prepare(acme, mail, who, said).result.data, policy=default)
            assert "/privacy#yes" in out.get_body(("html",)).get_content(), (who, said)

    def test_it_does_not_leave_once_the_person_has_answered(self, acme):
        start(acme, CHARLIE, FRED)
        with acme.processing() as p:
            consenting.turn_off(p, 1, knowing.find(p, 1, CHARLIE), OPERATOR)
        assert [to for to, _ in delivered(acme)] == [FRED]

    def test_an_address_that_no_mail_can_name_is_passed_over(self, acme):
        assert start(acme, "jörg@example.org").not_asked == {"unmailable": 1}
        assert start(acme, "jörg@example.org", plan=replace(NOVEMBER, name="links", send=False)).asked == 1


def test_what_waits_is_deleted_with_the_person(acme):
    start(acme, CHARLIE)
    answering.erase(acme.processing, 1, CHARLIE, OPERATOR)
    assert delivered(acme) == []
    with acme.reading() as p:
        wave = waves.find(p.session, 1, "november")
        assert waves.people(p.session, wave, 0, 10) == []
