"""The demo's installation: a temporary home, three people with a past, four mails, and whoever watches."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from consent_track import worker
from consent_track.activities import consenting, knowing, mailing
from consent_track.activities.entering import How
from consent_track.bootstrap import Runtime
from consent_track.domain.decision import DAY, Scope
from consent_track.domain.engagement import Engagement
from consent_track.domain.observation import TokenFacts, Verdict
from consent_track.domain.vocabulary import Grade, MailType, Purpose, TokenClass
from consent_track.mail.headers import Declared
from consent_track.mail.instrument import Result

from .mails import compose

OPERATOR: Final = How("command_line", Grade.OPERATOR, "operator", source="demo", jurisdiction="FR")


@dataclass(frozen=True, slots=True)
class Actor:
    """One of the three people of every story here."""

    key: str
    name: str
    address: str
    past: str  # what happened before, for the page
    mails: tuple[str, ...]


CAST: Final = (
    Actor("alice", "Alice", "alice@example.org", "said yes to opens and clicks", ("newsletter", "receipt")),
    Actor("bob", "Bob", "bob@example.org", "said yes, then withdrew after this mail was sent", ("newsletter",)),
    Actor("charlie", "Charlie", "charlie@example.org", "was never asked", ("newsletter",)),
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail in somebody's inbox."""

    key: str
    actor: Actor
    kind: str
    result: Result
    sent_at: int


@dataclass(frozen=True, slots=True)
class Event:
    """One request as the live list shows it. Only the demo has one: declined hits leave no trace (decision 12)."""

    number: int
    at: float
    who: str
    kind: str
    link: int
    recorded: bool
    reason: str
    words: str
    engagement: str


@dataclass(slots=True)
class Watch:
    """The in-memory observer that Runtime is handed for the live list, and for nothing else."""

    clock: Callable[[], float]
    names: dict[int, str] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=200))
    seen: int = 0

    def __call__(self, facts: TokenFacts, scope: Scope, verdict: Verdict | None) -> None:
        self.seen += 1
        reason, words = scope.carrier.reason, scope.carrier.reason.words
        if scope.open and verdict is None:
            words = "Already recorded within this minute."
        kind = "click" if facts.token_class is TokenClass.CLICK else "open"
        engagement = Engagement(verdict.kind).name.lower().replace("_", " ") if verdict and scope.open else ""
        self.events.appendleft(
            Event(
                self.seen, self.clock(), self.names.get(facts.subject, "somebody"), kind, facts.link,
                scope.open, reason.value, words, engagement,
            )
        )  # fmt: skip


@dataclass(slots=True)
class Stage:
    """The running installation with its mails."""

    runtime: Runtime
    site: str
    shop: str
    watch: Watch
    letters: list[Letter] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def set(self) -> None:
        """Play the days before: consents, mails, one withdrawal."""
        now = self.runtime.now()
        for actor in CAST[:2]:
            self._consents(actor, now - 3 * DAY)
        for actor in CAST:
            for kind in actor.mails:
                self._send(actor, kind, now - 2 * DAY)
        with self.runtime.processing() as p:
            bob = knowing.find(p, 1, CAST[1].address)
            assert bob is not None
            consenting.turn_off(replace(p, now=now - DAY), 1, bob, OPERATOR)

    def _consents(self, actor: Actor, at: int) -> None:
        with self.runtime.processing() as p:
            then = replace(p, now=at)
            subject = knowing.obtain(then, 1, actor.address, "en")
            consenting.grant(then, 1, subject, (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE), OPERATOR)
        self.watch.names[subject] = actor.name

    def _send(self, actor: Actor, kind: str, at: int) -> None:
        # An order mail needs no statistics, so the shop asks for none in it.
        wanted = None if kind == "newsletter" else frozenset[Purpose]()
        mail_type = MailType.REQUESTED_NEWSLETTER if kind == "newsletter" else MailType.TRANSACTIONAL
        said = Declared(mail_type, "FR", "en", "november", wanted)
        raw = compose(kind, actor.name, actor.address, self.shop, at)
        with self.runtime.processing() as p:
            prepared = mailing.prepare(replace(p, now=at), self.runtime.mail_settings(), raw, actor.address, said)
            mailing.register(p, [prepared.row])
        self.letters.append(Letter(f"{actor.key}-{kind}", actor, kind, prepared.result, at))

    def letter(self, key: str) -> Letter | None:
        return next((letter for letter in self.letters if letter.key == key), None)

    def work(self) -> None:
        """The worker of the demo: drains until the stage is left."""
        while not self._stopped.wait(0.2):
            worker.drain(self.runtime)

    def leave(self) -> None:
        self._stopped.set()


def await_true(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    """Wait until something that other threads bring about is so; False if it is not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def spool_is_empty(folder: Path) -> bool:
    return not any(path.is_file() for path in folder.rglob("*.seg"))
