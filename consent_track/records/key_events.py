"""Evidence of keys destroyed: what it was, of which day, on which machine and when. It names nobody."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import BigInteger, insert, select
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to show that pseudonyms and sealed data can no longer be opened, and since when",
        data_class="key_evidence",
        subject_column=None,
        clock_column="at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.NOT_PERSONAL,
    )
)
class KeyEventRow(Row, table=True):
    """One key; `day` is the day it was for."""

    __tablename__ = "key_event"

    id: int | None = Field(default=None, primary_key=True)
    day: date
    node: str
    at: int = Field(sa_type=BigInteger)
    kind: str


_EVENTS: Final = table_of(KeyEventRow)


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """What happened to the key of a day on a machine; `at` in seconds."""

    day: date
    node: str
    at: int
    kind: str


def record(session: Session, day: date, node: str, at: int, kind: str) -> None:
    """Note what happened to the key of a day."""
    session.connection().execute(insert(_EVENTS).values(day=day, node=node, at=at, kind=kind))


def of_day(session: Session, day: date) -> list[KeyEvent]:
    """What happened to the keys of a day, on every machine, in order."""
    rows = session.connection().execute(select(_EVENTS).where(_EVENTS.c.day == day).order_by(_EVENTS.c.id))
    return [KeyEvent(row.day, row.node, row.at, row.kind) for row in rows]
