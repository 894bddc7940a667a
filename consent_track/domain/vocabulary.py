"""The words that tokens, tables, policies and people share, with the numbers that are frozen in tokens.

Numbers are append-only: a token lives for years, so a number is never reused and never changes its meaning.
"""

import re
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Final


class Purpose(StrEnum):
    """What a measurement is for. The comment names the row of the parameter table where it differs."""

    AUTH_SECURITY = "auth_security"
    DELIVERABILITY_HYGIENE = "deliverability_hygiene"
    LEGAL_NOTICE_RECEIPT = "legal_notice_receipt"  # legally_required_message
    AGGREGATE_COUNT = "aggregate_count"  # open_aggregate
    OPEN_PERFORMANCE = "open_performance"  # open_individual
    CLICK_PERFORMANCE = "click_performance"  # click_individual
    PERSONALISATION = "personalisation"
    SALES_FOLLOWUP = "sales_followup"  # no law row of its own: consent everywhere
    CROSS_CHANNEL_PROFILE = "cross_channel_profile"
    CRM_ATTRIBUTION = "crm_attribution"
    FRAUD_ANALYSIS = "fraud_analysis"
    FREQUENCY_ADAPTATION = "frequency_adaptation"
    GEO = "geo"

    @property
    def bit(self) -> int:
        return PURPOSE_BITS[self]


PURPOSE_BITS: Final[dict[Purpose, int]] = {purpose: 1 << number for number, purpose in enumerate(Purpose)}

# Reserved: they have a name and a number so that nobody invents another, and they are always declined.
RESERVED: Final = frozenset(
    {
        Purpose.CROSS_CHANNEL_PROFILE,
        Purpose.CRM_ATTRIBUTION,
        Purpose.FRAUD_ANALYSIS,
        Purpose.FREQUENCY_ADAPTATION,
        Purpose.GEO,
    }
)
# Modes with a store of their own (decisions 6 and 13): a token with an individual purpose never falls back to them.
EXEMPT_MODES: Final = frozenset(
    {
        Purpose.AUTH_SECURITY,
        Purpose.DELIVERABILITY_HYGIENE,
        Purpose.LEGAL_NOTICE_RECEIPT,
        Purpose.AGGREGATE_COUNT,
    }
)
INDIVIDUAL: Final = frozenset(Purpose) - RESERVED - EXEMPT_MODES


def to_bits(purposes: frozenset[Purpose] | set[Purpose]) -> int:
    return sum(PURPOSE_BITS[purpose] for purpose in purposes)


_FROM_BITS: dict[int, frozenset[Purpose]] = {}


def from_bits(bits: int) -> frozenset[Purpose]:
    """The purposes of a bit field; a bit nobody knows is dropped, because it can only narrow a scope."""
    known = _FROM_BITS.get(bits)
    if known is None:
        known = _FROM_BITS[bits] = frozenset(p for p, bit in PURPOSE_BITS.items() if bits & bit)
    return known


class MailType(StrEnum):
    """What a mail is, as its sender declares it. A missing or unknown type is read as the strictest."""

    AUTHENTICATION = "authentication"
    TRANSACTIONAL = "transactional"
    LEGALLY_REQUIRED = "legally_required"
    REQUESTED_NEWSLETTER = "requested_newsletter"
    SOFT_OPT_IN = "soft_opt_in"
    B2B_PROSPECTING = "b2b_prospecting"
    CONSENT_REQUEST = "consent_request"

    @property
    def number(self) -> int:
        return MAIL_TYPE_NUMBERS[self]


MAIL_TYPE_NUMBERS: Final[dict[MailType, int]] = {mail_type: number for number, mail_type in enumerate(MailType, 1)}
MAIL_TYPES: Final[dict[int, MailType]] = {number: mail_type for mail_type, number in MAIL_TYPE_NUMBERS.items()}

# Mail somebody sends because a person did something; it carries no unsubscribe link (decision 24).
SERVICE_MAIL: Final = frozenset({MailType.AUTHENTICATION, MailType.TRANSACTIONAL, MailType.LEGALLY_REQUIRED})


class Act(StrEnum):
    """Receiving mail and being measured are two acts with two choices (CNIL 2026-042; GDPR recital 43)."""

    MAIL = "mail"
    TRACKING = "tracking"


class Status(StrEnum):
    """Where a choice stands; the words of ISO/IEC TS 27560 and DPV, plus `objected` (GDPR Art. 21)."""

    UNKNOWN = "unknown"
    REQUESTED = "requested"
    DEFERRED = "deferred"
    GIVEN = "given"
    RENEWED = "renewed"
    REFUSED = "refused"
    REFUSED_BY_SILENCE = "refused_by_silence"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    EXPIRED = "expired"
    REVOKED = "revoked"
    INVALIDATED = "invalidated"


GRANTING: Final = frozenset({Status.GIVEN, Status.RENEWED})


class Grade(Enum):
    """How good the evidence of a choice is, weakest first; stamped by us, never by the caller (decision 9)."""

    __hash__ = object.__hash__  # as in HitKind

    IMPORTED = "imported"
    MESSAGE_LINK = "message_link"  # a link in a mail: good for a no, because a forwarded mail proves nobody
    OPERATOR = "operator"
    PAPER = "paper"
    AUTHENTICATED_ACCOUNT = "authenticated_account"
    MAILBOX_LOOP = "mailbox_loop"

    @property
    def rank(self) -> int:
        return _GRADE_RANK[self]


_GRADE_RANK: Final = {grade: rank for rank, grade in enumerate(Grade)}


class TokenClass(Enum):
    """Five classes, five powers (architecture of the tokens: README). The value is frozen in every token's key."""

    OPEN = "open"
    CLICK = "click"
    PREFERENCE = "preference"
    UNSUBSCRIBE = "unsubscribe"
    VERIFICATION = "verification"


class HitKind(Enum):
    """Which door a hit came through; the value is frozen in spool records and in the hits table."""

    # Members are single objects, and Enum's own hash runs in Python: here, in Grade and in policy.Requirement this
    # saves a hit 0.5 µs of 16 (measured).
    __hash__ = object.__hash__

    OPEN = 1
    CLICK = 2


UNKNOWN_JURISDICTION: Final = "ZZ"  # ISO 3166 reserves ZZ for "unknown"
_JURISDICTION: Final = re.compile(r"[A-Z]{2}(-([A-Z0-9]{1,3}|OTHER))?")


def is_jurisdiction(code: str) -> bool:
    """Whether `code` has the form of an ISO 3166 country, a subdivision of one, or `XX-OTHER`."""
    return _JURISDICTION.fullmatch(code) is not None


@lru_cache(1_024)  # a few dozen codes, packed and unpacked with every hit: 0.05 µs for 0.35
def pack_jurisdiction(code: str) -> bytes:
    """Five octets for a token: `FR` -> `FR...`, `US-CA` -> `USCA.`, `US-OTHER` -> `US*..` (dots are zero octets)."""
    if not is_jurisdiction(code):
        raise ValueError(f"jurisdiction: {code!r} is not an ISO 3166 code")
    country, _, region = code.partition("-")
    return (country + ("*" if region == "OTHER" else region)).encode("ascii").ljust(5, b"\0")


@lru_cache(1_024)  # asked for genuine tokens and whole frames only
def unpack_jurisdiction(octets: bytes) -> str:
    """The code behind five octets; anything malformed is the unknown jurisdiction, which is the strictest."""
    text = octets.rstrip(b"\0").decode("ascii", "replace")
    country, region = text[:2], text[2:]
    code = country + (f"-{'OTHER' if region == '*' else region}" if region else "")
    return code if is_jurisdiction(code) else UNKNOWN_JURISDICTION
