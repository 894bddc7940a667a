"""The oracle of the race between a withdrawal and a drain: no hit may be stored after the acknowledgement.

"Stored" is counted in the database: the rows there when the withdrawal is acknowledged are the rows there when the
drain is done. The tests put the real drain's order of steps before it, and the planted defects their own.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from threading import Barrier, Event

from consent_track.records import consent, hits, ledger
from consent_track.records.database import Database, read, write
from tests.records.stage import ACME, NOW, OPENS, given, hit, link, withdrawn

PATIENCE = 20_000  # milliseconds; nobody is turned away here
LONGEST_MEETING = 0.3  # seconds a drain stands between its check and its insert, unless the withdrawal is done before

Between = Callable[[], None]
Drain = Callable[[Database, hits.NewHit, Between], None]


@dataclass(frozen=True, slots=True)
class Race:
    """How many hits of the person were stored at the acknowledgement, and how many in the end."""

    at_acknowledgement: int
    in_the_end: int

    @property
    def lost(self) -> bool:
        return self.in_the_end > self.at_acknowledgement


def drain_under_the_lock(database: Database, new: hits.NewHit, between: Between) -> None:
    """What the drain does: share the state, decide, store, all in one transaction."""
    with write(database.engine, wait_ms=PATIENCE) as session:
        state = consent.share_states(session, [(ACME, new.subject)])[ACME, new.subject]
        between()
        if state.choices[OPENS].granting:
            hits.insert_many(session, [new])


def side_by_side(database: Database, drain: Drain, races: int) -> Iterator[Race]:
    """Both start together and find their own order; the drain judges a batch, which takes now less, now more."""
    dice = Random(20_26)
    for number in range(1, races + 1):
        together, others = Barrier(2), range(dice.randrange(8))

        def between(others: range = others) -> None:
            for other in others:
                with read(database.engine) as session:
                    hits.count(session, ACME, other)

        yield _race(database, drain, number, together.wait, between, together.wait)


def crossing(database: Database, drain: Drain, races: int) -> Iterator[Race]:
    """The worst order: the withdrawal comes when the drain has checked and not yet stored."""
    for number in range(1, races + 1):
        checked, acknowledged = Event(), Event()

        def between(checked: Event = checked, acknowledged: Event = acknowledged) -> None:
            checked.set()
            acknowledged.wait(LONGEST_MEETING)

        yield _race(database, drain, 1_000_000 + number, lambda: None, between, checked.wait, acknowledged.set)


def _race(
    database: Database,
    drain: Drain,
    person: int,
    before_drain: Callable[[], object],
    between: Between,
    before_withdrawal: Callable[[], object],
    after_withdrawal: Callable[[], object] = lambda: None,
) -> Race:
    with write(database.engine, wait_ms=PATIENCE) as session:
        consent.save_state(session, ACME, person, given())

    def drains() -> None:
        before_drain()
        drain(database, hit(person, offset=person), between)

    def withdraws() -> int:
        before_withdrawal()
        with write(database.engine, wait_ms=PATIENCE) as session:
            consent.lock_state(session, ACME, person)
            ledger.append(session, ACME, person, NOW, link)
            consent.save_state(session, ACME, person, withdrawn())
        with read(database.engine) as session:
            stored = hits.count(session, ACME, person)
        after_withdrawal()
        return stored

    with ThreadPoolExecutor(2) as threads:
        draining, withdrawing = threads.submit(drains), threads.submit(withdraws)
        draining.result()
        at_acknowledgement = withdrawing.result()
    with read(database.engine) as session:
        return Race(at_acknowledgement, hits.count(session, ACME, person))
