"""Retention: what is older than its class allows goes, what is younger stays, and every run leaves evidence."""

import pytest

from consent_track.activities import knowing, retaining
from consent_track.crypto.pseudonyms import DayKeys
from consent_track.records import hits, key_events, purges
from tests import world
from tests.world import ALICE, Spool, stored


@pytest.mark.law("RT-10")
def test_every_purge_leaves_evidence_zero_included(acme):
    retaining.purge(acme.processing)
    with acme.reading() as p:
        runs = purges.latest(p.session)
    assert {run.table for run in runs} >= {"hit", "mailing"}
    assert all(run.count == 0 for run in runs)


@pytest.mark.law("RT-01")
def test_hits_go_when_their_class_is_over_and_not_a_day_before(acme, clock):
    Spool(acme).hit(ALICE).drain()
    days = retaining.keep_days(acme.policies, "hits")
    clock.move((days - 1) * world.DAY)
    retaining.purge(acme.processing)
    assert stored(acme) == 1
    clock.move(2 * world.DAY)
    retaining.purge(acme.processing)
    assert stored(acme) == 0


def test_a_dry_run_counts_and_deletes_nothing(acme, clock):
    Spool(acme).hit(ALICE).drain()
    clock.move(500 * world.DAY)
    found = {one.table: one.count for one in retaining.purge(acme.processing, dry_run=True)}
    assert found["hit"] == 1
    assert stored(acme) == 1
    with acme.reading() as p:
        assert purges.latest(p.session) == []


@pytest.mark.law("RT-03")
def test_network_pseudonyms_go_before_their_hits(acme, clock):
    Spool(acme).hit(ALICE).drain()
    clock.move(32 * world.DAY)
    assert retaining.forget_networks(acme.processing) == 1
    with acme.reading() as p:
        (hit,) = hits.of_subject(p.session, 1, knowing.find(p, 1, ALICE))
    assert hit.network is None


def test_what_a_withdrawn_person_left_goes_after_the_delay(acme, clock):
    Spool(acme).hit(ALICE).drain()
    world.withdraws(acme, ALICE)
    clock.move(6 * world.DAY)
    assert retaining.erase_withdrawn(acme.processing) == 0
    assert stored(acme) == 1, "a link pressed by mistake destroys nothing"
    clock.move(2 * world.DAY)
    assert retaining.erase_withdrawn(acme.processing) == 1
    assert stored(acme) == 0


@pytest.mark.law("IP-03")
def test_day_keys_live_less_than_48_hours_and_their_end_is_recorded(acme, clock, tmp_path):
    keys = DayKeys(tmp_path / "keys")
    from datetime import UTC, datetime

    day = datetime.fromtimestamp(clock.at, UTC).date()
    first = keys.key(day)
    clock.move(world.DAY)
    assert retaining.destroy_day_keys(acme.processing, keys, "test") == []
    clock.move(world.DAY)
    assert retaining.destroy_day_keys(acme.processing, keys, "test") == [day]
    assert keys.key(day) != first
    with acme.reading() as p:
        (event,) = key_events.of_day(p.session, day)
    assert event.kind == "day_key_destroyed"


def test_what_is_overdue_is_said(acme, clock):
    with acme.reading() as p:
        assert [late.what for late in retaining.overdue(p, spooled=True)] == ["purge", "drain"]
    retaining.purge(acme.processing)
    with acme.reading() as p:
        assert [late.what for late in retaining.overdue(p, spooled=False)] == []
    clock.move(27 * world.HOUR)
    with acme.reading() as p:
        assert [late.what for late in retaining.overdue(p, spooled=False)] == ["purge"]


def test_hits_of_no_month_are_said_because_no_month_would_take_them_away(acme):
    Spool(acme).hit(ALICE).drain()  # and no job made partitions before
    retaining.purge(acme.processing)
    with acme.reading() as p:
        late = [late.what for late in retaining.overdue(p, spooled=False)]
    assert late == (["hit_partitions"] if acme.database.dialect == "postgresql" else [])
