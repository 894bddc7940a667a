"""Hits that may be kept: an opening or a click, whose it is and what it may serve. No address, device or place.

The key is the hit's place in the spool: draining twice stores once. There is nothing to join, and nothing points here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, func, insert, select, text, tuple_, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .partitions import ensure_partitions
from .tables import Row, controllers_in, table_of

__all__ = ["HitRow", "NewHit", "count", "ensure_partitions", "forget_networks", "insert_many", "of_subject"]

_HAS_NETWORK: Final = text("network IS NOT NULL")


@holds(
    Holding(
        why="to show a sender what consenting people opened and clicked, and to answer them about it",
        data_class="hits",
        subject_column="subject",
        clock_column="day",
        clock=Clock.DAY,
        on_erasure=OnErasure.DELETE,
        measurement=True,
    )
)
class HitRow(Row, table=True):
    """One hit. `segment` and `offset` are its place in the spool; `network` a pseudonym that is emptied first."""

    __tablename__ = "hit"
    __table_args__ = (
        Index(None, "controller_id", "subject"),
        Index("ix_hit_network", "controller_id", "day", sqlite_where=_HAS_NETWORK, postgresql_where=_HAS_NETWORK),
        {"postgresql_partition_by": "RANGE (day)", "sqlite_with_rowid": False},
    )

    day: date = Field(primary_key=True)
    segment: int = Field(primary_key=True)
    offset: int = Field(sa_type=BigInteger, primary_key=True)
    controller_id: int
    subject: int = Field(sa_type=BigInteger)
    message: int = Field(sa_type=BigInteger)
    kind: int = Field(sa_type=SmallInteger)
    link: int
    at: int = Field(sa_type=BigInteger)
    purposes: int
    policy_prefix: int = Field(sa_type=BigInteger)
    engagement: int = Field(sa_type=SmallInteger)
    reason: int = Field(sa_type=SmallInteger)
    rules: int
    network: bytes | None = Field(sa_type=LargeBinary)


_HITS: Final = table_of(HitRow)


@dataclass(frozen=True, slots=True)
class NewHit:
    """One hit as the drain hands it over; `at` in seconds, `purposes` as bits, `network` 8 octets or None."""

    day: date
    segment: int
    offset: int
    controller_id: int
    subject: int
    message: int
    kind: int
    link: int
    at: int
    purposes: int
    policy_prefix: int
    engagement: int
    reason: int
    rules: int
    network: bytes | None = None


_NAMES: Final = tuple(field.name for field in fields(NewHit))
_VALUES: Final = attrgetter(*_NAMES)
_KEY: Final = tuple_(_HITS.c.day, _HITS.c.segment, _HITS.c.offset)


def insert_many(session: Session, rows: Iterable[NewHit]) -> int:
    """Store a batch of hits; how many. Raises IntegrityError for a place in the spool that is taken."""
    values = [dict(zip(_NAMES, _VALUES(row), strict=True)) for row in rows]
    if values:
        session.connection().execute(insert(_HITS), values)
    return len(values)


def count(session: Session, controller: int | None = None, subject: int | None = None) -> int:
    """How many hits are held: in all, of a controller, or of one person."""
    statement = select(func.count()).select_from(_HITS).where(*_of(controller, subject))
    return int(session.connection().execute(statement).scalar_one())


def of_subject(session: Session, controller: int, subject: int) -> list[NewHit]:
    """The hits held about one person, oldest first."""
    ordered = select(_HITS).where(*_of(controller, subject)).order_by(_HITS.c.at, _HITS.c.segment, _HITS.c.offset)
    return [NewHit(**dict(row._mapping)) for row in session.connection().execute(ordered)]


def forget_networks(session: Session, before: date, limit: int) -> int:
    """Empty at most `limit` network pseudonyms of hits of days before `before` (RT-03); how many."""
    connection, emptied = session.connection(), 0
    for controller in controllers_in(connection, _HITS, _HITS.c.network.is_not(None)):
        mine = (_HITS.c.controller_id == controller, _HITS.c.day < before, _HITS.c.network.is_not(None))
        old = select(*_HITS.primary_key).where(*mine).limit(limit - emptied)
        emptied += connection.execute(update(_HITS).where(*mine, _KEY.in_(old)).values(network=None)).rowcount
        if emptied == limit:
            break
    return emptied


def _of(controller: int | None, subject: int | None) -> list[Any]:
    conditions: list[Any] = []
    if controller is not None:
        conditions.append(_HITS.c.controller_id == controller)
    if subject is not None:
        conditions.append(_HITS.c.subject == subject)
    return conditions
