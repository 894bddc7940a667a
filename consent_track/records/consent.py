"""Where each person's choices stand: one mutable row, written in the transaction of the ledger entry behind it.

Whoever changes a choice holds the row alone; the drain holds the rows of its batch shared, in the order of their keys.
So a hit is either stored before a withdrawal, or not at all (CNIL 2026-042: effective for messages already sent).
Lock order everywhere: state rows by key, then the chain head.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Connection, Index, Select, func, select, text, tuple_, update
from sqlmodel import Field, Session

from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.retention import Clock, Holding, OnErasure
from consent_track.domain.vocabulary import Grade, Purpose, Status

from .datamap import holds
from .tables import Row, in_chunks, insert_or_update, insert_or_update_many, table_of

Key = tuple[int, int]  # controller, subject

_IS_DUE: Final = text("erase_due IS NOT NULL")


@holds(
    Holding(
        why="to know before each mail and at each hit what a person allows",
        data_class=None,
        subject_column="subject",
        clock_column=None,
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
        bounded_by="one row for each person, as long as the person is mailed; ends with erasure",
    )
)
class ConsentStateRow(Row, table=True):
    """`choices` by purpose; at the instant `erase_due` goes what was measured for `erase_purposes` (bits)."""

    __tablename__ = "consent_state"
    __table_args__ = (
        Index(
            "ix_consent_state_erase_due", "controller_id", "erase_due", sqlite_where=_IS_DUE, postgresql_where=_IS_DUE
        ),
    )

    controller_id: int = Field(primary_key=True)
    subject: int = Field(sa_type=BigInteger, primary_key=True)
    choices: dict[str, Any] = Field(sa_type=JSON)
    objected_at: int | None = Field(sa_type=BigInteger)
    restricted: bool
    minor: bool
    mail_ended_at: int | None = Field(sa_type=BigInteger)
    signal_on: date | None
    signal_waived_at: int | None = Field(sa_type=BigInteger)
    address_collected_on: date | None
    legacy_notice_on: date | None
    sequence: int = Field(sa_type=BigInteger)
    erase_due: int | None = Field(sa_type=BigInteger)
    erase_purposes: int


STATES: Final = table_of(ConsentStateRow)
# Fields of the domain's state that are columns of the same name and type.
_PLAIN: Final = (
    "objected_at",
    "restricted",
    "minor",
    "mail_ended_at",
    "signal_on",
    "signal_waived_at",
    "address_collected_on",
    "legacy_notice_on",
    "sequence",
)


def lock_state(session: Session, controller: int, subject: int) -> ConsentState | None:
    """The state of a person, held alone until the transaction ends; None for whoever has none.

    Where there is no row there is nothing to hold: on PostgreSQL the first choice of a person then holds their number
    instead, so that two first choices come one after the other. Nothing is written for the unknown.
    """
    connection = session.connection()
    statement = _one(controller, subject).with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None and connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(subject)))
        row = connection.execute(statement).one_or_none()
    return None if row is None else state_of(row._mapping)


def share_states(session: Session, keys: Iterable[Key]) -> dict[Key, ConsentState]:
    """The states of these people, held against any change until the transaction ends; the unknown are absent."""
    key = tuple_(STATES.c.controller_id, STATES.c.subject)
    statement = (
        select(STATES)
        .where(key.in_(sorted(set(keys))))
        .order_by(STATES.c.controller_id, STATES.c.subject)
        .with_for_update(read=True)
    )
    rows = session.connection().execute(statement)
    return {(row.controller_id, row.subject): state_of(row._mapping) for row in rows}


def lock_states(session: Session, controller: int, subjects: Collection[int]) -> dict[int, ConsentState]:
    """The states of these people, held alone until the transaction ends, in the order of their keys.

    As with `lock_state`, those who have none are held by number on PostgreSQL; they are absent from the answer.
    """
    connection = session.connection()
    found = _locked_states(connection, controller, subjects)
    missing = sorted(set(subjects).difference(found))
    if missing and connection.dialect.name == "postgresql":
        hold = text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(:them AS bigint[])) AS one")
        connection.execute(hold, {"them": missing})
        found |= _locked_states(connection, controller, missing)
    return found


def _locked_states(connection: Connection, controller: int, subjects: Collection[int]) -> dict[int, ConsentState]:
    rows = connection.execute(_several(controller, subjects).with_for_update())
    return {row.subject: state_of(row._mapping) for row in rows}


def find_state(session: Session, controller: int, subject: int) -> ConsentState | None:
    """The state of a person as committed now, held by nobody."""
    row = session.connection().execute(_one(controller, subject)).one_or_none()
    return None if row is None else state_of(row._mapping)


def find_states(session: Session, controller: int, subjects: Iterable[int]) -> dict[int, ConsentState]:
    """The states of these people as committed now, held by nobody; the unknown are absent."""
    found: dict[int, ConsentState] = {}
    for some in in_chunks(subjects):
        statement = select(STATES).where(STATES.c.controller_id == controller, STATES.c.subject.in_(some))
        found.update((row.subject, state_of(row._mapping)) for row in session.connection().execute(statement))
    return found


def page(session: Session, after: Key, limit: int) -> list[tuple[Key, ConsentState]]:
    """The states of the people behind `after`, in the order of their keys, held by nobody; `limit` at most."""
    key = tuple_(STATES.c.controller_id, STATES.c.subject)
    statement = select(STATES).where(key > tuple_(*after)).order_by(STATES.c.controller_id, STATES.c.subject)
    rows = session.connection().execute(statement.limit(limit))
    return [((row.controller_id, row.subject), state_of(row._mapping)) for row in rows]


def save_state(session: Session, controller: int, subject: int, state: ConsentState) -> None:
    """Write the state of a person whom `lock_state` holds; what is to be erased and when stays as it is."""
    row = {"controller_id": controller, "subject": subject, "choices": _choices(state)}
    row |= {name: getattr(state, name) for name in _PLAIN}
    connection = session.connection()
    done = connection.execute(update(STATES).where(*_is(controller, subject)).values(row))
    if done.rowcount == 0:
        insert_or_update(connection, STATES, {**row, "erase_due": None, "erase_purposes": 0})


def save_states(session: Session, controller: int, states: Mapping[int, ConsentState]) -> None:
    """Write the states of people whom `lock_states` holds; what is to be erased and when stays as it is."""
    rows = [
        {"controller_id": controller, "subject": subject, **columns_of(state), "erase_due": None, "erase_purposes": 0}
        for subject, state in states.items()
    ]
    insert_or_update_many(session.connection(), STATES, rows, new_only=("erase_due", "erase_purposes"))


@dataclass(frozen=True, slots=True)
class DueErasure:
    """What was measured about this person for these purposes (bits) is to be erased now."""

    controller: int
    subject: int
    purposes: int


def erase_due(session: Session, controller: int, subject: int) -> tuple[int | None, int]:
    """When what was measured about a person is to be erased, and for which purposes (bits); (None, 0) for nothing."""
    statement = select(STATES.c.erase_due, STATES.c.erase_purposes).where(*_is(controller, subject))
    row = session.connection().execute(statement).one_or_none()
    return (None, 0) if row is None else (row.erase_due, row.erase_purposes)


def with_erase_due(session: Session, keys: Iterable[Key]) -> set[Key]:
    """Those of these people of whom something is to be erased at a time to come."""
    key = tuple_(STATES.c.controller_id, STATES.c.subject)
    statement = select(STATES.c.controller_id, STATES.c.subject).where(key.in_(list(keys)), _IS_DUE)
    return {(row.controller_id, row.subject) for row in session.connection().execute(statement)}


def set_erase_due(session: Session, controller: int, subject: int, due: int | None, purposes: int) -> None:
    """Note when to erase what; None takes the note back (decision 7: coming back within the delay loses nothing)."""
    values = {"erase_due": due, "erase_purposes": purposes}
    session.connection().execute(update(STATES).where(*_is(controller, subject)).values(values))


def due_erasures(
    session: Session, now: int, limit: int, *, lock: bool = False, but: Iterable[tuple[int, int]] = ()
) -> list[DueErasure]:
    """People whose delay is over at `now`, in the order of their keys; with `lock`, held alone and still due.

    `but`: people, by controller and reference, who have to be left as they are for now.
    """
    people = sorted(but)
    spared = [tuple_(STATES.c.controller_id, STATES.c.subject).not_in(people)] if people else []
    statement = (
        select(STATES.c.controller_id, STATES.c.subject, STATES.c.erase_purposes)
        .where(STATES.c.erase_due.is_not(None), STATES.c.erase_due <= now, *spared)
        .order_by(STATES.c.controller_id, STATES.c.subject)
        .limit(limit)
    )
    rows = session.connection().execute(statement.with_for_update() if lock else statement)
    return [DueErasure(row.controller_id, row.subject, row.erase_purposes) for row in rows]


def state_of(row: Mapping[Any, Any]) -> ConsentState:
    """The domain's state from a row of `consent_state`."""
    choices = {
        Purpose(purpose): Choice(
            Status(said["status"]), said["since"], Grade(said["grade"]), said["expires_at"], said["sequence"]
        )
        for purpose, said in row["choices"].items()
    }
    return ConsentState(choices=choices, **{name: row[name] for name in _PLAIN})


def columns_of(state: ConsentState) -> dict[str, Any]:
    """The domain's state as columns of `consent_state`; `state_of` reads them back."""
    return {"choices": _choices(state)} | {name: getattr(state, name) for name in _PLAIN}


def _choices(state: ConsentState) -> dict[str, Any]:
    return {
        purpose.value: {
            "status": choice.status.value,
            "since": choice.since,
            "grade": choice.grade.value,
            "expires_at": choice.expires_at,
            "sequence": choice.sequence,
        }
        for purpose, choice in state.choices.items()
    }


def _is(controller: int, subject: int) -> tuple[Any, Any]:
    return STATES.c.controller_id == controller, STATES.c.subject == subject


def _several(controller: int, subjects: Collection[int]) -> Select[Any]:
    theirs = (STATES.c.controller_id == controller, STATES.c.subject.in_(sorted(set(subjects))))
    return select(STATES).where(*theirs).order_by(STATES.c.controller_id, STATES.c.subject)


def _one(controller: int, subject: int) -> Select[Any]:
    return select(STATES).where(*_is(controller, subject))
