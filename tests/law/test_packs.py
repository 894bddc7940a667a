"""The rule packs of this release: complete, founded, frozen, and the unknown place strictest of all."""

import pytest

from consent_track import policy_schema
from consent_track.activities.retaining import keep_days
from consent_track.bundled import bundled
from consent_track.domain.policy import LONGER_IS_STRICTER, Confidence, Requirement, policy_hash
from consent_track.domain.vocabulary import INDIVIDUAL, RESERVED, MailType, Purpose
from consent_track.policy_files import load_pack, load_policies, released
from consent_track.records.datamap import DATA_CLASSES
from tests.domain.people import ALICE, BOB, CHARLIE, answer, housed
from tests.law.drafts import DRAFTS, house_with_drafts
from tests.law.golden import law, read

PACKS = "AU BR CA CA-QC CH DE EU FR GB IT US-CA US-CO US-CT US-OTHER ZZ".split()
EUROPEAN = ["CH", "DE", "EU", "FR", "GB", "IT"]
EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()

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


@pytest.mark.parametrize("code", ["US-CA", "US-CO", "US-CT", "US-OTHER"])
def test_the_law_of_the_united_states_asks_for_a_notice(shipped, code):
    expected = read(NOTICE)
    for purpose in KEPT_BY_CONSENT:
        expected[purpose] = read(NO_EXEMPTION)[purpose]
    assert law(shipped, code) == expected


# Other countries: what the law asks for a person's opens and clicks, for a count, and for what else measures a person.
# One value for every kind of mail but the one that asks for consent.
ELSEWHERE = """
        opens    clicks   count    security  personalised
AU      opt_out  opt_out  notice   opt_out   consent
BG      consent  consent  opt_out  consent   consent
BR      consent  consent  opt_out  consent   consent
CA      opt_out  opt_out  notice   opt_out   consent
CA-QC   consent  consent  notice   consent   consent
CH      opt_out  opt_out  notice   opt_out   consent
IN      consent  consent  notice   consent   consent
JP      notice   notice   notice   notice    consent
KR      consent  consent  notice   consent   consent
"""
ASKED = {
    "opens": Purpose.OPEN_PERFORMANCE,
    "clicks": Purpose.CLICK_PERFORMANCE,
    "count": Purpose.AGGREGATE_COUNT,
    "security": Purpose.AUTH_SECURITY,
    "personalised": Purpose.PERSONALISATION,
}


def test_what_the_law_asks_elsewhere(everything):
    expected = read(ELSEWHERE)
    drawn = {code: law(everything, code) for code in expected}
    assert {
        code: {name: table[purpose.value]["news"] for name, purpose in ASKED.items()} for code, table in drawn.items()
    } == expected
    for table in drawn.values():
        assert all(len({cells[mail] for mail in cells if mail != "ask"}) == 1 for cells in table.values())


@pytest.mark.law("CC-18")
@pytest.mark.parametrize("purpose", sorted(INDIVIDUAL))
def test_in_quebec_what_identifies_or_profiles_a_person_is_off_until_they_switch_it_on(shipped, purpose):
    as_far_as_can_be = housed(shipped, regimes={"CA-QC": Requirement.NOTICE}, notices={"CA-QC": "v1"})
    for policies in (shipped, as_far_as_can_be):
        assert answer(policies, CHARLIE, purpose, jurisdiction="CA-QC") == "no: no_consent"
        assert answer(policies, ALICE, purpose, jurisdiction="CA-QC") == "yes: consent_given"
        assert answer(policies, BOB, purpose, jurisdiction="CA-QC") == "no: withdrawn"


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


@pytest.mark.parametrize("code", [*PACKS, *DRAFTS])
class TestComplete:
    def test_every_purpose_parameter_and_class_of_data_is_there(self, everything, code):
        pack = everything.for_jurisdiction(code).pack
        assert set(pack.rules) == set(Purpose)
        assert set(pack.parameters) - set(policy_schema.OPTIONAL_PARAMETERS) == set(policy_schema.PARAMETERS)
        assert set(pack.retention) == set(policy_schema.RETENTION_CLASSES) == DATA_CLASSES

    def test_the_reserved_purposes_are_never_served(self, everything, code):
        rules = everything.for_jurisdiction(code).pack.rules
        assert {rules[purpose].requirement for purpose in RESERVED} == {Requirement.NEVER}

    def test_everything_says_where_it_comes_from(self, everything, code):
        pack = everything.for_jurisdiction(code).pack
        for founded in (*pack.rules.values(), *pack.parameters.values(), *pack.retention.values()):
            assert len(founded.source) > 4
            assert isinstance(founded.confidence, Confidence)

    def test_a_value_of_the_house_says_so(self, everything, code):
        pack = everything.for_jurisdiction(code).pack
        for founded in (*pack.rules.values(), *pack.parameters.values(), *pack.retention.values()):
            if founded.confidence is Confidence.HOUSE:
                assert founded.source.startswith("house")

    def test_what_is_uncertain_is_said(self, everything, code):
        assert everything.for_jurisdiction(code).pack.uncertain


DATES = """
FR        2026-07-14
IT        2026-10-29
GB        2026-02-05
IN        2027-05-13
"""


@pytest.mark.parametrize("line", DATES.strip().splitlines())
def test_the_dates_in_force(everything, line):
    code, day = line.split()
    rule = everything.for_jurisdiction(code).pack.rules[Purpose.OPEN_PERFORMANCE]
    assert str(rule.in_force) == day


DEADLINES = """
          answer  acknowledge  opt-out  breach
FR        1mo     3bd          0cd      72hours
IT        1mo     3bd          0cd      72hours
DE        1mo     3bd          0cd      72hours
EU        1mo     0cd          0cd      72hours
GB        1mo     3bd          0cd      72hours
US-CA     45cd    10bd         15bd     -
US-CO     45cd    3bd          0cd      -
US-CT     45cd    3bd          0cd      -
US-OTHER  45cd    3bd          0cd      -
CA        30cd    3bd          0cd      -
CA-QC     30cd    3bd          0cd      -
AU        30cd    3bd          0cd      -
BR        15cd    3bd          0cd      -
CH        30cd    3bd          0cd      -
BG        1mo     3bd          0cd      72hours
IN        90cd    3bd          0cd      72hours
JP        14cd    3bd          0cd      -
KR        10cd    3bd          0cd      -
ZZ        1mo     3bd          0cd      72hours
"""
KEYS = {"answer": "answer_within", "acknowledge": "acknowledge_within", "opt-out": "opt_out_within"}


def test_the_deadlines_that_later_releases_read(everything):
    drawn = {
        code: {
            **{word: _length(policy.pack.content["requests"][key]) for word, key in KEYS.items()},
            "breach": _length(policy.pack.content.get("breach", {}).get("authority_within")),
        }
        for code, policy in everything.by_id.items()
    }
    assert drawn == read(DEADLINES)


# What else a law sets a clock for, wherever it does. mo calendar months, cd calendar days, bd business days.
CLOCKS = """
          unsubscribe  link-alive  appeal  breach-record  destroy  proof-after-last-mail
US-CA     10bd         30cd        -       -              -        -
US-CO     10bd         30cd        45cd    -              -        -
US-CT     10bd         30cd        60cd    -              -        -
US-OTHER  10bd         30cd        45cd    -              -        -
CA        10bd         60cd        -       24mo           -        -
CA-QC     10bd         60cd        -       24mo           -        -
AU        5bd          30cd        -       -              -        -
JP        -            -           -       -              -        1mo
KR        -            -           -       -              5cd      -
"""
WHERE = {
    "unsubscribe": ("unsubscribe", "honour_within"),
    "link-alive": ("unsubscribe", "alive_for"),
    "appeal": ("requests", "appeal_within"),
    "breach-record": ("breach", "record_for"),
    "destroy": ("purge", "destroy_within"),
    "proof-after-last-mail": ("consent", "proof_after_last_mail"),
}


def test_further_clocks_of_the_law(everything):
    drawn = {
        code: {word: _length(policy.pack.content.get(table, {}).get(key)) for word, (table, key) in WHERE.items()}
        for code, policy in everything.by_id.items()
    }
    assert {code: row for code, row in drawn.items() if set(row.values()) != {"-"}} == read(CLOCKS)


def test_korea_reconfirms_consent_and_tells_the_result(everything):
    korea = everything.for_jurisdiction("KR")
    assert (korea.limit("reconfirm_months"), korea.limit("result_notice_days")) == (24, 14)
    silent = {code for code, policy in everything.by_id.items() if policy.limit("reconfirm_months") is None}
    assert silent == {*PACKS, *DRAFTS} - {"KR"}


def test_where_the_law_wants_requests_kept_they_are(everything):
    least = {code: policy.pack.retention["request_log"].min_days for code, policy in everything.by_id.items()}
    asked = {code: days for code, days in least.items() if days}
    assert asked == {"US-CA": 731, "US-CO": 731, "US-CT": 731, "US-OTHER": 731, "IN": 365}
    assert keep_days(everything, "request_log") >= 731


@pytest.mark.law("RT-06")
def test_indias_minimum_keeps_hits_a_year_and_only_where_its_draft_is_loaded(shipped, everything):
    india = everything.for_jurisdiction("IN").pack.retention["hits"]
    assert (india.min_days, india.max_days) == (365, 396)
    hasty = {"retention": {"hits": 30}}
    assert keep_days(housed(everything, **hasty), "hits") == 365
    assert keep_days(housed(shipped, **hasty), "hits") == 30


class TestDrafts:
    """Weakly founded packs load only when the operator names them (decision 4)."""

    @pytest.mark.parametrize(("code", "read_by"), [("BG", "EU"), ("IN", "ZZ"), ("JP", "ZZ"), ("KR", "ZZ")])
    def test_until_then_another_pack_reads_their_country(self, shipped, everything, code, read_by):
        assert shipped.for_jurisdiction(code).id == read_by
        assert everything.for_jurisdiction(code).id == code
        assert everything.for_jurisdiction(code).pack.status == "draft"

    def test_one_is_named_without_the_others(self, tmp_path):
        loaded = load_policies([bundled("policies")], files=[house_with_drafts(tmp_path, "KR")])
        assert sorted(loaded.by_id) == sorted([*PACKS, "KR"])

    def test_every_draft_says_that_its_whole_law_is_weakly_founded(self, everything):
        for code in DRAFTS:
            first = everything.for_jurisdiction(code).pack.uncertain[0]
            assert first.startswith("pack: "), code


def _length(figure) -> str:
    return f"{figure['value']}{figure['unit']}" if figure else "-"


@pytest.mark.law("RE-10")
def test_a_released_pack_is_never_edited():
    """A change is another pack: raise its law version, and note its hash in released.txt beside the old one.

    Only the content counts; comments and spaces may be improved. The whole version of a policy includes the house.
    """
    found = {
        (pack.id, pack.law_version): policy_hash(pack.content, {})
        for pack in (load_pack(path) for path in sorted(bundled("policies").glob("[A-Z]*.toml")))
        if pack.status == "released"
    }
    assert found.items() <= released().items()
    assert {id_ for id_, _ in found} == {id_ for id_, _ in released()}
