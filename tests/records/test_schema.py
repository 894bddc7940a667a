"""Migrations: up, down, up again with data, on both stores of both databases; and a difference is found and named."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, inspect, text

import consent_track
from consent_track.records import hits, ledger, subjects
from consent_track.records.database import Database, check, downgrade, read, upgrade, write
from consent_track.records.partitions import is_partition
from consent_track.records.tables import Store
from tests.records.stage import ACME, ALICE, DAY, NOW, hit, link

VERSIONS = Path(consent_track.__file__).parent / "records" / "migrations" / "versions"


@pytest.fixture
def migrated(empty_urls, opened) -> Database:
    """Stores that a test may change as it likes."""
    database: Database = opened(empty_urls)
    upgrade(database)
    return database


def tables(database: Database) -> tuple[set[str], ...]:
    main = {name for name in inspect(database.engine).get_table_names() if not is_partition(name)}
    stores = (main, *(set(tables_in(engine)) for engine in (database.keyring_engine, database.exempt_engine)))
    return tuple(store - {"alembic_version"} for store in stores)


def tables_in(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return inspect(connection).get_table_names()


def test_from_nothing_to_a_current_schema(empty_urls, opened):
    database = opened(empty_urls)
    newest = max(path.name[:4] for path in VERSIONS.glob("0*.py"))
    assert check(database) == [
        f"database: is at revision none, this version needs {newest}",
        "keyring: is at revision none, this version needs 0001",
        "exempt: is at revision none, this version needs 0001",
    ]
    upgrade(database)
    assert check(database) == []
    assert tables(database) == tuple(set(store.metadata.tables) for store in Store)
    upgrade(database)
    assert check(database) == [], "twice is once"


def test_down_and_up_again_with_data(migrated: Database):
    fill(migrated)
    downgrade(migrated)
    assert tables(migrated) == (set(), set(), set())

    upgrade(migrated)
    assert check(migrated) == []
    fill(migrated)
    with read(migrated.engine) as session:
        assert hits.count(session) == 1
        assert len(ledger.entries(session, ACME, 0, 10)) == 1


def test_upgrading_again_keeps_what_is_there(migrated: Database):
    fill(migrated)
    upgrade(migrated)
    with read(migrated.engine) as session, read(migrated.keyring_engine) as keyring:
        assert hits.count(session) == 1
        assert subjects.by_reference(keyring, ACME, ALICE) is not None


def fill(database: Database) -> None:
    with write(database.engine) as session:
        hits.ensure_partitions(session, DAY)
        hits.insert_many(session, [hit(ALICE, 1)])
        ledger.append(session, ACME, ALICE, NOW, link)
        for table in Store.MAIN.metadata.tables.values():
            if table.name == "sign_off":
                row = {"locale": "fr", "texts_hash": "0", "name": "Dana", "signed_on": DAY, "law_version": "2026"}
                session.connection().execute(insert(table).values(row))
    with write(database.keyring_engine) as keyring:
        subjects.create(keyring, ACME, b"lookup", ALICE, b"wrapped", 1, NOW)


def test_partitions_are_no_difference(migrated: Database):
    with write(migrated.engine) as session:
        hits.ensure_partitions(session, DAY)
    assert check(migrated) == []


CHANGES = """
both        DROP INDEX ix_mailing_controller_id_subject          database: add_index ix_mailing_controller_id_subject
both        DROP TABLE purge_run                                 database: add_table purge_run
both        CREATE TABLE list_of_people (id INTEGER)             database: remove_table list_of_people
both        ALTER TABLE hit ADD COLUMN ip VARCHAR                database: remove_column hit ip
postgresql  ALTER TABLE consent_event DISABLE TRIGGER USER       database: table consent_event can be changed: its triggers are missing
sqlite      DROP TRIGGER consent_event_no_replace                database: table consent_event can be changed: its triggers are missing
"""  # noqa: E501


@pytest.mark.parametrize("line", CHANGES.strip().splitlines())
def test_what_was_changed_by_hand_is_found_and_named(migrated: Database, line: str):
    where, statement, found = re.split(r"\s{2,}", line)
    if where not in ("both", migrated.dialect):
        pytest.skip("this statement does not exist here")
    with write(migrated.engine) as session:
        session.connection().execute(text(statement))
    assert check(migrated) == [found]


def test_a_change_of_the_keyring_is_found_too(migrated: Database):
    with write(migrated.keyring_engine) as session:
        session.connection().execute(text("ALTER TABLE subject_key ADD COLUMN address VARCHAR"))
    assert check(migrated) == ["keyring: remove_column subject_key address"]


def test_two_upgrades_at_once_are_one_in_one_process(empty_urls, opened):
    databases = [opened(empty_urls), opened(empty_urls)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(upgrade, databases))
    assert check(databases[0]) == []


UPGRADE = """
import sys
from consent_track.records.database import open_database, upgrade
database = open_database(*sys.argv[1:])
sys.stdout.write("ready")
sys.stdout.flush()
sys.stdin.read()
upgrade(database)
"""


def test_two_upgrades_at_once_are_one_in_two_processes(empty_urls, opened):
    command = [sys.executable, "-c", UPGRADE, *empty_urls]
    root = Path(consent_track.__file__).parent.parent
    with ExitStack() as stack:
        both = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root))
            for _ in range(2)
        ]
        for one in both:
            assert one.stdout is not None
            assert one.stdout.read(5) == b"ready"
        for one in both:
            assert one.stdin is not None
            one.stdin.close()
    assert [one.returncode for one in both] == [0, 0]
    assert check(opened(empty_urls)) == []
