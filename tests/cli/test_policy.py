"""`policy` and `law` as a compliance person meets them at a prompt."""

import json

import pytest

from consent_track.bootstrap import bootstrap
from consent_track.bundled import bundled
from consent_track.cli.policy_explain import explained
from consent_track.config import load_config
from consent_track.domain.vocabulary import MailType, Purpose, Status
from consent_track.policy_files import load_policies
from consent_track.records import sign_offs
from tests import world

QUESTION = ["policy", "explain", "--purpose", "open_performance", "--mail-type", "requested_newsletter"]


class TestCheck:
    def test_the_shipped_policies_are_right_without_an_installation(self, run):
        code, out, _ = run("policy", "check")
        assert code == 0
        loaded = "AU BR CA CA-QC CH DE EU FR GB IT US-CA US-CO US-CT US-OTHER ZZ"
        assert [line.split()[0] for line in out.splitlines()[:-1]] == loaded.split()
        assert out.splitlines()[-1].startswith("drafts that are not in force: BG, IN, JP, KR; ")

    def test_every_problem_of_a_file_is_a_line_with_file_and_key(self, run, tmp_path):
        text = (bundled("policies") / "FR.toml").read_text()
        mine = tmp_path / "FR.toml"
        mine.write_text(text.replace("value = 90,", "value = 900,").replace("[rules.geo]", "[rules.place]"))
        code, out, _ = run("policy", "check", str(mine))
        assert code == 1
        assert [line.split(" ")[:2] for line in out.splitlines()] == [
            [f"{mine}:", "parameters.token_life_days.value:"],
            [f"{mine}:", "rules.geo:"],
            [f"{mine}:", "rules.place:"],
        ]

    def test_in_json_too(self, run, tmp_path):
        (tmp_path / "house.toml").write_text('individual = "notice"\n')
        code, out, _ = run("--json", "policy", "check", str(tmp_path / "house.toml"))
        value = json.loads(out)
        assert code == 1
        assert value["ok"] is False
        assert {one["where"].split(": ")[1] for one in value["problems"]} == {
            "individual",
            "foreign_trackers",
            "signed_foreign_trackers",
        }
        code, out, _ = run("policy", "check", "--json")
        assert code == 0
        assert len(json.loads(out)["versions"]["FR"]) == 64

    def test_a_pack_of_the_installation_replaces_the_shipped_one_and_it_says_so(self, run, installed):
        mine = installed / "policies" / "FR.toml"
        mine.write_text((bundled("policies") / "FR.toml").read_text().replace("value = 90,", "value = 30,"))
        code, out, _ = run("policy", "check", home=installed)
        assert code == 0
        assert f"replaced: FR: {mine}" in out

    def test_a_released_pack_that_was_edited_is_told_from_one_with_a_law_version_of_its_own(self, run, installed):
        mine = installed / "policies" / "FR.toml"
        text = (bundled("policies") / "FR.toml").read_text().replace("value = 90,", "value = 30,")
        mine.write_text(text)
        code, out, _ = run("policy", "check", home=installed)
        assert code == 0
        assert f"edited: FR: {mine} is not the pack that was released as law version 2026-11-23" in out
        mine.write_text(text.replace('law_version = "2026-11-23"', 'law_version = "2026-11-23 of Acme"'))
        value = json.loads(run("policy", "check", "--json", home=installed)[1])
        assert (value["edited"], len(value["replaced"])) == ([], 1)
        mine.write_text((bundled("policies") / "FR.toml").read_text() + "# a comment is no edit\n")
        assert "edited" not in run("policy", "check", home=installed)[1]

    def test_doctor_says_that_a_pack_was_edited(self, run, installed):
        text = (bundled("policies") / "FR.toml").read_text().replace("value = 90,", "value = 30,")
        (installed / "policies" / "FR.toml").write_text(text)
        assert "is not the pack that was released as law version 2026-11-23" in run("doctor", home=installed)[1]

    def test_an_installation_that_does_not_load_is_not_taken_for_none(self, run, installed):
        (installed / "consent_track.toml").write_text("public_urll = 'x'\n")
        code, _, err = run("policy", "check", home=installed)
        assert code == 1
        assert "public_urll" in err


DECISIONS = """
    FR     open_performance        requested_newsletter  given      consent  consent  allowed   consent_given
    FR     open_performance        requested_newsletter  withdrawn  consent  consent  declined  withdrawn
    FR     open_performance        requested_newsletter  unknown    consent  consent  declined  no_consent
    FR     deliverability_hygiene  requested_newsletter  unknown    exempt   exempt   declined  mode_not_available
    FR     deliverability_hygiene  soft_opt_in           unknown    consent  consent  declined  mode_not_available
    IT     aggregate_count         requested_newsletter  unknown    exempt   exempt   declined  mode_not_available
    US-CA  open_performance        requested_newsletter  unknown    notice   consent  declined  no_consent
    US-CA  open_performance        requested_newsletter  given      notice   consent  allowed   consent_given
    FR     open_performance        consent_request       given      consent  consent  declined  consent_request_mail
    FR     geo                     transactional         given      never    never    declined  purpose_reserved
    AR     click_performance       transactional         objected   consent  consent  declined  objected
    BR     open_performance        transactional         given      consent  consent  allowed   consent_given
    CH     open_performance        transactional         unknown    opt_out  consent  declined  no_consent
"""


class TestExplain:
    @pytest.mark.parametrize("line", DECISIONS.strip().splitlines())
    def test_the_path_of_a_decision(self, run, line):
        place, purpose, mail_type, status, law, house, outcome, reason = line.split()
        question = ["--jurisdiction", place, "--purpose", purpose, "--mail-type", mail_type, "--status", status]
        code, out, _ = run("policy", "explain", *question, "--json")
        value = json.loads(out)
        assert code == 0
        assert value["law"]["requirement"] == law
        assert value["house"]["requirement"] == house
        assert (value["decision"]["outcome"], value["decision"]["reason"]) == (outcome, reason)
        assert value["pack"]["id"] == ("ZZ" if place == "AR" else place)
        assert value["pack"]["read_as_unknown"] is (place == "AR")
        assert len(value["pack"]["version"]) == 64

    def test_in_words_a_lawyer_finds_pack_law_source_house_decision_and_doubt(self, run):
        question = ["--jurisdiction", "FR", "--purpose", "aggregate_count", "--mail-type", "requested_newsletter"]
        code, out, _ = run("policy", "explain", *question)
        words = [(line[:10].strip(), line[11:]) for line in out.splitlines()]
        said = dict(reversed(words))
        assert code == 0
        assert said["Pack"].startswith("FR (released, law of 2026-11-23): France: CNIL recommendation 2026-042")
        assert said["The law"] == "consent: only after the person's consent"
        assert said["Source"].endswith("secondary source (S)")
        assert said["In force"] == "2026-07-14"
        assert said["The house"] == "consent: adds nothing to the law here"
        assert said["Decision"].startswith("declined (mode_not_available): ")
        doubts = [what for name, what in words if name == "Uncertain"]
        assert doubts[0].startswith("the draft of June 2025 exempted a global open rate")
        assert not any("frequency" in doubt for doubt in doubts), "another purpose's doubt"

    def test_the_conditions_of_an_exemption_are_said(self, run):
        question = ["--jurisdiction", "IT", "--purpose", "aggregate_count", "--mail-type", "soft_opt_in"]
        _, out, _ = run("policy", "explain", *question)
        assert "if every recipient of the campaign gets the same pixel" in out
        assert "if network address and client data are anonymised before any use" in out

    def test_a_place_without_a_pack_is_read_as_unknown_and_it_says_so(self, run):
        _, out, _ = run(*QUESTION, "--jurisdiction", "AR")
        assert "no pack reads AR; it is read as unknown, the strictest" in out

    def test_the_house_policy_of_the_installation_is_explained(self, run, installed):
        house = installed / "policies" / "house.toml"
        text = house.read_text().replace("\n[regimes]\n", '\n[regimes]\nUS-CA = "notice"\n')
        house.write_text(text.replace("\n[notices]\n", '\n[notices]\nUS-CA = "v1 of 2026-11-01"\n'))
        code, out, _ = run(*QUESTION, "--jurisdiction", "US-CA", home=installed)
        assert code == 0
        assert "The house  notice: the operator chose notice here" in out
        assert "Notice     v1 of 2026-11-01" in out
        assert "Decision   allowed (notice_given)" in out

    @pytest.mark.parametrize("code", ["france", "FRA", ""])
    def test_what_is_no_jurisdiction_is_refused(self, run, code):
        exit_code, _, err = run(*QUESTION, "--jurisdiction", code)
        assert exit_code == 1
        assert err.startswith("--jurisdiction: ")

    @pytest.mark.parametrize(
        "words", [["--purpose", "spying"], ["--mail-type", "spam"], ["--status", "maybe"]], ids=lambda words: words[0]
    )
    def test_what_is_not_a_word_of_ours_is_a_usage_error(self, run, words):
        assert run(*QUESTION, *words)[0] == 2

    def test_every_question_has_an_answer(self):
        policies = load_policies([bundled("policies")])
        for place in (*policies.by_id, "AR", "US-NY"):
            for purpose in Purpose:
                for mail_type in MailType:
                    for status in Status:
                        value = explained(policies, place, purpose, mail_type, status)
                        allowed = value["decision"]["outcome"] == "allowed"
                        assert not allowed or status in (Status.GIVEN, Status.RENEWED)


def name_draft(installed, code: str) -> None:
    house = installed / "policies" / "house.toml"
    house.write_text(house.read_text().replace("drafts = []", f'drafts = ["{code}"]'))


class TestDraft:
    """A weakly founded pack is in force only because the operator says so, and every answer says that it is a draft."""

    ME = ("--pack", "KR", "--name", "Me Durand", "--law-version", "2026-11-23", "--date", "2026-11-02")

    def test_it_is_named_in_the_house_policy_and_the_check_says_so(self, run, installed):
        assert json.loads(run("policy", "check", "--json", home=installed)[1])["drafts_not_in_force"] == [
            "BG",
            "IN",
            "JP",
            "KR",
        ]
        name_draft(installed, "KR")
        code, out, _ = run("policy", "check", home=installed)
        assert code == 0
        assert "draft: KR is in force because house.toml names it; nobody signed it off" in out
        assert "drafts that are not in force: BG, IN, JP; " in out

    def test_who_read_it_is_recorded_under_its_content(self, run, installed):
        name_draft(installed, "KR")
        code, out, err = run("policy", "sign-off", *self.ME, home=installed)
        assert code == 0, err
        assert out.startswith("Me Durand signed the draft KR ")
        assert "signed off by Me Durand on 2026-11-02" in run("policy", "check", home=installed)[1]
        text = (bundled("policies") / "KR.toml").read_text().replace("value = 90,", "value = 30,")
        (installed / "policies" / "KR.toml").write_text(text)
        assert "nobody signed it off" in run("policy", "check", home=installed)[1], (
            "another content, nobody's signature"
        )

    def test_an_explanation_says_that_it_rests_on_a_draft(self, run, installed):
        assert "Draft" not in run(*QUESTION, "--jurisdiction", "KR", home=installed)[1]
        name_draft(installed, "KR")
        out = run(*QUESTION, "--jurisdiction", "KR", home=installed)[1]
        assert "Draft      a draft: its law is weakly founded" in out
        assert "Pack       KR (draft, law of 2026-11-23)" in out

    @pytest.mark.parametrize(
        ("words", "where"),
        [
            (["--pack", "FR"], "--pack: 'FR' is no draft here: BG, IN, JP, KR"),
            (["--law-version", "2025"], "--law-version: '2025' is not that of the packs here: 2026-11-23"),
        ],
    )
    def test_what_is_no_draft_or_another_state_of_the_law_is_refused(self, run, installed, words, where):
        code, _, err = run("policy", "sign-off", *self.ME, *words, home=installed)
        assert code == 1
        assert err.startswith(where)

    def test_a_signature_is_under_one_thing(self, run, installed):
        assert run("policy", "sign-off", *self.ME, "--locale", "fr", home=installed)[0] == 2
        assert run("policy", "sign-off", *self.ME[2:], home=installed)[0] == 2


class TestSignOff:
    ME = ("--locale", "fr", "--name", "Me Durand", "--law-version", "2026-11-23")

    def test_it_is_recorded_under_the_exact_words(self, run, installed):
        code, out, _ = run("policy", "sign-off", *self.ME, "--date", "2026-11-02", home=installed)
        assert code == 0, out
        assert out.startswith("Me Durand signed the fr texts ")
        runtime = bootstrap(load_config({}, installed), clock=world.Clock())
        texts = runtime.wordings.texts("fr")
        with runtime.reading() as p:
            found = sign_offs.find(p.session, "fr", texts.hash)
            assert sign_offs.find(p.session, "de", texts.hash) is None
        runtime.database.close()
        assert (found.name, str(found.on), found.law_version) == ("Me Durand", "2026-11-02", "2026-11-23")

    @pytest.mark.parametrize(
        ("option", "value", "where"),
        [
            ("--locale", "tlh", "--locale: 'tlh' has no complete texts here"),
            ("--name", "  ", "--name: is empty"),
            ("--law-version", "2025", "--law-version: '2025' is not that of the packs here: 2026-11-23"),
            ("--date", "2999-01-01", "--date: 2999-01-01 is still to come"),
        ],
    )
    def test_what_cannot_be_signed_is_refused(self, run, installed, option, value, where):
        code, _, err = run("policy", "sign-off", *self.ME, option, value, home=installed)
        assert code == 1
        assert err.startswith(where)

    def test_without_an_installation_there_is_nothing_to_sign(self, run):
        assert run("policy", "sign-off", *self.ME)[0] == 1


class TestLaw:
    def test_coverage_says_what_is_proved_and_what_is_not(self, run):
        code, out, _ = run("law", "coverage")
        value = json.loads(run("law", "coverage", "--json")[1])
        assert code == 0
        assert out.startswith(f"{value['covered']} of 211 requirements are proved by tests")
        assert value["rows"] == 211 == sum(area["rows"] for area in value["areas"])
        assert value["covered"] == sum(len(area["covered"]) for area in value["areas"])
        for area in value["areas"]:
            assert len(area["covered"]) + len(area["not_covered"]) == area["rows"]
            assert f"\n{area['area']}: {len(area['covered'])} of {area['rows']}\n" in out
            for row, tests in area["covered"].items():
                assert f"  {row}  {tests[0]}\n" in out

    def test_a_row_of_a_later_release_is_shown_as_not_covered(self, run):
        value = json.loads(run("law", "coverage", "--json")[1])
        deadlines = next(area for area in value["areas"] if area["area"] == "Deadlines")
        assert "DD-13" in deadlines["not_covered"]
