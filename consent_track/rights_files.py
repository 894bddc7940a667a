"""From the files `rights.toml` of the policies folders to the procedures in force, or to every problem at once.

A table of a later folder replaces the table of the same name whole; what a table does not say, `like` fills in.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

from consent_track.domain.deadlines import Calendar, Rollover, Span, read_span
from consent_track.domain.errors import PolicyRefused
from consent_track.domain.policy import Confidence
from consent_track.domain.procedure import LEVELS, NEEDED, NUMBERS, SPANS, Procedure, Procedures, Said
from consent_track.domain.rights import Level
from consent_track.domain.vocabulary import UNKNOWN_JURISDICTION, is_jurisdiction
from consent_track.policy_reading import Reading, read_toml

RIGHTS: Final = "rights.toml"
_PAUSES: Final = frozenset({"identity", "clarification"})
_KEYS: Final = SPANS | LEVELS | NUMBERS | {"rollover", "calendar", "pause", "look_back_from"}
_CONFIDENCES: Final = {one.value: one for one in Confidence}

Table = Mapping[str, Any]
W = TypeVar("W", Level, Rollover)


def load_procedures(folders: Sequence[Path], calendar_of: Callable[[str], Calendar]) -> Procedures:
    """The procedures of all jurisdictions. Raises PolicyRefused with every problem of every file."""
    tables: dict[str, tuple[Reading, Table]] = {}
    readings = []
    for path in (folder / RIGHTS for folder in folders):
        if path.is_file():
            reading = Reading(path)
            readings.append(reading)
            for name, table in (read_toml(reading) or {}).items():
                tables[name] = (reading, table)
    found = {name: _procedure(name, tables, calendar_of) for name in tables}
    if not readings:
        raise PolicyRefused.one(RIGHTS, "is in none of the policies folders")
    if UNKNOWN_JURISDICTION not in tables:
        readings[-1].wrong(UNKNOWN_JURISDICTION, "is missing: it answers for every jurisdiction nobody knows")
    problems = [problem for reading in readings for problem in reading.problems]
    if problems:
        raise PolicyRefused(problems)
    return Procedures({name: one for name, one in found.items() if one is not None}, calendar_of)


def _procedure(
    name: str, tables: Mapping[str, tuple[Reading, Table]], calendar_of: Callable[[str], Calendar]
) -> Procedure | None:
    reading = tables[name][0]
    before = len(reading.problems)
    if not is_jurisdiction(name):
        reading.wrong(name, "is no jurisdiction, such as FR or US-CA")
        return None
    values, said = _values(name, tables)
    for key in sorted(NEEDED - values.keys()):
        reading.wrong(f"{name}.{key}", "is missing")
    if isinstance(values.get("calendar"), str):
        try:
            calendar_of(values["calendar"])
        except ValueError as error:
            reading.wrong(f"{name}.calendar.value", str(error))
    if len(reading.problems) > before:
        return None
    return Procedure(
        name,
        {key: values[key] for key in SPANS & values.keys()},
        {key: values[key] for key in LEVELS},
        values["rollover"],
        values["calendar"],
        frozenset(values.get("pause", ())),
        values.get("look_back_from"),
        values["log_months"],
        said,
    )


def _values(name: str, tables: Mapping[str, tuple[Reading, Table]]) -> tuple[dict[str, Any], dict[str, Said]]:
    """The values of a table over those of the table it is like, read; problems are noted with their key."""
    values: dict[str, Any] = {}
    said: dict[str, Said] = {}
    for one in reversed(_line(name, tables)):
        reading, table = tables[one]
        noted = reading if one == name else Reading(reading.path)  # what is wrong there is told there
        for key, entry in table.items():
            if key == "like":
                continue
            read = _entry(noted, f"{one}.{key}", key, entry)
            if read is not None:
                values[key], said[key] = read
    return values, said


def _line(name: str, tables: Mapping[str, tuple[Reading, Table]]) -> list[str]:
    """A table, the table it is like, and so on."""
    line = [name]
    while True:
        reading, table = tables[line[-1]]
        if not isinstance(table, dict):
            tables[name][0].wrong(line[-1], "must be a table")
            return line[:-1]
        like = table.get("like")
        if like is None:
            return line
        if not isinstance(like, str) or like not in tables or like in line:
            reading.wrong(f"{line[-1]}.like", "must name another table, and not lead back here")
            return line
        line.append(like)


def _entry(reading: Reading, place: str, key: str, entry: Any) -> tuple[Any, Said] | None:
    if key not in _KEYS:
        reading.wrong(place, "is not a key this version knows")
        return None
    if not isinstance(entry, dict) or entry.keys() != {"value", "confidence", "source"}:
        reading.wrong(place, "must be a table with value, confidence and source")
        return None
    if entry["confidence"] not in _CONFIDENCES:
        reading.wrong(f"{place}.confidence", f"must be one of {', '.join(_CONFIDENCES)}")
        return None
    if not isinstance(entry["source"], str) or not entry["source"].strip():
        reading.wrong(f"{place}.source", "must say where the value stands")
        return None
    try:
        return _read(key, entry["value"]), Said(entry["source"], _CONFIDENCES[entry["confidence"]])
    except (ValueError, TypeError) as error:
        reading.wrong(f"{place}.value", str(error) or "is not such a value")
        return None


def _read(key: str, value: Any) -> Span | Level | Rollover | frozenset[str] | str | int | date:
    if key in SPANS:
        return read_span(value if isinstance(value, str) else "")
    if key in LEVELS:
        return _word(Level, value)
    if key == "rollover":
        return _word(Rollover, value)
    if key == "pause":
        if not isinstance(value, list) or not set(map(str, value)) <= _PAUSES:
            raise ValueError(f"must be a list of {', '.join(sorted(_PAUSES))}")
        return frozenset(value)
    if key == "look_back_from":
        if type(value) is not date:
            raise ValueError("must be a day")
        return value
    if key in NUMBERS:
        if type(value) is not int or not 1 <= value <= 600:
            raise ValueError("must be a number of months from 1 to 600")
        return value
    if not isinstance(value, str):
        raise ValueError("must be a country (ISO 3166-1), a part of one (ISO 3166-2), or empty")
    return value


def _word(words: type[W], value: Any) -> W:
    try:
        return words(value)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(words)}") from None
