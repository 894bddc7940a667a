"""The one decision: may this purpose be served for this person, in this mail, at this moment?

Called when a mail is instrumented, when a queued mail leaves and when a hit is recorded. Any doubt is Declined.
The steps stand in a table and are tried in order; the first that declines gives the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from . import exempt
from .clocks import is_over
from .consent import ConsentState
from .policy import Policy, Requirement
from .reasons import Reason as Reason
from .vocabulary import EXEMPT_MODES, RESERVED, HitKind, MailType, Purpose, Status, from_bits

# How far the clocks of two of our machines may differ before a hit's time proves nothing. Seconds.
CLOCK_MARGIN: Final = 5
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Recipient:
    """What is known of the addressee besides their choices."""

    known: bool = True
    role_address: bool = False
    several: bool = False  # To + Cc, or more than one address (decision 23)
    erased: bool = False
    audience: int | None = 0  # how many get the same campaign, as its sender says; None: asked when it was sent


THE_SUBJECT: Final = Recipient(audience=None)


@dataclass(frozen=True, slots=True)
class Message:
    """What is known of the mail: at issue what its sender declares, at a hit what its token says."""

    mail_type: MailType | None
    jurisdiction: str
    scope: frozenset[Purpose]
    issued_at: int
    sensitive: bool = False
    signal: bool = False  # Sec-GPC: 1 on this very request


@dataclass(frozen=True, slots=True)
class Allowed:
    """The purpose may be served; `reason` is its basis."""

    purpose: Purpose
    reason: Reason


@dataclass(frozen=True, slots=True)
class Minimal:
    """Only the minimum of an exempt mode may be kept: a last-open day, or a count."""

    purpose: Purpose
    reason: Reason


@dataclass(frozen=True, slots=True)
class Declined:
    """The purpose may not be served; nothing about this hit or mail is kept but the reason, without a person."""

    purpose: Purpose
    reason: Reason


Decision = Allowed | Minimal | Declined
# The exempt modes that can be on, by name: a look into a set of them would cost every hit 0.1 µs.
_HYGIENE: Final = Purpose.DELIVERABILITY_HYGIENE
_COUNT: Final = Purpose.AGGREGATE_COUNT
_Case = tuple[Recipient, Message, Purpose, ConsentState, Policy, int]


def _scope(case: _Case) -> Reason | None:
    _, message, purpose, _, _, _ = case
    if purpose in RESERVED:
        return Reason.PURPOSE_RESERVED
    return None if purpose in message.scope else Reason.OUT_OF_SCOPE


def _addressee(case: _Case) -> Reason | None:
    recipient = case[0]
    if recipient.erased:
        return Reason.ERASED
    if recipient.several:
        return Reason.SEVERAL_RECIPIENTS
    if recipient.role_address:
        return Reason.ROLE_ADDRESS
    return None if recipient.known else Reason.SUBJECT_UNKNOWN


def _age(case: _Case) -> Reason | None:
    _, message, _, _, policy, now = case
    if message.issued_at > now + 60 * CLOCK_MARGIN:
        return Reason.ISSUED_IN_THE_FUTURE
    return Reason.TOKEN_EXPIRED if now - message.issued_at > policy.number("token_life_days") * DAY else None


def _person(case: _Case) -> Reason | None:
    _, message, purpose, state, policy, _ = case
    if state.objected_at is not None:
        return Reason.OBJECTED
    if state.restricted:
        return Reason.RESTRICTED
    if state.minor and purpose is not Purpose.AUTH_SECURITY:
        return Reason.MINOR
    if state.mail_ended_at is not None:
        return Reason.MAIL_ENDED
    waived = state.signal_waived_at is not None and bool(policy.number("signal_waiver"))
    return Reason.SIGNAL if (message.signal or state.signal_on is not None) and not waived else None


def _mail(case: _Case) -> Reason | None:
    _, message, purpose, _, policy, _ = case
    if message.mail_type is MailType.CONSENT_REQUEST:
        return Reason.CONSENT_REQUEST_MAIL
    if purpose in EXEMPT_MODES and not exempt.is_on(purpose, policy):
        return Reason.MODE_NOT_AVAILABLE
    # An open says nothing about what a mail links to; a click and a profile do (GDPR Art. 9). A policy may close both.
    if message.sensitive and (purpose is not Purpose.OPEN_PERFORMANCE or policy.limit("sensitive_opens") == 0):
        return Reason.SENSITIVE_MAIL
    return None


_STEPS: Final[tuple[Callable[[_Case], Reason | None], ...]] = (_scope, _addressee, _age, _person, _mail)
# The same steps by name, for whoever has to say how a decision was reached (domain/walk.py).
STEPS: Final = {step.__name__.removeprefix("_"): step for step in _STEPS}

_NOT_GRANTING: Final[dict[Status, Reason]] = {
    Status.UNKNOWN: Reason.NO_CONSENT,
    Status.REQUESTED: Reason.NOT_ANSWERED,
    Status.DEFERRED: Reason.NOT_ANSWERED,
    Status.REFUSED: Reason.REFUSED,
    Status.REFUSED_BY_SILENCE: Reason.REFUSED,
    Status.WITHDRAWN: Reason.WITHDRAWN,
    Status.OBJECTED: Reason.OBJECTED,
    Status.EXPIRED: Reason.CONSENT_EXPIRED,
    Status.REVOKED: Reason.CONSENT_REVOKED,
    Status.INVALIDATED: Reason.CONSENT_REVOKED,
}


# What nearly every recorded hit comes to, made once: making it anew is 0.5 µs of 16 (measured).
_CONSENTED: Final = {purpose: Allowed(purpose, Reason.CONSENT_GIVEN) for purpose in Purpose}


def _by_consent(purpose: Purpose, state: ConsentState, policy: Policy, now: int) -> Decision:
    choice = state.choices.get(purpose)
    if choice is None:
        return Declined(purpose, Reason.NO_CONSENT)
    if not choice.granting:
        return Declined(purpose, _NOT_GRANTING[choice.status])
    if now < choice.since:
        return Declined(purpose, Reason.BEFORE_CONSENT)
    if choice.expires_at is not None and now >= choice.expires_at:
        return Declined(purpose, Reason.CONSENT_EXPIRED)
    lapse = policy.limit("consent_lapse_months")
    if lapse is not None and is_over(choice.since, lapse, now):
        return Declined(purpose, Reason.CONSENT_LAPSED)
    if choice.grade.rank < policy.least_grade(purpose).rank:
        return Declined(purpose, Reason.EVIDENCE_TOO_WEAK)
    return _CONSENTED[purpose]


def _by_notice(purpose: Purpose, jurisdiction: str, state: ConsentState, policy: Policy) -> Decision:
    choice = state.choices.get(purpose)
    if choice is not None and not choice.granting and choice.status is not Status.UNKNOWN:
        return Declined(purpose, _NOT_GRANTING[choice.status])
    # A notice reaches people we know; a token of an erased person must not bring a profile back (AH-11).
    if not state.known:
        return Declined(purpose, Reason.SUBJECT_UNKNOWN)
    if policy.notice_for(jurisdiction) is None:
        return Declined(purpose, Reason.NOTICE_MISSING)
    return Allowed(purpose, Reason.NOTICE_GIVEN)


def _legacy_holds(jurisdiction: str, state: ConsentState, policy: Policy) -> bool:
    """Whether a national transition covers this address: every date must be there (CC-12, CC-13)."""
    legacy = policy.pack.legacy
    used = {jurisdiction, policy.pack.id} & policy.house.legacy_regimes
    if legacy is None or not used or state.address_collected_on is None or state.legacy_notice_on is None:
        return False
    in_time = legacy.noticed_by is None or state.legacy_notice_on <= legacy.noticed_by
    return state.address_collected_on < legacy.collected_before and in_time


def decide(
    recipient: Recipient,
    message: Message,
    purpose: Purpose,
    state: ConsentState | None,
    policy: Policy | None,
    now: int,
) -> Decision:
    """Decide whether one purpose may be served.

    `state` is None when it could not be read, `policy` when none could be found; both decline. `now` is the moment
    judged, in seconds: the issue of the mail, or the time of the hit.
    Source: ePrivacy Directive Art. 5(3), GDPR Art. 6, 7, 21; CNIL 2026-042; Garante 284/2026.
    """
    if policy is None or message.mail_type is None:
        return Declined(purpose, Reason.POLICY_MISSING)
    if state is None:
        return Declined(purpose, Reason.STATE_UNAVAILABLE)
    case = (recipient, message, purpose, state, policy, now)
    for step in _STEPS:
        if reason := step(case):
            return Declined(purpose, reason)

    requirement = policy.needs(purpose, message.mail_type, message.jurisdiction)
    if purpose is _HYGIENE or purpose is _COUNT:
        refusal = exempt.why_not(purpose, requirement, message.mail_type, recipient.audience, state, policy)
        return Declined(purpose, refusal) if refusal else Minimal(purpose, exempt.BASIS[purpose])
    if requirement is Requirement.NEVER:
        return Declined(purpose, Reason.NEVER_ALLOWED)
    if requirement is Requirement.CONSENT:
        decision = _by_consent(purpose, state, policy, now)
        if decision.reason is Reason.NO_CONSENT and _legacy_holds(message.jurisdiction, state, policy):
            return Allowed(purpose, Reason.LEGACY_REGIME)
        return decision
    return _by_notice(purpose, message.jurisdiction, state, policy)


# An open or a click is recorded only if its own measuring is allowed; these ride along and never carry a hit alone.
CARRIERS: Final[dict[HitKind, Purpose]] = {
    HitKind.OPEN: Purpose.OPEN_PERFORMANCE,
    HitKind.CLICK: Purpose.CLICK_PERFORMANCE,
}
RIDERS: Final = frozenset({Purpose.PERSONALISATION, Purpose.SALES_FOLLOWUP})
ALONE: Final = {kind: frozenset({carrier}) for kind, carrier in CARRIERS.items()}


@dataclass(frozen=True, slots=True)
class Scope:
    """What one pixel or link may record: the purposes, none of them if the carrier is declined, and why."""

    purposes: frozenset[Purpose]
    carrier: Decision
    decisions: tuple[Decision, ...]

    @property
    def open(self) -> bool:
        return bool(self.purposes)


def scope_of(
    kind: HitKind,
    recipient: Recipient,
    message: Message,
    state: ConsentState | None,
    policy: Policy | None,
    now: int,
) -> Scope:
    """The purposes one kind of measuring may serve now; at a hit `message.scope` is the token's, so it only narrows."""
    carrier = decide(recipient, message, CARRIERS[kind], state, policy, now)
    if not isinstance(carrier, Allowed):
        return Scope(frozenset(), carrier, (carrier,))
    wanted = message.scope & RIDERS
    if not wanted:
        return Scope(ALONE[kind], carrier, (carrier,))
    riders = [decide(recipient, message, rider, state, policy, now) for rider in sorted(wanted)]
    granted = {carrier.purpose} | {decision.purpose for decision in riders if isinstance(decision, Allowed)}
    return Scope(frozenset(granted), carrier, (carrier, *riders))


def scope_at_hit(
    kind: HitKind,
    message: Message,
    state: ConsentState | None,
    policy: Policy | None,
    at: int,
    *,
    margin: int = 0,
) -> Scope:
    """Scope at hit = scope at issue AND consent now AND policy now.

    `at` is the time of the hit. The drain passes `margin=CLOCK_MARGIN`, so that a hit spooled before a withdrawal
    and drained after a new consent is not taken for a hit under the new consent.
    """
    return scope_of(kind, THE_SUBJECT, message, state, policy, at - margin)


def message_of_token(
    mail_type: MailType | None, jurisdiction: str, bits: int, issued_at: int, sensitive: bool, signal: bool
) -> Message:
    return Message(mail_type, jurisdiction, from_bits(bits), issued_at, sensitive, signal)
