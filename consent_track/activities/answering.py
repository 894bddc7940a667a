"""Answering a person's request: here erasure, in the order that two stores without a common commit allow.

Main transaction (rows, tombstone, intent), then the key, then the intent is closed. A crash in between is finished by
the worker: the intent row says what is left to do.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from consent_track.crypto import sealing
from consent_track.domain.address import normalise
from consent_track.records import consent, datamap, erasures, subjects, suppression
from consent_track.records.database import write
from consent_track.records.tables import Store

from . import Processing, certifying, confirming, consenting, informing, knowing
from .entering import How
from .informing import Event

Begin = Callable[[], AbstractContextManager[Processing]]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to: rows deleted by table, and what stays under which article."""

    held: bool
    deleted: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    certificate: int = 0  # its number


def erase(begin: Begin, controller: int, address: str, how: How) -> Erased:
    """Erase a person everywhere (GDPR Art. 17): rows, then the key that makes every copy of the rest unreadable.

    Idempotent. Raises InputRefused (field `address`, `controller`). The proof of choices stays by its own rule
    (GDPR Art. 17(3)(e)), unreadable here; the suppression tombstone keeps the person from being brought back.
    """
    with begin() as p:
        erased = erase_in(p, controller, address, how)
    finish(begin)
    return erased


def erase_in(p: Processing, controller: int, address: str, how: How) -> Erased:
    """The part of an erasure that is one transaction of the main database; `finish` has to follow.

    Raises InputRefused (field `address`, `controller`).
    """
    p.controller(controller)
    subject = knowing.find(p, controller, address)
    if subject is None:
        return Erased(held=False)
    consent.lock_state(p.session, controller, subject)
    consenting.record_erasure(p, controller, subject, how)
    informing.call_off(p, controller, subject)
    informing.inform(p, controller, subject, normalise(address), Event.ERASED)
    deleted = datamap.erase(p.session, controller, subject)
    with write(p.exempt) as exempt:  # the state is held: no date is written after this (activities.exempting)
        deleted |= datamap.erase(exempt, controller, subject, Store.EXEMPT)
    tag = sealing.suppression_tag(p.keys.suppression, controller, normalise(address))
    suppression.add(p.session, controller, tag, p.now)
    confirming.forget(p, controller, normalise(address))
    erasures.begin(p.session, controller, subject, p.now, knowing.epoch_of(p, controller, subject))
    number = certifying.begin(p, controller, subject, normalise(address), deleted)
    return Erased(True, deleted, datamap.kept(), number)


def finish(begin: Begin) -> int:
    """Destroy the keys of erasures whose rows are gone, and close their intents; retried until all are done."""
    with begin() as p:
        open_intents = erasures.unfinished(p.session)
    for intent in open_intents:
        with begin() as p:
            with write(p.keyring) as keyring:
                subjects.destroy(keyring, intent.controller, intent.subject)
            erasures.done(p.session, intent.controller, intent.subject, p.now)
    return len(open_intents)
