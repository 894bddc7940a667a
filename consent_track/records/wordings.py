"""The words people saw when they chose, kept for as long as a choice is proved: stored once, never changed.

A choice in the ledger names its wording by the SHA-256 of the words, so nobody can put other words in their place, and
a catalogue may change without an older choice losing what it was made on (GDPR Art. 7(1), DI-04).
"""

from typing import Final

from sqlalchemy import JSON, BigInteger, insert, select
from sqlmodel import Field, Session

from consent_track.domain.consent import Shown
from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to show the very words on which a choice was made",
        data_class="consent_proof",
        subject_column=None,
        clock_column="first_shown_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 5(2), 7(1)",
    ),
    append_only=True,
)
class WordingRow(Row, table=True):
    """`words` maps text ids to texts, as they stand in the catalogue; `id` is computed from them and the locale."""

    __tablename__ = "wording"

    controller_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True, max_length=64)
    locale: str
    words: dict[str, str] = Field(sa_type=JSON)
    first_shown_at: int = Field(sa_type=BigInteger)


_WORDINGS: Final = table_of(WordingRow)


def keep(session: Session, controller: int, shown: Shown, now: int) -> None:
    """Store these words unless they are stored already. For PostgreSQL's sake the chain head must be held."""
    if find(session, controller, shown.id) is None:
        row = {"controller_id": controller, "id": shown.id, "locale": shown.locale, "words": dict(shown.words)}
        session.connection().execute(insert(_WORDINGS).values(row | {"first_shown_at": now}))


def find(session: Session, controller: int, id_: str) -> Shown | None:
    """The words that a ledger entry names, or None."""
    theirs = (_WORDINGS.c.controller_id == controller, _WORDINGS.c.id == id_)
    row = session.connection().execute(select(_WORDINGS).where(*theirs)).one_or_none()
    return None if row is None else Shown(row.locale, tuple(sorted(row.words.items())))
