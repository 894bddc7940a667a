"""What a token says, and what is left of a hit once it may be kept."""

from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

from .vocabulary import HitKind, MailType, TokenClass


class TokenFlag(IntFlag):
    """One octet in every token. Unknown bits make a token powerless: they may mean a narrower scope."""

    NONE = 0
    AGGREGATE = 1  # one identical token for a whole campaign: no subject
    SENSITIVE = 2  # the mail was declared sensitive (GDPR Art. 9)


class TokenFacts(NamedTuple):
    """What stands in a token. Only crypto makes one from a URL, and only after signature and seal are proved.

    A named tuple, because every hit makes one: a frozen dataclass of thirteen fields takes three times as long.
    """

    token_class: TokenClass
    controller: int
    subject: int  # random 63-bit reference; 0 = nobody
    message: int  # random 63-bit reference of the message; for a verification token, of the request
    issued_at: int
    purposes: int = 0  # bit field, see vocabulary.PURPOSE_BITS
    mail_type: MailType | None = None
    jurisdiction: str = "ZZ"
    policy_prefix: int = 0  # first four octets of the policy hash
    flags: TokenFlag = TokenFlag.NONE
    link: int = 0  # number of the link in the mail, clicks only
    destination: str = ""  # clicks only; byte-equal to the author's link
    records: bool = True  # False for a token of a redirect-only key: it opens doors, it never records again


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who probably made a hit: class, reason and rule version survive; what they were judged from does not."""

    kind: int  # engagement.Engagement number
    reason: int
    rules: int


@dataclass(frozen=True, slots=True)
class Observation:
    """One hit that may be kept. No address, token, user agent or IP: `network` is a keyed pseudonym of the prefix."""

    kind: HitKind
    controller: int
    subject: int
    message: int
    at: int
    issued_at: int
    purposes: int
    mail_type: int
    jurisdiction: str
    policy_prefix: int
    flags: int
    link: int
    verdict: Verdict
    network: bytes = b""  # 8 octets, or empty


@dataclass(frozen=True, slots=True)
class Signal:
    """A person's browser sent Sec-GPC: 1. Day precision and no message: it is a choice, not a hit (decision 8)."""

    controller: int
    subject: int
    jurisdiction: str
    day: int  # days since the epoch, UTC
