"""Waiting for answers: links that another tool mails, when a question is over, and what came of a wave.

Nothing here grants: a yes comes from the person's own mailbox, through the mailbox loop.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from consent_track.domain import asking as asks
from consent_track.domain.asking import Outcome
from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.decision import DAY
from consent_track.domain.errors import InputRefused
from consent_track.domain.policy import Policy
from consent_track.records import consent, outbox, waves
from consent_track.records.waves import Asked, Wave

from . import Processing, knowing, notifying
from .asking import NO, YES, choice_link

Begin = Callable[[], AbstractContextManager[Processing]]

BATCH: Final = 100
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
            found = [_link(p, public_url, one) for one in page if _outcome(p, one, states) is Outcome.OPEN]
        yield from (link for link in found if link is not None)


def _link(p: Processing, public_url: str, one: Asked) -> Link | None:
    who = knowing.person(p, one.controller, one.subject)
    if who is None:
        return None
    link = choice_link(p, public_url, one)
    answer_by = datetime.fromtimestamp(asks.silent_from(one.asked_at, _law(p, one)), UTC).date()
    return Link(who.address, f"{link}{YES}", f"{link}{NO}", answer_by)


def report(reading: Begin, controller: int, name: str) -> Report:
    """What a wave came to; counts only. Raises InputRefused (field `wave`)."""
    with reading() as p:
        wave = find(p, controller, name)
    found: Counter[str] = Counter()
    for page in _pages(reading, wave):
        with reading() as p:
            states = consent.find_states(p.session, controller, [one.subject for one in page])
            for one in page:
                outcome = _outcome(p, one, states)
                answered = outcome in (Outcome.YES, Outcome.NO)
                lost = one.delivery == waves.UNDELIVERABLE and not answered
                found[UNDELIVERABLE if lost else outcome.value] += 1
    found[GONE] = max(0, wave.asked - found.total())
    names = (*(outcome.value for outcome in Outcome), UNDELIVERABLE, GONE)
    return Report(name, wave.asked, {each: found[each] for each in names}, wave.not_asked)


def close_over(begin: Begin) -> dict[str, int]:
    """Fix what came of the questions that are over, and note whose mail could not be delivered. Run by the worker.

    That silence is a no stands in the ledger by `lapsing`; a later question or withdrawal changes nothing here.
    """
    counts = {"over": 0, "undeliverable": 0}
    with begin() as p:
        for failed in outbox.failed_of(p.session, notifying.REQUEST):
            counts["undeliverable"] += waves.note_undeliverable(p.session, *failed)
        longest = max(asks.silence_days(policy) for policy in p.policies.by_id.values())
        controllers = sorted(p.controllers)
    for controller in controllers:
        while True:
            with begin() as p:
                over = waves.unfinished(p.session, controller, p.now - longest * DAY, BATCH)
                states = consent.find_states(p.session, controller, [one.subject for one in over])
                for one in over:
                    waves.close(p.session, one, _outcome(p, one, states).value)
            counts["over"] += len(over)
            if len(over) < BATCH:
                break
    return counts


def _law(p: Processing, one: Asked) -> Policy:
    return p.policies.for_jurisdiction(one.jurisdiction)


def _outcome(p: Processing, one: Asked, states: Mapping[int, ConsentState]) -> Outcome:
    if one.outcome:
        return Outcome(one.outcome)
    state = states.get(one.subject, UNKNOWN_PERSON)
    return asks.outcome_of(state, one.purposes, one.asked_at, _law(p, one), p.now)


def _pages(reading: Begin, wave: Wave) -> Iterator[list[Asked]]:
    last = 0
    while True:
        with reading() as p:
            page = waves.people(p.session, wave, last, PAGE)
        if not page:
            return
        yield page
        last = page[-1].subject
