"""The schema of the three stores: brought up to date by migrations, and compared with what the tables say.

Each store has its own migrations and its own record of them. Migrations run in one transaction: all of it, or nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, func, inspect, select, text
from sqlalchemy.schema import CreateSchema

from .datamap import APPEND_ONLY
from .engines import available, with_options
from .partitions import is_partition
from .tables import Store

if TYPE_CHECKING:
    from .database import Database

_FOLDER: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x736368656D61  # any number, the same for all; held while a schema changes
_WAIT_MS: Final = 60_000
# On PostgreSQL the exempt store is a schema of its own; its owner is its own role, and nobody else is let in (AH-14).
EXEMPT_SCHEMA: Final = "exempt"
_ONE_AT_A_TIME: Final = Lock()  # Alembic keeps the migration under way in globals of the process


@dataclass(frozen=True, slots=True)
class _Store:
    """One of the stores: what it should hold, the folder of its migrations, its own PostgreSQL schema if it has one."""

    name: str
    engine: Engine
    metadata: MetaData
    versions: str
    schema: str = ""


def _stores(db: "Database") -> tuple[_Store, ...]:
    return (
        _Store(Store.MAIN.value, db.engine, Store.MAIN.metadata, "versions"),
        _Store(Store.KEYRING.value, db.keyring_engine, Store.KEYRING.metadata, "keyring"),
        _Store(Store.EXEMPT.value, db.exempt_engine, Store.EXEMPT.metadata, "exempt", EXEMPT_SCHEMA),
    )


def is_new(db: "Database") -> bool:
    """Whether no store holds a table, ours or not. Raises StorageUnavailable."""
    for store in _stores(db):
        with available(), store.engine.connect() as connection:
            if inspect(connection).get_table_names():
                return False
    return True


def upgrade(db: "Database", revision: str = "head") -> None:
    """Bring all stores up to date. Safe to run twice, also at the same time. Raises StorageUnavailable."""
    for store in _stores(db):
        with _changing(store) as connection:
            command.upgrade(_config(store, connection), revision)


def downgrade(db: "Database", revision: str = "base") -> None:
    """Take all stores back to an earlier revision; `base` removes every table. Raises StorageUnavailable."""
    for store in _stores(db):
        with _changing(store) as connection:
            command.downgrade(_config(store, connection), revision)


def check(db: "Database") -> list[str]:
    """What is missing or different in the stores, in words; empty when the schema is current. StorageUnavailable."""
    problems: list[str] = []
    for store in _stores(db):
        with available(), with_options(store.engine, writes=False, wait_ms=_WAIT_MS).connect() as connection:
            problems += [f"{store.name}: {problem}" for problem in _problems(store, connection)]
    return problems


def _problems(store: _Store, connection: Connection) -> Iterator[str]:
    current = MigrationContext.configure(connection, opts=_options(store)).get_current_revision()
    newest = ScriptDirectory.from_config(_config(store, connection)).get_current_head()
    if current != newest:
        yield f"is at revision {current or 'none'}, this version needs {newest}"
        return
    context = MigrationContext.configure(connection, opts={**_options(store), "target_metadata": store.metadata})
    for difference in compare_metadata(context, store.metadata):
        yield _words(difference)
    guarded = _tables_with_triggers(connection)
    for table in APPEND_ONLY:
        if table.metadata is store.metadata and table.name not in guarded:
            yield f"table {table.name} can be changed: its triggers are missing"


def _words(difference: Any) -> str:
    """One difference found by Alembic, by kind and name."""
    while isinstance(difference, list):
        difference = difference[0]
    parts = (getattr(part, "name", part) for part in difference[1:])
    named = [part for part in parts if isinstance(part, str)]
    return " ".join([str(difference[0]), *named])


def _tables_with_triggers(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        found = "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' GROUP BY tbl_name HAVING count(*) >= 3"
    else:
        found = (
            "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND tgenabled <> 'D' GROUP BY relname HAVING count(*) >= 2"
        )
    return set(connection.execute(text(found)).scalars())


@contextmanager
def _changing(store: _Store) -> Iterator[Connection]:
    """A transaction for the schema; whoever else would change it waits."""
    engine = with_options(store.engine, writes=True, wait_ms=_WAIT_MS)
    with _ONE_AT_A_TIME, available(), engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            if store.schema and not inspect(connection).has_schema(store.schema):
                connection.execute(CreateSchema(store.schema))
        yield connection


def _config(store: _Store, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", _escaped(_FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _escaped(_FOLDER / store.versions))
    config.attributes["connection"] = connection
    config.attributes["options"] = {**_options(store), "target_metadata": store.metadata}
    return config


def _options(store: _Store) -> dict[str, Any]:
    return {"include_object": _is_ours, "compare_type": True}


def _is_ours(_thing: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    return not (kind == "table" and is_partition(name))


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
