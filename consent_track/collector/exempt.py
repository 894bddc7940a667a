"""What an exempt mode keeps of an open: the day, or one more in a count. In memory, handed over in batches.

No frame, no time, no network pseudonym, no user agent, no verdict: nothing of a request but that it came (AH-07, AH-08,
IP-04). A process that dies loses what it had not handed over, and that is how it should be (decision 13).
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from consent_track.domain.consent import ConsentState
from consent_track.domain.decision import THE_SUBJECT, Decision, Message, Minimal, decide
from consent_track.domain.exempt import FEWEST_SHOWN, Opened
from consent_track.domain.observation import TokenFacts
from consent_track.domain.policy import Policy
from consent_track.domain.vocabulary import Purpose

# (controller, subject) -> the last open; (controller, campaign) -> how many more opens.
KeepExempt = Callable[[Mapping[tuple[int, int], Opened], Mapping[tuple[int, int], int]], None]

# A batch an hour at most tells nobody's hour of reading from the time a row was written. Seconds.
FLUSH_EVERY: Final = 3_600
MOST_PEOPLE: Final = 1 << 16


class ExemptModes:
    """Days and counts of one process, until they are handed over to `keep`."""

    def __init__(self, keep: KeepExempt, time_zones: Mapping[int, str]) -> None:
        self._keep = keep
        self._time_zones = time_zones
        self._lock = threading.Lock()
        self._days: dict[tuple[int, int], Opened] = {}
        self._counts: Counter[tuple[int, int]] = Counter()
        self._flushed_at: int | None = None

    def take(
        self, mode: Purpose, facts: TokenFacts, message: Message, state: ConsentState | None, policy: Policy, at: int
    ) -> Decision:
        """Decide on one open, and keep of it what may be kept; `message` is what the token says of the mail."""
        decision = decide(THE_SUBJECT, message, mode, state, policy, at)
        if isinstance(decision, Minimal) and message.mail_type is not None:
            with self._lock:
                if mode is Purpose.AGGREGATE_COUNT:
                    self._counts[facts.controller, facts.message] += 1
                else:
                    zone = ZoneInfo(self._time_zones.get(facts.controller, "UTC"))
                    day = datetime.fromtimestamp(at, zone).date()
                    self._days[facts.controller, facts.subject] = Opened(day, message.mail_type, message.jurisdiction)
        return decision

    def flush_due(self, now: int) -> None:
        """Hand over what there is once an hour, or when it is a lot. Whatever `keep` raises, it is tried again."""
        if self._flushed_at is None:
            self._flushed_at = now
        if now - self._flushed_at >= FLUSH_EVERY or len(self._days) >= MOST_PEOPLE:
            self.flush()
            self._flushed_at = now

    def flush(self) -> None:
        """Hand over the days, and the counts that are large enough to be nobody's (a minimum batch; AH-08)."""
        with self._lock:
            days, self._days = self._days, {}
            counts = {campaign: count for campaign, count in self._counts.items() if count >= FEWEST_SHOWN}
            for campaign in counts:
                del self._counts[campaign]
        if not days and not counts:
            return
        try:
            self._keep(days, counts)
        except Exception:
            with self._lock:
                self._days = {**days, **self._days}
                self._counts.update(counts)
            raise
