"""What holds here is the law or stricter: the house policy tightens, and an unknown place gets the strictest."""

from dataclasses import replace
from datetime import date

import pytest

from consent_track.domain.policy import (
    LONGER_IS_STRICTER,
    Requirement,
    policy_hash,
    strictest,
)
from consent_track.domain.vocabulary import Grade, MailType, Purpose
from tests.domain.people import housed, rows, under

OPEN = Purpose.OPEN_PERFORMANCE
NEWS = MailType.REQUESTED_NEWSLETTER


def test_requirements_stand_from_loosest_to_strictest():
    ranked = [one.value for one in sorted(Requirement, key=lambda one: one.strictness)]
    assert ranked == ["exempt", "notice", "opt_out", "consent", "never"]
    assert strictest(Requirement.NOTICE, Requirement.NEVER, Requirement.EXEMPT) is Requirement.NEVER


READ_BY = """
    FR        FR
    FR-IDF    FR
    IT        IT
    DE-BY     DE
    AT        EU
    ES-CT     EU
    NO        EU
    EU        EU
    GB-SCT    GB
    US-CA     US-CA
    US-NY     US-OTHER
    US-OTHER  US-OTHER
    US        US-OTHER
    US-CO     US-CO
    CH        CH
    BR        BR
    BR-SP     BR
    CA-QC     CA-QC
    CA-ON     CA
    AU        AU
    JP        ZZ
    KR        ZZ
    IN        ZZ
    AR        ZZ
    ZZ        ZZ
    XX        ZZ
    nonsense  ZZ
"""


@pytest.mark.parametrize(("code", "pack"), rows(READ_BY))
def test_each_place_has_its_pack_and_an_unknown_one_the_strictest(shipped, code, pack):
    assert shipped.for_jurisdiction(code).id == pack


# What the law asks, what the operator chose, what holds: for opens in a newsletter.
REGIMES = """
    US-CA  -        consent
    US-CA  notice   notice
    US-CA  opt_out  opt_out
    US-CA  never    never
    US-NY  notice   notice
    FR     notice   consent
    FR     never    never
"""


@pytest.mark.parametrize(("code", "regime", "holds"), rows(REGIMES))
def test_a_regime_loosens_the_house_and_never_the_law(shipped, code, regime, holds):
    chosen = {} if regime == "-" else {code: Requirement(regime)}
    policy = housed(shipped, regimes=chosen).for_jurisdiction(code)
    assert policy.needs(OPEN, NEWS, code).value == holds


def test_a_regime_of_the_pack_holds_for_what_the_pack_reads_and_one_of_the_state_before_it(shipped):
    chosen = {"US-OTHER": Requirement.NOTICE, "US-NY": Requirement.CONSENT}
    policies = housed(shipped, regimes=chosen)
    needs = {
        code: policies.for_jurisdiction(code).needs(OPEN, NEWS, code).value for code in ("US-TX", "US-NY", "US-CA")
    }
    assert needs == {"US-TX": "notice", "US-NY": "consent", "US-CA": "consent"}


def test_a_house_that_says_never_measures_nobody(shipped):
    policies = housed(shipped, individual=Requirement.NEVER)
    for code in ("FR", "US-CA", "ZZ"):
        assert policies.for_jurisdiction(code).needs(OPEN, NEWS, code) is Requirement.NEVER


# parameter, law of France, house, what holds
NUMBERS = """
    token_life_days              90   60   60
    token_life_days              90  200   90
    erase_after_withdrawal_days   7    0    0
    erase_after_withdrawal_days   7   30    7
    ip_pseudonym_days            30    1    1
    re_ask_cooldown_months        6   12   12
    re_ask_cooldown_months        6    3    6
    unsubscribe_max_hours        48   24   24
    signal_waiver                 0    1    0
"""


@pytest.mark.parametrize(("name", "law", "house", "holds"), rows(NUMBERS.replace("   ", "  ")))
def test_a_number_is_the_stricter_of_law_and_house(shipped, name, law, house, holds):
    assert shipped.for_jurisdiction("FR").number(name) == int(law)
    assert housed(shipped, parameters={name: int(house)}).for_jurisdiction("FR").number(name) == int(holds)


def test_for_one_parameter_more_is_stricter():
    assert {"re_ask_cooldown_months", "aggregate_min_audience"} == LONGER_IS_STRICTER, (
        "name here what a later parameter protects by more"
    )


KEPT = """
    hits              -     396
    hits              30     30
    hits              4000  396
    request_log       -    1096
    request_log       0     731
"""


@pytest.mark.parametrize(("name", "house", "days"), rows(KEPT.replace("    ", "  ")))
def test_the_house_shortens_what_stays_and_never_below_what_the_law_wants_kept(shipped, name, house, days):
    chosen = {} if house == "-" else {name: int(house)}
    assert housed(shipped, retention=chosen).for_jurisdiction("US-CA").keep_days(name) == int(days)


def test_a_notice_is_found_under_the_place_or_the_pack_that_reads_it(shipped):
    policies = housed(shipped, notices={"US-OTHER": "v1", "US-NY": "v2"})
    assert [policies.for_jurisdiction(code).notice_for(code) for code in ("US-NY", "US-TX", "FR")] == ["v2", "v1", None]


def test_a_purpose_nobody_knows_is_never_served_and_needs_the_best_evidence(shipped):
    pack = shipped.for_jurisdiction("FR").pack
    poorer = under(replace(pack, rules={}), shipped.house)
    assert poorer.needs(OPEN, NEWS, "FR") is Requirement.NEVER
    assert poorer.least_grade(OPEN) is Grade.MAILBOX_LOOP


class TestHash:
    def test_it_is_frozen(self):
        assert (
            policy_hash({"id": "FR", "a": [1, True, date(2026, 7, 14)]}, {"é": "x"})
            == "ef8a4725b41f78be421d04c2c4eb88eac6f40eab19db7e1c636f7cfae6f0349a"
        )

    def test_it_depends_on_pack_and_house_and_on_no_order(self):
        one, other = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}
        assert policy_hash(one, {}) == policy_hash(other, {})
        assert len({policy_hash(one, {}), policy_hash({}, one), policy_hash(one, one)}) == 3

    def test_a_token_carries_its_first_four_octets(self, shipped):
        policy = shipped.for_jurisdiction("FR")
        assert f"{policy.prefix:08x}" == policy.hash[:8]
