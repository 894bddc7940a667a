"""What is true of the measuring here: which purposes, on what ground, which data, for how long, who gets them.

The periods are those the purge reads, so that what people are told and what happens cannot part (RT-11).
"""

from dataclasses import dataclass
from typing import Final

from consent_track.domain.controller import Controller
from consent_track.domain.policy import Policy, Requirement
from consent_track.domain.vocabulary import EXEMPT_MODES, RESERVED, MailType, Purpose

# Classes of data about people, in the order they are told; a test asks the data map whether one is missing.
CLASSES: Final = ("hits", "mailing_register", "consent_proof", "suppression", "request_log")
# Classes that exist because of the measuring itself; the others exist to respect what people chose.
OF_MEASURING: Final = frozenset({"hits", "network"})
ACTIVITY: Final = frozenset({"hits", "mailing_register"})  # Cal. Civ. Code 1798.140(v)(1)(F); the rest are identifiers
NETWORK: Final = "network"  # no class of its own: the pseudonym within a hit, emptied before the hit goes


@dataclass(frozen=True, slots=True)
class Enabled:
    """One purpose that may be served here, and the loosest ground on which it may."""

    purpose: Purpose
    requirement: Requirement
    assessment: str  # not empty: it feeds automated decisions about people


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a notice says that is not its words. Periods in days, by class of data."""

    controller: Controller
    jurisdiction: str
    purposes: tuple[Enabled, ...]
    kept: tuple[tuple[str, int], ...]
    erased_after_withdrawal: int
    honours_dnt: bool
    privacy_page: str  # where people without a link of their own reach us


def facts_of(policy: Policy, controller: Controller, jurisdiction: str, public_url: str) -> Facts:
    """The facts of one controller in one jurisdiction."""
    kept = [(name, policy.keep_days(name)) for name in CLASSES]
    kept.insert(1, (NETWORK, min(policy.number("ip_pseudonym_days"), policy.keep_days("hits"))))
    return Facts(
        controller=controller,
        jurisdiction=jurisdiction,
        purposes=tuple(_enabled(policy, jurisdiction)),
        kept=tuple(kept),
        erased_after_withdrawal=policy.number("erase_after_withdrawal_days"),
        honours_dnt=policy.honours_dnt,
        privacy_page=f"{public_url}/privacy",
    )


def _enabled(policy: Policy, jurisdiction: str) -> list[Enabled]:
    """Reserved purposes are always declined; exempt modes are off until their notice is recorded (decision 2)."""
    found = []
    for purpose in Purpose:
        rule = policy.pack.rules.get(purpose)
        off = purpose in RESERVED or (purpose in EXEMPT_MODES and purpose not in policy.house.notices)
        if rule is None or off:
            continue
        asked = {policy.needs(purpose, mail_type, jurisdiction) for mail_type in MailType} - {Requirement.NEVER}
        if asked:
            loosest = min(asked, key=lambda requirement: requirement.strictness)
            found.append(Enabled(purpose, loosest, rule.admt))
    return found
