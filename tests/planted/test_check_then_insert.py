"""Planted defects: drains that check consent and store a hit without holding the lock. The oracle must catch them."""

import pytest

from consent_track.records import consent, hits
from consent_track.records.database import Database, read, write
from tests.records.races import PATIENCE, Between, crossing, side_by_side
from tests.records.stage import ACME, OPENS


def check_without_a_lock(database: Database, new: hits.NewHit, between: Between) -> None:
    """The defect: one transaction, but nothing keeps the state from changing under it."""
    with write(database.engine, wait_ms=PATIENCE) as session:
        state = consent.find_state(session, ACME, new.subject)
        between()
        if state is not None and state.choices[OPENS].granting:
            hits.insert_many(session, [new])


def check_first_and_store_later(database: Database, new: hits.NewHit, between: Between) -> None:
    """The defect: the check is done in another transaction than the one that stores."""
    with read(database.engine) as session:
        state = consent.find_state(session, ACME, new.subject)
    between()
    if state is not None and state.choices[OPENS].granting:
        with write(database.engine, wait_ms=PATIENCE) as session:
            hits.insert_many(session, [new])


@pytest.mark.postgresql
def test_the_oracle_catches_a_check_without_a_lock(postgresql_urls, opened):
    database = opened(postgresql_urls)
    assert any(race.lost for race in crossing(database, check_without_a_lock, 3))
    assert any(race.lost for race in side_by_side(database, check_without_a_lock, 200))


def test_the_oracle_catches_a_check_in_another_transaction(database: Database):
    assert any(race.lost for race in crossing(database, check_first_and_store_later, 3))
