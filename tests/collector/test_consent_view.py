"""The local view of people's choices: what it shows, when it must not be trusted, how it heals."""

import os
import threading

import pytest
from collector_stage import ACME, ALICE, BOB, CHARLIE, NOW, OTHER, PEOPLE, Choices

from consent_track.collector.consent_view import MAX_AGE, ConsentView
from consent_track.domain.consent import UNKNOWN_PERSON


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def choices():
    return Choices({ALICE: PEOPLE[ALICE], BOB: PEOPLE[BOB]})


@pytest.fixture
def view(choices, clock):
    return ConsentView(choices.read_all, choices.read_changes, clock)


def test_before_the_first_reading_nobody_is_known_about(view):
    assert view.state(ACME, ALICE) is None
    assert view.age() is None


def test_it_shows_everybody_and_whoever_is_absent_is_the_unknown_person(view):
    view.poll_once()
    assert view.state(ACME, ALICE) == PEOPLE[ALICE]
    assert view.state(ACME, CHARLIE) is UNKNOWN_PERSON
    assert view.state(OTHER, BOB) is UNKNOWN_PERSON  # another controller's people are other people
    assert view.state(77, ALICE) is UNKNOWN_PERSON


def test_changes_arrive_one_by_one_without_reading_everything_again(view, choices):
    view.poll_once()
    choices.change(ALICE, PEOPLE[BOB])
    choices.change(CHARLIE, PEOPLE[ALICE])
    choices.change(BOB, None)
    assert view.state(ACME, ALICE) == PEOPLE[ALICE]
    assert view.poll_once() is True
    assert [view.state(ACME, who) for who in (ALICE, BOB, CHARLIE)] == [PEOPLE[BOB], UNKNOWN_PERSON, PEOPLE[ALICE]]
    assert view.poll_once() is False
    assert choices.whole_readings == 1


def test_controllers_count_for_themselves(view, choices):
    view.poll_once()
    choices.change(ALICE, PEOPLE[BOB], OTHER)
    choices.change(ALICE, PEOPLE[BOB], ACME)
    choices.change(CHARLIE, PEOPLE[BOB], OTHER)
    view.poll_once()
    assert view.state(OTHER, CHARLIE) == view.state(ACME, ALICE) == PEOPLE[BOB]
    assert choices.whole_readings == 1


def test_a_gap_means_something_was_missed_and_everything_is_read_again(view, choices):
    view.poll_once()
    choices.change(ALICE, PEOPLE[BOB])
    missed = choices.ledger.pop()
    choices.ledger.append((ACME, missed[1] + 1, CHARLIE, PEOPLE[ALICE]))
    view.poll_once()
    assert choices.whole_readings == 2
    assert view.state(ACME, ALICE) == PEOPLE[BOB]


def test_changes_out_of_order_or_twice_do_no_harm(choices, clock):
    for who in (ALICE, BOB, CHARLIE):
        choices.change(who, PEOPLE[BOB])
    view = ConsentView(lambda: ({}, []), lambda _: [*reversed(choices.ledger), *choices.ledger], clock)
    view.poll_once()
    view.poll_once()
    assert view.size() == 3
    view.poll_once()
    assert view.size() == 3


def test_it_is_trusted_for_five_minutes_without_the_database_and_no_longer(view, choices, clock):
    view.poll_once()
    choices.down = True
    clock.now += MAX_AGE
    with pytest.raises(ConnectionError):
        view.poll_once()
    assert view.state(ACME, ALICE) == PEOPLE[ALICE]
    clock.now += 1
    assert view.state(ACME, ALICE) is None
    assert view.state(ACME, CHARLIE) is None  # not even "unknown": nothing is known
    assert view.age() == MAX_AGE + 1

    choices.down = False
    choices.change(ALICE, PEOPLE[BOB])
    view.poll_once()
    assert view.state(ACME, ALICE) == PEOPLE[BOB]


def test_a_clock_set_back_does_not_make_an_old_view_fresh(view, clock):
    view.poll_once()
    clock.now -= 3_600
    assert view.state(ACME, ALICE) is None


def test_the_age_counts_from_before_the_reading(choices, clock):
    def slow():
        clock.now += 200
        return choices.read_all()

    view = ConsentView(slow, choices.read_changes, clock)
    view.poll_once()
    assert view.age() == 200


def test_a_failed_first_reading_leaves_it_untrusted(view, choices):
    choices.down = True
    with pytest.raises(ConnectionError):
        view.poll_once()
    assert view.state(ACME, ALICE) is None


class TestThread:
    def test_it_follows_the_database_survives_its_failures_and_logs_no_row(self, choices, clock, caplog):
        polled = [threading.Event() for _ in range(3)]
        turns = iter([False, True, True, False])
        position = iter(range(3))

        def read_all():
            choices.down = next(turns, False)
            try:
                return choices.read_all()
            finally:
                event = next(position, None)
                if event is not None:
                    polled[event].set()

        view = ConsentView(read_all, choices.read_changes, clock)
        view._read_changes = lambda positions: [(ACME, 99, ALICE, None)]  # a gap each time: reads everything again
        before = [thread.name for thread in threading.enumerate()].count("consent-view")
        view.start()
        view.start()
        try:
            assert all(event.wait(10) for event in polled)
            assert [thread.name for thread in threading.enumerate()].count("consent-view") == before + 1
        finally:
            view.stop()
        assert view.state(ACME, ALICE) == PEOPLE[ALICE]
        assert {record.getMessage() for record in caplog.records} <= {"consent-view: ConnectionError"}
        assert len(caplog.records) == 1  # when a failure begins, not ten times a second

    def test_a_forked_process_starts_its_own(self, choices, clock):
        view = ConsentView(choices.read_all, choices.read_changes, clock)
        view.start()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            view.start()
            running = [thread.name for thread in threading.enumerate()]
            os.write(writing, b"1" if running.count("consent-view") == 1 else b"0")
            os._exit(0)
        view.stop()
        os.waitpid(child, 0)
        assert os.read(reading, 1) == b"1"
        os.close(reading)
        os.close(writing)
