"""Engines for SQLite and PostgreSQL that lose nothing, leave little behind and never wait long."""

import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from consent_track.domain.errors import ConfigurationRefused, Problem, StorageUnavailable

# How long anybody waits for a lock before giving up, in milliseconds (9.7 s were seen without a limit).
WAIT_MS: Final = 250
_TRIES, _AGAIN = 100, 0.02  # seconds

Pragmas = Mapping[str, tuple[str, Any]]  # name -> what to set, what must come back

# WAL lets readers read beside the one writer; FULL and EXTRA lose nothing at a power cut. The rollback journals of the
# keyring and of the exempt store leave no history, as a WAL would. secure_delete overwrites what is deleted.
MAIN: Final[Pragmas] = {"journal_mode": ("WAL", "wal"), "synchronous": ("FULL", 2)}
KEYRING: Final[Pragmas] = {"journal_mode": ("DELETE", "delete"), "synchronous": ("EXTRA", 3)}
EXEMPT: Final[Pragmas] = {"journal_mode": ("DELETE", "delete"), "synchronous": ("FULL", 2)}
BOTH: Final[Pragmas] = {"secure_delete": ("ON", 1), "foreign_keys": ("ON", 1), "temp_store": ("MEMORY", 2)}


def parse(text: str, setting: str, problems: list[Problem]) -> URL | None:
    """The address of a store, or None and a problem. The text may hold a password, so it is never repeated."""
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        problems.append(Problem(setting, "is not a database address"))
        return None
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    problems.append(Problem(setting, "must be sqlite:///file or postgresql://server/database"))
    return None


def open_engine(url: URL, pragmas: Pragmas, schema: str = "") -> Engine:
    """An engine that shows no values of rows in its errors. A SQLite file is created, for its owner only.

    `schema`: on PostgreSQL, the one schema it sees.
    """
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, {**pragmas, **BOTH})
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=1,
        # Row locks rely on it: a statement sees what was committed before it, and reads again what it waited for.
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": 3},
    )
    event.listen(engine, "begin", _begin_postgresql)
    if schema:
        event.listen(engine, "begin", partial(_stay_in, schema))
    return engine


def with_options(engine: Engine, *, writes: bool, wait_ms: int) -> Engine:
    """The same engine and pool, for transactions that write, or that read as of one moment."""
    options = engine.execution_options(writes=writes, wait_ms=wait_ms)
    if writes or engine.dialect.name == "sqlite":
        return options
    return options.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def available() -> Iterator[None]:
    """Turn "cannot be had" into StorageUnavailable; a broken constraint or a wrong statement stays what it is."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolExhausted) as error:
        raise StorageUnavailable(f"the store cannot be used now ({type(error).__name__})") from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise
        raise StorageUnavailable("the store cannot be read") from error


def _open_sqlite(url: URL, pragmas: Pragmas) -> Engine:
    path = Path(str(url.database))
    if path.parent.is_dir():  # SQLite itself would let everybody read the file; its journals inherit the mode
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR))
    engine = create_engine(url, hide_parameters=True)
    event.listen(engine, "connect", lambda connection, _record: _prepare_sqlite(connection, pragmas))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, pragmas: Pragmas) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    for name, (value, expected) in pragmas.items():
        actual = _set(connection, name, value, expected)
        if actual != expected:
            raise ConfigurationRefused.one("sqlite", f"{name} is {actual}, not {value}: this SQLite cannot be used")


def _set(connection: Any, name: str, value: str, expected: Any) -> Any:
    """Set a pragma and say what it then is.

    Two processes that open a fresh file at once both want to change its journal, and SQLite asks nobody to wait for
    that: whoever comes second tries again, and finds it changed.
    """
    for _ in range(_TRIES):
        try:
            connection.execute(f"PRAGMA {name} = {value}")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(_AGAIN)
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = bool(options.get("writes", True))
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(options.get('wait_ms', WAIT_MS))}")
    connection.exec_driver_sql(f"PRAGMA query_only = {0 if writes else 1}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writes", True):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(options.get('wait_ms', WAIT_MS))}")


def _stay_in(schema: str, connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL search_path TO {schema}")
