"""Where a request stands and what may follow: every way ends in an answer, and no way leads past the proof."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from consent_track.domain import rights
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import (
    CLOSED,
    CODE_BITS,
    OPEN,
    PROTECTING,
    Ground,
    Level,
    Proof,
    Refusal,
    Right,
    Stage,
    Step,
    code_of,
    follow,
    level_of,
    number_of,
)


@given(some.integers(0, 2**CODE_BITS - 1))
def test_a_number_survives_being_read_out_and_typed(number):
    code = code_of(number)
    assert number_of(code) == number
    assert number_of(code.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == number


@pytest.mark.parametrize("code", ["", "K7QM", "K7QM-9XRT-0", "K7QM-9XRU", "????-????"])
def test_what_is_no_number_is_refused(code):
    with pytest.raises(InputRefused, match="number"):
        number_of(code)


def stages_after(stage):
    for step in Step:
        for cools_off in (False, True):
            try:
                yield step, follow(stage, step, cools_off=cools_off)
            except InputRefused:
                continue


@pytest.mark.law("AC-10")
@pytest.mark.parametrize("stage", sorted(OPEN))
def test_from_everywhere_there_is_a_way_to_an_answer(stage):
    seen, todo = set(), [stage]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += [following for _, following in stages_after(one)]
    assert seen & CLOSED


@pytest.mark.law("VF-06")
def test_nothing_is_fulfilled_that_was_not_verified_first():
    assert {step for step, following in stages_after(Stage.VERIFYING) if following is Stage.FULFILLED} == set()
    assert {step for step, following in stages_after(Stage.VERIFYING) if following is Stage.IN_PROGRESS} == {
        Step.VERIFIED
    }


@pytest.mark.parametrize("stage", sorted(CLOSED - {Stage.NOT_IDENTIFIABLE}))
def test_an_answered_request_is_not_opened_again(stage):
    assert {following for _, following in stages_after(stage)} == {stage}


@pytest.mark.law("VF-09")
def test_who_could_not_be_told_may_offer_more():
    assert follow(Stage.NOT_IDENTIFIABLE, Step.INFORMATION_OFFERED) is Stage.VERIFYING


def test_a_step_that_cannot_follow_is_named():
    with pytest.raises(InputRefused, match="a request that is fulfilled cannot be refused"):
        follow(Stage.FULFILLED, Step.REFUSED)


@pytest.mark.law("AC-09", "DD-03")
@pytest.mark.parametrize("ground", sorted(Ground))
def test_a_refusal_names_its_reason_and_what_must_be_shown_its_evidence(ground):
    with pytest.raises(InputRefused, match="reason"):
        rights.check_refusal(Right.ACCESS, Refusal(ground, "  ", "file 7"))
    if ground in rights.NEEDS_EVIDENCE:
        with pytest.raises(InputRefused, match="evidence"):
            rights.check_refusal(Right.ACCESS, Refusal(ground, "You asked nine times."))
    rights.check_refusal(Right.ACCESS, Refusal(ground, "Because.", "file 7"))


@pytest.mark.law("VF-03")
@pytest.mark.parametrize("right", sorted(PROTECTING))
def test_nobody_has_to_prove_anything_to_be_left_alone(right):
    with pytest.raises(InputRefused, match="needs no proof"):
        rights.check_refusal(right, Refusal(Ground.IDENTITY_NOT_PROVED, "Who are you?"))


@pytest.mark.law("VF-02", "VF-06")
@pytest.mark.parametrize(
    ("proofs", "level"),
    [
        ((), Level.NONE),
        ((Proof.MAIL_LINK,), Level.NONE),
        ((Proof.SIGNED_PERMISSION,), Level.NONE),
        ((Proof.DECLARATION,), Level.NONE),
        ((Proof.MAIL_LINK, Proof.DECLARATION, Proof.SIGNED_PERMISSION), Level.NONE),
        ((Proof.MAILBOX,), Level.REASONABLE),
        ((Proof.ACCOUNT,), Level.REASONABLE),
        ((Proof.MAILBOX, Proof.DECLARATION), Level.HIGH),
        ((Proof.POWER_OF_ATTORNEY,), Level.HIGH),
        ((Proof.KNOWN_IN_PERSON,), Level.HIGH),
    ],
)
def test_what_proofs_come_to(proofs, level):
    assert level_of(frozenset(proofs)) is level


@given(some.frozensets(some.sampled_from(Proof)), some.sampled_from(Proof))
def test_another_proof_never_makes_anybody_less_sure(proofs, more):
    assert level_of(proofs | {more}).rank >= level_of(proofs).rank
