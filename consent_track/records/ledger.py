"""The ledger of choices: append-only, one hash chain for each controller, its head signed at every entry.

Proof of consent stays through an erasure (GDPR Art. 7(1), 17(3)(e)): what it says is sealed under the person's key, and
that key is destroyed. The sequence is taken under the lock of the chain head, so it has no gap and no late number:
whoever follows it by "greater than" misses nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import BigInteger, Index, LargeBinary, and_, insert, select, update
from sqlmodel import Field, Session

from consent_track.domain.consent import ConsentState
from consent_track.domain.retention import Clock, Holding, OnErasure

from .consent import STATES, state_of
from .datamap import holds
from .tables import Row, insert_if_absent, table_of

# What the first entry of a chain follows.
BEGINNING: Final = bytes(32)


@holds(
    Holding(
        why="to prove who chose what, when, and what they were shown",
        data_class="consent_proof",
        subject_column="subject",
        clock_column="recorded_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 7(1), 17(3)(e)",
    ),
    append_only=True,
)
class ConsentEventRow(Row, table=True):
    """`sealed` opens with the person's key, `proof` with the controller's offline key, found by `proof_tag`."""

    __tablename__ = "consent_event"
    __table_args__ = (
        Index(None, "controller_id", "subject"),
        Index(None, "controller_id", "proof_tag"),
    )

    controller_id: int = Field(primary_key=True)
    sequence: int = Field(sa_type=BigInteger, primary_key=True)
    subject: int = Field(sa_type=BigInteger)
    recorded_at: int = Field(sa_type=BigInteger)
    sealed: bytes = Field(sa_type=LargeBinary)
    proof: bytes = Field(sa_type=LargeBinary)
    proof_tag: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)
    signature: bytes = Field(sa_type=LargeBinary)


@holds(
    Holding(
        why="to continue the chain of each controller without a gap",
        data_class=None,
        subject_column=None,
        clock_column=None,
        clock=Clock.INSTANT,
        on_erasure=OnErasure.NOT_PERSONAL,
        bounded_by="one row for each controller",
    )
)
class ChainHeadRow(Row, table=True):
    """The last entry of each chain. Locked while an entry is appended; always locked after the state row."""

    __tablename__ = "chain_head"

    controller_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    sequence: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


_EVENTS: Final = table_of(ConsentEventRow)
_HEADS: Final = table_of(ChainHeadRow)


@dataclass(frozen=True, slots=True)
class Appended:
    """What makes one link of the chain; made by whoever holds the keys."""

    sealed: bytes
    proof: bytes
    proof_tag: bytes
    hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger, as it is stored."""

    controller: int
    sequence: int
    subject: int
    recorded_at: int
    sealed: bytes
    proof: bytes
    proof_tag: bytes
    hash: bytes
    signature: bytes


Change = tuple[int, int, ConsentState | None]


def append(
    session: Session, controller: int, subject: int, recorded_at: int, make: Callable[[int, bytes], Appended]
) -> int:
    """Append one entry and return its sequence. `make` gets that sequence and the hash of the entry before it."""
    return append_many(session, controller, recorded_at, [(subject, make)])[0]


def append_many(
    session: Session, controller: int, recorded_at: int, links: Sequence[tuple[int, Callable[[int, bytes], Appended]]]
) -> list[int]:
    """Append entries, each a subject and its `make` as for `append`, under one lock of the chain head.

    Their sequences, in the order given. Every entry is signed like any other; the chain has no seam.
    """
    if not links:
        return []
    connection = session.connection()
    sequence, previous = lock_head(session, controller)
    rows = []
    for subject, make in links:
        sequence += 1
        link = make(sequence, previous)
        previous = link.hash
        row = {field.name: getattr(link, field.name) for field in fields(link)}
        rows.append(
            row | {"controller_id": controller, "sequence": sequence, "subject": subject, "recorded_at": recorded_at}
        )
    connection.execute(insert(_EVENTS), rows)
    moved = update(_HEADS).where(_HEADS.c.controller_id == controller).values(sequence=sequence, hash=previous)
    connection.execute(moved)
    return list(range(sequence - len(rows) + 1, sequence + 1))


def lock_head(session: Session, controller: int) -> tuple[int, bytes]:
    """The sequence and hash of the last entry, held until the transaction ends; state rows are locked before it."""
    connection = session.connection()
    statement = select(_HEADS).where(_HEADS.c.controller_id == controller).with_for_update()
    last = connection.execute(statement).one_or_none()
    if last is None:
        insert_if_absent(connection, _HEADS, {"controller_id": controller, "sequence": 0, "hash": BEGINNING})
        last = connection.execute(statement).one()
    return last.sequence, last.hash


def changes_since(session: Session, controller: int, sequence: int, limit: int) -> list[Change]:
    """The entries after `sequence`, in order, each with its person's state of now (None: erased, or never stored)."""
    theirs = and_(STATES.c.controller_id == _EVENTS.c.controller_id, STATES.c.subject == _EVENTS.c.subject)
    statement = (
        select(_EVENTS.c.sequence.label("entry"), _EVENTS.c.subject.label("whose"), STATES)
        .select_from(_EVENTS.outerjoin(STATES, theirs))
        .where(_EVENTS.c.controller_id == controller, _EVENTS.c.sequence > sequence)
        .order_by(_EVENTS.c.sequence)
        .limit(limit)
    )
    return [
        (row.entry, row.whose, None if row.controller_id is None else state_of(row._mapping))
        for row in session.connection().execute(statement)
    ]


def all_states(session: Session) -> tuple[dict[int, int], list[tuple[int, int, ConsentState]]]:
    """The position of every chain and the state of everybody, as of one moment (in a `read` transaction)."""
    connection = session.connection()
    positions = {row.controller_id: row.sequence for row in connection.execute(select(_HEADS))}
    states = [(row.controller_id, row.subject, state_of(row._mapping)) for row in connection.execute(select(STATES))]
    return positions, states


def entries(session: Session, controller: int, after: int, limit: int) -> list[Entry]:
    """The entries after `after`, in order: what an auditor verifies."""
    statement = (
        select(_EVENTS)
        .where(_EVENTS.c.controller_id == controller, _EVENTS.c.sequence > after)
        .order_by(_EVENTS.c.sequence)
        .limit(limit)
    )
    return [_entry(row) for row in session.connection().execute(statement)]


def hash_before(session: Session, controller: int, sequence: int) -> bytes:
    """The hash that entry `sequence` continues."""
    theirs = (_EVENTS.c.controller_id == controller, _EVENTS.c.sequence == sequence - 1)
    found: bytes | None = session.connection().execute(select(_EVENTS.c.hash).where(*theirs)).scalar_one_or_none()
    return BEGINNING if found is None else found


def entries_of_tag(session: Session, controller: int, proof_tag: bytes) -> list[Entry]:
    """The entries that an address finds by its proof tag, in order, also after an erasure."""
    theirs = (_EVENTS.c.controller_id == controller, _EVENTS.c.proof_tag == proof_tag)
    statement = select(_EVENTS).where(*theirs).order_by(_EVENTS.c.sequence)
    return [_entry(row) for row in session.connection().execute(statement)]


def entries_of_subject(session: Session, controller: int, subject: int) -> list[Entry]:
    """The entries about one person, in order."""
    theirs = (_EVENTS.c.controller_id == controller, _EVENTS.c.subject == subject)
    statement = select(_EVENTS).where(*theirs).order_by(_EVENTS.c.sequence)
    return [_entry(row) for row in session.connection().execute(statement)]


def _entry(row: Any) -> Entry:
    return Entry(
        row.controller_id,
        row.sequence,
        row.subject,
        row.recorded_at,
        row.sealed,
        row.proof,
        row.proof_tag,
        row.hash,
        row.signature,
    )


def head(session: Session, controller: int) -> tuple[int, bytes]:
    """The sequence and hash of the last entry; (0, BEGINNING) where there is none."""
    row = session.connection().execute(select(_HEADS).where(_HEADS.c.controller_id == controller)).one_or_none()
    return (0, BEGINNING) if row is None else (row.sequence, row.hash)
