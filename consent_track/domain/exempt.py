"""What the law exempts from consent, and how little of it may be kept: a last-open day, or a count of everybody.

Two modes are built. List hygiene (France) keeps one date of a person, overwritten. The aggregate count (Italy) keeps
one number of a campaign. Neither is on before the operator has recorded a notice for it (decision 2; DI-01), neither
outlives any no of the person (decision 6), and a consent for them changes nothing: they do not rest on one.
"""

from datetime import date
from typing import Final, NamedTuple

from .consent import ConsentState
from .policy import Policy, Requirement
from .reasons import Reason
from .vocabulary import GRANTING, MailType, Purpose, Status

# The conditions of an exemption that each mode fulfils by the way it measures. A pack that asks for another one is
# not satisfied: what nobody can show to hold does not hold.
FULFILLED: Final = {
    Purpose.DELIVERABILITY_HYGIENE: frozenset({"requested_mail", "last_open_day_only", "exclusive_purpose"}),
    Purpose.AGGREGATE_COUNT: frozenset(
        {"same_pixel_for_all_recipients_of_campaign", "ip_and_client_anonymised", "exclusive_purpose"}
    ),
}
BASIS: Final = {Purpose.DELIVERABILITY_HYGIENE: Reason.EXEMPT, Purpose.AGGREGATE_COUNT: Reason.AGGREGATE}
# In which order they are tried for a mail: what knows nobody goes before what knows a person.
MODES: Final = (Purpose.AGGREGATE_COUNT, Purpose.DELIVERABILITY_HYGIENE)

# A campaign of one is individual tracking (decision 13). A policy may ask for more people, never for fewer.
LEAST_AUDIENCE: Final = 50
# A count below this is never shown, and never leaves the memory of the process that counts (decisions 12, 13).
FEWEST_SHOWN: Final = 10

_UNASKED: Final = frozenset({MailType.SOFT_OPT_IN, MailType.B2B_PROSPECTING})
_OPEN_QUESTIONS: Final = frozenset({Status.UNKNOWN, Status.REQUESTED, Status.DEFERRED})


class Opened(NamedTuple):
    """The last open of somebody, while it is in memory: its day, and what it takes to decide once more."""

    day: date
    mail_type: MailType
    jurisdiction: str


def is_on(purpose: Purpose, policy: Policy) -> bool:
    """Whether a mode is built and the operator has recorded the notice it needs (Garante 284/2026 para. 4)."""
    return purpose in FULFILLED and policy.notice_of(purpose) is not None


def least_audience(policy: Policy) -> int:
    """How many people a campaign needs before its opens may be counted."""
    return max(LEAST_AUDIENCE, policy.limit("aggregate_min_audience") or 0)


def why_not(
    purpose: Purpose,
    requirement: Requirement,
    mail_type: MailType,
    audience: int | None,
    state: ConsentState,
    policy: Policy,
) -> Reason | None:
    """Why an exempt mode that is on does not serve this person in this mail; None where it does.

    `audience` is None where it was asked before: at a hit. Source: CNIL 2026-042 (deliverability), Garante 284/2026
    para. 4 and 5(a).
    """
    if requirement is Requirement.NEVER:
        return Reason.NEVER_ALLOWED
    if requirement is Requirement.CONSENT:
        return Reason.NO_CONSENT
    conditions = policy.pack.rules[purpose].conditions
    if not FULFILLED[purpose].issuperset(conditions) or ("requested_mail" in conditions and mail_type in _UNASKED):
        return Reason.CONDITION_UNMET
    if any(_is_no(choice.status) for choice in state.choices.values()):
        return Reason.REFUSED
    if purpose is Purpose.AGGREGATE_COUNT:
        small = audience is not None and audience < least_audience(policy)
        return Reason.AUDIENCE_TOO_SMALL if small else None
    if policy.house.individual is Requirement.NEVER:
        return Reason.NEVER_ALLOWED
    # A date is about a person we know; the token of an erased one must not bring a profile back (AH-11).
    return None if state.known else Reason.SUBJECT_UNKNOWN


def has_ended(state: ConsentState) -> bool:
    """Whether hygiene is over for a person, so that their date must go: a no of any kind, no mail, nobody there.

    A browser's signal is not among them: it silences and never erases (decision 8).
    """
    over = state.objected_at is not None or state.mail_ended_at is not None or state.minor or not state.known
    return over or any(_is_no(choice.status) for choice in state.choices.values())


def _is_no(status: Status) -> bool:
    """Whether a choice is a no of any kind, for any purpose: silence and a lapsed consent are none to build on."""
    return status not in GRANTING and status not in _OPEN_QUESTIONS
