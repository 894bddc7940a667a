"""Mails of our own on their way out: written in the transaction that decided them, deleted when they are handed over.

A crash loses none and repeats at most the one under way, with the same Message-ID (RFC 5322 3.6.4).
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Index, LargeBinary, delete, func, insert, select, text, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of

_IS_WAITING: Final = text("failed_at IS NULL")


@holds(
    Holding(
        why="to hand a mail over although the mail server is away",
        data_class=None,
        subject_column="subject",
        clock_column="created_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
        bounded_by="deleted when handed over; given up after three days, then kept without content for 30 days",
    )
)
class OutboxRow(Row, table=True):
    """One mail. `sealed` holds envelope and octets; empty once it was given up."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(None, "controller_id", "subject"),
        Index("ix_outbox_waiting", "controller_id", "next_at", sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING),
    )

    controller_id: int = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    subject: int = Field(sa_type=BigInteger)
    flow: int = Field(sa_type=BigInteger)
    kind: str
    epoch: int
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: int = Field(sa_type=BigInteger)
    next_at: int = Field(sa_type=BigInteger)
    attempts: int
    failed_at: int | None = Field(sa_type=BigInteger)


_OUTBOX: Final = table_of(OutboxRow)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One mail on its way; `epoch` is 0 where it is sealed under the person's own key."""

    controller: int
    id: int
    subject: int
    flow: int
    kind: str
    epoch: int
    sealed: bytes
    created_at: int
    next_at: int
    attempts: int = 0


def add(session: Session, mail: Waiting) -> None:
    """Put a mail into the outbox."""
    columns = {name: getattr(mail, name) for name in Waiting.__slots__ if name != "controller"}
    session.connection().execute(insert(_OUTBOX).values(controller_id=mail.controller, failed_at=None, **columns))


def due(session: Session, now: int, limit: int) -> list[Waiting]:
    """The mails whose turn it is, held alone until the transaction ends; oldest turn first."""
    statement = (
        select(_OUTBOX)
        .where(_OUTBOX.c.failed_at.is_(None), _OUTBOX.c.next_at <= now)
        .order_by(_OUTBOX.c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_waiting(row) for row in session.connection().execute(statement)]


def try_again(session: Session, controller: int, id_: int, next_at: int, attempts: int) -> None:
    """Note when to try next."""
    values = {"next_at": next_at, "attempts": attempts}
    session.connection().execute(update(_OUTBOX).where(*_is(controller, id_)).values(values))


def handed_over(session: Session, controller: int, id_: int) -> None:
    """Delete a mail that was taken."""
    session.connection().execute(delete(_OUTBOX).where(*_is(controller, id_)))


def give_up(session: Session, controller: int, id_: int, now: int) -> None:
    """Note that a mail could not be handed over; what stood in it goes at once."""
    session.connection().execute(update(_OUTBOX).where(*_is(controller, id_)).values(failed_at=now, sealed=b""))


def failed_among(session: Session, controller: int, flows: list[int]) -> set[int]:
    """Those of these flows whose mail was given up."""
    theirs = (_OUTBOX.c.controller_id == controller, _OUTBOX.c.flow.in_(flows), _OUTBOX.c.failed_at.is_not(None))
    return set(session.connection().execute(select(_OUTBOX.c.flow).where(*theirs)).scalars())


def failed_of(session: Session, kind: str) -> list[tuple[int, int, int]]:
    """Controller, subject and flow of every mail of a kind that was given up and is still noted."""
    theirs = (_OUTBOX.c.kind == kind, _OUTBOX.c.failed_at.is_not(None))
    rows = session.connection().execute(
        select(_OUTBOX.c.controller_id, _OUTBOX.c.subject, _OUTBOX.c.flow).where(*theirs)
    )
    return [(row.controller_id, row.subject, row.flow) for row in rows]


def forget_failed(session: Session, before: int) -> int:
    """Delete the notes of mails that were given up before an instant; how many they were."""
    return session.connection().execute(delete(_OUTBOX).where(_OUTBOX.c.failed_at < before)).rowcount


def count_of_epoch(session: Session, epoch: int) -> int:
    """How many are sealed under an epoch and not given up; while there are any, its key is needed."""
    theirs = (_OUTBOX.c.epoch == epoch, _OUTBOX.c.failed_at.is_(None))
    return int(session.connection().execute(select(func.count()).select_from(_OUTBOX).where(*theirs)).scalar_one())


def length(session: Session) -> int:
    """How many mails wait."""
    statement = select(func.count()).select_from(_OUTBOX).where(_OUTBOX.c.failed_at.is_(None))
    return int(session.connection().execute(statement).scalar_one())


def oldest(session: Session) -> int | None:
    """Since when the mail waits that waits longest, or None."""
    statement = select(func.min(_OUTBOX.c.created_at)).where(_OUTBOX.c.failed_at.is_(None))
    since: int | None = session.connection().execute(statement).scalar_one()
    return since


def _waiting(row: Any) -> Waiting:
    named = {name: getattr(row, name) for name in Waiting.__slots__ if name != "controller"}
    return Waiting(controller=row.controller_id, **named)


def _is(controller: int, id_: int) -> tuple[Any, Any]:
    return _OUTBOX.c.controller_id == controller, _OUTBOX.c.id == id_
