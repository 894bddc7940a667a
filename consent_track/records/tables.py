"""What all tables share: three stores with a schema each, and one way of naming constraints.

`Row` is a table of the main database, `KeyRow` one of the keyring, which is another store (erasure needs two: what is
deleted from a database stays in its backups, what was sealed under a destroyed key does not). `ExemptRow` is a table
of the exempt store, which keeps no history and which nothing else may read (decision 13; AH-14).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import islice
from typing import Any, ClassVar, Final, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, MetaData, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

_T = TypeVar("_T")

# Parameters of one statement; SQLite takes 32,766 at most.
AT_ONCE: Final = 500

# Named constraints: a migration can only change what it can name.
_NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(SQLModel):
    """A table of the main database."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMING)


class KeyRow(SQLModel):
    """A table of the keyring store."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMING)


class ExemptRow(SQLModel):
    """A table of the exempt store."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMING)


class Store(Enum):
    """Where a table stands. A table belongs to a store by its row class; there is no list of tables."""

    MAIN = "database"
    KEYRING = "keyring"
    EXEMPT = "exempt"

    @property
    def metadata(self) -> MetaData:
        return _METADATA[self]


_METADATA: Final = {
    Store.MAIN: Row.metadata,
    Store.KEYRING: KeyRow.metadata,
    Store.EXEMPT: ExemptRow.metadata,
}


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a row class; queries are written with its columns."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


def insert_if_absent(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is taken; whether it was inserted. Never an error, however many try at once."""
    statement = _insert(connection, table).values(**values).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those of these rows whose keys are not taken."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def insert_or_update_many(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, new_only: tuple[str, ...] = ()
) -> None:
    """Insert rows, or give the rows with their keys these values; the columns of `new_only` only where a row is new."""
    if rows:
        statement = _insert(connection, table)
        stay = {column.name for column in table.primary_key}.union(new_only)
        given = {name: statement.excluded[name] for name in rows[0] if name not in stay}
        keys = [column.name for column in table.primary_key]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=given), list(rows))


def insert_or_update(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or give the row with that key these values."""
    statement = _insert(connection, table).values(**values)
    keys = [column.name for column in table.primary_key]
    given = {name: statement.excluded[name] for name in values if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=given))


def insert_or_add(connection: Connection, table: Table, values: Mapping[str, Any], counter: str) -> None:
    """Insert a row, or add to the `counter` of the row with that key."""
    statement = _insert(connection, table).values(**values)
    keys = [column.name for column in table.primary_key]
    total = table.c[counter] + statement.excluded[counter]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={counter: total}))


def insert_or_raise(connection: Connection, table: Table, values: Mapping[str, Any], column: str) -> None:
    """Insert a row, or raise `column` of the row with that key where this value is the greater; else touch nothing."""
    statement = _insert(connection, table).values(**values)
    keys = [key.name for key in table.primary_key]
    given = statement.excluded[column]
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_={column: given}, where=table.c[column] < given)
    )


def in_chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """The values in lists that are short enough for one statement."""
    left = iter(values)
    while some := list(islice(left, AT_ONCE)):
        yield some


def controllers_in(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> Iterator[int]:
    """The controllers that have such rows, by seeking from one to the next in an index that they lead."""
    controller: int | None = 0
    while controller is not None:
        following = select(func.min(table.c.controller_id)).where(table.c.controller_id > controller, *conditions)
        controller = connection.execute(following).scalar_one()
        if controller is not None:
            yield controller


def _insert(connection: Connection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
