"""How far the moving in of one file has come, so that whoever runs it again goes on where it stopped.

The position is written in the transaction of the lines before it: nothing is done twice, nothing is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, select, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, insert_if_absent, table_of


@holds(
    Holding(
        why="to go on where the moving in of a file stopped, and to do nothing when it is run again",
        data_class=None,
        subject_column=None,
        clock_column=None,
        clock=Clock.INSTANT,
        on_erasure=OnErasure.NOT_PERSONAL,
        bounded_by="one row for each file moved in; counts and positions only",
    )
)
class ImportRunRow(Row, table=True):
    """`id` is the SHA-256 of the file and of how it is read. `phase` is refusals, then lines, then done."""

    __tablename__ = "import_run"

    controller_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True, max_length=64)
    file_hash: str = Field(max_length=64)
    phase: str
    records: int = Field(sa_type=BigInteger)
    report_bytes: int = Field(sa_type=BigInteger)
    entries: int = Field(sa_type=BigInteger)
    counts: dict[str, Any] = Field(sa_type=JSON)
    begun_at: int = Field(sa_type=BigInteger)
    changed_at: int = Field(sa_type=BigInteger)


_RUNS: Final = table_of(ImportRunRow)
REFUSALS, LINES, DONE = "refusals", "lines", "done"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: its phase, how many records of it are done, the report's length, what it came to so far."""

    phase: str = REFUSALS
    records: int = 0
    report_bytes: int = 0
    entries: int = 0  # ledger entries written
    counts: Mapping[str, int] = field(default_factory=dict)  # `outcome/why` -> lines


def begin(session: Session, controller: int, id_: str, file_hash: str, now: int) -> Position:
    """Where this run stands; it begins if it has not."""
    row = {"controller_id": controller, "id": id_, "file_hash": file_hash, "begun_at": now, "changed_at": now}
    row |= {"phase": REFUSALS, "records": 0, "report_bytes": 0, "entries": 0, "counts": {}}
    insert_if_absent(session.connection(), _RUNS, row)
    found = find(session, controller, id_)
    assert found is not None
    return found


def find(session: Session, controller: int, id_: str) -> Position | None:
    """Where this run stands, or None if it never began."""
    theirs = (_RUNS.c.controller_id == controller, _RUNS.c.id == id_)
    row = session.connection().execute(select(_RUNS).where(*theirs)).one_or_none()
    return None if row is None else Position(row.phase, row.records, row.report_bytes, row.entries, row.counts)


def hold(session: Session, controller: int, id_: str) -> Position | None:
    """Where this run stands, held until the transaction ends: two that run the same file come one after the other."""
    theirs = (_RUNS.c.controller_id == controller, _RUNS.c.id == id_)
    row = session.connection().execute(select(_RUNS).where(*theirs).with_for_update()).one_or_none()
    return None if row is None else Position(row.phase, row.records, row.report_bytes, row.entries, row.counts)


def move(session: Session, controller: int, id_: str, after: Position, now: int) -> None:
    """Write the next position of a run that `hold` holds."""
    standing = update(_RUNS).where(_RUNS.c.controller_id == controller, _RUNS.c.id == id_)
    values = {"phase": after.phase, "records": after.records, "report_bytes": after.report_bytes}
    values |= {"entries": after.entries, "counts": dict(after.counts), "changed_at": now}
    session.connection().execute(standing.values(values))
