"""Waiting for answers: links that another tool mails, silence that has become a no, and what came of a wave.

Nothing here grants: a yes comes from the person's own mailbox, through the mailbox loop.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from consent_track.domain import asking as asks
from consent_track.domain.asking import Outcome
from consent_track.domain.consent import UNKNOWN_PERSON, Choice, ConsentEvent, ConsentState
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import Act, Grade, Status
from consent_track.records import consent, ledger, outbox, waves
from consent_track.records.waves import Asked, Wave

from . import Processing, consenting, knowing, notifying
from .asking import NO, YES, choice_link

Begin = Callable[[], AbstractContextManager[Processing]]

BATCH: Final = 20  # as for mails in asking
PAGE: Final = 500
UNDELIVERABLE: Final = "undeliverable"
GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Link:
    """The link of one person for a mail of the sender's own tool; `answer_by`: from that day silence is a no."""

    address: str
    yes: str
    no: str
    answer_by: date


@dataclass(frozen=True, slots=True)
class Report:
    """What a wave came to, in counts. `outcomes` add up to `asked`; `gone`: erased since, or older than is kept."""

    wave: str
    asked: int
    outcomes: Mapping[str, int]
    not_asked: Mapping[str, int]


def find(p: Processing, controller: int, name: str) -> Wave:
    """The wave of this name. Raises InputRefused (field `wave`)."""
    p.controller(controller)
    wave = waves.find(p.session, controller, name)
    if wave is None:
        raise InputRefused.one("wave", f"{name!r} was never begun")
    return wave


def links(reading: Begin, controller: int, name: str, public_url: str) -> Iterator[Link]:
    """The links of those who may still answer; whoever answered, unsubscribed or objected meanwhile is left out."""
    with reading() as p:
        wave = find(p, controller, name)
    for page in _pages(reading, wave):
        with reading() as p:
            states = consent.find_states(p.session, controller, [one.subject for one in page])
            found = [_link(p, public_url, one) for one in page if _outcome(one, states, p.now) is Outcome.OPEN]
        yield from (link for link in found if link is not None)


def _link(p: Processing, public_url: str, one: Asked) -> Link | None:
    who = knowing.person(p, one.controller, one.subject)
    if who is None:
        return None
    link = choice_link(p, public_url, one)
    return Link(who.address, f"{link}{YES}", f"{link}{NO}", asks.silent_on(one.asked_at))


def report(reading: Begin, controller: int, name: str) -> Report:
    """What a wave came to; counts only. Raises InputRefused (field `wave`)."""
    with reading() as p:
        wave = find(p, controller, name)
    found: Counter[str] = Counter()
    for page in _pages(reading, wave):
        with reading() as p:
            states = consent.find_states(p.session, controller, [one.subject for one in page])
            for one in page:
                outcome = _outcome(one, states, p.now)
                answered = outcome in (Outcome.YES, Outcome.NO)
                lost = one.delivery == waves.UNDELIVERABLE and not answered
                found[UNDELIVERABLE if lost else outcome.value] += 1
    found[GONE] = max(0, wave.asked - found.total())
    names = (*(outcome.value for outcome in Outcome), UNDELIVERABLE, GONE)
    return Report(name, wave.asked, {each: found[each] for each in names}, wave.not_asked)


def hear_silence(begin: Begin) -> dict[str, int]:
    """Note the answers of questions that are over: silence as a refusal, without touching the mail (CC-07).

    Run by the worker. Also notes whose mail could not be delivered, before the outbox forgets it.
    """
    counts = {"over": 0, "silent": 0, "undeliverable": 0}
    with begin() as p:
        for failed in outbox.failed_of(p.session, notifying.REQUEST):
            counts["undeliverable"] += waves.note_undeliverable(p.session, *failed)
        controllers = sorted(p.controllers)
    for controller in controllers:
        while True:
            with begin() as p:
                over = waves.unfinished(p.session, controller, p.now - asks.SILENCE_AFTER, BATCH)
                counts["silent"] += _close(p, controller, over)
            counts["over"] += len(over)
            if len(over) < BATCH:
                break
    return counts


def _close(p: Processing, controller: int, over: list[Asked]) -> int:
    """Close questions of a batch; how many entries of silence that took."""
    states = consent.lock_states(p.session, controller, [one.subject for one in over])
    written = 0
    for one in over:
        who, state = knowing.person(p, controller, one.subject), states.get(one.subject)
        if who is not None and state is not None:
            states[one.subject], entries = _hear(p, who, state, one)
            written += entries
        waves.close(p.session, one, _outcome(one, states, p.now).value)
    return written


def _hear(p: Processing, who: knowing.Person, state: ConsentState, one: Asked) -> tuple[ConsentState, int]:
    silent = asks.silences(state, one.purposes, p.now)
    for purpose, since in silent:
        event = ConsentEvent(
            act=Act.TRACKING,
            purpose=purpose,
            status=Status.REFUSED_BY_SILENCE,
            occurred_at=since,
            recorded_at=p.now,
            method="silence",
            grade=Grade.OPERATOR,
            actor="system",
            locale=who.locale,
            policy_hash=p.policies.for_jurisdiction(one.jurisdiction).hash,
            jurisdiction=one.jurisdiction,
            flow_id=f"{one.flow:x}",
            asked_at=one.asked_at,
        )
        link = consenting.link_of(p, who.controller, who.reference, who.data_key, who.address, event)
        sequence = ledger.append(p.session, who.controller, who.reference, p.now, link)
        choice = Choice(Status.REFUSED_BY_SILENCE, since, Grade.OPERATOR, None, sequence)
        state = replace(state, choices={**state.choices, purpose: choice}, sequence=sequence)
    if silent:
        consent.save_state(p.session, who.controller, who.reference, state)
    return state, len(silent)


def _outcome(one: Asked, states: Mapping[int, ConsentState], now: int) -> Outcome:
    if one.outcome:
        return Outcome(one.outcome)
    return asks.outcome_of(states.get(one.subject, UNKNOWN_PERSON), one.purposes, one.asked_at, now)


def _pages(reading: Begin, wave: Wave) -> Iterator[list[Asked]]:
    last = 0
    while True:
        with reading() as p:
            page = waves.people(p.session, wave, last, PAGE)
        if not page:
            return
        yield page
        last = page[-1].subject
