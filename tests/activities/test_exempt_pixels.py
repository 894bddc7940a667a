"""The pixel of an exempt mode: in whose mail it stands, what the mail says of it, and the count of a campaign."""

import json
from dataclasses import replace

import pytest

from consent_track.activities import exempting
from consent_track.domain.errors import ConfigurationRefused, InputRefused, StorageUnavailable
from consent_track.domain.observation import TokenFlag
from consent_track.domain.vocabulary import MailType, Purpose, TokenClass
from consent_track.mail.headers import Declared
from consent_track.records import exempt, mailing
from tests import world
from tests.activities.exempt_stage import (
    COUNT,
    FRENCH,
    HYGIENE,
    ITALIAN,
    NEWS,
    everything,
    on_the_list,
    pixels,
    rows_of_exempt,
    tell,
    who,
)
from tests.world import ALICE, BOB, CHARLIE, DAY, mail_to, prepare


@pytest.fixture
def acme(told):
    return told


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
