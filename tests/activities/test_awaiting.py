"""Waiting for answers: silence, what came of a wave, and links for the sender's own tool."""

from dataclasses import replace
from datetime import date

import pytest

from consent_track.activities import answering, awaiting, consenting, knowing, lapsing
from consent_track.domain.clocks import months_later
from consent_track.domain.errors import InputRefused
from consent_track.domain.observation import Signal
from consent_track.domain.vocabulary import Grade, TokenClass
from consent_track.records import consent, outbox
from tests import world
from tests.activities.asked import (
    BOTH,
    FRED,
    NOVEMBER,
    URL,
    WHY_NOT,
    delivered,
    history,
    outcomes,
    start,
    state,
    statuses,
    told_apart,
)
from tests.world import CHARLIE, OPERATOR


@pytest.fixture
def acme(acme):
    return told_apart(acme)


MONTH_LATER = world.NOW + 30 * world.DAY


def by_the_clock(runtime):
    """The worker's jobs: how many answers of silence entered the ledger, and how many questions are over."""
    lapsed = lapsing.lapse(runtime.processing, pause=0)
    return lapsed.silent, awaiting.close_over(runtime.processing)["over"]


class TestSilence:
    """CC-07: no answer is a no, once; the mail goes on; CC-09: and six months of peace begin."""

    @pytest.mark.law("CC-07", "CC-09")
    def test_after_thirty_days_silence_is_in_the_ledger_and_the_mail_goes_on(self, acme, clock):
        start(acme, CHARLIE)
        clock.at = MONTH_LATER - 1
        assert by_the_clock(acme) == (0, 0)
        clock.at = MONTH_LATER + 500
        assert by_the_clock(acme) == (2, 1)
        assert by_the_clock(acme) == (0, 0)
        assert set(statuses(acme, CHARLIE).values()) == {"refused_by_silence"}
        assert state(acme, CHARLIE).mail_ended_at is None
        last = history(acme, CHARLIE)[-1]
        assert (last["actor"], last["occurred_at"]) == ("system", MONTH_LATER)

    @pytest.mark.law("CC-09")
    def test_then_nobody_asks_for_six_months(self, acme, clock):
        start(acme, CHARLIE)
        clock.at = MONTH_LATER + 500
        by_the_clock(acme)
        again = months_later(MONTH_LATER, 6)
        clock.at = again - 1
        assert start(acme, CHARLIE, plan=replace(NOVEMBER, name="spring")).not_asked == {"silent": 1}
        clock.at = again
        assert start(acme, CHARLIE, plan=replace(NOVEMBER, name="spring")).asked == 1

    @pytest.mark.law("CC-10")
    def test_and_for_twelve_in_california(self, acme, clock):
        with acme.processing() as p:
            consenting.turn_off(p, 1, knowing.obtain(p, 1, CHARLIE), OPERATOR)
        again, plan = months_later(world.NOW, 12), replace(NOVEMBER, jurisdiction="US-CA")
        clock.at = again - world.DAY
        assert start(acme, CHARLIE, plan=plan).not_asked == {"refused": 1}
        clock.at = again
        assert start(acme, CHARLIE, plan=plan).asked == 1

    def test_whoever_answered_a_part_was_silent_about_the_rest(self, acme, clock):
        start(acme, CHARLIE)
        world.consents(acme, CHARLIE, BOTH[:1], ago=-60)
        clock.at = MONTH_LATER
        assert by_the_clock(acme) == (1, 1)
        assert statuses(acme, CHARLIE) == {"open_performance": "given", "click_performance": "refused_by_silence"}
        assert outcomes(acme) == {"yes": 1}

    def test_whoever_was_erased_meanwhile_leaves_nothing_behind(self, acme, clock):
        start(acme, CHARLIE, FRED)
        answering.erase(acme.processing, 1, CHARLIE, OPERATOR)
        clock.at = MONTH_LATER
        assert by_the_clock(acme) == (2, 1)
        assert outcomes(acme) == {"silent": 1, "gone": 1}
        assert start(acme, CHARLIE, plan=replace(NOVEMBER, name="spring")).not_asked == {"erased": 1}


class TestAYesThatIsTooWeak:
    """Who was moved in with a yes that the policy does not count may be asked, and is not measured meanwhile."""

    def test_the_old_yes_is_ended_before_the_question(self, acme):
        subject = world.consents(acme, FRED)
        with acme.processing() as p:
            found = consent.lock_state(p.session, 1, subject)
            weak = {one: replace(choice, grade=Grade.IMPORTED) for one, choice in found.choices.items()}
            consent.save_state(p.session, 1, subject, replace(found, choices=weak))
        assert start(acme, FRED).asked == 1
        told = [(event["purpose"], event["status"]) for event in history(acme, FRED)][2:]
        assert told == [(one.value, status) for one in BOTH for status in ("invalidated", "requested")]
        assert set(statuses(acme, FRED).values()) == {"requested"}
        with acme.reading() as p:
            due, bits = consent.erase_due(p.session, 1, subject)
        assert (due, bits) == (world.NOW + 7 * world.DAY, sum(one.bit for one in BOTH)), "what was measured goes"


class TestReport:
    """Counts, in which everybody who was asked stands once."""

    def test_every_outcome(self, acme, clock):
        names = ["yes", "no", "objects", "unsubscribes", "signals", "silent", "lost", "erased"]
        start(acme, *(f"{name}@example.org" for name in names))
        clock.move(100)
        world.consents(acme, "yes@example.org", BOTH[:1], ago=0)
        acts = {"no": consenting.turn_off, "objects": consenting.object_to, "unsubscribes": consenting.end_mail}
        with acme.processing() as p:
            for name, act in acts.items():
                act(p, 1, knowing.find(p, 1, f"{name}@example.org"), OPERATOR)
            who = knowing.find(p, 1, "signals@example.org")
            consenting.record_signal(p, tracking_signal(who, p.now))
            lost = knowing.find(p, 1, "lost@example.org")
            flow = next(one for one in outbox.due(p.session, p.now, 100) if one.subject == lost)
            outbox.give_up(p.session, 1, flow.id, p.now)
        answering.erase(acme.processing, 1, "erased@example.org", OPERATOR)
        assert outcomes(acme) == {"yes": 1, "no": 4, "open": 2, "gone": 1}
        by_the_clock(acme)
        assert outcomes(acme) == {"yes": 1, "no": 4, "open": 1, "undeliverable": 1, "gone": 1}
        clock.at = MONTH_LATER
        assert outcomes(acme) == {"yes": 1, "no": 4, "silent": 1, "undeliverable": 1, "gone": 1}
        by_the_clock(acme)
        assert outcomes(acme) == {"yes": 1, "no": 4, "silent": 1, "undeliverable": 1, "gone": 1}

    def test_a_later_withdrawal_does_not_rewrite_what_a_wave_came_to(self, acme, clock):
        start(acme, CHARLIE)
        world.consents(acme, CHARLIE, BOTH, ago=-10)
        clock.at = MONTH_LATER
        by_the_clock(acme)
        world.withdraws(acme, CHARLIE)
        assert outcomes(acme) == {"yes": 1}

    def test_a_wave_that_was_never_begun(self, acme):
        with pytest.raises(InputRefused, match="never begun"):
            awaiting.report(acme.reading, 1, "december")

    def test_why_others_were_not_asked_comes_from_the_last_whole_run(self, acme):
        start(acme)
        start(acme)
        assert awaiting.report(acme.reading, 1, "november").not_asked == WHY_NOT


def tracking_signal(subject, now):

    return Signal(1, subject, "FR", now // world.DAY)


class TestLinks:
    """Merge fields for the sender's own tool: those who may still answer, and nobody else."""

    PLAN = replace(NOVEMBER, send=False)

    def test_the_links_of_whoever_may_still_answer(self, acme):
        start(acme, CHARLIE, FRED, plan=self.PLAN)
        assert delivered(acme) == []
        with acme.processing() as p:
            consenting.end_mail(p, 1, knowing.find(p, 1, FRED), OPERATOR)
        [link] = awaiting.links(acme.reading, 1, "november", URL)
        assert link.address == CHARLIE
        assert link.answer_by == date(2026, 12, 18)
        assert link.yes.startswith(URL + "/p/")
        assert link.yes.removesuffix("#yes") == link.no.removesuffix("#no")
        facts = acme.tokens.open(TokenClass.PREFERENCE, link.yes.removeprefix(URL + "/p/").removesuffix("#yes"))
        with acme.reading() as p:
            assert facts.subject == knowing.find(p, 1, CHARLIE)

    def test_after_thirty_days_there_is_nothing_left_to_answer(self, acme, clock):
        start(acme, CHARLIE, plan=self.PLAN)
        clock.at = MONTH_LATER
        assert list(awaiting.links(acme.reading, 1, "november", URL)) == []
