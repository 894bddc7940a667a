"""Correcting the ledger: nothing in it is changed; a new entry names the one that is wrong (GDPR Art. 5(1)(d)).

A correction can only narrow what is allowed, with one exception: a no that the operator entered by mistake gives way
to what proves the person's yes. A person's own no is never corrected; only their own yes can follow it.
"""

from dataclasses import replace
from typing import Any, Final

from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import GRANTING, Grade, Purpose, Status
from consent_track.records import consent

from . import Processing, consenting, knowing, proving
from .consenting import Done, Unknown
from .entering import How

# What an operator can have entered by mistake and evidence can undo; an objection and an end of the mail it cannot.
MISTAKEN: Final = frozenset({Status.REFUSED, Status.WITHDRAWN, Status.REVOKED, Status.INVALIDATED})
# Grades that rest on something that is kept and can be looked at.
EVIDENCED: Final = frozenset({Grade.PAPER, Grade.AUTHENTICATED_ACCOUNT})


def correct(p: Processing, controller: int, address: str, entry: int, how: How) -> Done | Unknown:
    """Correct entry `entry` about an address, in one transaction with the reading of it.

    A yes that should not be there: invalidated; measuring ends if the choice still rests on it, while a later yes of
    the person's own stays. Either way what was measured goes. An operator's no: given, with the grade of the evidence
    in `how.paper`, if the choice still stands there and nothing else stands against it. Raises InputRefused (fields
    `address`, `controller`, `--entry`, `--paper`).
    """
    p.controller(controller)
    subject = knowing.find(p, controller, address)
    if subject is None:
        raise InputRefused.one("address", "nothing is held about it")
    state = consent.lock_state(p.session, controller, subject) or UNKNOWN_PERSON
    events = proving.history(p, controller, address)
    wrong = next((event for event in events if event["sequence"] == entry), None)
    if wrong is None:
        raise InputRefused.one("--entry", f"{entry} is no entry about this address")
    if any(event["corrects"] == entry for event in events):
        return Done(p.now, already=True)
    if wrong["purpose"] is None:
        raise InputRefused.one("--entry", f"{entry} concerns no single purpose")

    purpose, stamp = Purpose(wrong["purpose"]), replace(how, corrects=entry, jurisdiction=wrong["jurisdiction"])
    stands = purpose in state.choices and state.choices[purpose].sequence == entry
    if Status(wrong["status"]) in GRANTING:
        if _rests_on(events, state, purpose, entry):
            return consenting.revoke(p, controller, subject, stamp, frozenset({purpose}))
        consenting.note_erasure(p, controller, subject, stamp.jurisdiction, purpose.bit)
        return consenting.annotate(p, controller, subject, purpose, Status.INVALIDATED, stamp)
    _check_mistake(wrong, stands, state, stamp)
    return consenting.grant(p, controller, subject, [purpose], stamp)


def _rests_on(events: list[dict[str, Any]], state: ConsentState, purpose: Purpose, entry: int) -> bool:
    """Whether the standing yes rests on this entry: nothing came later but renewals that are no yes of their own.

    Whoever confirms from their own mailbox says yes anew, whatever stood there before (decision 9).
    """
    choice = state.choices.get(purpose)
    if choice is None or not choice.granting:
        return False
    later = [event for event in events if event["purpose"] == purpose.value and event["sequence"] > entry]
    return all(
        Status(event["status"]) is Status.RENEWED and Grade(event["grade"]) is not Grade.MAILBOX_LOOP for event in later
    )


def _check_mistake(wrong: dict[str, Any], stands: bool, state: ConsentState, how: How) -> None:
    """Any doubt is a no. Raises InputRefused (`--entry`, `--paper`)."""
    entry = wrong["sequence"]
    if wrong["actor"] != "operator" or Status(wrong["status"]) not in MISTAKEN:
        raise InputRefused.one(
            "--entry", f"{entry} is not a no that you entered; only the person's own yes can follow it"
        )
    if how.paper is None or how.grade not in EVIDENCED:
        raise InputRefused.one("--paper", "is needed: a no gives way to nothing but what proves the yes")
    if not stands:
        raise InputRefused.one("--entry", f"{entry} is not where the choice stands; what came later holds")
    signalled = state.signal_on is not None and state.signal_waived_at is None
    silenced = state.objected_at is not None or state.mail_ended_at is not None or signalled
    if silenced or state.restricted or state.minor:
        raise InputRefused.one("--entry", "the person has said no to all of it; only their own yes can follow that")
