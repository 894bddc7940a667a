"""The rule packs of this release: complete, founded, frozen, and the unknown place strictest of all."""

from pathlib import Path

import pytest

from consent_track import policy_schema
from consent_track.bundled import bundled
from consent_track.domain.policy import LONGER_IS_STRICTER, Confidence, Requirement, policy_hash
from consent_track.domain.vocabulary import RESERVED, MailType, Purpose
from consent_track.policy_files import load_pack
from consent_track.records.datamap import DATA_CLASSES
from tests.law.golden import law, read

PACKS = ["DE", "EU", "FR", "GB", "IT", "US-CA", "US-OTHER", "ZZ"]
EUROPEAN = ["DE", "EU", "FR", "GB", "IT"]
EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()
HASHES = Path(__file__).parent / "pack_hashes.txt"

# Germany, the rest of the EEA, the United Kingdom and the unknown: no exemption is known to hold for a mail's pixel.
NO_EXEMPTION = """
                         login    order    duty     news     soft     b2b      ask
auth_security            consent  consent  consent  consent  consent  consent  no
deliverability_hygiene   consent  consent  consent  consent  consent  consent  no
legal_notice_receipt     consent  consent  consent  consent  consent  consent  no
aggregate_count          consent  consent  consent  consent  consent  consent  no
open_performance         consent  consent  consent  consent  consent  consent  no
click_performance        consent  consent  consent  consent  consent  consent  no
personalisation          consent  consent  consent  consent  consent  consent  no
sales_followup           consent  consent  consent  consent  consent  consent  no
"""
# The law of the United States; the house policy as shipped asks for consent there, too.
NOTICE = NO_EXEMPTION.replace("consent", "notice")
KEPT_BY_CONSENT = ("personalisation", "sales_followup")


def test_these_packs_are_released_and_no_draft_is_loaded(shipped):
    assert sorted(shipped.by_id) == PACKS
    assert {policy.pack.status for policy in shipped.by_id.values()} == {"released"}


@pytest.mark.parametrize("code", ["DE", "EU", "GB", "ZZ"])
def test_where_no_exemption_is_known_everything_needs_consent(shipped, code):
    assert law(shipped, code) == read(NO_EXEMPTION)


@pytest.mark.parametrize("code", ["US-CA", "US-OTHER"])
def test_the_law_of_the_united_states_asks_for_a_notice(shipped, code):
    expected = read(NOTICE)
    for purpose in KEPT_BY_CONSENT:
        expected[purpose] = read(NO_EXEMPTION)[purpose]
    assert law(shipped, code) == expected


@pytest.mark.parametrize("code", PACKS)
def test_as_shipped_individual_measuring_needs_consent_everywhere(shipped, code):
    policy = shipped.for_jurisdiction(code)
    needed = {
        policy.needs(purpose, mail_type, code)
        for purpose in (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE, *map(Purpose, KEPT_BY_CONSENT))
        for mail_type in MailType
    }
    assert needed == {Requirement.CONSENT}


@pytest.mark.parametrize("code", EEA)
def test_every_country_of_the_eea_is_read_by_a_european_pack(shipped, code):
    assert shipped.for_jurisdiction(code).id in EUROPEAN


class TestUnknown:
    @pytest.mark.parametrize("code", EUROPEAN)
    def test_it_asks_for_no_less_than_any_european_pack(self, shipped, code):
        unknown, theirs = shipped.for_jurisdiction("ZZ").pack, shipped.for_jurisdiction(code).pack
        looser = [
            (purpose.value, mail_type.value)
            for purpose in Purpose
            for mail_type in MailType
            if unknown.rules[purpose].needs(mail_type).strictness < theirs.rules[purpose].needs(mail_type).strictness
        ]
        assert not looser
        for purpose in Purpose:
            assert unknown.rules[purpose].least_grade.rank >= theirs.rules[purpose].least_grade.rank

    @pytest.mark.parametrize("code", EUROPEAN)
    def test_its_numbers_protect_no_less(self, shipped, code):
        unknown, theirs = shipped.for_jurisdiction("ZZ").pack, shipped.for_jurisdiction(code).pack
        for name in policy_schema.NUMBERS:
            mine, other = unknown.parameters[name].value, theirs.parameters[name].value
            assert mine >= other if name in LONGER_IS_STRICTER else mine <= other, name
        for name, held in unknown.retention.items():
            assert held.max_days <= theirs.retention[name].max_days, name

    def test_it_has_no_transition_no_bundling_and_no_exemption(self, shipped):
        unknown = shipped.for_jurisdiction("ZZ").pack
        assert unknown.legacy is None
        assert not unknown.bundled_with_mail_consent
        assert Requirement.EXEMPT not in {rule.requirement for rule in unknown.rules.values()}


@pytest.mark.parametrize("code", PACKS)
class TestComplete:
    def test_every_purpose_parameter_and_class_of_data_is_there(self, shipped, code):
        pack = shipped.for_jurisdiction(code).pack
        assert set(pack.rules) == set(Purpose)
        assert set(pack.parameters) == set(policy_schema.PARAMETERS)
        assert set(pack.retention) == set(policy_schema.RETENTION_CLASSES) == DATA_CLASSES

    def test_the_reserved_purposes_are_never_served(self, shipped, code):
        rules = shipped.for_jurisdiction(code).pack.rules
        assert {rules[purpose].requirement for purpose in RESERVED} == {Requirement.NEVER}

    def test_everything_says_where_it_comes_from(self, shipped, code):
        pack = shipped.for_jurisdiction(code).pack
        for founded in (*pack.rules.values(), *pack.parameters.values(), *pack.retention.values()):
            assert len(founded.source) > 4
            assert isinstance(founded.confidence, Confidence)

    def test_a_value_of_the_house_says_so(self, shipped, code):
        pack = shipped.for_jurisdiction(code).pack
        for founded in (*pack.rules.values(), *pack.parameters.values(), *pack.retention.values()):
            if founded.confidence is Confidence.HOUSE:
                assert founded.source.startswith("house")

    def test_what_is_uncertain_is_said(self, shipped, code):
        assert shipped.for_jurisdiction(code).pack.uncertain


DATES = """
FR        2026-07-14
IT        2026-10-29
GB        2026-02-05
"""


@pytest.mark.parametrize("line", DATES.strip().splitlines())
def test_the_dates_in_force(shipped, line):
    code, day = line.split()
    rule = shipped.for_jurisdiction(code).pack.rules[Purpose.OPEN_PERFORMANCE]
    assert str(rule.in_force) == day


DEADLINES = """
          answer  acknowledge  opt-out  breach
FR        1mo     3bd          0cd      72hours
IT        1mo     3bd          0cd      72hours
DE        1mo     3bd          0cd      72hours
EU        1mo     0cd          0cd      72hours
GB        1mo     3bd          0cd      72hours
US-CA     45cd    10bd         15bd     -
US-OTHER  45cd    3bd          0cd      -
ZZ        1mo     3bd          0cd      72hours
"""
KEYS = {"answer": "answer_within", "acknowledge": "acknowledge_within", "opt-out": "opt_out_within"}


def test_the_deadlines_that_later_releases_read(shipped):
    drawn = {
        code: {
            **{word: _length(policy.pack.content["requests"][key]) for word, key in KEYS.items()},
            "breach": _length(policy.pack.content.get("breach", {}).get("authority_within")),
        }
        for code, policy in shipped.by_id.items()
    }
    assert drawn == read(DEADLINES)


def _length(figure) -> str:
    return f"{figure['value']}{figure['unit']}" if figure else "-"


@pytest.mark.law("RE-10")
def test_a_released_pack_is_never_edited():
    """A change is another pack: copy the file, raise its law version, and note its hash here beside the old one.

    Only the content counts; comments and spaces may be improved. The whole version of a policy includes the house.
    """
    pinned = [line.split() for line in HASHES.read_text().splitlines() if line and not line.startswith("#")]
    found = [
        [pack.id, pack.law_version, policy_hash(pack.content, {})]
        for pack in (load_pack(bundled("policies") / f"{code}.toml") for code in PACKS)
        if pack.status == "released"
    ]
    assert found == pinned
