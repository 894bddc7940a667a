"""Choices: what a grant, a withdrawal, an objection and a signal change, and what they never change."""

import base64
import json
from dataclasses import replace

import pytest

from consent_track.activities import consenting, knowing, proving
from consent_track.crypto import evidence, sealing
from consent_track.domain.errors import InputRefused
from consent_track.domain.observation import Signal
from consent_track.domain.reasons import Reason
from consent_track.domain.vocabulary import Purpose, Status
from consent_track.records import consent, ledger
from tests import world
from tests.world import ALICE, BOB, CHARLIE, OPERATOR, chain


def standing(runtime, address):
    with runtime.reading() as p:
        subject = knowing.find(p, 1, address)
        return consenting.standing(p, 1, subject) if subject else None


def statuses(runtime, address):
    return {purpose.value: choice.status.value for purpose, choice in standing(runtime, address).state.choices.items()}


def test_three_people_stand_where_they_said(acme):
    assert statuses(acme, ALICE) == {"open_performance": "given", "click_performance": "given"}
    assert statuses(acme, BOB)["open_performance"] == "withdrawn"
    assert statuses(acme, BOB)["personalisation"] == "refused"
    assert standing(acme, CHARLIE) is None


def test_a_standing_shows_a_masked_address_only(acme):
    assert standing(acme, ALICE).masked == "a***@e***"
    assert standing(acme, ALICE).on == (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)
    assert standing(acme, BOB).on == ()


def test_withdrawing_twice_writes_once(acme):
    before = len(chain(acme))
    with acme.processing() as p:
        done = consenting.turn_off(p, 1, knowing.find(p, 1, BOB), OPERATOR)
    assert done.already
    assert done.erase_on is not None
    assert len(chain(acme)) == before


def test_a_withdrawal_schedules_the_erasure_of_what_was_recorded(acme, clock):
    with acme.processing() as p:
        subject = knowing.find(p, 1, ALICE)
        done = consenting.turn_off(p, 1, subject, OPERATOR)
        due, bits = consent.erase_due(p.session, 1, subject)
    assert due == clock.at + 7 * world.DAY
    assert bits == Purpose.OPEN_PERFORMANCE.bit | Purpose.CLICK_PERFORMANCE.bit
    assert str(done.erase_on) == "2026-11-25"


def test_coming_back_within_the_delay_undoes_the_erasure(acme):
    world.withdraws(acme, ALICE)
    with acme.processing() as p:
        subject = knowing.find(p, 1, ALICE)
        consenting.grant(p, 1, subject, world.MEASURED, OPERATOR)
        assert consent.erase_due(p.session, 1, subject) == (None, 0)


def test_withdrawing_one_purpose_leaves_the_other(acme):
    with acme.processing() as p:
        consenting.turn_off(p, 1, knowing.find(p, 1, ALICE), OPERATOR, frozenset({Purpose.OPEN_PERFORMANCE}))
    assert statuses(acme, ALICE) == {"open_performance": "withdrawn", "click_performance": "given"}


def test_an_unsubscribe_ends_the_measuring_and_a_refusal_does_not_end_the_mail(acme):
    with acme.processing() as p:
        consenting.end_mail(p, 1, knowing.find(p, 1, ALICE), OPERATOR)
    assert standing(acme, ALICE).on == ()
    assert standing(acme, ALICE).state.mail_ended_at is not None
    assert standing(acme, BOB).state.mail_ended_at is None


def test_an_objection_stands_above_a_consent(acme):
    with acme.processing() as p:
        consenting.object_to(p, 1, knowing.find(p, 1, ALICE), OPERATOR)
    assert standing(acme, ALICE).state.objected_at is not None
    assert standing(acme, ALICE).on == ()


def test_a_signal_is_recorded_once_with_day_precision_and_erases_nothing(acme, clock):
    day = int(clock.at) // world.DAY
    with acme.processing() as p:
        subject = knowing.find(p, 1, ALICE)
    for _ in range(3):
        with acme.processing() as p:
            consenting.record_signal(p, Signal(1, subject, "US-CA", day))
    state = standing(acme, ALICE).state
    assert state.signal_on.isoformat() == "2026-11-18"
    assert state.choices[Purpose.OPEN_PERFORMANCE].status is Status.GIVEN
    with acme.reading() as p:
        assert consent.erase_due(p.session, 1, subject) == (None, 0)
        last = ledger.entries(p.session, 1, 0, 100)[-1]
    assert last.recorded_at % world.DAY == 0, "the hour of a signal is nobody's business"


@pytest.mark.parametrize("purpose", ["geo", "crm_attribution", "aggregate_count", "deliverability_hygiene"])
def test_consent_cannot_carry_what_consent_is_not_for(acme, purpose):
    with acme.processing() as p, pytest.raises(InputRefused) as refused:
        consenting.grant(p, 1, knowing.find(p, 1, ALICE), [Purpose(purpose)], OPERATOR)
    assert refused.value.problems[0].where == "purpose"


def grant_good_then_bad(runtime):
    with runtime.processing() as p:
        consenting.grant(p, 1, knowing.find(p, 1, ALICE), [Purpose.SALES_FOLLOWUP], OPERATOR)
        consenting.grant(p, 1, knowing.find(p, 1, ALICE), [Purpose.GEO], OPERATOR)


def test_a_grant_that_fails_leaves_nothing_half_written(acme):
    before = len(chain(acme))
    with pytest.raises(InputRefused):
        grant_good_then_bad(acme)
    assert len(chain(acme)) == before
    assert "sales_followup" not in statuses(acme, ALICE)


def test_the_ledger_is_one_signed_chain(acme):
    entries = chain(acme)
    assert [entry.sequence for entry, _, _ in entries] == list(range(1, len(entries) + 1))
    assert evidence.first_break(entries, acme.keys.ledger_public) is None
    changed = [(replace(entries[0][0], subject=1), *entries[0][1:]), *entries[1:]]
    assert evidence.first_break(changed, acme.keys.ledger_public) == 1


def test_an_event_says_who_what_when_and_how(acme):
    with acme.reading() as p:
        subject = knowing.find(p, 1, ALICE)
        key = knowing.key_of(p, 1, subject)
        first = next(e for e in ledger.entries(p.session, 1, 0, 100) if e.subject == subject)
    event = json.loads(sealing.unseal(key, 1, subject, f"event:{first.sequence}", first.sealed))
    assert event["purpose"] == "open_performance"
    assert event["status"] == "given"
    assert event["method"] == "command_line"
    assert event["grade"] == "operator"
    assert event["jurisdiction"] == "FR"
    assert len(event["policy_hash"]) == 64
    assert event["flow_id"]


def test_no_address_stands_in_any_file_of_the_home(acme):
    for path in acme.config.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"alice@example.org" not in content, path
            assert b"alice" not in content.lower(), path


def test_the_offline_key_alone_opens_a_proof(acme):
    with acme.reading() as p:
        first = ledger.entries(p.session, 1, 0, 1)[0]
    private = next(
        line
        for line in (acme.config.keys_dir / "escrow-private.key").read_text().splitlines()
        if line.startswith("key: ")
    )

    secret = base64.urlsafe_b64decode(private.removeprefix("key: "))
    assert b'"status":"given"' in sealing.open_escrow(secret, 1, first.proof_tag, first.proof)


def test_an_unknown_controller_is_refused_by_name(acme):
    with acme.processing() as p, pytest.raises(InputRefused) as refused:
        knowing.obtain(p, 9, "dora@example.org")
    assert str(refused.value) == "controller: 9 is not configured"


@pytest.mark.law("CC-16")
@pytest.mark.parametrize(("what", "reason"), [("minor", Reason.MINOR), ("restricted", Reason.RESTRICTED)])
def test_who_is_a_minor_or_restricted_is_not_measured_while_it_lasts(acme, what, reason):
    with acme.processing() as p:
        alice = knowing.find(p, 1, ALICE)
        assert not consenting.mark(p, 1, alice, OPERATOR, **{what: True}).already
        assert consenting.mark(p, 1, alice, OPERATOR, **{what: True}).already
    assert world.prepare(acme, world.mail_to(ALICE), ALICE).opens.reason is reason
    with acme.processing() as p:
        assert proving.history(p, 1, ALICE)[-1]["scope"] == f"{what}:yes"
        consenting.mark(p, 1, alice, OPERATOR, **{what: False})
    assert world.prepare(acme, world.mail_to(ALICE), ALICE).opens.reason is Reason.CONSENT_GIVEN
