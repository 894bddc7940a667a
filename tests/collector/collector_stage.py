"""The stage on which the collector's tests play: a policy, a few people, their tokens, and a collector over a folder.

Alice consented, Bob withdrew, Charlie never said; Erin was erased, Dora objected, Grace's browser sent Sec-GPC.
"""

import base64
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from consent_track.collector.app import Collector
from consent_track.collector.consent_view import ConsentView
from consent_track.collector.runtime import CollectorRuntime
from consent_track.collector.spool import SpoolWriter, list_segments
from consent_track.crypto.keyring import Key, KeyState, Usage
from consent_track.crypto.pseudonyms import network_pseudonym
from consent_track.crypto.tokens import Tokens
from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.observation import Observation, Signal, TokenFacts, TokenFlag
from consent_track.domain.policy import (
    Confidence,
    HousePolicy,
    Parameter,
    Policies,
    Policy,
    Requirement,
    Rule,
    RulePack,
    policy_hash,
)
from consent_track.domain.vocabulary import Grade, MailType, Purpose, Status, TokenClass, to_bits

NOW = 1_795_435_200  # Monday 23 November 2026, 12:00 UTC
DAY = 86_400
ACME, OTHER = 1, 2
ALICE, BOB, CHARLIE, DORA, ERIN, GRACE, WAIVED = 101, 102, 103, 104, 105, 106, 107
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
SHOP = "https://shop.example/offers?id=7&utm=a%20b#top"
HOST = "t.acme.example"
SCOPE = to_bits({Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE})

_GIVEN = {
    purpose: Choice(Status.GIVEN, NOW - 30 * DAY, Grade.MAILBOX_LOOP, sequence=1)
    for purpose in (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)
}
_WITHDRAWN = {purpose: Choice(Status.WITHDRAWN, NOW - 60) for purpose in _GIVEN}
PEOPLE = {
    ALICE: ConsentState(_GIVEN),
    BOB: ConsentState(_WITHDRAWN),
    CHARLIE: ConsentState(),
    DORA: ConsentState(_GIVEN, objected_at=NOW - DAY),
    GRACE: ConsentState(_GIVEN, signal_on=date(2026, 11, 1)),
    WAIVED: ConsentState(_GIVEN, signal_on=date(2026, 11, 1), signal_waived_at=NOW - DAY),
}


def policies(token_life_days: int = 90) -> Policies:
    """One pack that needs consent for opens and clicks, read for every jurisdiction."""

    def rule(purpose: Purpose) -> Rule:
        return Rule(
            Requirement.CONSENT, frozenset(), Requirement.CONSENT, (), Grade.MAILBOX_LOOP, "test", Confidence.HOUSE
        )

    pack = RulePack(
        id="ZZ",
        title="Test",
        status="released",
        law_version="2026-11-23",
        covers=(),
        rules={purpose: rule(purpose) for purpose in (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)},
        parameters={
            "token_life_days": Parameter(token_life_days, "test", Confidence.HOUSE),
            "signal_waiver": Parameter(1, "test", Confidence.HOUSE),
        },
        retention={},
        legacy=None,
        bundled_with_mail_consent=False,
        content={"id": "ZZ"},
    )
    house = HousePolicy(Requirement.CONSENT, {}, {}, frozenset(), "strip", "refuse", {}, {}, {})
    return Policies({"ZZ": Policy(pack, house, policy_hash(pack.content, {}))}, {}, house)


def token_key(number: int = 1, state: KeyState = KeyState.ACTIVE) -> Key:
    return Key(Usage.TOKEN, number, state, bytes(range(number, number + 32)), NOW - 400 * DAY)


TOKENS = Tokens([token_key()])
# The same key, retired: what it once issued it still recognises.
RETIRED = Tokens([token_key(1, KeyState.REDIRECT_ONLY), token_key(2)])


def facts(person: int = ALICE, token_class: TokenClass = TokenClass.OPEN, **changes: object) -> TokenFacts:
    click = {"link": 3, "destination": SHOP} if token_class is TokenClass.CLICK else {}
    plain = TokenFacts(
        token_class,
        ACME,
        person,
        message=9_000_001,
        issued_at=NOW - DAY,
        purposes=SCOPE,
        mail_type=MailType.REQUESTED_NEWSLETTER,
        jurisdiction="FR",
        policy_prefix=0xC0FFEE,
        flags=TokenFlag.NONE,
    )
    return plain._replace(**{**click, **changes})  # type: ignore[arg-type]


def pixel(person: int = ALICE, **changes: object) -> str:
    return "/o/" + TOKENS.issue(facts(person, **changes))


def link(person: int = ALICE, **changes: object) -> str:
    return "/c/" + TOKENS.issue(facts(person, TokenClass.CLICK, **changes))


def flipped(path: str, place: int = -1) -> str:
    """The same token with one bit changed somewhere: well written, and forged."""
    door, text = path[:3], path[3:]
    octets = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    octets[place] ^= 1
    return door + base64.urlsafe_b64encode(octets).decode().rstrip("=")


class Choices:
    """The two callables a view reads, over a plain ledger in memory; `down` makes them fail like a database."""

    def __init__(self, people: dict[int, ConsentState] | None = None) -> None:
        self.states = {(ACME, person): state for person, state in (PEOPLE if people is None else people).items()}
        self.states |= {(OTHER, ALICE): PEOPLE[ALICE], (3, ALICE): PEOPLE[ALICE]}
        self.ledger: list[tuple[int, int, int, ConsentState | None]] = []
        self.down = False
        self.whole_readings = 0

    def change(self, person: int, state: ConsentState | None, controller: int = ACME) -> None:
        sequence = 1 + sum(1 for entry in self.ledger if entry[0] == controller)
        self.ledger.append((controller, sequence, person, state))
        if state is None:
            self.states.pop((controller, person), None)
        else:
            self.states[controller, person] = state

    def read_all(self):
        self._reach()
        self.whole_readings += 1
        positions: dict[int, int] = {}
        for controller, sequence, _, _ in self.ledger:
            positions[controller] = max(sequence, positions.get(controller, 0))
        return positions, [(controller, person, state) for (controller, person), state in self.states.items()]

    def read_changes(self, positions):
        self._reach()
        return [entry for entry in self.ledger if entry[1] > positions.get(entry[0], 0)]

    def _reach(self) -> None:
        if self.down:
            raise ConnectionError("no database: alice@example.org could not be read")


class RecordedDayKeys:
    """The day keys as the collector is handed them, with a record of who asked."""

    def __init__(self) -> None:
        self.asked: list[date] = []

    def key(self, day: date) -> bytes:
        self.asked.append(day)
        return b"k" * 32

    def pseudonym(self, day: date, controller: int, address: str) -> bytes:
        return network_pseudonym(self.key(day), controller, address)


@dataclass(frozen=True)
class Answer:
    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def downstream(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-From", "downstream")])
    return [b"downstream " + environ["PATH_INFO"].encode("latin-1")]


@dataclass
class Stage:
    """A collector over a spool folder, with everything around it in view."""

    folder: Path
    now: int = NOW
    choices: Choices = field(default_factory=Choices)
    day_keys: RecordedDayKeys = field(default_factory=RecordedDayKeys)
    flushed: list[tuple[date, dict[tuple[int, str], int]]] = field(default_factory=list)
    observed: list[tuple] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.view = ConsentView(self.choices.read_all, self.choices.read_changes, lambda: float(self.now))
        self.view.poll_once()
        self.spool = SpoolWriter(self.folder, "node-a", min_free=0)
        self.runtime = CollectorRuntime(
            tokens=TOKENS,
            policies=policies(),
            day_keys=self.day_keys,  # type: ignore[arg-type]
            view=self.view,
            spool=self.spool,
            flush_declines=lambda day, counts: self.flushed.append((day, dict(counts))),
            clock=lambda: float(self.now),
            own_hosts=frozenset({HOST}),
            hosts={OTHER: frozenset({"t.other.example", "old.other.example"})},
            observe=lambda *seen: self.observed.append(seen),
        )
        self.collector = Collector(downstream, self.runtime)

    def rebuild(self, **changes: object) -> "Stage":
        """The same stage with another runtime."""
        self.collector.close()
        self.runtime = replace(self.runtime, **changes)  # type: ignore[arg-type]
        self.collector = Collector(downstream, self.runtime)
        return self

    def ask(self, path: str, method: str = "GET", host: str = HOST, agent: str = CHROME, **environ: str) -> Answer:
        """One request, straight through WSGI. Header fields by their WSGI names, e.g. HTTP_SEC_GPC="1"."""
        path, _, query = path.partition("?")
        told: list = []
        request = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": "198.51.100.7",
            "HTTP_HOST": host,
            "HTTP_USER_AGENT": agent,
            **environ,
        }
        body = b"".join(self.collector(request, lambda status, headers: told.append((status, tuple(headers)))))
        return Answer(*told[0], body)

    def frames(self) -> list[Observation | Signal]:
        """Everything in the spool, in order."""
        return [framed.record for segment in list_segments(self.folder) for framed in segment.read(0, 100_000)]

    def hits(self) -> list[Observation]:
        return [frame for frame in self.frames() if isinstance(frame, Observation)]

    def signals(self) -> list[Signal]:
        return [frame for frame in self.frames() if isinstance(frame, Signal)]

    def octets(self) -> bytes:
        """Every octet of every file that exists below the spool folder."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file())

    def declined(self) -> dict[str, int]:
        """What the counters hold, handed over as at the end of the process."""
        self.flushed.clear()
        self.collector.close()
        return {reason: count for _, counts in self.flushed for (_, reason), count in counts.items()}
