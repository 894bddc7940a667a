"""Who may be asked for consent, and when again: by person, by calendar, and never earlier because of a no."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from consent_track.domain.asking import SILENCE_DAYS, Ask, Facts, NotNow, Reason, may_ask, silent_from, steps_to_ask
from consent_track.domain.clocks import months_later
from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.policy import Requirement
from consent_track.domain.vocabulary import INDIVIDUAL, Grade, Purpose, Status
from tests.domain.people import CHARLIE, DAY, NOW, PEOPLE, chose, housed, rows
from tests.law import cases

OPENS, CLICKS = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE
BOTH = (OPENS, CLICKS)
SIGNED = Facts(signed=True)


def at(words: str) -> int:
    return int(datetime.fromisoformat(words).replace(tzinfo=UTC).timestamp())


def answer(policies, state, *codes, facts=SIGNED, purposes=BOTH, now=NOW):
    """`ask` with the purposes that are left, or `not now: reason`, with the day from which asking is lawful again."""
    laws = [policies.for_jurisdiction(code) for code in codes or ("FR",)]
    found = may_ask(state, laws, facts, purposes, now)
    if isinstance(found, Ask):
        return " ".join(["ask", *sorted(one.value for one in found.purposes)])
    again = found.ask_again_at
    return f"not now: {found.reason}" + (f" until {datetime.fromtimestamp(again, UTC):%Y-%m-%d}" if again else "")


STORY = """
    Alice    not now: grants_already
    Bob      not now: withdrew until 2027-05-23
    Charlie  ask click_performance open_performance
    Dora     not now: objected
    Erin     ask click_performance open_performance
    Grace    not now: signal
"""


@pytest.mark.parametrize(("name", "expected"), rows(STORY))
def test_six_people_in_france(shipped, name, expected):
    assert answer(shipped, PEOPLE[name]) == expected


WHOEVER = {
    "erased": (CHARLIE, Facts(erased=True, signed=True)),
    "role_address": (CHARLIE, Facts(role_address=True, signed=True)),
    "unmailable": (CHARLIE, Facts(signed=True, mailable=False)),
    "objected": (replace(CHARLIE, objected_at=1), SIGNED),
    "restricted": (replace(CHARLIE, restricted=True), SIGNED),
    "minor": (replace(CHARLIE, minor=True), SIGNED),
    "mail_ended": (replace(CHARLIE, mail_ended_at=1), SIGNED),
    "signal": (replace(CHARLIE, signal_on=date(2020, 1, 1)), SIGNED),
    "locale_not_signed": (CHARLIE, Facts()),
}


@pytest.mark.parametrize("reason", WHOEVER)
def test_some_are_never_asked(shipped, reason):
    state, facts = WHOEVER[reason]
    for now in (NOW, NOW + 5_000 * DAY):
        assert answer(shipped, state, facts=facts, now=now) == f"not now: {reason}"


def test_an_objection_to_one_purpose_is_an_objection(shipped):
    state = ConsentState({Purpose.SALES_FOLLOWUP: Choice(Status.OBJECTED, 1)})
    assert answer(shipped, state) == "not now: objected"


def test_without_a_policy_nobody_is_asked():
    assert may_ask(CHARLIE, [], SIGNED, BOTH, NOW) == NotNow(Reason.POLICY_MISSING)


# "+5 months 30 days" and the day itself; a refusal of 31 August waits for the end of February.
FRANCE = """
    2026-05-23 12:00:00  2026-11-22 12:00:00  no
    2026-05-23 12:00:00  2026-11-23 11:59:59  no
    2026-05-23 12:00:00  2026-11-23 12:00:00  ask
    2026-08-31 06:00:00  2027-02-28 05:59:59  no
    2026-08-31 06:00:00  2027-02-28 06:00:00  ask
"""
CALIFORNIA = """
    2026-05-23 12:00:00  2026-11-23 12:00:00  no
    2026-05-23 12:00:00  2027-05-22 12:00:00  no
    2026-05-23 12:00:00  2027-05-23 11:59:59  no
    2026-05-23 12:00:00  2027-05-23 12:00:00  ask
"""
NOES = (Status.REFUSED, Status.REFUSED_BY_SILENCE, Status.WITHDRAWN)


@pytest.mark.law("CC-09")
@pytest.mark.parametrize(("said", "now", "expected"), rows(FRANCE))
@pytest.mark.parametrize("status", NOES)
def test_france_waits_six_months_after_any_no(shipped, status, said, now, expected):
    state = ConsentState({CLICKS: Choice(status, at(said))})
    assert answer(shipped, state, "FR", now=at(now)).startswith(expected)


@pytest.mark.law("CC-10")
@pytest.mark.parametrize(("said", "now", "expected"), rows(CALIFORNIA))
@pytest.mark.parametrize("status", NOES)
def test_california_waits_twelve_months_after_an_opt_out(shipped, status, said, now, expected):
    state = ConsentState({CLICKS: Choice(status, at(said))})
    assert answer(shipped, state, "US-CA", now=at(now)).startswith(expected)


@pytest.mark.law("CC-10")
def test_under_two_laws_the_longer_wait_holds(shipped):
    state = chose(Status.REFUSED, since=at("2026-05-23 12:00:00"))
    for codes in (("FR", "US-CA"), ("US-CA", "FR")):
        assert answer(shipped, state, *codes) == "not now: refused until 2027-05-23"


@pytest.mark.law("CC-09")
def test_a_house_may_wait_longer_and_never_shorter(shipped):
    state = chose(Status.REFUSED, since=at("2026-05-23 12:00:00"))
    assert answer(housed(shipped, parameters={"re_ask_cooldown_months": 9}), state).endswith("until 2027-02-23")
    assert answer(housed(shipped, parameters={"re_ask_cooldown_months": 1}), state, now=NOW - 1).endswith("2026-11-23")


@pytest.mark.law("CC-09")
def test_a_no_to_one_purpose_keeps_the_others_from_being_asked_for(shipped):
    state = ConsentState({Purpose.SALES_FOLLOWUP: Choice(Status.WITHDRAWN, NOW - DAY)})
    assert answer(shipped, state, purposes=[OPENS]) == "not now: withdrew until 2027-05-22"


QUESTION = """
    2026-06-01 09:00:00  not now: question_open until 2027-01-01
    2026-07-01 08:59:59  not now: question_open until 2027-01-01
    2026-07-01 09:00:00  not now: silent until 2027-01-01
    2026-12-31 23:59:59  not now: silent until 2027-01-01
    2027-01-01 09:00:00  ask click_performance open_performance
"""


@pytest.mark.law("CC-07", "CC-09")
@pytest.mark.parametrize(("now", "expected"), rows(QUESTION))
@pytest.mark.parametrize("status", [Status.REQUESTED, Status.DEFERRED])
def test_an_open_question_becomes_a_no_by_silence_although_nobody_wrote_it_down(shipped, status, now, expected):
    state = ConsentState({CLICKS: Choice(status, at("2026-06-01 09:00:00"))})
    assert answer(shipped, state, now=at(now)) == expected
    assert silent_from(at("2026-06-01 09:00:00"), shipped.for_jurisdiction("FR")) == at("2026-07-01 09:00:00")
    house = housed(shipped, parameters={"silence_days": 14})
    assert answer(house, state, now=at("2026-06-15 09:00:00")) == "not now: silent until 2026-12-15"


def test_a_signal_that_consent_may_set_aside_is_an_opt_out_of_its_day(shipped):
    state = replace(CHARLIE, signal_on=date(2025, 11, 23))
    assert answer(shipped, state, "US-CA") == "not now: signal until 2026-11-24"
    assert answer(shipped, state, "US-CA", now=NOW + DAY).startswith("ask")
    assert answer(shipped, state, "US-CA", "FR", now=NOW + DAY) == "not now: signal"
    waived = replace(state, signal_waived_at=NOW - DAY)
    assert answer(shipped, waived, "US-CA").startswith("ask")
    assert answer(shipped, waived, "FR") == "not now: signal"


class TestAYesThatNoLongerCounts:
    """It may be asked for anew, and is ended in the ledger before: else a question would stand beside a consent."""

    def test_what_is_too_weakly_proved(self, shipped):
        weak = chose(Status.GIVEN, grade=Grade.IMPORTED)
        assert answer(shipped, weak) == "ask click_performance open_performance"
        steps = steps_to_ask(weak, Ask((OPENS,)), [shipped.for_jurisdiction("FR")], NOW)
        assert steps == [(OPENS, Status.INVALIDATED), (OPENS, Status.REQUESTED)]

    def test_what_has_expired(self, shipped):
        over = ConsentState({OPENS: Choice(Status.GIVEN, NOW - DAY, Grade.MAILBOX_LOOP, expires_at=NOW)})
        assert answer(shipped, over, purposes=[OPENS]) == "ask open_performance"
        assert answer(shipped, over, purposes=[OPENS], now=NOW - 1) == "not now: grants_already"
        steps = steps_to_ask(over, Ask((OPENS,)), [shipped.for_jurisdiction("FR")], NOW)
        assert steps == [(OPENS, Status.EXPIRED), (OPENS, Status.REQUESTED)]

    def test_what_has_lapsed_under_one_of_two_laws(self, shipped):
        old = chose(Status.GIVEN, since=NOW - 800 * DAY, grade=Grade.MAILBOX_LOOP)
        house = housed(shipped, parameters={"consent_lapse_months": 24})
        assert answer(shipped, old) == "not now: grants_already"
        assert answer(house, old).startswith("ask")
        assert steps_to_ask(CHARLIE, Ask(BOTH), [house.for_jurisdiction("FR")], NOW) == [
            (OPENS, Status.REQUESTED), (CLICKS, Status.REQUESTED)
        ]  # fmt: skip


def test_only_what_is_not_allowed_yet_is_asked_for(shipped):
    half = ConsentState({OPENS: Choice(Status.GIVEN, NOW - DAY, Grade.MAILBOX_LOOP)})
    assert answer(shipped, half) == "ask click_performance"


def test_what_consent_cannot_carry_is_not_asked_for(shipped):
    assert answer(shipped, CHARLIE, purposes=[Purpose.GEO, Purpose.AGGREGATE_COUNT]) == "not now: never_allowed"
    never = housed(shipped, individual=Requirement.NEVER)
    assert answer(never, CHARLIE) == "not now: never_allowed"


# One no of each kind, said at NOW.
SAYS_NO = {name: say for name, say in cases.NOES.items() if name not in ("lets the consent expire", "is erased")}
settled = some.sampled_from([status for status in Status if status not in (Status.GIVEN, Status.RENEWED)])
choices = some.dictionaries(
    some.sampled_from(sorted(INDIVIDUAL)), some.builds(Choice, settled, some.integers(NOW - 900 * DAY, NOW))
)
# A signal is set aside only after it was heard, and is heard once.
signals = some.just((None, None)) | some.tuples(
    some.dates(date(2024, 1, 1), date(2026, 11, 23)), some.none() | some.just(NOW - DAY)
)
states = some.builds(
    lambda choices, signal: ConsentState(choices, signal_on=signal[0], signal_waived_at=signal[1]), choices, signals
)
moments = some.integers(0, 1_200).map(lambda days: NOW + days * DAY)


@pytest.mark.law("CC-09", "CC-10")
@given(state=states, says=some.sampled_from(sorted(SAYS_NO)), purpose=some.sampled_from(sorted(INDIVIDUAL)),
       code=some.sampled_from(["FR", "US-CA", "DE", "US-OTHER", "ZZ"]), later=moments)  # fmt: skip
@settings(max_examples=400, deadline=None)
def test_a_no_never_makes_anybody_askable_earlier(shipped, state, says, purpose, code, later):
    """Nobody who allows something is among them: a yes that ends is where asking anew begins."""
    assume(says != "sends Sec-GPC" or state.signal_on is None)
    law = shipped.for_jurisdiction(code)
    after = SAYS_NO[says](state, purpose)
    asked = may_ask(after, [law], SIGNED, BOTH, later)
    if isinstance(asked, Ask):
        assert later >= months_later(NOW, law.number("re_ask_cooldown_months")), "every no is waited for"
        answered = state.choices.get(purpose)
        if answered is None or answered.status not in (Status.REQUESTED, Status.DEFERRED, Status.OBJECTED):
            assert isinstance(may_ask(state, [law], SIGNED, BOTH, later), Ask), "and frees nobody"


@given(state=states, code=some.sampled_from(["FR", "US-CA", "ZZ"]))
@settings(max_examples=200, deadline=None)
def test_the_day_that_is_named_is_the_day(shipped, state, code):
    law = [shipped.for_jurisdiction(code)]
    found = may_ask(state, law, SIGNED, BOTH, NOW)
    if isinstance(found, NotNow) and found.ask_again_at:
        assert isinstance(may_ask(state, law, SIGNED, BOTH, found.ask_again_at - 1), NotNow)
        assert isinstance(may_ask(state, law, SIGNED, BOTH, found.ask_again_at), Ask)


def test_every_reason_has_its_words():
    assert all(reason.words.endswith(".") for reason in Reason)
    assert SILENCE_DAYS == 30
