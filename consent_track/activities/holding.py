"""Holding back the purge, and the erasure after a withdrawal, for people whose data is needed for now.

A legal hold is the operator's, with a reason (GDPR Art. 17(3)(e)); a restriction is the person's (Art. 18). An open
request for access keeps what stood at its receipt (EDPB 01/2022); as long as nobody proved to ask, for two weeks only.
"""

import secrets
from enum import StrEnum
from typing import Final

from consent_track.domain.errors import InputRefused
from consent_track.records import holds
from consent_track.records.holds import Hold

from . import Processing

# An unproved request must not keep anybody's data longer than they would want it kept (decision 19). Seconds.
UNPROVED: Final = 14 * 86_400


class Kind(StrEnum):
    """Why somebody is held. The value is stored: append, never rename."""

    LEGAL = "legal"
    REQUEST = "request"
    RESTRICTION = "restriction"


Held = frozenset[tuple[int, int]]


def held(p: Processing) -> Held:
    """Everybody who is held now: controller and reference."""
    return frozenset((one.controller, one.subject) for one in holds.standing(p.session, p.now))


def is_held_legally(p: Processing, controller: int, subject: int) -> bool:
    """Whether a dispute keeps somebody's data, so that an erasure has to be refused for now."""
    standing = holds.standing(p.session, p.now, controller)
    return any(one.subject == subject and one.kind == Kind.LEGAL for one in standing)


def begin(
    p: Processing, controller: int, subject: int, kind: Kind, reason: str, *, until: int | None = None, request: int = 0
) -> Hold:
    """Hold somebody. Raises InputRefused (field `reason`, `until`)."""
    if not reason.strip():
        raise InputRefused.one("reason", "is needed: whoever keeps data longer has to say why")
    if until is not None and until <= p.now:
        raise InputRefused.one("until", "lies in the past")
    hold = Hold(controller, secrets.randbits(40) or 1, subject, kind, request, reason.strip()[:500], p.now, until)
    holds.add(p.session, hold)
    return hold


def lift(p: Processing, controller: int, number: int) -> None:
    """End a hold. Raises InputRefused (field `number`)."""
    if not holds.lift(p.session, controller, p.now, id=number):
        raise InputRefused.one("number", "no such hold stands")


def restrict(p: Processing, controller: int, subject: int, *, restricted: bool) -> None:
    """Hold somebody who asked for restriction, or no longer."""
    holds.lift(p.session, controller, p.now, subject=subject, kind=Kind.RESTRICTION.value)
    if restricted:
        begin(p, controller, subject, Kind.RESTRICTION, "GDPR Art. 18(1)")


def keep_for_request(p: Processing, controller: int, subject: int, request: int, due_at: int) -> None:
    """Keep what stands now for an open request, for two weeks at most while nobody proved to ask (decision 19)."""
    until = min(p.now + UNPROVED, due_at)
    if until > p.now:
        begin(p, controller, subject, Kind.REQUEST, "GDPR Art. 15", until=until, request=request)


def keep_until_answered(p: Processing, controller: int, request: int, due_at: int) -> None:
    """The person is proved: keep it until the answer is due."""
    holds.postpone(p.session, controller, request, due_at)


def release(p: Processing, controller: int, request: int) -> None:
    """The request is answered."""
    holds.lift(p.session, controller, p.now, request=request)


def standing(p: Processing, controller: int) -> list[Hold]:
    """Every hold of a controller that stands."""
    return holds.standing(p.session, p.now, controller)
