"""The exempt store: one date that is overwritten, one count that only grows, and nothing of what was there before."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from consent_track.domain.errors import StorageUnavailable
from consent_track.records import exempt
from consent_track.records.database import Database, read, write
from consent_track.records.tables import Store
from tests.records.stage import ACME, ALICE, BOB, OTHER

MONDAY = date(2026, 11, 16)
TUESDAY, SUNDAY = MONDAY + timedelta(days=1), MONDAY - timedelta(days=1)


def opens(database: Database, *days: date, person=ALICE, controller=ACME) -> date | None:
    for day in days:
        with write(database.exempt_engine) as session:
            exempt.open_on(session, {(controller, person): day})
    with read(database.exempt_engine) as session:
        return exempt.last_open(session, controller, person)


@pytest.mark.law("AH-07", "RT-02")
def test_the_later_day_stands_and_there_is_one_row(database: Database):
    assert opens(database, MONDAY) == MONDAY
    assert opens(database, MONDAY, TUESDAY, TUESDAY) == TUESDAY
    assert opens(database, SUNDAY) == TUESDAY, "what arrives late takes nothing back"
    assert opens(database, MONDAY, person=BOB) == MONDAY
    assert opens(database, SUNDAY, controller=OTHER) == SUNDAY
    with read(database.exempt_engine) as session:
        assert session.connection().execute(text("SELECT count(*) FROM last_open")).scalar_one() == 3
        assert exempt.kept_since(session, ACME) == MONDAY
        assert exempt.opened_since(session, ACME, [ALICE, BOB], TUESDAY) == {ALICE}


@pytest.mark.law("AH-07", "RT-02")
def test_the_row_has_a_date_and_nothing_else():
    columns = {column.name: str(column.type) for column in exempt._DAYS.c}
    assert columns == {"controller_id": "INTEGER", "subject": "BIGINT", "day": "DATE"}


@pytest.mark.law("AH-07", "RT-02")
def test_on_sqlite_no_file_remembers_the_former_day(sqlite_urls, opened):
    """Not the table, not a journal, not a free page, not the main database: a backup would hold one value."""
    database = opened(sqlite_urls)
    with write(database.exempt_engine) as session:
        exempt.open_on(session, {(ACME, person): MONDAY for person in range(1, 500)})
    with write(database.exempt_engine) as session:
        exempt.open_on(session, {(ACME, person): TUESDAY for person in range(1, 500)})
        session.connection().exec_driver_sql("UPDATE days_kept SET since = '2000-01-01'")
    database.close()

    folder = Path(make_url(sqlite_urls[0]).database or "").parent
    octets = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(octets) == {"consent_track.db", "keyring.db", "exempt.db"}
    assert b"2026-11-17" in octets["exempt.db"]
    assert all(b"2026-11-16" not in content for content in octets.values())


@pytest.mark.law("AH-07")
@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "delete"), ("synchronous", 2), ("secure_delete", 1)])
def test_on_sqlite_the_store_keeps_no_log(sqlite_urls, opened, pragma: str, value: object):
    with read(opened(sqlite_urls).exempt_engine) as session:
        assert session.connection().exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value


@pytest.mark.law("AH-07", "RT-02")
def test_on_postgresql_the_dates_stand_in_no_write_ahead_log(postgresql_urls, opened):
    database = opened(postgresql_urls)
    with read(database.exempt_engine) as session:
        kinds = "SELECT relname, relpersistence FROM pg_class WHERE relname IN ('last_open', 'days_kept')"
        assert dict(session.connection().execute(text(kinds)).all()) == {"last_open": "u", "days_kept": "u"}
        plans = "SELECT count(*) FROM pg_indexes WHERE tablename = 'last_open' AND indexdef LIKE '%day%'"
        assert session.connection().execute(text(plans)).scalar_one() == 0, "an index would keep the former day"


@pytest.mark.law("AH-14")
@pytest.mark.parametrize("table", sorted(Store.EXEMPT.metadata.tables))
def test_what_reads_the_main_database_does_not_find_the_exempt_tables(database: Database, table: str):
    with pytest.raises((StorageUnavailable, ProgrammingError)), read(database.engine) as session:
        session.connection().execute(text(f"SELECT * FROM {table}"))
    assert database.exempt_is_apart


@pytest.mark.law("AH-14")
def test_a_reporting_role_may_not_select_from_it(postgresql_server, postgresql_urls, opened):
    """Ordinary role, same server, same database: the schema's owner let nobody in."""
    opens(opened(postgresql_urls), MONDAY)
    main = make_url(postgresql_urls[0])
    role = f"{main.database}_report"
    server = create_engine(
        make_url(postgresql_urls[0]).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with server.connect() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"))
    report = create_engine(main.set(drivername="postgresql+psycopg", username=role))
    try:
        with report.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM hit")).scalar_one() == 0
            with pytest.raises(ProgrammingError, match="permission denied for schema exempt"):
                connection.execute(text("SELECT * FROM exempt.last_open"))
    finally:
        report.dispose()
        with server.connect() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))
        server.dispose()


@pytest.mark.law("AH-14")
def test_the_exempt_role_reads_nothing_else(postgresql_urls, opened):
    database = opened(postgresql_urls)
    with (
        pytest.raises((ProgrammingError, OperationalError, StorageUnavailable)),
        read(database.exempt_engine) as session,
    ):
        session.connection().execute(text("SELECT * FROM public.hit"))


def test_the_first_token_of_a_campaign_stands(database: Database):
    with write(database.exempt_engine) as session:
        exempt.place(session, ACME, 7, "first", MONDAY)
        exempt.place(session, ACME, 7, "second", TUESDAY)
        exempt.place(session, OTHER, 7, "theirs", TUESDAY)
    with write(database.exempt_engine) as session:
        exempt.add(session, {(ACME, 7): 12, (ACME, 8): 99})
        exempt.add(session, {(ACME, 7): 30})
    with read(database.exempt_engine) as session:
        assert exempt.find(session, ACME, 7) == exempt.Campaign(ACME, 7, MONDAY, "first", 42)
        assert exempt.find(session, OTHER, 7) == exempt.Campaign(OTHER, 7, TUESDAY, "theirs", 0)
        assert exempt.find(session, ACME, 8) is None, "what was purged does not come back"


def test_people_are_walked_through_in_order(database: Database):
    people = [(ACME, ALICE), (ACME, BOB), (OTHER, ALICE)]
    with write(database.exempt_engine) as session:
        exempt.open_on(session, dict.fromkeys(people, MONDAY))
    with write(database.exempt_engine) as session:
        assert exempt.people_after(session, (0, 0), 10) == sorted(people)
        assert exempt.people_after(session, sorted(people)[0], 1) == [sorted(people)[1]]
        assert exempt.forget(session, ACME, ALICE) == 1
        assert exempt.forget(session, ACME, ALICE) == 0
    assert opens(database, person=BOB) == MONDAY
