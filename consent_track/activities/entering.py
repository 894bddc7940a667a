"""Entering a choice in the ledger: what is sealed for daily use, what is sealed for the escrow, and the link between.

Two envelopes (decision 16): the person's own key, which an erasure destroys, and the controller's offline key, which
opens the proof for a complaint until the limitation date.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict
from enum import Enum
from typing import Final

from consent_track.crypto import evidence, sealing
from consent_track.domain.consent import ConsentEvent
from consent_track.records import ledger

from . import Processing

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
