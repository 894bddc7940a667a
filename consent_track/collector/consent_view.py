"""What each person chose, held in the memory of one collector process and never older than five minutes.

The view lags the database by a tenth of a second. That is allowed because the drain decides again, under the lock, in
the transaction that stores a hit; the view only keeps what nobody allowed from being written down at all.
"""

from collections.abc import Callable, Iterable
from typing import Final

from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.decision import CLOCK_MARGIN

from .pulse import Pulse

POLL_EVERY: Final = 0.1  # seconds
MAX_AGE: Final = 300  # seconds; older than this the view decides nothing and nothing is recorded (fail closed)

People = dict[int, dict[int, ConsentState]]
ReadAll = Callable[[], tuple[dict[int, int], Iterable[tuple[int, int, ConsentState]]]]
ReadChanges = Callable[[dict[int, int]], list[tuple[int, int, int, ConsentState | None]]]


class ConsentView:
    """The local consent view.

    `read_all()` gives the last sequence of every controller and all states; `read_changes(positions)` gives what came
    after, as (controller, sequence, subject, state or None). The sequence of a controller is gapless by construction
    (storage rules of the README), so a gap means that something was missed: everything is read again.
    """

    def __init__(
        self, read_all: ReadAll, read_changes: ReadChanges, clock: Callable[[], float], max_age: int = MAX_AGE
    ) -> None:
        self._read_all = read_all
        self._read_changes = read_changes
        self._clock = clock
        self._max_age = max_age
        self._people: People | None = None  # replaced as a whole, or one person at a time: readers need no lock
        self._positions: dict[int, int] = {}
        self._read_at = 0.0
        self._pulse = Pulse("consent-view", self.poll_once, POLL_EVERY)

    def start(self) -> None:
        """Begin to follow the database in this process. Cheap to call again, also after a fork."""
        self._pulse.ensure()

    def stop(self) -> None:
        self._pulse.stop()

    def state(self, controller: int, subject: int) -> ConsentState | None:
        """Where a person's choices stand; `UNKNOWN_PERSON` for whoever is absent; None if the view cannot be trusted.

        A clock that was set back makes the view look younger than it is, so an age below zero is not trusted either.
        """
        people = self._people
        if people is None or not -CLOCK_MARGIN <= self._clock() - self._read_at <= self._max_age:
            return None
        of_controller = people.get(controller)
        return UNKNOWN_PERSON if of_controller is None else of_controller.get(subject, UNKNOWN_PERSON)

    def age(self) -> float | None:
        """Seconds since the database was last read whole or in part; None before the first time."""
        return None if self._people is None else self._clock() - self._read_at

    def size(self) -> int:
        """How many people the view holds."""
        return sum(len(of_controller) for of_controller in (self._people or {}).values())

    def poll_once(self) -> bool:
        """Read what changed, or everything if that is not possible; True if more may be waiting.

        Whatever the two callables raise goes to the caller; the view keeps what it had and ages.
        """
        began = self._clock()  # before reading: what is committed meanwhile must not make the view look fresher
        if self._people is None:
            self._reload()
            self._read_at = began
            return True
        changes = self._read_changes(dict(self._positions))
        if not self._apply(self._people, sorted(changes, key=lambda change: change[:2])):
            self._reload()
        self._read_at = began
        return bool(changes)

    def _apply(self, people: People, changes: list[tuple[int, int, int, ConsentState | None]]) -> bool:
        """Take over changes in order; False at the first gap, with everything before it applied."""
        for controller, sequence, subject, state in changes:
            position = self._positions.get(controller, 0)
            if sequence <= position:
                continue
            if sequence != position + 1:
                return False
            if state is None:
                people.get(controller, {}).pop(subject, None)
            else:
                people.setdefault(controller, {})[subject] = state
            self._positions[controller] = sequence
        return True

    def _reload(self) -> None:
        positions, states = self._read_all()
        people: People = {}
        for controller, subject, state in states:
            people.setdefault(controller, {})[subject] = state
        self._people, self._positions = people, dict(positions)
