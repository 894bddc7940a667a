"""What somebody began on a page and finishes by a link in a mail: the mailbox loop (CC-14, VF-06).

Who the address belongs to is not looked up when the form arrives: the row is the same for everybody, and the worker
asks later (threat T7). The address is sealed; `tag` finds other rows of the same address, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Index, LargeBinary, and_, delete, func, insert, or_, select, text, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of

_IS_NEW: Final = text("mailed_at IS NULL")


@holds(
    Holding(
        why="to finish what a person began on a page, by a link in a mail to them",
        data_class=None,
        subject_column="subject",
        clock_column="expires_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
        bounded_by="three days; then the worker deletes it, finished or not",
    )
)
class FlowRow(Row, table=True):
    """One thing begun. `subject` is 0 until somebody is known; `session_hash` is the hash of a session's secret."""

    __tablename__ = "flow"
    __table_args__ = (
        Index(None, "controller_id", "subject"),
        Index(None, "controller_id", "tag"),
        Index("ix_flow_new", "controller_id", "asked_at", sqlite_where=_IS_NEW, postgresql_where=_IS_NEW),
        Index(None, "controller_id", "expires_at"),
    )

    controller_id: int = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    kind: str
    subject: int = Field(sa_type=BigInteger)
    tag: bytes = Field(sa_type=LargeBinary)
    epoch: int
    sealed: bytes = Field(sa_type=LargeBinary)
    letter: bytes = Field(sa_type=LargeBinary)
    asked_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)
    mailed_at: int | None = Field(sa_type=BigInteger)
    done_at: int | None = Field(sa_type=BigInteger)
    session_hash: bytes = Field(sa_type=LargeBinary)
    session_until: int | None = Field(sa_type=BigInteger)


_FLOWS: Final = table_of(FlowRow)


@dataclass(frozen=True, slots=True)
class Flow:
    """One thing begun, as it is stored."""

    controller: int
    id: int
    kind: str
    subject: int
    tag: bytes
    epoch: int
    sealed: bytes
    asked_at: int
    expires_at: int
    letter: bytes = b""
    mailed_at: int | None = None
    done_at: int | None = None
    session_hash: bytes = b""
    session_until: int | None = None


def add(session: Session, flow: Flow) -> None:
    """Note that something was begun."""
    columns = {name: getattr(flow, name) for name in Flow.__slots__ if name != "controller"}
    session.connection().execute(insert(_FLOWS).values(controller_id=flow.controller, **columns))


def find(session: Session, controller: int, id_: int, *, lock: bool = False) -> Flow | None:
    """One thing begun, or None; with `lock`, held alone until the transaction ends."""
    statement = select(_FLOWS).where(*_is(controller, id_))
    row = session.connection().execute(statement.with_for_update() if lock else statement).one_or_none()
    return None if row is None else _flow(row)


def unanswered(session: Session, limit: int) -> list[Flow]:
    """Those for which no mail was written yet, oldest first."""
    statement = select(_FLOWS).where(_FLOWS.c.mailed_at.is_(None)).order_by(_FLOWS.c.asked_at).limit(limit)
    return [_flow(row) for row in session.connection().execute(statement)]


def waiting(session: Session) -> int:
    """How many wait for their mail."""
    statement = select(func.count()).select_from(_FLOWS).where(_FLOWS.c.mailed_at.is_(None))
    return int(session.connection().execute(statement).scalar_one())


def finished(session: Session) -> int:
    """How many were finished and are not forgotten yet."""
    statement = select(func.count()).select_from(_FLOWS).where(_FLOWS.c.done_at.is_not(None))
    return int(session.connection().execute(statement).scalar_one())


def oldest_unanswered(session: Session) -> int | None:
    """Since when somebody waits for a mail who waits longest, or None."""
    statement = select(func.min(_FLOWS.c.asked_at)).where(_FLOWS.c.mailed_at.is_(None))
    since: int | None = session.connection().execute(statement).scalar_one()
    return since


def mailed_since(session: Session, controller: int, tags: Sequence[bytes], since: int) -> list[tuple[str, int]]:
    """The kind and time of each mail that was written to this address because of a form, from `since` on."""
    theirs = (_FLOWS.c.controller_id == controller, _FLOWS.c.tag.in_(tags), _FLOWS.c.mailed_at >= since)
    rows = session.connection().execute(select(_FLOWS.c.kind, _FLOWS.c.mailed_at).where(*theirs))
    return [(row.kind, row.mailed_at) for row in rows]


def change(session: Session, controller: int, id_: int, **values: Any) -> None:
    """Write what became of it; column names as in `Flow`."""
    session.connection().execute(update(_FLOWS).where(*_is(controller, id_)).values(**values))


def remove(session: Session, controller: int, id_: int) -> None:
    """Forget one."""
    session.connection().execute(delete(_FLOWS).where(*_is(controller, id_)))


def remove_of(session: Session, controller: int, tags: Sequence[bytes]) -> int:
    """Forget all of an address; how many they were."""
    theirs = and_(_FLOWS.c.controller_id == controller, _FLOWS.c.tag.in_(tags))
    return session.connection().execute(delete(_FLOWS).where(theirs)).rowcount


def count_of_epoch(session: Session, epoch: int) -> int:
    """How many are sealed under an epoch; while there are any, its key is needed."""
    statement = select(func.count()).select_from(_FLOWS).where(_FLOWS.c.epoch == epoch)
    return int(session.connection().execute(statement).scalar_one())


def remove_expired(session: Session, now: int) -> int:
    """Forget those that are over, and whose session is over; how many they were."""
    over = and_(_FLOWS.c.expires_at <= now, or_(_FLOWS.c.session_until.is_(None), _FLOWS.c.session_until <= now))
    return session.connection().execute(delete(_FLOWS).where(over)).rowcount


def _flow(row: Any) -> Flow:
    named = {name: getattr(row, name) for name in Flow.__slots__ if name != "controller"}
    return Flow(controller=row.controller_id, **named)


def _is(controller: int, id_: int) -> tuple[Any, Any]:
    return _FLOWS.c.controller_id == controller, _FLOWS.c.id == id_
