"""The mails of mailbox loops, kept as they were sent for as long as the choice they led to is proved (RE-02).

They hold an address, so they are sealed under the person's own key and go with an erasure; what stays in the proof is
their SHA-256, by which a copy in somebody's mailbox is recognised.
"""

import hashlib
from typing import Final

from sqlalchemy import BigInteger, LargeBinary, select
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, insert_if_absent, table_of


@holds(
    Holding(
        why="to show the mail by which a choice was confirmed",
        data_class="consent_proof",
        subject_column="subject",
        clock_column="kept_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
    )
)
class KeptLetterRow(Row, table=True):
    """`id` is the SHA-256 of the mail."""

    __tablename__ = "kept_letter"

    controller_id: int = Field(primary_key=True)
    subject: int = Field(sa_type=BigInteger, primary_key=True)
    id: str = Field(primary_key=True, max_length=64)
    sealed: bytes = Field(sa_type=LargeBinary)
    kept_at: int = Field(sa_type=BigInteger)


_LETTERS: Final = table_of(KeptLetterRow)


def id_of(letter: bytes) -> str:
    """How a ledger entry names a mail."""
    return hashlib.sha256(letter).hexdigest()


def keep(session: Session, controller: int, subject: int, id_: str, sealed: bytes, now: int) -> None:
    """Keep a mail; one that is kept already stays as it is."""
    row = {"controller_id": controller, "subject": subject, "id": id_, "sealed": sealed, "kept_at": now}
    insert_if_absent(session.connection(), _LETTERS, row)


def find(session: Session, controller: int, subject: int, id_: str) -> bytes | None:
    """A kept mail, still sealed, or None."""
    theirs = (_LETTERS.c.controller_id == controller, _LETTERS.c.subject == subject, _LETTERS.c.id == id_)
    found: bytes | None = session.connection().execute(select(_LETTERS.c.sealed).where(*theirs)).scalar_one_or_none()
    return found
