"""France, as a lawyer can read it: CNIL recommendation 2026-042 and its FAQ, and what it means for three people."""

from dataclasses import replace
from datetime import date

import pytest

from consent_track.domain.vocabulary import MailType, Purpose, Status
from tests.domain.people import ALICE, BOB, CHARLIE, NOW, answer, chose, housed, rows
from tests.law.golden import decisions, law, read

# What the law asks for each purpose (rows) in each kind of mail (columns):
# login: code, reset, activation · order: order, invoice, alert · duty: breach notice and the like · news: a newsletter
# the person consented to receive · soft: soft opt-in · b2b: prospecting · ask: the mail that asks for this consent.
# A security purpose does not arise in news, soft and b2b; if it did, Art. 82 would ask for consent.
THE_LAW = """
                         login    order    duty     news     soft     b2b      ask
auth_security            exempt   exempt   exempt   consent  consent  consent  no
deliverability_hygiene   exempt   exempt   exempt   exempt   consent  consent  no
legal_notice_receipt     consent  consent  consent  consent  consent  consent  no
aggregate_count          consent  consent  consent  consent  consent  consent  no
open_performance         consent  consent  consent  consent  consent  consent  no
click_performance        consent  consent  consent  consent  consent  consent  no
personalisation          consent  consent  consent  consent  consent  consent  no
sales_followup           consent  consent  consent  consent  consent  consent  no
"""

FOR_ALICE = """
                         login  order  duty   news   soft   b2b    ask
auth_security            off    off    off    off    off    off    asks
deliverability_hygiene   off    off    off    off    off    off    asks
legal_notice_receipt     off    off    off    off    off    off    asks
aggregate_count          off    off    off    off    off    off    asks
open_performance         yes    yes    yes    yes    yes    yes    asks
click_performance        yes    yes    yes    yes    yes    yes    asks
personalisation          yes    yes    yes    yes    yes    yes    asks
sales_followup           yes    yes    yes    yes    yes    yes    asks
"""
FOR_BOB = FOR_ALICE.replace("yes ", "withdrawn ")
FOR_CHARLIE = FOR_ALICE.replace("yes ", "never-said ")


def test_what_the_law_asks(shipped):
    assert law(shipped, "FR") == read(THE_LAW)


@pytest.mark.law("CC-01")
@pytest.mark.parametrize(
    ("person", "table"),
    [(ALICE, FOR_ALICE), (BOB, FOR_BOB), (CHARLIE, FOR_CHARLIE)],
    ids=["Alice consented", "Bob withdrew", "Charlie never said"],
)
def test_how_it_falls(shipped, person, table):
    assert decisions(shipped, "FR", person) == read(table)


def test_the_exemptions_have_their_conditions(shipped):
    rules = shipped.for_jurisdiction("FR").pack.rules
    conditions = {purpose.value: " ".join(rule.conditions) for purpose, rule in rules.items() if rule.conditions}
    assert conditions == {
        "auth_security": "user_centred exclusive_purpose",
        "deliverability_hygiene": "requested_mail last_open_day_only exclusive_purpose",
    }


@pytest.mark.law("TI-07")
@pytest.mark.parametrize("state", [CHARLIE, BOB, ALICE], ids=["Charlie", "Bob", "Alice"])
def test_no_count_without_consent_and_the_pack_says_that_this_is_uncertain(shipped, state):
    pack = shipped.for_jurisdiction("FR").pack
    assert {law(shipped, "FR")["aggregate_count"][mail] for mail in ("login", "news", "b2b")} == {"consent"}
    assert answer(shipped, state, Purpose.AGGREGATE_COUNT).startswith("no")
    assert any(sentence.startswith("aggregate_count: ") for sentence in pack.uncertain)


def test_frequency_is_its_own_purpose_and_never_served(shipped):
    everything = replace(ALICE, choices=dict.fromkeys(Purpose, ALICE.choices[Purpose.OPEN_PERFORMANCE]))
    assert answer(shipped, everything, Purpose.FREQUENCY_ADAPTATION) == "no: purpose_reserved"


def test_a_business_address_changes_nothing(shipped):
    """CNIL: addresses of businesses are inside the rule."""
    for state in (ALICE, BOB, CHARLIE):
        private = answer(shipped, state, mail_type=MailType.REQUESTED_NEWSLETTER)
        assert answer(shipped, state, mail_type=MailType.B2B_PROSPECTING) == private


# Addresses held before the recommendation, where the house policy uses the transition.
LEGACY = """
    collected 2026-04-13  told 2026-07-14                     yes: legacy_regime
    collected 2026-04-13  told 2026-04-20                     yes: legacy_regime
    collected 2026-04-14  told 2026-07-14                     no: no_consent
    collected 2026-04-13  told 2026-07-15                     no: no_consent
    collected -           told 2026-07-14                     no: no_consent
    collected 2026-04-13  told -                              no: no_consent
    collected -           told -                              no: no_consent
    collected 2026-04-13  told 2026-07-14  objected           no: objected
    collected 2026-04-13  told 2026-07-14  refused            no: refused
    collected 2026-04-13  told 2026-07-14  withdrawn          no: withdrawn
    collected 2026-04-13  told 2026-07-14  Sec-GPC            no: signal
    collected 2026-04-13  told 2026-07-14  unsubscribed       no: mail_ended
"""
SAID = {
    "objected": lambda state: replace(state, objected_at=NOW),
    "refused": lambda state: replace(state, choices=chose(Status.REFUSED).choices),
    "withdrawn": lambda state: replace(state, choices=BOB.choices),
    "Sec-GPC": lambda state: replace(state, signal_on=date(2026, 11, 1)),
    "unsubscribed": lambda state: replace(state, mail_ended_at=NOW),
}


def held(collected: str, told: str, said: str = ""):
    days = [None if day == "-" else date.fromisoformat(day) for day in (collected.split()[1], told.split()[1])]
    state = replace(CHARLIE, address_collected_on=days[0], legacy_notice_on=days[1])
    return SAID[said](state) if said else state


@pytest.mark.law("CC-12")
@pytest.mark.parametrize("line", rows(LEGACY), ids=lambda line: " ".join(line))
def test_an_address_from_before_the_recommendation(shipped, line):
    *facts, expected = line
    using = housed(shipped, legacy_regimes=frozenset({"FR"}))
    assert answer(using, held(*facts)) == expected
    as_shipped = answer(shipped, held(*facts))
    assert as_shipped == expected.replace("yes: legacy_regime", "no: no_consent"), "the operator must choose it"


@pytest.mark.law("CC-12")
@pytest.mark.parametrize("code", ["IT", "DE", "GB", "ZZ", "US-CA"])
def test_the_french_transition_is_not_used_elsewhere(shipped, code):
    using = housed(shipped, legacy_regimes=frozenset({"FR", code}))
    late = held("collected 2026-04-13", "told 2026-07-14")
    expected = "yes: legacy_regime" if code == "IT" else "no: no_consent"  # Italy has one of its own
    assert answer(using, late, jurisdiction=code) == expected
