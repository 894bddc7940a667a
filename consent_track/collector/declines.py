"""How often a hit was declined, by controller, day and reason; nothing about any hit (decision 12)."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from consent_track.domain.decision import DAY

FlushDeclines = Callable[[date, Mapping[tuple[int, str], int]], None]


class DeclineCounter:
    """Counts in memory, handed over once a day is past: a count that appears at once would show a single person.

    `flush(day, counts)` takes (controller, reason) -> count; whatever it raises, the counts stay and are tried again.
    """

    def __init__(self, flush: FlushDeclines) -> None:
        self._flush = flush
        self._lock = threading.Lock()
        self._by_day: defaultdict[int, Counter[tuple[int, str]]] = defaultdict(Counter)

    def add(self, controller: int, reason: str, at: int) -> None:
        """Count one decline at an instant, in seconds."""
        with self._lock:
            self._by_day[at // DAY][controller, reason] += 1

    def flush_past(self, now: int) -> None:
        """Hand over every day that is over."""
        today = now // DAY
        for day in [day for day in self._by_day if day < today]:
            self._hand_over(day)

    def flush_all(self) -> None:
        """Hand over what there is, at the end of the process: better a part of a day than none of it."""
        for day in list(self._by_day):
            self._hand_over(day)

    def _hand_over(self, day: int) -> None:
        with self._lock:
            counts = self._by_day.pop(day, None)
        if not counts:
            return
        try:
            self._flush(datetime.fromtimestamp(day * DAY, UTC).date(), counts)
        except Exception:
            with self._lock:
                self._by_day[day].update(counts)
            raise
