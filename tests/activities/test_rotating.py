"""Rotating the epoch: nobody is lost on the way, and what an old copy of the keyring holds opens nothing afterwards."""

import shutil
from datetime import UTC, datetime

import pytest

from consent_track.activities import answering, confirming, knowing, requesting, rotating
from consent_track.activities.confirming import Kind, Wish
from consent_track.activities.requesting import Opening
from consent_track.crypto import keyring as keyrings
from consent_track.crypto import sealing
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import Channel, Right
from consent_track.records import key_events, spool, subjects
from consent_track.records.database import read
from tests import world
from tests.world import ALICE, BOB, CHARLIE, NOW

NODE = "test"


def rotate(acme, clock, *, through=True):
    with acme.reading() as p:
        number = rotating.begin_rotation(p, acme.config.keys_dir)
    if through:
        clock.move(60)
        rotating.rewrap(acme.processing)
    return number


def finish(acme, clock):
    clock.move(rotating.GRACE)
    return rotating.destroy_unneeded(acme.processing, acme.config.keys_dir, NODE)


def keys_of(acme):
    with acme.reading() as p, read(p.keyring) as keyring:
        rows = [subjects.by_reference(keyring, 1, knowing.find(p, 1, who)) for who in (ALICE, BOB)]
    return [row.epoch for row in rows]


def test_everybody_is_rewrapped_and_found_as_before(acme, clock):
    with acme.reading() as p:
        before = knowing.find(p, 1, ALICE)
    assert rotate(acme, clock) == 2
    assert keys_of(acme) == [2, 2]
    with acme.reading() as p:
        assert knowing.find(p, 1, ALICE) == before
        assert knowing.person(p, 1, before).address == ALICE
    assert rotating.rewrap(acme.processing) == 0


def test_until_every_process_knows_the_new_key_nobody_is_made_under_it(acme, clock):
    rotate(acme, clock, through=False)
    world.consents(acme, CHARLIE)
    with acme.reading() as p:
        assert p.keys.epoch().id == 1
        assert set(p.keys.epochs) == {1, 2}
    clock.move(60)
    with acme.reading() as p:
        assert p.keys.epoch().id == 2
        assert knowing.find(p, 1, CHARLIE)


def test_half_way_through_nobody_is_made_twice(acme, clock):
    rotate(acme, clock, through=False)
    clock.move(60)
    with acme.processing() as p:
        known = knowing.find(p, 1, ALICE)
        assert knowing.obtain(p, 1, ALICE) == known
        assert knowing.keys_for(p, 1, [ALICE])[ALICE].reference == known
    assert keys_of(acme) == [1, 1]


@pytest.mark.law("DL-08", "RE-14")
def test_an_old_copy_of_the_keyring_opens_nothing_of_an_erased_person(acme, clock):
    """The thief: yesterday's keyring and database, and every key file there is today."""
    with acme.reading() as p, read(p.keyring) as keyring:
        stolen = subjects.by_reference(keyring, 1, knowing.find(p, 1, ALICE))
    answering.erase(acme.processing, 1, ALICE, world.OPERATOR)
    with acme.reading() as p:  # before the rotation the old key still opens the old copy
        assert sealing.unwrap(p.keys.epoch(stolen.epoch), 1, stolen.reference, stolen.wrapped)
    rotate(acme, clock)
    assert finish(acme, clock) == [1]
    for key in keyrings.load(acme.config.keys_dir).epochs.values():
        with pytest.raises(sealing.SealBroken):
            sealing.unwrap(key, 1, stolen.reference, stolen.wrapped)
        assert sealing.address_lookup(key, 1, ALICE) != stolen.lookup


def test_a_key_that_something_needs_stays(acme, clock):
    with acme.processing() as p:
        confirming.begin(p, 1, CHARLIE, Wish(Kind.LINK, "en"))
    rotate(acme, clock)
    assert finish(acme, clock) == []
    clock.move(confirming.LIFE)
    confirming.forget_over(acme.processing)
    assert finish(acme, clock) == [1]
    assert not (acme.config.keys_dir / "epoch" / "1.key").exists()


def test_requests_outlive_the_epoch_they_were_written_in(acme, clock):
    with acme.processing() as p:
        opening = Opening(Right.COMPLAINT, CHARLIE, Channel.LETTER, NOW, ("FR",), "en", "You wrote to me.")
        request = requesting.open_(p, 1, opening)
    rotate(acme, clock)
    assert finish(acme, clock) == [1]
    with acme.reading() as p:
        found = requesting.find(p, 1, request.id)
        assert requesting.written(p, found).wrote == "You wrote to me."
        assert [address for _, address in requesting.addresses(p, found)] == [CHARLIE]


def test_the_evidence_of_every_machine_is_needed(acme, clock):
    with acme.processing() as p:
        spool.seen(p.session, NODE, NOW, NOW)
        spool.seen(p.session, "second", NOW, NOW)
    rotate(acme, clock)
    finish(acme, clock)
    with acme.processing() as p:
        assert rotating.retired_at(p, 1) is None
        assert rotating.missing_nodes(p, 1) == ["second"]
        key_events.record(p.session, world_day(p), "second", p.now, rotating.DESTROYED, 1)
        assert rotating.retired_at(p, 1) == p.now


def world_day(p):
    return datetime.fromtimestamp(p.now, UTC).date()


def test_a_crash_after_the_file_is_gone_leaves_the_evidence_to_the_next_run(acme, clock, monkeypatch):
    rotate(acme, clock)
    clock.move(rotating.GRACE)
    gone = keyrings.destroy_epoch

    def destroyed_and_killed(folder, number):
        gone(folder, number)
        raise KeyboardInterrupt

    monkeypatch.setattr(keyrings, "destroy_epoch", destroyed_and_killed)
    with pytest.raises(KeyboardInterrupt):
        rotating.destroy_unneeded(acme.processing, acme.config.keys_dir, NODE)
    monkeypatch.undo()
    with acme.reading() as p:
        assert rotating.retired_at(p, 1) is None
    assert rotating.destroy_unneeded(acme.processing, acme.config.keys_dir, NODE) == [1]
    assert rotating.destroy_unneeded(acme.processing, acme.config.keys_dir, NODE) == []
    with acme.reading() as p:
        assert rotating.retired_at(p, 1) == p.now


def test_one_rotation_at_a_time(acme, clock):
    rotate(acme, clock)
    with acme.reading() as p, pytest.raises(InputRefused, match="a rotation is under way"):
        rotating.begin_rotation(p, acme.config.keys_dir)
    finish(acme, clock)
    clock.move(60)
    assert rotate(acme, clock) == 3


def test_nothing_is_destroyed_before_whoever_began_earlier_is_done(acme, clock):
    rotate(acme, clock)
    assert rotating.destroy_unneeded(acme.processing, acme.config.keys_dir, NODE) == []


def test_a_folder_that_is_half_copied_changes_nothing(acme, clock):
    place = acme.config.keys_dir / "epoch"
    shutil.copy(place / "1.key", place / "7.key")  # labelled 1: not what the name says
    with acme.reading() as p:
        assert set(p.keys.epochs) == {1}
        assert knowing.find(p, 1, ALICE)
