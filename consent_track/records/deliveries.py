"""What other systems have to be told of a person's will, until each of them has acknowledged it (GDPR Art. 19).

Written in the transaction that decided it. The message is sealed and goes when it is acknowledged; that it was, and
when, stays as long as the log of requests.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Index, LargeBinary, func, insert, select, text, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of

_WAITING: Final = text("acknowledged_at IS NULL AND failed_at IS NULL")
GONE: Final = 410


@holds(
    Holding(
        why="to tell every system that got the data what the person decided, and to show that it was told",
        data_class="request_log",
        subject_column="subject",
        clock_column="created_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 5(2), 17(2), 19; 11 CCR 7022(b)-(c), 7026(f)",
    )
)
class DeliveryRow(Row, table=True):
    """One message to one recipient. `sealed` holds it until it is acknowledged, given up or no longer wanted."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index(None, "controller_id", "subject"),
        Index("ix_delivery_waiting", "controller_id", "next_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index(None, "controller_id", "created_at"),
    )

    controller_id: int = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    recipient: str
    event: str
    subject: int = Field(sa_type=BigInteger)
    epoch: int
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: int = Field(sa_type=BigInteger)
    next_at: int = Field(sa_type=BigInteger)
    attempts: int
    status: int
    acknowledged_at: int | None = Field(sa_type=BigInteger)
    failed_at: int | None = Field(sa_type=BigInteger)


_DELIVERIES: Final = table_of(DeliveryRow)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient; `status` is the last answer's, 0 where there was none."""

    controller: int
    id: int
    recipient: str
    event: str
    subject: int
    epoch: int
    sealed: bytes
    created_at: int
    next_at: int
    attempts: int = 0
    status: int = 0
    acknowledged_at: int | None = None
    failed_at: int | None = None

    @property
    def waiting(self) -> bool:
        return self.acknowledged_at is None and self.failed_at is None


def add(session: Session, delivery: Delivery) -> None:
    """Note that a recipient has to be told."""
    columns = {name: getattr(delivery, name) for name in Delivery.__slots__ if name != "controller"}
    session.connection().execute(insert(_DELIVERIES).values(controller_id=delivery.controller, **columns))


def due(session: Session, now: int, limit: int) -> list[Delivery]:
    """The messages whose turn it is, held alone until the transaction ends; oldest turn first."""
    statement = (
        select(_DELIVERIES)
        .where(_WAITING, _DELIVERIES.c.next_at <= now)
        .order_by(_DELIVERIES.c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_delivery(row) for row in session.connection().execute(statement)]


def change(session: Session, controller: int, id_: int, **values: Any) -> None:
    """Write what became of a message; column names as in `Delivery`."""
    which = (_DELIVERIES.c.controller_id == controller, _DELIVERIES.c.id == id_)
    session.connection().execute(update(_DELIVERIES).where(*which).values(**values))


def call_off(session: Session, controller: int, subject: int, now: int) -> int:
    """Give up and empty everything about somebody who is erased that nobody acknowledged; how many messages.

    What was given up before is emptied, too: it could still be sent by hand.
    """
    mine = (_DELIVERIES.c.controller_id == controller, _DELIVERIES.c.subject == subject)
    theirs = (*mine, _DELIVERIES.c.acknowledged_at.is_(None), func.length(_DELIVERIES.c.sealed) > 0)
    return session.connection().execute(update(_DELIVERIES).where(*theirs).values(failed_at=now, sealed=b"")).rowcount


def still_waits(session: Session, controller: int, id_: int) -> bool:
    """Whether a message is still wanted: neither acknowledged, nor given up or called off."""
    mine = (_DELIVERIES.c.controller_id == controller, _DELIVERIES.c.id == id_, _WAITING)
    return session.connection().execute(select(_DELIVERIES.c.id).where(*mine)).one_or_none() is not None


def of_subject(session: Session, controller: int, subject: int) -> list[Delivery]:
    """Everything other systems were told, or have to be told, about somebody, oldest first."""
    theirs = (_DELIVERIES.c.controller_id == controller, _DELIVERIES.c.subject == subject)
    rows = session.connection().execute(select(_DELIVERIES).where(*theirs).order_by(_DELIVERIES.c.created_at))
    return [_delivery(row) for row in rows]


def of_recipient(session: Session, controller: int, recipient: str) -> list[Delivery]:
    """Everything one recipient was told, or has to be told, oldest first."""
    theirs = (_DELIVERIES.c.controller_id == controller, _DELIVERIES.c.recipient == recipient)
    rows = session.connection().execute(select(_DELIVERIES).where(*theirs).order_by(_DELIVERIES.c.created_at))
    return [_delivery(row) for row in rows]


def is_disabled(session: Session, controller: int, recipient: str) -> bool:
    """Whether a recipient said that it is gone (410), and nobody enabled it again."""
    theirs = (
        _DELIVERIES.c.controller_id == controller,
        _DELIVERIES.c.recipient == recipient,
        _DELIVERIES.c.status == GONE,
        _DELIVERIES.c.acknowledged_at.is_(None),
    )
    return session.connection().execute(select(_DELIVERIES.c.id).where(*theirs).limit(1)).one_or_none() is not None


def try_again(session: Session, controller: int, recipient: str, now: int) -> int:
    """Let everything that was given up and is not emptied be tried again now; how many messages."""
    theirs = (
        _DELIVERIES.c.controller_id == controller,
        _DELIVERIES.c.recipient == recipient,
        _DELIVERIES.c.failed_at.is_not(None),
        func.length(_DELIVERIES.c.sealed) > 0,
    )
    values = {"failed_at": None, "next_at": now, "attempts": 0, "status": 0}
    count = session.connection().execute(update(_DELIVERIES).where(*theirs).values(values)).rowcount
    gone = (*theirs[:2], _DELIVERIES.c.status == GONE)  # also of messages that were called off: it is enabled again
    session.connection().execute(update(_DELIVERIES).where(*gone).values(status=0))
    return count


def oldest_waiting(session: Session) -> int | None:
    """Since when the message waits that waits longest, or None."""
    statement = select(func.min(_DELIVERIES.c.created_at)).where(_WAITING)
    since: int | None = session.connection().execute(statement).scalar_one()
    return since


def count_of_epoch(session: Session, epoch: int) -> int:
    """How many messages are sealed under an epoch; while there are any, its key is needed."""
    theirs = (_DELIVERIES.c.epoch == epoch, func.length(_DELIVERIES.c.sealed) > 0)
    return int(session.connection().execute(select(func.count()).select_from(_DELIVERIES).where(*theirs)).scalar_one())


def _delivery(row: Any) -> Delivery:
    named = {name: getattr(row, name) for name in Delivery.__slots__ if name != "controller"}
    return Delivery(controller=row.controller_id, **named)
