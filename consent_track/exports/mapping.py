"""From a record of a file to a line as the domain understands it. Only the columns named here are ever looked at."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from consent_track.domain.address import normalise
from consent_track.domain.errors import InputRefused, Problem
from consent_track.domain.imported import NEGATIVE, Row, Said
from consent_track.domain.vocabulary import INDIVIDUAL, is_jurisdiction

from . import words
from .presets import FIELDS, PLAIN, PRESETS, TELLING, Reading
from .records import Record, Source

_LONGEST_SOURCE: Final = 300
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*")
_COMPLAINT: Final = re.compile(r"spam|abuse|complain|junk", re.I)
# A line may say several things; the one that ends most is what it says.
_GRAVITY: Final = (Said.COMPLAINED, Said.OBJECTED, Said.UNSUBSCRIBED, Said.BOUNCED, Said.REFUSED)


@dataclass(frozen=True, slots=True)
class Understanding:
    """How the records of one file are read: for each field the columns that hold it, and what goes without saying."""

    columns: Mapping[str, tuple[str, ...]]
    status: Said | None
    unsaid: Said
    locale: str
    source: str
    jurisdiction: str
    notice_on: date | None
    time_formats: tuple[str, ...]
    zone: ZoneInfo
    is_json: bool  # where a field that is absent is not the same as one that is empty

    @property
    def canonical(self) -> str:
        """Everything that decides what a line becomes, in one form: part of what names a run."""
        return json.dumps(
            {
                "columns": {name: list(places) for name, places in sorted(self.columns.items())},
                "status": self.status,
                "unsaid": self.unsaid,
                "locale": self.locale,
                "source": self.source,
                "jurisdiction": self.jurisdiction,
                "notice_on": self.notice_on.isoformat() if self.notice_on else None,
                "time_formats": self.time_formats,
                "zone": self.zone.key,
            },
            sort_keys=True,
        )


def mapping(source: Source, reading: Reading, today: date) -> Understanding:
    """How this file is to be read. Raises InputRefused with every problem (field: the option it came from)."""
    problems: list[Problem] = []
    preset = PRESETS.get(reading.preset, PLAIN)
    if reading.preset and reading.preset not in PRESETS:
        problems.append(Problem("--preset", f"{reading.preset!r} is not one of {', '.join(PRESETS)}"))
    columns = {name: found for name, places in preset.columns.items() if (found := _present(source, places))}
    for name, place in reading.columns.items():
        if name not in FIELDS:
            problems.append(Problem("--map", f"{name!r} is not one of {', '.join(FIELDS)}"))
        elif not (found := _present(source, (place,))):
            problems.append(Problem("--map", f"{name}: there is no column {place!r}"))
        else:
            columns[name] = found
    if "email" not in columns:
        problems.append(Problem("--map", "which column holds the address? Say --map email=COLUMN"))
    elif source.columns.count(columns["email"][0]) > 1:
        problems.append(Problem("--map", f"email: there are two columns {columns['email'][0]!r}"))
    status = words.said(reading.status) if reading.status else None
    if status in (Said.NOT_UNDERSTOOD, Said.NOTHING):
        problems.append(Problem("--status", f"{reading.status!r} is not a status such as subscribed or unsubscribed"))
    if status is None and not preset.unsaid and not any(name in columns for name in TELLING):
        problems.append(Problem("--status", f"no column says who agreed and who refused; {preset.hint}"))
    formats = (reading.time_format,) if reading.time_format else preset.time_formats
    zone = _zone(reading.time_zone, problems)
    notice_on = _notice(reading.notice_on, today, problems)
    if not is_jurisdiction(reading.jurisdiction):
        problems.append(Problem("--jurisdiction", f"{reading.jurisdiction!r} is not an ISO 3166 code such as FR"))
    if problems:
        raise InputRefused(problems)
    return Understanding(
        columns=columns,
        status=status,
        unsaid=Said(preset.unsaid) if preset.unsaid and not source.is_json else Said.NOTHING,
        locale=reading.locale,
        source=reading.source,
        jurisdiction=reading.jurisdiction,
        notice_on=notice_on,
        time_formats=formats,
        zone=zone,
        is_json=source.is_json,
    )


def rows(source: Source, how: Understanding, skip: int = 0) -> Iterator[Row]:
    """The lines of a file as understood, after the first `skip` records."""
    for number, record in enumerate(source.records()):
        if number >= skip:
            yield understood(record, how)


def understood(record: Record, how: Understanding) -> Row:
    """One line as understood. Nothing raises: what cannot be read is no yes."""
    line, fields = record
    found = {name: _value(fields, places) for name, places in how.columns.items()}
    times = {name: _time(found.get(name), how) for name in ("asked_at", "confirmed_at", "ended_at")}
    locale = words.plain(found.get("locale")) or how.locale
    jurisdiction = words.plain(found.get("jurisdiction")).upper().replace("_", "-")
    return Row(
        line=line,
        address=_address(words.plain(found.get("email"))),
        said=_said(found, how),
        answers={purpose: yes for purpose in INDIVIDUAL if (yes := words.answer(found.get(purpose))) is not None},
        asked_at=times["asked_at"],
        confirmed_at=times["confirmed_at"],
        ended_at=times["ended_at"],
        time_not_understood=any(
            times[name] is None and words.plain(found.get(name)) for name in ("asked_at", "confirmed_at")
        ),
        locale=locale.replace("_", "-") if _LOCALE.fullmatch(locale) else "",
        source=(words.plain(found.get("source")) or how.source)[:_LONGEST_SOURCE],
        form=words.plain(found.get("form")),
        jurisdiction=jurisdiction if is_jurisdiction(jurisdiction) else how.jurisdiction,
        collected_on=words.day(found.get("collected_on"), how.time_formats, how.zone),
        notice_on=words.day(found.get("notice_on"), how.time_formats, how.zone) or how.notice_on,
    )


def _said(found: Mapping[str, Any], how: Understanding) -> Said:
    """What a line says, from every column that may say it: a no anywhere in it is a no."""
    status = words.said(found.get("status"))
    heard = {status, how.status or status}
    if ban := words.contact_ban(found.get("contact_ban")):
        heard.add(ban)
    for name in ("unsubscribed", "bounced", "complained", "objected"):
        if words.holds(found.get(name)):
            heard.add(Said(name))
    if heard & {Said.UNSUBSCRIBED} and _COMPLAINT.search(words.plain(found.get("status_reason"))):
        heard.add(Said.COMPLAINED)
    for one in _GRAVITY:
        if one in heard & NEGATIVE:
            return one
    if status is not Said.NOTHING or words.plain(found.get("status")):
        return status
    if how.status is not None:
        return how.status
    if "status" in how.columns and not how.is_json:
        return Said.NOTHING
    # A ban that was looked for and is not there leaves a subscriber; where nothing tells, the preset may.
    looked_for = found.get("contact_ban") is not None or ("contact_ban" in how.columns and not how.is_json)
    return Said.SUBSCRIBED if looked_for else how.unsaid


def _present(source: Source, places: tuple[str, ...]) -> tuple[str, ...]:
    """Those of these columns that the file has, as it writes them; `attributes.lang` is in `attributes`."""
    found = []
    for place in places:
        same = [column for column in dict.fromkeys(source.columns) if column.casefold() == place.casefold()]
        found += same
        if not same and place.partition(".")[0] in source.columns:
            found.append(place)
    return tuple(found)


def _value(fields: Mapping[str, Any], places: tuple[str, ...]) -> Any:
    """The first of these columns that says anything; `attributes.lang` looks into an object, or into its JSON."""
    for place in places:
        value: Any = fields.get(place)
        if value is None and "." in place:
            value = _inside(fields, place)
        if value is not None and words.plain(value) != "":
            return value
    return None


def _inside(fields: Any, place: str) -> Any:
    for part in place.split("."):
        if isinstance(fields, str):
            try:
                fields = json.loads(fields)
            except (ValueError, RecursionError):
                return None
        if not isinstance(fields, Mapping):
            return None
        fields = fields.get(part)
    return fields


def _address(text: str) -> str | None:
    try:
        return normalise(text)
    except InputRefused:
        return None


def _time(value: Any, how: Understanding) -> int | None:
    return words.instant(value, how.time_formats, how.zone)


def _zone(name: str, problems: list[Problem]) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(Problem("--time-zone", f"{name!r} is not a time zone such as Europe/Paris"))
        return ZoneInfo("UTC")


def _notice(text: str, today: date, problems: list[Problem]) -> date | None:
    if not text:
        return None
    try:
        told = date.fromisoformat(text)
    except ValueError:
        problems.append(Problem("--notice-on", f"{text!r} is not a day such as 2026-06-30"))
        return None
    if told > today:
        problems.append(Problem("--notice-on", "is in the future: nobody has been told yet"))
    return told
