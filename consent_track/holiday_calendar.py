"""Public holidays, from the `holidays` library: which days are worked in a country or a part of one."""

from datetime import date
from functools import cache
from typing import Final

import holidays

from consent_track.domain.deadlines import Calendar, OutsideCalendar, Weekdays

# Holidays of earlier years matter to nobody, and later ones are not decided yet: laws and rulers change them.
YEARS: Final = range(2020, 2036)


class _Place:
    """The working days of one place, within the years that are known."""

    def __init__(self, code: str) -> None:
        country, _, part = code.partition("-")
        self._code = code
        self._days = holidays.country_holidays(country, subdiv=part or None, years=YEARS)

    def is_working_day(self, day: date) -> bool:
        """Raises OutsideCalendar beyond the years that are known."""
        if day.year not in YEARS:
            raise OutsideCalendar(f"the public holidays of {self._code} are known from {YEARS[0]} to {YEARS[-1]} only")
        return bool(self._days.is_working_day(day))


@cache
def calendar_of(code: str) -> Calendar:
    """The working days of a country (ISO 3166-1) or a part of it (ISO 3166-2); weekends only for an empty code.

    Raises ValueError for a place the library does not know.
    """
    if not code:
        return Weekdays()
    country, _, part = code.partition("-")
    parts = holidays.list_supported_countries().get(country)
    if parts is None or (part and part not in parts):
        raise ValueError(f"no public holidays are known for {code}")
    return _Place(code)
