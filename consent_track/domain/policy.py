"""What one jurisdiction asks for each purpose and kind of mail, with the source of every parameter.

A rule pack states the law; the house policy of the operator can only be stricter. `Policy` is the two together:
its hash is its version and stands in every token and record.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Final

from .vocabulary import UNKNOWN_JURISDICTION, Grade, MailType, Purpose


class Requirement(Enum):
    """What must be true before a purpose may be served, loosest first. Value grammar of the rule packs."""

    __hash__ = object.__hash__  # as in vocabulary.HitKind

    EXEMPT = "exempt"  # no consent where the conditions hold; a notice still is needed
    NOTICE = "notice"  # lawful after a notice, until somebody objects
    OPT_OUT = "opt_out"  # lawful until somebody objects
    CONSENT = "consent"  # prior consent
    NEVER = "never"

    @property
    def strictness(self) -> int:
        return _STRICTNESS[self]


_STRICTNESS: Final = {requirement: rank for rank, requirement in enumerate(Requirement)}


def strictest(*requirements: Requirement) -> Requirement:
    return max(requirements, key=_STRICTNESS.__getitem__)


class Confidence(Enum):
    """How well a parameter is founded: primary text, quoted primary, secondary, memory, or a rule of the house."""

    PRIMARY = "P"
    QUOTED = "Q"
    SECONDARY = "S"
    MEMORY = "M"
    HOUSE = "H"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number or word of a policy with its source, its date in force and how sure we are of it."""

    value: int | str | bool | date
    source: str
    confidence: Confidence
    in_force: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one purpose needs: `requirement` for the listed kinds of mail (all, if none is listed), else `otherwise`."""

    requirement: Requirement
    mail_types: frozenset[MailType]
    otherwise: Requirement
    conditions: tuple[str, ...]
    least_grade: Grade
    source: str
    confidence: Confidence
    in_force: date | None = None
    note: str = ""
    admt: str = ""  # it feeds automated decisions about people: the reference of their assessment (GDPR Art. 22)

    def needs(self, mail_type: MailType) -> Requirement:
        if not self.mail_types or mail_type in self.mail_types:
            return self.requirement
        return self.otherwise


@dataclass(frozen=True, slots=True)
class Legacy:
    """A transition for addresses held before a date: information and objection, if told in time (CC-12, CC-13)."""

    collected_before: date
    noticed_by: date | None  # None: with the first useful mail
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Retention:
    """How long one class of data stays. Months are calendar months, days are calendar days; min never above max."""

    min_days: int
    max_days: int
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class RulePack:
    """One file of `policies/`: the law of one jurisdiction as its author read it."""

    id: str
    title: str
    status: str  # released | draft
    law_version: str
    covers: tuple[
        str, ...
    ]  # further jurisdictions read by this pack, e.g. the rest of the EEA; "US-*" for all of a country
    rules: Mapping[Purpose, Rule]
    parameters: Mapping[str, Parameter]
    retention: Mapping[str, Retention]
    legacy: Legacy | None
    bundled_with_mail_consent: bool
    content: Mapping[str, Any]  # the parsed file, for the hash and for people
    uncertain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HousePolicy:
    """The operator's own, stricter choices (decision 2). As shipped: individual measuring needs consent everywhere."""

    individual: Requirement
    regimes: Mapping[str, Requirement]  # jurisdiction -> notice or opt_out, an explicit choice of the operator
    notices: Mapping[str, str]  # purpose or jurisdiction -> reference of the recorded notice
    legacy_regimes: frozenset[str]  # jurisdictions whose transition the operator uses
    foreign_trackers: str  # strip | refuse
    signed_foreign_trackers: str  # refuse | pass
    retention: Mapping[str, int]  # class -> days; can only shorten towards the minimum
    parameters: Mapping[str, int]
    content: Mapping[str, Any]
    keeps_proof: bool = True  # whether proof of a choice stays readable for a complaint after an erasure


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule pack under the house policy: what actually holds here. Immutable; `hash` is its version."""

    pack: RulePack
    house: HousePolicy
    hash: str

    @property
    def id(self) -> str:
        return self.pack.id

    @property
    def prefix(self) -> int:
        """The first four octets of the hash as a number: what a token can afford to carry."""
        return int(self.hash[:8], 16)

    def needs(self, purpose: Purpose, mail_type: MailType, jurisdiction: str) -> Requirement:
        """What this purpose needs in this kind of mail; a purpose the pack does not know is never served."""
        rule = self.pack.rules.get(purpose)
        if rule is None:
            return Requirement.NEVER
        law = rule.needs(mail_type)
        if law in (Requirement.EXEMPT, Requirement.NEVER):
            return law
        regime = self.house.regimes.get(jurisdiction) or self.house.regimes.get(self.pack.id)
        return strictest(law, regime or self.house.individual)

    def least_grade(self, purpose: Purpose) -> Grade:
        rule = self.pack.rules.get(purpose)
        return rule.least_grade if rule else Grade.MAILBOX_LOOP

    def notice_for(self, jurisdiction: str) -> str | None:
        return self.house.notices.get(jurisdiction) or self.house.notices.get(self.pack.id)

    def notice_of(self, purpose: Purpose) -> str | None:
        """The reference of the notice that the operator recorded for an exempt mode; None: the mode is off (DI-01)."""
        return self.house.notices.get(purpose)

    def number(self, name: str) -> int:
        """A whole-number parameter, the stricter of law and house. Raises KeyError: the loader proved it is there."""
        law = int(self.pack.parameters[name].value)  # type: ignore[arg-type]
        house = self.house.parameters.get(name)
        if house is None:
            return law
        return max(law, house) if name in LONGER_IS_STRICTER else min(law, house)

    def limit(self, name: str) -> int | None:
        """A number that a pack may leave out, the stricter of law and house; None where neither sets one."""
        if name in self.pack.parameters:
            return self.number(name)
        return self.house.parameters.get(name)

    @property
    def honours_dnt(self) -> bool:
        """Whether `DNT: 1` is read as a refusal for that request (AH-12); where the policy says nothing, it is."""
        said = self.pack.parameters.get("dnt")
        return said is None or said.value != "ignore"

    def keep_days(self, data_class: str) -> int:
        """The longest a class of data may stay, in days. Raises KeyError for a class nobody declared."""
        held = self.pack.retention[data_class]
        return max(held.min_days, min(held.max_days, self.house.retention.get(data_class, held.max_days)))


# Parameters where more protects the person; of all others, less does.
LONGER_IS_STRICTER: Final = frozenset({"re_ask_cooldown_months", "aggregate_min_audience"})


def policy_hash(pack: Mapping[str, Any], house: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of both files: any change of content is another version, a comment is none."""
    canonical = json.dumps(
        {"house": house, "pack": pack}, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Policies:
    """Every policy in force here, found by jurisdiction, never by guess; unknown gets the strictest (decision 3)."""

    by_id: Mapping[str, Policy]
    covering: Mapping[str, str]  # jurisdiction or "US-*" -> pack id
    house: HousePolicy

    def for_jurisdiction(self, code: str) -> Policy:
        """The policy that reads `code`: its own, one that covers it, its country's, else the strictest."""
        found = self.by_id.get(code)
        if found is not None:
            return found
        country = code.partition("-")[0]
        for name in (self.covering.get(code), self.covering.get(f"{country}-*"), country, self.covering.get(country)):
            if name is not None and name in self.by_id:
                return self.by_id[name]
        return self.by_id[UNKNOWN_JURISDICTION]
