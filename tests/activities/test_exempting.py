"""The two exempt modes, from the mail to what comes out: Charlie is on the list and never said, Bob withdrew.

The operator has recorded both notices. Dora is on the list in Italy.
"""

import json
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import insert

from consent_track.activities import answering, consenting, exempting, knowing, retaining
from consent_track.bundled import bundled
from consent_track.collector.app import Collector
from consent_track.domain.errors import ConfigurationRefused, InputRefused, StorageUnavailable
from consent_track.domain.exempt import Opened
from consent_track.domain.observation import Signal, TokenFlag
from consent_track.domain.vocabulary import MailType, Purpose, TokenClass
from consent_track.mail.headers import Declared
from consent_track.records import datamap, exempt, mailing
from consent_track.records.database import read
from consent_track.records.tables import Store
from tests import world
from tests.world import ALICE, BOB, CHARLIE, DAY, NOW, OPERATOR, mail_to, prepare

HYGIENE, COUNT = Purpose.DELIVERABILITY_HYGIENE, Purpose.AGGREGATE_COUNT
FRENCH = world.NEWSLETTER
ITALIAN = Declared(MailType.REQUESTED_NEWSLETTER, "IT", "en", "novembre", audience=1_000)
PIXEL = re.compile(rb'<img src="https://mail\.acme\.example/o/([A-Za-z0-9_-]+)"')
TODAY = date(2026, 11, 18)
NEWS = MailType.REQUESTED_NEWSLETTER


def tell(home, *modes):
    """The operator's own house policy, with the notices that turn these modes on."""
    (home / "policies").mkdir(parents=True, mode=0o700)
    shipped = (bundled("policies") / "house.toml").read_text()
    lines = "".join(f'{mode} = "https://acme.example/privacy, version of 2026-11-01"\n' for mode in modes)
    (home / "policies" / "house.toml").write_text(shipped.replace("[notices]\n", f"[notices]\n{lines}"))


def on_the_list(runtime, *addresses, ago=400 * DAY):
    """They asked for the newsletter long ago; nobody asked them about measuring."""
    for address in addresses:
        with runtime.processing() as p:
            then = replace(p, now=p.now - ago)
            subject = knowing.obtain(then, 1, address, "en")
            consenting.welcome(then, 1, subject, OPERATOR)


@pytest.fixture
def acme(tmp_path, clock, database_urls):
    tell(tmp_path / "home", HYGIENE, COUNT)
    runtime = world.populated(tmp_path / "home", clock=clock, databases=database_urls)
    on_the_list(runtime, CHARLIE)
    yield runtime
    runtime.database.close()


def pixels(data):
    return [token.decode() for token in PIXEL.findall(data.replace(b"=\r\n", b""))]


def who(runtime, address):
    with runtime.reading() as p:
        return knowing.find(p, 1, address)


def held(runtime, address):
    with runtime.reading() as p:
        subject = knowing.find(p, 1, address)
        return exempting.last_open(p, 1, subject) if subject else None


def opens(runtime, address, day=TODAY):
    """What the collector hands over after an open."""
    runtime.keep_exempt({(1, who(runtime, address)): Opened(day, NEWS, "FR")}, {})


def rows_of_exempt(runtime):
    with read(runtime.database.exempt_engine) as session:
        return {
            table.name: session.connection().execute(table.select()).all()
            for table in Store.EXEMPT.metadata.tables.values()
        }


class TestMails:
    @pytest.mark.law("DI-01", "DI-08")
    def test_charlies_mail_has_one_exempt_pixel_and_says_so(self, acme):
        done = prepare(acme, mail_to(CHARLIE), CHARLIE)
        (token,) = pixels(done.result.data)
        facts = acme.tokens.open(TokenClass.OPEN, token)
        assert (facts.purposes, facts.message, facts.flags) == (HYGIENE.bit, 0, TokenFlag.NONE)
        assert facts.subject == who(acme, CHARLIE)
        text = done.result.data.decode().replace("\r\n", " ")
        sentence = (
            "Acme keeps only the last day (no time) you opened one of its emails, to stop writing to unused addresses."
        )
        assert text.count(sentence) == 2
        assert text.count("Turn this off too") == 2
        assert b"/c/" not in done.result.data

    def test_the_register_says_the_purpose(self, acme):
        row = prepare(acme, mail_to(CHARLIE), CHARLIE).row
        assert row.purposes == HYGIENE.bit
        assert json.loads(row.decisions)[HYGIENE] == "exempt"
        with acme.reading() as p:
            assert mailing.find(p.session, 1, row.message).purposes == HYGIENE.bit

    def test_alice_is_measured_with_her_consent_and_by_nothing_else(self, acme):
        done = prepare(acme, mail_to(ALICE), ALICE)
        (token,) = pixels(done.result.data)
        assert acme.tokens.open(TokenClass.OPEN, token).purposes == Purpose.OPEN_PERFORMANCE.bit
        assert HYGIENE not in json.loads(done.row.decisions), "not even asked"

    def test_whoever_lets_clicks_be_measured_gets_no_exempt_pixel_beside_them(self, acme):
        world.consents(acme, CHARLIE, [Purpose.CLICK_PERFORMANCE])
        for said in (FRENCH, ITALIAN):
            done = prepare(acme, mail_to(CHARLIE), CHARLIE, said)
            assert b"/c/" in done.result.data
            assert b"/o/" not in done.result.data
            assert not {HYGIENE, COUNT} & json.loads(done.row.decisions).keys()

    @pytest.mark.law("WD-04")
    def test_bob_withdrew_and_gets_no_pixel_of_any_kind(self, acme):
        for said in (FRENCH, ITALIAN):
            done = prepare(acme, mail_to(BOB), BOB, said)
            assert b"/o/" not in done.result.data
            assert b"does not record if you open this email" in done.result.data.replace(b"\r\n", b" ")

    @pytest.mark.law("CC-17")
    def test_only_where_the_law_exempts_it(self, acme):
        for place, mail_type in (("IT", NEWS), ("DE", NEWS), ("FR", MailType.SOFT_OPT_IN), ("", NEWS)):
            data = prepare(acme, mail_to(CHARLIE), CHARLIE, Declared(mail_type, place, "en", "november")).result.data
            assert b"/o/" not in data, (place, mail_type)

    def test_a_mail_that_may_be_measured_by_others_has_no_exempt_pixel(self, acme):
        """What may not be the only measuring must not say that it is; and a stranger's pixel goes as for a refuser."""
        stranger = mail_to(CHARLIE, html='<body><img src="https://esp.example/open/x.gif" width="1" height="1"></body>')
        data = prepare(acme, stranger, CHARLIE).result.data
        assert b"esp.example" not in data
        assert len(pixels(data)) == 1
        settings = replace(acme.mail_settings(), path_is_clean=False)
        with acme.processing() as p:
            unsure = exempt_of(p, settings)
        assert b"/o/" not in unsure.result.data
        assert json.loads(unsure.row.decisions)[HYGIENE] == "condition_unmet"

    def test_a_sender_that_names_other_purposes_gets_no_other(self, acme):
        only = replace(FRENCH, purposes=frozenset({Purpose.OPEN_PERFORMANCE}))
        assert b"/o/" not in prepare(acme, mail_to(CHARLIE), CHARLIE, only).result.data

    def test_a_store_that_cannot_be_read_stops_no_mail_and_counts_nothing(self, acme, monkeypatch):
        on_the_list(acme, "dora@example.org")

        def down(*_):
            raise StorageUnavailable

        monkeypatch.setattr(exempt, "find", down)
        assert b"/o/" not in prepare(acme, mail_to("dora@example.org"), "dora@example.org", ITALIAN).result.data


def exempt_of(p, settings):
    from consent_track.activities import mailing as preparing

    return preparing.prepare(p, settings, mail_to(CHARLIE), CHARLIE, FRENCH)


@pytest.mark.law("DI-01", "TI-07")
def test_as_shipped_no_mail_has_an_exempt_pixel(tmp_path, clock, database_urls):
    runtime = world.populated(tmp_path / "home", clock=clock, databases=database_urls)
    on_the_list(runtime, CHARLIE)
    for said in (FRENCH, ITALIAN):
        assert b"/o/" not in prepare(runtime, mail_to(CHARLIE), CHARLIE, said).result.data
    assert set(map(len, rows_of_exempt(runtime).values())) == {0}
    runtime.database.close()


@pytest.mark.law("AH-14")
def test_with_postgresql_the_modes_need_a_role_of_their_own(tmp_path, clock, postgresql_urls):
    tell(tmp_path / "home", HYGIENE)
    main, keyring, _ = postgresql_urls
    with pytest.raises(ConfigurationRefused, match="exempt_url: is missing: exempt modes need a PostgreSQL role"):
        world.installation(tmp_path / "home", clock=clock, databases=(main, keyring, main + "&application_name=x"))


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


def everything(runtime):
    with read(runtime.database.engine) as session:
        return {
            table.name: session.connection().execute(table.select()).all()
            for table in Store.MAIN.metadata.tables.values()
        }


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


class TestCount:
    READERS = [f"reader{number}@example.org" for number in range(60)]

    @pytest.mark.law("TI-06", "DI-08")
    def test_one_url_for_everybody_whenever_their_mail_was_prepared(self, acme, clock):
        on_the_list(acme, *self.READERS[:12])
        found = set()
        for address in self.READERS[:12]:
            data = prepare(acme, mail_to(address), address, ITALIAN).result.data
            found.update(pixels(data))
            assert b"/c/" not in data, "and no other measuring URL"
            clock.move(3_601)
        assert len(found) == 1
        assert b"Acme counts how often this email is opened in total. It cannot see who opened it." in data
        assert b"Turn this off" not in data
        facts = acme.tokens.open(TokenClass.OPEN, found.pop())
        assert (facts.subject, facts.flags, facts.purposes) == (0, TokenFlag.AGGREGATE, COUNT.bit)
        assert facts.message == exempting.campaign_reference(1, "novembre")

    def test_another_campaign_another_url_and_another_kind_of_mail_none(self, acme):
        def pixel(**changes):
            return pixels(prepare(acme, mail_to(CHARLIE), CHARLIE, replace(ITALIAN, **changes)).result.data)

        first, second = pixel(), pixel(campaign="dicembre")
        assert len(first) == len(second) == 1
        assert first != second
        assert pixel(mail_type=MailType.SOFT_OPT_IN) == [], "the pixel of this campaign is another one"
        assert pixel(mail_type=MailType.SOFT_OPT_IN, campaign="gennaio") != []

    @pytest.mark.law("TI-06")
    @pytest.mark.parametrize(
        "said", [{"audience": 0}, {"audience": 1}, {"audience": 49}, {"campaign": ""}], ids=lambda said: str(said)
    )
    def test_a_campaign_of_few_or_without_a_name_has_no_pixel(self, acme, said):
        done = prepare(acme, mail_to(CHARLIE), CHARLIE, replace(ITALIAN, **said))
        assert b"/o/" not in done.result.data
        assert json.loads(done.row.decisions)[COUNT] == "audience_too_small"
        assert rows_of_exempt(acme)["campaign_count"] == []

    def test_the_pixel_is_given_up_when_its_token_is_old(self, acme, clock):
        assert len(pixels(prepare(acme, mail_to(CHARLIE), CHARLIE, ITALIAN).result.data)) == 1
        clock.move(91 * DAY)
        assert pixels(prepare(acme, mail_to(CHARLIE), CHARLIE, ITALIAN).result.data) == []

    @pytest.mark.law("AH-08", "TI-06")
    def test_ten_readers_are_ten_and_no_other_table_is_touched(self, acme):
        on_the_list(acme, *self.READERS)
        for address in self.READERS:
            prepare(acme, mail_to(address), address, ITALIAN)
        reference = exempting.campaign_reference(1, "novembre")
        before = everything(acme)
        acme.keep_exempt({}, {(1, reference): 10})
        assert everything(acme) == before
        with acme.reading() as p:
            assert exempting.count(p, 1, "novembre") == exempting.Counted(10, 60)
            with pytest.raises(InputRefused, match="is not counted"):
                exempting.count(p, 1, "dicembre")

    @pytest.mark.law("TI-06")
    def test_a_sender_that_declared_more_people_than_it_wrote_to_sees_nothing(self, acme):
        """Decision 13: a campaign of one is individual tracking, whatever was said of it."""
        prepare(acme, mail_to(CHARLIE), CHARLIE, ITALIAN)
        acme.keep_exempt({}, {(1, exempting.campaign_reference(1, "novembre")): 12})
        with acme.reading() as p:
            counted = exempting.count(p, 1, "novembre")
        assert counted == exempting.Counted(None, 1, "fewer than 50 people got it")

    def test_a_small_count_is_not_shown(self, acme):
        on_the_list(acme, *self.READERS)
        for address in self.READERS:
            prepare(acme, mail_to(address), address, ITALIAN)
        with acme.reading() as p:
            assert exempting.count(p, 1, "novembre") == exempting.Counted(None, 60, "fewer than 10")

    def test_the_name_of_a_campaign_means_another_for_another_controller(self):
        assert exempting.campaign_reference(1, "x") != exempting.campaign_reference(2, "x")
        assert 0 < exempting.campaign_reference(1, "x") < 1 << 63
