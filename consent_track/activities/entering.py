"""Entering a choice into the ledger: how it is stamped, what is sealed of it, and what is kept beside it.

Every entry carries everything that proves it (GDPR Art. 7(1)); nothing of it can be read without a key.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Final

from consent_track.crypto import evidence, sealing
from consent_track.domain.consent import ConsentEvent, Screen, Shown
from consent_track.domain.imported import Evidence
from consent_track.domain.vocabulary import GRANTING, UNKNOWN_JURISDICTION, Act, Grade, Purpose, Status
from consent_track.records import kept_letters, ledger, screens, wordings

from . import Processing, knowing, papers

# Version 2 adds screen_id, asked_screen_id, letter_id, evidence_id. Entries of version 1 lack them and stay readable.
VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class How:
    """By which means a choice was made; stamped by the door, never by the caller (decision 9)."""

    method: str
    grade: Grade
    actor: str
    locale: str = ""
    shown: Shown | None = None  # the words on which the choice was made
    source: str = ""
    flow_id: str = ""
    jurisdiction: str = UNKNOWN_JURISDICTION
    asked_at: int | None = None  # when the question was put: the form was sent, or the mail that asked
    screen: Screen | None = None  # the page it was made on
    asked_screen_id: str = ""
    letter: bytes = field(default=b"", repr=False)  # the mail of the mailbox loop, as it was sent
    paper: Evidence | None = field(default=None, repr=False)  # a scan, an extract: what the operator holds of them
    expires_at: int | None = None  # until when it holds, where the person said so
    corrects: int | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One status of one act: for one purpose, or for all where it names none."""

    act: Act
    purpose: Purpose | None
    status: Status
    at: int | None = None  # when it came about, where that is not now


def keep(p: Processing, who: knowing.Person, how: How) -> None:
    """What was read and seen is kept with the choice; after the entries, because the chain head must be held."""
    if how.shown:
        wordings.keep(p.session, who.controller, how.shown, p.now)
    if how.screen:
        screens.keep(p.session, who.controller, how.screen, p.now)
    if how.letter:
        id_ = kept_letters.id_of(how.letter)
        sealed = sealing.seal(who.data_key, who.controller, who.reference, f"letter:{id_}", how.letter)
        kept_letters.keep(p.session, who.controller, who.reference, id_, sealed, p.now)
    if how.paper:
        papers.keep(p, who, how.paper)


def append(p: Processing, who: knowing.Person, step: Step, how: How) -> int:
    event = ConsentEvent(
        act=step.act,
        purpose=step.purpose,
        status=step.status,
        occurred_at=p.now if step.at is None else step.at,
        recorded_at=p.now,
        method=how.method,
        grade=how.grade,
        actor=how.actor,
        source=how.source,
        wording_id=how.shown.id if how.shown else "",
        locale=how.locale,
        policy_hash=p.policies.for_jurisdiction(how.jurisdiction).hash,
        jurisdiction=how.jurisdiction,
        flow_id=how.flow_id,
        expires_at=how.expires_at if step.status in GRANTING else None,
        asked_at=how.asked_at,
        scope=how.scope,
        corrects=how.corrects,
        screen_id=how.screen.id if how.screen else "",
        asked_screen_id=how.asked_screen_id,
        letter_id=kept_letters.id_of(how.letter) if how.letter else "",
        evidence_id=how.paper.id if how.paper else "",
    )
    link = link_of(p, who.controller, who.reference, who.data_key, who.address, event)
    return ledger.append(p.session, who.controller, who.reference, p.now, link)


def link_of(
    p: Processing, controller: int, reference: int, data_key: bytes, address: str, event: ConsentEvent
) -> Callable[[int, bytes], ledger.Appended]:
    """One event as the chain takes it: sealed for daily use, sealed for the escrow, hashed and signed."""
    details = event_bytes(event)
    tag = sealing.proof_tag(p.keys.proof_index, controller, address)
    escrow = p.keys.escrow_public if p.policies.house.keeps_proof else None
    if not p.policies.house.keeps_proof:  # nothing may lead from the address to the entry after an erasure
        tag = secrets.token_bytes(len(tag))
    proof = sealing.seal_to_escrow(escrow, controller, tag, details) if escrow else b""

    def make(sequence: int, previous: bytes) -> ledger.Appended:
        sealed = sealing.seal(data_key, controller, reference, f"event:{sequence}", details)
        entry = evidence.LedgerEntry(controller, sequence, reference, p.now, sealed, proof, tag)
        head = evidence.entry_hash(previous, entry)
        signature = evidence.sign_head(p.keys.ledger, controller, sequence, head)
        return ledger.Appended(sealed, proof, tag, head, signature)

    return make


def event_bytes(event: ConsentEvent) -> bytes:
    """The canonical JSON of an event: what is sealed, and what a proof shows."""
    fields = {name: value.value if isinstance(value, Enum) else value for name, value in asdict(event).items()}
    return json.dumps(
        {"version": VERSION, **fields}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
