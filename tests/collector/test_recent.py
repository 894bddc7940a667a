"""What a collector remembers for a moment is bounded; what it counts survives a database that is down."""

from datetime import date

import pytest
from collector_stage import ACME, DAY, NOW

from consent_track.collector.declines import DeclineCounter
from consent_track.collector.recent import Bursts, Replays, Signalled
from consent_track.domain.engagement import BURST_SECONDS


class TestBounds:
    def test_replays_forget_when_full_and_so_one_token_is_still_bounded(self):
        replays = Replays(most=10)
        counted = sum(replays.first("alice", NOW) for _ in range(1_000))
        assert counted == 1
        for other in range(25):
            replays.first(f"other-{other}", NOW)
            counted += replays.first("alice", NOW)
            assert len(replays._seen) <= 10
        assert 2 <= counted <= 1 + 50 // 9

    def test_bursts_forget_when_full(self):
        bursts = Bursts(most=10)
        for message in range(1_000):
            bursts.links(message, 1, NOW)
            assert len(bursts._recent) + len(bursts._earlier) <= 20
        assert bursts.links(999, 2, NOW) == 2

    def test_bursts_keep_no_mail_in_mind_longer_than_they_have_to(self):
        bursts = Bursts()
        for second in range(40):
            bursts.links(second, 1, NOW + second)
        assert min(*bursts._recent, *bursts._earlier) >= 40 - 2 * BURST_SECONDS

    def test_a_burst_is_seen_wherever_it_falls(self):
        for start in range(12):
            bursts = Bursts()
            bursts.links(1, 1, NOW)
            found = [bursts.links(2, link, NOW + start + link) for link in range(1, 5)]
            assert found == [1, 2, 3, 4]

    def test_queued_signals_forget_when_full_which_only_queues_one_again(self):
        signalled = Signalled(most=10)
        for person in range(25):
            signalled.add((ACME, person))
            assert (ACME, person) in signalled
            assert len(signalled._people) <= 10


class TestDeclineCounter:
    def test_what_could_not_be_handed_over_is_kept_and_handed_over_once(self):
        database = {"down": True}
        handed: list = []

        def flush(day, counts):
            if database["down"]:
                raise ConnectionError
            handed.append((day, dict(counts)))

        counter = DeclineCounter(flush)
        counter.add(ACME, "withdrawn", NOW)
        with pytest.raises(ConnectionError):
            counter.flush_past(NOW + DAY)
        counter.add(ACME, "withdrawn", NOW)
        database["down"] = False
        counter.flush_past(NOW + DAY)
        counter.flush_past(NOW + DAY)
        assert handed == [(date(2026, 11, 23), {(ACME, "withdrawn"): 2})]

    def test_controllers_and_days_are_kept_apart(self):
        handed: list = []
        counter = DeclineCounter(lambda day, counts: handed.append((day, dict(counts))))
        counter.add(1, "signal", NOW)
        counter.add(2, "signal", NOW)
        counter.add(1, "signal", NOW + DAY)
        counter.flush_all()
        assert handed == [
            (date(2026, 11, 23), {(1, "signal"): 1, (2, "signal"): 1}),
            (date(2026, 11, 24), {(1, "signal"): 1}),
        ]
