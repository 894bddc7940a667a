"""Certificates of erasure while they ripen: what is proved already, what is open, and the signed paper in the end."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, func, insert, select, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to prove an erasure, stage by stage",
        data_class="request_log",
        subject_column="subject",
        clock_column="begun_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 5(2), 12(3), 17(3)(e)",
    )
)
class ErasureCertificateRow(Row, table=True):
    """One certificate. `sealed` is the address, for the residue scan only: it is emptied once the scan is clean."""

    __tablename__ = "erasure_certificate"
    __table_args__ = (Index(None, "controller_id", "subject"), Index(None, "controller_id", "begun_at"))

    controller_id: int = Field(primary_key=True)
    id: int = Field(sa_type=BigInteger, primary_key=True)
    subject: int = Field(sa_type=BigInteger)
    tag: bytes = Field(sa_type=LargeBinary)
    epoch: int
    sealed: bytes = Field(sa_type=LargeBinary)
    begun_at: int = Field(sa_type=BigInteger)
    counts: dict[str, Any] = Field(sa_type=JSON)
    drained_at: int | None = Field(sa_type=BigInteger)
    scanned_at: int | None = Field(sa_type=BigInteger)
    scan: dict[str, Any] = Field(sa_type=JSON)
    accepted: dict[str, Any] = Field(sa_type=JSON)
    final_at: int | None = Field(sa_type=BigInteger)
    paper: dict[str, Any] = Field(sa_type=JSON)


_CERTIFICATES: Final = table_of(ErasureCertificateRow)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate as it stands; instants in seconds, None for stages that are not reached."""

    controller: int
    id: int
    subject: int
    tag: bytes
    epoch: int
    sealed: bytes
    begun_at: int
    counts: dict[str, int]
    drained_at: int | None
    scanned_at: int | None
    scan: dict[str, Any]
    accepted: dict[str, str]
    final_at: int | None
    paper: dict[str, Any]


def add(session: Session, certificate: Certificate) -> None:
    """Begin a certificate."""
    columns = {name: getattr(certificate, name) for name in Certificate.__slots__ if name != "controller"}
    session.connection().execute(insert(_CERTIFICATES).values(controller_id=certificate.controller, **columns))


def change(session: Session, controller: int, id_: int, **values: Any) -> None:
    """Write what became of a certificate; column names as in `Certificate`."""
    which = (_CERTIFICATES.c.controller_id == controller, _CERTIFICATES.c.id == id_)
    session.connection().execute(update(_CERTIFICATES).where(*which).values(**values))


def find(session: Session, controller: int, id_: int) -> Certificate | None:
    """One certificate, or None."""
    which = (_CERTIFICATES.c.controller_id == controller, _CERTIFICATES.c.id == id_)
    row = session.connection().execute(select(_CERTIFICATES).where(*which)).one_or_none()
    return None if row is None else _certificate(row)


def of_tag(session: Session, controller: int, tag: bytes) -> list[Certificate]:
    """The certificates about an address, the newest first."""
    which = (_CERTIFICATES.c.controller_id == controller, _CERTIFICATES.c.tag == tag)
    rows = session.connection().execute(select(_CERTIFICATES).where(*which).order_by(_CERTIFICATES.c.begun_at.desc()))
    return [_certificate(row) for row in rows]


def unripe(session: Session) -> list[Certificate]:
    """The certificates that are not final, oldest first."""
    rows = session.connection().execute(
        select(_CERTIFICATES).where(_CERTIFICATES.c.final_at.is_(None)).order_by(_CERTIFICATES.c.begun_at)
    )
    return [_certificate(row) for row in rows]


def of_earlier_epochs(session: Session, epoch: int, limit: int) -> list[Certificate]:
    """Certificates of which the address is sealed under an earlier epoch than this; 0 means nothing is sealed."""
    stale = (_CERTIFICATES.c.epoch < epoch, _CERTIFICATES.c.epoch != 0)
    rows = session.connection().execute(select(_CERTIFICATES).where(*stale).limit(limit))
    return [_certificate(row) for row in rows]


def count_of_epoch(session: Session, epoch: int) -> int:
    """How many are sealed under an epoch; while there are any, its key is needed."""
    which = _CERTIFICATES.c.epoch == epoch
    return int(session.connection().execute(select(func.count()).select_from(_CERTIFICATES).where(which)).scalar_one())


def _certificate(row: Any) -> Certificate:
    named = {name: getattr(row, name) for name in Certificate.__slots__ if name != "controller"}
    return Certificate(controller=row.controller_id, **named)
