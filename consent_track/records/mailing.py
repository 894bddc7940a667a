"""The mailing register: what was decided for every mail prepared, and what was put into it (decision 14, RE-09).

It answers "was there a pixel in Mr Dupont's mail of 3 September, and why?".
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Final

from sqlalchemy import BigInteger, Index, Text, distinct, func, insert, select, tuple_
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to answer for each mail whether it was measured, and on what ground",
        data_class="mailing_register",
        subject_column="subject",
        clock_column="prepared_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
    )
)
class MailingRow(Row, table=True):
    """One mail for one recipient; `subject` is 0 where nobody is known. `decisions` is JSON: purpose to reason."""

    __tablename__ = "mailing"
    __table_args__ = (
        Index(None, "controller_id", "subject"),
        Index(None, "controller_id", "prepared_at"),  # for the purge
    )

    controller_id: int = Field(primary_key=True)
    message: int = Field(sa_type=BigInteger, primary_key=True)
    subject: int = Field(sa_type=BigInteger)
    prepared_at: int = Field(sa_type=BigInteger)
    mail_type: str
    jurisdiction: str
    locale: str
    policy_hash: str = Field(max_length=64)
    campaign: str
    purposes: int
    decisions: str = Field(sa_type=Text)
    reason: str
    consent_sequence: int = Field(sa_type=BigInteger)
    outcome: str


_REGISTER: Final = table_of(MailingRow)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One row of the register; `purposes` are the bits really served, `prepared_at` in seconds."""

    controller_id: int
    message: int
    subject: int
    prepared_at: int
    mail_type: str
    jurisdiction: str
    locale: str
    policy_hash: str
    campaign: str
    purposes: int
    decisions: str
    reason: str
    consent_sequence: int
    outcome: str


_NAMES: Final = tuple(field.name for field in fields(Prepared))
_VALUES: Final = attrgetter(*_NAMES)


def add_many(session: Session, rows: Iterable[Prepared]) -> int:
    """Write rows of the register; how many."""
    values = [dict(zip(_NAMES, _VALUES(row), strict=True)) for row in rows]
    if values:
        session.connection().execute(insert(_REGISTER), values)
    return len(values)


def find(session: Session, controller: int, message: int) -> Prepared | None:
    """The row of one message."""
    statement = select(_REGISTER).where(_REGISTER.c.controller_id == controller, _REGISTER.c.message == message)
    row = session.connection().execute(statement).one_or_none()
    return None if row is None else Prepared(**dict(row._mapping))


def of_subject(
    session: Session,
    controller: int,
    subject: int,
    *,
    begin: int | None = None,
    end: int | None = None,
    campaign: str | None = None,
    message: int | None = None,
) -> list[Prepared]:
    """The mails prepared for one person, oldest first: all, or those from `begin` to before `end` (seconds)."""
    wanted = [_REGISTER.c.controller_id == controller, _REGISTER.c.subject == subject]
    wanted += [] if begin is None else [_REGISTER.c.prepared_at >= begin]
    wanted += [] if end is None else [_REGISTER.c.prepared_at < end]
    wanted += [] if campaign is None else [_REGISTER.c.campaign == campaign]
    wanted += [] if message is None else [_REGISTER.c.message == message]
    statement = select(_REGISTER).where(*wanted).order_by(_REGISTER.c.prepared_at, _REGISTER.c.message)
    return [Prepared(**dict(row._mapping)) for row in session.connection().execute(statement)]


Place = tuple[int, int]  # prepared_at, message: where a page of the register ended


def page(session: Session, controller: int, begin: int, limit: int, *, after: Place | None = None) -> list[Prepared]:
    """The mails prepared from `begin` on (seconds), oldest first, `limit` at most, those behind `after` only."""
    wanted = [_REGISTER.c.controller_id == controller, _REGISTER.c.prepared_at >= begin]
    if after is not None:
        wanted.append(tuple_(_REGISTER.c.prepared_at, _REGISTER.c.message) > tuple_(*after))
    statement = select(_REGISTER).where(*wanted).order_by(_REGISTER.c.prepared_at, _REGISTER.c.message).limit(limit)
    return [Prepared(**dict(row._mapping)) for row in session.connection().execute(statement)]


def mailed_around(session: Session, controller: int, purposes: int, at: int) -> list[int]:
    """Who got mails measured for `purposes` (bits) both before the instant `at` and from then on, in order."""
    prepared = _REGISTER.c.prepared_at
    statement = (
        select(_REGISTER.c.subject)
        .where(_REGISTER.c.controller_id == controller, _REGISTER.c.purposes.bitwise_and(purposes) != 0)
        .group_by(_REGISTER.c.subject)
        .having(func.min(prepared) < at, func.max(prepared) >= at)
        .order_by(_REGISTER.c.subject)
    )
    return list(session.connection().execute(statement).scalars())


def people_of_campaign(session: Session, controller: int, campaign: str, purposes: int) -> int:
    """How many people got mails of a campaign that were measured for `purposes` (bits)."""
    statement = select(func.count(distinct(_REGISTER.c.subject))).where(
        _REGISTER.c.controller_id == controller,
        _REGISTER.c.campaign == campaign,
        _REGISTER.c.purposes.bitwise_and(purposes) != 0,
    )
    return int(session.connection().execute(statement).scalar_one())
