"""List hygiene, from an open to what comes out: one date of a person, and who has not opened since a day."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from consent_track.activities import answering, consenting, exempting, retaining
from consent_track.collector.app import Collector
from consent_track.domain.errors import InputRefused
from consent_track.domain.exempt import Opened
from consent_track.domain.observation import Signal
from consent_track.domain.vocabulary import Purpose
from consent_track.records import datamap
from consent_track.records.tables import Store
from tests import world
from tests.activities.exempt_stage import (
    NEWS,
    TODAY,
    everything,
    held,
    on_the_list,
    opens,
    pixels,
    rows_of_exempt,
    who,
)
from tests.world import BOB, CHARLIE, DAY, NOW, OPERATOR, mail_to, prepare


@pytest.fixture
def acme(told):
    return told


class TestHygiene:
    @pytest.mark.law("AH-07", "RT-02")
    def test_three_opens_on_two_days_change_one_date_and_no_other_table(self, acme):
        before = everything(acme)
        for day in (TODAY, TODAY, TODAY + timedelta(days=1), TODAY):
            opens(acme, CHARLIE, day)
        assert held(acme, CHARLIE) == TODAY + timedelta(days=1)
        found = rows_of_exempt(acme)
        assert found["last_open"] == [(1, who(acme, CHARLIE), TODAY + timedelta(days=1))]
        assert everything(acme) == before, "nothing in any table of the main database, no count, no audit"

    def test_an_open_goes_through_the_collector_to_one_date(self, acme):
        (token,) = pixels(prepare(acme, mail_to(CHARLIE), CHARLIE).result.data)
        acme.view.poll_once()
        collector = Collector(lambda *_: [], acme.collector())
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/o/{token}", "HTTP_HOST": "mail.acme.example"}
        environ |= {"REMOTE_ADDR": "203.0.113.9", "HTTP_USER_AGENT": "Sonderbar/7.7"}
        collector(environ, lambda *_: None)
        assert held(acme, CHARLIE) is None, "in memory"
        collector.close()
        assert held(acme, CHARLIE) == TODAY
        assert world.stored(acme) == 0
        assert not list((acme.config.spool_dir).rglob("*.seg*"))

    @pytest.mark.law("WD-04")
    def test_nothing_is_written_after_an_acknowledged_withdrawal(self, acme):
        world.withdraws(acme, CHARLIE)
        opens(acme, CHARLIE)
        opens(acme, BOB)
        assert held(acme, CHARLIE) is held(acme, BOB) is None

    ENDS = {
        "all off": lambda p, who: consenting.turn_off(p, 1, who, OPERATOR),
        "one off": lambda p, who: consenting.turn_off(p, 1, who, OPERATOR, frozenset({Purpose.OPEN_PERFORMANCE})),
        "objection": lambda p, who: consenting.object_to(p, 1, who, OPERATOR),
        "unsubscribed": lambda p, who: consenting.end_mail(p, 1, who, OPERATOR),
    }

    @pytest.mark.law("WD-05")
    @pytest.mark.parametrize("end", ENDS)
    def test_a_no_ends_it_at_once_and_the_date_goes_on_the_day_that_is_shown(self, acme, clock, end):
        opens(acme, CHARLIE)
        with acme.processing() as p:
            done = self.ENDS[end](p, who(acme, CHARLIE))
        assert done.erase_on == TODAY + timedelta(days=7)
        opens(acme, CHARLIE, TODAY + timedelta(days=1))
        assert held(acme, CHARLIE) == TODAY, "silenced"
        assert retaining.forget_ended_hygiene(acme.processing) == 0, "it waits: a forwarded link destroys nothing"
        retaining.erase_withdrawn(acme.processing)
        assert held(acme, CHARLIE) == TODAY
        clock.move(7 * DAY)
        retaining.erase_withdrawn(acme.processing)
        assert held(acme, CHARLIE) is None

    def test_whoever_had_no_date_is_told_of_no_erasure(self, acme):
        with acme.processing() as p:
            assert consenting.turn_off(p, 1, who(acme, CHARLIE), OPERATOR).erase_on is None

    def test_a_signal_silences_and_does_not_erase(self, acme):
        opens(acme, CHARLIE)
        with acme.processing() as p:
            consenting.record_signal(p, Signal(1, who(acme, CHARLIE), "FR", NOW // DAY))
        opens(acme, CHARLIE, TODAY + timedelta(days=1))
        assert retaining.forget_ended_hygiene(acme.processing) == 0
        assert held(acme, CHARLIE) == TODAY

    @pytest.mark.law("RT-02")
    def test_what_ended_by_another_way_goes_too(self, acme):
        """A row of somebody who is gone, as a restored backup would hold it."""
        opens(acme, CHARLIE)
        with acme.database.exempt_engine.begin() as connection:
            row = {"controller_id": 1, "subject": 4_242, "day": TODAY}
            connection.execute(insert(Store.EXEMPT.metadata.tables["last_open"]), row)
        assert retaining.forget_ended_hygiene(acme.processing) == 1
        assert [row.subject for row in rows_of_exempt(acme)["last_open"]] == [who(acme, CHARLIE)]

    @pytest.mark.law("AH-11", "RT-02")
    def test_it_is_erased_with_the_person_and_does_not_come_back(self, acme):
        opens(acme, CHARLIE)
        charlie = who(acme, CHARLIE)
        erased = answering.erase(acme.processing, 1, CHARLIE, OPERATOR)
        assert erased.deleted["last_open"] == 1
        acme.keep_exempt({(1, charlie): Opened(TODAY, NEWS, "FR")}, {})
        assert rows_of_exempt(acme)["last_open"] == []

    @pytest.mark.law("RT-02")
    def test_the_purge_takes_it_by_its_class_and_says_so(self, acme, clock):
        opens(acme, CHARLIE)
        clock.move(397 * DAY)
        would = {one.table: one.count for one in retaining.purge(acme.processing, dry_run=True)}
        assert would["last_open"] == 1
        done = {one.table: one.count for one in retaining.purge(acme.processing)}
        assert done["last_open"] == 1
        assert held(acme, CHARLIE) is None

    def test_the_page_and_the_access_know_of_it(self, acme):
        charlie = who(acme, CHARLIE)
        with acme.reading() as p:
            assert exempting.hygiene(p, 1, charlie, "FR") == exempting.Hygiene(True, None)
            assert exempting.hygiene(p, 1, charlie, "IT") == exempting.Hygiene(False, None)
        opens(acme, CHARLIE)
        with acme.reading() as p, p.session_of(Store.EXEMPT) as session:
            assert exempting.hygiene(p, 1, charlie, "FR") == exempting.Hygiene(True, TODAY)
            assert datamap.collect(session, 1, charlie, Store.EXEMPT)["last_open"][0]["day"] == TODAY
        world.withdraws(acme, CHARLIE)
        with acme.reading() as p:
            assert exempting.hygiene(p, 1, charlie, "FR") == exempting.Hygiene(False, TODAY)


@pytest.mark.law("CC-17")
class TestInactive:
    """Mailed before the day and after it, and no open since: Erin. The others were active, new, or said no."""

    @pytest.fixture
    def list_(self, acme, clock):
        people = ["carol@example.org", "erin@example.org", "frank@example.org"]
        on_the_list(acme, *people)
        for address in [CHARLIE, *people]:
            prepare(acme, mail_to(address), address)
        opens(acme, CHARLIE)
        opens(acme, people[0])
        clock.move(100 * DAY)
        on_the_list(acme, "new@example.org", ago=0)
        for address in [CHARLIE, *people, "new@example.org"]:
            prepare(acme, mail_to(address), address)
        opens(acme, CHARLIE, TODAY + timedelta(days=100))
        return acme

    def inactive(self, runtime, since):
        with runtime.reading() as p:
            return sorted(exempting.inactive(p, 1, since))

    def test_who_is_inactive(self, list_):
        since = TODAY + timedelta(days=30)
        assert self.inactive(list_, since) == ["carol@example.org", "erin@example.org", "frank@example.org"]
        world.withdraws(list_, "frank@example.org")
        assert self.inactive(list_, since) == ["carol@example.org", "erin@example.org"], "a no ends this use, too"

    def test_a_mail_alone_proves_nothing(self, list_):
        assert self.inactive(list_, TODAY + timedelta(days=101)) == [], "nobody was mailed since"

    def test_dates_that_do_not_reach_back_call_nobody_inactive(self, list_):
        with list_.reading() as p, pytest.raises(InputRefused, match="dates are kept since 2026-11-18 only"):
            list(exempting.inactive(p, 1, TODAY - timedelta(days=1)))

    def test_a_store_that_was_lost_calls_nobody_inactive(self, list_):
        with list_.database.exempt_engine.begin() as connection:
            for table in ("last_open", "days_kept"):
                connection.execute(Store.EXEMPT.metadata.tables[table].delete())
        with list_.reading() as p, pytest.raises(InputRefused, match="no open was ever kept"):
            list(exempting.inactive(p, 1, TODAY + timedelta(days=30)))
