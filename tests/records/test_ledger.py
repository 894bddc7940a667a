"""The ledger: no gap, no change, no deletion, and everything that happens can be followed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from consent_track.crypto import evidence
from consent_track.records import consent, ledger
from consent_track.records.database import Database, read, write
from tests.records.stage import ACME, ALICE, BOB, CLICKS, NOW, OTHER, given, link, withdrawn

WRITERS, EVENTS = 8, 50


def test_a_chain_begins_where_the_evidence_says_it_begins():
    assert ledger.BEGINNING == evidence.GENESIS


def test_each_entry_follows_the_one_before_it_and_controllers_have_chains_of_their_own(database: Database):
    seen = []

    def watched(sequence: int, previous: bytes) -> ledger.Appended:
        seen.append((sequence, previous))
        return link(sequence, previous)

    with write(database.engine) as session:
        for controller in (ACME, ACME, OTHER):
            ledger.append(session, controller, ALICE, NOW, watched)
        assert ledger.head(session, OTHER) == (1, link(1, ledger.BEGINNING).hash)
        assert ledger.head(session, 3) == (0, ledger.BEGINNING)

    first = link(1, ledger.BEGINNING).hash
    assert seen == [(1, ledger.BEGINNING), (2, first), (1, ledger.BEGINNING)]


def test_entries_come_back_as_they_were_appended(database: Database):
    with write(database.engine) as session:
        for number in range(5):
            ledger.append(session, ACME, ALICE + number, NOW + number, link)
        page = ledger.entries(session, ACME, 2, 2)
    assert [(entry.sequence, entry.subject, entry.recorded_at) for entry in page] == [
        (3, ALICE + 2, NOW + 2),
        (4, ALICE + 3, NOW + 3),
    ]
    assert (page[0].sealed, page[0].proof, page[0].proof_tag, page[0].signature) == (
        b"sealed",
        b"proof",
        b"tag",
        b"signature",
    )


def test_many_writers_leave_no_gap_and_one_chain(database: Database):
    start = Barrier(WRITERS)

    def choose(writer: int) -> list[int]:
        start.wait()
        mine = []
        for _ in range(EVENTS):
            with write(database.engine, wait_ms=60_000) as session:
                mine.append(ledger.append(session, ACME, writer, NOW, link))
        return mine

    with ThreadPoolExecutor(WRITERS) as threads:
        taken = list(threads.map(choose, range(1, WRITERS + 1)))

    assert sorted(number for mine in taken for number in mine) == list(range(1, WRITERS * EVENTS + 1))
    with read(database.engine) as session:
        entries = ledger.entries(session, ACME, 0, 1_000)
    previous = ledger.BEGINNING
    for entry in entries:
        assert entry.hash == link(entry.sequence, previous).hash
        previous = entry.hash


def test_an_entry_that_was_not_committed_takes_no_number(database: Database):
    with suppress(InterruptedError), write(database.engine) as session:
        ledger.append(session, ACME, ALICE, NOW, link)
        raise InterruptedError
    with write(database.engine) as session:
        assert ledger.append(session, ACME, ALICE, NOW, link) == 1


CHANGES = """
UPDATE consent_event SET sealed = signature
UPDATE consent_event SET recorded_at = 0 WHERE sequence = 1
DELETE FROM consent_event
DELETE FROM consent_event WHERE subject = 7000000000000000001
TRUNCATE consent_event
REPLACE INTO consent_event VALUES (1, 1, 7, 7, '', '', '', '', '')
"""
ONLY = {"TRUNCATE": "postgresql", "REPLACE": "sqlite"}


@pytest.mark.parametrize("change", CHANGES.strip().splitlines())
def test_the_ledger_cannot_be_changed_not_even_by_hand(database: Database, change: str):
    if ONLY.get(change.split()[0], database.dialect) != database.dialect:
        pytest.skip("this statement does not exist here")
    with write(database.engine) as session:
        ledger.append(session, ACME, ALICE, NOW, link)
        before = ledger.entries(session, ACME, 0, 10)

    with pytest.raises(IntegrityError, match="append-only"), write(database.engine) as session:
        session.connection().execute(text(change))
    with read(database.engine) as session:
        assert ledger.entries(session, ACME, 0, 10) == before


def test_whoever_follows_the_ledger_learns_each_state_once_it_is_committed(database: Database):
    with write(database.engine) as session:
        consent.save_state(session, ACME, ALICE, given())
        ledger.append(session, ACME, ALICE, NOW, link)
    with write(database.engine) as session:
        ledger.append(session, ACME, BOB, NOW, link)
        ledger.append(session, OTHER, BOB, NOW, link)
        consent.save_state(session, OTHER, BOB, given(CLICKS))  # the same number, another controller's Bob

    with read(database.engine) as session:
        positions, states = ledger.all_states(session)
        assert positions == {ACME: 2, OTHER: 1}
        assert sorted(states, key=lambda one: one[:2]) == [(ACME, ALICE, given()), (OTHER, BOB, given(CLICKS))]
        assert ledger.changes_since(session, ACME, 0, 10) == [(1, ALICE, given()), (2, BOB, None)]
        assert ledger.changes_since(session, ACME, 0, 1) == [(1, ALICE, given())]
        assert ledger.changes_since(session, ACME, 2, 10) == []

    with write(database.engine) as session:
        consent.save_state(session, ACME, ALICE, withdrawn())
        ledger.append(session, ACME, ALICE, NOW, link)
    with read(database.engine) as session:
        assert ledger.changes_since(session, ACME, 2, 10) == [(3, ALICE, withdrawn())]
