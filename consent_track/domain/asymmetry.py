"""Moving in is asymmetric: a yes counts only with source, time and the words that were shown; a no always counts.

A complaint, a bounce and an objection are kept like a no, with or without evidence, also where the same file holds a
later yes (GDPR Art. 7(1), 21(3)). A yes that is not proved leaves the person unknown, and unknown is not measured.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from .address import is_role
from .consent import ConsentState
from .imported import ENDED, NEGATIVE, Form, Judgement, Outcome, Row, Said, Step, Why, Wording
from .policy import Legacy
from .vocabulary import GRANTING, INDIVIDUAL, Act, Purpose, Status

_ENDS_THE_MAIL: Final = frozenset({Said.UNSUBSCRIBED, Said.COMPLAINED, Said.BOUNCED})
_OBJECTS: Final = frozenset({Said.COMPLAINED, Said.OBJECTED})


def keep_no(row: Row, forms: Sequence[Form], state: ConsentState, now: int) -> Judgement:
    """Keep every no of a line: with or without evidence, whatever else the file says. Safe to repeat.

    Where a line agrees to the mail and refuses to be measured, its yes to the mail comes with it.
    """
    at = _past(row.ended_at, now)
    agrees = row.said is Said.SUBSCRIBED and row.says_no and not state.known
    mail = _prove(row, None, forms, now) if agrees else None
    steps = [mail] if isinstance(mail, Step) else []
    following = state
    if row.said in _ENDS_THE_MAIL and state.mail_ended_at is None:
        bounced = row.said is Said.BOUNCED
        status, actor = (Status.INVALIDATED, "system") if bounced else (Status.WITHDRAWN, "subject")
        steps.append(Step(Act.MAIL, None, status, at, actor=actor, source=row.source))
        following = replace(following, mail_ended_at=at)
    objects = row.said in _OBJECTS
    if objects:
        following = replace(following, objected_at=at if state.objected_at is None else state.objected_at)
    whole = row.said in NEGATIVE - {Said.BOUNCED}  # a mailbox that is gone has refused nothing
    refused = ENDED if whole else tuple(p for p in Purpose if row.answers.get(p) is False)
    status = Status.OBJECTED if objects else Status.REFUSED
    steps += _off(state, refused, status, at, row.source, whole=whole)
    return Judgement(Outcome.NO_KEPT, _why_no(row), tuple(steps), following)


def _off(
    state: ConsentState, purposes: Sequence[Purpose], status: Status, at: int, source: str, *, whole: bool
) -> Iterator[Step]:
    """A standing consent is withdrawn by itself; what was never given is refused, all of it in one entry."""
    standing = {purpose: _status(state, purpose) for purpose in purposes}
    for purpose, was in standing.items():
        if was in GRANTING:
            yield Step(Act.TRACKING, purpose, Status.WITHDRAWN, at, (purpose,), source=source)
    already = {Status.WITHDRAWN, Status.REFUSED, Status.OBJECTED}
    rest = tuple(purpose for purpose, was in standing.items() if was not in GRANTING | already)
    if whole and (rest or (status is Status.OBJECTED and state.objected_at is None)):
        yield Step(Act.TRACKING, None, status, at, rest, source=source)
    elif not whole:
        yield from (Step(Act.TRACKING, purpose, status, at, (purpose,), source=source) for purpose in rest)


def judge(
    row: Row, forms: Sequence[Form], legacy: Legacy | None, state: ConsentState, erased: bool, now: int
) -> Judgement:
    """What a line becomes once every no of the file is kept. `state` is the person's, with those no's in it."""
    if row.address is None:
        return Judgement(Outcome.NOT_AN_ADDRESS, Why.ADDRESS, (), state)
    if erased:
        return Judgement(Outcome.ERASED, Why.SUPPRESSED, (), state)
    if row.said in NEGATIVE:
        return Judgement(Outcome.NO_KEPT, _why_no(row), (), state)
    if why := _silenced(state):
        return Judgement(Outcome.NO_STANDS, why, (), state)

    dated = _dated(row, state)
    found = {purpose: _one(row, purpose, forms, state, now) for purpose in _wanted(row, forms, now)}
    steps = [one for one in found.values() if isinstance(one, Step)]
    mail = _prove(row, None, forms, now) if row.said is Said.SUBSCRIBED else None
    if not state.known and isinstance(mail, Step):
        steps.insert(0, mail)
    outcome, why = _summary(row, found, mail, state, steps)
    if not steps and (not state.known or dated != state):
        steps.append(Step(Act.MAIL, None, Status.UNKNOWN, now, actor="operator", source=row.source))
    if outcome is Outcome.UNKNOWN and legacy and _meets(legacy, dated):
        why = Why.LEGACY_REGIME
    return Judgement(outcome, why, tuple(steps), dated)


def _wanted(row: Row, forms: Sequence[Form], now: int) -> list[Purpose]:
    """What the line says yes to: by its own columns, or by having sent a form whose sending was that yes."""
    if row.said is not Said.SUBSCRIBED:  # a pending double opt-in, or a word nobody knows, is no yes to anything
        return []
    wanted = {purpose for purpose, yes in row.answers.items() if yes}
    form = _form_of(row, forms, now)
    if isinstance(form, Form):
        wanted |= {one.purpose for one in form.wordings if one.purpose and one.by_submitting}
        wanted -= {purpose for purpose, yes in row.answers.items() if not yes}
    return [purpose for purpose in Purpose if purpose in wanted & INDIVIDUAL]


def _one(row: Row, purpose: Purpose, forms: Sequence[Form], state: ConsentState, now: int) -> Step | Why:
    """The step that one yes to one purpose leads to, or why to none. Only silence can become a yes."""
    was = _status(state, purpose)
    if was in GRANTING:
        return Why.ALREADY_GIVEN
    if was in (Status.REQUESTED, Status.DEFERRED):
        return Why.ASKED_HERE
    if was is not Status.UNKNOWN:
        return Why.REFUSED
    if is_role(row.address or ""):
        return Why.ROLE_ADDRESS
    return _prove(row, purpose, forms, now)


def _prove(row: Row, purpose: Purpose | None, forms: Sequence[Form], now: int) -> Step | Why:
    form = _form_of(row, forms, now)
    if isinstance(form, Why):
        return form
    wording = _wording_of(row, purpose, form)
    if isinstance(wording, Why):
        return wording
    source = row.source or form.url
    if not source:
        return Why.NO_SOURCE
    at = max(time for time in (row.asked_at, row.confirmed_at) if time is not None)
    return Step(
        act=Act.MAIL if purpose is None else Act.TRACKING,
        purpose=purpose,
        status=Status.GIVEN,
        occurred_at=at,
        sets=() if purpose is None else (purpose,),
        wording_id=wording.id,
        locale=wording.locale,
        evidence=form.id,
        source=source,
        asked_at=row.asked_at if row.confirmed_at is not None else None,
    )


def _form_of(row: Row, forms: Sequence[Form], now: int) -> Form | Why:
    """The form that was shown when the line says the person said yes."""
    if not forms:
        return Why.NO_EVIDENCE
    shown_at = row.asked_at if row.asked_at is not None else row.confirmed_at
    if row.time_not_understood:
        return Why.TIME_NOT_UNDERSTOOD
    if shown_at is None:
        return Why.NO_TIME
    if max(shown_at, row.confirmed_at or 0) > now:
        return Why.TIME_IN_THE_FUTURE
    day = datetime.fromtimestamp(shown_at, UTC).date()
    shown = [one for one in forms if one.shown_from <= day <= one.shown_to and row.form in ("", one.name)]
    if not shown:
        return Why.NO_FORM_THEN
    return shown[0] if len(shown) == 1 else Why.SEVERAL_FORMS_THEN


def _wording_of(row: Row, purpose: Purpose | None, form: Form) -> Wording | Why:
    asked = [one for one in form.wordings if one.purpose is purpose]
    if not row.locale:
        return asked[0] if len(asked) == 1 else Why.NO_LOCALE if asked else Why.NO_WORDING
    language = row.locale.partition("-")[0]
    exact = [one for one in asked if one.locale == row.locale]
    near = exact or [one for one in asked if one.locale.partition("-")[0] == language]
    return near[0] if len(near) == 1 else Why.NO_WORDING


def _summary(
    row: Row, found: Mapping[Purpose, Step | Why], mail: Step | Why | None, state: ConsentState, steps: Sequence[Step]
) -> tuple[Outcome, Why]:
    """One outcome and one reason for a line that may have said several things."""
    reasons = [one for one in found.values() if isinstance(one, Why)]
    if any(step.act is Act.TRACKING for step in steps):
        return Outcome.GIVEN, Why.IN_PART if reasons or row.says_no else Why.EVIDENCE
    for why, outcome in _RANKED:
        if why in reasons:
            return outcome, why
    if row.says_no:
        return Outcome.NO_KEPT, Why.REFUSED
    if reasons:
        return Outcome.UNKNOWN, reasons[0]
    if isinstance(mail, Step):
        return (Outcome.UNCHANGED, Why.ALREADY_KNOWN) if state.known else (Outcome.MAIL_ONLY, Why.EVIDENCE)
    silent = Why.STATUS_NOT_UNDERSTOOD if row.said is Said.NOT_UNDERSTOOD else Why.NOTHING_SAID
    return Outcome.UNKNOWN, silent if mail is None else mail


_RANKED: Final = (
    (Why.REFUSED, Outcome.NO_STANDS),
    (Why.ALREADY_GIVEN, Outcome.UNCHANGED),
    (Why.ASKED_HERE, Outcome.UNCHANGED),
)


def _silenced(state: ConsentState) -> Why | None:
    """What already ended everything for this person."""
    if state.objected_at is not None:
        return Why.OBJECTED
    if state.mail_ended_at is not None:
        return Why.MAIL_ENDED
    if state.signal_on is not None:
        return Why.SIGNAL
    if state.restricted:
        return Why.RESTRICTED
    return Why.MINOR if state.minor else None


def _dated(row: Row, state: ConsentState) -> ConsentState:
    """Where two dates are told, the later one counts: a transition is for old addresses, told in time."""
    return replace(
        state,
        address_collected_on=_later(state.address_collected_on, row.collected_on),
        legacy_notice_on=_later(state.legacy_notice_on, row.notice_on),
    )


def _later(one: date | None, other: date | None) -> date | None:
    return max(one, other) if one and other else one or other


def _meets(legacy: Legacy, state: ConsentState) -> bool:
    collected, told = state.address_collected_on, state.legacy_notice_on
    if collected is None or told is None or collected >= legacy.collected_before:
        return False
    return legacy.noticed_by is None or told <= legacy.noticed_by


def _why_no(row: Row) -> Why:
    return Why(row.said.value) if row.said in NEGATIVE else Why.REFUSED


def _status(state: ConsentState, purpose: Purpose) -> Status:
    choice = state.choices.get(purpose)
    return Status.UNKNOWN if choice is None else choice.status


def _past(at: int | None, now: int) -> int:
    return now if at is None or at > now else at
