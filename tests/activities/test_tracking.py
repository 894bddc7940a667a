"""The drain: a spooled hit is stored only if consent stands in the transaction that stores it."""

import pytest

from consent_track.activities import consenting, knowing, tracking
from consent_track.domain.observation import Signal
from consent_track.domain.vocabulary import HitKind, Purpose
from consent_track.records import hits
from tests import world
from tests.world import ALICE, BOB, Spool, stored


def test_alice_is_stored_and_bob_is_not(acme):
    result = Spool(acme).hit(ALICE).hit(BOB).drain()
    assert (result.hits, result.dropped) == (1, 1)
    assert stored(acme) == 1


@pytest.mark.law("WD-04")
def test_a_hit_spooled_before_a_withdrawal_is_not_stored_after_it(acme):
    spool = Spool(acme).hit(ALICE)
    world.withdraws(acme, ALICE)
    assert spool.drain().hits == 0
    assert stored(acme) == 0


def test_spooled_withdrawn_and_given_again_is_still_not_stored(acme, clock):
    spool = Spool(acme).hit(ALICE, ago=1)
    world.withdraws(acme, ALICE)
    clock.move(2)
    with acme.processing() as p:
        consenting.grant(p, 1, knowing.find(p, 1, ALICE), world.MEASURED, world.OPERATOR)
    clock.move(60)
    assert spool.drain().hits == 0


def test_draining_the_same_frames_again_stores_nothing_twice(acme):
    spool = Spool(acme).hit(ALICE).hit(ALICE, kind=HitKind.CLICK)
    assert spool.drain().hits == 2
    assert spool.drain().hits == 0
    assert stored(acme) == 2


@pytest.mark.law("TI-04")
def test_a_later_consent_never_widens_an_older_hit(acme):
    with acme.processing() as p:
        consenting.grant(p, 1, knowing.find(p, 1, ALICE), [Purpose.PERSONALISATION], world.OPERATOR)
    spool = Spool(acme).hit(ALICE, purposes=Purpose.OPEN_PERFORMANCE.bit)
    spool.drain()
    with acme.reading() as p:
        (hit,) = hits.of_subject(p.session, 1, knowing.find(p, 1, ALICE))
    assert hit.purposes == Purpose.OPEN_PERFORMANCE.bit


def test_what_was_spooled_for_three_days_is_dropped(acme, clock):
    spool = Spool(acme).hit(ALICE)
    clock.move(73 * world.HOUR)
    assert spool.drain().hits == 0


def test_a_signal_in_the_spool_is_a_choice_not_a_hit(acme):
    spool = Spool(acme)
    with acme.reading() as p:
        alice = knowing.find(p, 1, ALICE)
    spool.add(Signal(1, alice, "FR", acme.now() // world.DAY))
    spool.hit(ALICE)
    for signal in tracking.signals(spool.frames):
        with acme.processing() as p:
            consenting.record_signal(p, signal)
    assert spool.drain().hits == 0, "an opt-out is recorded before the hits of its batch"


@pytest.mark.law("RE-11")
def test_a_dropped_hit_leaves_a_reason_and_a_day_and_nothing_else(acme):
    Spool(acme).hit(BOB).hit(BOB).drain()
    with acme.reading() as p:
        rows = p.session.connection().exec_driver_sql("SELECT * FROM decline_count").fetchall()
    assert [tuple(map(str, row)) for row in rows] == [("1", "2026-11-18", "withdrawn", "2")]
