"""Explaining: what was decided about one person's mail, on what ground, and what has changed since.

It answers "was there a pixel in Mr Dupont's mail of 3 September?" from the mailing register, the ledger and the
versions of the policies (GDPR Art. 5(2), 12, 15). Nothing is read from hits, and nothing is written.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from consent_track.domain.address import is_role, normalise
from consent_track.domain.clocks import NOES
from consent_track.domain.consent import UNKNOWN_PERSON, Choice, ConsentState
from consent_track.domain.decision import DAY, Message, Reason, Recipient
from consent_track.domain.imported import ENDED
from consent_track.domain.vocabulary import GRANTING, Act, Grade, MailType, Purpose, Status
from consent_track.records import consent, mailing, policy_versions
from consent_track.records.policy_versions import PolicyVersion

from . import Processing, knowing, proving

Event = Mapping[str, Any]
_REASONS: Final = frozenset(Reason)
_PURPOSES: Final = frozenset(Purpose)
_ENDS: Final = frozenset({Status.WITHDRAWN, Status.REFUSED, Status.OBJECTED, Status.REVOKED, Status.INVALIDATED})


@dataclass(frozen=True, slots=True)
class Person:
    """Whom an address stands for today: what a decision reads of them, and what the ledger says, oldest first."""

    recipient: Recipient
    state: ConsentState
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class PastMail:
    """One mail of the register, with the policy and the choices of its moment.

    `policy` is None where no version of that hash is kept any more. `events` are the ledger's up to that moment,
    `since` those after it. `state` follows from `events`; a restriction, the age and the dates of a transition have
    no history and are those of today.
    """

    row: mailing.Prepared
    policy: PolicyVersion | None
    state: ConsentState
    events: tuple[Event, ...]
    since: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a row of the register says of its mail: the questions a decision has of it, and the answers it got."""

    recipient: Recipient
    message: Message
    reasons: Mapping[Purpose, Reason]


def person(p: Processing, controller: int, address: str) -> Person:
    """Whom an address stands for. Raises InputRefused (fields `address`, `controller`)."""
    p.controller(controller)
    subject = knowing.find(p, controller, address)
    facts = Recipient(
        known=subject is not None,
        role_address=is_role(normalise(address)),
        erased=knowing.is_suppressed(p, controller, address),
        audience=None,
    )
    state = consent.find_state(p.session, controller, subject) if subject is not None else None
    return Person(facts, state or UNKNOWN_PERSON, tuple(proving.history(p, controller, address)))


def past_mails(
    p: Processing,
    controller: int,
    address: str,
    *,
    on: date | None = None,
    message: int | None = None,
    campaign: str | None = None,
) -> list[PastMail]:
    """The mails that were prepared for an address, oldest first: of one day (UTC), of a campaign, or one mail.

    Empty where the register has none: it forgets by its own retention, and an erased person's rows are gone.
    Raises InputRefused (fields `address`, `controller`).
    """
    p.controller(controller)
    subject = knowing.find(p, controller, address)
    if subject is None:
        return []
    begin = None if on is None else int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp())
    end = None if begin is None else begin + DAY
    rows = mailing.of_subject(p.session, controller, subject, begin=begin, end=end, campaign=campaign, message=message)
    events = proving.history(p, controller, address) if rows else []
    today = consent.find_state(p.session, controller, subject) or UNKNOWN_PERSON
    return [_then(p, row, events, today) for row in rows]


def _then(p: Processing, row: mailing.Prepared, events: Sequence[Event], today: ConsentState) -> PastMail:
    versions = policy_versions.by_hash(p.session, row.policy_hash)
    before = tuple(event for event in events if event["sequence"] <= row.consent_sequence)
    since = tuple(event for event in events if event["sequence"] > row.consent_sequence)
    return PastMail(row, versions[0] if versions else None, state_after(before, today, row.prepared_at), before, since)


def said_of(row: mailing.Prepared) -> Said:
    """What the register says of a mail. What only its sender knew is read from the reasons that were noted."""
    noted = json.loads(row.decisions).items()
    reasons = {Purpose(name): Reason(why) for name, why in noted if name in _PURPOSES and why in _REASONS}
    found = frozenset(reasons.values())
    recipient = Recipient(
        known=row.subject != 0,
        role_address=Reason.ROLE_ADDRESS in found,
        several=Reason.SEVERAL_RECIPIENTS in found,
        erased=Reason.ERASED in found,
        audience=0 if Reason.AUDIENCE_TOO_SMALL in found else None,  # the register does not say how many it was
    )
    scope = frozenset(purpose for purpose, why in reasons.items() if why is not Reason.OUT_OF_SCOPE)
    sensitive = Reason.SENSITIVE_MAIL in found
    message = Message(MailType(row.mail_type), row.jurisdiction, scope, row.prepared_at, sensitive)
    return Said(recipient, message, reasons)


def state_after(events: Sequence[Event], today: ConsentState, at: int) -> ConsentState:
    """Where a person's choices stood at an instant, after these entries of the ledger."""
    waived = today.signal_waived_at
    state = replace(
        today, choices={}, objected_at=None, mail_ended_at=None, signal_on=None, sequence=0, known=bool(events),
        signal_waived_at=waived if waived is not None and waived <= at else None,
    )  # fmt: skip
    for event in events:
        state = replace(_after(state, event), sequence=event["sequence"])
    return state


def _after(state: ConsentState, event: Event) -> ConsentState:
    status, at, method = Status(event["status"]), event["occurred_at"], event["method"]
    if event["act"] == Act.MAIL:
        return replace(
            state, mail_ended_at=at if status in _ENDS else None if status in GRANTING else state.mail_ended_at
        )
    if method == "signal":
        return replace(state, signal_on=datetime.fromtimestamp(at, UTC).date())
    if status is Status.OBJECTED:
        state = replace(state, objected_at=at)
    elif status in GRANTING and event["grade"] == Grade.MAILBOX_LOOP.value:  # the person themselves, later
        state = replace(state, objected_at=None)
    if event["purpose"] is None and method != "import":
        return state
    choice = Choice(status, at, Grade(event["grade"]), event["expires_at"], event["sequence"])
    return replace(state, choices={**state.choices, **dict.fromkeys(_meant(state, event), choice)})


def _meant(state: ConsentState, event: Event) -> list[Purpose]:
    """The purposes of an entry; one of an import without a purpose refuses all that were neither given nor refused."""
    if event["purpose"] is not None:
        return [Purpose(event["purpose"])]
    stand = {purpose for purpose, choice in state.choices.items() if choice.granting or choice.status in NOES}
    return [purpose for purpose in ENDED if purpose not in stand]
