"""Requests by any channel: clocks that run from the first contact, proofs, extensions, refusals, an answer always."""

from datetime import UTC, date, datetime

import pytest

from consent_track.activities import answering, corresponding, fulfilling, identifying, knowing, requesting
from consent_track.activities.corresponding import Message
from consent_track.activities.requesting import Opening
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import Channel, Ground, Level, Proof, Refusal, Right, Stage, Step
from consent_track.records import datamap
from consent_track.records import requests as rows
from tests import world
from tests.world import ALICE, BOB, CHARLIE, DAY, NOW

WORK = "alice@work.example"
SEEN = frozenset({Proof.KNOWN_IN_PERSON})


def opened(
    p, right=Right.ACCESS, address=ALICE, *, jurisdictions=("FR",), received=NOW, channel=Channel.LETTER, **more
):
    return requesting.open_(p, 1, Opening(right, address, channel, received, jurisdictions, "en", **more))


@pytest.mark.law("DD-01", "VF-10")
def test_the_clock_runs_from_the_first_contact_whatever_the_channel(acme):
    with acme.processing() as p:
        request = opened(p, received=NOW - 10 * DAY, channel=Channel.PHONE)
    assert request.due_on == date(2026, 12, 8)
    assert request.stage is Stage.VERIFYING


@pytest.mark.law("DD-05")
def test_verification_takes_nothing_from_californias_forty_five_days(acme, clock):
    with acme.processing() as p:
        request = opened(p, Right.ERASURE, jurisdictions=("US-CA",))
    clock.move(44 * DAY)
    with acme.processing() as p:
        after = requesting.prove(p, request, 1, Proof.MAILBOX, "subject")
        assert (after.stage, after.due_on) == (Stage.IN_PROGRESS, request.due_on)
        with pytest.raises(InputRefused, match="does not stop the clock under the law of US-CA"):
            requesting.pause(p, after, "identity", "operator")


@pytest.mark.law("VF-08")
def test_one_pause_and_three_laws(acme, clock):
    with acme.processing() as p:
        british = opened(p, Right.ERASURE, jurisdictions=("GB",))
        for law in ("FR", "US-CA"):
            with pytest.raises(InputRefused, match="ground"):
                requesting.pause(p, opened(p, Right.ERASURE, BOB, jurisdictions=(law,)), "identity", "operator")
        british = requesting.pause(p, british, "identity", "operator")
    clock.move(5 * DAY)
    with acme.processing() as p:
        assert not requesting.is_late(p, british)
        resumed = requesting.resume(p, requesting.find(p, 1, british.id), "operator")
    assert (resumed.due_on - british.due_on).days == 5


@pytest.mark.law("DD-02")
def test_an_extension_needs_a_reason_and_comes_before_the_first_period_ends(acme, clock):
    with acme.processing() as p:
        request = opened(p, proofs=SEEN)
        with pytest.raises(InputRefused, match="reason"):
            requesting.extend(p, request, " ", "operator")
        longer = requesting.extend(p, request, "You asked for nine years.", "operator")
        assert longer.due_on == date(2027, 2, 18)
        with pytest.raises(InputRefused, match="was used already"):
            requesting.extend(p, longer, "Still counting.", "operator")
        second = opened(p, address=BOB, proofs=SEEN)
    clock.move(31 * DAY)
    with acme.processing() as p, pytest.raises(InputRefused, match="comes too late"):
        requesting.extend(p, second, "Too late.", "operator")


@pytest.mark.law("DD-10")
def test_several_laws_give_the_earliest_day(acme):
    with acme.processing() as p:
        assert opened(p, jurisdictions=("US-CA", "FR")).due_on == date(2026, 12, 18)
        assert opened(p, address=BOB, jurisdictions=("US-CA", "FR")).level_needed is Level.HIGH


@pytest.mark.law("DD-12")
def test_what_is_urgent_is_seen_before_it_is_late(acme, clock):
    with acme.processing() as p:
        request = corresponding_noted(p, opened(p, proofs=SEEN))
        assert not requesting.is_urgent(p, request)
    clock.move(25 * DAY)
    with acme.reading() as p:
        assert requesting.is_urgent(p, request)
        assert not requesting.is_late(p, request)
    clock.move(6 * DAY)
    with acme.reading() as p:
        assert requesting.is_late(p, request)


def corresponding_noted(p, request):
    return requesting.note(p, request, Step.ACKNOWLEDGED, "operator")


@pytest.mark.law("DD-04")
def test_a_receipt_nobody_confirmed_is_late_by_itself(acme, clock):
    with acme.processing() as p:
        request = opened(p, jurisdictions=("US-CA",))
    clock.move(17 * DAY)
    with acme.reading() as p:
        assert p.now < request.due_at
        assert requesting.is_late(p, request)


@pytest.mark.law("RE-05")
def test_the_log_of_a_refusal_names_its_basis(acme):
    with acme.processing() as p:
        request = opened(p, proofs=SEEN)
        refused = requesting.refuse(p, request, Refusal(Ground.EXCESSIVE, "You ask every day.", "file 12"), "operator")
        assert (refused.stage, refused.ground, refused.evidence) == (Stage.REFUSED, "excessive", "file 12")
        assert refused.closed_at == NOW
        assert [one.step.value for one in requesting.steps(p, refused)] == ["received", "verified", "refused"]
        with pytest.raises(InputRefused, match="cannot be refused"):
            requesting.refuse(p, refused, Refusal(Ground.EXCESSIVE, "Again.", "file 12"), "operator")


@pytest.mark.law("AC-02", "RT-04")
def test_everything_held_about_alice_is_opened_and_nothing_is_left_out(acme):
    world.hits_of(acme, ALICE, 4)
    with acme.processing() as p:
        request = fulfilling.carry_out(p, opened(p, proofs=SEEN), "operator")
        [part] = fulfilling.kept_answer(p, request)
    assert request.stage is Stage.FULFILLED
    assert set(part["held"]) == {held.table for held in datamap.about_people()} - {"subject_key"} | {"subject_key"}
    assert len(part["held"]["hit"]) == 4
    assert part["held"]["hit"][0]["engagement"] == "human_likely"
    assert "network" not in part["held"]["hit"][0]
    assert part["held"]["subject"][0]["sealed"]["address"] == ALICE
    assert part["held"]["consent_event"][0]["sealed"]["purpose"] == "open_performance"
    assert part["held"]["request_address"][0]["sealed"] == ALICE


@pytest.mark.law("AC-01")
def test_the_eight_items_of_article_15_are_all_there(acme):
    with acme.processing() as p:
        request = fulfilling.carry_out(p, opened(p, proofs=SEEN), "operator")
        document = fulfilling.fetched(p, request)
    about = document["about"]
    assert set(about) == {
        "purposes", "categories", "recipients", "periods", "rights", "complaint", "source", "automated_decisions"
    }  # fmt: skip
    assert all(about[key] for key in about if key not in ("automated_decisions", "recipients"))
    assert {one["right"] for one in about["rights"]} == set(Right)
    assert document["covers"]


@pytest.mark.law("VF-02", "AC-08")
def test_specific_pieces_need_more_in_california_than_a_mailbox(acme):
    with acme.processing() as p:
        request = requesting.prove(p, opened(p, jurisdictions=("US-CA",)), 1, Proof.MAILBOX, "subject")
        assert request.stage is Stage.VERIFYING
        sure = requesting.prove(p, request, 1, Proof.DECLARATION, "subject")
        assert (sure.stage, sure.level_proved) == (Stage.IN_PROGRESS, Level.HIGH)


def test_two_addresses_of_one_person_are_answered_together_once_both_are_proved(acme):
    world.consents(acme, WORK)
    world.hits_of(acme, ALICE, 2)
    world.hits_of(acme, WORK, 3)
    with acme.processing() as p:
        request = opened(p, proofs=SEEN)
        request = requesting.add_address(p, request, WORK, "operator")
        assert requesting.proved_addresses(p, request) == [ALICE]
        with pytest.raises(InputRefused, match="stands in the request already"):
            requesting.add_address(p, request, ALICE.upper(), "operator")
        request = requesting.prove(p, request, 2, Proof.MAILBOX, "subject")
        request = fulfilling.carry_out(p, request, "operator")
        parts = fulfilling.kept_answer(p, request)
    assert {part["address"]: len(part["held"]["hit"]) for part in parts} == {ALICE: 2, WORK: 3}


@pytest.mark.law("VF-01", "VF-06")
def test_an_unproved_address_beside_a_proved_one_is_not_touched(acme):
    world.consents(acme, WORK)
    with acme.processing() as p:
        request = requesting.add_address(p, opened(p, Right.ERASURE, proofs=SEEN), WORK, "operator")
        fulfilling.carry_out(p, request, "operator")
    answering.finish(acme.processing)
    with acme.reading() as p:
        assert knowing.find(p, 1, ALICE) is None
        assert knowing.find(p, 1, WORK) is not None


@pytest.mark.law("DL-01", "DL-02", "DL-08")
def test_an_erasure_leaves_the_log_and_names_what_stays(acme):
    world.hits_of(acme, ALICE, 2)
    with acme.processing() as p:
        request = fulfilling.carry_out(p, opened(p, Right.ERASURE, proofs=SEEN), "operator")
        said = requesting.written(p, request)
    answering.finish(acme.processing)
    assert said.results["deleted"]["hit"] == 2
    assert "consent_event" in said.results["kept"]
    with acme.reading() as p:
        assert knowing.find(p, 1, ALICE) is None
        assert [one.id for one in requesting.of_address(p, 1, ALICE)] == [request.id]
        assert fulfilling.kept_answer(p, request) == []


def test_an_answer_goes_with_the_person(acme):
    with acme.processing() as p:
        request = fulfilling.carry_out(p, opened(p, proofs=SEEN), "operator")
        assert fulfilling.kept_answer(p, request)
        fulfilling.carry_out(p, opened(p, Right.ERASURE, proofs=SEEN), "operator")
        assert fulfilling.kept_answer(p, request) == []
    answering.finish(acme.processing)


def test_carrying_out_twice_changes_nothing(acme):
    with acme.processing() as p:
        once = fulfilling.carry_out(p, opened(p, Right.OBJECTION), "operator")
        again = fulfilling.carry_out(p, once, "operator")
    assert again == once


@pytest.mark.parametrize(
    ("right", "why"), [(Right.ACCESS, "nobody proved yet"), (Right.COMPLAINT, "answered by a person")]
)
def test_what_is_not_ready_is_not_carried_out(acme, right, why):
    with acme.processing() as p, pytest.raises(InputRefused, match=why):
        fulfilling.carry_out(p, opened(p, right), "operator")


@pytest.mark.law("DD-08", "DD-14")
def test_a_complaint_is_answered_in_words_and_an_appeal_follows_a_refusal(acme):
    with acme.processing() as p:
        refused = requesting.refuse(
            p,
            opened(p, proofs=SEEN, jurisdictions=("US-CO",)),
            Refusal(Ground.SECURITY, "It would harm us."),
            "operator",
        )
        appeal = opened(p, Right.APPEAL, jurisdictions=("US-CO",), follows=refused.id, wrote="It would not.")
        assert appeal.stage is Stage.IN_PROGRESS
        with pytest.raises(InputRefused, match="text"):
            fulfilling.answer_by_hand(p, appeal, " ", "operator")
        done = fulfilling.answer_by_hand(p, appeal, "You are right. Here it is.", "operator")
        assert done.stage is Stage.FULFILLED
        assert requesting.written(p, done).answer == "You are right. Here it is."


@pytest.mark.law("VF-02")
def test_what_was_written_goes_and_the_log_stays(acme, clock):
    with acme.processing() as p:
        request = fulfilling.carry_out(p, opened(p, Right.OBJECTION, wrote="Leave me alone."), "operator")
    clock.move(requesting.WRITING_KEPT + DAY)
    assert requesting.forget_writing(acme.processing) == 1
    assert requesting.forget_writing(acme.processing) == 0
    with acme.reading() as p:
        [kept] = requesting.of_address(p, 1, ALICE)
        assert requesting.written(p, kept) is None
        assert list(requesting.addresses(p, kept)) == []
        assert (kept.asked, kept.stage, kept.channel) == (Right.OBJECTION, Stage.FULFILLED, Channel.LETTER)
        assert len(requesting.steps(p, kept)) == 3
    assert request.id == kept.id


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"received": NOW + 60}, "received"),
        ({"address": "nobody"}, "address"),
        ({"wrote": "x" * 4_001}, "text"),
        ({"follows": 77}, "number"),
    ],
)
def test_bad_input_names_its_field_and_leaves_nothing(acme, change, where):
    with pytest.raises(InputRefused) as refused, acme.processing() as p:
        opened(p, **change)
    assert [problem.where for problem in refused.value.problems] == [where]
    with acme.reading() as p:
        assert rows.open_ones(p.session) == []


class Paper:
    """A writer of letters that notes what it was asked for."""

    def __init__(self):
        self.told = []

    def about(self, controller, said, address):
        self.told.append((said.message, said.request.stage, address))
        return b"From: a@b.example\r\n\r\n"


@pytest.mark.law("AC-10")
def test_every_end_has_its_letter(acme):
    ends = {
        Stage.NOT_IDENTIFIABLE: lambda p, r: requesting.note(p, r, Step.NOT_IDENTIFIABLE, "operator"),
        Stage.NOTHING_HELD: lambda p, r: requesting.close(p, r, Step.NOTHING_HELD, "operator"),
        Stage.EXPIRED: lambda p, r: requesting.note(p, r, Step.EXPIRED, "system"),
        Stage.REVOKED: lambda p, r: requesting.note(p, r, Step.REVOKED, "subject"),
        Stage.REFUSED: lambda p, r: requesting.refuse(p, r, Refusal(Ground.SECURITY, "No."), "operator"),
    }
    paper = Paper()
    for stage, end in ends.items():
        with acme.processing() as p:
            closed = corresponding.tell(p, paper, end(p, opened(p, address=CHARLIE)), Message.ANSWER)
            assert closed.stage is stage
            assert requesting.steps(p, closed)[-1].step is Step.ANSWER_SENT
    assert paper.told == [(Message.ANSWER, stage, CHARLIE) for stage in ends]


def test_a_letter_about_an_erasure_outlives_the_key(acme):
    with acme.processing() as p:
        request = fulfilling.carry_out(p, opened(p, Right.ERASURE, proofs=SEEN), "operator")
        corresponding.tell(p, acme.letters(), request, Message.ANSWER)
    answering.finish(acme.processing)
    sent = []

    class Post:
        def send(self, recipient, mail):
            sent.append((recipient, mail))

    from consent_track.activities import notifying

    notifying.deliver(acme.processing, Post())
    assert [recipient for recipient, _ in sent] == [ALICE]


def test_the_worker_carries_out_what_is_ready_and_nothing_else(acme, clock):
    with acme.processing() as p:
        ready = opened(p, Right.ERASURE, proofs=SEEN)
        opened(p, Right.ERASURE, BOB)
        opened(p, Right.RECTIFICATION, CHARLIE, proofs=SEEN, wrote="My name is Charles.")
    counts = identifying.keep_going(acme.processing, Paper())
    assert counts == {"carried_out": 1, "reminded": 0, "expired": 0, "left_to_a_person": 0}
    with acme.reading() as p:
        assert requesting.find(p, 1, ready.id).stage is Stage.FULFILLED
        assert knowing.find(p, 1, BOB) is not None


def test_instants_are_utc(acme):
    with acme.processing() as p:
        assert datetime.fromtimestamp(opened(p).received_at, UTC).isoformat() == "2026-11-18T11:06:40+00:00"
