"""What is kept although it would go: by a dispute, by an open request for a capped time, by the person's own wish."""

import pytest

from consent_track.activities import consenting, fulfilling, holding, knowing, requesting, retaining
from consent_track.activities.holding import Kind
from consent_track.activities.requesting import Opening
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import Channel, Proof, Right
from consent_track.records import hits
from tests import world
from tests.world import ALICE, BOB, DAY, NOW

SEEN = frozenset({Proof.KNOWN_IN_PERSON})


@pytest.fixture
def hit(acme):
    """Alice and her colleague have three hits each, and nothing of them may stay for ever."""
    world.consents(acme, "carol@example.org")
    for who in (ALICE, "carol@example.org"):
        world.hits_of(acme, who, 3)
    return acme


def count(acme, who):
    with acme.reading() as p:
        return hits.count(p.session, 1, knowing.find(p, 1, who))


def hold(acme, who, kind=Kind.LEGAL, **more):
    with acme.processing() as p:
        return holding.begin(p, 1, knowing.find(p, 1, who), kind, "file 12/2026", **more)


def ask(acme, right=Right.ACCESS, **more):
    with acme.processing() as p:
        return requesting.open_(p, 1, Opening(right, ALICE, Channel.LETTER, p.now, ("FR",), "en", **more))


def test_a_purge_leaves_the_held_and_takes_the_others(hit, clock):
    held = hold(hit, ALICE)
    clock.move(500 * DAY)
    dry = {one.table: one for one in retaining.purge(hit.processing, dry_run=True)}
    assert (dry["hit"].count, dry["hit"].held) == (3, 3)
    retaining.purge(hit.processing, pause=0)
    assert (count(hit, ALICE), count(hit, "carol@example.org")) == (3, 0)
    with hit.processing() as p:
        holding.lift(p, 1, held.id)
    retaining.purge(hit.processing, pause=0)
    assert count(hit, ALICE) == 0


def test_a_hold_ends_by_itself(hit, clock):
    hold(hit, ALICE, until=NOW + 30 * DAY)
    clock.move(500 * DAY)
    retaining.purge(hit.processing, pause=0)
    assert count(hit, ALICE) == 0


@pytest.mark.law("AC-12")
def test_a_withdrawal_erases_nothing_while_an_access_is_open(hit, clock):
    request = ask(hit, proofs=SEEN)
    world.withdraws(hit, ALICE)
    clock.move(8 * DAY)
    retaining.erase_withdrawn(hit.processing)
    assert count(hit, ALICE) == 3
    with hit.reading() as p:
        assert not [one for one in retaining.overdue(p, spooled=False) if one.what == "erasure_after_withdrawal"]
    with hit.processing() as p:
        answered = fulfilling.carry_out(p, requesting.find(p, 1, request.id), "operator")
        [part] = fulfilling.kept_answer(p, answered)
        assert len(part["held"]["hit"]) == 3
    retaining.erase_withdrawn(hit.processing)
    assert count(hit, ALICE) == 0


@pytest.mark.law("VF-02")
def test_an_unproved_request_keeps_nothing_longer_than_two_weeks(hit, clock):
    ask(hit)
    world.withdraws(hit, ALICE)
    clock.move(13 * DAY)
    retaining.erase_withdrawn(hit.processing)
    assert count(hit, ALICE) == 3
    clock.move(1 * DAY)
    retaining.erase_withdrawn(hit.processing)
    assert count(hit, ALICE) == 0


@pytest.mark.law("DL-09")
def test_what_is_restricted_is_kept_until_it_no_longer_is(hit, clock):
    for restricted, left in ((True, 3), (False, 0)):
        with hit.processing() as p:
            consenting.mark(p, 1, knowing.find(p, 1, ALICE), world.OPERATOR, restricted=restricted)
        clock.move(500 * DAY)
        retaining.purge(hit.processing, pause=0)
        assert count(hit, ALICE) == left


@pytest.mark.law("DL-02")
def test_a_dispute_stops_an_erasure_until_somebody_decides(hit):
    hold(hit, ALICE)
    request = ask(hit, Right.ERASURE, proofs=SEEN)
    with hit.processing() as p, pytest.raises(InputRefused, match="a legal hold stands"):
        fulfilling.carry_out(p, requesting.find(p, 1, request.id), "operator")
    assert count(hit, ALICE) == 3


def test_what_is_no_hold_is_refused(hit, clock):
    with hit.processing() as p:
        subject = knowing.find(p, 1, BOB)
        with pytest.raises(InputRefused, match="reason"):
            holding.begin(p, 1, subject, Kind.LEGAL, " ")
        with pytest.raises(InputRefused, match="until"):
            holding.begin(p, 1, subject, Kind.LEGAL, "x", until=NOW)
        with pytest.raises(InputRefused, match="no such hold stands"):
            holding.lift(p, 1, 7)
