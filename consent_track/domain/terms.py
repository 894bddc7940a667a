"""Our words in the words of the W3C Data Privacy Vocabulary (DPV 2): one table, read by receipts and exports (ST-10).

Where the vocabulary has no term of exactly this meaning, the nearest broader one stands here, and documents carry our
own word beside it. The prefixes are those of `CONTEXT`.
"""

from collections.abc import Mapping
from typing import Final

from .policy import Requirement
from .vocabulary import UNKNOWN_JURISDICTION, Act, Grade, Purpose, Status

# The context stands in the document: whoever reads it offline needs nothing else.
CONTEXT: Final[Mapping[str, str]] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
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
    # An objection (GDPR Art. 21) is no status of a consent; what is true of it is that nothing may rest on consent.
    Status.OBJECTED: "dpv:ConsentStatusInvalidForProcessing",
    Status.EXPIRED: "dpv:ConsentExpired",
    Status.REVOKED: "dpv:ConsentRevoked",
    Status.INVALIDATED: "dpv:ConsentInvalidated",
}
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
ACT_PURPOSES: Final[Mapping[Act, str]] = {
    Act.MAIL: "dpv:DirectMarketing",
    Act.TRACKING: "dpv:OptimisationForController",
}
ACT_TERMS: Final[Mapping[Act, str]] = {Act.MAIL: "dpv:Use", Act.TRACKING: "dpv:Record"}
BASIS_TERMS: Final[Mapping[Requirement, str]] = {
    Requirement.CONSENT: "dpv:ExpressedConsent",
    Requirement.NOTICE: "dpv:LegitimateInterestOfController",
    Requirement.OPT_OUT: "dpv:LegitimateInterestOfController",
    Requirement.EXEMPT: "dpv:LegalBasis",  # no consent is asked for; the basis is the controller's to name
    Requirement.NEVER: "dpv:Prohibition",
}
GRADE_TERMS: Final[Mapping[Grade, str]] = {grade: f"consent-track:grade-{grade.value}" for grade in Grade}
# Who spoke: the words of `ConsentEvent.actor`.
ACTOR_TERMS: Final[Mapping[str, str]] = {
    "subject": "dpv:DataSubject",
    "operator": "dpv:DataController",
    "system": "dpv:DataController",
}
# What each purpose reads of a person; the lists of the recipient's pages.
DATA_TERMS: Final[Mapping[Purpose, tuple[str, ...]]] = {
    Purpose.OPEN_PERFORMANCE: ("pd:EmailAddress", "pd:ServiceConsumptionBehavior"),
    Purpose.CLICK_PERFORMANCE: ("pd:EmailAddress", "pd:LinkClicked"),
    Purpose.DELIVERABILITY_HYGIENE: ("pd:EmailAddress",),
}
MEASURED_TERMS: Final = ("pd:EmailAddress", "pd:ServiceConsumptionBehavior")
MAIL_TERMS: Final = ("pd:EmailAddress",)

_EEA: Final = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO EU".split()
)


def consent_basis(jurisdiction: str) -> str:
    """Consent as a legal basis: by its article where the GDPR holds; an unknown place counts as one (decision 3)."""
    under_gdpr = jurisdiction.partition("-")[0] in _EEA | {UNKNOWN_JURISDICTION}
    return "eu-gdpr:A6-1-a" if under_gdpr else BASIS_TERMS[Requirement.CONSENT]


def place(jurisdiction: str) -> str:
    """A jurisdiction as a term: `FR` is loc:FR, `US-OTHER` is loc:US, the unknown keeps our word."""
    if jurisdiction == UNKNOWN_JURISDICTION:
        return "consent-track:unknown-jurisdiction"
    return "loc:" + jurisdiction.removesuffix("-OTHER")
