"""One file of a policies folder: bytes to a rule pack or a house policy, with every problem under its key."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from consent_track import policy_schema as schema
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
from consent_track.domain.vocabulary import (
    EXEMPT_MODES,
    RESERVED,
    Grade,
    MailType,
    Purpose,
    is_jurisdiction,
)

LONGEST_FILE: Final = 256 * 1024  # octets; a pack is a few pages, anything larger is a mistake or an attack
_TABLES: Final = ("parameters", "rules", "retention", "legacy", *schema.SECTIONS)
_EVERY_PARAMETER: Final = {**schema.PARAMETERS, **schema.OPTIONAL_PARAMETERS}
_UNCERTAIN_ABOUT: Final = frozenset({"pack", *Purpose, *_EVERY_PARAMETER, *_TABLES})


@dataclass(slots=True)
class Reading:
    """One file while it is read, and everything found wrong with it so far."""

    path: Path
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, key: str, what: str) -> None:
        self.problems.append(Problem(f"{self.path}: {key}", what))

    def fits(self, key: str, value: Any, shape: schema.Shape, further: tuple[str, ...] = ()) -> bool:
        """Whether a table has all the keys it must have, none that nobody knows, and sound values. Notes the rest."""
        if not isinstance(value, dict):
            self.wrong(key, f"must be a table, not {value!r}")
            return False
        must, may = shape
        before = len(self.problems)
        place = f"{key}." if key else ""
        for name in must:
            if name not in value:
                self.wrong(f"{place}{name}", "is missing")
        for name, given in value.items():
            check = must.get(name) or may.get(name)
            if check is None and name not in further:
                self.wrong(f"{place}{name}", "is not a key this version knows")
            elif check is not None and (what := check(given)):
                self.wrong(f"{place}{name}", what)
        return len(self.problems) == before


def read_toml(reading: Reading) -> dict[str, Any] | None:
    """The parsed file, or None with a problem noted; never anything but these two, whatever the file holds."""
    path = reading.path
    try:
        with path.open("rb") as opened:
            octets = opened.read(LONGEST_FILE + 1)
        if len(octets) > LONGEST_FILE:
            reading.wrong("file", f"is larger than {LONGEST_FILE // 1024} kB")
            return None
        return tomllib.loads(octets.decode("utf-8"))
    except OSError as error:
        reading.wrong("file", f"cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        reading.wrong("file", "is not UTF-8")
    except RecursionError:
        reading.wrong("file", "is nested too deeply")
    except (ValueError, OverflowError) as error:  # tomllib lets the errors of int and date through
        reading.wrong("file", f"is not TOML: {error}")
    return None


def read_pack(reading: Reading) -> RulePack | None:
    """The rule pack in a file, or None with every problem noted."""
    content = read_toml(reading)
    if content is None:
        return None
    reading.fits("", content, schema.PACK, _TABLES)
    _check_names(reading, content)
    for table, required, optional, shape in (
        ("parameters", tuple(schema.PARAMETERS), tuple(schema.OPTIONAL_PARAMETERS), _parameter_shape),
        ("rules", tuple(Purpose), (), lambda _: schema.RULE),
        ("retention", schema.RETENTION_CLASSES, (), lambda _: schema.RETENTION),
    ):
        _check_table(reading, table, content.get(table, {}), required + optional, required, shape)
    for section, keys in schema.SECTIONS.items():
        always = schema.REQUIRED.get(section, ())
        _check_table(reading, section, content.get(section, {}), tuple(keys), always, _section_shape(section))
    _check_rules(reading, content.get("rules"))
    _check_limits(reading, content)
    return None if reading.problems else pack_of(content)


def _parameter_shape(name: str) -> schema.Shape:
    return schema.figure(_EVERY_PARAMETER[name])


def _section_shape(section: str) -> Any:
    def shape(name: str) -> schema.Shape:
        check, length = schema.SECTIONS[section][name]
        return schema.figure(check, length=length)

    return shape


def _check_table(
    reading: Reading, table: str, entries: Any, known: tuple[str, ...], required: tuple[str, ...], shape: Any
) -> None:
    if not isinstance(entries, dict):
        reading.wrong(table, f"must be a table, not {entries!r}")
        return
    for name in required:
        if name not in entries:
            reading.wrong(f"{table}.{name}", "is missing")
    for name, entry in entries.items():
        if name in known:
            reading.fits(f"{table}.{name}", entry, shape(name))
        else:
            reading.wrong(f"{table}.{name}", "is not a key this version knows")


def _check_names(reading: Reading, content: Mapping[str, Any]) -> None:
    id_ = content.get("id")
    if isinstance(id_, str) and id_ and not is_jurisdiction(id_):
        reading.wrong("id", f"{id_!r} is not an ISO 3166 code such as FR, US-CA or US-OTHER")
    for code in _list(content.get("covers")):
        if not is_jurisdiction(code.removesuffix("-*")) or ("-" in code.removesuffix("-*") and code.endswith("-*")):
            reading.wrong("covers", f"{code!r} is neither an ISO 3166 code nor one with -* for its subdivisions")
    for sentence in _list(content.get("uncertain")):
        if sentence.partition(": ")[0] not in _UNCERTAIN_ABOUT:
            reading.wrong("uncertain", f"{sentence[:40]!r} does not begin with what it is about, such as `geo: `")


def _list(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _check_rules(reading: Reading, rules: Any) -> None:
    for name, rule in rules.items() if isinstance(rules, dict) else ():
        if name not in set(Purpose) or not isinstance(rule, dict):
            continue
        key, requirement = f"rules.{name}", rule.get("requirement")
        asked = {one for one in (requirement, rule.get("otherwise")) if isinstance(one, str)}
        if bool(rule.get("mail_types")) != ("otherwise" in rule):
            reading.wrong(f"{key}.otherwise", "must be there if, and only if, mail_types names some kinds of mail")
        if bool(rule.get("admt")) != ("assessment" in rule):
            reading.wrong(
                f"{key}.assessment", "must be there if, and only if, admt is true: it is what people are told"
            )
        if name in RESERVED and asked != {Requirement.NEVER.value}:
            reading.wrong(f"{key}.requirement", "must be never: this purpose is reserved")
        if Requirement.EXEMPT.value in asked:
            if name not in EXEMPT_MODES:
                reading.wrong(f"{key}.requirement", "cannot be exempt: this purpose measures one person")
            if not rule.get("conditions"):
                reading.wrong(f"{key}.conditions", "is missing: an exemption has conditions")


def _check_limits(reading: Reading, content: Mapping[str, Any]) -> None:
    legacy = content.get("legacy")
    if legacy is not None:
        reading.fits("legacy", legacy, schema.LEGACY)
    retention = content.get("retention")
    for name, held in retention.items() if isinstance(retention, dict) else ():
        least, most = (held.get("min_days"), held.get("max_days")) if isinstance(held, dict) else (None, None)
        if isinstance(least, int) and isinstance(most, int) and least > most:
            reading.wrong(f"retention.{name}.min_days", f"is {least}, above max_days, which is {most}")


def pack_of(content: Mapping[str, Any]) -> RulePack:
    """The rule pack that a sound content says."""
    legacy = content.get("legacy")
    return RulePack(
        id=content["id"],
        title=content["title"],
        status=content["status"],
        law_version=content["law_version"],
        covers=tuple(content["covers"]),
        rules=MappingProxyType({Purpose(name): _rule(rule) for name, rule in content["rules"].items()}),
        parameters=MappingProxyType({name: _parameter(one) for name, one in content["parameters"].items()}),
        retention=MappingProxyType({name: _retention(one) for name, one in content["retention"].items()}),
        legacy=None
        if legacy is None
        else Legacy(
            legacy["collected_before"], legacy.get("noticed_by"), legacy["source"], Confidence(legacy["confidence"])
        ),
        bundled_with_mail_consent=content["consent"]["bundled_with_mail_consent"]["value"],
        content=content,
        uncertain=tuple(content.get("uncertain", ())),
    )


def _parameter(one: Mapping[str, Any]) -> Parameter:
    founded = Confidence(one["confidence"])
    return Parameter(one["value"], one["source"], founded, one.get("in_force"), one.get("note", ""))


def _retention(one: Mapping[str, Any]) -> Retention:
    return Retention(one["min_days"], one["max_days"], one["source"], Confidence(one["confidence"]))


def _rule(rule: Mapping[str, Any]) -> Rule:
    requirement = Requirement(rule["requirement"])
    return Rule(
        requirement=requirement,
        mail_types=frozenset(MailType(name) for name in rule.get("mail_types", ())),
        otherwise=Requirement(rule.get("otherwise", requirement.value)),
        conditions=tuple(rule.get("conditions", ())),
        least_grade=Grade(rule["least_grade"]),
        source=rule["source"],
        confidence=Confidence(rule["confidence"]),
        in_force=rule.get("in_force"),
        note=rule.get("note", ""),
        admt=rule.get("assessment", ""),
    )


_HOUSE_TABLES: Final = ("regimes", "notices", "retention", "parameters")


def read_house(reading: Reading) -> HousePolicy | None:
    """The house policy in a file, or None with every problem noted."""
    content = read_toml(reading)
    if content is None:
        return None
    reading.fits("", content, schema.HOUSE, _HOUSE_TABLES)
    for table in _HOUSE_TABLES:
        entries = content.get(table, {})
        if not isinstance(entries, dict):
            reading.wrong(table, f"must be a table, not {entries!r}")
            continue
        for name, value in entries.items():
            if what := _house_entry(table, name, value):
                reading.wrong(f"{table}.{name}", what)
    return None if reading.problems else house_of(content)


def _house_entry(table: str, name: str, value: Any) -> str | None:
    if table == "regimes":
        return schema.REGIME(value) if is_jurisdiction(name) else "is not an ISO 3166 code"
    if table == "notices":
        known = is_jurisdiction(name) or name in set(Purpose)
        return schema.text(value) if known else "is neither a purpose nor an ISO 3166 code"
    if table == "retention":
        known = name in schema.RETENTION_CLASSES
        return schema.whole(0, schema.LONGEST_KEPT)(value) if known else "is not a class of data this version knows"
    known = name in schema.HOUSE_NUMBERS
    return _EVERY_PARAMETER[name](value) if known else "is not a number that a house policy can set"


_DAYS: Final = frozenset({"in_force", "collected_before", "noticed_by"})
_DAY_FIGURES: Final = frozenset(
    name for keys in schema.SECTIONS.values() for name, (check, _) in keys.items() if check is schema.day
)


def revived(content: Mapping[str, Any]) -> dict[str, Any]:
    """A content as it was read from TOML, from its JSON: days are days again. Raises ValueError for what is none."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            value = revived(value)
            if name in _DAY_FIGURES and isinstance(value.get("value"), str):
                value["value"] = date.fromisoformat(value["value"])
        elif name in _DAYS and isinstance(value, str):
            value = date.fromisoformat(value)
        found[name] = value
    return found


def house_of(content: Mapping[str, Any]) -> HousePolicy:
    """The house policy that a sound content says."""
    regimes = {code: Requirement(regime) for code, regime in content.get("regimes", {}).items()}
    return HousePolicy(
        individual=Requirement(content["individual"]),
        regimes=MappingProxyType(regimes),
        notices=MappingProxyType(content.get("notices", {})),
        legacy_regimes=frozenset(content.get("legacy_regimes", ())),
        foreign_trackers=content["foreign_trackers"],
        signed_foreign_trackers=content["signed_foreign_trackers"],
        retention=MappingProxyType(content.get("retention", {})),
        parameters=MappingProxyType(content.get("parameters", {})),
        content=content,
        keeps_proof=content.get("proof_on_erasure", "keep") == "keep",
    )
