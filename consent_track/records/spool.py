"""How far each spool segment is drained, and when each machine was last seen.

The cursor moves in the transaction that stores the hits before it: that is what makes draining twice store once.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, String, func, select, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, insert_if_absent, insert_or_update, table_of


@holds(
    Holding(
        why="to store each spooled hit once",
        data_class="spool_cursors",
        subject_column=None,
        clock_column="closed_at",  # an open segment has none, and stays
        clock=Clock.INSTANT,
        on_erasure=OnErasure.NOT_PERSONAL,
    )
)
class SpoolCursorRow(Row, table=True):
    """One segment. Its `number` stands in the key of its hits and is never given again."""

    __tablename__ = "spool_cursor"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: int | None = Field(default=None, primary_key=True)
    segment_id: str = Field(sa_type=String(32), unique=True)
    node: str
    offset: int = Field(sa_type=BigInteger)
    opened_at: int = Field(sa_type=BigInteger)
    closed_at: int | None = Field(sa_type=BigInteger)


@holds(
    Holding(
        why="to know that no machine still holds hits from before an erasure",
        data_class=None,
        subject_column=None,
        clock_column=None,
        clock=Clock.INSTANT,
        on_erasure=OnErasure.NOT_PERSONAL,
        bounded_by="one row for each machine",
    )
)
class SpoolNodeRow(Row, table=True):
    """One machine: what it recorded up to `drained_through` is in the database; `skew` of its clock in seconds."""

    __tablename__ = "spool_node"

    node: str = Field(primary_key=True)
    drained_through: int = Field(sa_type=BigInteger)
    last_seen: int = Field(sa_type=BigInteger)
    skew: int


_CURSORS: Final = table_of(SpoolCursorRow)
_NODES: Final = table_of(SpoolNodeRow)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The small number of a segment, and the offset up to which it is drained."""

    number: int
    offset: int


@dataclass(frozen=True, slots=True)
class Node:
    """One machine that spools."""

    node: str
    drained_through: int
    last_seen: int
    skew: int


def cursor(session: Session, segment_id: str, node: str, now: int) -> Cursor:
    """The cursor of a segment, made if it is new and held until the transaction ends. Needs a `write` transaction."""
    found = _cursor(session, segment_id)
    if found is None:
        row = {"segment_id": segment_id, "node": node, "offset": 0, "opened_at": now, "closed_at": None}
        insert_if_absent(session.connection(), _CURSORS, row)
        found = _cursor(session, segment_id)
    if found is None:
        raise LookupError("a cursor that was just written cannot be read")
    return found


def position(session: Session, segment_id: str) -> int:
    """The offset up to which a segment is drained; 0 for one the database has not seen."""
    statement = select(_CURSORS.c.offset).where(_CURSORS.c.segment_id == segment_id)
    return int(session.connection().execute(statement).scalar_one_or_none() or 0)


def advance(session: Session, number: int, offset: int) -> None:
    """Move a cursor, in the transaction that stores what lies before `offset`."""
    session.connection().execute(update(_CURSORS).where(_CURSORS.c.number == number).values(offset=offset))


def close(session: Session, segment_id: str, now: int) -> None:
    """Note that a segment is drained to its end and may be deleted; from here its row's time runs."""
    session.connection().execute(update(_CURSORS).where(_CURSORS.c.segment_id == segment_id).values(closed_at=now))


def seen(session: Session, node: str, drained_through: int, now: int, skew: int = 0) -> None:
    """Note that a machine is alive and has drained everything it recorded up to `drained_through`."""
    row = {"node": node, "drained_through": drained_through, "last_seen": now, "skew": skew}
    insert_or_update(session.connection(), _NODES, row)


def nodes(session: Session) -> list[Node]:
    """Every machine that ever spooled, by name."""
    rows = session.connection().execute(select(_NODES).order_by(_NODES.c.node))
    return [Node(row.node, row.drained_through, row.last_seen, row.skew) for row in rows]


def oldest_seen(session: Session) -> int | None:
    """When the machine that has been silent longest was last seen; None where there is no machine."""
    found: int | None = session.connection().execute(select(func.min(_NODES.c.last_seen))).scalar_one()
    return found


def _cursor(session: Session, segment_id: str) -> Cursor | None:
    statement = select(_CURSORS.c.number, _CURSORS.c.offset).where(_CURSORS.c.segment_id == segment_id)
    row = session.connection().execute(statement.with_for_update()).one_or_none()
    return None if row is None else Cursor(row.number, row.offset)
