"""When something is due: calendar months, days and business days in the legal time zone, never a guessed holiday.

The day of the event does not count, and a period ends with the last second of its last day (Regulation (EEC, Euratom)
1182/71 Art. 3(1), (2)).
"""

import calendar
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final, Protocol

from .errors import ConsentTrackError


class OutsideCalendar(ConsentTrackError):
    """Raised for a day of which nobody can say whether it is a working day: the calendar does not reach so far."""


class Unit(StrEnum):
    """In what a period is counted."""

    HOURS = "hours"
    DAYS = "days"
    BUSINESS_DAYS = "business_days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Span:
    """A period of the law, such as one calendar month or ten business days."""

    value: int
    unit: Unit

    def __str__(self) -> str:
        name = self.unit.value.replace("_", " ")
        return f"{self.value} {name.removesuffix('s') if self.value == 1 else name}"


_SPAN: Final = re.compile(r"(\d{1,3}) (hour|day|business_day|month)s?")


def read_span(text: str) -> Span:
    """The period behind `1 month` or `10 business_days`. Raises ValueError."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError("is not a period such as 1 month, 45 days, 10 business_days or 72 hours")
    return Span(int(found[1]), Unit(f"{found[2]}s"))


class Rollover(StrEnum):
    """What happens where the last day is a Saturday, a Sunday or a public holiday."""

    NONE = "none"
    NEXT_WORKING_DAY = "next_working_day"  # Regulation 1182/71 Art. 3(4)


class Calendar(Protocol):
    """Which days are worked in one place. Raises OutsideCalendar beyond the years it knows."""

    def is_working_day(self, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Due:
    """The legal day on which something is due, and its last instant in seconds."""

    day: date
    at: int


def due(since: int, span: Span, zone: tzinfo, working: Calendar, rollover: Rollover = Rollover.NONE) -> Due:
    """When a period that began at the instant `since` is over. Raises OutsideCalendar."""
    if span.unit is Unit.HOURS:
        at = since + span.value * 3_600
        return Due(datetime.fromtimestamp(at, UTC).astimezone(zone).date(), at)

    day = datetime.fromtimestamp(since, UTC).astimezone(zone).date()
    if span.unit is Unit.MONTHS:
        day = months_later(day, span.value)
    elif span.unit is Unit.DAYS:
        day += timedelta(days=span.value)
    else:
        day = _business_days_later(day, span.value, working)
    if rollover is Rollover.NEXT_WORKING_DAY:
        while not working.is_working_day(day):
            day += timedelta(days=1)
    return Due(day, end_of(day, zone))


def months_later(day: date, months: int) -> date:
    """The same date so many months later, or the last day of that month (Regulation 1182/71 Art. 3(2)(c))."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _business_days_later(day: date, count: int, working: Calendar) -> date:
    while count:
        day += timedelta(days=1)
        count -= working.is_working_day(day)
    return day


def end_of(day: date, zone: tzinfo) -> int:
    """The last second of a legal day."""
    return int(datetime.combine(day + timedelta(days=1), time(), zone).timestamp()) - 1


def earliest(found: Iterable[Due]) -> Due:
    """Of several laws, what is due first (DD-10)."""
    return min(found, key=lambda one: one.at)


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Monday to Friday, where no public holidays are known: what is due then is due earlier, never later."""

    days: Collection[int] = (0, 1, 2, 3, 4)

    def is_working_day(self, day: date) -> bool:
        return day.weekday() in self.days
