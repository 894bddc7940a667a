"""What one line of a list becomes: a table to read, and the asymmetry as a property of every list there could be."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.activities.consenting import EVERYTHING
from consent_track.domain.asymmetry import judge, keep_no
from consent_track.domain.consent import UNKNOWN_PERSON, Choice, ConsentState, may_become
from consent_track.domain.imported import ENDED, NEGATIVE, Form, Outcome, Row, Said, Why, Wording, applied
from consent_track.domain.policy import Confidence, Legacy
from consent_track.domain.vocabulary import GRANTING, INDIVIDUAL, Act, Grade, Purpose, Status
from tests.lists import at

NOW = at("2026-11-23T12:00")
OPENS, CLICKS = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE
SPRING = Form(
    "f" * 64,
    "spring",
    "https://acme.example/news",
    date(2024, 1, 1),
    date(2024, 12, 31),
    (
        Wording("mail-en", None, "en", "Send me the newsletter.", True),
        Wording("opens-en", OPENS, "en", "May we see if you open it?", False),
        Wording("opens-fr", OPENS, "fr", "Pouvons-nous voir si vous l'ouvrez ?", False),
    ),
)
FORMS = (SPRING,)
INSIDE = at("2024-03-15T14:25")
ALICE = Row(2, "alice@example.org", Said.SUBSCRIBED, {OPENS: True}, asked_at=INSIDE, locale="en")
FRANCE = Legacy(date(2026, 4, 14), date(2026, 7, 14), "CNIL 2026-042", Confidence.SECONDARY)


def both(row, state=UNKNOWN_PERSON, *, forms=(SPRING,), legacy=None, erased=False):
    """A line as a run takes it: its no's first, then the line; the judgement and the state in the end."""
    kept = keep_no(row, forms, state, NOW)
    state = applied(kept.state, kept.steps, range(1, len(kept.steps) + 1)) if kept.steps else state
    found = judge(row, forms, legacy, state, erased, NOW)
    first = state.sequence + 1
    after = applied(found.state, found.steps, range(first, first + len(found.steps))) if found.steps else state
    return found, after


YES = [
    # what is different from Alice, who agreed and can prove it            outcome            why
    ({}, Outcome.GIVEN, Why.EVIDENCE),
    ({"asked_at": None, "confirmed_at": INSIDE}, Outcome.GIVEN, Why.EVIDENCE),
    ({"asked_at": at("2024-12-31T23:59")}, Outcome.GIVEN, Why.EVIDENCE),
    ({"locale": "fr-CA"}, Outcome.GIVEN, Why.EVIDENCE),
    ({"answers": {OPENS: True, CLICKS: False}}, Outcome.GIVEN, Why.IN_PART),
    ({"answers": {OPENS: True, CLICKS: True}}, Outcome.GIVEN, Why.IN_PART),
    ({"answers": {}}, Outcome.MAIL_ONLY, Why.EVIDENCE),
    ({"asked_at": None}, Outcome.UNKNOWN, Why.NO_TIME),
    ({"asked_at": None, "time_not_understood": True}, Outcome.UNKNOWN, Why.TIME_NOT_UNDERSTOOD),
    ({"asked_at": NOW + 60}, Outcome.UNKNOWN, Why.TIME_IN_THE_FUTURE),
    ({"confirmed_at": NOW + 60}, Outcome.UNKNOWN, Why.TIME_IN_THE_FUTURE),
    ({"asked_at": at("2023-12-31T23:59")}, Outcome.UNKNOWN, Why.NO_FORM_THEN),
    ({"asked_at": at("2025-01-01T00:00")}, Outcome.UNKNOWN, Why.NO_FORM_THEN),
    ({"form": "autumn"}, Outcome.UNKNOWN, Why.NO_FORM_THEN),
    ({"locale": "de"}, Outcome.UNKNOWN, Why.NO_WORDING),
    ({"locale": ""}, Outcome.UNKNOWN, Why.NO_LOCALE),
    ({"answers": {CLICKS: True}}, Outcome.UNKNOWN, Why.NO_WORDING),
    ({"address": "info@example.org"}, Outcome.UNKNOWN, Why.ROLE_ADDRESS),
    ({"said": Said.NOTHING}, Outcome.UNKNOWN, Why.NOTHING_SAID),
    ({"said": Said.NOT_UNDERSTOOD}, Outcome.UNKNOWN, Why.STATUS_NOT_UNDERSTOOD),
    ({"said": Said.UNSUBSCRIBED}, Outcome.NO_KEPT, Why.UNSUBSCRIBED),
    ({"said": Said.BOUNCED}, Outcome.NO_KEPT, Why.BOUNCED),
    ({"said": Said.COMPLAINED}, Outcome.NO_KEPT, Why.COMPLAINED),
    ({"said": Said.OBJECTED}, Outcome.NO_KEPT, Why.OBJECTED),
    ({"said": Said.REFUSED}, Outcome.NO_KEPT, Why.REFUSED),
    ({"answers": {OPENS: False}}, Outcome.NO_KEPT, Why.REFUSED),
    ({"address": None}, Outcome.NOT_AN_ADDRESS, Why.ADDRESS),
]  # fmt: skip


@pytest.mark.law("RE-12")
@pytest.mark.parametrize(("changes", "outcome", "why"), YES)
def test_what_a_line_becomes(changes, outcome, why):
    found, state = both(replace(ALICE, **changes))
    assert (found.outcome, found.why) == (outcome, why)
    given_now = {purpose for purpose, choice in state.choices.items() if choice.granting}
    assert given_now == ({OPENS} if outcome is Outcome.GIVEN else set())


def test_a_yes_names_the_words_the_form_and_the_time():
    found, state = both(replace(ALICE, confirmed_at=INSIDE + 300))
    mail, opens = found.steps
    assert (mail.act, mail.status, mail.wording_id) == (Act.MAIL, Status.GIVEN, "mail-en")
    assert (opens.purpose, opens.wording_id, opens.evidence) == (OPENS, "opens-en", SPRING.id)
    assert (opens.asked_at, opens.occurred_at, opens.source) == (INSIDE, INSIDE + 300, SPRING.url)
    assert state.choices[OPENS] == Choice(Status.GIVEN, INSIDE + 300, Grade.IMPORTED, None, 2)


@pytest.mark.law("CC-02")
def test_a_yes_to_the_mail_is_no_yes_to_measuring():
    found, state = both(replace(ALICE, answers={}))
    assert [step.act for step in found.steps] == [Act.MAIL]
    assert state.choices == {}


def test_a_form_that_asks_one_thing_only_is_answered_by_sending_it():
    asked = replace(SPRING, wordings=(Wording("w", OPENS, "en", "May we?", True),))
    assert both(replace(ALICE, answers={}), forms=(asked,))[0].outcome is Outcome.GIVEN
    assert both(replace(ALICE, answers={OPENS: False}), forms=(asked,))[1].choices[OPENS].status is Status.REFUSED


def test_without_any_form_nobody_agreed():
    assert both(ALICE, forms=())[0].why is Why.NO_EVIDENCE
    no_place = replace(SPRING, url="")
    assert both(ALICE, forms=(no_place,))[0].why is Why.NO_SOURCE
    assert both(replace(ALICE, source="trade fair"), forms=(no_place,))[0].outcome is Outcome.GIVEN


def test_of_two_forms_on_one_day_the_line_says_which():
    other = replace(SPRING, id="e" * 64, name="popup")
    assert both(ALICE, forms=(SPRING, other))[0].why is Why.SEVERAL_FORMS_THEN
    found, _ = both(replace(ALICE, form="popup"), forms=(SPRING, other))
    assert found.steps[-1].evidence == other.id


STANDS = [
    # what stands here already                                            outcome              why
    (ConsentState(objected_at=1), Outcome.NO_STANDS, Why.OBJECTED),
    (ConsentState(mail_ended_at=1), Outcome.NO_STANDS, Why.MAIL_ENDED),
    (ConsentState(signal_on=date(2026, 1, 1)), Outcome.NO_STANDS, Why.SIGNAL),
    (ConsentState(restricted=True), Outcome.NO_STANDS, Why.RESTRICTED),
    (ConsentState(minor=True), Outcome.NO_STANDS, Why.MINOR),
    *((ConsentState({OPENS: Choice(status, 1)}), outcome, why) for status, outcome, why in [
        (Status.REFUSED, Outcome.NO_STANDS, Why.REFUSED),
        (Status.REFUSED_BY_SILENCE, Outcome.NO_STANDS, Why.REFUSED),
        (Status.WITHDRAWN, Outcome.NO_STANDS, Why.REFUSED),
        (Status.EXPIRED, Outcome.NO_STANDS, Why.REFUSED),
        (Status.REVOKED, Outcome.NO_STANDS, Why.REFUSED),
        (Status.GIVEN, Outcome.UNCHANGED, Why.ALREADY_GIVEN),
        (Status.REQUESTED, Outcome.UNCHANGED, Why.ASKED_HERE),
        (Status.UNKNOWN, Outcome.GIVEN, Why.EVIDENCE),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("state", "outcome", "why"), STANDS)
def test_only_silence_can_become_a_yes(state, outcome, why):
    found, after = both(ALICE, state)
    assert (found.outcome, found.why) == (outcome, why)
    assert bool(found.steps) == (outcome is Outcome.GIVEN)
    assert after.choices.get(OPENS) == (
        state.choices.get(OPENS) if outcome is not Outcome.GIVEN else after.choices[OPENS]
    )


@pytest.mark.law("CC-12", "CC-13")
@pytest.mark.parametrize(
    ("collected", "told", "meets"),
    [
        (date(2026, 4, 13), date(2026, 7, 14), True),
        (date(2026, 4, 14), date(2026, 7, 14), False),
        (date(2026, 4, 13), date(2026, 7, 15), False),
        (date(2026, 4, 13), None, False),
        (None, date(2026, 7, 14), False),
        (None, None, False),
    ],
)
def test_a_transition_needs_both_dates(collected, told, meets):
    row = replace(ALICE, asked_at=None, collected_on=collected, notice_on=told)
    found, state = both(row, legacy=FRANCE)
    assert (found.why is Why.LEGACY_REGIME) == meets
    assert (state.address_collected_on, state.legacy_notice_on) == (collected, told)
    later, _ = both(row, legacy=replace(FRANCE, noticed_by=None))
    assert (later.why is Why.LEGACY_REGIME) == (collected == date(2026, 4, 13) and told is not None)


def test_of_two_dates_the_later_counts_and_a_line_without_any_changes_none():
    old, new = date(2020, 1, 1), date(2026, 5, 1)
    state = ConsentState(address_collected_on=new, legacy_notice_on=old)
    _, after = both(replace(ALICE, collected_on=old, notice_on=new), state)
    assert (after.address_collected_on, after.legacy_notice_on) == (new, new)
    _, after = both(ALICE, after)
    assert (after.address_collected_on, after.legacy_notice_on) == (new, new)


def test_the_end_of_the_mail_ends_what_all_off_ends():
    assert set(ENDED) == EVERYTHING


# --- every list there could be ---

moments = some.none() | some.integers(at("2023-06-01T00:00"), NOW + 86_400)
answers = some.dictionaries(some.sampled_from(sorted(INDIVIDUAL)), some.booleans(), max_size=3)
lines = some.builds(
    Row,
    line=some.just(2),
    address=some.just("alice@example.org"),
    said=some.sampled_from(Said),
    answers=answers,
    asked_at=moments | some.just(INSIDE),
    confirmed_at=moments,
    ended_at=moments,
    locale=some.sampled_from(["", "en", "fr", "de"]),
    collected_on=some.none() | some.dates(date(2020, 1, 1), date(2026, 12, 31)),
)
choices = some.dictionaries(
    some.sampled_from(sorted(INDIVIDUAL)), some.builds(Choice, some.sampled_from(Status), some.integers(1, NOW))
)
states = some.just(UNKNOWN_PERSON) | some.builds(
    ConsentState, choices=choices, objected_at=some.none() | some.just(1), mail_ended_at=some.none() | some.just(1)
)


def taken_over(list_, state):
    """A whole list about one person, as a run does it: every no, then every line."""
    for row in list_:
        kept = keep_no(row, FORMS, state, NOW)
        legal(state, kept.steps)
        state = applied(kept.state, kept.steps, [1] * len(kept.steps)) if kept.steps else state
    for row in list_:
        found = judge(row, FORMS, None, state, False, NOW)
        legal(state, found.steps)
        state = applied(found.state, found.steps, [2] * len(found.steps)) if found.steps else state
    return state


def legal(state, steps):
    """Every step is one that the table of transitions knows."""
    for step in steps:
        for purpose in step.sets:
            was = state.choices[purpose].status if purpose in state.choices else Status.UNKNOWN
            assert may_become(was, step.status)


def silenced(state):
    return state.objected_at is not None or state.mail_ended_at is not None


@given(some.lists(lines, max_size=5), states)
@settings(max_examples=150, deadline=None)
def test_a_no_anywhere_in_a_list_is_kept(list_, state):
    after = taken_over(list_, state)
    if any(row.said in NEGATIVE - {Said.REFUSED} for row in list_):
        assert silenced(after)
    for row in list_:
        no = ENDED if row.said in NEGATIVE - {Said.BOUNCED} else [p for p, yes in row.answers.items() if not yes]
        for purpose in no:
            assert after.choices[purpose].status not in GRANTING
            assert after.choices[purpose].status is not Status.UNKNOWN
    if silenced(state):
        assert silenced(after)


@given(some.lists(lines, max_size=5), states)
@settings(max_examples=150, deadline=None)
def test_a_yes_that_was_not_there_before_is_proved(list_, state):
    after = taken_over(list_, state)
    for purpose, choice in after.choices.items():
        was = state.choices.get(purpose)
        if choice.granting and (was is None or not was.granting):
            assert purpose is OPENS, "the form has words for nothing else"
            assert choice.grade is Grade.IMPORTED
            assert any(
                row.said is Said.SUBSCRIBED and row.answers.get(purpose) and (row.asked_at or row.confirmed_at)
                for row in list_
            )
            assert not silenced(after)


@given(some.lists(lines, max_size=4), states)
@settings(max_examples=100, deadline=None)
def test_the_same_list_again_changes_nothing(list_, state):
    once = taken_over(list_, state)
    assert taken_over(list_, once) == once


@given(some.lists(lines, max_size=4), some.randoms())
@settings(max_examples=100, deadline=None)
def test_who_is_silenced_and_who_refused_does_not_hang_on_the_order_of_lines(list_, dice):
    mixed = list(list_)
    dice.shuffle(mixed)
    one, other = taken_over(list_, UNKNOWN_PERSON), taken_over(mixed, UNKNOWN_PERSON)
    assert silenced(one) == silenced(other)
    assert {p for p, c in one.choices.items() if c.granting} == {p for p, c in other.choices.items() if c.granting}
