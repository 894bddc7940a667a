"""Showing a person what is held about them and their choices, once they have shown that the mailbox is theirs."""

from dataclasses import dataclass
from typing import Any

from consent_track.domain.consent import UNKNOWN_PERSON
from consent_track.domain.vocabulary import HitKind, Purpose
from consent_track.records import consent, hits

from . import Processing, consenting, knowing, proving


@dataclass(frozen=True, slots=True)
class Held:
    """What is held about one person, in short (GDPR Art. 15(1)); `events` are the ledger's, oldest first."""

    address: str
    locale: str
    on: tuple[Purpose, ...]
    opens: int
    clicks: int
    events: tuple[dict[str, Any], ...]
    at: int


def held(p: Processing, controller: int, subject: int) -> Held | None:
    """What is held about a person, or None for the unknown and the erased."""
    who = knowing.person(p, controller, subject)
    if who is None:
        return None
    state = consent.find_state(p.session, controller, subject) or UNKNOWN_PERSON
    kinds = [hit.kind for hit in hits.of_subject(p.session, controller, subject)]
    return Held(
        address=who.address,
        locale=who.locale,
        on=consenting.Standing("", who.locale, state).on,
        opens=kinds.count(HitKind.OPEN.value),
        clicks=kinds.count(HitKind.CLICK.value),
        events=tuple(proving.history(p, controller, who.address)),
        at=p.now,
    )
