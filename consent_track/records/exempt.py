"""The exempt store: what may be kept without consent, and nothing else (CNIL 2026-042; Garante 284/2026 para. 5(a)).

A store of its own, which nothing else reads (AH-14). SQLite: `exempt.db`, with a rollback journal that is deleted and
secure_delete, so that a date that was overwritten is gone. PostgreSQL: the schema `exempt` of a role of its own; the
dates stand in tables without write-ahead log. Dates may be lost, history may not arise (decision 13; RT-02).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import BigInteger, String, delete, select, tuple_, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import ExemptRow, in_chunks, insert_if_absent, insert_or_raise, table_of


@holds(
    Holding(
        why="to stop writing to addresses that nobody uses",
        data_class="hits",
        subject_column="subject",
        clock_column="day",
        clock=Clock.DAY,
        on_erasure=OnErasure.DELETE,
    )
)
class LastOpenRow(ExemptRow, table=True):
    """The last day on which a person opened a mail, in the controller's time zone. No time, no mail, no count.

    The day stands in no index: an index would keep the former day until it is cleaned.
    """

    __tablename__ = "last_open"

    controller_id: int = Field(primary_key=True)
    subject: int = Field(sa_type=BigInteger, primary_key=True)
    day: date


@holds(
    Holding(
        why="to know since when last days have been kept without a loss, before anybody is called inactive",
        data_class=None,
        subject_column=None,
        clock_column=None,
        clock=Clock.DAY,
        on_erasure=OnErasure.NOT_PERSONAL,
        bounded_by="one row for each controller",
    )
)
class DaysKeptRow(ExemptRow, table=True):
    """The day of the first date kept here; a store that was lost begins anew."""

    __tablename__ = "days_kept"

    controller_id: int = Field(primary_key=True)
    since: date


@holds(
    Holding(
        why="to tell how often a campaign was opened in total, by nobody in particular",
        data_class="hits",
        subject_column=None,
        clock_column="placed_on",
        clock=Clock.DAY,
        on_erasure=OnErasure.NOT_PERSONAL,
    )
)
class CampaignCountRow(ExemptRow, table=True):
    """One campaign: the one token that all its recipients get, and how often it was fetched."""

    __tablename__ = "campaign_count"

    controller_id: int = Field(primary_key=True)
    campaign: int = Field(sa_type=BigInteger, primary_key=True)
    placed_on: date
    token: str = Field(sa_type=String)
    count: int = Field(sa_type=BigInteger)


_DAYS: Final = table_of(LastOpenRow)
_KEPT: Final = table_of(DaysKeptRow)
_COUNTS: Final = table_of(CampaignCountRow)


def open_on(exempt: Session, days: Mapping[tuple[int, int], date]) -> None:
    """For each (controller, subject) let the day be the later of the one that stands there and this one (AH-07)."""
    for controller, first in _first_days(days).items():
        insert_if_absent(exempt.connection(), _KEPT, {"controller_id": controller, "since": first})
    for (controller, subject), day in sorted(days.items()):
        row = {"controller_id": controller, "subject": subject, "day": day}
        insert_or_raise(exempt.connection(), _DAYS, row, "day")


def _first_days(days: Mapping[tuple[int, int], date]) -> dict[int, date]:
    found: dict[int, date] = {}
    for (controller, _), day in days.items():
        found[controller] = min(day, found.get(controller, day))
    return found


def last_open(exempt: Session, controller: int, subject: int) -> date | None:
    """The last day of an open of this person; None where there is none."""
    statement = select(_DAYS.c.day).where(_DAYS.c.controller_id == controller, _DAYS.c.subject == subject)
    day: date | None = exempt.connection().execute(statement).scalar_one_or_none()
    return day


def forget(exempt: Session, controller: int, subject: int) -> int:
    """Delete a person's day; how many rows went."""
    theirs = (_DAYS.c.controller_id == controller, _DAYS.c.subject == subject)
    return exempt.connection().execute(delete(_DAYS).where(*theirs)).rowcount


def people_after(exempt: Session, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
    """The (controller, subject) of whom a day is held, in order, behind `after`."""
    key = (_DAYS.c.controller_id, _DAYS.c.subject)
    statement = select(*key).where(tuple_(*key) > after).order_by(*key).limit(limit)
    return [(row.controller_id, row.subject) for row in exempt.connection().execute(statement)]


def opened_since(exempt: Session, controller: int, subjects: Iterable[int], since: date) -> set[int]:
    """Those of these people who opened a mail on that day or later."""
    found: set[int] = set()
    for some in in_chunks(subjects):
        statement = select(_DAYS.c.subject).where(
            _DAYS.c.controller_id == controller, _DAYS.c.subject.in_(some), _DAYS.c.day >= since
        )
        found.update(exempt.connection().execute(statement).scalars())
    return found


def kept_since(exempt: Session, controller: int) -> date | None:
    """Since when the last days of this controller's people are complete; None: none was ever kept."""
    statement = select(_KEPT.c.since).where(_KEPT.c.controller_id == controller)
    day: date | None = exempt.connection().execute(statement).scalar_one_or_none()
    return day


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign whose opens are counted."""

    controller: int
    campaign: int
    placed_on: date
    token: str
    count: int


def place(exempt: Session, controller: int, campaign: int, token: str, today: date) -> None:
    """Note the one token of a campaign; the first one stands, whoever comes second."""
    row = {"controller_id": controller, "campaign": campaign, "placed_on": today, "token": token, "count": 0}
    insert_if_absent(exempt.connection(), _COUNTS, row)


def find(exempt: Session, controller: int, campaign: int) -> Campaign | None:
    """One campaign, or None."""
    statement = select(_COUNTS).where(_COUNTS.c.controller_id == controller, _COUNTS.c.campaign == campaign)
    row = exempt.connection().execute(statement).one_or_none()
    if row is None:
        return None
    return Campaign(row.controller_id, row.campaign, row.placed_on, row.token, row._mapping["count"])


def add(exempt: Session, counts: Mapping[tuple[int, int], int]) -> None:
    """Add to the counts of campaigns by (controller, campaign); one that was purged stays gone."""
    for (controller, campaign), number in sorted(counts.items()):
        this = (_COUNTS.c.controller_id == controller, _COUNTS.c.campaign == campaign)
        statement = update(_COUNTS).where(*this).values(count=_COUNTS.c["count"] + number)
        exempt.connection().execute(statement)
