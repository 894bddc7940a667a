"""Italy, as a lawyer can read it: Garante guidelines 284/2026, its three derogations, and three people."""

from dataclasses import replace
from datetime import date

import pytest

from tests.domain.people import ALICE, BOB, CHARLIE, NOW, answer, housed, rows
from tests.law.golden import decisions, law, read
from tests.law.test_france import FOR_ALICE, FOR_BOB, FOR_CHARLIE
from tests.law.test_france import THE_LAW as FRENCH_LAW

# What the law asks; the columns are explained in test_france.py. Derogations of para. 5: (a) the global percentage of
# opens, with one identical pixel; (b) security of authentication; (c) mails with a legal duty to send. All else:
# consent, stopping mail to people who do not open it included (para. 6).
THE_LAW = """
                         login    order    duty     news     soft     b2b      ask
auth_security            exempt   consent  consent  consent  consent  consent  no
deliverability_hygiene   consent  consent  consent  consent  consent  consent  no
legal_notice_receipt     consent  consent  exempt   consent  consent  consent  no
aggregate_count          exempt   exempt   exempt   exempt   exempt   exempt   no
open_performance         consent  consent  consent  consent  consent  consent  no
click_performance        consent  consent  consent  consent  consent  consent  no
personalisation          consent  consent  consent  consent  consent  consent  no
sales_followup           consent  consent  consent  consent  consent  consent  no
"""


def test_what_the_law_asks(shipped):
    assert law(shipped, "IT") == read(THE_LAW)


@pytest.mark.law("CC-01")
@pytest.mark.parametrize(
    ("person", "table"),
    [(ALICE, FOR_ALICE), (BOB, FOR_BOB), (CHARLIE, FOR_CHARLIE)],
    ids=["Alice consented", "Bob withdrew", "Charlie never said"],
)
def test_how_it_falls_as_in_france_because_derogations_are_off(shipped, person, table):
    assert decisions(shipped, "IT", person) == read(table)


def test_one_european_switch_cannot_be_right(shipped):
    """France exempts hygiene and not the count; Italy the reverse."""
    france, italy = read(FRENCH_LAW), read(THE_LAW)
    differ = {
        (purpose, mail) for purpose, cells in france.items() for mail in cells if cells[mail] != italy[purpose][mail]
    }
    assert differ == {
        *(("deliverability_hygiene", mail) for mail in ("login", "order", "duty", "news")),
        *(("aggregate_count", mail) for mail in ("login", "order", "duty", "news", "soft", "b2b")),
        ("auth_security", "order"),
        ("auth_security", "duty"),
        ("legal_notice_receipt", "duty"),
    }


def test_the_derogations_have_their_conditions(shipped):
    rules = shipped.for_jurisdiction("IT").pack.rules
    conditions = {purpose.value: " ".join(rule.conditions) for purpose, rule in rules.items() if rule.conditions}
    assert conditions == {
        "auth_security": "authentication_flow exclusive_purpose",
        "legal_notice_receipt": "legal_duty_to_send actual_knowledge_matters exclusive_purpose",
        "aggregate_count": "same_pixel_for_all_recipients_of_campaign ip_and_client_anonymised",
    }


def test_one_neutral_request_may_ask_for_mail_and_measuring_together_only_here_in_europe(shipped):
    bundling = {id_ for id_, policy in shipped.by_id.items() if policy.pack.bundled_with_mail_consent}
    assert bundling == {"IT", "US-CA", "US-CO", "US-CT", "US-OTHER", "AU"}


LEGACY = """
    collected 2026-10-28  told 2026-11-02            yes: legacy_regime
    collected 2026-10-28  told 2026-05-01            yes: legacy_regime
    collected 2026-10-29  told 2026-11-02            no: no_consent
    collected 2026-10-28  told -                     no: no_consent
    collected -           told 2026-11-02            no: no_consent
    collected 2026-10-28  told 2026-11-02  objected  no: objected
    collected 2026-10-28  told 2026-11-02  revoked   no: withdrawn
"""


@pytest.mark.parametrize("line", rows(LEGACY), ids=lambda line: " ".join(line))
def test_processing_from_before_the_deadline(shipped, line):
    collected, told, *said, expected = line
    days = [None if day == "-" else date.fromisoformat(day) for day in (collected.split()[1], told.split()[1])]
    state = replace(
        CHARLIE,
        address_collected_on=days[0],
        legacy_notice_on=days[1],
        objected_at=NOW if said == ["objected"] else None,
        choices=BOB.choices if said == ["revoked"] else {},
    )
    using = housed(shipped, legacy_regimes=frozenset({"IT"}))
    assert answer(using, state, jurisdiction="IT") == expected
    assert answer(shipped, state, jurisdiction="IT").startswith("no"), "the operator must choose it"
