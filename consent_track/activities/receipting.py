"""Receipts: a choice on paper that the person keeps, readable, and signed so that it holds against us (RE-04)."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from consent_track.crypto import evidence
from consent_track.domain import kantara, shape
from consent_track.domain.address import masked
from consent_track.domain.canonical import canonical
from consent_track.domain.controller import Controller, ProcessorRole
from consent_track.domain.receipt import ENDINGS, VERSION, Kind, Receipt, Told, document
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
    return Receipt(kind, p.controller(controller), act, named["words"] or {}, whose, p.now, who.locale)


def signed(p: Processing, receipt: Receipt, public_url: str) -> dict[str, Any]:
    """The receipt as signed JSON-LD. `proof` is over the canonical form of everything else."""
    made = document(receipt, _told(p, receipt.controller, public_url))
    signature = evidence.sign_document(p.keys.ledger, KIND, canonical(made))
    proof = {
        "type": "Ed25519 over canonical JSON, prefixed consent_track receipt v1",
        "publicKey": proving.in_base64(p.keys.ledger_public),
        "signatureValue": proving.in_base64(signature),
    }
    return {**made, "proof": proof}


def as_kantara(p: Processing, receipt: Receipt, public_url: str) -> dict[str, Any]:
    """The receipt in the fields of the Kantara Consent Receipt 1.1."""
    told = _told(p, receipt.controller, public_url)
    return kantara.view(receipt, told, proving.in_base64(p.keys.ledger_public))


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of a receipt, as it is shipped."""
    place = files("consent_track") / "schemas" / f"consent-receipt-{VERSION}.json"
    return dict(json.loads(place.read_text(encoding="utf-8")))


def missing(made: dict[str, Any]) -> list[str]:
    """What a receipt lacks of ISO/IEC TS 27560, or has otherwise than it should, each by its path (RE-03)."""
    return shape.faults(schema(), made)


def _told(p: Processing, controller: Controller, public_url: str) -> Told:
    """Who gets the data, and where it lies: as the controller is configured, the same as in its privacy notice."""
    others = (*(one.name for one in controller.processors), *(one.name for one in controller.joint_controllers))
    hosts = [one for one in controller.processors if one.role is ProcessorRole.HOSTING]
    storage = "; ".join(", ".join(filter(None, (one.name, one.country))) for one in hosts)
    return Told(public_url, retaining.keep_days(p.policies, "hits"), others, storage)
