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
    """One key; `day` is the day it was for, or on which its end began; `number` that of an epoch, 0 for a day's key."""

    __tablename__ = "key_event"

    id: int | None = Field(default=None, primary_key=True)
    day: date
    node: str
    at: int = Field(sa_type=BigInteger)
    kind: str
    number: int


_EVENTS: Final = table_of(KeyEventRow)


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """What happened to a key on a machine; `at` in seconds, `number` that of an epoch, 0 for the key of a day."""

    day: date
    node: str
    at: int
    kind: str
    number: int = 0


def record(session: Session, day: date, node: str, at: int, kind: str, number: int = 0) -> None:
    """Note what happened to the key of a day, or of an epoch."""
    session.connection().execute(insert(_EVENTS).values(day=day, node=node, at=at, kind=kind, number=number))


def of_epoch(session: Session, number: int) -> list[KeyEvent]:
    """What happened to the key of an epoch, on every machine, in order."""
    rows = session.connection().execute(select(_EVENTS).where(_EVENTS.c.number == number).order_by(_EVENTS.c.id))
    return [KeyEvent(row.day, row.node, row.at, row.kind, row.number) for row in rows]


def of_day(session: Session, day: date) -> list[KeyEvent]:
    """What happened to the keys of a day, on every machine, in order."""
    rows = session.connection().execute(select(_EVENTS).where(_EVENTS.c.day == day).order_by(_EVENTS.c.id))
    return [KeyEvent(row.day, row.node, row.at, row.kind, row.number) for row in rows]


def begun(session: Session, node: str, beginning: str, end: str) -> list[int]:
    """The epochs of which a machine noted the beginning of something and not its end."""
    rows = (
        session.connection()
        .execute(
            select(_EVENTS.c.number, _EVENTS.c.kind).where(_EVENTS.c.node == node, _EVENTS.c.kind.in_([beginning, end]))
        )
        .all()
    )
    ended = {row.number for row in rows if row.kind == end}
    return sorted({row.number for row in rows if row.kind == beginning} - ended)


def latest(session: Session, limit: int = 200) -> list[KeyEvent]:
    """What happened to keys last, newest first."""
    rows = session.connection().execute(select(_EVENTS).order_by(_EVENTS.c.id.desc()).limit(limit))
    return [KeyEvent(row.day, row.node, row.at, row.kind, row.number) for row in rows]
