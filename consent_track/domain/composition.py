"""Several laws on one person: a recipient in one country and a controller in another, or a residence that is not sure.

Every one of them is kept. In each cell (purpose and kind of mail) the strictest requirement holds, permissions are the
shortest, minimum periods stay, and whatever the laws say differently is listed with the resolution (RT-06).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType
from typing import Final

from .consent import ConsentState
from .decision import Allowed, Decision, Declined, Message, Minimal, Reason, Recipient, decide
from .policy import LONGER_IS_STRICTER, Policy, Requirement, strictest
from .vocabulary import Grade, MailType, Purpose


@dataclass(frozen=True, slots=True)
class Law:
    """One law that claims a person: the jurisdiction, and the policy that reads it."""

    jurisdiction: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something the laws say differently, and what holds. A contradiction is one that no value can satisfy."""

    about: str
    said: tuple[tuple[str, str], ...]  # jurisdiction, what it says
    holds: str
    why: str
    contradiction: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one class of data stays under all the laws, in days; `days` is what the purge uses."""

    min_days: int
    max_days: int
    days: int


@dataclass(frozen=True, slots=True)
class Composition:
    """What holds for a person under several laws at once."""

    laws: tuple[Law, ...]
    requirements: Mapping[tuple[Purpose, MailType], Requirement]
    conditions: Mapping[tuple[Purpose, MailType], tuple[str, ...]]  # of every exemption that still carries a cell
    least_grades: Mapping[Purpose, Grade]
    limits: Mapping[str, int]
    retention: Mapping[str, Kept]
    deadlines: Mapping[str, str]
    bundled_with_mail_consent: bool
    honours_dnt: bool
    conflicts: tuple[Conflict, ...]


def compose(laws: Iterable[Law]) -> Composition:
    """What holds under all of these laws; their order and repetition change nothing.

    Raises ValueError where there is no law: then nothing may be measured, and there is nothing to compose.
    """
    once = {(law.jurisdiction, law.policy.hash): law for law in laws}
    if not once:
        raise ValueError("compose: no law was given")
    each = tuple(once[key] for key in sorted(once))
    conflicts: list[Conflict] = []
    requirements = _requirements(each, conflicts)
    return Composition(
        laws=each,
        requirements=MappingProxyType(requirements),
        conditions=MappingProxyType(_conditions(each, requirements)),
        least_grades=MappingProxyType(_grades(each, conflicts)),
        limits=MappingProxyType(_limits(each, conflicts)),
        retention=MappingProxyType(_retention(each, conflicts)),
        deadlines=MappingProxyType(_deadlines(each, conflicts)),
        bundled_with_mail_consent=_bundled(each, conflicts),
        honours_dnt=any(law.policy.honours_dnt for law in each),
        conflicts=tuple(conflicts),
    )


def _requirements(laws: tuple[Law, ...], conflicts: list[Conflict]) -> dict[tuple[Purpose, MailType], Requirement]:
    found: dict[tuple[Purpose, MailType], Requirement] = {}
    for purpose in Purpose:
        asked = {mail: tuple(law.policy.needs(purpose, mail, law.jurisdiction) for law in laws) for mail in MailType}
        found |= {(purpose, mail): strictest(*each) for mail, each in asked.items()}
        for each, mails in groupby(sorted(MailType, key=lambda mail: _ranks(asked[mail])), key=asked.__getitem__):
            if len(set(each)) > 1:
                kinds = ", ".join(sorted(mails))
                holds = strictest(*each).value
                about = f"{purpose} in {kinds}"
                conflicts.append(_conflict(about, laws, [one.value for one in each], holds, STRICTEST))
    return found


def _ranks(each: tuple[Requirement, ...]) -> tuple[int, ...]:
    return tuple(one.strictness for one in each)


def _conditions(
    laws: tuple[Law, ...], requirements: Mapping[tuple[Purpose, MailType], Requirement]
) -> dict[tuple[Purpose, MailType], tuple[str, ...]]:
    """Where no consent is asked for, every exemption among the laws holds only under its own conditions."""
    found: dict[tuple[Purpose, MailType], tuple[str, ...]] = {}
    for (purpose, mail), requirement in requirements.items():
        if requirement.strictness < Requirement.CONSENT.strictness:
            rules = [law.policy.pack.rules[purpose] for law in laws]
            exempt = [rule for rule in rules if rule.needs(mail) is Requirement.EXEMPT]
            found[purpose, mail] = tuple(sorted({name for rule in exempt for name in rule.conditions}))
    return found


def _grades(laws: tuple[Law, ...], conflicts: list[Conflict]) -> dict[Purpose, Grade]:
    found = {}
    for purpose in Purpose:
        each = [law.policy.least_grade(purpose) for law in laws]
        found[purpose] = max(each, key=lambda grade: grade.rank)
        if len(set(each)) > 1:
            said = [grade.value for grade in each]
            conflicts.append(_conflict(f"evidence for {purpose}", laws, said, found[purpose].value, BEST_EVIDENCE))
    return found


def _limits(laws: tuple[Law, ...], conflicts: list[Conflict]) -> dict[str, int]:
    names = {*(name for law in laws for name in (*law.policy.pack.parameters, *law.policy.house.parameters))}
    found = {}
    for name in sorted(names - {"dnt"}):
        each = [law.policy.limit(name) for law in laws]
        set_ = [value for value in each if value is not None]
        found[name] = max(set_) if name in LONGER_IS_STRICTER else min(set_)
        if len(set(each)) > 1:
            said = ["no limit" if value is None else str(value) for value in each]
            conflicts.append(_conflict(f"parameters.{name}", laws, said, str(found[name]), SHORTEST))
    return found


def _retention(laws: tuple[Law, ...], conflicts: list[Conflict]) -> dict[str, Kept]:
    found = {}
    for name in sorted({name for law in laws for name in law.policy.pack.retention}):
        each = [law.policy.pack.retention[name] for law in laws]
        least, most = max(held.min_days for held in each), min(held.max_days for held in each)
        days = max(least, min(law.policy.keep_days(name) for law in laws))
        found[name] = Kept(least, max(least, most), days)
        said = [f"{held.min_days} to {held.max_days} days" for held in each]
        if least > most:
            conflicts.append(_conflict(f"retention.{name}", laws, said, f"{days} days", DUTY_TO_KEEP, True))
        elif len(set(said)) > 1:
            conflicts.append(_conflict(f"retention.{name}", laws, said, f"{days} days", MINIMUM_THEN_SHORTEST))
    return found


def _bundled(laws: tuple[Law, ...], conflicts: list[Conflict]) -> bool:
    each = [law.policy.pack.bundled_with_mail_consent for law in laws]
    if len(set(each)) > 1:
        said = ["one request may ask for both" if one else "each is asked for apart" for one in each]
        conflicts.append(
            _conflict("consent.bundled_with_mail_consent", laws, said, "each is asked for apart", STRICTEST)
        )
    return all(each)


# Lengths of time that a law sets. shortest: a limit or a permission; duty: the same, and zero means that there is no
# duty; longest: something that has to last.
_LENGTHS: Final = (
    ("requests", "acknowledge_within", "duty"),
    ("requests", "answer_within", "shortest"),
    ("requests", "extension", "shortest"),
    ("requests", "opt_out_within", "shortest"),
    ("requests", "complaint_acknowledge_within", "shortest"),
    ("requests", "appeal_within", "shortest"),
    ("unsubscribe", "honour_within", "shortest"),
    ("unsubscribe", "alive_for", "longest"),
    ("breach", "authority_within", "shortest"),
    ("breach", "record_for", "longest"),
    ("consent", "proof_after_last_mail", "longest"),
    ("purge", "destroy_within", "shortest"),
)


def _deadlines(laws: tuple[Law, ...], conflicts: list[Conflict]) -> dict[str, str]:
    found = {}
    for section, key, rule in _LENGTHS:
        figures = [law.policy.pack.content.get(section, {}).get(key) for law in laws]
        lengths = {(int(one["value"]), str(one["unit"])) for one in figures if one}
        if not lengths:
            continue
        name = f"{section}.{key}"
        found[name] = _together(lengths, rule)
        if len({None if one is None else (one["value"], one["unit"]) for one in figures}) > 1:
            said = [f"{one['value']} {one['unit']}" if one else "says nothing" for one in figures]
            conflicts.append(_conflict(name, laws, said, found[name], LONGEST if rule == "longest" else EARLIEST))
    return found


def _together(lengths: set[tuple[int, str]], rule: str) -> str:
    """One length for each unit: a month is sometimes shorter than 30 days and sometimes longer, so both are kept."""
    if rule == "duty":
        lengths = {one for one in lengths if one[0]} or lengths
    elif rule == "shortest" and any(value == 0 for value, _ in lengths):
        lengths = {one for one in lengths if one[0] == 0}
    pick = max if rule == "longest" else min
    units = sorted({unit for _, unit in lengths})
    words = [f"{pick(value for value, its in lengths if its == unit)} {unit}" for unit in units]
    tail = f", whichever ends {'last' if rule == 'longest' else 'first'}" if len(words) > 1 else ""
    return " and ".join(words) + tail


STRICTEST: Final = "the strictest requirement holds"
BEST_EVIDENCE: Final = "the best evidence that any of them asks for is needed"
SHORTEST: Final = "the value that protects the person most holds"
EARLIEST: Final = "every deadline is kept, so the earliest decides"
LONGEST: Final = "everything that has to last lasts as long as the longest asks"
MINIMUM_THEN_SHORTEST: Final = "the longest minimum is kept; beyond it, the shortest permission holds"
DUTY_TO_KEEP: Final = (
    "no period satisfies all: the duty to keep goes before the limit, and ends with it (GDPR Art. 17(3)(b))"
)


def _conflict(
    about: str, laws: tuple[Law, ...], said: list[str], holds: str, why: str, contradiction: bool = False
) -> Conflict:
    pairs = tuple((law.jurisdiction, words) for law, words in zip(laws, said, strict=True))
    return Conflict(about, pairs, holds, why, contradiction)


_NARROWNESS: Final = {Allowed: 0, Minimal: 1, Declined: 2}
_FIRST: Final = {reason: -place for place, reason in enumerate(Reason)}


def decide_under(
    laws: Iterable[Law], recipient: Recipient, message: Message, purpose: Purpose, state: ConsentState | None, now: int
) -> Decision:
    """The decision where several laws claim a person: each is asked, and the narrowest answer holds.

    Each law is asked for its own jurisdiction, whatever the message names. Without any law it is declined. Of two
    equally narrow answers the one whose reason stands first in `Reason` is given, so that their order never matters.
    """
    decisions = [
        decide(recipient, replace(message, jurisdiction=law.jurisdiction), purpose, state, law.policy, now)
        for law in laws
    ]
    if not decisions:
        return Declined(purpose, Reason.POLICY_MISSING)
    return max(decisions, key=lambda decision: (_NARROWNESS[type(decision)], _FIRST[decision.reason]))
