"""What is wrong in the ledger stays in it, and a new entry says so; a no of a person's own is never corrected."""

import hashlib
from dataclasses import replace
from datetime import date

import pytest

from consent_track.activities import answering, consenting, correcting, evidencing, knowing, proving
from consent_track.activities.consenting import Unknown
from consent_track.activities.entering import How
from consent_track.crypto.key_files import read_key
from consent_track.domain.consent import Shown
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Evidence
from consent_track.domain.vocabulary import Grade, Purpose
from consent_track.records import consent, kept_papers
from tests import world
from tests.world import ALICE, BOB, CHARLIE

CLICKS = Purpose.CLICK_PERFORMANCE
SCAN = b"%PDF-1.7 Bob signed this"
PAPER = Evidence(
    hashlib.sha256(SCAN).hexdigest(), "paper", "bob.pdf", "application/pdf", SCAN, "Dana Okafor", date(2026, 11, 18)
)
WRONG = replace(world.OPERATOR, source="another Alice")
PROVED = replace(world.OPERATOR, source="his form was overlooked", grade=Grade.PAPER, paper=PAPER)
LINK = How("preference_page", Grade.MESSAGE_LINK, "subject", jurisdiction="FR")
MAILBOX = How("mailbox_loop", Grade.MAILBOX_LOOP, "subject", jurisdiction="FR")


def history(runtime, who):
    with runtime.reading() as p:
        return proving.history(p, 1, who)


def state(runtime, who):
    with runtime.reading() as p:
        return consent.find_state(p.session, 1, knowing.find(p, 1, who))


def do(runtime, who, act, *args, how):
    with runtime.processing() as p:
        return act(p, 1, knowing.obtain(p, 1, who), *args, how)


def correct(runtime, who, entry, how=WRONG):
    runtime.clock.move(10)
    with runtime.processing() as p:
        return correcting.correct(p, 1, who, entry, how)


def entry(runtime, who, status, purpose=CLICKS):
    return next(e["sequence"] for e in history(runtime, who) if (e["status"], e["purpose"]) == (status, purpose))


@pytest.mark.law("WD-09")
def test_a_yes_that_should_not_be_there_counts_as_never_given(acme):
    wrong = entry(acme, ALICE, "given")
    done = correct(acme, ALICE, wrong)
    assert done.turned_off == (CLICKS,)
    assert done.erase_on is not None, "what was measured on it goes"
    last = history(acme, ALICE)[-1]
    assert (last["status"], last["corrects"], last["source"]) == ("invalidated", wrong, "another Alice")
    assert not state(acme, ALICE).choices[CLICKS].granting
    assert state(acme, ALICE).choices[Purpose.OPEN_PERFORMANCE].granting, "the other purpose is another choice"
    assert history(acme, ALICE)[0]["status"] == "given", "nothing that was written is changed"


def test_once_is_enough(acme):
    wrong = entry(acme, ALICE, "given")
    correct(acme, ALICE, wrong)
    before = history(acme, ALICE)
    assert correct(acme, ALICE, wrong).already
    assert history(acme, ALICE) == before


@pytest.mark.parametrize(("later", "stands"), [(MAILBOX, True), (world.OPERATOR, False)])
def test_a_later_yes_of_their_own_stays_and_a_renewal_by_others_does_not(acme, later, stands):
    wrong = entry(acme, ALICE, "given")
    do(acme, ALICE, consenting.grant, [CLICKS], how=later)
    correct(acme, ALICE, wrong)
    assert state(acme, ALICE).choices[CLICKS].granting is stands
    assert history(acme, ALICE)[-1]["corrects"] == wrong
    with acme.reading() as p:
        due, bits = consent.erase_due(p.session, 1, knowing.find(p, 1, ALICE))
    assert due
    assert bits & CLICKS.bit, "what was measured before their own yes rested on nothing"


def test_a_yes_that_ended_since_is_still_corrected_and_changes_nothing_else(acme):
    before = state(acme, BOB)
    correct(acme, BOB, entry(acme, BOB, "given"))
    after = state(acme, BOB)
    assert after.choices == before.choices
    assert after.sequence == history(acme, BOB)[-1]["sequence"] > before.sequence


def test_a_no_the_operator_entered_by_mistake_gives_way_to_evidence(acme):
    wrong = entry(acme, BOB, "withdrawn")
    correct(acme, BOB, wrong, PROVED)
    last = history(acme, BOB)[-1]
    assert (last["status"], last["grade"], last["corrects"]) == ("given", "paper", wrong)
    assert last["evidence_id"] == PAPER.id
    assert state(acme, BOB).choices[CLICKS].grade is Grade.PAPER


def objects(runtime):
    do(runtime, BOB, consenting.object_to, how=LINK)


def ends_the_mail(runtime):
    do(runtime, BOB, consenting.end_mail, how=LINK)


def is_a_minor(runtime):
    with runtime.processing() as p:
        consenting.mark(p, 1, knowing.find(p, 1, BOB), world.OPERATOR, minor=True)


def nothing(runtime):
    pass


DOUBTS = [
    (nothing, replace(PROVED, paper=None), "--paper"),
    (nothing, replace(PROVED, grade=Grade.OPERATOR), "--paper"),
    (objects, PROVED, "--entry"),
    (ends_the_mail, PROVED, "--entry"),
    (is_a_minor, PROVED, "--entry"),
]


@pytest.mark.parametrize(("meanwhile", "how", "where"), DOUBTS)
def test_any_doubt_is_a_no(acme, meanwhile, how, where):
    wrong = entry(acme, BOB, "withdrawn")
    meanwhile(acme)
    before = history(acme, BOB)
    with pytest.raises(InputRefused) as refused:
        correct(acme, BOB, wrong, how)
    assert refused.value.problems[0].where == where
    assert history(acme, BOB) == before
    assert not state(acme, BOB).choices[CLICKS].granting


def test_a_persons_own_no_is_never_corrected(acme):
    do(acme, ALICE, consenting.turn_off, how=LINK)
    with pytest.raises(InputRefused, match="only the person's own yes"):
        correct(acme, ALICE, entry(acme, ALICE, "withdrawn"), PROVED)


def test_a_no_that_is_not_the_last_word_stays(acme):
    wrong = entry(acme, BOB, "withdrawn")
    do(acme, BOB, consenting.grant, [CLICKS], how=MAILBOX)
    do(acme, BOB, consenting.turn_off, how=LINK)
    with pytest.raises(InputRefused, match="what came later holds"):
        correct(acme, BOB, wrong, PROVED)


@pytest.mark.parametrize(
    ("who", "number", "where"), [(CHARLIE, 1, "address"), (BOB, 1, "--entry"), (BOB, 99, "--entry")]
)
def test_only_an_entry_about_this_person(acme, who, number, where):
    with pytest.raises(InputRefused) as refused:
        correct(acme, who, number)
    assert refused.value.problems[0].where == where


@pytest.mark.law("RE-01")
def test_an_entry_carries_all_that_proves_it(acme):
    """The list of the law row: act, purpose, status, words, language, policy, source, method, time, expiry, actor."""
    until = world.NOW + 30 * world.DAY
    shown = Shown("fr", (("paper.words", "J’accepte."),))
    how = replace(PROVED, locale="fr", shown=shown, expires_at=until, asked_at=world.NOW - 60, flow_id="visit-7")
    do(acme, CHARLIE, consenting.grant, [CLICKS], how=how)
    [given] = history(acme, CHARLIE)
    policy = acme.policies.for_jurisdiction("FR")
    expected = {
        "version": 2, "act": "tracking", "purpose": "click_performance", "status": "given", "wording_id": shown.id,
        "locale": "fr", "policy_hash": policy.hash, "jurisdiction": "FR", "source": "his form was overlooked",
        "method": "command_line", "grade": "paper", "actor": "operator", "flow_id": "visit-7",
        "occurred_at": world.NOW, "recorded_at": world.NOW, "asked_at": world.NOW - 60, "expires_at": until,
        "evidence_id": PAPER.id, "words": {"paper.words": "J’accepte."},
    }  # fmt: skip
    assert expected.items() <= given.items()
    assert state(acme, CHARLIE).choices[CLICKS].expires_at == until


class TestPaper:
    """A scan names the person: sealed for daily use, and for the complaint that may come after an erasure."""

    @pytest.fixture
    def signed(self, acme):
        do(acme, BOB, consenting.grant, [CLICKS], how=PROVED)
        return acme

    def row(self, runtime):
        with runtime.reading() as p:
            subject = next(e.subject for e in proving.ledger.entries(p.session, 1, 0, 100) if e.sequence == 7)
            return kept_papers.find(p.session, 1, subject, PAPER.id)

    def test_it_stands_nowhere_in_clear(self, signed):
        kept = self.row(signed)
        for octets in (kept.sealed, kept.proof):
            assert b"Bob signed" not in octets
            assert b"bob.pdf" not in octets

    def test_it_is_in_the_evidence_with_who_vouches_for_it(self, signed):
        with signed.reading() as p:
            files = evidencing.bundle(p, 1, BOB).files
        assert files[f"papers/{PAPER.id}.pdf"] == SCAN
        assert b"Dana Okafor" in files[f"papers/{PAPER.id}.signed.json"]

    @pytest.mark.law("RT-04")
    def test_after_an_erasure_only_the_offline_key_opens_it(self, signed):
        answering.erase(signed.processing, 1, BOB, world.OPERATOR)
        folder = signed.config.keys_dir
        private = read_key(folder, folder / "escrow-private.key", []).secret
        with signed.reading() as p:
            with pytest.raises(InputRefused, match="nothing is held"):
                evidencing.bundle(p, 1, BOB)
            files = evidencing.bundle_for_complaint(p, 1, BOB, private).files
            with pytest.raises(InputRefused, match="another installation"):
                evidencing.bundle_for_complaint(p, 1, BOB, bytes(reversed(private)))
        assert files[f"papers/{PAPER.id}.pdf"] == SCAN

    def test_a_house_that_erases_proof_keeps_no_copy(self, acme):
        house = replace(acme.policies.house, keeps_proof=False)
        with acme.processing() as p:
            p = replace(p, policies=replace(p.policies, house=house))
            consenting.grant(p, 1, knowing.obtain(p, 1, BOB), [CLICKS], PROVED)
        assert self.row(acme).proof == b""
        folder = acme.config.keys_dir
        private = read_key(folder, folder / "escrow-private.key", []).secret
        with acme.reading() as p:
            assert PAPER.id not in [one["evidence_id"] for one in proving.open_proofs(p, 1, BOB, private)]


def test_the_unknown_are_unknown(acme):
    with acme.processing() as p:
        assert consenting.annotate(p, 1, 12_345, CLICKS, consenting.Status.INVALIDATED, WRONG) is Unknown.SUBJECT
