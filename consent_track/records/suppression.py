"""Tombstones: so that somebody who was erased is not brought back by the next import (DL-07, decision 11).

A tombstone is a keyed hash of the address. It answers "is this one of them?" and cannot be read as a list of people.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import LargeBinary, delete, select
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from . import datamap
from .tables import Row, in_chunks, insert_if_absent, table_of


@datamap.holds(
    Holding(
        why="to respect an erasure and an objection later, too",
        data_class="suppression",
        subject_column=None,
        clock_column="since",
        clock=Clock.DAY,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 17(3)(b), 21(3)",
    )
)
class SuppressionRow(Row, table=True):
    """One tombstone; `tag` is 32 octets under the suppression key."""

    __tablename__ = "suppression"

    controller_id: int = Field(primary_key=True)
    tag: bytes = Field(sa_type=LargeBinary, primary_key=True)
    since: date
    why: str


_TOMBSTONES: Final = table_of(SuppressionRow)


def add(session: Session, controller: int, tag: bytes, now: int, why: str = "erased") -> None:
    """Set a tombstone; the first one stays."""
    since = datetime.fromtimestamp(now, UTC).date()
    row = {"controller_id": controller, "tag": tag, "since": since, "why": why}
    insert_if_absent(session.connection(), _TOMBSTONES, row)


def those_held(session: Session, controller: int, tags: Iterable[bytes]) -> set[bytes]:
    """Those of these tags for which there is a tombstone."""
    held: set[bytes] = set()
    for some in in_chunks(tags):
        statement = select(_TOMBSTONES.c.tag).where(
            _TOMBSTONES.c.controller_id == controller, _TOMBSTONES.c.tag.in_(some)
        )
        held.update(session.connection().execute(statement).scalars())
    return held


def remove(session: Session, controller: int, tag: bytes) -> bool:
    """Lift a tombstone: the person came back by themselves, by a mailbox loop (decision 11); whether there was one."""
    theirs = (_TOMBSTONES.c.controller_id == controller, _TOMBSTONES.c.tag == tag)
    return session.connection().execute(delete(_TOMBSTONES).where(*theirs)).rowcount == 1
