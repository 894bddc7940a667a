"""When an answer is due: a table worked out by hand, and what holds for every instant there is."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.bundled import bundled
from consent_track.domain.deadlines import (
    OutsideCalendar,
    Rollover,
    Span,
    Unit,
    Weekdays,
    due,
    earliest,
    months_later,
    read_span,
)
from consent_track.domain.procedure import conflicts
from consent_track.domain.rights import Right
from consent_track.holiday_calendar import YEARS, calendar_of
from consent_track.rights_files import load_procedures

PROCEDURES = load_procedures([bundled("policies")], calendar_of)
PARIS = ZoneInfo("Europe/Paris")


def table():
    lines = (Path(__file__).parent / "due_dates.txt").read_text().splitlines()
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines if line and not line.startswith("#")]


def worked_out(jurisdiction, right, what, received, zone):
    """What the engine says of one row of the table."""
    law = PROCEDURES.for_jurisdiction(jurisdiction)
    since = int(datetime.fromisoformat(received).replace(tzinfo=UTC).timestamp())
    asked = Right(right)
    span = {
        "response": law.response(asked),
        "acknowledge": law.acknowledgement(asked),
        "breach": law.spans["breach"],
    }.get(what)
    if what == "extended":
        first, more = law.response(asked), law.extension(asked)
        span = Span(first.value + more.value, first.unit)
    return due(since, span, ZoneInfo(zone), PROCEDURES.calendar(law), law.rollover)


@pytest.mark.law("DD-01", "DD-02", "DD-04", "DD-05", "DD-06", "DD-09", "DD-11")
@pytest.mark.parametrize("row", table(), ids=lambda row: " ".join(row[:4]))
def test_the_table_that_was_worked_out_by_hand(row):
    jurisdiction, right, what, received, zone, expected, _ = row
    assert worked_out(jurisdiction, right, what, received, zone).day == date.fromisoformat(expected)


def test_a_legal_day_ends_with_its_last_second_where_the_controller_is():
    found = due(int(datetime(2026, 11, 18, 11, tzinfo=UTC).timestamp()), Span(1, Unit.MONTHS), PARIS, Weekdays())
    assert datetime.fromtimestamp(found.at, PARIS).isoformat() == "2026-12-18T23:59:59+01:00"


@pytest.mark.law("DD-07")
def test_beyond_the_years_that_are_known_nothing_is_guessed():
    late = int(datetime(YEARS[-1], 12, 20, tzinfo=UTC).timestamp())
    with pytest.raises(OutsideCalendar, match=f"to {YEARS[-1]} only"):
        due(late, Span(10, Unit.BUSINESS_DAYS), PARIS, calendar_of("US-CA"))
    with pytest.raises(OutsideCalendar):
        due(late, Span(1, Unit.MONTHS), PARIS, calendar_of("FR"), Rollover.NEXT_WORKING_DAY)


def test_a_place_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="no public holidays are known for XX"):
        calendar_of("XX")


@pytest.mark.parametrize("code", ["", "FR", "US-CA", "CA-QC", "GB"])
def test_every_year_that_is_promised_is_known(code):
    for year in YEARS:
        assert not calendar_of(code).is_working_day(date(year, 1, 1)) or not code


@pytest.mark.parametrize("text", ["1 month", "45 days", "10 business_days", "72 hours", "0 days"])
def test_periods_are_read_as_they_are_written(text):
    assert str(read_span(text)).split()[0] == text.split()[0]


@pytest.mark.parametrize("text", ["", "month", "-1 days", "1.5 months", "1 fortnight", "1000 days", "1 month "])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match="is not a period"):
        read_span(text)


INSTANTS = some.integers(
    int(datetime(2021, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2034, 1, 1, tzinfo=UTC).timestamp())
)
SPANS = some.builds(Span, some.integers(0, 12), some.sampled_from(Unit))
PLACES = some.sampled_from(["", "FR", "DE", "US-CA", "GB", "PL"])
ZONES = some.sampled_from(["UTC", "Europe/Paris", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata"])


@settings(max_examples=150, deadline=None)
@given(INSTANTS, some.integers(0, 40 * 86_400), SPANS, PLACES, ZONES, some.sampled_from(Rollover))
def test_whoever_asks_later_is_never_answered_earlier(at, later, span, place, zone, rollover):
    one = due(at, span, ZoneInfo(zone), calendar_of(place), rollover)
    other = due(at + later, span, ZoneInfo(zone), calendar_of(place), rollover)
    assert one.at <= other.at
    assert one.at >= at


@settings(max_examples=100, deadline=None)
@given(some.dates(date(2020, 1, 1), date(2035, 1, 1)), some.integers(0, 36))
def test_months_keep_the_date_or_end_with_the_month(day, months):
    found = months_later(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found + timedelta(days=1)).day == 1


@settings(max_examples=100, deadline=None)
@given(INSTANTS, PLACES)
def test_a_rolled_over_day_is_worked(at, place):
    found = due(at, Span(1, Unit.MONTHS), PARIS, calendar_of(place), Rollover.NEXT_WORKING_DAY)
    assert calendar_of(place).is_working_day(found.day)


@pytest.mark.law("DD-10")
def test_of_several_laws_the_earliest_counts_and_the_difference_is_told():
    laws = PROCEDURES.all_of(["FR", "US-CA"])
    at = int(datetime(2026, 11, 18, 11, tzinfo=UTC).timestamp())
    found = [due(at, law.response(Right.ACCESS), PARIS, PROCEDURES.calendar(law), law.rollover) for law in laws]
    assert earliest(found).day == date(2026, 12, 18)
    told = list(conflicts(laws))
    assert "response: FR 1 month, US-CA 45 days; the earliest due date is kept" in told
    assert "log_months: FR 36, US-CA 24; the longest is kept" in told
