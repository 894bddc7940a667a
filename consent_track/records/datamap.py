"""The data map: why each table exists, and the loops over it that erase, purge and answer requests.

There is no other list of tables (GDPR Art. 30(1)). A table says its Holding where it is declared. Which store it
stands in, its row class says; a loop runs over the tables of one store, with a session of that store, because no
transaction spans two. The keyring is in no loop: its one row goes last, by itself.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Table, and_, delete, func, select, tuple_, update
from sqlmodel import Session, SQLModel

from consent_track.domain.decision import CARRIERS
from consent_track.domain.retention import Clock, Holding, OnErasure
from consent_track.domain.vocabulary import to_bits

from .tables import Store, controllers_in, table_of

HOLDINGS: Final[dict[Table, Holding]] = {}
# Tables whose rows are never changed and never deleted; triggers in the database see to it.
APPEND_ONLY: Final[set[Table]] = set()

# The classes of data whose time limits stand in the policies; a Holding names one of them.
DATA_CLASSES: Final = frozenset(
    """hits mailing_register consent_proof suppression request_log purge_evidence key_evidence decline_counts
    policy_versions spool_cursors sign_offs""".split()
)

# A hit without its carrier serves nothing: purposes that ride on it end with it.
_CARRIER_BITS: Final = to_bits(set(CARRIERS.values()))

M = TypeVar("M", bound=SQLModel)


def holds(holding: Holding, *, append_only: bool = False) -> Callable[[type[M]], type[M]]:
    """Declare why a table exists. Raises ValueError where the Holding names a class or a column that is not there."""

    def declare(model: type[M]) -> type[M]:
        table = table_of(model)
        if wrong := list(_problems(table, holding)):
            raise ValueError(f"table {table.name}: {'; '.join(wrong)}")
        HOLDINGS[table] = holding
        if append_only:
            APPEND_ONLY.add(table)
        return model

    return declare


def _problems(table: Table, holding: Holding) -> Iterator[str]:
    if holding.data_class is not None and holding.data_class not in DATA_CLASSES:
        yield f"no policy knows the retention class {holding.data_class!r}"
    for named in (holding.subject_column, holding.clock_column):
        if named is not None and named not in table.c:
            yield f"there is no column {named!r}"
    if holding.subject_column is not None and "controller_id" not in table.c:
        yield "it is about people and has no controller_id"
    if holding.measurement and "purposes" not in table.c:
        yield "it holds measurements and does not say for which purposes"


def erase(session: Session, controller: int, subject: int, store: Store = Store.MAIN) -> dict[str, int]:
    """Delete what is held about a person in one store; the rows deleted, by table, zero included.

    The caller holds the person's state row. Their key goes last (GDPR Art. 17(1)).
    """
    return {
        table.name: session.connection().execute(delete(table).where(_about(table, held, controller, subject))).rowcount
        for table, held in _of_people(store)
        if held.on_erasure is OnErasure.DELETE
    }


def erase_measurements(session: Session, controller: int, subject: int, purposes: int | None = None) -> dict[str, int]:
    """Delete what was measured about a person for `purposes` (bits; None: for all), by table.

    A row that also serves a purpose still consented to stays, for that purpose only (GDPR Art. 17(1)(b): "no other
    legal ground"); a row whose carrier is gone goes, because nothing can ride on it.
    """
    counts = {}
    for table, held in _of_people(Store.MAIN):
        if held.measurement:
            theirs = _about(table, held, controller, subject)
            counts[table.name] = _withdraw(session, table, theirs, purposes)
    return counts


def _withdraw(session: Session, table: Table, theirs: ColumnElement[bool], purposes: int | None) -> int:
    if purposes is None:
        return session.connection().execute(delete(table).where(theirs)).rowcount
    served = table.c.purposes
    touched = and_(theirs, served.bitwise_and(purposes) != 0)
    gone = and_(touched, served.bitwise_and(_CARRIER_BITS & ~purposes) == 0)
    count = session.connection().execute(delete(table).where(gone)).rowcount
    session.connection().execute(update(table).where(touched).values(purposes=served.bitwise_and(~purposes)))
    return count


def collect(
    session: Session, controller: int, subject: int, store: Store = Store.MAIN
) -> dict[str, list[dict[str, Any]]]:
    """Every row about a person in one store, by table, as it is held: what is sealed still is (GDPR Art. 15(3))."""
    found = {}
    for table, held in _of_people(store):
        rows = session.connection().execute(select(table).where(_about(table, held, controller, subject)))
        found[table.name] = [dict(row._mapping) for row in rows]
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """One table about people, as they are told of it."""

    table: str
    why: str
    data_class: str | None
    bounded_by: str


def about_people() -> list[Held]:
    """Every table whose rows are about somebody, by name."""
    return [
        Held(table.name, held.why, held.data_class, held.bounded_by)
        for table, held in sorted(HOLDINGS.items(), key=lambda one: one[0].name)
        if held.subject_column is not None
    ]


def octet_columns() -> list[tuple[str, str]]:
    """Table and column of everything held about people that is neither a number nor a word, by name."""
    return sorted(
        (table.name, column.name)
        for table, held in HOLDINGS.items()
        if held.subject_column is not None
        for column in table.c
        if isinstance(column.type, LargeBinary)
    )


def kept_subject_columns() -> frozenset[tuple[str, str]]:
    """Table and column of every reference that an article keeps through an erasure."""
    return frozenset(
        (table.name, held.subject_column)
        for table, held in HOLDINGS.items()
        if held.on_erasure is OnErasure.KEEP and held.subject_column is not None
    )


def kept() -> dict[str, str]:
    """What stays through an erasure, and under which article."""
    return {table.name: held.article for table, held in HOLDINGS.items() if held.on_erasure is OnErasure.KEEP}


@dataclass(frozen=True, slots=True)
class Purgeable:
    """A table whose rows have an end. `limit` is the first instant, or day, that stays."""

    table: str
    data_class: str
    clock: Clock
    why: str
    store: Store
    _table: Table
    _clock: Column[Any]

    def overdue(self, session: Session, limit: date | int, held: Iterable[tuple[int, int]] = ()) -> int:
        """How many rows are older than `limit`, without those of people who are `held` (controller, reference)."""
        statement = select(func.count()).select_from(self._table).where(self._clock < limit, *self._but(held))
        return int(session.connection().execute(statement).scalar_one())

    def _but(self, held: Iterable[tuple[int, int]]) -> tuple[ColumnElement[bool], ...]:
        """Leaves the held alone: rows about them, and no others."""
        column, people = HOLDINGS[self._table].subject_column, sorted(held)
        if column is None or not people:
            return ()
        return (tuple_(self._table.c.controller_id, self._table.c[column]).not_in(people),)

    def purge_chunk(self, session: Session, limit: date | int, size: int, held: Iterable[tuple[int, int]] = ()) -> int:
        """Delete at most `size` rows older than `limit`, but none about people who are `held`; how many went.

        Fewer than `size`: nothing older is left to delete.
        """
        connection, gone, spared = session.connection(), 0, self._but(held)
        key = list(self._table.primary_key)
        for part in self._parts(connection):
            mine = (*part, self._clock < limit, *spared)
            old = select(*key).where(*mine).limit(size - gone)
            chunk = key[0].in_(old) if len(key) == 1 else tuple_(*key).in_(old)
            gone += connection.execute(delete(self._table).where(*mine, chunk)).rowcount
            if gone == size:
                break
        return gone

    def _parts(self, connection: Connection) -> Iterator[tuple[ColumnElement[bool], ...]]:
        """One part for each controller where an index finds their oldest rows, so that no chunk reads a whole table."""
        keys = [[*self._table.primary_key], *([*index.columns] for index in self._table.indexes)]
        leading = [[column.name for column in key[:2]] for key in keys]
        if leading[0][0] == self._clock.name or ["controller_id", self._clock.name] not in leading:
            yield ()
            return
        for controller in controllers_in(connection, self._table):
            yield (self._table.c.controller_id == controller,)


def purgeable() -> list[Purgeable]:
    """The tables that a purge empties of what is too old, by name.

    Append-only tables are left out: the consent ledger is a chain, and deleting its oldest links needs a signed anchor
    to verify the rest from. That comes before the first proof can reach its limitation date, which is years away.
    """
    return [
        Purgeable(
            table.name, held.data_class, held.clock, held.why, _store_of(table), table, table.c[held.clock_column]
        )
        for table, held in sorted(HOLDINGS.items(), key=lambda one: one[0].name)
        if held.data_class is not None and held.clock_column is not None and table not in APPEND_ONLY
    ]


def _store_of(table: Table) -> Store:
    return next(store for store in Store if store.metadata is table.metadata)


def _of_people(store: Store) -> Iterator[tuple[Table, Holding]]:
    """The tables of a store whose rows are about somebody."""
    for table, held in HOLDINGS.items():
        if held.subject_column is not None and table.metadata is store.metadata:
            yield table, held


def _about(table: Table, held: Holding, controller: int, subject: int) -> ColumnElement[bool]:
    return and_(table.c.controller_id == controller, table.c[held.subject_column or ""] == subject)
