"""Erasure: everything about a person goes, but what has an article to stay, and that can no longer be read."""

import pytest

from consent_track.activities import answering, consenting, knowing
from consent_track.crypto import evidence
from consent_track.domain.errors import InputRefused
from consent_track.records import datamap, subjects
from consent_track.records.database import read
from tests import world
from tests.world import ALICE, BOB, OPERATOR, Spool, chain, stored


def erase(runtime, address):
    return answering.erase(runtime.processing, 1, address, OPERATOR)


@pytest.mark.law("AH-11")
def test_an_erased_person_leaves_only_what_an_article_keeps(acme):
    Spool(acme).hit(ALICE).drain()
    world.prepare(acme, world.mail_to(ALICE), ALICE)
    with acme.reading() as p:
        alice = knowing.find(p, 1, ALICE)
    erased = erase(acme, ALICE)
    assert erased.deleted["hit"] == 1
    assert erased.deleted["mailing"] == 1
    with acme.reading() as p:
        left = {table for table, rows in datamap.collect(p.session, 1, alice).items() if rows}
        assert knowing.find(p, 1, ALICE) is None
        assert knowing.person(p, 1, alice) is None
    assert left <= set(datamap.kept())
    assert all("Art." in article for article in datamap.kept().values())


def test_the_key_is_gone_so_that_no_copy_can_be_read(acme):
    with acme.reading() as p:
        alice = knowing.find(p, 1, ALICE)
    erase(acme, ALICE)
    with read(acme.database.keyring_engine) as keyring:
        assert subjects.by_reference(keyring, 1, alice) is None


def test_the_chain_still_verifies_after_an_erasure(acme):
    erase(acme, ALICE)
    assert evidence.first_break(chain(acme), acme.keys.ledger_public) is None


def test_a_spooled_hit_of_an_erased_person_brings_nothing_back(acme):
    spool = Spool(acme).hit(ALICE)
    erase(acme, ALICE)
    assert spool.drain().hits == 0
    assert stored(acme) == 0


def test_an_erased_person_is_not_brought_back_by_an_operator(acme):
    erase(acme, ALICE)
    with acme.processing() as p, pytest.raises(InputRefused, match="erased on request"):
        knowing.obtain(p, 1, "Alice@Example.org")


def test_erasing_twice_and_erasing_nobody_are_answers_not_errors(acme):
    assert erase(acme, ALICE).held
    assert not erase(acme, ALICE).held
    assert not erase(acme, "nobody@example.org").held


def test_a_crash_between_the_stores_is_finished_by_the_worker(acme):
    """The rows are gone and the key is still there: the intent says so, and finishing destroys the key."""
    with acme.reading() as p:
        alice = knowing.find(p, 1, ALICE)
    with acme.processing() as p:
        consenting.record_erasure(p, 1, alice, OPERATOR)
        datamap.erase(p.session, 1, alice)
        answering.erasures.begin(p.session, 1, alice, p.now, 1)
    assert answering.finish(acme.processing) == 1
    assert answering.finish(acme.processing) == 0
    with acme.reading() as p:
        assert knowing.find(p, 1, ALICE) is None


def test_others_are_untouched(acme):
    erase(acme, ALICE)
    with acme.reading() as p:
        assert consenting.standing(p, 1, knowing.find(p, 1, BOB)) is not None
