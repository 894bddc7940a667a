"""Erasures under way: rows are gone, the key is next. Two stores have no common commit; this row bridges them."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, select, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, insert_if_absent, table_of


@holds(
    Holding(
        why="to finish an erasure that was interrupted, and to show that it was carried out",
        data_class="request_log",
        subject_column="subject",
        clock_column="done_at",  # an unfinished one has none, and stays
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 5(2), 12(3)",
    )
)
class ErasureIntentRow(Row, table=True):
    """One erasure. The reference means nothing once its key is destroyed; `epoch` wrapped that key."""

    __tablename__ = "erasure_intent"

    controller_id: int = Field(primary_key=True)
    subject: int = Field(sa_type=BigInteger, primary_key=True)
    begun_at: int = Field(sa_type=BigInteger)
    done_at: int | None = Field(sa_type=BigInteger)
    epoch: int


_INTENTS: Final = table_of(ErasureIntentRow)


@dataclass(frozen=True, slots=True)
class ErasureIntent:
    """One erasure; `done_at` is when the key was gone, None before; `epoch` wrapped that key."""

    controller: int
    subject: int
    begun_at: int
    done_at: int | None
    epoch: int


def begin(session: Session, controller: int, subject: int, now: int, epoch: int) -> None:
    """Note, in the transaction that deletes the rows, that the key has to follow."""
    row = {"controller_id": controller, "subject": subject, "begun_at": now, "done_at": None, "epoch": epoch}
    insert_if_absent(session.connection(), _INTENTS, row)


def done(session: Session, controller: int, subject: int, now: int) -> None:
    """Note that the key is destroyed; the first time counts."""
    theirs = (_INTENTS.c.controller_id == controller, _INTENTS.c.subject == subject, _INTENTS.c.done_at.is_(None))
    session.connection().execute(update(_INTENTS).where(*theirs).values(done_at=now))


def find(session: Session, controller: int, subject: int) -> ErasureIntent | None:
    """The erasure of somebody, or None."""
    which = (_INTENTS.c.controller_id == controller, _INTENTS.c.subject == subject)
    row = session.connection().execute(select(_INTENTS).where(*which)).one_or_none()
    return None if row is None else _intent(row)


def unfinished(session: Session) -> list[ErasureIntent]:
    """The erasures whose key is not destroyed yet, oldest first."""
    statement = select(_INTENTS).where(_INTENTS.c.done_at.is_(None)).order_by(_INTENTS.c.begun_at)
    return [_intent(row) for row in session.connection().execute(statement)]


def _intent(row: Any) -> ErasureIntent:
    return ErasureIntent(row.controller_id, row.subject, row.begun_at, row.done_at, row.epoch)
