"""Showing a person what is held about them and their choices, once they have shown that the mailbox is theirs."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from consent_track.domain.consent import UNKNOWN_PERSON
from consent_track.domain.vocabulary import HitKind, Purpose
from consent_track.records import consent, hits

from . import Processing, consenting, knowing, proving


@dataclass(frozen=True, slots=True)
class Held:
    """What is held about one person, in short (GDPR Art. 15(1)).

    `acts` are the ledger's entries, newest first: those of one press or one signature stand together.
    """

    address: str
    locale: str
    on: tuple[Purpose, ...]
    opens: int
    clicks: int
    acts: tuple[tuple[dict[str, Any], ...], ...]
    at: int


def held(p: Processing, controller: int, subject: int) -> Held | None:
    """What is held about a person, or None for the unknown and the erased."""
    who = knowing.person(p, controller, subject)
    if who is None:
        return None
    state = consent.find_state(p.session, controller, subject) or UNKNOWN_PERSON
    kinds = [hit.kind for hit in hits.of_subject(p.session, controller, subject)]
    history = proving.history(p, controller, who.address)
    acts = tuple(tuple(act) for _, act in groupby(history, key=lambda event: event["flow_id"]))
    return Held(
        address=who.address,
        locale=who.locale,
        on=consenting.Standing("", who.locale, state).on,
        opens=kinds.count(HitKind.OPEN.value),
        clicks=kinds.count(HitKind.CLICK.value),
        acts=acts[::-1],
        at=p.now,
    )
