"""How the words of a rule pack are read: every key is known, every value has a type, every problem names its key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final, TypeVar

from consent_track.domain.errors import Problem
from consent_track.domain.policy import (
    Confidence,
    HousePolicy,
    Legacy,
    Parameter,
    Requirement,
    Retention,
    Rule,
    RulePack,
)
from consent_track.domain.vocabulary import RESERVED, Grade, MailType, Purpose, is_jurisdiction

# What every pack must say, and within which bounds (whole numbers) or among which words.
PARAMETERS: Final[dict[str, tuple[int, int] | tuple[str, ...]]] = {
    "token_life_days": (1, 396),  # never beyond 13 months (TI-09)
    "signal_waiver": (0, 1),
    "erase_after_withdrawal_days": (0, 30),
    "ip_pseudonym_days": (0, 30),  # decision 15
    "re_ask_cooldown_months": (0, 120),
    "unsubscribe_max_hours": (0, 240),
    "dnt": ("refusal", "ignore"),
}
CLASSES: Final = tuple(
    """hits mailing_register consent_proof suppression request_log purge_evidence key_evidence decline_counts
    policy_versions spool_cursors sign_offs""".split()
)
# Carried as data for releases that answer requests.
REQUESTS: Final = frozenset(
    """response acknowledgement opt_out limit breach_authority_hours pause search complaint_acknowledgement
    know_lookback_from signal signal_confirmation_display metrics_threshold_consumers signal_states
    signal_not_required_in unsubscribe_alive appeal""".split()
)
E = TypeVar("E", bound=Enum)


@dataclass(slots=True)
class Reader:
    """Reads one file; collects what is wrong under `file: key`, and goes on."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, key: str, what: str) -> None:
        self.problems.append(Problem(f"{self.file}: {key}", what))

    def known(self, table: Mapping[str, Any], keys: frozenset[str] | set[str], path: str = "") -> None:
        for key in table:
            if key not in keys:
                self.wrong(path + key, "is not a known key")

    def take(
        self, table: Mapping[str, Any], key: str, kind: type | tuple[type, ...], default: Any = None, path: str = ""
    ) -> Any:
        """The value of a key if it has the type; a bool is never taken for a number, nor a date-time for a date."""
        if key not in table:
            if default is None:
                self.wrong(path + key, "is missing")
            return default
        value = table[key]
        exact = type(value) in (kind if isinstance(kind, tuple) else (kind,))
        if not exact:
            self.wrong(path + key, f"is {type(value).__name__}, not {_named(kind)}")
            return default
        return value

    def word(
        self, table: Mapping[str, Any], key: str, words: type[E], default: E, path: str = "", needed: bool = True
    ) -> E:
        value = table.get(key)
        if value is None and not needed:
            return default
        for member in words:
            if member.value == value:
                return member
        self.wrong(
            path + key,
            "is missing" if value is None else f"{value!r} is not one of {', '.join(m.value for m in words)}",
        )
        return default

    def texts(self, table: Mapping[str, Any], key: str, path: str = "") -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self.wrong(path + key, "is not a list of texts")
            return ()
        return tuple(value)

    def table(self, parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = parent.get(key, {})
        if not isinstance(value, dict):
            self.wrong(key, "is not a table")
            return {}
        return value


def _named(kind: type | tuple[type, ...]) -> str:
    return " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))


_PACK: Final = frozenset(
    """id title status law_version covers bundled_with_mail_consent uncertain rules parameters retention legacy
    requests""".split()
)
_RULE: Final = frozenset(
    "requirement mail_types otherwise conditions least_grade source confidence in_force note".split()
)


def read_pack(reader: Reader, content: Mapping[str, Any]) -> RulePack:
    """The pack of a parsed file; use it only if `reader.problems` stayed empty."""
    reader.known(content, _PACK)
    identity = reader.take(content, "id", str, "")
    if identity and not is_jurisdiction(identity):
        reader.wrong("id", f"{identity!r} is not an ISO 3166 code such as FR or US-CA")
    status = reader.take(content, "status", str, "")
    if status not in ("released", "draft"):
        reader.wrong("status", f"{status!r} is neither released nor draft")
    covers = reader.texts(content, "covers")
    for code in covers:
        if not is_jurisdiction(code.removesuffix("-*")):
            reader.wrong("covers", f"{code!r} is not an ISO 3166 code, nor one with -* for the rest of a country")
    reader.known(reader.table(content, "requests"), REQUESTS, "requests.")
    return RulePack(
        id=identity,
        title=reader.take(content, "title", str, ""),
        status=status,
        law_version=reader.take(content, "law_version", str, ""),
        covers=covers,
        rules=_rules(reader, reader.table(content, "rules")),
        parameters=_parameters(reader, reader.table(content, "parameters")),
        retention=_retention(reader, reader.table(content, "retention")),
        legacy=_legacy(reader, content["legacy"]) if isinstance(content.get("legacy"), dict) else None,
        bundled_with_mail_consent=reader.take(content, "bundled_with_mail_consent", bool, False),
        content=content,
        uncertain=reader.texts(content, "uncertain"),
    )


def _rules(reader: Reader, table: Mapping[str, Any]) -> dict[Purpose, Rule]:
    names = {purpose.value for purpose in Purpose}
    reader.known(table, names, "rules.")
    for missing in sorted(names - table.keys()):
        reader.wrong(f"rules.{missing}", "is missing: every purpose needs a rule")
    return {
        Purpose(name): _rule(reader, name, rule)
        for name, rule in table.items()
        if name in names and isinstance(rule, dict)
    }


def _rule(reader: Reader, name: str, table: Mapping[str, Any]) -> Rule:
    path = f"rules.{name}."
    reader.known(table, _RULE, path)
    requirement = reader.word(table, "requirement", Requirement, Requirement.NEVER, path)
    mail_types = reader.texts(table, "mail_types", path)
    for unknown in sorted(set(mail_types) - set(MailType)):
        reader.wrong(f"{path}mail_types", f"{unknown!r} is not a kind of mail")
    if bool(mail_types) != ("otherwise" in table):
        reader.wrong(f"{path}otherwise", "goes with mail_types, and mail_types with it")
    if Purpose(name) in RESERVED and requirement is not Requirement.NEVER:
        reader.wrong(f"{path}requirement", "must be never: this purpose is reserved")
    return Rule(
        requirement,
        frozenset(MailType(one) for one in mail_types if one in set(MailType)),
        reader.word(table, "otherwise", Requirement, requirement, path, needed=False),
        reader.texts(table, "conditions", path),
        reader.word(table, "least_grade", Grade, Grade.OPERATOR, path, needed=False),
        reader.take(table, "source", str, "", path),
        reader.word(table, "confidence", Confidence, Confidence.MEMORY, path),
        reader.take(table, "in_force", date, _NO_DATE, path) if "in_force" in table else None,
        reader.take(table, "note", str, "-", path) if "note" in table else "",
    )


_NO_DATE: Final = date.min


def _parameters(reader: Reader, table: Mapping[str, Any]) -> dict[str, Parameter]:
    reader.known(table, set(PARAMETERS), "parameters.")
    found = {}
    for name, bounds in PARAMETERS.items():
        path = f"parameters.{name}."
        one = table.get(name)
        if not isinstance(one, dict):
            reader.wrong(f"parameters.{name}", "is missing")
            continue
        reader.known(one, {"value", "source", "confidence", "in_force", "note"}, path)
        number = isinstance(bounds[0], int)
        value = reader.take(one, "value", int if number else str, bounds[0], path)
        if number and not bounds[0] <= value <= bounds[1]:
            reader.wrong(f"{path}value", f"{value} is not between {bounds[0]} and {bounds[1]}")
        if not number and value not in bounds:
            reader.wrong(f"{path}value", f"{value!r} is not one of {', '.join(map(str, bounds))}")
        found[name] = Parameter(
            value,
            reader.take(one, "source", str, "", path),
            reader.word(one, "confidence", Confidence, Confidence.MEMORY, path),
            reader.take(one, "in_force", date, _NO_DATE, path) if "in_force" in one else None,
            reader.take(one, "note", str, "-", path) if "note" in one else "",
        )
    return found


def _retention(reader: Reader, table: Mapping[str, Any]) -> dict[str, Retention]:
    reader.known(table, set(CLASSES), "retention.")
    found = {}
    for name in CLASSES:
        path = f"retention.{name}."
        one = table.get(name)
        if not isinstance(one, dict):
            reader.wrong(f"retention.{name}", "is missing: every class of data needs a limit")
            continue
        reader.known(one, {"min_days", "max_days", "source", "confidence"}, path)
        least, most = reader.take(one, "min_days", int, 0, path), reader.take(one, "max_days", int, 0, path)
        if not 0 <= least <= most:
            reader.wrong(f"{path}min_days", f"{least} is below 0 or above max_days, {most}")
        found[name] = Retention(
            least,
            most,
            reader.take(one, "source", str, "", path),
            reader.word(one, "confidence", Confidence, Confidence.MEMORY, path),
        )
    return found


def _legacy(reader: Reader, table: Mapping[str, Any]) -> Legacy:
    reader.known(table, {"collected_before", "noticed_by", "source", "confidence"}, "legacy.")
    return Legacy(
        reader.take(table, "collected_before", date, _NO_DATE, "legacy."),
        reader.take(table, "noticed_by", date, _NO_DATE, "legacy.") if "noticed_by" in table else None,
        reader.take(table, "source", str, "", "legacy."),
        reader.word(table, "confidence", Confidence, Confidence.MEMORY, "legacy."),
    )


_HOUSE: Final = frozenset(
    """id title individual foreign_trackers signed_foreign_trackers drafts legacy_regimes regimes notices retention
    parameters""".split()
)


def read_house(reader: Reader, content: Mapping[str, Any]) -> HousePolicy:
    """The house policy of a parsed file. A notice regime without a recorded notice is a problem, not a default."""
    reader.known(content, _HOUSE)
    individual = reader.word(content, "individual", Requirement, Requirement.CONSENT)
    if individual.strictness < Requirement.CONSENT.strictness:
        reader.wrong(
            "individual", "must be consent or never; a notice regime is chosen by jurisdiction under [regimes]"
        )
    regimes = {
        code: reader.word({code: value}, code, Requirement, Requirement.CONSENT, "regimes.")
        for code, value in reader.table(content, "regimes").items()
    }
    notices = {key: value for key, value in reader.table(content, "notices").items() if isinstance(value, str)}
    for code, regime in regimes.items():
        if not is_jurisdiction(code):
            reader.wrong(f"regimes.{code}", "is not an ISO 3166 code such as US-CA")
        if regime in (Requirement.NOTICE, Requirement.OPT_OUT) and not notices.get(code):
            reader.wrong(f"regimes.{code}", f'needs a recorded notice: say under [notices] {code} = "..." which')
    for code in sorted(notices.keys() - regimes.keys()):
        reader.wrong(f"notices.{code}", "records a notice for a regime that is not chosen under [regimes]")
    return HousePolicy(
        individual,
        regimes,
        notices,
        frozenset(reader.texts(content, "legacy_regimes")),
        _one_of(reader, content, "foreign_trackers", ("strip", "refuse")),
        _one_of(reader, content, "signed_foreign_trackers", ("refuse", "pass")),
        _numbers(reader, content, "retention", CLASSES),
        _numbers(
            reader,
            content,
            "parameters",
            tuple(name for name, bounds in PARAMETERS.items() if isinstance(bounds[0], int)),
        ),
        content,
    )


def _one_of(reader: Reader, content: Mapping[str, Any], key: str, words: tuple[str, ...]) -> str:
    value = reader.take(content, key, str, words[0])
    if value not in words:
        reader.wrong(key, f"{value!r} is not one of {', '.join(words)}")
    return str(value)


def _numbers(reader: Reader, content: Mapping[str, Any], key: str, names: tuple[str, ...]) -> dict[str, int]:
    table = reader.table(content, key)
    reader.known(table, set(names), f"{key}.")
    found = {name: reader.take(table, name, int, 0, f"{key}.") for name in table if name in names}
    for name, value in found.items():
        if value < 0:
            reader.wrong(f"{key}.{name}", "is below 0")
    return found


Check = Callable[[Purpose], bool]
