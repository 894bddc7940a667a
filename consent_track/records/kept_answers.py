"""Answers that people can fetch: made once, as the data stood, and gone after a week (decision 33)."""

from typing import Any, Final

from sqlalchemy import BigInteger, Index, LargeBinary, delete, func, insert, select
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to let a person fetch the answer to their request more than once",
        data_class=None,
        subject_column="subject",
        clock_column="until",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
        bounded_by="seven days; then the worker deletes it",
    )
)
class KeptAnswerRow(Row, table=True):
    """What was held about one person of a request, sealed under that person's key."""

    __tablename__ = "kept_answer"
    __table_args__ = (Index(None, "controller_id", "subject"), Index(None, "controller_id", "until"))

    controller_id: int = Field(primary_key=True)
    request: int = Field(sa_type=BigInteger, primary_key=True)
    subject: int = Field(sa_type=BigInteger, primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    until: int = Field(sa_type=BigInteger)


_ANSWERS: Final = table_of(KeptAnswerRow)


def keep(session: Session, controller: int, request: int, subject: int, sealed: bytes, until: int) -> None:
    """Keep one person's part of an answer until an instant."""
    key = {"controller_id": controller, "request": request, "subject": subject}
    session.connection().execute(delete(_ANSWERS).where(*_is(controller, request), _ANSWERS.c.subject == subject))
    session.connection().execute(insert(_ANSWERS).values(**key, sealed=sealed, until=until))


def parts(session: Session, controller: int, request: int) -> list[tuple[int, bytes]]:
    """The parts of an answer that can still be fetched: whose each is, and what is sealed."""
    rows = session.connection().execute(select(_ANSWERS).where(*_is(controller, request)).order_by(_ANSWERS.c.subject))
    return [(row.subject, row.sealed) for row in rows]


def until(session: Session, controller: int, request: int) -> int | None:
    """Until when an answer can be fetched, or None."""
    end: int | None = (
        session.connection().execute(select(func.max(_ANSWERS.c.until)).where(*_is(controller, request))).scalar_one()
    )
    return end


def remove_over(session: Session, now: int) -> int:
    """Delete the answers whose week is over; how many."""
    return session.connection().execute(delete(_ANSWERS).where(_ANSWERS.c.until <= now)).rowcount


def _is(controller: int, request: int) -> tuple[Any, Any]:
    return _ANSWERS.c.controller_id == controller, _ANSWERS.c.request == request
