"""Who a reference stands for: address and language, sealed under the person's own key."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from sqlalchemy import BigInteger, LargeBinary, select
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, in_chunks, insert_or_update, insert_or_update_many, table_of


@holds(
    Holding(
        why="to show a person that a link is theirs and to answer in their language",
        data_class=None,
        subject_column="reference",
        clock_column=None,
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
        bounded_by="one row for each person, as long as the person is mailed; ends with erasure",
    )
)
class SubjectRow(Row, table=True):
    """One person of one controller. Nothing in it can be read without the key in the keyring."""

    __tablename__ = "subject"

    controller_id: int = Field(primary_key=True)
    reference: int = Field(sa_type=BigInteger, primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    updated_at: int = Field(sa_type=BigInteger)


_PEOPLE: Final = table_of(SubjectRow)


def find(session: Session, controller: int, reference: int) -> bytes | None:
    """What is sealed about a person, or None for the unknown and the erased."""
    statement = select(_PEOPLE.c.sealed).where(_PEOPLE.c.controller_id == controller, _PEOPLE.c.reference == reference)
    found: bytes | None = session.connection().execute(statement).scalar_one_or_none()
    return found


def find_many(session: Session, controller: int, references: Iterable[int]) -> dict[int, bytes]:
    """What is sealed about each of these people; the unknown and the erased are absent."""
    found: dict[int, bytes] = {}
    for some in in_chunks(references):
        statement = select(_PEOPLE.c.reference, _PEOPLE.c.sealed).where(
            _PEOPLE.c.controller_id == controller, _PEOPLE.c.reference.in_(some)
        )
        found.update(map(tuple, session.connection().execute(statement)))
    return found


def after(session: Session, controller: int, reference: int, limit: int) -> list[int]:
    """The references of people, in their order, from the one after `reference` on."""
    theirs = (_PEOPLE.c.controller_id == controller, _PEOPLE.c.reference > reference)
    statement = select(_PEOPLE.c.reference).where(*theirs).order_by(_PEOPLE.c.reference).limit(limit)
    return list(session.connection().execute(statement).scalars())


def present(session: Session, controller: int, references: Collection[int]) -> set[int]:
    """Those of these people of whom something is held."""
    theirs = (_PEOPLE.c.controller_id == controller, _PEOPLE.c.reference.in_(sorted(references)))
    return set(session.connection().execute(select(_PEOPLE.c.reference).where(*theirs)).scalars())


def save_many(session: Session, controller: int, sealed: Mapping[int, bytes], now: int) -> None:
    """Write what is sealed about several people, by reference."""
    rows = [
        {"controller_id": controller, "reference": reference, "sealed": octets, "updated_at": now}
        for reference, octets in sealed.items()
    ]
    insert_or_update_many(session.connection(), _PEOPLE, rows)


def save(session: Session, controller: int, reference: int, sealed: bytes, now: int) -> None:
    """Write what is sealed about a person."""
    row = {"controller_id": controller, "reference": reference, "sealed": sealed, "updated_at": now}
    insert_or_update(session.connection(), _PEOPLE, row)
