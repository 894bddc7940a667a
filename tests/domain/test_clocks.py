"""When a choice lapses, wants to be reconfirmed, and may be asked about again: by calendar, to the second."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.domain.clocks import Clocks, clocks_of, is_over, months_later
from consent_track.domain.consent import Choice
from consent_track.domain.decision import THE_SUBJECT, scope_of
from consent_track.domain.policy import Confidence, Parameter
from consent_track.domain.vocabulary import HitKind, Purpose, Status
from tests.domain.people import NEWSLETTER, NOW, answer, chose, housed, rows, under

OPEN = Purpose.OPEN_PERFORMANCE


def at(words: str) -> int:
    return int(datetime.fromisoformat(words).replace(tzinfo=UTC).timestamp())


MONTHS = """
    2026-01-15 12:00:00   1  2026-02-15 12:00:00
    2026-01-31 23:59:59   1  2026-02-28 23:59:59
    2028-01-31 00:00:00   1  2028-02-29 00:00:00
    2026-08-31 06:30:00   6  2027-02-28 06:30:00
    2026-11-23 12:00:00  13  2027-12-23 12:00:00
    2024-02-29 00:00:00  12  2025-02-28 00:00:00
    2026-12-31 00:00:00  24  2028-12-31 00:00:00
"""


@pytest.mark.parametrize(("since", "months", "then"), rows(MONTHS))
def test_months_are_calendar_months(since, months, then):
    assert datetime.fromtimestamp(months_later(at(since), int(months)), UTC) == datetime.fromtimestamp(at(then), UTC)
    assert is_over(at(since), int(months), at(then))
    assert not is_over(at(since), int(months), at(then) - 1)


@given(since=some.integers(0, 4_000_000_000), months=some.integers(1, 120), after=some.integers(-10, 4_000))
@settings(max_examples=200, deadline=None)
def test_the_short_cut_never_changes_the_answer(since, months, after):
    now = since + after * 86_400
    assert is_over(since, months, now) == (now >= months_later(since, months))


class TestLapse:
    """The house lets a consent count for 24 months. Nothing here is the law of one country: packs may set it, too."""

    GIVEN = "2024-11-30 10:00:00"
    DAYS = """
        2026-11-30 09:59:59  yes: consent_given
        2026-11-30 10:00:00  no: consent_lapsed
        2027-11-30 10:00:00  no: consent_lapsed
    """

    @pytest.mark.parametrize(("moment", "expected"), rows(DAYS))
    @pytest.mark.parametrize("status", [Status.GIVEN, Status.RENEWED])
    def test_an_older_consent_no_longer_counts(self, shipped, moment, expected, status):
        now = at(moment)
        alice = chose(status, since=at(self.GIVEN))
        strict = housed(shipped, parameters={"consent_lapse_months": 24})
        assert answer(strict, alice, issued_at=now - 60, now=now) == expected
        assert answer(shipped, alice, issued_at=now - 60, now=now) == "yes: consent_given", "as shipped none lapses"

    def test_a_mail_sent_while_it_counted_falls_silent_with_it(self, shipped):
        policy = housed(shipped, parameters={"consent_lapse_months": 24}).for_jurisdiction("FR")
        alice, end = chose(Status.GIVEN, since=at(self.GIVEN)), at("2026-11-30 10:00:00")
        sent = replace(NEWSLETTER, issued_at=end - 86_400)
        measured = {
            moment: scope_of(HitKind.OPEN, THE_SUBJECT, sent, alice, policy, moment).open for moment in (end - 1, end)
        }
        assert measured == {end - 1: True, end: False}

    def test_the_reason_names_it_and_no_other_no_is_covered_by_it(self, shipped):
        strict = housed(shipped, parameters={"consent_lapse_months": 1})
        old = at(self.GIVEN)
        said = {status.value: answer(strict, chose(status, since=old)) for status in Status}
        assert {status for status, given in said.items() if given == "no: consent_lapsed"} == {"given", "renewed"}
        assert said["withdrawn"] == "no: withdrawn"

    @pytest.mark.parametrize(("law", "house", "holds"), [(24, 12, 12), (12, 24, 12), (24, None, 24), (None, 6, 6)])
    def test_the_shorter_of_law_and_house_holds(self, shipped, law, house, holds):
        policy = shipped.for_jurisdiction("FR")
        figures = dict(policy.pack.parameters)
        if law:
            figures["consent_lapse_months"] = Parameter(law, "the law", Confidence.SECONDARY)
        chosen = replace(policy.house, parameters={"consent_lapse_months": house} if house else {})
        assert under(replace(policy.pack, parameters=figures), chosen).limit("consent_lapse_months") == holds

    def test_where_neither_sets_one_there_is_none(self, shipped):
        assert shipped.for_jurisdiction("FR").limit("consent_lapse_months") is None


class TestKorea:
    """Every two years the person is asked again, and the result of a choice is told within 14 days (a draft pack)."""

    def test_each_choice_has_its_clocks(self, everything):
        korea = everything.for_jurisdiction("KR")
        given = clocks_of(Choice(Status.GIVEN, at("2026-03-31 08:00:00")), korea)
        assert given == Clocks(None, at("2028-03-31 08:00:00"), at("2026-04-14 08:00:00"), None)
        refused = clocks_of(Choice(Status.REFUSED, at("2026-03-31 08:00:00")), korea)
        assert refused == Clocks(None, None, at("2026-04-14 08:00:00"), at("2026-09-30 08:00:00"))
        assert clocks_of(Choice(Status.REQUESTED, NOW), korea) == Clocks(None, None, None, None)

    def test_a_consent_that_is_due_for_it_still_counts(self, everything):
        due = chose(Status.GIVEN, since=at("2024-01-01 00:00:00"))
        assert answer(everything, due, jurisdiction="KR") == "yes: consent_given"


ASK_AGAIN = """
    FR     refused             2026-11-30
    FR     refused_by_silence  2026-11-30
    FR     withdrawn           2026-11-30
    US-CA  refused             2027-05-31
    US-CA  objected            2027-05-31
    FR     given               never
    FR     requested           never
"""


@pytest.mark.parametrize(("code", "status", "day"), rows(ASK_AGAIN))
def test_after_a_no_nobody_asks_for_six_months_and_in_california_for_twelve(shipped, code, status, day):
    clocks = clocks_of(Choice(Status(status), at("2026-05-31 09:00:00")), shipped.for_jurisdiction(code))
    told = "never" if clocks.ask_again_at is None else str(datetime.fromtimestamp(clocks.ask_again_at, UTC).date())
    assert told == day


def test_a_consent_with_an_end_of_its_own_ends_with_the_earlier(shipped):
    strict = housed(shipped, parameters={"consent_lapse_months": 12}).for_jurisdiction("FR")
    since = at("2026-01-01 00:00:00")
    earlier, later = since + 86_400, since + 800 * 86_400
    assert clocks_of(Choice(Status.GIVEN, since, expires_at=earlier), strict).lapses_at == earlier
    assert clocks_of(Choice(Status.GIVEN, since, expires_at=later), strict).lapses_at == at("2027-01-01 00:00:00")
    assert clocks_of(Choice(Status.GIVEN, since), shipped.for_jurisdiction("FR")).lapses_at is None
