"""Entering a choice in the ledger: what is sealed for daily use, what is sealed for the escrow, and the link between.

Two envelopes (decision 16): the person's own key, which an erasure destroys, and the controller's offline key, which
opens the proof for a complaint until the limitation date.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from enum import Enum
from typing import Any, Final

from consent_track.crypto import evidence, sealing
from consent_track.domain.canonical import canonical
from consent_track.domain.consent import ConsentEvent
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Evidence
from consent_track.records import kept_papers, ledger
from consent_track.records.kept_papers import KeptPaper

from . import Processing
from .knowing import Person

# Version 2 adds screen_id, asked_screen_id, letter_id, evidence_id. Entries of version 1 lack them and stay readable.
VERSION: Final = 2


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


def keep_paper(p: Processing, who: Person, paper: Evidence) -> None:
    """Keep what the operator holds of one person: a scan names them, so it is sealed like the choice it proves."""
    packed = _packed(paper)
    sealed = sealing.seal(who.data_key, who.controller, who.reference, _label(paper.id), packed)
    tag = sealing.proof_tag(p.keys.proof_index, who.controller, who.address)
    escrow = p.keys.escrow_public if p.policies.house.keeps_proof else None
    proof = sealing.seal_to_escrow(escrow, who.controller, tag, packed) if escrow else b""
    kept_papers.keep(p.session, KeptPaper(who.controller, who.reference, paper.id, sealed, proof), p.now)


def paper_of(p: Processing, who: Person, id_: str) -> Evidence | None:
    """A paper of somebody who is known, or None."""
    kept = kept_papers.find(p.session, who.controller, who.reference, id_)
    if kept is None:
        return None
    return _unpacked(id_, sealing.unseal(who.data_key, who.controller, who.reference, _label(id_), kept.sealed))


def escrowed_paper(
    p: Processing, controller: int, subject: int, id_: str, tag: bytes, private: bytes
) -> Evidence | None:
    """A paper as the offline key opens it, also after an erasure, or None. Raises InputRefused (`--escrow-key`)."""
    kept = kept_papers.find(p.session, controller, subject, id_)
    if kept is None or not kept.proof:
        return None
    try:
        return _unpacked(id_, sealing.open_escrow(private, controller, tag, kept.proof))
    except sealing.SealBroken:
        raise InputRefused.one("--escrow-key", "does not open a paper: it is another installation's") from None


def _label(id_: str) -> str:
    return f"paper:{id_}"


def _packed(paper: Evidence) -> bytes:
    """Who signs for it in the first line, the paper itself below."""
    said: dict[str, Any] = {"kind": paper.kind, "name": paper.name, "media_type": paper.media_type}
    said |= {"signed_by": paper.signed_by, "signed_on": paper.signed_on.isoformat()}
    return canonical(said) + b"\n" + paper.content


def _unpacked(id_: str, packed: bytes) -> Evidence:
    first, _, content = packed.partition(b"\n")
    said = json.loads(first)
    return Evidence(
        id_, said["kind"], said["name"], said["media_type"], content, said["signed_by"],
        date.fromisoformat(said["signed_on"]),
    )  # fmt: skip
