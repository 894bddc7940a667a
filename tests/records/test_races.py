"""A withdrawal and a drain at the same moment: what was acknowledged holds (CNIL 2026-042; GDPR Art. 7(3))."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from consent_track.records import consent, datamap, hits, ledger
from consent_track.records.database import Database, read, write
from tests.records.races import PATIENCE, crossing, drain_under_the_lock, side_by_side
from tests.records.stage import ACME, NOW, OPENS, given, hit, link, withdrawn

PEOPLE = range(1, 21)


@pytest.mark.law("WD-04")
def test_no_hit_is_stored_after_an_acknowledged_withdrawal(database: Database):
    races = list(side_by_side(database, drain_under_the_lock, 200))
    assert [race for race in races if race.lost] == []


@pytest.mark.law("WD-04")
def test_not_even_when_the_withdrawal_comes_between_check_and_insert(database: Database):
    races = list(crossing(database, drain_under_the_lock, 3))
    assert [race for race in races if race.lost] == []


@pytest.mark.law("WD-04")
def test_after_the_withdrawal_the_drain_finds_a_no(database: Database):
    with write(database.engine) as session:
        consent.save_state(session, ACME, 1, withdrawn())
    drain_under_the_lock(database, hit(1), lambda: None)
    with read(database.engine) as session:
        assert hits.count(session) == 0


def test_an_erased_person_is_absent_for_a_drain_that_waited(database: Database):
    """The drain waits for the erasure's lock and then finds nobody, so the hit is dropped."""
    with write(database.engine) as session:
        consent.save_state(session, ACME, 1, given())
    started = Barrier(2)

    def drain() -> bool:
        started.wait()
        with write(database.engine, wait_ms=PATIENCE) as session:
            return bool(consent.share_states(session, [(ACME, 1)]))

    with ThreadPoolExecutor(1) as threads:
        with write(database.engine) as session:
            consent.lock_state(session, ACME, 1)
            draining = threads.submit(drain)
            started.wait()
            datamap.erase(session, ACME, 1)
        assert draining.result() is False


def test_drains_withdrawals_and_erasures_all_end(database: Database):
    """Nobody waits for somebody who waits for them: state rows in the order of their keys, then the chain head."""
    with write(database.engine) as session:
        for person in PEOPLE:
            consent.save_state(session, ACME, person, given())

    def drain(turn: int) -> None:
        with write(database.engine, wait_ms=PATIENCE) as session:
            backwards = [(ACME, person) for person in reversed(PEOPLE)]
            states = consent.share_states(session, backwards)
            kept = [person for (_, person), state in states.items() if state.choices[OPENS].granting]
            hits.insert_many(session, [hit(person, turn * 100 + person) for person in kept])

    def withdraw(turn: int) -> None:
        for person in list(PEOPLE)[turn::3]:
            with write(database.engine, wait_ms=PATIENCE) as session:
                consent.lock_state(session, ACME, person)
                ledger.append(session, ACME, person, NOW, link)
                consent.save_state(session, ACME, person, withdrawn())
                consent.set_erase_due(session, ACME, person, NOW, OPENS.bit)

    def erase(turn: int) -> None:
        with write(database.engine, wait_ms=PATIENCE) as session:
            for due in consent.due_erasures(session, NOW, 100, lock=True):
                datamap.erase_measurements(session, due.controller, due.subject, due.purposes)
                consent.set_erase_due(session, due.controller, due.subject, None, 0)

    with ThreadPoolExecutor(3) as threads:
        work = [threads.submit(step, turn) for turn in range(6) for step in (drain, withdraw, erase)]
        for one in work:
            one.result()
    erase(0)

    with read(database.engine) as session:
        assert ledger.head(session, ACME)[0] == 7 + 7 + 6 + 6 + 6 + 5  # every third person, from each of six starts
        assert hits.count(session) == 0
