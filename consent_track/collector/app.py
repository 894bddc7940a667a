"""Pixels and links: a plain WSGI callable in front of everything else.

Not a view of the web framework, whose dispatch alone costs 60-90 microseconds a request where all of this costs fewer
than twenty. Every answer is a constant, or the destination sealed in the token; whatever goes wrong while a hit is
being recorded, the answer is the same and the hit is not recorded.
"""

import atexit
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final

from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.decision import DAY, Declined, Scope, message_of_token, scope_at_hit
from consent_track.domain.engagement import judge_agent, weigh
from consent_track.domain.errors import ForgedToken
from consent_track.domain.frame import encode_signal, hit_frame
from consent_track.domain.observation import Signal, TokenFacts, TokenFlag, Verdict
from consent_track.domain.vocabulary import HitKind, Purpose, TokenClass, to_bits

from .answers import FOUND, NOT_FOUND, NOT_OURS, OK, PIXEL, build_answers
from .declines import DeclineCounter
from .exempt import ExemptModes
from .pulse import Pulse
from .recent import Bursts, Replays, Signalled
from .runtime import CollectorRuntime

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

log: Final = logging.getLogger("consent_track.collector")

# Defence in depth: issuing checks destinations; nothing else ever leads anywhere (AH-10, CWE-601).
_DESTINATION: Final = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)
# Every name under which a fetch ahead of a reader announces itself; their values are words and parameters.
_AHEAD: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
_AHEAD_WORDS: Final = ("prefetch", "preview", "prerender")
_SENSITIVE: Final = TokenFlag.SENSITIVE.value
_HYGIENE: Final = Purpose.DELIVERABILITY_HYGIENE.bit
# What a token for a whole campaign says: it records, it has that flag and that purpose alone, and it is nobody's.
_CAMPAIGN: Final = (True, TokenFlag.AGGREGATE.value, Purpose.AGGREGATE_COUNT.bit, 0)
_MOST_AGENTS: Final = 4_096


class Collector:
    """Answers `/o/<token>` and `/c/<token>`; everything else goes to `downstream`.

    Pixel: the same 43 octets for every method and every token. Link: GET and HEAD of a genuine token lead to its
    destination, whatever its age and whatever its person chose; anything else is a 404 with a constant page.
    """

    def __init__(self, downstream: Wsgi, runtime: CollectorRuntime) -> None:
        self._downstream = downstream
        self._runtime = runtime
        # Bound once: each dotted name saved is a hundredth of a hit, and there are forty of them.
        self._open, self._state, self._append = runtime.tokens.open, runtime.view.state, runtime.spool.append
        self._day_keys, self._client = runtime.day_keys, runtime.proxies.client
        self._policy, self._clock = runtime.policies.for_jurisdiction, runtime.clock
        self._answers = build_answers(runtime.https)
        self._own_hosts = frozenset(map(host_of, runtime.own_hosts))
        self._hosts = {number: frozenset(map(host_of, hosts)) for number, hosts in runtime.hosts.items() if hosts}
        self._declines = DeclineCounter(runtime.flush_declines)
        keep = runtime.keep_exempt
        self._exempt = ExemptModes(keep, runtime.time_zones) if keep is not None else None
        self._replays, self._bursts, self._signalled = Replays(), Bursts(), Signalled()
        self._agents: dict[HitKind, dict[int, Verdict]] = {kind: {} for kind in HitKind}
        self._bits: dict[frozenset[Any], int] = {}
        self._today = (-1, date(1970, 1, 1))
        self._housekeeping = Pulse("collector-housekeeping", self._tidy, 1.0)
        self._awake = -1
        self.stumbles = 0  # hits that were not recorded because of a defect of ours; for the metrics

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        door = path[:3]
        if door == "/o/":
            self._admit(HitKind.OPEN, TokenClass.OPEN, path[3:], environ)
            start_response(OK, self._answers.pixel.copy())
            return (PIXEL,) if environ["REQUEST_METHOD"] != "HEAD" else ()
        if door == "/c/":
            facts = self._admit(HitKind.CLICK, TokenClass.CLICK, path[3:], environ)
            method = environ["REQUEST_METHOD"]
            if facts is not None and method in ("GET", "HEAD") and _DESTINATION.fullmatch(facts.destination):
                start_response(FOUND, [("Location", facts.destination), *self._answers.redirect])
                return ()
            start_response(NOT_FOUND, self._answers.not_ours.copy())
            return (NOT_OURS,) if method != "HEAD" else ()
        return self._downstream(environ, start_response)

    def close(self) -> None:
        """At the end of the process: hand over the counts, let go of the segment."""
        atexit.unregister(self.close)
        self._housekeeping.stop()
        self._runtime.view.stop()
        self._runtime.spool.close()
        try:
            self._declines.flush_all()
        except Exception as error:
            log.warning("decline counts of a part of a day are lost: %s", type(error).__name__)
        try:
            if self._exempt is not None:
                self._exempt.flush()
        except Exception as error:
            log.warning("days and counts of an hour are lost: %s", type(error).__name__)

    def _admit(self, kind: HitKind, token_class: TokenClass, token: str, environ: Environ) -> TokenFacts | None:
        """The facts of a genuine token on a host of its controller, after recording what may be recorded."""
        if self._awake != os.getpid():
            self._wake()
        try:
            facts = self._open(token_class, token)
        except ForgedToken:
            return None
        except Exception as error:
            self._stumble(error)
            return None
        hosts = self._hosts.get(facts.controller, self._own_hosts)
        if host_of(environ.get("HTTP_HOST", "")) not in hosts:
            return None
        try:
            self._consider(kind, facts, token, environ)
        except Exception as error:
            self._stumble(error)
        return facts

    def _consider(self, kind: HitKind, facts: TokenFacts, token: str, environ: Environ) -> None:
        """Take an opt-out from any request; take a hit only from a GET that somebody may have meant."""
        at = int(self._clock())
        signal = says_no(environ.get("HTTP_SEC_GPC"))
        if signal and facts.subject:
            self._take_signal(facts, at)
        flags = int(facts.flags)
        if environ["REQUEST_METHOD"] != "GET" or fetched_ahead(environ):
            return
        # A retired key, a token for a whole campaign, or a flag of a later version: genuine, and without power here.
        if not facts.records or flags & ~_SENSITIVE or not facts.subject:
            if kind is HitKind.OPEN and (facts.records, flags, facts.purposes, facts.subject) == _CAMPAIGN:
                self._minimally(Purpose.AGGREGATE_COUNT, facts, UNKNOWN_PERSON, signal, environ, at)
            return

        state, policy = self._state(facts.controller, facts.subject), self._policy(facts.jurisdiction)
        # DNT has no force in any of our laws: by policy it refuses this one hit, and is remembered by nobody (AH-12).
        refused = signal or (environ.get("HTTP_DNT") == "1" and policy.honours_dnt)
        message = message_of_token(
            facts.mail_type, facts.jurisdiction, facts.purposes, facts.issued_at, flags == _SENSITIVE, refused
        )
        scope = scope_at_hit(kind, message, state, policy, at)

        verdict = None
        if not scope.open:
            # For a token issued for this alone, never as what is left of a consent that ended (decision 6).
            if facts.purposes == _HYGIENE and kind is HitKind.OPEN:
                self._minimally(Purpose.DELIVERABILITY_HYGIENE, facts, state, signal, environ, at)
                return
            self._declines.add(facts.controller, scope.carrier.reason.value, at)
        elif self._replays.first(token, at):
            verdict = self._verdict(kind, facts, environ, at)
            if not self._record(kind, facts, scope, verdict, environ, at):
                self._replays.forget(token)
        if self._runtime.observe is not None:
            self._runtime.observe(facts, scope, verdict)

    def _minimally(
        self, mode: Purpose, facts: TokenFacts, state: ConsentState | None, signal: bool, environ: Environ, at: int
    ) -> None:
        """An open in an exempt mode: a day or a count in memory. Of the request only its refusals are read."""
        policy = self._policy(facts.jurisdiction)
        refused = signal or (environ.get("HTTP_DNT") == "1" and policy.honours_dnt)
        sensitive = facts.flags == TokenFlag.SENSITIVE
        message = message_of_token(
            facts.mail_type, facts.jurisdiction, facts.purposes, facts.issued_at, sensitive, refused
        )
        if self._exempt is not None:
            decision = self._exempt.take(mode, facts, message, state, policy, at)
            if isinstance(decision, Declined):
                self._declines.add(facts.controller, decision.reason.value, at)

    def _take_signal(self, facts: TokenFacts, at: int) -> None:
        """Queue one opt-out for the person, unless it is known or already queued (decision 8)."""
        person = (facts.controller, facts.subject)
        state = self._state(*person)
        if person in self._signalled or (state is not None and state.signal_on is not None):
            return
        signal = Signal(facts.controller, facts.subject, facts.jurisdiction, at // DAY)
        if self._append(encode_signal(signal), at):
            self._signalled.add(person)

    def _verdict(self, kind: HitKind, facts: TokenFacts, environ: Environ, at: int) -> Verdict:
        """Who probably made the hit; what it was judged from stays in this call."""
        agent, known = environ.get("HTTP_USER_AGENT", ""), self._agents[kind]
        digest = hash(agent)  # not the text: nobody's user agent is kept, not even in memory
        by_agent = known.get(digest)
        if by_agent is None:
            if len(known) >= _MOST_AGENTS:
                known.clear()
            by_agent = known[digest] = judge_agent(kind, agent)
        networks = self._runtime.networks
        network = networks.class_of(self._address(environ)) if networks else None
        links = self._bursts.links(facts.message, facts.link, at) if kind is HitKind.CLICK else 1
        return weigh(kind, by_agent, at - facts.issued_at, network, links)

    def _record(
        self, kind: HitKind, facts: TokenFacts, scope: Scope, verdict: Verdict, environ: Environ, at: int
    ) -> bool:
        """Append the observation of an allowed hit to the spool; False if the spool did not take it."""
        purposes = self._bits.get(scope.purposes)
        if purposes is None:
            purposes = self._bits[scope.purposes] = to_bits(scope.purposes)
        frame = hit_frame(
            kind, facts.controller, facts.subject, facts.message, at, facts.issued_at, purposes,
            facts.mail_type.number if facts.mail_type else 0, facts.jurisdiction, facts.policy_prefix,
            int(facts.flags), facts.link, verdict, self._network(facts.controller, environ, at),
        )  # fmt: skip
        return self._append(frame, at)

    def _network(self, controller: int, environ: Environ, at: int) -> bytes:
        """The pseudonym of the client's network under the key of the day, for an allowed hit only (decision 15)."""
        try:
            return self._day_keys.pseudonym(self._day(at), controller, self._address(environ))
        except OSError:
            return b""  # no key, no pseudonym; the hit itself was allowed

    def _day(self, at: int) -> date:
        number, day = self._today
        if number != at // DAY:
            number, day = self._today = at // DAY, datetime.fromtimestamp(at, UTC).date()
        return day

    def _address(self, environ: Environ) -> str:
        return self._client(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR"))

    def _wake(self) -> None:
        """The first request of this process, also after a fork: threads and exit duties are not inherited."""
        self._awake = os.getpid()
        self._runtime.view.start()
        self._housekeeping.ensure()
        atexit.register(self.close)

    def _tidy(self) -> None:
        now = int(self._clock())
        self._runtime.spool.tend(now)
        if self._today[0] not in (-1, now // DAY):
            # A process that sleeps through midnight must not keep yesterday's key in its memory (IP-03).
            self._day_keys.key(self._day(now))
        self._declines.flush_past(now)
        if self._exempt is not None:
            self._exempt.flush_due(now)

    def _stumble(self, error: Exception) -> None:
        """A defect of ours must neither change an answer nor put a token into a log: only its type is written."""
        self.stumbles += 1
        log.error("a hit was not recorded: %s", type(error).__name__)


@lru_cache(maxsize=256)
def host_of(field: str) -> str:
    """The host name in a Host field or in a setting: lower case, no port, no trailing dot, an IPv6 address bare."""
    if field.startswith("["):
        return field[1:].partition("]")[0].lower()
    name = field if field.count(":") > 1 else field.partition(":")[0]
    return name.rstrip(".").lower()


def says_no(field: str | None) -> bool:
    """Whether one of the Sec-GPC fields is exactly `1` (OO-03). Servers join repeated fields with commas."""
    return field is not None and any(value.strip(" \t") == "1" for value in field.split(","))


def fetched_ahead(environ: Mapping[str, Any]) -> bool:
    """Whether the request says of itself that no reader asked for it yet."""
    for name in _AHEAD:  # noqa: SIM110 a generator would cost more than the four look-ups
        if name in environ and any(word in environ[name].lower() for word in _AHEAD_WORDS):
            return True
    return False
