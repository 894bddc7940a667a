"""How many hits were declined, by day and reason: a count without a person, a mail or a campaign (RE-11)."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import BigInteger, select
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, insert_or_add, table_of


@holds(
    Holding(
        why="to show that declining works, without keeping a trace of whom it protected",
        data_class="decline_counts",
        subject_column=None,
        clock_column="day",
        clock=Clock.DAY,
        on_erasure=OnErasure.NOT_PERSONAL,
    )
)
class DeclineCountRow(Row, table=True):
    """One count."""

    __tablename__ = "decline_count"

    controller_id: int = Field(primary_key=True)
    day: date = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    count: int = Field(sa_type=BigInteger)


_COUNTS: Final = table_of(DeclineCountRow)


def add(session: Session, day: date, counts: Mapping[tuple[int, str], int]) -> None:
    """Add counts by (controller, reason) to those of a day."""
    for (controller, reason), number in sorted(counts.items()):
        row = {"controller_id": controller, "day": day, "reason": reason, "count": number}
        insert_or_add(session.connection(), _COUNTS, row, "count")


def of_day(session: Session, controller: int, day: date) -> dict[str, int]:
    """The counts of one day, by reason."""
    statement = select(_COUNTS).where(_COUNTS.c.controller_id == controller, _COUNTS.c.day == day)
    return {row.reason: row._mapping["count"] for row in session.connection().execute(statement)}
