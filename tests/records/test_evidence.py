"""The small tables: cursors, counts, keys, tombstones and proofs of deletion."""

from dataclasses import replace
from datetime import date

import pytest

from consent_track.domain.errors import PolicyRefused
from consent_track.domain.policy import HousePolicy, Policy, Requirement, RulePack
from consent_track.records import (
    declines,
    erasures,
    key_events,
    mailing,
    policy_versions,
    purges,
    sign_offs,
    spool,
    subjects,
    suppression,
)
from consent_track.records.database import Database, read, write
from consent_track.records.datamap import collect, purgeable
from tests.records.stage import ACME, ALICE, BOB, DAY, NOW, OTHER


def test_a_segment_gets_a_number_once_and_keeps_it(database: Database):
    with write(database.engine) as session:
        first = spool.cursor(session, "a" * 32, "web-1", NOW)
        assert first == spool.Cursor(1, 0)
        assert spool.cursor(session, "a" * 32, "web-1", NOW + 9) == first
        assert spool.cursor(session, "b" * 32, "web-2", NOW).number == 2
        spool.advance(session, first.number, 4_000_000_000)
    with read(database.engine) as session:
        assert spool.position(session, "a" * 32) == 4_000_000_000
        assert spool.position(session, "b" * 32) == spool.position(session, "never seen") == 0


def test_the_number_of_a_purged_segment_is_never_given_again(database: Database):
    """Hits carry it in their key: a second segment of that number would be taken for the first."""
    cursors = next(one for one in purgeable() if one.table == "spool_cursor")
    with write(database.engine) as session:
        spool.cursor(session, "a" * 32, "web-1", NOW)
        spool.close(session, "a" * 32, NOW)
        assert cursors.purge_chunk(session, NOW + 1, 10) == 1
        assert spool.cursor(session, "b" * 32, "web-1", NOW).number == 2


def test_machines_are_seen_and_the_silent_one_is_known(database: Database):
    with write(database.engine) as session:
        assert spool.oldest_seen(session) is None
        spool.seen(session, "web-1", NOW, NOW)
        spool.seen(session, "web-2", NOW + 4, NOW + 5, skew=1)
        spool.seen(session, "web-2", NOW + 8, NOW + 9)
        assert spool.oldest_seen(session) == NOW
        assert spool.nodes(session) == [spool.Node("web-1", NOW, NOW, 0), spool.Node("web-2", NOW + 8, NOW + 9, 0)]


@pytest.mark.law("RE-11")
def test_declines_are_added_up_by_controller_day_and_reason(database: Database):
    with write(database.engine) as session:
        declines.add(session, DAY, {(ACME, "refused"): 2, (ACME, "no_consent"): 1, (OTHER, "refused"): 7})
        declines.add(session, DAY, {(ACME, "refused"): 3})
        declines.add(session, date(2026, 11, 24), {(ACME, "refused"): 1})
    with read(database.engine) as session:
        assert declines.of_day(session, ACME, DAY) == {"refused": 5, "no_consent": 1}
        assert declines.of_day(session, OTHER, DAY) == {"refused": 7}


def test_a_key_is_found_by_address_and_by_reference_until_it_is_destroyed(database: Database):
    with write(database.keyring_engine) as keyring:
        key = subjects.create(keyring, ACME, b"lookup", ALICE, b"wrapped", 3, NOW)
        assert key == subjects.SubjectKey(ACME, b"lookup", ALICE, b"wrapped", 3, DAY)
        assert subjects.create(keyring, ACME, b"lookup", BOB, b"other", 3, NOW) == key, "the first one stays"
        assert subjects.find(keyring, ACME, b"lookup") == subjects.by_reference(keyring, ACME, ALICE) == key
        assert subjects.find(keyring, OTHER, b"lookup") is None
        assert subjects.by_reference(keyring, OTHER, ALICE) is None

        assert not subjects.destroy(keyring, OTHER, ALICE)
        assert subjects.destroy(keyring, ACME, ALICE)
        assert not subjects.destroy(keyring, ACME, ALICE)
        assert subjects.find(keyring, ACME, b"lookup") is None


def test_one_reference_never_stands_for_two_people(database: Database):
    with write(database.keyring_engine) as keyring:
        subjects.create(keyring, ACME, b"ann", ALICE, b"wrapped", 3, NOW)
        with pytest.raises(ValueError, match="taken by another"):
            subjects.create(keyring, ACME, b"bob", ALICE, b"wrapped", 3, NOW)


def test_a_tombstone_is_asked_for_never_listed(database: Database):
    with write(database.engine) as session:
        suppression.add(session, ACME, b"tag", NOW)
        suppression.add(session, ACME, b"tag", NOW + 9)
        assert suppression.those_held(session, ACME, [b"tag", b"other"]) == {b"tag"}
        assert suppression.those_held(session, OTHER, [b"tag"]) == set()


def test_an_erasure_stays_open_until_the_key_is_gone(database: Database):
    with write(database.engine) as session:
        erasures.begin(session, ACME, BOB, NOW + 1, 1)
        erasures.begin(session, ACME, ALICE, NOW, 1)
        erasures.begin(session, ACME, ALICE, NOW + 5, 1)
        open_intents = [
            erasures.ErasureIntent(ACME, ALICE, NOW, None, 1),
            erasures.ErasureIntent(ACME, BOB, NOW + 1, None, 1),
        ]
        assert erasures.unfinished(session) == open_intents
        erasures.done(session, ACME, ALICE, NOW + 9)
        erasures.done(session, ACME, ALICE, NOW + 20)
        assert erasures.unfinished(session) == open_intents[1:]
        assert collect(session, ACME, ALICE)["erasure_intent"] == [
            {"controller_id": ACME, "subject": ALICE, "begun_at": NOW, "done_at": NOW + 9, "epoch": 1}
        ]


def test_every_purge_leaves_evidence_zero_included(database: Database):
    with write(database.engine) as session:
        assert purges.last_finished(session) is None
        run = purges.begin(session, "hit", "hits", DAY, NOW)
        purges.add(session, run, 500, NOW + 1, finished=False)
        assert purges.last_finished(session) is None
        purges.add(session, run, 3, NOW + 2, finished=True)
        purges.add(session, purges.begin(session, "mailing", "mailing_register", DAY, NOW), 0, NOW, finished=True)
        assert purges.last_finished(session) == NOW + 2
        assert purges.latest(session) == [
            purges.PurgeRun("mailing", "mailing_register", DAY, NOW, NOW, 0),
            purges.PurgeRun("hit", "hits", DAY, NOW, NOW + 2, 503),
        ]


def test_destroyed_keys_leave_evidence(database: Database):
    with write(database.engine) as session:
        key_events.record(session, DAY, "web-1", NOW, "day_key_destroyed")
        assert key_events.of_day(session, DAY) == [key_events.KeyEvent(DAY, "web-1", NOW, "day_key_destroyed")]
        assert key_events.of_day(session, date(2026, 11, 24)) == []


def test_the_register_answers_for_each_mail(database: Database):
    row = mailing.Prepared(
        controller_id=ACME,
        message=5,
        subject=ALICE,
        prepared_at=NOW,
        mail_type="requested_newsletter",
        jurisdiction="FR",
        locale="fr",
        policy_hash="a" * 64,
        campaign="autumn",
        purposes=16,
        decisions="{}",
        reason="consent_given",
        consent_sequence=7,
        outcome="prepared",
    )
    nobody = replace(row, message=6, subject=0)
    with write(database.engine) as session:
        assert mailing.add_many(session, [row, nobody]) == 2
        assert mailing.add_many(session, []) == 0
        assert mailing.find(session, ACME, 5) == row
        assert mailing.find(session, OTHER, 5) is None
        assert mailing.of_subject(session, ACME, ALICE) == [row]


def policy(hash_: str) -> Policy:
    pack = RulePack("FR", "", "", "", (), {}, {}, {}, None, False, {"in_force": date(2026, 4, 14)})
    house = HousePolicy(Requirement.CONSENT, {}, {}, frozenset(), "strip", "refuse", {}, {}, {"individual": "consent"})
    return Policy(pack, house, hash_)


def test_a_policy_in_use_is_noted_with_its_words_and_its_time_does_not_run(database: Database):
    used = policy("ffffffff" + "0" * 56)
    with write(database.engine) as session:
        for at in (NOW, NOW + 9, NOW + 5):
            policy_versions.note(session, used, at)
        found = policy_versions.by_prefix(session, 0xFFFFFFFF)
        assert policy_versions.by_prefix(session, 1) is None
    content = '{"house": {"individual": "consent"}, "pack": {"in_force": "2026-04-14"}}'
    assert found == policy_versions.PolicyVersion(0xFFFFFFFF, used.hash, "FR", content, NOW, NOW + 9)


def test_two_policies_that_a_token_cannot_tell_apart_are_refused(database: Database):
    with write(database.engine) as session:
        policy_versions.note(session, policy("ffffffff" + "0" * 56), NOW)
        with pytest.raises(PolicyRefused):
            policy_versions.note(session, policy("ffffffff" + "1" * 56), NOW)


def test_a_signature_stands_under_exact_words(database: Database):
    signed = sign_offs.SignOff("fr", "hash", "Dana", DAY, "2026-04")
    with write(database.engine) as session:
        sign_offs.record(session, signed)
        sign_offs.record(session, replace(signed, name="Eve"))
        assert sign_offs.find(session, "fr", "hash") == replace(signed, name="Eve")
        assert sign_offs.find(session, "fr", "other") is None
        assert sign_offs.find(session, "de", "hash") is None
