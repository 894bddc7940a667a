"""The three stores, and the only two ways to use them: `write` and `read`.

Nobody waits long for a lock: a recipient who withdraws gets an answer, or is told to try again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Engine
from sqlmodel import Session

from consent_track.domain.errors import ConfigurationRefused, Problem

from . import engines
from .engines import WAIT_MS, available, with_options
from .schema import EXEMPT_SCHEMA, check, downgrade, is_new, upgrade

__all__ = [
    "Database",
    "check",
    "checkpoint",
    "downgrade",
    "exempt_beside",
    "is_new",
    "open_database",
    "read",
    "upgrade",
    "write",
]


@dataclass(frozen=True, slots=True)
class Database:
    """The main database, the keyring and the exempt store: without a common commit, with backups of their own."""

    engine: Engine
    keyring_engine: Engine
    exempt_engine: Engine
    dialect: str  # sqlite | postgresql

    @property
    def exempt_is_apart(self) -> bool:
        """Whether the role of the main database cannot read the exempt store (AH-14): another file, or another role."""
        return self.dialect == "sqlite" or self.engine.url.username != self.exempt_engine.url.username

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
        self.keyring_engine.dispose()
        self.exempt_engine.dispose()


def open_database(url: str, keyring_url: str, exempt_url: str = "") -> Database:
    """Open the stores; connections are made when they are needed. SQLite files are created, for their owner only.

    `exempt_url` empty: `exempt.db` beside the main file, or a schema of the main PostgreSQL database. Raises
    ConfigurationRefused with every problem: an address that cannot be read, or two stores that are one.
    """
    problems: list[Problem] = []
    main = engines.parse(url, "database_url", problems)
    keyring = engines.parse(keyring_url, "keyring_url", problems)
    exempt = engines.parse(exempt_url, "exempt_url", problems) if exempt_url else main and exempt_beside(main)
    if main and main == keyring:
        problems.append(Problem("keyring_url", "is the main database; keys must not share its backups"))
    if main and keyring and main.get_backend_name() != keyring.get_backend_name():
        problems.append(Problem("keyring_url", "must be the same kind of database as the main one"))
    if main and exempt and main.get_backend_name() != exempt.get_backend_name():
        problems.append(Problem("exempt_url", "must be the same kind of database as the main one"))
    if exempt_url and exempt and exempt in (keyring, main):
        problems.append(Problem("exempt_url", "is another store; what is exempt must be in none of them"))
    if problems or main is None or keyring is None or exempt is None:
        raise ConfigurationRefused(problems)
    return Database(
        engines.open_engine(main, engines.MAIN),
        engines.open_engine(keyring, engines.KEYRING),
        engines.open_engine(exempt, engines.EXEMPT, schema=EXEMPT_SCHEMA),
        main.get_backend_name(),
    )


def exempt_beside(main: URL) -> URL:
    """Where the exempt store is if nobody says: a file beside the main one, or its PostgreSQL database."""
    if main.get_backend_name() != "sqlite":
        return main
    return main.set(database=str(Path(str(main.database)).with_name("exempt.db")))


@contextmanager
def write(engine: Engine, *, wait_ms: int = WAIT_MS) -> Iterator[Session]:
    """One transaction that may write: committed at the end, rolled back on any error.

    On SQLite it holds the write lock from the start (BEGIN IMMEDIATE); on PostgreSQL each lock is waited for at most
    `wait_ms` milliseconds. Raises StorageUnavailable when the store, or a lock, cannot be had in time.
    """
    with available(), Session(with_options(engine, writes=True, wait_ms=wait_ms)) as session, session.begin():
        session.connection()
        yield session


@contextmanager
def read(engine: Engine, *, wait_ms: int = WAIT_MS) -> Iterator[Session]:
    """One transaction that sees the store as of one moment and cannot write. Raises StorageUnavailable."""
    with available(), Session(with_options(engine, writes=False, wait_ms=wait_ms)) as session:
        session.connection()
        yield session


def checkpoint(engine: Engine) -> bool:
    """Empty SQLite's write-ahead log, which still holds what was deleted; False while a reader keeps it open.

    Offered after a purge or an erasure. PostgreSQL recycles its own log: nothing to do, True.
    """
    if engine.dialect.name != "sqlite":
        return True
    with available():
        pooled = engine.raw_connection()
        try:
            busy = pooled.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            return bool(busy == 0)
        finally:
            pooled.close()
