"""A consent receipt: what a person chose, in the fields of ISO/IEC TS 27560:2023 and the terms of the W3C DPV.

One document, JSON-LD that a machine reads; the page that a person reads is made from the same receipt. The form follows
the DPV guide for 27560: a receipt holds a record, the record its processes, each process the consent states it went
through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from . import terms
from .controller import Controller
from .vocabulary import Act, Grade, Purpose, Status

SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#receipt"
RECORD_SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#record"
VERSION: Final = "1"  # of our own form of it; the JSON schema of this number is shipped in `schemas/`


class Kind(StrEnum):
    """What the paper is to its reader."""

    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"


# Statuses after which nothing is measured for that purpose; a paper about one of them confirms that it is off.
ENDINGS: Final = frozenset(
    {
        Status.REFUSED, Status.REFUSED_BY_SILENCE, Status.WITHDRAWN, Status.OBJECTED, Status.EXPIRED, Status.REVOKED,
        Status.INVALIDATED,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What an installation says in a receipt about itself. `keep_days` are calendar days; `storage` says where."""

    public_url: str
    keep_days: int
    recipients: tuple[str, ...] = ()
    storage: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One choice on paper: the signed document, and what a page shows of it."""

    kind: Kind
    controller: Controller
    events: tuple[Mapping[str, Any], ...]  # one act: the entries that share its flow
    words: Mapping[str, str]
    whose: str  # masked on a page behind a link alone, whole after the mailbox loop
    created_at: int
    reads: str = ""  # the language of the person, for a choice that was made without words of ours

    @property
    def at(self) -> int:
        return int(self.events[0]["occurred_at"])

    @property
    def locale(self) -> str:
        return str(self.events[0]["locale"]) or self.reads

    @property
    def number(self) -> str:
        """The receipt's own identifier: the act it is about, and the day it was made out."""
        first = self.events[0]
        return f"{self.controller.number}-{first['sequence']}-{iso(self.created_at)[:10]}"


def document(receipt: Receipt, told: Told) -> dict[str, Any]:
    """The receipt as JSON-LD, whole numbers and text only, so that it can be signed in one written form."""
    return {
        "@context": dict(terms.CONTEXT),
        "@id": f"urn:consent-track:receipt:{receipt.number}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt.number,
        "dct:conformsTo": SCHEMA,
        "dct:hasVersion": VERSION,
        "dct:created": iso(receipt.created_at),
        "dct:language": receipt.locale or receipt.controller.default_locale,
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": _record(receipt, told),
    }


def _record(receipt: Receipt, told: Told) -> dict[str, Any]:
    first = receipt.events[0]
    return {
        "@type": "dpv:ConsentRecord",
        "dct:identifier": f"{receipt.controller.number}-{first['sequence']}",
        "dct:conformsTo": RECORD_SCHEMA,
        "dpv:hasDataSubject": receipt.whose,
        "dpv:hasDataController": _controller(receipt.controller),
        "dpv:hasJurisdiction": terms.place(first["jurisdiction"]),
        "dpv:hasApplicableLaw": {"consent-track:policy": first["policy_hash"]},
        "dpv:hasNotice": _notice(receipt),
        "dpv:hasProcess": [_process(event, receipt, told) for event in receipt.events],
        "dpv:hasRecipient": [receipt.controller.name, *told.recipients],
        "dpv:hasConsentControl": {
            "@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"],
            "dpv:isExercisedAt": f"{told.public_url}/privacy",
            "dct:description": "The link at the end of every email, or this page; no login and no reason is needed.",
        },
        "dpv:hasRight": {"@type": "dpv:DataSubjectRight", "dpv:isExercisedAt": f"{told.public_url}/privacy"},
    }


def _controller(controller: Controller) -> dict[str, Any]:
    return {
        "@type": "dpv:DataController",
        "schema:name": controller.name,
        "schema:email": controller.contact,
        "schema:address": controller.postal_address,
        "dpv:hasPolicy": controller.privacy_policy,
    }


def _notice(receipt: Receipt) -> dict[str, Any]:
    first = receipt.events[0]
    return {
        "@type": "dpv:ConsentNotice",
        "dct:identifier": first["wording_id"],
        "dct:language": receipt.locale,
        "schema:url": receipt.controller.privacy_policy,
        "consent-track:words": dict(sorted(receipt.words.items())),
        "consent-track:screen": first.get("screen_id", ""),
    }


def _process(event: Mapping[str, Any], receipt: Receipt, told: Told) -> dict[str, Any]:
    act, purpose = Act(event["act"]), Purpose(event["purpose"]) if event["purpose"] else None
    otherwise = terms.MAIL_TERMS if act is Act.MAIL else terms.MEASURED_TERMS
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": terms.PURPOSE_TERMS[purpose] if purpose else terms.ACT_PURPOSES[act],
        "consent-track:purpose": purpose.value if purpose else act.value,
        "dpv:hasProcessing": terms.ACT_TERMS[act],
        "dpv:hasLegalBasis": terms.consent_basis(event["jurisdiction"]),
        "dpv:hasPersonalData": list(terms.DATA_TERMS.get(purpose, otherwise) if purpose else otherwise),
        "dpv:hasDataSource": "dpv:DataSubjectDataSource",
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _duration("Temporal", f"P{told.keep_days}D")},
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": told.storage or receipt.controller.name},
        ],
        "dpv:hasConsentStatus": [_event(event)],
    }


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The five fields of an event (27560, clause 6.3.7: time, validity, entity, type, state), and what proves it."""
    status, until = Status(event["status"]), event.get("expires_at")
    return {
        "@type": terms.STATUS_TERMS[status],
        "consent-track:status": status.value,
        "consent-track:sequence": event["sequence"],
        "dpv:isIndicatedAtTime": iso(event["occurred_at"]),
        "dpv:hasDuration": _duration("UntilTime", iso(until)) if until else _duration("UntilEvent", "withdrawal"),
        "dpv:isIndicatedBy": terms.ACTOR_TERMS[event["actor"]],
        "dpv:hasIndicationMethod": event["method"],
        "consent-track:recorded": iso(event["recorded_at"]),
        "consent-track:asked": iso(event["asked_at"]) if event.get("asked_at") else "",
        "consent-track:grade": terms.GRADE_TERMS[Grade(event["grade"])],
    }


def _duration(kind: str, value: str) -> dict[str, str]:
    return {"@type": f"dpv:{kind}Duration", "rdf:value": value}


def iso(at: int) -> str:
    """An instant as it is written in documents: 2026-11-23T14:32:00Z."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
