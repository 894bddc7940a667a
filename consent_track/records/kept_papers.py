"""What an operator holds of one person's choice: the scan of a signed form, the extract of an account.

It names the person, so it is sealed twice, like the choice that it proves (decision 16): an erasure destroys the key of
the one copy, and the other opens with the controller's offline key alone. Forms of a whole list, which name nobody, are
`import_evidence`.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, LargeBinary, select
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, insert_if_absent, table_of


@holds(
    Holding(
        why="to show the paper or the account record on which a choice rests",
        data_class="consent_proof",
        subject_column="subject",
        clock_column="kept_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 7(1), 17(3)(e)",
    )
)
class KeptPaperRow(Row, table=True):
    """`id` is the SHA-256 of the paper; `sealed` opens with the person's key, `proof` with the offline key."""

    __tablename__ = "kept_paper"

    controller_id: int = Field(primary_key=True)
    subject: int = Field(sa_type=BigInteger, primary_key=True)
    id: str = Field(primary_key=True, max_length=64)
    sealed: bytes = Field(sa_type=LargeBinary)
    proof: bytes = Field(sa_type=LargeBinary)
    kept_at: int = Field(sa_type=BigInteger)


_PAPERS: Final = table_of(KeptPaperRow)


@dataclass(frozen=True, slots=True)
class KeptPaper:
    """One paper, sealed."""

    controller: int
    subject: int
    id: str
    sealed: bytes
    proof: bytes


def keep(session: Session, paper: KeptPaper, now: int) -> None:
    """Keep a paper; one that is kept already stays as it is."""
    row = {"controller_id": paper.controller, "subject": paper.subject, "id": paper.id}
    row |= {"sealed": paper.sealed, "proof": paper.proof, "kept_at": now}
    insert_if_absent(session.connection(), _PAPERS, row)


def find(session: Session, controller: int, subject: int, id_: str) -> KeptPaper | None:
    """A kept paper, still sealed, or None."""
    theirs = (_PAPERS.c.controller_id == controller, _PAPERS.c.subject == subject, _PAPERS.c.id == id_)
    row = session.connection().execute(select(_PAPERS).where(*theirs)).one_or_none()
    return None if row is None else KeptPaper(controller, subject, id_, row.sealed, row.proof)
