"""What a person may ask for, where a request stands, and what may follow: one table of steps, each with its article.

A request never disappears: every way through the table ends in an answer that the person gets (GDPR Art. 12(3), (4)).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .errors import InputRefused

# Crockford's base 32: no letter that is taken for a digit. 8 of them are 40 bits.
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": "", " ": ""})
CODE_BITS: Final = 40


class Right(StrEnum):
    """What is asked for. The value stands in the log of requests: append, never rename."""

    ACCESS = "access"
    ACCESS_CATEGORIES = "access_categories"
    PORTABILITY = "portability"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    OPT_OUT = "opt_out"
    LIMIT = "limit"
    COMPLAINT = "complaint"
    APPEAL = "appeal"

    @property
    def articles(self) -> str:
        """Where the right stands."""
        return _ARTICLES[self]


_ARTICLES: Final[Mapping[Right, str]] = {
    Right.ACCESS: "GDPR Art. 15; CCPA 1798.110, 11 CCR 7024",
    Right.ACCESS_CATEGORIES: "CCPA 1798.110, 11 CCR 7024(j)-(k)",
    Right.PORTABILITY: "GDPR Art. 20; CCPA 1798.130(a)(3)(B)",
    Right.RECTIFICATION: "GDPR Art. 16; CCPA 1798.106, 11 CCR 7023",
    Right.ERASURE: "GDPR Art. 17; CCPA 1798.105, 11 CCR 7022",
    Right.RESTRICTION: "GDPR Art. 18",
    Right.OBJECTION: "GDPR Art. 21",
    Right.OPT_OUT: "CCPA 1798.120, 11 CCR 7026",
    Right.LIMIT: "CCPA 1798.121, 11 CCR 7027",
    Right.COMPLAINT: "GDPR Art. 77; Data Protection Act 2018 s. 164A",
    Right.APPEAL: "C.R.S. 6-1-1306(3); Conn. Gen. Stat. 42-518(d)",
}

# Those that can only protect: they need no proof of who asks, take effect at once, and no cool-off delays them
# (11 CCR 7060(b); GDPR Art. 21(3), 7(3)).
PROTECTING: Final = frozenset({Right.OPT_OUT, Right.LIMIT, Right.OBJECTION})
# Those a person at the controller has to answer; the others are carried out by themselves once it is known who asks.
BY_HAND: Final = frozenset({Right.RECTIFICATION, Right.COMPLAINT, Right.APPEAL})
# Those answered with data, which are shown to nobody but the person.
DISCLOSING: Final = frozenset({Right.ACCESS, Right.ACCESS_CATEGORIES, Right.PORTABILITY})


def code_of(number: int) -> str:
    """The number of a request as people read and say it: `K7QM-9XRT`."""
    letters = "".join(_LETTERS[number >> shift & 31] for shift in range(CODE_BITS - 5, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"


def number_of(code: str) -> int:
    """The number behind a code, however it was written. Raises InputRefused (field `number`)."""
    letters = code.strip().upper().translate(_LOOKALIKES)
    if len(letters) * 5 != CODE_BITS or not set(letters) <= set(_LETTERS):
        raise InputRefused.one("number", "is not a number of a request, such as K7QM-9XRT")
    number = 0
    for letter in letters:
        number = number << 5 | _LETTERS.index(letter)
    return number


class Channel(StrEnum):
    """By which way a request first reached us: that is the receipt, the wrong way included (11 CCR 7020(e))."""

    PORTAL = "portal"
    MAIL_LINK = "mail_link"
    EMAIL = "email"
    LETTER = "letter"
    PHONE = "phone"
    IN_PERSON = "in_person"
    API = "api"
    DATA_RIGHTS_PROTOCOL = "data_rights_protocol"
    OTHER = "other"


class Stage(StrEnum):
    """Where a request stands. The value is stored: append, never rename."""

    VERIFYING = "verifying"  # it is not known yet whether the person asks
    IN_PROGRESS = "in_progress"
    COOLING_OFF = "cooling_off"  # a verified erasure that the person can still take back
    FULFILLED = "fulfilled"
    PARTLY_FULFILLED = "partly_fulfilled"
    NOTHING_HELD = "nothing_held"
    REFUSED = "refused"
    NOT_IDENTIFIABLE = "not_identifiable"  # GDPR Art. 11(2): more information may be offered
    REVOKED = "revoked"  # by the person
    EXPIRED = "expired"  # nobody proved to be the person in time

    @property
    def closed(self) -> bool:
        """Whether the person has had their answer."""
        return self in CLOSED


OPEN: Final = frozenset({Stage.VERIFYING, Stage.IN_PROGRESS, Stage.COOLING_OFF})
CLOSED: Final = frozenset(Stage) - OPEN


class Step(StrEnum):
    """What can happen to a request. The value is stored: append, never rename."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    ADDRESS_ADDED = "address_added"
    LINK_SENT = "link_sent"
    REMINDED = "reminded"
    VERIFIED = "verified"
    VERIFICATION_FAILED = "verification_failed"
    EXTENDED = "extended"
    PAUSED = "paused"
    RESUMED = "resumed"
    NARROWED = "narrowed"  # from specific pieces to categories, because the higher proof failed (11 CCR 7024(a))
    FULFILLED = "fulfilled"
    PARTLY_FULFILLED = "partly_fulfilled"
    NOTHING_HELD = "nothing_held"
    REFUSED = "refused"
    NOT_IDENTIFIABLE = "not_identifiable"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INFORMATION_OFFERED = "information_offered"
    ANSWER_SENT = "answer_sent"
    ANSWER_FETCHED = "answer_fetched"


_V, _P, _C = Stage.VERIFYING, Stage.IN_PROGRESS, Stage.COOLING_OFF
# From a stage, by a step, to a stage. What is not here cannot happen. Verified erasures of a public form cool off first
# (11 CCR 7020(d) allows the second step; threat T15 asks for it); `follow` is told whether this one does.
_TABLE: Final[Mapping[tuple[Stage, Step], Stage]] = {
    (_V, Step.ADDRESS_ADDED): _V,
    (_V, Step.LINK_SENT): _V,
    (_V, Step.REMINDED): _V,
    (_V, Step.VERIFICATION_FAILED): _V,
    (_V, Step.NARROWED): _V,
    (_V, Step.VERIFIED): _P,
    (_V, Step.NOT_IDENTIFIABLE): Stage.NOT_IDENTIFIABLE,
    (_V, Step.NOTHING_HELD): Stage.NOTHING_HELD,
    (_V, Step.EXPIRED): Stage.EXPIRED,
    (_P, Step.ADDRESS_ADDED): _P,
    (_P, Step.LINK_SENT): _P,
    (_P, Step.VERIFIED): _P,  # another address of the same person
    (_P, Step.NARROWED): _P,
    (_P, Step.FULFILLED): Stage.FULFILLED,
    (_P, Step.PARTLY_FULFILLED): Stage.PARTLY_FULFILLED,
    (_P, Step.NOTHING_HELD): Stage.NOTHING_HELD,
    (_C, Step.FULFILLED): Stage.FULFILLED,
    (_C, Step.PARTLY_FULFILLED): Stage.PARTLY_FULFILLED,
    (_C, Step.NOTHING_HELD): Stage.NOTHING_HELD,
    (Stage.NOT_IDENTIFIABLE, Step.INFORMATION_OFFERED): _V,
    **{
        (stage, step): stage for stage in OPEN for step in (Step.ACKNOWLEDGED, Step.EXTENDED, Step.PAUSED, Step.RESUMED)
    },
    **{(stage, Step.REFUSED): Stage.REFUSED for stage in OPEN},
    **{(stage, Step.REVOKED): Stage.REVOKED for stage in OPEN},
    **{(stage, step): stage for stage in CLOSED for step in (Step.ANSWER_SENT, Step.ANSWER_FETCHED)},
}


def follow(stage: Stage, step: Step, *, cools_off: bool = False) -> Stage:
    """Where a request stands after a step. Raises InputRefused (field `step`) for a step that cannot follow."""
    try:
        following = _TABLE[stage, step]
    except KeyError:
        raise InputRefused.one("step", f"a request that is {stage} cannot be {step}") from None
    return _C if step is Step.VERIFIED and stage is _V and cools_off else following


class Ground(StrEnum):
    """Why a request is refused, in whole or in part. The value is stored: append, never rename."""

    IDENTITY_NOT_PROVED = "identity_not_proved"
    AGENT_NOT_AUTHORISED = "agent_not_authorised"
    MANIFESTLY_UNFOUNDED = "manifestly_unfounded"
    EXCESSIVE = "excessive"
    RIGHTS_OF_OTHERS = "rights_of_others"
    LEGAL_OBLIGATION = "legal_obligation"
    LEGAL_CLAIMS = "legal_claims"
    SECURITY = "security"
    DATA_IS_CORRECT = "data_is_correct"
    LAW_GIVES_NO_SUCH_RIGHT = "law_gives_no_such_right"
    FRAUD_SUSPECTED = "fraud_suspected"

    @property
    def articles(self) -> str:
        """Where the ground stands."""
        return _GROUNDS[self]


_GROUNDS: Final[Mapping[Ground, str]] = {
    Ground.IDENTITY_NOT_PROVED: "GDPR Art. 11(2), 12(2), 12(6); 11 CCR 7024(a)-(b), 7060(g)",
    Ground.AGENT_NOT_AUTHORISED: "11 CCR 7063(a)",
    Ground.MANIFESTLY_UNFOUNDED: "GDPR Art. 12(5); CCPA 1798.145(h)(3)",
    Ground.EXCESSIVE: "GDPR Art. 12(5); CCPA 1798.145(h)(3)",
    Ground.RIGHTS_OF_OTHERS: "GDPR Art. 15(4), 20(4); CCPA 1798.145(k)",
    Ground.LEGAL_OBLIGATION: "GDPR Art. 17(3)(b); CCPA 1798.105(d)(8)",
    Ground.LEGAL_CLAIMS: "GDPR Art. 17(3)(e)",
    Ground.SECURITY: "CCPA 1798.105(d)(2); 11 CCR 7024(c)",
    Ground.DATA_IS_CORRECT: "GDPR Art. 16; 11 CCR 7023(b), (f)",
    Ground.LAW_GIVES_NO_SUCH_RIGHT: "the law that applies to the person",
    Ground.FRAUD_SUSPECTED: "GDPR Art. 12(6); 11 CCR 7023(h), 7060",
}

# Whoever refuses on one of these carries the burden of showing it (GDPR Art. 12(5)): a reference to the papers.
NEEDS_EVIDENCE: Final = frozenset({Ground.MANIFESTLY_UNFOUNDED, Ground.EXCESSIVE, Ground.FRAUD_SUSPECTED})
# Nobody needs to say who they are in order to be left alone.
_NO_GROUND_AGAINST_PROTECTION: Final = frozenset({Ground.IDENTITY_NOT_PROVED})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused: the ground, a sentence of the operator's for the person, and where the papers are."""

    ground: Ground
    reason: str
    evidence: str = ""


def check_refusal(right: Right, refusal: Refusal) -> None:
    """Raises InputRefused (field `reason`, `evidence`, `ground`) for a refusal that no law would accept."""
    if not refusal.reason.strip():
        raise InputRefused.one("reason", "is needed: the person is told why (GDPR Art. 12(4))")
    if refusal.ground in NEEDS_EVIDENCE and not refusal.evidence.strip():
        raise InputRefused.one("evidence", "is needed: whoever says so has to show it (GDPR Art. 12(5))")
    if right in PROTECTING and refusal.ground in _NO_GROUND_AGAINST_PROTECTION:
        raise InputRefused.one("ground", f"{right} needs no proof of who asks (11 CCR 7060(b))")


class Level(StrEnum):
    """How sure we are that the person asks (11 CCR 7060, 7062; GDPR Art. 12(6)), from least to most."""

    NONE = "none"
    REASONABLE = "reasonable"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class Proof(StrEnum):
    """How somebody showed that they are the person, or act for them. No document is ever asked for (EDPB 01/2022)."""

    MAILBOX = "mailbox"  # a press behind a link in a mail to the address itself
    MAIL_LINK = "mail_link"  # a link of one of our mails, which may have been forwarded
    DECLARATION = "declaration"  # signed under penalty of perjury (11 CCR 7062(c))
    ACCOUNT = "account"  # the sender's own login, again just now (11 CCR 7061)
    KNOWN_IN_PERSON = "known_in_person"
    SIGNED_PERMISSION = "signed_permission"  # an agent's (11 CCR 7063)
    POWER_OF_ATTORNEY = "power_of_attorney"


# The mailbox shows the identifier itself, and that is all there is here (GDPR Art. 11; EDPB 01/2022 para. 66 to 70). A
# mail link alone shows nothing: mails get forwarded (VF-06).
_STRENGTH: Final[Mapping[Proof, int]] = {
    Proof.MAILBOX: 2,
    Proof.MAIL_LINK: 0,
    Proof.DECLARATION: 1,
    Proof.ACCOUNT: 2,
    Proof.KNOWN_IN_PERSON: 3,
    Proof.SIGNED_PERMISSION: 0,
    Proof.POWER_OF_ATTORNEY: 3,
}
_NEEDED: Final[Mapping[Level, int]] = {Level.NONE: 0, Level.REASONABLE: 2, Level.HIGH: 3}


def level_of(proofs: frozenset[Proof]) -> Level:
    """What these proofs come to together: the mailbox is reasonable, with a signed declaration it is high."""
    points = sum(_STRENGTH[proof] for proof in proofs)
    return max((level for level in Level if points >= _NEEDED[level]), key=lambda level: level.rank)
