"""Receipts: a choice on paper that the person keeps, readable, and signed so that it holds against us (RE-04)."""

import base64
from typing import Any, Final

from consent_track.crypto import evidence
from consent_track.domain.address import masked
from consent_track.domain.canonical import canonical
from consent_track.domain.receipt import ENDINGS, Kind, Receipt, Told, document
from consent_track.domain.vocabulary import Status

from . import Processing, knowing, proving, retaining

KIND: Final = "receipt v1"


def receipt_of(p: Processing, controller: int, subject: int, sequence: int, *, whole: bool) -> Receipt | None:
    """The receipt of the act that entry `sequence` belongs to; None where this person has no such entry.

    `whole`: with the full address, for whoever has shown that the mailbox is theirs; else masked (CC-15).
    """
    who = knowing.person(p, controller, subject)
    if who is None:
        return None
    events = proving.history(p, controller, who.address)
    named = next((event for event in events if event["sequence"] == sequence), None)
    if named is None:
        return None
    act = tuple(event for event in events if event["flow_id"] == named["flow_id"])
    kind = Kind.WITHDRAWAL if Status(named["status"]) in ENDINGS else Kind.CONSENT
    whose = who.address if whole else masked(who.address)
    return Receipt(kind, p.controller(controller), act, named["words"] or {}, whose, p.now)


def signed(p: Processing, receipt: Receipt, public_url: str) -> dict[str, Any]:
    """The receipt as signed JSON-LD. `proof` is over the canonical form of everything else."""
    told = Told(public_url, retaining.keep_days(p.policies, "hits"))
    made = document(receipt, told)
    signature = evidence.sign_document(p.keys.ledger, KIND, canonical(made))
    proof = {
        "type": "Ed25519 over canonical JSON, prefixed consent_track receipt v1",
        "publicKey": base64.b64encode(p.keys.ledger_public).decode(),
        "signatureValue": base64.b64encode(signature).decode(),
    }
    return {**made, "proof": proof}
