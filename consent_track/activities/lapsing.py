"""Lapsing: what becomes of a choice by the clock alone: a consent that ended, a question that nobody answered.

A decision never waits for this: it reads the same clocks itself. Here they enter the ledger, what was measured under
an ended consent is put down for erasure, and it is counted whom somebody has to write to (CC-07, CC-19).
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from consent_track.crypto import sealing
from consent_track.domain.asking import OPEN_QUESTION, silence_days, silent_from
from consent_track.domain.clocks import clocks_of, is_over
from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.decision import DAY
from consent_track.domain.policy import Policies, Policy
from consent_track.domain.vocabulary import UNKNOWN_JURISDICTION, Grade, Purpose, Status
from consent_track.records import consent, ledger
from consent_track.records.consent import Key

from . import Processing, consenting, knowing
from .entering import How

Begin = Callable[[], AbstractContextManager[Processing]]

PAGE: Final = 500
# People recorded in one transaction: beside batches of 100 a withdrawal waits less than 100 ms (see importing.BATCH).
BATCH: Final = 100
PAUSE: Final = 0.005
_FIRST: Final[Key] = (0, 0)


@dataclass(frozen=True, slots=True)
class Lapsed:
    """How many choices ended by the clock: consents that expired, and questions that nobody answered."""

    expired: int = 0
    silent: int = 0


class What(StrEnum):
    """What somebody has to do; the values stand in the worker's report."""

    RECONFIRM = "reconfirm_due"
    RESULT_NOTICE = "result_notice_due"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that fell due for one choice of one person, at an instant."""

    what: What
    controller: int
    subject: int
    purpose: Purpose
    at: int


@dataclass(frozen=True, slots=True)
class _Limits:
    """The shortest clocks among all policies: what is not over by these is over by none, and no ledger is opened."""

    lapse: int | None  # months
    silence: int  # days
    reconfirm: int | None  # months
    notice: int | None  # days


def lapse(begin: Begin, *, pause: float = PAUSE) -> Lapsed:
    """Record what ended by the clock: EXPIRED for consents, REFUSED_BY_SILENCE for questions. Idempotent.

    Page by page, each one transaction. What was measured under an expired consent goes after the delay of the policy
    (GDPR Art. 17(1)(b)); the mail goes on as before. Each choice is held to the law under which it was made.
    """
    after, expired, silent = _FIRST, 0, 0
    while True:
        with begin() as p:
            limits = _shortest(p.policies)
            found = consent.page(p.session, after, PAGE)
            due = [key for key, state in found if any(_may_end(one, limits, p.now) for one in state.choices.values())]
            batch = due[:BATCH]
            for ended in _end(p, batch):
                expired += ended is Status.EXPIRED
                silent += ended is Status.REFUSED_BY_SILENCE
        if len(due) > BATCH:
            after = batch[-1]
        elif len(found) == PAGE:
            after = found[-1][0]
        else:
            return Lapsed(expired, silent)
        time.sleep(pause)


def _end(p: Processing, keys: list[Key]) -> Iterator[Status]:
    """End what is over for these people: their states are held first, in order, and the chain after them."""
    flow = f"clock:{p.now}"
    for controller in sorted({controller for controller, _ in keys}):
        mine = [subject for its, subject in keys if its == controller]
        for subject, state in sorted(consent.lock_states(p.session, controller, mine).items()):
            who = knowing.person(p, controller, subject)
            for purpose, choice in sorted(state.choices.items()) if who else ():
                code = _law_of(p, who, choice) if who else UNKNOWN_JURISDICTION
                ended = _ended(choice, p.policies.for_jurisdiction(code), p.now)
                if ended is not None:
                    how = How("clock", Grade.OPERATOR, "system", flow_id=flow, jurisdiction=code)
                    consenting.record_step(p, controller, subject, purpose, ended[0], how, ended[1])
                    yield ended[0]


def _may_end(choice: Choice, limits: _Limits, now: int) -> bool:
    """Whether a choice might be over under some law; cheap, because everybody is asked."""
    if choice.granting:
        by_itself = choice.expires_at is not None and now >= choice.expires_at
        return by_itself or (limits.lapse is not None and is_over(choice.since, limits.lapse, now))
    return choice.status in OPEN_QUESTION and now >= choice.since + limits.silence * DAY


def _ended(choice: Choice, policy: Policy, now: int) -> tuple[Status, int] | None:
    """What a choice became under its own law, and when; None while it stands."""
    if choice.status in OPEN_QUESTION:
        at: int | None = silent_from(choice.since, policy)
        following = Status.REFUSED_BY_SILENCE
    else:
        at, following = clocks_of(choice, policy).lapses_at, Status.EXPIRED
    return (following, at) if at is not None and now >= at else None


def due(p: Processing) -> Iterator[Due]:
    """Whose consent is to be reconfirmed, and who is to be told what became of their choice (Network Act Art. 50).

    A reconfirmation stays due until the consent is renewed or ends. A notice is counted from its last day for as long
    again as the law gives for it: nothing here knows whether it was sent.
    """
    limits, after = _shortest(p.policies), _FIRST
    while limits.reconfirm is not None or limits.notice is not None:
        found = consent.page(p.session, after, PAGE)
        for (controller, subject), state in found:
            yield from _due(p, controller, subject, state, limits)
        if len(found) < PAGE:
            return
        after = found[-1][0]


def _due(p: Processing, controller: int, subject: int, state: ConsentState, limits: _Limits) -> Iterator[Due]:
    candidates = {purpose: one for purpose, one in state.choices.items() if _may_be_due(one, limits, p.now)}
    who = knowing.person(p, controller, subject) if candidates else None
    for purpose, choice in sorted(candidates.items()) if who else ():
        policy = p.policies.for_jurisdiction(_law_of(p, who, choice) if who else UNKNOWN_JURISDICTION)
        clocks, days = clocks_of(choice, policy), policy.limit("result_notice_days")
        if clocks.reconfirm_at is not None and p.now >= clocks.reconfirm_at:
            yield Due(What.RECONFIRM, controller, subject, purpose, clocks.reconfirm_at)
        by = clocks.result_notice_by
        if by is not None and days is not None and by <= p.now < by + days * DAY:
            yield Due(What.RESULT_NOTICE, controller, subject, purpose, by)


def _may_be_due(choice: Choice, limits: _Limits, now: int) -> bool:
    if limits.notice is not None and now >= choice.since + limits.notice * DAY:
        return True
    return choice.granting and limits.reconfirm is not None and is_over(choice.since, limits.reconfirm, now)


def _law_of(p: Processing, who: knowing.Person, choice: Choice) -> str:
    """The jurisdiction under which a choice was made, as its entry in the ledger says; without one, the strictest."""
    for entry in ledger.entries(p.session, who.controller, choice.sequence - 1, 1) if choice.sequence else ():
        if entry.sequence == choice.sequence and entry.subject == who.reference:
            label = f"event:{entry.sequence}"
            event = json.loads(sealing.unseal(who.data_key, who.controller, who.reference, label, entry.sealed))
            return str(event["jurisdiction"])
    return UNKNOWN_JURISDICTION


def _shortest(policies: Policies) -> _Limits:
    def least(name: str) -> int | None:
        found = [limit for policy in policies.by_id.values() if (limit := policy.limit(name)) is not None]
        return min(found, default=None)

    return _Limits(
        lapse=least("consent_lapse_months"),
        silence=min(silence_days(policy) for policy in policies.by_id.values()),
        reconfirm=least("reconfirm_months"),
        notice=least("result_notice_days"),
    )
