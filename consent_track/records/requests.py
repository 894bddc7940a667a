"""Requests of people and what became of each: the log a controller has to keep (11 CCR 7101; GDPR Art. 5(2)).

The log itself names nobody. Who asked, and what they wrote, is sealed and goes when the request is long answered; a
keyed tag of the address stays, so that "did you answer me?" has an answer.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import BigInteger, Index, LargeBinary, func, insert, select, text, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure
from consent_track.domain.rights import OPEN, Channel, Level, Right, Stage, Step

from .datamap import holds
from .tables import Row, table_of

_IS_OPEN: Final = text("closed_at IS NULL")
_ARTICLE: Final = "GDPR Art. 5(2), 12(3), 17(3)(b); 11 CCR 7101(a)"


@holds(
    Holding(
        why="to answer people in time, and to show that they were answered",
        data_class="request_log",
        subject_column="subject",
        clock_column="closed_at",  # an open one has none, and stays
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article=_ARTICLE,
    )
)
class RightsRequestRow(Row, table=True):
    """One request. `sealed` holds what the person or the operator wrote; empty once it is no longer needed."""

    __tablename__ = "rights_request"
    __table_args__ = (
        Index(None, "controller_id", "subject"),
        Index("ix_rights_request_open", "controller_id", "due_at", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index(None, "controller_id", "closed_at"),
    )

    controller_id: int = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    asked: str
    channel: str
    stage: str
    subject: int = Field(sa_type=BigInteger)
    jurisdictions: str
    locale: str
    received_at: int = Field(sa_type=BigInteger)
    acknowledge_by: int = Field(sa_type=BigInteger)
    acknowledged_at: int | None = Field(sa_type=BigInteger)
    due_on: date
    due_at: int = Field(sa_type=BigInteger)
    extended_at: int | None = Field(sa_type=BigInteger)
    paused_at: int | None = Field(sa_type=BigInteger)
    paused_for: int = Field(sa_type=BigInteger)
    level_needed: str
    level_proved: str
    cools_until: int | None = Field(sa_type=BigInteger)
    closed_at: int | None = Field(sa_type=BigInteger)
    ground: str
    evidence: str
    asked_by: str
    follows: int = Field(sa_type=BigInteger)
    epoch: int
    sealed: bytes = Field(sa_type=LargeBinary)


@holds(
    Holding(
        why="to know for which addresses of one person a request stands, and whether each was proved",
        data_class="request_log",
        subject_column="subject",
        clock_column="ended_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article=_ARTICLE,
    )
)
class RequestAddressRow(Row, table=True):
    """One address of a request. `sealed` is the address until the request is long answered; `tag` finds it later."""

    __tablename__ = "request_address"
    __table_args__ = (
        Index(None, "controller_id", "tag"),
        Index(None, "controller_id", "subject"),
        Index(None, "controller_id", "ended_at"),
    )

    controller_id: int = Field(primary_key=True)
    request: int = Field(sa_type=BigInteger, primary_key=True)
    number: int = Field(primary_key=True)
    tag: bytes = Field(sa_type=LargeBinary)
    subject: int = Field(sa_type=BigInteger)
    epoch: int
    sealed: bytes = Field(sa_type=LargeBinary)
    proofs: str
    proved_at: int | None = Field(sa_type=BigInteger)
    ended_at: int | None = Field(sa_type=BigInteger)


@holds(
    Holding(
        why="to show what was done about a request, by whom, and when",
        data_class="request_log",
        subject_column=None,
        clock_column="ended_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article=_ARTICLE,
    )
)
class RequestStepRow(Row, table=True):
    """One step of a request; `detail` is a code or a number, never what somebody wrote."""

    __tablename__ = "request_step"
    __table_args__ = (Index(None, "controller_id", "ended_at"),)

    controller_id: int = Field(primary_key=True)
    request: int = Field(sa_type=BigInteger, primary_key=True)
    number: int = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger)
    step: str
    actor: str
    detail: str
    ended_at: int | None = Field(sa_type=BigInteger)


_REQUESTS: Final = table_of(RightsRequestRow)
_ADDRESSES: Final = table_of(RequestAddressRow)
_STEPS: Final = table_of(RequestStepRow)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it is stored; instants in seconds, `due_on` the legal day."""

    controller: int
    id: int
    asked: Right
    channel: Channel
    stage: Stage
    subject: int
    jurisdictions: tuple[str, ...]
    locale: str
    received_at: int
    acknowledge_by: int
    due_on: date
    due_at: int
    level_needed: Level
    epoch: int
    sealed: bytes
    acknowledged_at: int | None = None
    extended_at: int | None = None
    paused_at: int | None = None
    paused_for: int = 0
    level_proved: Level = Level.NONE
    cools_until: int | None = None
    closed_at: int | None = None
    ground: str = ""
    evidence: str = ""
    asked_by: str = ""
    follows: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    """One address a request stands for; `proofs` are names of `domain.rights.Proof`."""

    controller: int
    request: int
    number: int
    tag: bytes
    subject: int
    epoch: int
    sealed: bytes
    proofs: frozenset[str] = frozenset()
    proved_at: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One step that was taken."""

    number: int
    at: int
    step: Step
    actor: str
    detail: str


def add(session: Session, request: Request) -> None:
    """Note a new request."""
    session.connection().execute(insert(_REQUESTS).values(**_columns(request)))


def find(session: Session, controller: int, id_: int, *, lock: bool = False) -> Request | None:
    """One request, or None; with `lock`, held alone until the transaction ends."""
    statement = select(_REQUESTS).where(_REQUESTS.c.controller_id == controller, _REQUESTS.c.id == id_)
    row = session.connection().execute(statement.with_for_update() if lock else statement).one_or_none()
    return None if row is None else _request(row)


def save(session: Session, request: Request) -> None:
    """Write what became of a request."""
    which = (_REQUESTS.c.controller_id == request.controller, _REQUESTS.c.id == request.id)
    session.connection().execute(update(_REQUESTS).where(*which).values(**_columns(request)))
    if request.closed_at is not None:
        for table in (_ADDRESSES, _STEPS):
            theirs = (table.c.controller_id == request.controller, table.c.request == request.id)
            session.connection().execute(update(table).where(*theirs).values(ended_at=request.closed_at))


def open_ones(session: Session, controller: int | None = None) -> list[Request]:
    """The requests that are not answered yet, the next due first."""
    statement = select(_REQUESTS).where(_REQUESTS.c.closed_at.is_(None)).order_by(_REQUESTS.c.due_at, _REQUESTS.c.id)
    if controller is not None:
        statement = statement.where(_REQUESTS.c.controller_id == controller)
    return [_request(row) for row in session.connection().execute(statement)]


def closed_between(session: Session, controller: int, since: int, until: int) -> list[Request]:
    """The requests answered in a period, `until` not included."""
    theirs = (_REQUESTS.c.controller_id == controller, _REQUESTS.c.closed_at >= since, _REQUESTS.c.closed_at < until)
    return [_request(row) for row in session.connection().execute(select(_REQUESTS).where(*theirs))]


def received_between(session: Session, controller: int, since: int, until: int) -> list[Request]:
    """The requests received in a period, `until` not included."""
    at = _REQUESTS.c.received_at
    theirs = (_REQUESTS.c.controller_id == controller, at >= since, at < until)
    return [_request(row) for row in session.connection().execute(select(_REQUESTS).where(*theirs).order_by(at))]


def with_writing(session: Session, closed_before: int, limit: int) -> list[Request]:
    """Requests answered before an instant of which something written is still kept."""
    old = (_REQUESTS.c.closed_at < closed_before, func.length(_REQUESTS.c.sealed) > 0)
    return [_request(row) for row in session.connection().execute(select(_REQUESTS).where(*old).limit(limit))]


def of_tag(session: Session, controller: int, tag: bytes) -> list[Request]:
    """Every request that stands for an address, the newest first."""
    ids = select(_ADDRESSES.c.request).where(_ADDRESSES.c.controller_id == controller, _ADDRESSES.c.tag == tag)
    statement = select(_REQUESTS).where(_REQUESTS.c.controller_id == controller, _REQUESTS.c.id.in_(ids))
    return [_request(row) for row in session.connection().execute(statement.order_by(_REQUESTS.c.received_at.desc()))]


def add_address(session: Session, address: Address) -> None:
    """Note for which address a request stands."""
    session.connection().execute(insert(_ADDRESSES).values(**_address_columns(address), ended_at=None))


def save_address(session: Session, address: Address) -> None:
    """Write what became of an address of a request."""
    which = (
        _ADDRESSES.c.controller_id == address.controller,
        _ADDRESSES.c.request == address.request,
        _ADDRESSES.c.number == address.number,
    )
    session.connection().execute(update(_ADDRESSES).where(*which).values(**_address_columns(address)))


def addresses(session: Session, controller: int, request: int) -> list[Address]:
    """The addresses of a request, the first one first."""
    theirs = (_ADDRESSES.c.controller_id == controller, _ADDRESSES.c.request == request)
    statement = select(_ADDRESSES).where(*theirs).order_by(_ADDRESSES.c.number)
    return [_address(row) for row in session.connection().execute(statement)]


def of_earlier_epochs(session: Session, epoch: int, limit: int) -> list[Request]:
    """Requests of which something is sealed under an earlier epoch than this; epoch 0 means nothing is sealed."""
    stale = (_REQUESTS.c.epoch < epoch, _REQUESTS.c.epoch != 0)
    return [_request(row) for row in session.connection().execute(select(_REQUESTS).where(*stale).limit(limit))]


def addresses_of_earlier_epochs(session: Session, epoch: int, limit: int) -> list[Address]:
    """Addresses of requests that are sealed under an earlier epoch than this."""
    stale = (_ADDRESSES.c.epoch < epoch, _ADDRESSES.c.epoch != 0)
    return [_address(row) for row in session.connection().execute(select(_ADDRESSES).where(*stale).limit(limit))]


def count_of_epoch(session: Session, epoch: int) -> int:
    """How many requests and addresses are sealed under an epoch."""
    return sum(
        int(session.connection().execute(select(func.count()).select_from(t).where(t.c.epoch == epoch)).scalar_one())
        for t in (_REQUESTS, _ADDRESSES)
    )


def forget_writing(session: Session, request: Request) -> None:
    """Drop what was written in a request and to which address: verification data is not kept (11 CCR 7060(d))."""
    save(session, replace(request, sealed=b"", epoch=0))
    for address in addresses(session, request.controller, request.id):
        save_address(session, replace(address, sealed=b"", epoch=0))


def take(session: Session, request: Request, step: Step, actor: str, at: int, detail: str = "") -> None:
    """Note a step of a request; they are counted from 1."""
    theirs = (_STEPS.c.controller_id == request.controller, _STEPS.c.request == request.id)
    number = session.connection().execute(select(func.count()).select_from(_STEPS).where(*theirs)).scalar_one() + 1
    values = {"at": at, "step": step, "actor": actor, "detail": detail, "ended_at": request.closed_at}
    key = {"controller_id": request.controller, "request": request.id, "number": number}
    session.connection().execute(insert(_STEPS).values(**key, **values))


def steps(session: Session, controller: int, request: int) -> list[Taken]:
    """What was done about a request, in order."""
    theirs = (_STEPS.c.controller_id == controller, _STEPS.c.request == request)
    rows = session.connection().execute(select(_STEPS).where(*theirs).order_by(_STEPS.c.number))
    return [Taken(row.number, row.at, Step(row.step), row.actor, row.detail) for row in rows]


def stages(session: Session) -> Collection[tuple[str, int]]:
    """How many requests stand where, for metrics."""
    statement = select(_REQUESTS.c.stage, func.count()).group_by(_REQUESTS.c.stage)
    return [(row[0], row[1]) for row in session.connection().execute(statement)]


def open_for(session: Session, controller: int, subject: int, asked: Collection[Right]) -> bool:
    """Whether a request of one of these kinds is open for somebody."""
    theirs = (
        _REQUESTS.c.controller_id == controller,
        _REQUESTS.c.subject == subject,
        _REQUESTS.c.closed_at.is_(None),
        _REQUESTS.c.asked.in_(list(asked)),
        _REQUESTS.c.stage.in_(list(OPEN)),
    )
    return session.connection().execute(select(_REQUESTS.c.id).where(*theirs).limit(1)).one_or_none() is not None


def _columns(request: Request) -> dict[str, Any]:
    values = {name: getattr(request, name) for name in Request.__slots__ if name != "controller"}
    return values | {"controller_id": request.controller, "jurisdictions": ",".join(request.jurisdictions)}


def _request(row: Any) -> Request:
    values = {name: getattr(row, name) for name in Request.__slots__ if name != "controller"}
    values |= {"asked": Right(row.asked), "channel": Channel(row.channel), "stage": Stage(row.stage)}
    values |= {"level_needed": Level(row.level_needed), "level_proved": Level(row.level_proved)}
    values |= {"jurisdictions": tuple(row.jurisdictions.split(","))}
    return Request(controller=row.controller_id, **values)


def _address_columns(address: Address) -> dict[str, Any]:
    values = {name: getattr(address, name) for name in Address.__slots__ if name != "controller"}
    return values | {"controller_id": address.controller, "proofs": ",".join(sorted(address.proofs))}


def _address(row: Any) -> Address:
    values = {name: getattr(row, name) for name in Address.__slots__ if name != "controller"}
    proofs = frozenset(row.proofs.split(",")) if row.proofs else frozenset()
    return Address(controller=row.controller_id, **(values | {"proofs": proofs}))
