"""What the clock does to choices: a consent ends, silence becomes a no, and somebody is due to be written to."""

from dataclasses import replace

import pytest

from consent_track.activities import consenting, knowing, lapsing, proving
from consent_track.activities.entering import How
from consent_track.activities.lapsing import Due, Lapsed, What
from consent_track.domain.clocks import months_later
from consent_track.domain.decision import Reason
from consent_track.domain.vocabulary import Grade, Purpose, Status
from consent_track.records import consent
from consent_track.worker import run_once
from tests import world
from tests.domain.people import housed
from tests.law.drafts import load_with_drafts
from tests.world import ALICE, BOB, CHARLIE, DAY, NOW, OPERATOR

OPEN, CLICK = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE
TWO_YEARS = {"consent_lapse_months": 24, "silence_days": 30}


def under(runtime, **parameters):
    """The same installation under a house policy with these numbers."""
    return replace(runtime, policies=housed(runtime.policies, parameters=parameters))


def asked(runtime, address, *, ago, purpose=OPEN, status=Status.REQUESTED):
    """Somebody who gets the mail was asked for a purpose, days ago."""
    with runtime.processing() as p:
        then = replace(p, now=p.now - ago * DAY)
        subject = knowing.obtain(then, 1, address, "en")
        consenting.welcome(then, 1, subject, OPERATOR)
        how = How("request_mail", Grade.MESSAGE_LINK, "operator", jurisdiction="FR")
        consenting.record_step(then, 1, subject, purpose, status, how, then.now)


def stands(runtime, address):
    with runtime.reading() as p:
        state = consent.find_state(p.session, 1, knowing.find(p, 1, address))
    return {purpose.value: choice.status.value for purpose, choice in state.choices.items()}, state


def last(runtime, address):
    with runtime.reading() as p:
        return proving.history(p, 1, address)[-1]


class TestLapse:
    def test_a_consent_past_its_time_is_recorded_as_expired_and_what_was_measured_is_put_down(self, acme, clock):
        ours, given = under(acme, **TWO_YEARS), NOW - DAY
        end = months_later(given, 24)
        clock.at = end - 1
        assert lapsing.lapse(ours.processing) == Lapsed()
        clock.at = end + 3 * DAY
        assert lapsing.lapse(ours.processing) == Lapsed(expired=2)
        choices, _ = stands(acme, ALICE)
        assert choices == {"open_performance": "expired", "click_performance": "expired"}
        event = last(acme, ALICE)
        assert (event["status"], event["method"], event["actor"], event["act"]) == (
            "expired",
            "clock",
            "system",
            "tracking",
        )
        assert (event["occurred_at"], event["recorded_at"]) == (end, clock.at), "when it ended, and when that was noted"
        with acme.reading() as p:
            due = consent.erase_due(p.session, 1, knowing.find(p, 1, ALICE))
        assert due == (clock.at + 7 * DAY, OPEN.bit | CLICK.bit)

    def test_what_ended_is_recorded_once_and_nothing_else_moves(self, acme, clock):
        ours = under(acme, **TWO_YEARS)
        clock.at = months_later(NOW, 25)
        lapsing.lapse(ours.processing)
        written = len(world.chain(acme))
        assert lapsing.lapse(ours.processing) == Lapsed()
        assert len(world.chain(acme)) == written
        choices, _ = stands(acme, BOB)
        assert choices["open_performance"] == "withdrawn", "a no does not lapse"

    def test_as_shipped_no_consent_lapses(self, acme, clock):
        clock.at = months_later(NOW, 100)
        assert lapsing.lapse(acme.processing) == Lapsed()

    def test_a_renewed_consent_counts_from_its_renewal(self, acme, clock):
        ours = under(acme, **TWO_YEARS)
        clock.at = months_later(NOW, 20)
        world.consents(ours, ALICE, ago=0)
        clock.at = months_later(NOW, 30)
        assert lapsing.lapse(ours.processing) == Lapsed()
        assert stands(acme, ALICE)[0]["open_performance"] == "renewed"
        clock.at = months_later(NOW, 45)
        assert lapsing.lapse(ours.processing) == Lapsed(expired=2)

    def test_an_expired_consent_may_be_given_again(self, acme, clock):
        ours = under(acme, **TWO_YEARS)
        clock.at = months_later(NOW, 25)
        lapsing.lapse(ours.processing)
        world.consents(ours, ALICE, ago=0)
        assert stands(acme, ALICE)[0]["open_performance"] == "given"
        with acme.reading() as p:
            assert consent.erase_due(p.session, 1, knowing.find(p, 1, ALICE)) == (None, 0)

    def test_the_law_of_the_consent_decides_not_the_shortest_of_all(self, acme, clock):
        """Alice consented under French law; a shorter clock of California is none of hers."""
        months = {"US-CA": 12}
        by_id = {
            id_: replace(policy, house=replace(policy.house, parameters={"consent_lapse_months": months.get(id_, 24)}))
            for id_, policy in acme.policies.by_id.items()
        }
        ours = replace(acme, policies=replace(acme.policies, by_id=by_id))
        clock.at = months_later(NOW, 13)
        assert lapsing.lapse(ours.processing) == Lapsed()
        clock.at = months_later(NOW, 24)
        assert lapsing.lapse(ours.processing) == Lapsed(expired=2)

    def test_more_people_than_a_batch_all_lapse(self, acme, clock, monkeypatch):
        monkeypatch.setattr(lapsing, "PAGE", 4)
        monkeypatch.setattr(lapsing, "BATCH", 2)
        for number in range(9):
            world.consents(acme, f"person{number}@example.org", [OPEN])
        clock.at = months_later(NOW, 25)
        assert lapsing.lapse(under(acme, **TWO_YEARS).processing, pause=0) == Lapsed(expired=11)


class TestSilence:
    @pytest.mark.law("CC-07")
    @pytest.mark.parametrize("status", [Status.REQUESTED, Status.DEFERRED])
    def test_nobody_who_did_not_answer_has_agreed_and_the_mail_goes_on(self, acme, clock, status):
        asked(acme, CHARLIE, ago=30, status=status)
        clock.move(-1)
        assert lapsing.lapse(acme.processing) == Lapsed()
        clock.move(1)
        assert lapsing.lapse(acme.processing) == Lapsed(silent=1)
        choices, state = stands(acme, CHARLIE)
        assert choices == {"open_performance": "refused_by_silence"}
        assert state.mail_ended_at is None
        prepared = world.prepare(acme, world.mail_to(CHARLIE), CHARLIE)
        assert prepared.result.outcome.value == "prepared"
        assert prepared.opens.reason is Reason.REFUSED
        assert lapsing.lapse(acme.processing) == Lapsed()

    def test_the_operator_says_how_long_an_answer_may_take(self, acme, clock):
        asked(acme, CHARLIE, ago=14)
        assert lapsing.lapse(under(acme, silence_days=15).processing) == Lapsed()
        assert lapsing.lapse(under(acme, silence_days=14).processing) == Lapsed(silent=1)

    def test_a_house_policy_that_says_nothing_of_it_means_thirty_days(self, acme, clock):
        asked(acme, CHARLIE, ago=29)
        ours = under(acme)
        assert lapsing.lapse(ours.processing) == Lapsed()
        clock.move(DAY)
        assert lapsing.lapse(ours.processing) == Lapsed(silent=1)

    def test_an_answer_in_time_stands(self, acme):
        asked(acme, CHARLIE, ago=40)
        world.consents(acme, CHARLIE, [OPEN], ago=20)
        assert lapsing.lapse(acme.processing) == Lapsed()
        assert stands(acme, CHARLIE)[0]["open_performance"] == "given"


class TestKorea:
    """Every two years the person is asked again, and within 14 days they are told what became of their choice."""

    KOREAN = replace(OPERATOR, jurisdiction="KR")

    @pytest.fixture
    def seoul(self, acme, tmp_path):
        return replace(acme, policies=load_with_drafts(tmp_path))

    def gives(self, runtime, address, ago):
        with runtime.processing() as p:
            then = replace(p, now=p.now - ago)
            subject = knowing.obtain(then, 1, address, "en")
            consenting.grant(then, 1, subject, [OPEN], self.KOREAN)
        return subject

    def due(self, runtime):
        with runtime.reading() as p:
            return list(lapsing.due(p))

    @pytest.mark.law("CC-19")
    def test_the_result_is_due_at_14_days_and_the_reconfirmation_at_24_months(self, seoul, clock):
        subject = self.gives(seoul, CHARLIE, 0)
        by, again = NOW + 14 * DAY, months_later(NOW, 24)
        story = {}
        for moment in (by - 1, by, by + 14 * DAY, again - 1, again, again + 400 * DAY):
            clock.at = moment
            story[moment] = [(one.what, one.at) for one in self.due(seoul)]
        result, reconfirm = (What.RESULT_NOTICE, by), (What.RECONFIRM, again)
        assert list(story.values()) == [[], [result], [], [], [reconfirm], [reconfirm]]
        assert self.due(seoul) == [Due(What.RECONFIRM, 1, subject, OPEN, again)]

    def test_a_renewal_begins_two_new_years(self, seoul, clock):
        self.gives(seoul, CHARLIE, 0)
        clock.at = months_later(NOW, 24) + DAY
        assert len(self.due(seoul)) == 1
        self.gives(seoul, CHARLIE, 0)
        assert self.due(seoul) == []

    def test_whoever_chose_under_another_law_is_not_counted(self, seoul, clock):
        clock.at = months_later(NOW, 25)
        assert self.due(seoul) == [], "Alice consented under French law, which has no such clock"

    def test_the_worker_says_how_many(self, seoul, clock):
        self.gives(seoul, CHARLIE, 0)
        clock.at = months_later(NOW, 24)
        assert run_once(seoul, "clocks") == {"expired": 0, "silent": 0, "reconfirm_due": 1, "result_notice_due": 0}
