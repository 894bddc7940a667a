"""Where choices stand: what is written comes back, and two at once never lose one of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import text
from sqlmodel import Session

from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.errors import StorageUnavailable
from consent_track.domain.vocabulary import Grade, Purpose, Status
from consent_track.records import consent
from consent_track.records.database import Database, read, write
from tests.records import stage
from tests.records.stage import ACME, ALICE, BOB, CHARLIE, CLICKS, NOW, OPENS, OTHER

instants = some.integers(0, 2**40)
days = some.dates(date(1970, 1, 1), date(2200, 1, 1))
choices = some.builds(
    Choice,
    status=some.sampled_from(Status),
    since=instants,
    grade=some.sampled_from(Grade),
    expires_at=some.none() | instants,
    sequence=instants,
)
states = some.builds(
    ConsentState,
    choices=some.dictionaries(some.sampled_from(Purpose), choices),
    objected_at=some.none() | instants,
    restricted=some.booleans(),
    minor=some.booleans(),
    mail_ended_at=some.none() | instants,
    signal_on=some.none() | days,
    signal_waived_at=some.none() | instants,
    address_collected_on=some.none() | days,
    legacy_notice_on=some.none() | days,
    sequence=instants,
    known=some.just(True),
)


@given(states, states)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_state_comes_back_as_it_was_written(database: Database, first: ConsentState, second: ConsentState):
    for state in (first, second):
        with write(database.engine) as session:
            consent.save_state(session, ACME, ALICE, state)
        with write(database.engine) as session:
            assert consent.find_state(session, ACME, ALICE) == state
            assert consent.lock_state(session, ACME, ALICE) == state
            assert consent.share_states(session, [(ACME, ALICE), (ACME, BOB)]) == {(ACME, ALICE): state}


def test_whoever_was_never_here_has_no_state_and_gets_none(database: Database):
    with write(database.engine) as session:
        assert consent.lock_state(session, ACME, CHARLIE) is None
    with read(database.engine) as session:
        assert consent.find_state(session, ACME, CHARLIE) is None


def test_the_same_number_at_two_controllers_is_two_people(database: Database):
    with write(database.engine) as session:
        consent.save_state(session, ACME, ALICE, stage.given())
        consent.save_state(session, OTHER, ALICE, stage.withdrawn())
        found = consent.share_states(session, [(OTHER, ALICE), (ACME, ALICE)])
    assert found == {(ACME, ALICE): stage.given(), (OTHER, ALICE): stage.withdrawn()}


def test_two_first_choices_at_the_same_time_are_both_kept(database: Database):
    """Alice allows opens in one window and clicks in another, and nobody knew her before."""
    for number in range(1, 21):
        start = Barrier(2)

        def choose(purpose: Purpose, alice: int = number, start: Barrier = start) -> None:
            start.wait()
            with write(database.engine, wait_ms=20_000) as session:
                state = consent.lock_state(session, ACME, alice) or ConsentState()
                chosen = {**state.choices, purpose: Choice(Status.GIVEN, NOW)}
                consent.save_state(session, ACME, alice, replace(state, choices=chosen))

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(choose, (OPENS, CLICKS)))
        with read(database.engine) as session:
            state = consent.find_state(session, ACME, number)
        assert state is not None
        assert set(state.choices) == {OPENS, CLICKS}


@pytest.mark.postgresql
def test_one_persons_lock_does_not_hold_up_another(postgresql_urls, opened):
    database = opened(postgresql_urls)
    with write(database.engine) as session:
        consent.save_state(session, ACME, ALICE, stage.given())
        consent.save_state(session, ACME, BOB, stage.given())

    with write(database.engine) as first, write(database.engine) as second:
        consent.share_states(first, [(ACME, ALICE)])
        assert consent.share_states(second, [(ACME, ALICE)]), "two drains read the same person side by side"
        assert consent.lock_state(second, ACME, BOB) is not None
        with pytest.raises(StorageUnavailable), write(database.engine, wait_ms=20) as third:
            consent.lock_state(third, ACME, ALICE)


def test_erasure_after_withdrawal_is_noted_found_when_due_and_taken_back(database: Database):
    with write(database.engine) as session:
        for subject in (BOB, ALICE):
            consent.save_state(session, ACME, subject, stage.withdrawn())
            consent.set_erase_due(session, ACME, subject, NOW + 7, OPENS.bit)
        assert consent.erase_due(session, ACME, ALICE) == (NOW + 7, OPENS.bit)
        assert consent.erase_due(session, ACME, CHARLIE) == (None, 0)

        assert consent.due_erasures(session, NOW + 6, 10) == []
        due = [consent.DueErasure(ACME, ALICE, OPENS.bit), consent.DueErasure(ACME, BOB, OPENS.bit)]
        assert consent.due_erasures(session, NOW + 7, 10, lock=True) == due, "in the order in which the drain locks"
        assert consent.due_erasures(session, NOW + 7, 1) == due[:1]

        consent.save_state(session, ACME, ALICE, stage.given())
        assert consent.erase_due(session, ACME, ALICE) == (NOW + 7, OPENS.bit), "a new state does not cancel it"
        consent.set_erase_due(session, ACME, ALICE, None, 0)
        assert consent.due_erasures(session, NOW + 7, 10) == due[1:]


@pytest.mark.postgresql
def test_whoever_comes_back_while_the_erasure_waits_is_not_erased(postgresql_urls, opened):
    database = opened(postgresql_urls)
    with write(database.engine) as session:
        consent.save_state(session, ACME, ALICE, stage.withdrawn())
        consent.set_erase_due(session, ACME, ALICE, NOW, OPENS.bit)

    def due() -> list[consent.DueErasure]:
        with write(database.engine, wait_ms=20_000) as session:
            return consent.due_erasures(session, NOW, 10, lock=True)

    with ThreadPoolExecutor(1) as threads:
        with write(database.engine) as coming_back:
            consent.lock_state(coming_back, ACME, ALICE)
            waiting = threads.submit(due)
            while not waiting.done() and not waiting_for_a_lock(coming_back):
                pass
            consent.set_erase_due(coming_back, ACME, ALICE, None, 0)
        assert waiting.result() == []


def waiting_for_a_lock(session: Session) -> bool:
    """Whether anybody in this PostgreSQL database stands in front of a lock."""
    session.connection().execute(text("SELECT pg_stat_clear_snapshot()"))
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(session.connection().execute(text(statement)).scalar_one())
