"""May this person be asked for consent, now? Who said no is left alone for as long as the law says, or for good.

The steps stand in a table and are tried in order; the first that objects gives the reason and, where there is one, the
day from which asking is lawful again. Asking allows nothing: whoever was asked and has not answered is not measured.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from .clocks import clocks_of, is_over
from .consent import Choice, ConsentState
from .decision import DAY
from .policy import Policy, Requirement
from .vocabulary import INDIVIDUAL, MailType, Purpose, Status

# A question that nobody answered for so long was answered with no (CNIL 2026-042), where no policy says how long: an
# older copy of house.toml knows no `silence_days`.
SILENCE_DAYS: Final = 30
OPEN_QUESTION: Final = frozenset({Status.REQUESTED, Status.DEFERRED})


class Reason(StrEnum):
    """Why a person is not asked. The value stands in reports: append, never rename."""

    POLICY_MISSING = "policy_missing"
    ERASED = "erased"
    ROLE_ADDRESS = "role_address"
    UNMAILABLE = "unmailable"
    OBJECTED = "objected"
    RESTRICTED = "restricted"
    MINOR = "minor"
    MAIL_ENDED = "mail_ended"
    SIGNAL = "signal"
    LOCALE_NOT_SIGNED = "locale_not_signed"
    NEVER_ALLOWED = "never_allowed"
    GRANTS_ALREADY = "grants_already"
    QUESTION_OPEN = "question_open"
    REFUSED = "refused"
    SILENT = "silent"
    WITHDREW = "withdrew"

    @property
    def words(self) -> str:
        """One English sentence for compliance teams."""
        return _WORDS[self]


_WORDS: Final[dict[Reason, str]] = {
    Reason.POLICY_MISSING: "No policy could be read for this person.",
    Reason.ERASED: "The person asked for erasure, and comes back by themselves only.",
    Reason.ROLE_ADDRESS: "Nobody can say yes for a role or a shared address.",
    Reason.UNMAILABLE: "No mail of ours can be written to this address.",
    Reason.OBJECTED: "The person objected (GDPR Art. 21).",
    Reason.RESTRICTED: "Processing is restricted (GDPR Art. 18).",
    Reason.MINOR: "The person is a minor.",
    Reason.MAIL_ENDED: "The person unsubscribed.",
    Reason.SIGNAL: "The person's browser sent Sec-GPC: 1, which counts as a no.",
    Reason.LOCALE_NOT_SIGNED: "The texts of the person's language are not complete, or nobody signed them.",
    Reason.NEVER_ALLOWED: "The policy does not allow what would be asked for.",
    Reason.GRANTS_ALREADY: "The person allows it already.",
    Reason.QUESTION_OPEN: "The person was asked and may still answer.",
    Reason.REFUSED: "The person refused; it is too soon to ask again.",
    Reason.SILENT: "The person was asked and did not answer, which is a no; it is too soon to ask again.",
    Reason.WITHDREW: "The person withdrew; it is too soon to ask again.",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an address besides the person's choices. `signed`: somebody signed the texts (decision 27)."""

    role_address: bool = False
    erased: bool = False
    signed: bool = False
    mailable: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """The person may be asked for these purposes; those they allow already are left out."""

    purposes: tuple[Purpose, ...]


@dataclass(frozen=True, slots=True)
class NotNow:
    """The person may not be asked; from the instant `ask_again_at` it may be, if nothing else happens (None: never)."""

    reason: Reason
    ask_again_at: int | None = None


_Case = tuple[ConsentState, Sequence[Policy], Facts, Collection[Purpose], int]


def _addressee(case: _Case) -> NotNow | None:
    _, policies, facts, _, _ = case
    if not policies:
        return NotNow(Reason.POLICY_MISSING)
    if facts.erased:
        return NotNow(Reason.ERASED)
    if facts.role_address:
        return NotNow(Reason.ROLE_ADDRESS)
    return None if facts.mailable else NotNow(Reason.UNMAILABLE)


def _person(case: _Case) -> NotNow | None:
    state = case[0]
    objected = any(choice.status is Status.OBJECTED for choice in state.choices.values())
    if state.objected_at is not None or objected:
        return NotNow(Reason.OBJECTED)
    if state.restricted:
        return NotNow(Reason.RESTRICTED)
    if state.minor:
        return NotNow(Reason.MINOR)
    return NotNow(Reason.MAIL_ENDED) if state.mail_ended_at is not None else None


def _signal(case: _Case) -> NotNow | None:
    """Where no consent sets a signal aside, nothing is gained by asking (OO-02, OO-10)."""
    state, policies, _, _, _ = case
    prevails = not all(policy.number("signal_waiver") for policy in policies)
    return NotNow(Reason.SIGNAL) if state.signal_on is not None and prevails else None


def _words(case: _Case) -> NotNow | None:
    return None if case[2].signed else NotNow(Reason.LOCALE_NOT_SIGNED)


_SAID_NO: Final = {
    Status.REFUSED: Reason.REFUSED,
    Status.REFUSED_BY_SILENCE: Reason.SILENT,
    Status.WITHDRAWN: Reason.WITHDREW,
    Status.REVOKED: Reason.WITHDREW,  # by whomever: in doubt it was the person
}


def _cooldown(case: _Case) -> NotNow | None:
    """Any no, for whatever purpose, and any open question keep the whole person from being asked (CC-09, CC-10)."""
    state, policies, _, _, now = case
    waits = []
    for reason, since in _noes(state, policies, now):
        ends = [clocks_of(Choice(Status.REFUSED, since), policy).ask_again_at or 0 for policy in policies]
        waits.append((max(ends), reason))
    again, reason = max(waits, default=(now, Reason.REFUSED))
    return NotNow(reason, again) if now < again else None


def _noes(state: ConsentState, policies: Sequence[Policy], now: int) -> Iterator[tuple[Reason, int]]:
    """Each no that makes us wait, and since when it stands."""
    for choice in state.choices.values():
        if choice.status in _SAID_NO:
            yield _SAID_NO[choice.status], choice.since
        elif choice.status in OPEN_QUESTION:
            silent_at = max(silent_from(choice.since, policy) for policy in policies)
            yield (Reason.QUESTION_OPEN if now < silent_at else Reason.SILENT), silent_at
    if state.signal_on is not None and state.signal_waived_at is None:
        day_over = datetime.combine(state.signal_on + timedelta(days=1), time(), UTC)
        yield Reason.SIGNAL, int(day_over.timestamp())


_STEPS: Final[tuple[Callable[[_Case], NotNow | None], ...]] = (_addressee, _person, _signal, _words, _cooldown)


def may_ask(
    state: ConsentState, policies: Sequence[Policy], facts: Facts, purposes: Collection[Purpose], now: int
) -> Ask | NotNow:
    """Decide whether a person may be asked for consent to `purposes`; every policy that claims them has to agree.

    Source: CNIL 2026-042 (silence is a refusal; six months), Cal. Civ. Code 1798.135(c)(4) (twelve), decisions 27, 32.
    """
    case = (state, policies, facts, purposes, now)
    for step in _STEPS:
        if found := step(case):
            return found
    possible = [one for one in Purpose if one in purposes and one in INDIVIDUAL and _may_be_allowed(one, policies)]
    if not possible:
        return NotNow(Reason.NEVER_ALLOWED)
    wanted = tuple(one for one in possible if not _allows(state.choices.get(one), one, policies, now))
    return Ask(wanted) if wanted else NotNow(Reason.GRANTS_ALREADY)


def steps_to_ask(state: ConsentState, ask: Ask, policies: Sequence[Policy], now: int) -> list[tuple[Purpose, Status]]:
    """What stands in the ledger when a person is asked: a yes that no longer counts is ended before."""
    steps = []
    for purpose in ask.purposes:
        choice = state.choices.get(purpose)
        if choice is not None and choice.granting:
            lapsed = any(_lapsed(choice, policy, now) for policy in policies)
            steps.append((purpose, Status.EXPIRED if lapsed else Status.INVALIDATED))
        steps.append((purpose, Status.REQUESTED))
    return steps


def _may_be_allowed(purpose: Purpose, policies: Sequence[Policy]) -> bool:
    """Whether there is any kind of mail in which consent could make this lawful under every policy."""
    kinds = [mail for mail in MailType if mail is not MailType.CONSENT_REQUEST]
    never = Requirement.NEVER
    return any(all(policy.needs(purpose, mail, policy.id) is not never for policy in policies) for mail in kinds)


def _allows(choice: Choice | None, purpose: Purpose, policies: Sequence[Policy], now: int) -> bool:
    """Whether a person's yes counts under every policy: not lapsed, and well enough proved."""
    if choice is None or not choice.granting:
        return False
    return all(
        not _lapsed(choice, policy, now) and choice.grade.rank >= policy.least_grade(purpose).rank
        for policy in policies
    )


def _lapsed(choice: Choice, policy: Policy, now: int) -> bool:
    if choice.expires_at is not None and now >= choice.expires_at:
        return True
    months = policy.limit("consent_lapse_months")
    return months is not None and is_over(choice.since, months, now)


def silence_days(policy: Policy) -> int:
    """For how many days a question may be answered."""
    days = policy.limit("silence_days")
    return SILENCE_DAYS if days is None else days


def silent_from(asked_at: int, policy: Policy) -> int:
    """The instant from which a question counts as answered with no."""
    return asked_at + silence_days(policy) * DAY


class Outcome(StrEnum):
    """What came of a question. The value is stored: append, never rename."""

    YES = "yes"  # to some of it at least
    NO = "no"
    SILENT = "silent"
    OPEN = "open"


_NO: Final = frozenset({Status.REFUSED, Status.WITHDRAWN, Status.OBJECTED, Status.REVOKED})


def outcome_of(state: ConsentState, purposes: Collection[Purpose], asked_at: int, policy: Policy, now: int) -> Outcome:
    """What has come of a question so far. A no to the whole outweighs a yes to a part of it."""
    asked = [choice for purpose, choice in state.choices.items() if purpose in purposes]
    if _ended_since(state, asked_at):
        return Outcome.NO
    if any(choice.granting for choice in asked):
        return Outcome.YES
    if any(choice.status in _NO for choice in asked):
        return Outcome.NO
    still = any(choice.status in OPEN_QUESTION for choice in asked) and now < silent_from(asked_at, policy)
    return Outcome.OPEN if still else Outcome.SILENT


def is_open(state: ConsentState, asked_at: int) -> bool:
    """Whether anything is still to be answered; a mail that asks leaves only then."""
    asked = any(choice.status in OPEN_QUESTION for choice in state.choices.values())
    return asked and not _ended_since(state, asked_at)


def _ended_since(state: ConsentState, asked_at: int) -> bool:
    """Whether the person said no to everything since they were asked, or may not be asked any more."""
    asked_on = datetime.fromtimestamp(asked_at, UTC).date()
    signalled = state.signal_on is not None and state.signal_on >= asked_on and state.signal_waived_at is None
    ended = any(at is not None and at >= asked_at for at in (state.objected_at, state.mail_ended_at))
    return signalled or ended or state.restricted or state.minor
