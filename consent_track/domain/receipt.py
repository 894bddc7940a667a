"""A consent receipt: what a person chose, in the words of ISO/IEC TS 27560:2023 and the W3C Data Privacy Vocabulary 2.

One mapping table from our words to the vocabulary's, and one document: JSON-LD that a machine reads, from which the
page that a person reads is made, too. What the vocabulary has no term for keeps our own word beside the nearest one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from .controller import Controller
from .vocabulary import Act, Grade, Purpose, Status

SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#receipt"
RECORD_SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560#record"
# The context stands in the document: whoever reads it offline needs nothing else.
CONTEXT: Final[Mapping[str, str]] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "pd": "https://w3id.org/dpv/pd#",
    "schema": "https://schema.org/",
    "consent-track": "urn:consent-track:",
}

STATUS_TERMS: Final[Mapping[Status, str]] = {
    Status.UNKNOWN: "dpv:ConsentUnknown",
    Status.REQUESTED: "dpv:ConsentRequested",
    Status.DEFERRED: "dpv:ConsentRequestDeferred",
    Status.GIVEN: "dpv:ConsentGiven",
    Status.RENEWED: "dpv:RenewedConsentGiven",
    Status.REFUSED: "dpv:ConsentRefused",
    Status.REFUSED_BY_SILENCE: "dpv:ConsentRefused",
    Status.WITHDRAWN: "dpv:ConsentWithdrawn",
    Status.OBJECTED: "eu-gdpr:A21",
    Status.EXPIRED: "dpv:ConsentExpired",
    Status.REVOKED: "dpv:ConsentRevoked",
    Status.INVALIDATED: "dpv:ConsentInvalidated",
}
# The nearest purpose of the vocabulary; ours stands beside it.
PURPOSE_TERMS: Final[Mapping[Purpose, str]] = {
    Purpose.AUTH_SECURITY: "dpv:EnforceSecurity",
    Purpose.DELIVERABILITY_HYGIENE: "dpv:OptimisationForController",
    Purpose.LEGAL_NOTICE_RECEIPT: "dpv:LegalCompliance",
    Purpose.AGGREGATE_COUNT: "dpv:OptimisationForController",
    Purpose.OPEN_PERFORMANCE: "dpv:OptimisationForController",
    Purpose.CLICK_PERFORMANCE: "dpv:OptimisationForController",
    Purpose.PERSONALISATION: "dpv:Personalisation",
    Purpose.SALES_FOLLOWUP: "dpv:DirectMarketing",
    Purpose.CROSS_CHANNEL_PROFILE: "dpv:Personalisation",
    Purpose.CRM_ATTRIBUTION: "dpv:CustomerRelationshipManagement",
    Purpose.FRAUD_ANALYSIS: "dpv:FraudPreventionAndDetection",
    Purpose.FREQUENCY_ADAPTATION: "dpv:OptimisationForController",
    Purpose.GEO: "dpv:Personalisation",
}
MAIL_TERM: Final = "dpv:DirectMarketing"
ACT_TERMS: Final[Mapping[Act, str]] = {Act.MAIL: "dpv:Use", Act.TRACKING: "dpv:Record"}
GRADE_TERMS: Final[Mapping[Grade, str]] = {grade: f"consent-track:grade-{grade.value}" for grade in Grade}
# What each purpose reads of a person; the lists of the recipient's pages.
DATA: Final[Mapping[Purpose, tuple[str, ...]]] = {
    Purpose.OPEN_PERFORMANCE: ("pd:EmailAddress", "pd:ServiceConsumptionBehavior"),
    Purpose.CLICK_PERFORMANCE: ("pd:EmailAddress", "pd:LinkClicked"),
    Purpose.DELIVERABILITY_HYGIENE: ("pd:EmailAddress",),
}
_DATA_OTHERWISE: Final = ("pd:EmailAddress", "pd:ServiceConsumptionBehavior")


class Kind(StrEnum):
    """What the paper is to its reader."""

    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"


ENDINGS: Final = frozenset(
    {Status.REFUSED, Status.WITHDRAWN, Status.OBJECTED, Status.EXPIRED, Status.REVOKED, Status.INVALIDATED}
)


@dataclass(frozen=True, slots=True)
class Told:
    """What an installation says in a receipt about itself and its time limits. Days are calendar days."""

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

    @property
    def at(self) -> int:
        return int(self.events[0]["occurred_at"])

    @property
    def locale(self) -> str:
        return str(self.events[0]["locale"])

    @property
    def number(self) -> str:
        """The receipt's own identifier: the act it is about, and the day it was made out."""
        first = self.events[0]
        return f"{self.controller.number}-{first['sequence']}-{_iso(self.created_at)[:10]}"


def document(receipt: Receipt, told: Told) -> dict[str, Any]:
    """The receipt as JSON-LD, whole numbers and text only, so that it can be signed in one written form."""
    first = receipt.events[0]
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:consent-track:receipt:{receipt.number}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt.number,
        "dct:conformsTo": SCHEMA,
        "dct:created": _iso(receipt.created_at),
        "dct:language": receipt.locale,
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": {
            "@type": "dpv:ConsentRecord",
            "dct:identifier": f"{receipt.controller.number}-{first['sequence']}",
            "dct:conformsTo": RECORD_SCHEMA,
            "dpv:hasDataSubject": receipt.whose,
            "dpv:hasDataController": _controller(receipt.controller),
            "dpv:hasJurisdiction": first["jurisdiction"],
            "dpv:hasApplicableLaw": {"consent-track:policy": first["policy_hash"]},
            "dpv:hasNotice": _notice(receipt),
            "dpv:hasProcess": [_process(event, receipt, told) for event in receipt.events],
            "dpv:hasRecipient": [receipt.controller.name, *told.recipients],
            "dpv:hasConsentControl": f"{told.public_url}/privacy",
            "consent-track:withdrawal": "The link at the end of every email, or this page, without login or reason.",
            "consent-track:events": [_event(event) for event in receipt.events],
        },
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
        "consent-track:words": dict(sorted(receipt.words.items())),
        "consent-track:screen": first.get("screen_id", ""),
    }


def _process(event: Mapping[str, Any], receipt: Receipt, told: Told) -> dict[str, Any]:
    purpose = Purpose(event["purpose"]) if event["purpose"] else None
    tracking = event["act"] == Act.TRACKING.value
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": PURPOSE_TERMS[purpose] if purpose else MAIL_TERM,
        "consent-track:purpose": purpose.value if purpose else event["act"],
        "dpv:hasProcessing": ACT_TERMS[Act(event["act"])],
        "dpv:hasLegalBasis": "eu-gdpr:A6-1-a",
        "dpv:hasPersonalData": list(DATA.get(purpose, _DATA_OTHERWISE))
        if purpose and tracking
        else ["pd:EmailAddress"],
        "dpv:hasStorageCondition": {
            "dpv:hasDuration": f"P{told.keep_days}D",
            "dpv:hasLocation": told.storage or receipt.controller.name,
        },
    }


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    status = Status(event["status"])
    return {
        "@type": STATUS_TERMS[status],
        "consent-track:status": status.value,
        "consent-track:sequence": event["sequence"],
        "dct:date": _iso(event["occurred_at"]),
        "consent-track:recorded": _iso(event["recorded_at"]),
        "consent-track:asked": _iso(event["asked_at"]) if event.get("asked_at") else "",
        "dpv:hasDuration": _iso(event["expires_at"]) if event.get("expires_at") else "until withdrawn",
        "dpv:isIndicatedBy": event["actor"],
        "consent-track:method": event["method"],
        "consent-track:grade": GRADE_TERMS[Grade(event["grade"])],
    }


# What a document of ours must have, by path (ISO/IEC TS 27560:2023 clause 6; RE-03).
REQUIRED: Final[tuple[str, ...]] = (
    "@context", "@type", "dct:identifier", "dct:conformsTo", "dct:created", "dpv:hasRecordOfActivity",
    "dpv:hasRecordOfActivity/dct:identifier", "dpv:hasRecordOfActivity/dct:conformsTo",
    "dpv:hasRecordOfActivity/dpv:hasDataSubject", "dpv:hasRecordOfActivity/dpv:hasDataController",
    "dpv:hasRecordOfActivity/dpv:hasJurisdiction", "dpv:hasRecordOfActivity/dpv:hasNotice",
    "dpv:hasRecordOfActivity/dpv:hasProcess", "dpv:hasRecordOfActivity/dpv:hasRecipient",
    "dpv:hasRecordOfActivity/dpv:hasConsentControl", "dpv:hasRecordOfActivity/consent-track:events",
)  # fmt: skip


def missing(found: Mapping[str, Any]) -> list[str]:
    """The required fields that a document lacks or leaves empty."""
    lacking = []
    for path in REQUIRED:
        value: Any = found
        for step in path.split("/"):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value in (None, "", [], {}):
            lacking.append(path)
    return lacking


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
