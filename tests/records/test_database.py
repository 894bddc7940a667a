"""Opening the stores: what they promise about durability, secrecy and waiting."""

import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError, InternalError

from consent_track.domain.errors import ConfigurationRefused, StorageUnavailable
from consent_track.records import consent, engines, people
from consent_track.records.database import Database, checkpoint, open_database, read, upgrade, write
from tests.records.stage import ACME, ALICE, BOB, given

Open = Callable[[tuple[str, str]], Database]

PRAGMAS = """
                main    keyring   why
journal_mode    wal     delete    readers beside a writer; no history of keys
synchronous     2       3         nothing is lost at a power cut
secure_delete   1       1         what is deleted is overwritten
foreign_keys    1       1
temp_store      2       2         no temporary files
"""


@pytest.mark.parametrize("line", PRAGMAS.strip().splitlines()[1:])
def test_sqlite_is_told_to_lose_nothing_and_to_leave_little(line, sqlite_urls, opened: Open):
    name, main, keyring = line.split()[:3]
    database = opened(sqlite_urls)

    with read(database.engine) as session:
        assert str(session.connection().exec_driver_sql(f"PRAGMA {name}").scalar_one()) == main
    with read(database.keyring_engine) as session:
        assert str(session.connection().exec_driver_sql(f"PRAGMA {name}").scalar_one()) == keyring


def test_a_sqlite_that_does_not_do_as_it_is_told_is_refused(tmp_path: Path):
    told = [line.split()[0] for line in PRAGMAS.strip().splitlines()[1:]]
    assert {*engines.MAIN, *engines.BOTH} == {*engines.KEYRING, *engines.BOTH} == set(told)

    url = make_url(f"sqlite:///{tmp_path / 'a.db'}")
    deaf = engines.open_engine(url, {"journal_mode": ("WAL", "something else")})
    with pytest.raises(ConfigurationRefused, match="journal_mode is wal"), read(deaf):
        pass
    deaf.dispose()


def test_sqlite_files_and_their_journals_are_for_their_owner_only(tmp_path: Path, opened: Open):
    database = opened((f"sqlite:///{tmp_path / 'consent_track.db'}", f"sqlite:///{tmp_path / 'keyring.db'}"))
    upgrade(database)
    with write(database.engine) as session, write(database.keyring_engine) as keyring:
        people.save(session, ACME, ALICE, b"sealed", 1)
        keyring.connection().exec_driver_sql("UPDATE subject_key SET epoch = 2")

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert {"consent_track.db", "consent_track.db-wal", "keyring.db"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_what_fails_halfway_leaves_nothing(database: Database):
    with suppress(InterruptedError), write(database.engine) as session:
        people.save(session, ACME, ALICE, b"sealed", 1)
        raise InterruptedError

    with read(database.engine) as session:
        assert people.find(session, ACME, ALICE) is None


def test_what_is_committed_is_seen_by_the_next(database: Database):
    with write(database.engine) as session:
        people.save(session, ACME, ALICE, b"sealed", 1)
    with write(database.engine) as session:
        people.save(session, ACME, ALICE, b"sealed again", 2)

    with read(database.engine) as session:
        assert people.find(session, ACME, ALICE) == b"sealed again"
        assert people.find(session, ACME, BOB) is None


def test_reading_cannot_write(database: Database):
    with pytest.raises((StorageUnavailable, InternalError)), read(database.engine) as session:
        people.save(session, ACME, ALICE, b"sealed", 1)

    with write(database.engine) as session:  # and the connection that was refused writes again
        people.save(session, ACME, BOB, b"sealed", 1)
    with read(database.engine) as session:
        assert people.find(session, ACME, ALICE) is None
        assert people.find(session, ACME, BOB) == b"sealed"


def test_reading_sees_one_moment(database: Database):
    with read(database.engine) as session:
        assert people.find(session, ACME, ALICE) is None
        with write(database.engine) as other:
            people.save(other, ACME, ALICE, b"sealed", 1)
        assert people.find(session, ACME, ALICE) is None


def test_whoever_waits_too_long_for_a_lock_is_told_so(database: Database):
    with write(database.engine) as session:
        consent.save_state(session, ACME, ALICE, given())

    with write(database.engine) as first:
        consent.lock_state(first, ACME, ALICE)
        with pytest.raises(StorageUnavailable), write(database.engine, wait_ms=20) as second:
            consent.lock_state(second, ACME, ALICE)


@pytest.mark.parametrize("waits, wanted", [({}, 250), ({"wait_ms": 20}, 20), ({"wait_ms": 9_000}, 9_000)])
def test_how_long_is_said_to_the_database(database: Database, waits, wanted: int):
    with write(database.engine, **waits) as session:
        if database.dialect == "sqlite":
            assert session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar_one() == wanted
        else:
            setting = "SELECT setting FROM pg_settings WHERE name = 'lock_timeout'"
            assert session.connection().exec_driver_sql(setting).scalar_one() == str(wanted)


def test_a_store_that_is_gone_is_unavailable(tmp_path: Path, opened: Open):
    database = opened((f"sqlite:///{tmp_path}/no/such/a.db", f"sqlite:///{tmp_path}/no/such/b.db"))
    with pytest.raises(StorageUnavailable), write(database.engine):
        pass
    with pytest.raises(StorageUnavailable), read(database.engine):
        pass
    away = opened(("postgresql://127.0.0.1:9/a", "postgresql://127.0.0.1:9/b"))
    with pytest.raises(StorageUnavailable), write(away.engine):
        pass


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path, opened: Open):
    (tmp_path / "a.db").write_bytes(b"nothing of the kind" * 400)
    database = opened((f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db"))
    with pytest.raises(StorageUnavailable), read(database.engine):
        pass


def test_a_broken_rule_is_a_defect_and_not_an_outage(database: Database):
    with pytest.raises(IntegrityError), write(database.engine) as session:
        session.connection().execute(text("INSERT INTO subject (controller_id, reference) VALUES (1, 1)"))


def test_errors_do_not_repeat_what_is_held(database: Database):
    statement = text("INSERT INTO subject (controller_id, reference, sealed) VALUES (1, 1, :sealed)")
    with pytest.raises(IntegrityError) as raised, write(database.engine) as session:
        session.connection().execute(statement, {"sealed": b"ann@example.com"})
    if database.dialect == "sqlite":  # PostgreSQL itself quotes the row, sealed as it is
        assert "ann@example.com" not in str(raised.value)
    assert "[parameters" not in str(raised.value)


REFUSED = """
database               keyring                says
sqlite:///a.db         sqlite:///a.db         keyring_url: is the main database; keys must not share its backups
postgresql://h/a       sqlite:///k.db         keyring_url: must be the same kind of database as the main one
sqlite://              sqlite:///k.db         database_url: must be sqlite:///file or postgresql://server/database
mysql://u:hush@h/a     postgresql://h/k       database_url: must be sqlite:///file or postgresql://server/database
postgresql://h/a       k:hush                 keyring_url: is not a database address
"""


@pytest.mark.parametrize("line", REFUSED.strip().splitlines()[1:])
def test_addresses_that_cannot_be_right_are_refused_by_name(line):
    url, keyring_url, says = line.split(maxsplit=2)
    with pytest.raises(ConfigurationRefused) as refused:
        open_database(url, keyring_url)
    assert [str(problem) for problem in refused.value.problems] == [says]
    assert "hush" not in str(refused.value)


def test_both_wrong_addresses_are_told_at_once():
    with pytest.raises(ConfigurationRefused) as refused:
        open_database("nonsense", "nonsense")
    assert [problem.where for problem in refused.value.problems] == ["database_url", "keyring_url"]


def test_what_was_deleted_is_not_left_in_the_files(sqlite_urls, opened: Open):
    database, canary = opened(sqlite_urls), b"ann@example.com is not sealed here" * 300
    folder = Path(make_url(sqlite_urls[0]).database or "").parent

    def files() -> bytes:
        return b"".join(path.read_bytes() for path in folder.iterdir())

    with write(database.engine) as session:
        people.save(session, ACME, ALICE, canary, 1)
    assert b"ann@example.com" in files()
    with write(database.engine) as session:
        session.connection().execute(text("DELETE FROM subject"))
    assert b"ann@example.com" in files()  # the log keeps it until it is emptied

    assert checkpoint(database.engine)
    assert b"ann@example.com" not in files()


def test_the_log_is_not_emptied_under_a_reader(sqlite_urls, opened: Open):
    database = opened(sqlite_urls)
    with read(database.engine) as session:
        people.find(session, ACME, ALICE)
        with write(database.engine) as other:
            people.save(other, ACME, ALICE, b"sealed", 1)
        assert not checkpoint(database.engine)
    assert checkpoint(database.engine)
