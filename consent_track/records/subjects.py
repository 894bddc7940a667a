"""The keyring: for each person a keyed look-up of the address, a random reference and a wrapped key.

It is a store of its own. Destroying a row here makes every copy of what was sealed for that person unreadable,
backups included; no backup of the main database can tell whom a reference stood for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, LargeBinary, UniqueConstraint, delete, func, select, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import KeyRow, in_chunks, insert_if_absent, insert_missing, table_of


@holds(
    Holding(
        why="to find a person by address and to read what is sealed for them",
        data_class=None,
        subject_column="reference",
        clock_column=None,
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
        bounded_by="one row for each person; destroyed at erasure, after the rows of the main database",
    )
)
class SubjectKeyRow(KeyRow, table=True):
    """`lookup` is 32 octets under the epoch key; `wrapped` opens with the epoch key of number `epoch`."""

    __tablename__ = "subject_key"
    __table_args__ = (UniqueConstraint("controller_id", "reference"),)

    controller_id: int = Field(primary_key=True)
    lookup: bytes = Field(sa_type=LargeBinary, primary_key=True)
    reference: int = Field(sa_type=BigInteger)
    wrapped: bytes = Field(sa_type=LargeBinary)
    epoch: int
    created_on: date


_KEYS: Final = table_of(SubjectKeyRow)


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """One row of the keyring."""

    controller: int
    lookup: bytes
    reference: int
    wrapped: bytes
    epoch: int
    created_on: date


def find(keyring: Session, controller: int, lookup: bytes) -> SubjectKey | None:
    """The key of the person behind a look-up."""
    return _first(keyring, controller, _KEYS.c.lookup == lookup)


def find_many(keyring: Session, controller: int, lookups: Iterable[bytes]) -> list[SubjectKey]:
    """The keys of the people behind these look-ups; the unknown are absent."""
    found: list[SubjectKey] = []
    for some in in_chunks(lookups):
        statement = select(_KEYS).where(_KEYS.c.controller_id == controller, _KEYS.c.lookup.in_(some))
        found.extend(map(_key, keyring.connection().execute(statement)))
    return found


def by_reference(keyring: Session, controller: int, reference: int) -> SubjectKey | None:
    """The key of the person with this reference; None once it is destroyed."""
    return _first(keyring, controller, _KEYS.c.reference == reference)


def create_missing(keyring: Session, keys: Iterable[SubjectKey]) -> None:
    """Store those of these keys whose look-up nobody stored before; `find_many` then tells whose stand."""
    names = ("lookup", "reference", "wrapped", "epoch", "created_on")
    rows = [{"controller_id": key.controller} | {name: getattr(key, name) for name in names} for key in keys]
    insert_missing(keyring.connection(), _KEYS, rows)


def create(
    keyring: Session, controller: int, lookup: bytes, reference: int, wrapped: bytes, epoch: int, now: int
) -> SubjectKey:
    """Store a new key, or return the one that somebody else stored first; the reference tells which."""
    created_on = datetime.fromtimestamp(now, UTC).date()
    new = SubjectKey(controller, lookup, reference, wrapped, epoch, created_on)
    row = {
        "controller_id": controller,
        "lookup": lookup,
        "reference": reference,
        "wrapped": wrapped,
        "epoch": epoch,
        "created_on": created_on,
    }
    if insert_if_absent(keyring.connection(), _KEYS, row):
        return new
    first = find(keyring, controller, lookup)
    if first is None:
        raise ValueError("the reference is taken by another person")
    return first


def of_earlier_epochs(keyring: Session, epoch: int, limit: int) -> list[SubjectKey]:
    """Keys that an earlier epoch wraps, at most `limit`."""
    rows = keyring.connection().execute(select(_KEYS).where(_KEYS.c.epoch < epoch).limit(limit))
    return [_key(row) for row in rows]


def count_of_epoch(keyring: Session, epoch: int) -> int:
    """How many keys an epoch wraps."""
    return int(
        keyring.connection().execute(select(func.count()).select_from(_KEYS).where(_KEYS.c.epoch == epoch)).scalar_one()
    )


def rewrap(keyring: Session, key: SubjectKey, lookup: bytes, wrapped: bytes, epoch: int) -> bool:
    """Put a key under another epoch; False where it was destroyed or rewrapped meanwhile."""
    theirs = (_KEYS.c.controller_id == key.controller, _KEYS.c.reference == key.reference, _KEYS.c.epoch == key.epoch)
    values = {"lookup": lookup, "wrapped": wrapped, "epoch": epoch}
    return keyring.connection().execute(update(_KEYS).where(*theirs).values(values)).rowcount == 1


def destroy(keyring: Session, controller: int, reference: int) -> bool:
    """Destroy a person's key; False where there was none. Nothing sealed for them can be read after the commit."""
    theirs = delete(_KEYS).where(_KEYS.c.controller_id == controller, _KEYS.c.reference == reference)
    return keyring.connection().execute(theirs).rowcount == 1


def _first(keyring: Session, controller: int, which: ColumnElement[Any]) -> SubjectKey | None:
    row = keyring.connection().execute(select(_KEYS).where(_KEYS.c.controller_id == controller, which)).one_or_none()
    return None if row is None else _key(row)


def _key(row: Any) -> SubjectKey:
    return SubjectKey(row.controller_id, row.lookup, row.reference, row.wrapped, row.epoch, row.created_on)
