"""Hits: stored once, counted, found by person, and less of them kept as they grow old."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from consent_track.records import hits, partitions
from consent_track.records.database import Database, read, write
from tests.records.stage import ACME, ALICE, BOB, CHARLIE, DAY, OTHER, hit

NETWORK = b"8 octets"


def test_hits_come_back_as_they_were_stored(database: Database):
    stored = [hit(ALICE, 1, network=NETWORK), hit(ALICE, 2), hit(BOB, 3), hit(ALICE, 4, controller=OTHER)]
    with write(database.engine) as session:
        assert hits.insert_many(session, stored) == 4
        assert hits.insert_many(session, []) == 0
    with read(database.engine) as session:
        assert hits.of_subject(session, ACME, ALICE) == stored[:2]
        assert hits.of_subject(session, ACME, CHARLIE) == []
        assert [hits.count(session), hits.count(session, ACME), hits.count(session, ACME, ALICE)] == [4, 3, 2]


def test_one_place_in_the_spool_is_one_hit(database: Database):
    with write(database.engine) as session:
        hits.insert_many(session, [hit(ALICE, 1)])
    with pytest.raises(IntegrityError), write(database.engine) as session:
        hits.insert_many(session, [hit(ALICE, 2), hit(ALICE, 1)])
    with read(database.engine) as session:
        assert hits.count(session) == 1, "a batch is stored whole or not at all"


def test_network_pseudonyms_go_before_their_hits(database: Database):
    with write(database.engine) as session:
        for age in (0, 1, 2, 3):
            hits.insert_many(session, [hit(ALICE, age, day=DAY - timedelta(days=age), network=NETWORK)])
        assert hits.forget_networks(session, DAY - timedelta(days=1), 1) == 1, "in chunks"
        assert hits.forget_networks(session, DAY - timedelta(days=1), 10) == 1
        assert hits.forget_networks(session, DAY - timedelta(days=1), 10) == 0
        left = {one.day: one.network for one in hits.of_subject(session, ACME, ALICE)}
    assert left == {
        DAY: NETWORK,
        DAY - timedelta(days=1): NETWORK,
        DAY - timedelta(days=2): None,
        DAY - timedelta(days=3): None,
    }


def partition_of(session, offset: int) -> str:
    statement = text('SELECT tableoid::regclass::text FROM hit WHERE "offset" = :offset')
    return str(session.connection().execute(statement, {"offset": offset}).scalar_one())


@pytest.mark.postgresql
def test_months_are_partitions_made_ahead_of_time(postgresql_urls, opened):
    with write(opened(postgresql_urls).engine) as session:
        made = hits.ensure_partitions(session, DAY)
        assert made == ["hit_y2026m10", "hit_y2026m11", "hit_y2026m12", "hit_y2027m01", "hit_y2027m02"]
        assert hits.ensure_partitions(session, DAY) == [], "twice is once"
        assert hits.ensure_partitions(session, date(2026, 12, 31)) == ["hit_y2027m03"]

        days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1), date(2027, 4, 1)]
        hits.insert_many(session, [hit(ALICE, number, day=day) for number, day in enumerate(days)])
        assert [partition_of(session, number) for number in range(5)] == [
            "hit_y2026m10",
            "hit_y2026m11",
            "hit_y2026m11",
            "hit_y2026m12",
            "hit_default",
        ]
        assert partitions.in_default_partition(session) == 1


@pytest.mark.postgresql
def test_a_late_partition_takes_its_hits_out_of_the_default_one(postgresql_urls, opened):
    database = opened(postgresql_urls)
    with write(database.engine) as session:
        hits.insert_many(session, [hit(ALICE, 1, network=NETWORK), hit(BOB, 2), hit(BOB, 3, day=date(2030, 1, 1))])
        hits.ensure_partitions(session, DAY)
        assert partition_of(session, 1) == partition_of(session, 2) == "hit_y2026m11"
        assert partitions.in_default_partition(session) == 1
        assert hits.of_subject(session, ACME, ALICE) == [hit(ALICE, 1, network=NETWORK)]
    with pytest.raises(IntegrityError), write(database.engine) as session:
        hits.insert_many(session, [hit(CHARLIE, 1)])


def test_sqlite_needs_no_partitions(sqlite_urls, opened):
    with write(opened(sqlite_urls).engine) as session:
        assert hits.ensure_partitions(session, DAY) == []
        assert partitions.in_default_partition(session) == 0
