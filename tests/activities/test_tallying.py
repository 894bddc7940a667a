"""The yearly numbers, from a year of requests that is small enough to count by hand."""

from datetime import UTC, date, datetime

import pytest

from consent_track.activities import fulfilling, requesting, tallying
from consent_track.activities.requesting import Opening
from consent_track.domain.rights import Channel, Ground, Proof, Refusal, Right, Step
from tests.world import ALICE, BOB, CHARLIE, DAY

SEEN = frozenset({Proof.KNOWN_IN_PERSON})


def opened(p, right, who, received, **more):
    return requesting.open_(p, 1, Opening(right, who, Channel.LETTER, received, ("FR",), "en", proofs=SEEN, **more))


@pytest.mark.law("RE-06")
def test_a_year_is_counted(acme, clock):
    clock.at = datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()
    for who, after in ((ALICE, 2), (BOB, 4), (CHARLIE, 9)):
        with acme.processing() as p:
            request = opened(p, Right.ACCESS, who, p.now)
        clock.move(after * DAY)
        with acme.processing() as p:
            found = requesting.find(p, 1, request.id)
            if who == CHARLIE:
                requesting.refuse(p, found, Refusal(Ground.EXCESSIVE, "Again.", "file 3"), "operator")
            else:
                fulfilling.carry_out(p, found, "operator")
    with acme.processing() as p:
        opened(p, Right.COMPLAINT, ALICE, p.now - 90 * DAY)
        requesting.note(p, opened(p, Right.ACCESS, ALICE, p.now), Step.REVOKED, "subject")
    with acme.reading() as p:
        found = {one.asked: one for one in tallying.tally(p, 1, date(2026, 1, 1), date(2027, 1, 1))}
        other = tallying.tally(p, 1, date(2025, 1, 1), date(2026, 1, 1))
    access = found[Right.ACCESS]
    assert (access.received, access.complied, access.denied, access.revoked, access.open) == (4, 2, 1, 1, 0)
    assert (access.median_days, access.mean_days) == (4, 5)
    assert access.by_ground == {"excessive": 1}
    assert (found[Right.COMPLAINT].open, found[Right.COMPLAINT].late) == (1, 1)
    assert found[Right.COMPLAINT].median_days is None
    assert all(one.received == 0 for one in other)


@pytest.mark.law("RE-06")
def test_a_year_begins_at_midnight_where_the_controller_is(acme, clock):
    clock.at = datetime(2027, 1, 1, 12, tzinfo=UTC).timestamp()
    with acme.processing() as p:
        opened(p, Right.ACCESS, ALICE, int(datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp()))
    with acme.reading() as p:
        of = {year: tallying.tally(p, 1, date(year, 1, 1), date(year + 1, 1, 1))[0].received for year in (2026, 2027)}
    assert of == {2026: 1, 2027: 0}
