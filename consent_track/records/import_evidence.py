"""What people were shown where a list came from: forms with their words and dates, screenshots, and who signs for them.

Stored once, found by the SHA-256 of its content and never changed: a choice in the ledger names it for as long as the
choice is proved (GDPR Art. 7(1)).
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import BigInteger, LargeBinary, insert, select
from sqlmodel import Field, Session

from consent_track.domain.imported import Evidence
from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to show what people had been told when they said yes before they were moved here",
        data_class="consent_proof",
        subject_column=None,
        clock_column="signed_on",
        clock=Clock.DAY,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 5(2), 7(1)",
    ),
    append_only=True,
)
class ImportEvidenceRow(Row, table=True):
    """`id` is the SHA-256 of `content`; a form is canonical JSON and names its files by their ids."""

    __tablename__ = "import_evidence"

    controller_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True, max_length=64)
    kind: str  # form | file
    name: str
    media_type: str
    content: bytes = Field(sa_type=LargeBinary)
    signed_by: str
    signed_on: date
    recorded_at: int = Field(sa_type=BigInteger)


_EVIDENCE: Final = table_of(ImportEvidenceRow)


def add_missing(session: Session, controller: int, pieces: Sequence[Evidence], now: int) -> int:
    """Store what is not stored yet; how many pieces that were. The first signature stays."""
    new: dict[str, Evidence] = {}
    for piece in pieces:  # asked one by one: the table refuses a taken key even where the insert would pass over it
        if piece.id not in new and find(session, controller, piece.id) is None:
            new[piece.id] = piece
    names = ("id", "kind", "name", "media_type", "content", "signed_by", "signed_on")
    for piece in new.values():
        row = {"controller_id": controller, "recorded_at": now} | {name: getattr(piece, name) for name in names}
        session.connection().execute(insert(_EVIDENCE).values(row))
    return len(new)


def find(session: Session, controller: int, id_: str) -> Evidence | None:
    """The piece of evidence that a ledger entry names, or None."""
    theirs = (_EVIDENCE.c.controller_id == controller, _EVIDENCE.c.id == id_)
    row = session.connection().execute(select(_EVIDENCE).where(*theirs)).one_or_none()
    if row is None:
        return None
    return Evidence(row.id, row.kind, row.name, row.media_type, row.content, row.signed_by, row.signed_on)
