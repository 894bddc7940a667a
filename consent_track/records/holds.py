"""Who must not be purged or erased for now, and why: a dispute, an open request, a restriction (GDPR Art. 18)."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Index, and_, insert, or_, select, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to keep what a dispute or an open request is about, and what a person asked to have kept",
        data_class="request_log",
        subject_column="subject",
        clock_column="lifted_at",  # one that stands has none, and stays
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 5(2), 17(3)(e), 18(1)",
    )
)
class HoldRow(Row, table=True):
    """One hold on one person. `request` is the request it belongs to, 0 for none; `reason` names no person."""

    __tablename__ = "hold"
    __table_args__ = (Index(None, "controller_id", "subject"), Index(None, "controller_id", "lifted_at"))

    controller_id: int = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    subject: int = Field(sa_type=BigInteger)
    kind: str
    request: int = Field(sa_type=BigInteger)
    reason: str
    begun_at: int = Field(sa_type=BigInteger)
    until: int | None = Field(sa_type=BigInteger)
    lifted_at: int | None = Field(sa_type=BigInteger)


_HOLDS: Final = table_of(HoldRow)


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold; `until` None means until it is lifted."""

    controller: int
    id: int
    subject: int
    kind: str
    request: int
    reason: str
    begun_at: int
    until: int | None
    lifted_at: int | None = None


def add(session: Session, hold: Hold) -> None:
    """Note a hold."""
    columns = {name: getattr(hold, name) for name in Hold.__slots__ if name != "controller"}
    session.connection().execute(insert(_HOLDS).values(controller_id=hold.controller, **columns))


def lift(session: Session, controller: int, now: int, **which: Any) -> int:
    """Lift the holds with these values that stand; how many."""
    wanted = [_HOLDS.c[name] == value for name, value in which.items()]
    theirs = and_(_HOLDS.c.controller_id == controller, _HOLDS.c.lifted_at.is_(None), *wanted)
    return session.connection().execute(update(_HOLDS).where(theirs).values(lifted_at=now)).rowcount


def postpone(session: Session, controller: int, request: int, until: int) -> int:
    """Let the holds of a request stand until another instant; how many."""
    theirs = (_HOLDS.c.controller_id == controller, _HOLDS.c.request == request, _HOLDS.c.lifted_at.is_(None))
    return session.connection().execute(update(_HOLDS).where(*theirs).values(until=until)).rowcount


def standing(session: Session, now: int, controller: int | None = None) -> list[Hold]:
    """Every hold that stands, oldest first."""
    wanted = [_HOLDS.c.lifted_at.is_(None), or_(_HOLDS.c.until.is_(None), _HOLDS.c.until > now)]
    wanted += [] if controller is None else [_HOLDS.c.controller_id == controller]
    rows = session.connection().execute(select(_HOLDS).where(*wanted).order_by(_HOLDS.c.begun_at, _HOLDS.c.id))
    return [_hold(row) for row in rows]


def _hold(row: Any) -> Hold:
    named = {name: getattr(row, name) for name in Hold.__slots__ if name != "controller"}
    return Hold(controller=row.controller_id, **named)
