"""Evidence of every purge: table, class, cutoff and count, zero included (RT-10). It names nobody."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import BigInteger, func, insert, select, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to show that what is too old was deleted, and when",
        data_class="purge_evidence",
        subject_column=None,
        clock_column="begun_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.NOT_PERSONAL,
    )
)
class PurgeRunRow(Row, table=True):
    """One purge of one table; without `finished_at` it was interrupted."""

    __tablename__ = "purge_run"

    id: int | None = Field(default=None, primary_key=True)
    purged: str
    data_class: str
    cutoff: date
    begun_at: int = Field(sa_type=BigInteger)
    finished_at: int | None = Field(sa_type=BigInteger)
    count: int = Field(sa_type=BigInteger)


_RUNS: Final = table_of(PurgeRunRow)


@dataclass(frozen=True, slots=True)
class PurgeRun:
    """One purge of one table: rows older than `cutoff` went, `count` of them."""

    table: str
    data_class: str
    cutoff: date
    begun_at: int
    finished_at: int | None
    count: int


def begin(session: Session, table: str, data_class: str, cutoff: date, now: int) -> int:
    """Open the record of a purge; the number to add counts to."""
    row = {
        "purged": table,
        "data_class": data_class,
        "cutoff": cutoff,
        "begun_at": now,
        "finished_at": None,
        "count": 0,
    }
    number: int = session.connection().execute(insert(_RUNS).values(row).returning(_RUNS.c.id)).scalar_one()
    return number


def add(session: Session, run: int, count: int, now: int, *, finished: bool) -> None:
    """Add the rows of one chunk, in the transaction that deleted them."""
    values = {"count": _RUNS.c["count"] + count, "finished_at": now if finished else None}
    session.connection().execute(update(_RUNS).where(_RUNS.c.id == run).values(values))


def last_finished(session: Session) -> int | None:
    """When a purge was last finished, or None."""
    found: int | None = session.connection().execute(select(func.max(_RUNS.c.finished_at))).scalar_one()
    return found


def latest(session: Session, limit: int = 100) -> list[PurgeRun]:
    """The latest purges, newest first."""
    rows = session.connection().execute(select(_RUNS).order_by(_RUNS.c.id.desc()).limit(limit))
    return [
        PurgeRun(row.purged, row.data_class, row.cutoff, row.begun_at, row.finished_at, row._mapping["count"])
        for row in rows
    ]
