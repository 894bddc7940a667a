"""The data map: every table says why it exists, and erasure, access and purge follow from that alone."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, MetaData, Table, event, func, insert, select

from consent_track.domain.retention import Clock, Holding, OnErasure
from consent_track.domain.vocabulary import Purpose, to_bits
from consent_track.records import datamap, hits
from consent_track.records.database import Database, read, write
from consent_track.records.datamap import APPEND_ONLY, DATA_CLASSES, HOLDINGS
from consent_track.records.tables import Row, Store
from tests.records.stage import ACME, ALICE, BOB, DAY, NOW, OPENS, OTHER, hit

MAIN = [table for table in HOLDINGS if table.metadata is Row.metadata]
PERSONAL = [table for table in HOLDINGS if HOLDINGS[table].subject_column]

# What compliance reads: each table, whose it is, what ends it and what an erasure does to it.
DATA_MAP = """
campaign_count   -          hits              not_personal
chain_head       -          -                 not_personal
consent_event    subject    consent_proof     keep  GDPR Art. 7(1), 17(3)(e)
consent_state    subject    -                 delete
days_kept        -          -                 not_personal
decline_count    -          decline_counts    not_personal
delivery         subject    request_log       keep  GDPR Art. 5(2), 17(2), 19; 11 CCR 7022(b)-(c), 7026(f)
erasure_certificate subject request_log       keep  GDPR Art. 5(2), 12(3), 17(3)(e)
erasure_intent   subject    request_log       keep  GDPR Art. 5(2), 12(3)
flow             subject    -                 delete
hit              subject    hits              delete
hold             subject    request_log       keep  GDPR Art. 5(2), 17(3)(e), 18(1)
import_evidence  -          consent_proof     keep  GDPR Art. 5(2), 7(1)
import_run       -          -                 not_personal
kept_answer      subject    -                 delete
kept_letter      subject    consent_proof     delete
kept_paper       subject    consent_proof     keep  GDPR Art. 7(1), 17(3)(e)
key_event        -          key_evidence      not_personal
last_open        subject    hits              delete
mailing          subject    mailing_register  delete
outbox           subject    -                 delete
policy_version   -          policy_versions   not_personal
purge_run        -          purge_evidence    not_personal
request_address  subject    request_log       keep  GDPR Art. 5(2), 12(3), 17(3)(b); 11 CCR 7101(a)
request_step     -          request_log       keep  GDPR Art. 5(2), 12(3), 17(3)(b); 11 CCR 7101(a)
rights_request   subject    request_log       keep  GDPR Art. 5(2), 12(3), 17(3)(b); 11 CCR 7101(a)
screen           -          consent_proof     keep  GDPR Art. 5(2), 7(1)
sign_off         -          sign_offs         keep  GDPR Art. 5(2), 7(1)
spool_cursor     -          spool_cursors     not_personal
spool_node       -          -                 not_personal
subject          reference  -                 delete
subject_key      reference  -                 delete
suppression      -          suppression       keep  GDPR Art. 17(3)(b), 21(3)
wave             -          -                 not_personal
wave_person      subject    mailing_register  delete
wording          -          consent_proof     keep  GDPR Art. 5(2), 7(1)
"""


@pytest.mark.law("RT-01")
def test_the_data_map_reads_as_it_should():
    lines = [
        [
            table.name,
            held.subject_column or "-",
            held.data_class or "-",
            " ".join([held.on_erasure.value, held.article]).strip(),
        ]
        for table, held in HOLDINGS.items()
    ]
    expected = [[*line.split(maxsplit=3)[:3], " ".join(line.split()[3:])] for line in DATA_MAP.strip().splitlines()]
    assert sorted(lines) == expected


def undeclared(*schemas: MetaData) -> list[str]:
    return [table.name for schema in schemas for table in schema.tables.values() if table not in HOLDINGS]


@pytest.mark.law("RT-01")
def test_no_table_without_a_holding():
    assert undeclared(*(store.metadata for store in Store)) == []
    scratch = MetaData()
    Table("secret_list", scratch)
    assert undeclared(Row.metadata, scratch) == ["secret_list"], "the check finds one"


@pytest.mark.law("RT-01")
def test_every_table_has_an_end():
    for table, held in HOLDINGS.items():
        assert held.data_class in DATA_CLASSES or held.bounded_by, table.name
        assert held.why
    assert {held.data_class for held in HOLDINGS.values() if held.data_class} == DATA_CLASSES


def holding(**changes: Any) -> Holding:
    values = {
        "why": "a test",
        "data_class": "hits",
        "subject_column": "subject",
        "clock_column": "day",
        "clock": Clock.DAY,
        "on_erasure": OnErasure.DELETE,
    }
    return Holding(**{**values, **changes})


WRONG = {
    "no policy knows the retention class 'hit'": {"data_class": "hit"},
    "there is no column 'person'": {"subject_column": "person"},
    "there is no column 'seen_at'": {"clock_column": "seen_at"},
    "it holds measurements and does not say for which purposes": {"measurement": True},
}


def declared(name: str, *columns: str) -> Any:
    """Something with a table, as a row class has one."""
    table = Table(name, MetaData(), *(Column(column, Integer) for column in columns))
    return type(name, (), {"__table__": table})


@pytest.mark.parametrize("says", WRONG)
def test_a_holding_that_does_not_fit_its_table_is_refused_when_it_is_declared(says: str):
    with pytest.raises(ValueError, match="table wrong: " + says):
        datamap.holds(holding(**WRONG[says]))(declared("wrong", "controller_id", "subject", "day"))
    assert "wrong" not in {table.name for table in HOLDINGS}


def test_a_table_about_people_without_a_controller_is_refused():
    with pytest.raises(ValueError, match="no controller_id"):
        datamap.holds(holding())(declared("wrong", "subject", "day"))


def test_keeping_through_an_erasure_needs_an_article():
    with pytest.raises(ValueError, match="KEEP without an article"):
        holding(on_erasure=OnErasure.KEEP)
    for table, held in HOLDINGS.items():
        assert (held.on_erasure is OnErasure.KEEP) == bool(held.article), table.name


@pytest.mark.parametrize("table", PERSONAL, ids=lambda table: table.name)
def test_a_controllers_people_are_found_by_controller_first(table: Table):
    leading = [next(iter(index.columns)).name for index in table.indexes]
    if table.name != "hit":  # its key is a place in the spool
        leading.append(next(iter(table.primary_key)).name)
    assert set(leading) == {"controller_id"}


def test_nothing_points_from_one_table_to_another():
    assert [table.name for table in HOLDINGS if table.foreign_keys] == []


# Words of column names for what is never stored; a name is cut at its underscores.
NEVER_STORED = {
    "AH-09": "forwarded forwards device devices place places dwell duration reading_time city country region",
    "IP-08": "agent agents ua useragent browser client os header headers referer referrer cookie fingerprint",
    "IP-09": "ip ips ipv4 ipv6 remote lat latitude lon lng long longitude geo location coordinates accuracy",
}


def columns_of(words: str, *tables: Table) -> list[str]:
    never = set(words.split())
    return [str(column) for table in tables for column in table.columns if never & set(column.name.split("_"))]


@pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.law(row)) for row in NEVER_STORED])
def test_no_column_for_what_is_never_stored(row: str):
    assert columns_of(NEVER_STORED[row], *HOLDINGS) == []


def test_the_check_of_columns_finds_them():
    for words in NEVER_STORED.values():
        assert columns_of(words, Table("scratch", MetaData(), Column(f"first_{words.split()[0]}", Integer)))


@pytest.mark.law("RE-11")
def test_a_count_of_declines_says_nothing_about_anybody():
    table = next(table for table in HOLDINGS if table.name == "decline_count")
    assert [column.name for column in table.columns] == ["controller_id", "day", "reason", "count"]
    assert HOLDINGS[table].on_erasure is OnErasure.NOT_PERSONAL


def row_of(table: Table, number: int, controller: int, subject: int, at: int, day: date) -> dict[str, Any]:
    """A row of any table: its holding says which columns are whose and when, the rest is anything of its type."""
    held = HOLDINGS[table]
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "controller_id":
            row[column.name] = controller
        elif column.name == held.subject_column:
            row[column.name] = subject
        elif column.name == held.clock_column:
            row[column.name] = day if held.clock is Clock.DAY else at
        else:
            row[column.name] = anything(column, number)
    return row


def anything(column: Any, number: int) -> Any:
    kind = column.type
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Date):
        return DAY
    if isinstance(kind, LargeBinary):
        return number.to_bytes(8, "big")
    if isinstance(kind, Integer):
        return OPENS.bit if column.name == "purposes" else number
    return {} if column.name == "choices" else f"text {number}"


PEOPLE = [(ACME, ALICE), (ACME, BOB), (OTHER, ALICE)]


def seed(database: Database, *, at: int = NOW, day: date = DAY) -> None:
    """A row in every table, for each of three people."""
    numbers = iter(range(1, 1_000))
    engines = {
        Store.MAIN: database.engine,
        Store.KEYRING: database.keyring_engine,
        Store.EXEMPT: database.exempt_engine,
    }
    for store, engine in engines.items():
        with write(engine) as session:
            for table in store.metadata.tables.values():
                for number, (controller, subject) in zip(numbers, PEOPLE, strict=False):
                    if "controller_id" in table.primary_key.columns and len(table.primary_key) == 1:
                        controller = number  # one row for each controller
                    session.connection().execute(insert(table), row_of(table, number, controller, subject, at, day))


def counts(database: Database) -> dict[str, int]:
    with read(database.engine) as session:
        return {
            table.name: session.connection().execute(select(func.count()).select_from(table)).scalar_one()
            for table in MAIN
        }


def test_erasing_alice_leaves_what_an_article_keeps_and_nothing_else(database: Database):
    seed(database)
    with write(database.engine) as session:
        erased = datamap.erase(session, ACME, ALICE)
    with read(database.engine) as session:
        left = {name for name, rows in datamap.collect(session, ACME, ALICE).items() if rows}

    mine = ["subject", "consent_state", "mailing", "hit", "flow", "outbox", "kept_letter", "wave_person"]
    mine.append("kept_answer")
    assert erased == dict.fromkeys(mine, 1)
    kept = {
        "consent_event",
        "delivery",
        "erasure_certificate",
        "erasure_intent",
        "hold",
        "kept_paper",
        "request_address",
        "rights_request",
    }
    assert left == kept == set(datamap.kept()) & left
    after = counts(database)
    assert all(after[table.name] == (2 if table.name in erased else 3) for table in MAIN), "and nobody else's"

    with write(database.engine) as session:
        assert set(datamap.erase(session, ACME, ALICE).values()) == {0}, "twice is once"


@pytest.mark.law("RT-02")
def test_the_exempt_store_is_erased_and_read_like_the_main_one(database: Database):
    seed(database)
    with write(database.exempt_engine) as exempt:
        assert datamap.collect(exempt, ACME, ALICE, Store.EXEMPT)["last_open"] == [
            {"controller_id": ACME, "subject": ALICE, "day": DAY}
        ]
        assert datamap.erase(exempt, ACME, ALICE, Store.EXEMPT) == {"last_open": 1}
        assert datamap.collect(exempt, ACME, ALICE, Store.EXEMPT) == {"last_open": []}
        assert len(datamap.collect(exempt, ACME, BOB, Store.EXEMPT)["last_open"]) == 1


def test_what_is_held_about_alice_is_every_row_about_her_and_about_nobody_else(database: Database):
    seed(database)
    with read(database.engine) as session:
        found = datamap.collect(session, ACME, ALICE)
    assert set(found) == {table.name for table in PERSONAL if table in MAIN}
    for table in MAIN:
        held = HOLDINGS[table]
        if held.subject_column:
            assert [(row["controller_id"], row[held.subject_column]) for row in found[table.name]] == [(ACME, ALICE)]


WITHDRAWN = """
hit served                             withdrawn                            left of it
open_performance                       open_performance                     -
open_performance                       click_performance                    open_performance
open_performance personalisation       personalisation                      open_performance
open_performance personalisation       open_performance                     -
click_performance sales_followup       open_performance                     click_performance sales_followup
click_performance sales_followup       click_performance sales_followup     -
open_performance                       everything                           -
"""


def bits(names: str) -> int:
    return to_bits({Purpose(name) for name in names.split()})


@pytest.mark.parametrize("line", WITHDRAWN.strip().splitlines()[1:])
def test_a_withdrawal_takes_what_rested_on_it(database: Database, line: str):
    served, gone, left = line[:39], line[39:76].strip(), line[76:].strip()
    with write(database.engine) as session:
        hits.insert_many(session, [hit(ALICE, 1, purposes=bits(served)), hit(BOB, 2, purposes=bits(served))])
        erased = datamap.erase_measurements(session, ACME, ALICE, None if gone == "everything" else bits(gone))
        assert [one.purposes for one in hits.of_subject(session, ACME, ALICE)] == ([] if left == "-" else [bits(left)])
        assert [one.purposes for one in hits.of_subject(session, ACME, BOB)] == [bits(served)]
    assert erased == {"hit": 1 if left == "-" else 0}


def test_a_withdrawal_leaves_the_register_and_the_proof(database: Database):
    seed(database)
    before = counts(database)
    with write(database.engine) as session:
        datamap.erase_measurements(session, ACME, ALICE)
    after = counts(database)
    assert {name for name in before if before[name] != after[name]} == {"hit"}


@pytest.mark.law("RT-01")
def test_a_purge_leaves_nothing_older_and_takes_nothing_newer(database: Database):
    limit = {Clock.DAY: DAY, Clock.INSTANT: NOW}
    seed(database, at=NOW - 1, day=DAY - timedelta(days=1))
    purgeable = {one.table: one for one in datamap.purgeable()}
    assert set(purgeable) == {
        table.name for table, held in HOLDINGS.items() if held.data_class and table not in APPEND_ONLY
    }

    for name, one in purgeable.items():
        with write(database.exempt_engine if one.store is Store.EXEMPT else database.engine) as session:
            assert one.overdue(session, limit[one.clock]) == 3, name
            exactly = (NOW - 1) if one.clock is Clock.INSTANT else DAY - timedelta(days=1)
            assert one.purge_chunk(session, exactly, 10) == 0, f"{name}: the limit itself stays"
            assert one.purge_chunk(session, limit[one.clock], 2) == 2, f"{name}: in chunks"
            assert one.purge_chunk(session, limit[one.clock], 2) == 1
            assert one.purge_chunk(session, limit[one.clock], 2) == 0
            assert one.overdue(session, limit[one.clock]) == 0


def test_what_is_still_open_is_not_purged_for_its_age(database: Database):
    open_ended = {"spool_cursor": "closed_at", "erasure_intent": "done_at"}
    purgeable = {one.table: one for one in datamap.purgeable()}
    for name, column in open_ended.items():
        table = next(table for table in MAIN if table.name == name)
        with write(database.engine) as session:
            row = row_of(table, 1, ACME, ALICE, NOW, DAY) | {column: None}
            session.connection().execute(insert(table), row)
            assert purgeable[name].purge_chunk(session, NOW + 10**9, 10) == 0


def test_the_ledger_and_the_evidence_it_names_only_grow():
    assert {table.name for table in APPEND_ONLY} == {"consent_event", "import_evidence", "screen", "wording"}


SEARCHED = """
hit              PRIMARY KEY (day<?)
mailing          INDEX ix_mailing_controller_id_prepared_at (controller_id=? AND prepared_at<?)
decline_count    COVERING INDEX sqlite_autoindex_decline_count_1 (controller_id=? AND day<?)
"""


@pytest.mark.parametrize("line", SEARCHED.strip().splitlines())
def test_no_chunk_of_a_purge_reads_a_whole_table(line: str, sqlite_urls, opened):
    """Whoever withdraws waits behind it: the tables that grow are purged by an index."""
    name, index = line.split(maxsplit=1)
    database, statements = opened(sqlite_urls), []
    one = next(one for one in datamap.purgeable() if one.table == name)
    seed(database)

    @event.listens_for(database.engine, "before_cursor_execute")
    def watch(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if name in statement and not statement.startswith("EXPLAIN"):
            statements.append((statement, parameters))

    with write(database.engine) as session:
        one.purge_chunk(session, DAY if one.clock is Clock.DAY else NOW, 10)
        plans = [
            str(step[-1])
            for statement, parameters in statements
            for step in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert f"SEARCH {name} USING {index}" in plans
    assert [plan for plan in plans if plan.startswith("SCAN")] == []
