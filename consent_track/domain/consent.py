"""Where one person's choices stand, and which step from one status to the next is lawful.

`ConsentState` is the one mutable thing the decision reads; the ledger holds how it came about.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

from .errors import InputRefused
from .vocabulary import EXEMPT_MODES, GRANTING, RESERVED, Act, Grade, Purpose, Status


@dataclass(frozen=True, slots=True)
class Choice:
    """One person's standing answer for one purpose. `since` and `expires_at` are instants."""

    status: Status
    since: int
    grade: Grade = Grade.IMPORTED
    expires_at: int | None = None
    sequence: int = 0  # the ledger event that made it

    @property
    def granting(self) -> bool:
        return self.status in GRANTING


NO_CHOICES: Final[Mapping[Purpose, Choice]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ConsentState:
    """Everything about one person that a decision may read. Whoever is absent is `UNKNOWN_PERSON`."""

    choices: Mapping[Purpose, Choice] = field(default_factory=lambda: NO_CHOICES)
    objected_at: int | None = None  # GDPR Art. 21(2): overrides every basis
    restricted: bool = False  # GDPR Art. 18
    minor: bool = False  # GDPR Art. 8
    mail_ended_at: int | None = None  # unsubscribed: ends the measuring with the mail
    signal_on: date | None = None  # day of the first Sec-GPC: 1
    signal_waived_at: int | None = None  # consent given after notice of the conflict ("Allow for Acme only")
    address_collected_on: date | None = None
    legacy_notice_on: date | None = None
    sequence: int = 0  # last ledger event; the version of this state
    known: bool = True  # False for whoever has no record: never here, or erased


UNKNOWN_PERSON: Final = ConsentState(known=False)


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One entry of the ledger: who chose what, shown which words, by which means, and how well that is proved.

    Fields follow ISO/IEC TS 27560 and GDPR Art. 7(1). `method` and `grade` are stamped by us. Instants are seconds.
    """

    act: Act
    purpose: Purpose | None  # None for the act of receiving mail, or when it concerns every purpose
    status: Status
    occurred_at: int
    recorded_at: int
    method: str  # preference_page, one_click, command_line, signal, ...
    grade: Grade
    actor: str  # subject, operator, system
    source: str = ""  # where the operator says it came from
    wording_id: str = ""
    locale: str = ""
    policy_hash: str = ""
    jurisdiction: str = ""
    flow_id: str = ""  # events of one act share it
    scope: str = ""
    expires_at: int | None = None
    asked_at: int | None = None
    corrects: int | None = None  # sequence of the event this one corrects
    screen_id: str = ""  # the page on which it was made
    asked_screen_id: str = ""  # the page that asked, where that was another
    letter_id: str = ""  # the mail of the mailbox loop
    evidence_id: str = ""  # a piece of paper, a screenshot: what the operator holds


@dataclass(frozen=True, slots=True)
class Shown:
    """The exact words somebody saw when they chose: pairs of text id and text, sorted by id."""

    locale: str
    words: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """SHA-256 over exactly these words in this locale: one character changed is another wording (DI-04)."""
        canonical = "\0".join(f"{id_}\0{text}" for id_, text in self.words)
        return hashlib.sha256(f"{self.locale}\0{canonical}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Screen:
    """A page as people saw it, whole in itself, with nothing in it that belongs to one person (RE-02)."""

    page: str

    @property
    def id(self) -> str:
        """SHA-256 of the page: one character changed is another screen."""
        return hashlib.sha256(self.page.encode()).hexdigest()


_ANY: Final = frozenset(Status)
# status -> statuses it may be reached from. Whoever never said (unknown) may do anything; nothing leads back there.
TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = MappingProxyType(
    {
        Status.UNKNOWN: frozenset(),
        Status.REQUESTED: _ANY - GRANTING,
        Status.DEFERRED: frozenset({Status.UNKNOWN, Status.REQUESTED, Status.DEFERRED}),
        Status.GIVEN: _ANY - GRANTING,
        Status.RENEWED: GRANTING,
        Status.REFUSED: _ANY - GRANTING,
        Status.REFUSED_BY_SILENCE: frozenset({Status.REQUESTED, Status.DEFERRED}),
        Status.WITHDRAWN: GRANTING,
        Status.OBJECTED: _ANY,
        Status.EXPIRED: GRANTING,
        Status.REVOKED: GRANTING,
        Status.INVALIDATED: GRANTING,
    }
)


def may_become(current: Status, following: Status) -> bool:
    """Whether the step is one of the table above; the table is the rule, there is no other."""
    return current in TRANSITIONS[following]


def check_grantable(purpose: Purpose) -> None:
    """Consent can be given for individual measuring only.

    Raises InputRefused: for reserved purposes, which are always declined, and for exempt modes, which rest on a notice.
    """
    if purpose in RESERVED:
        raise InputRefused.one("purpose", f"{purpose} is reserved and always declined")
    if purpose in EXEMPT_MODES:
        raise InputRefused.one("purpose", f"{purpose} does not rest on consent; it is switched on by a recorded notice")
