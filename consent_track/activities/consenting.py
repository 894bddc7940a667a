"""Choices: given, refused, withdrawn, objected. State and ledger change in one transaction, or not at all.

A refusal is always taken. How good the evidence of a grant is stands in its stamp, and the door makes the stamp.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum

from consent_track.domain import consent as consents
from consent_track.domain.address import masked
from consent_track.domain.consent import UNKNOWN_PERSON, Choice, ConsentState
from consent_track.domain.errors import InputRefused
from consent_track.domain.observation import Signal
from consent_track.domain.vocabulary import (
    GRANTING,
    INDIVIDUAL,
    Act,
    Grade,
    Purpose,
    Status,
    to_bits,
)
from consent_track.records import consent

from . import Processing, entering, exempting, holding, informing, knowing
from .entering import How, Step
from .informing import Event

# What "all off" ends: individual measuring, and French hygiene too (decision 6).
EVERYTHING = INDIVIDUAL | {Purpose.DELIVERABILITY_HYGIENE}


@dataclass(frozen=True, slots=True)
class Done:
    """What a choice changed. `erase_on` is the day what was recorded goes, if something is to go."""

    at: int
    turned_off: tuple[Purpose, ...] = ()
    granted: tuple[Purpose, ...] = ()
    erase_on: date | None = None
    mail_ended: bool = False
    mail_begun: bool = False
    already: bool = False
    sequence: int = 0  # the last entry of the ledger that it made


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may see with a token alone: a masked address and where their choices stand (decision 30)."""

    masked: str
    locale: str
    state: ConsentState

    @property
    def on(self) -> tuple[Purpose, ...]:
        given = {purpose for purpose, choice in self.state.choices.items() if choice.granting}
        signalled = self.state.signal_on is not None and self.state.signal_waived_at is None
        silenced = signalled or self.state.objected_at is not None or self.state.mail_ended_at is not None
        return () if silenced else tuple(purpose for purpose in Purpose if purpose in given)


class Unknown(Enum):
    """Nobody is known under this reference: never was, or was erased. The answer to both is the same."""

    SUBJECT = "subject"


def standing(p: Processing, controller: int, subject: int) -> Standing | None:
    """Where somebody's choices stand, or None for the unknown and the erased."""
    who = knowing.person(p, controller, subject)
    if who is None:
        return None
    state = consent.find_state(p.session, controller, subject) or UNKNOWN_PERSON
    return Standing(masked(who.address), who.locale, state)


def grant(p: Processing, controller: int, subject: int, purposes: Iterable[Purpose], how: How) -> Done | Unknown:
    """Record consent for purposes. Raises InputRefused (field `purpose`) for purposes that consent cannot carry."""
    wanted = tuple(purposes)
    for purpose in wanted:
        consents.check_grantable(purpose)
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT

    steps = [
        Step(Act.TRACKING, purpose, Status.RENEWED if _status(state, purpose) in GRANTING else Status.GIVEN)
        for purpose in wanted
    ]
    if how.grade is Grade.MAILBOX_LOOP:
        # The person themselves, after an objection: a choice of their own that comes later (GDPR Art. 7, 21).
        state = replace(state, objected_at=None)
        if state.signal_on is not None and p.policies.for_jurisdiction(how.jurisdiction).number("signal_waiver"):
            state = replace(state, signal_waived_at=p.now)  # they were told of the conflict (11 CCR 7025(c)(4))
    state = _record(p, who, state, steps, how)
    # Coming back within the delay is the undo of decision 7: nothing recorded under the old consent is lost.
    due, bits = consent.erase_due(p.session, controller, subject)
    left = bits & ~to_bits(set(wanted))
    consent.set_erase_due(p.session, controller, subject, due if left else None, left)
    return Done(p.now, granted=wanted, sequence=state.sequence)


def welcome(p: Processing, controller: int, subject: int, how: How) -> Done | Unknown:
    """Record that somebody receives the mail (act `mail`): a different act, which measures nothing (CC-02)."""
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT
    _record(p, who, replace(state, mail_ended_at=None), [Step(Act.MAIL, None, Status.GIVEN)], how)
    return Done(p.now)


def turn_off(
    p: Processing, controller: int, subject: int, how: How, purposes: frozenset[Purpose] | None = None
) -> Done | Unknown:
    """Withdraw or refuse: `purposes`, or everything. Silences at once; erases what was recorded after a delay.

    Effective when the transaction commits, also for mails already sent (GDPR Art. 7(3); CNIL 2026-042).
    """
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT
    steps = _steps_off(state, EVERYTHING if purposes is None else purposes)
    if not steps:
        due, _ = consent.erase_due(p.session, controller, subject)
        return Done(p.now, erase_on=_day(due), already=True)

    state = _record(p, who, state, steps, how)
    erase_on = _schedule_erasure(p, controller, subject, steps, how)
    gone = tuple(step.purpose for step in steps if step.purpose)
    return Done(p.now, turned_off=gone, erase_on=erase_on, sequence=state.sequence)


def end_mail(p: Processing, controller: int, subject: int, how: How) -> Done | Unknown:
    """Unsubscribe: the mail ends, and the measuring with it (RFC 8058). The reverse never happens."""
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT
    if state.mail_ended_at is not None:
        return Done(p.now, mail_ended=True, already=True)

    off = _steps_off(state, EVERYTHING)
    ended = replace(state, mail_ended_at=p.now)
    state = _record(p, who, ended, [Step(Act.MAIL, None, Status.WITHDRAWN), *off], how)
    erase_on = _schedule_erasure(p, controller, subject, off, how)
    gone = tuple(step.purpose for step in off if step.purpose)
    return Done(p.now, turned_off=gone, erase_on=erase_on, mail_ended=True, sequence=state.sequence)


def object_to(p: Processing, controller: int, subject: int, how: How) -> Done | Unknown:
    """Record an objection (GDPR Art. 21(2), (3)): it overrides every basis for every purpose."""
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT
    if state.objected_at is not None:
        return Done(p.now, already=True)

    off = _steps_off(state, EVERYTHING)
    _record(p, who, replace(state, objected_at=p.now), [Step(Act.TRACKING, None, Status.OBJECTED), *off], how)
    erase_on = _schedule_erasure(p, controller, subject, off, how)
    return Done(p.now, turned_off=tuple(s.purpose for s in off if s.purpose), erase_on=erase_on)


def revoke(
    p: Processing, controller: int, subject: int, how: How, purposes: frozenset[Purpose] | None = None
) -> Done | Unknown:
    """Take a consent back that is not good, or no longer: by the operator or an authority, not by the person.

    `how.corrects` names the entry it corrects; then the consent is invalidated, because it never was one.
    """
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT
    status = Status.INVALIDATED if how.corrects else Status.REVOKED
    wanted = EVERYTHING if purposes is None else purposes
    steps = [Step(Act.TRACKING, one, status) for one in Purpose if one in wanted and _status(state, one) in GRANTING]
    if not steps:
        return Done(p.now, already=True)

    _record(p, who, state, steps, how)
    due = note_erasure(p, controller, subject, how.jurisdiction, to_bits({one.purpose for one in steps if one.purpose}))
    return Done(p.now, turned_off=tuple(one.purpose for one in steps if one.purpose), erase_on=_day(due))


def record_signal(p: Processing, signal: Signal) -> Done | Unknown:
    """Record Sec-GPC: 1 as a refusal, once for each person, with day precision; it never erases (decision 8)."""
    who, state = _locked(p, signal.controller, signal.subject)
    if who is None:
        return Unknown.SUBJECT
    if state.signal_on is not None:
        return Done(p.now, already=True)

    day = date(1970, 1, 1) + timedelta(days=signal.day)
    how = How("signal", Grade.MESSAGE_LINK, "subject", source="Sec-GPC", jurisdiction=signal.jurisdiction)
    midnight = replace(p, now=signal.day * 86_400)
    _record(midnight, who, replace(state, signal_on=day), [Step(Act.TRACKING, None, Status.REFUSED)], how)
    informing.inform(p, signal.controller, signal.subject, who.address, Event.OPTED_OUT)
    return Done(p.now)


def mark(
    p: Processing, controller: int, subject: int, how: How, *, minor: bool | None = None, restricted: bool | None = None
) -> Done | Unknown:
    """Note that somebody is a minor (GDPR Art. 8), or that their data is restricted (Art. 18), or no longer is.

    Each ends measuring while it lasts, whatever was chosen; the choices themselves stay. Entries say it in `scope`.
    """
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT
    changes = {"minor": minor, "restricted": restricted}
    said = {name: value for name, value in changes.items() if value is not None and value != getattr(state, name)}
    if not said:
        return Done(p.now, already=True)

    marked = replace(state, minor=said.get("minor", state.minor), restricted=said.get("restricted", state.restricted))
    for name, value in said.items():
        state = replace(marked, sequence=state.sequence)
        scope = f"{name}:{'yes' if value else 'no'}"
        state = _record(p, who, state, [Step(Act.TRACKING, None, Status.UNKNOWN)], replace(how, scope=scope))
    if "restricted" in said:
        holding.restrict(p, controller, subject, restricted=bool(said["restricted"]))
        informing.inform(p, controller, subject, who.address, Event.RESTRICTED, restricted=said["restricted"])
    return Done(p.now, sequence=state.sequence)


def annotate(
    p: Processing, controller: int, subject: int, purpose: Purpose, status: Status, how: How
) -> Done | Unknown:
    """Record what is now known of an earlier choice, without touching where the person's choices stand today."""
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT
    stamp = replace(how, flow_id=secrets.token_hex(8))
    sequence = entering.append(p, who, Step(Act.TRACKING, purpose, status), stamp)
    entering.keep(p, who, stamp)
    consent.save_state(p.session, controller, subject, replace(state, sequence=sequence))
    return Done(p.now, sequence=sequence)


def record_step(
    p: Processing, controller: int, subject: int, purpose: Purpose, status: Status, how: How, at: int
) -> Done | Unknown:
    """Record what became of one choice at an instant by itself: it lapsed, or nobody answered. The mail stays.

    Raises InputRefused (field `status`) where the table of transitions knows no such step.
    """
    who, state = _locked(p, controller, subject)
    if who is None:
        return Unknown.SUBJECT
    steps = [Step(Act.TRACKING, purpose, status, at)]
    _record(p, who, state, steps, how)
    return Done(p.now, turned_off=(purpose,), erase_on=_schedule_erasure(p, controller, subject, steps, how))


def record_erasure(p: Processing, controller: int, subject: int, how: How) -> None:
    """Close a person's part of the ledger before their rows and their key go; views learn of it by its sequence."""
    who, _ = _locked(p, controller, subject)
    if who is not None:
        entering.append(p, who, Step(Act.TRACKING, None, Status.INVALIDATED), how)


def _locked(p: Processing, controller: int, subject: int) -> tuple[knowing.Person | None, ConsentState]:
    """The person and their state, held until the transaction ends. Lock order: state row, then chain head."""
    state = consent.lock_state(p.session, controller, subject)
    return knowing.person(p, controller, subject), state or UNKNOWN_PERSON


def _status(state: ConsentState, purpose: Purpose) -> Status:
    choice = state.choices.get(purpose)
    return choice.status if choice else Status.UNKNOWN


def _steps_off(state: ConsentState, purposes: frozenset[Purpose]) -> list[Step]:
    """What has to be said so that none of `purposes` is allowed; nothing for what is off already."""
    steps = []
    for purpose in Purpose:
        if purpose in purposes:
            status = _status(state, purpose)
            following = Status.WITHDRAWN if status in GRANTING else Status.REFUSED
            if status not in (Status.REFUSED, Status.WITHDRAWN):
                steps.append(Step(Act.TRACKING, purpose, following))
    return steps


def _record(p: Processing, who: knowing.Person, state: ConsentState, steps: Sequence[Step], how: How) -> ConsentState:
    """Append each step to the ledger, then write the state they lead to: one transaction, the state last."""
    choices, sequence = dict(state.choices), state.sequence
    flow = how.flow_id or secrets.token_hex(8)
    for step in steps:
        if step.act is Act.TRACKING and step.purpose is not None:
            current = _status(state, step.purpose)
            if not consents.may_become(current, step.status):
                raise InputRefused.one("status", f"{current} cannot become {step.status}")
        sequence = entering.append(p, who, step, replace(how, flow_id=flow))
        if step.act is Act.TRACKING and step.purpose is not None:
            # A renewed consent counts from its renewal, so that it lapses that much later.
            since = p.now if step.at is None else step.at
            until = how.expires_at if step.status in GRANTING else None
            choices[step.purpose] = Choice(step.status, since, how.grade, until, sequence)
    entering.keep(p, who, how)
    state = replace(state, choices=choices, sequence=sequence, known=True)
    consent.save_state(p.session, who.controller, who.reference, state)
    _pass_on(p, who, steps)
    return state


_ENDED = frozenset({Status.WITHDRAWN, Status.EXPIRED, Status.REVOKED, Status.INVALIDATED})


def _pass_on(p: Processing, who: knowing.Person, steps: Iterable[Step]) -> None:
    """Have whoever got the data told what ended (GDPR Art. 19; 11 CCR 7026(f)(2))."""
    ended = [step.purpose for step in steps if step.status in _ENDED and step.purpose]
    if any(step.status is Status.OBJECTED for step in steps):
        informing.inform(p, who.controller, who.reference, who.address, Event.OBJECTED, ended)
    elif ended:
        informing.inform(p, who.controller, who.reference, who.address, Event.WITHDRAWN, ended)


def _schedule_erasure(p: Processing, controller: int, subject: int, steps: list[Step], how: How) -> date | None:
    """Note when what was recorded under a consent that ended goes, for which purposes; any no ends hygiene, too."""
    gone = {step.purpose for step in steps if step.status in (Status.WITHDRAWN, Status.EXPIRED) and step.purpose}
    if exempting.may_hold(p, controller, subject):
        gone.add(Purpose.DELIVERABILITY_HYGIENE)
    return _day(note_erasure(p, controller, subject, how.jurisdiction, to_bits(gone)))


def note_erasure(p: Processing, controller: int, subject: int, jurisdiction: str, gone: int) -> int | None:
    """Note that what was measured for the purposes `gone` (bits) goes after the delay of the policy; when it is due.

    Source: GDPR Art. 17(1)(b), decision 7. An earlier note keeps its time.
    """
    due, bits = consent.erase_due(p.session, controller, subject)
    if gone:
        days = p.policies.for_jurisdiction(jurisdiction).number("erase_after_withdrawal_days")
        due = min(due, p.now + days * 86_400) if due is not None else p.now + days * 86_400
        consent.set_erase_due(p.session, controller, subject, due, bits | gone)
    return due


def _day(at: int | None) -> date | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).date()
