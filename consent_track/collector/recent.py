"""What this process remembers for a moment so that one token cannot fill the spool and a scanner can be told apart.

All of it is bounded, in memory only, and about hits that were allowed; a process that restarts has forgotten it.
"""

from typing import Final

from consent_track.domain.engagement import BURST_SECONDS

MOST_TOKENS: Final = 1 << 18
MOST_MESSAGES: Final = 1 << 12
MOST_PEOPLE: Final = 1 << 16
MINUTE: Final = 60


class Replays:
    """One hit for a token and minute (T5). Holds 64-bit digests, keyed anew in every process, not tokens.

    When full it forgets everything: then one token may count once for each time that happens, which bounds it still.
    """

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self._most = most
        self._minute = -1
        self._seen: set[int] = set()

    def first(self, token: str, now: int) -> bool:
        """Whether this is the token's first hit in this minute; it is remembered as such."""
        minute = now // MINUTE
        if minute != self._minute or len(self._seen) >= self._most:
            self._minute, self._seen = minute, set()
        digest = hash(token)
        if digest in self._seen:
            return False
        self._seen.add(digest)
        return True

    def forget(self, token: str) -> None:
        """The hit could not be written down after all; the next one may be."""
        self._seen.discard(hash(token))


class Bursts:
    """How many different links of one mail were followed within seconds (AH-13)."""

    def __init__(self, most: int = MOST_MESSAGES) -> None:
        self._most = most
        self._since = 0
        self._recent: dict[int, dict[int, int]] = {}
        self._earlier: dict[int, dict[int, int]] = {}

    def links(self, message: int, link: int, now: int) -> int:
        """The number of different links of this mail in the last `BURST_SECONDS`, this one included."""
        if now - self._since >= BURST_SECONDS or len(self._recent) >= self._most:
            self._earlier, self._recent, self._since = self._recent, {}, now
        known = self._recent.get(message) or self._earlier.get(message, {})
        lately = {other: at for other, at in known.items() if now - at < BURST_SECONDS}
        lately[link] = now
        self._recent[message] = lately
        return len(lately)


class Signalled:
    """Whose opt-out this process has already queued: one for each person is enough (decision 8)."""

    def __init__(self, most: int = MOST_PEOPLE) -> None:
        self._most = most
        self._people: set[tuple[int, int]] = set()

    def __contains__(self, person: tuple[int, int]) -> bool:
        return person in self._people

    def add(self, person: tuple[int, int]) -> None:
        if len(self._people) >= self._most:
            self._people = set()
        self._people.add(person)
