"""A list that somebody brings along: what one line says, what became of it, and the form that may prove it.

The words here stand in reports and in the ledger; which line becomes what is decided in `asymmetry`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final

from .consent import Choice, ConsentState
from .vocabulary import INDIVIDUAL, UNKNOWN_JURISDICTION, Act, Grade, Purpose, Status

# What the end of the mail, and an objection, end: individual measuring, and hygiene too (a no ends everything).
ENDED: Final = tuple(purpose for purpose in Purpose if purpose in INDIVIDUAL | {Purpose.DELIVERABILITY_HYGIENE})


class Said(StrEnum):
    """What a line says about the mail, or about measuring as a whole."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    OBJECTED = "objected"
    REFUSED = "refused"  # measuring, not the mail
    NOTHING = "nothing"
    NOT_UNDERSTOOD = "not_understood"


NEGATIVE: Final = frozenset({Said.UNSUBSCRIBED, Said.COMPLAINED, Said.BOUNCED, Said.OBJECTED, Said.REFUSED})


class Outcome(StrEnum):
    """What a line became. The value stands in reports."""

    GIVEN = "given"
    MAIL_ONLY = "mail_only"  # the yes to the mail is proved; of measuring nothing was said
    UNKNOWN = "unknown"
    NO_KEPT = "no_kept"
    NO_STANDS = "no_stands"  # a yes that an earlier or later no outweighs
    UNCHANGED = "unchanged"
    ERASED = "erased"
    NOT_AN_ADDRESS = "not_an_address"


class Why(StrEnum):
    """Why. The value stands in reports; append, never rename."""

    EVIDENCE = "evidence"
    IN_PART = "in_part"  # some purposes given, others refused or without evidence
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    OBJECTED = "objected"
    REFUSED = "refused"
    MAIL_ENDED = "mail_ended"
    SIGNAL = "signal"
    RESTRICTED = "restricted"
    MINOR = "minor"
    ALREADY_GIVEN = "already_given"
    ALREADY_KNOWN = "already_known"
    ASKED_HERE = "asked_here"
    NO_EVIDENCE = "no_evidence"
    NO_TIME = "no_time"
    TIME_NOT_UNDERSTOOD = "time_not_understood"
    TIME_IN_THE_FUTURE = "time_in_the_future"
    NO_FORM_THEN = "no_form_then"
    SEVERAL_FORMS_THEN = "several_forms_then"
    NO_WORDING = "no_wording"
    NO_LOCALE = "no_locale"
    NO_SOURCE = "no_source"
    ROLE_ADDRESS = "role_address"
    NOTHING_SAID = "nothing_said"
    STATUS_NOT_UNDERSTOOD = "status_not_understood"
    LEGACY_REGIME = "legacy_regime"  # unknown, but its dates meet a national transition (CC-12, CC-13)
    SUPPRESSED = "suppressed"
    ADDRESS = "address"

    @property
    def words(self) -> str:
        """One English sentence for whoever moves the list."""
        return _WORDS[self]


_WORDS: Final[dict[Why, str]] = {
    Why.EVIDENCE: "Source, time and wording are there; the form is signed for.",
    Why.IN_PART: "Some purposes are given with evidence; the others are refused or not proved.",
    Why.UNSUBSCRIBED: "The person unsubscribed there.",
    Why.COMPLAINED: "The person complained about the mail; that is an objection.",
    Why.BOUNCED: "The address bounced; mail and measuring end.",
    Why.OBJECTED: "The person objected.",
    Why.REFUSED: "The person refused to be measured.",
    Why.MAIL_ENDED: "The mail has ended for this address; a brought-along yes does not bring it back.",
    Why.SIGNAL: "The person's browser sent Sec-GPC: 1, which is honoured as a refusal.",
    Why.RESTRICTED: "Processing is restricted (GDPR Art. 18).",
    Why.MINOR: "The person is a minor.",
    Why.ALREADY_GIVEN: "Consent stands here already.",
    Why.ALREADY_KNOWN: "The person is known here already.",
    Why.ASKED_HERE: "The person has been asked here and has not answered; an older yes does not answer for them.",
    Why.NO_EVIDENCE: "No form is attached that shows what the person was told.",
    Why.NO_TIME: "The line does not say when.",
    Why.TIME_NOT_UNDERSTOOD: "The time of the line cannot be read.",
    Why.TIME_IN_THE_FUTURE: "The time of the line has not come yet.",
    Why.NO_FORM_THEN: "No attached form was shown on that day.",
    Why.SEVERAL_FORMS_THEN: "Several attached forms were shown on that day, and the line does not say which.",
    Why.NO_WORDING: "The form of that day has no words for this purpose in the person's language.",
    Why.NO_LOCALE: "The form had several languages, and the line does not say which was shown.",
    Why.NO_SOURCE: "Neither the line nor the form says where the yes was given.",
    Why.ROLE_ADDRESS: "A role or shared address is nobody's consent.",
    Why.NOTHING_SAID: "The line says neither yes nor no.",
    Why.STATUS_NOT_UNDERSTOOD: "The status of the line is not a known word; it is not taken for a yes.",
    Why.LEGACY_REGIME: "Not proved; but the address is old enough and was told in time for a national transition.",
    Why.SUPPRESSED: "The person was erased on request; only they can come back, by a mailbox loop.",
    Why.ADDRESS: "There is no plain e-mail address in the line.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line as understood. Instants are seconds; None where the line does not say. `answers` by purpose."""

    line: int
    address: str | None  # normalised
    said: Said
    answers: Mapping[Purpose, bool] = field(default_factory=dict)
    asked_at: int | None = None  # when the form was sent
    confirmed_at: int | None = None  # when a double opt-in came back
    ended_at: int | None = None
    time_not_understood: bool = False
    locale: str = ""
    source: str = ""
    form: str = ""
    jurisdiction: str = UNKNOWN_JURISDICTION
    collected_on: date | None = None
    notice_on: date | None = None

    @property
    def says_no(self) -> bool:
        return self.said in NEGATIVE or False in self.answers.values()


@dataclass(frozen=True, slots=True)
class Wording:
    """The words one purpose was asked with; `purpose` None is the mail. `by_submitting`: sending was the yes."""

    id: str
    purpose: Purpose | None
    locale: str
    text: str
    by_submitting: bool


@dataclass(frozen=True, slots=True)
class Form:
    """A form version that somebody signed for: where it stood, from when to when (days, both included), its words."""

    id: str
    name: str
    url: str
    shown_from: date
    shown_to: date
    wordings: tuple[Wording, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A form or a file as it is kept: `id` is the SHA-256 of `content`; somebody signs that people were shown it."""

    id: str
    kind: str  # form | file
    name: str
    media_type: str
    content: bytes
    signed_by: str
    signed_on: date


@dataclass(frozen=True, slots=True)
class Step:
    """One entry for the ledger; `sets` are the purposes whose choice it makes."""

    act: Act
    purpose: Purpose | None
    status: Status
    occurred_at: int
    sets: tuple[Purpose, ...] = ()
    actor: str = "subject"
    wording_id: str = ""
    locale: str = ""
    evidence: str = ""  # id of the form
    source: str = ""
    asked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a line: for the report, for the ledger, and the state that follows (choices by `applied`)."""

    outcome: Outcome
    why: Why
    steps: tuple[Step, ...] = ()
    state: ConsentState = field(default_factory=ConsentState)


def applied(state: ConsentState, steps: Sequence[Step], sequences: Sequence[int]) -> ConsentState:
    """The state after these steps stand in the ledger under these numbers."""
    choices = dict(state.choices)
    for step, sequence in zip(steps, sequences, strict=True):
        for purpose in step.sets:
            choices[purpose] = Choice(step.status, step.occurred_at, Grade.IMPORTED, None, sequence)
    return replace(state, choices=choices, sequence=max((state.sequence, *sequences)), known=True)
