"""Which step from one status to the next is lawful: every one of them, as a table."""

import pytest

from consent_track.domain.consent import (
    TRANSITIONS,
    UNKNOWN_PERSON,
    Choice,
    ConsentState,
    check_grantable,
    may_become,
)
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import EXEMPT_MODES, GRANTING, INDIVIDUAL, RESERVED, Status

# Rows: where the choice stands. Columns: where it may go next. x: lawful.
STEPS = """
                     req  def  giv  ren  ref  sil  wit  obj  exp  rev  inv
unknown               x    x    x         x              x
requested             x    x    x         x    x         x
deferred              x    x    x         x    x         x
given                                x              x    x    x    x    x
renewed                              x              x    x    x    x    x
refused               x         x         x              x
refused_by_silence    x         x         x              x
withdrawn             x         x         x              x
objected              x         x         x              x
expired               x         x         x              x
revoked               x         x         x              x
invalidated           x         x         x              x
"""
COLUMNS = (
    Status.REQUESTED,
    Status.DEFERRED,
    Status.GIVEN,
    Status.RENEWED,
    Status.REFUSED,
    Status.REFUSED_BY_SILENCE,
    Status.WITHDRAWN,
    Status.OBJECTED,
    Status.EXPIRED,
    Status.REVOKED,
    Status.INVALIDATED,
)


def drawn() -> str:
    head = STEPS.strip("\n").split("\n")[0]
    lines = [head]
    for status in Status:
        marks = (("x" if may_become(status, following) else " ").center(5) for following in COLUMNS)
        lines.append(f"{status.value:<20}{''.join(marks)}".rstrip())
    return "\n".join(lines)


@pytest.mark.law("WD-09")
def test_every_step_is_in_the_table():
    assert drawn() == STEPS.strip("\n")
    assert {*COLUMNS, Status.UNKNOWN} == set(Status) == set(TRANSITIONS)


def test_nothing_leads_back_to_never_asked():
    assert not any(may_become(status, Status.UNKNOWN) for status in Status)


def test_a_yes_comes_from_a_person_and_ends_only_by_a_recorded_step():
    into_yes = {status for status in Status if may_become(status, Status.GIVEN)}
    assert not into_yes & GRANTING, "whoever said yes is not asked for another first yes"
    out_of_yes = {status for status in Status if may_become(Status.GIVEN, status)} - GRANTING
    assert out_of_yes == {Status.WITHDRAWN, Status.OBJECTED, Status.EXPIRED, Status.REVOKED, Status.INVALIDATED}


def test_silence_follows_only_a_question():
    assert TRANSITIONS[Status.REFUSED_BY_SILENCE] == {Status.REQUESTED, Status.DEFERRED}


@pytest.mark.law("WD-09")
def test_only_given_and_renewed_grant():
    assert {status for status in Status if Choice(status, 0).granting} == {Status.GIVEN, Status.RENEWED}


def test_whoever_is_absent_has_no_choice_and_is_not_known():
    assert not UNKNOWN_PERSON.choices
    assert not UNKNOWN_PERSON.known
    assert ConsentState().known
    assert ConsentState().choices == {}


def test_one_persons_choices_are_not_anothers():
    with pytest.raises(TypeError):
        ConsentState().choices["x"] = 1  # type: ignore[index]


@pytest.mark.parametrize("purpose", sorted(RESERVED | EXEMPT_MODES))
def test_nobody_can_consent_to_what_does_not_rest_on_consent(purpose):
    with pytest.raises(InputRefused, match=purpose.value):
        check_grantable(purpose)


@pytest.mark.parametrize("purpose", sorted(INDIVIDUAL))
def test_individual_measuring_rests_on_consent(purpose):
    check_grantable(purpose)
