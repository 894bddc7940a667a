"""What a hit leaves behind: one frame if the person allowed it, and otherwise nothing but a count."""

import logging
from dataclasses import replace
from datetime import date

import pytest
from collector_stage import (
    ACME,
    ALICE,
    BOB,
    CHARLIE,
    CHROME,
    DAY,
    DORA,
    ERIN,
    GRACE,
    NOW,
    PEOPLE,
    RETIRED,
    TOKENS,
    Stage,
    flipped,
    link,
    pixel,
)  # fmt: skip

from consent_track.collector.consent_view import ConsentView
from consent_track.collector.networks import Networks
from consent_track.collector.proxies import TrustedProxies
from consent_track.crypto.pseudonyms import network_pseudonym
from consent_track.domain.engagement import Clue, Engagement
from consent_track.domain.observation import Observation, TokenFlag, Verdict
from consent_track.domain.vocabulary import HitKind, MailType, Purpose


class TestAllowed:
    def test_alices_open_is_one_frame_with_everything_the_drain_needs_and_nothing_else(self, stage):
        stage.ask(pixel(ALICE))
        assert stage.frames() == [
            Observation(
                HitKind.OPEN, ACME, ALICE, 9_000_001, NOW, NOW - DAY, Purpose.OPEN_PERFORMANCE.bit,
                MailType.REQUESTED_NEWSLETTER.number, "FR", 0xC0FFEE, 0, 0,
                Verdict(Engagement.HUMAN_LIKELY, Clue.BROWSER, 1),
                network_pseudonym(b"k" * 32, ACME, "198.51.100.7"),
            )
        ]  # fmt: skip

    def test_alices_click_names_its_link(self, stage):
        stage.ask(link(ALICE))
        (hit,) = stage.hits()
        assert (hit.kind, hit.link, hit.purposes) == (HitKind.CLICK, 3, Purpose.CLICK_PERFORMANCE.bit)

    def test_a_sensitive_mails_open_keeps_its_flag_for_the_drain_and_its_click_is_declined(self, stage):
        stage.ask(pixel(ALICE, flags=TokenFlag.SENSITIVE))
        stage.ask(link(ALICE, flags=TokenFlag.SENSITIVE))
        assert [(hit.kind, hit.flags) for hit in stage.hits()] == [(HitKind.OPEN, TokenFlag.SENSITIVE)]
        assert stage.declined() == {"sensitive_mail": 1}

    def test_the_scope_of_the_token_is_never_widened_by_a_later_consent(self, stage):
        stage.ask(pixel(ALICE, purposes=Purpose.CLICK_PERFORMANCE.bit))
        assert stage.frames() == []
        assert stage.declined() == {"out_of_scope": 1}

    def test_no_address_token_or_user_agent_stands_in_the_spool(self, stage):
        path = pixel(ALICE)
        stage.ask(path, agent="Sonderbar/7.7", REMOTE_ADDR="203.0.113.99")
        octets = stage.octets()
        assert len(stage.hits()) == 1
        for private in (path[3:].encode(), path[3:23].encode(), b"Sonderbar", b"203.0.113", bytes([203, 0, 113])):
            assert private not in octets


class TestDeclined:
    # who or what · the reason counted
    CASES = [
        (lambda: pixel(BOB), "withdrawn"),
        (lambda: link(BOB), "withdrawn"),
        (lambda: pixel(CHARLIE), "no_consent"),
        (lambda: pixel(DORA), "objected"),
        (lambda: pixel(GRACE), "signal"),
        (lambda: pixel(ERIN), "no_consent"),
        (lambda: pixel(ALICE, issued_at=NOW - 91 * DAY), "token_expired"),
        (lambda: link(ALICE, issued_at=NOW - 91 * DAY), "token_expired"),
        (lambda: pixel(ALICE, issued_at=NOW + 2 * DAY), "issued_in_the_future"),
        (lambda: pixel(ALICE, mail_type=None), "policy_missing"),
        (lambda: pixel(ALICE, mail_type=MailType.CONSENT_REQUEST), "consent_request_mail"),
        (lambda: pixel(ALICE, purposes=0), "out_of_scope"),
    ]

    @pytest.mark.law("AH-01", "AH-11", "TI-09")
    @pytest.mark.parametrize(("path", "reason"), CASES, ids=[reason for _, reason in CASES])
    def test_a_declined_hit_leaves_a_count_and_no_file_no_frame_no_log_line(self, stage, caplog, path, reason):
        with caplog.at_level(logging.DEBUG):
            stage.ask(path())
        assert not stage.folder.exists()
        assert caplog.records == []
        assert stage.declined() == {reason: 1}

    # genuine, but without any power here: not even counted
    POWERLESS = {
        "retired key": (lambda: pixel(ALICE), {"tokens": RETIRED}),
        "campaign token": (lambda: pixel(ALICE, flags=TokenFlag.AGGREGATE), {}),
        "flag of a later version": (lambda: pixel(ALICE, flags=TokenFlag(4)), {}),
        "later flag, sensitive": (lambda: pixel(ALICE, flags=TokenFlag(6)), {}),
        "nobody's token": (lambda: pixel(0), {}),
        "forged": (lambda: flipped(pixel(ALICE)), {}),
        "another class": (lambda: "/o/" + link(ALICE)[3:], {}),
        "nonsense": (lambda: "/o/nonsense", {}),
    }

    @pytest.mark.parametrize("name", POWERLESS)
    def test_a_token_without_power_leaves_nothing_at_all(self, stage, name):
        path, changes = self.POWERLESS[name]
        stage.rebuild(**changes).ask(path())
        assert not stage.folder.exists()
        assert stage.declined() == {}

    @pytest.mark.law("AH-01", "WD-04")
    def test_bob_opened_withdrew_and_opened_again(self, stage, caplog):
        stage.choices.change(BOB, PEOPLE[ALICE])
        stage.view.poll_once()
        stage.ask(pixel(BOB))
        assert len(stage.hits()) == 1

        stage.choices.change(BOB, PEOPLE[BOB])
        stage.view.poll_once()
        stage.now += 3_600
        stage.view.poll_once()
        with caplog.at_level(logging.DEBUG):
            stage.ask(pixel(BOB))
        assert len(stage.hits()) == 1
        assert caplog.records == []

    @pytest.mark.law("AH-11")
    def test_erins_old_pixel_and_link_bring_nothing_of_her_back(self, stage):
        stage.choices.change(ALICE, None)  # erased just now
        stage.view.poll_once()
        before = stage.choices.states.copy()
        stage.ask(pixel(ALICE))
        stage.ask(link(ALICE))
        assert stage.frames() == []
        assert stage.choices.states == before

    def test_an_error_of_ours_is_logged_by_its_type_only(self, stage, caplog):
        def observe(*_):
            raise RuntimeError(f"about {pixel(ALICE)}")

        answer = stage.rebuild(observe=observe).ask(pixel(ALICE))
        assert answer.status == "200 OK"
        assert stage.collector.stumbles == 1
        assert [record.getMessage() for record in caplog.records] == ["a hit was not recorded: RuntimeError"]
        assert caplog.records[0].exc_info is None


class TestTheStoreIsDown:
    @pytest.mark.law("AH-03")
    def test_a_view_that_is_fresh_enough_still_records_and_an_old_one_does_not(self, stage):
        stage.choices.down = True
        stage.now += 300
        stage.ask(pixel(ALICE))
        assert len(stage.hits()) == 1
        stage.now += 1
        assert stage.ask(link(ALICE)).status == "302 Found"
        assert len(stage.hits()) == 1
        assert stage.declined() == {"state_unavailable": 1}

    @pytest.mark.law("AH-03")
    def test_before_the_first_reading_nothing_is_recorded(self, stage):
        stage.choices.down = True
        stage.rebuild(view=ConsentView(stage.choices.read_all, stage.choices.read_changes, lambda: float(NOW)))
        assert stage.ask(link(ALICE)).status == "302 Found"
        assert stage.ask(pixel(ALICE)).status == "200 OK"
        assert not stage.folder.exists()
        assert stage.declined() == {"state_unavailable": 2}


class TestRequestsThatAreNoHits:
    @pytest.mark.law("AH-13")
    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "get"])
    def test_only_get_records(self, stage, method):
        stage.ask(pixel(ALICE), method)
        stage.ask(link(ALICE), method)
        assert not stage.folder.exists()
        assert stage.declined() == {}

    AHEAD = """
        HTTP_SEC_PURPOSE   prefetch
        HTTP_SEC_PURPOSE   prefetch;prerender
        HTTP_SEC_PURPOSE   prefetch;anonymous-client-ip
        HTTP_PURPOSE       prefetch
        HTTP_PURPOSE       Preview
        HTTP_X_PURPOSE     preview
        HTTP_X_MOZ         prefetch
        HTTP_SEC_PURPOSE   prerender
    """

    @pytest.mark.law("AH-13")
    @pytest.mark.parametrize("line", AHEAD.strip().splitlines())
    def test_a_fetch_ahead_of_a_reader_is_answered_and_not_recorded(self, stage, line):
        name, value = line.split()
        assert stage.ask(link(ALICE), **{name: value}) == stage.ask(link(BOB))
        assert stage.frames() == []

    def test_other_purposes_are_not_taken_for_it(self, stage):
        stage.ask(pixel(ALICE), HTTP_SEC_PURPOSE="navigate", HTTP_X_MOZ="livebookmarks")
        assert len(stage.hits()) == 1


class TestAddresses:
    @pytest.mark.law("IP-04")
    def test_the_key_of_the_day_is_not_even_asked_for_unless_the_hit_is_allowed(self, stage):
        for case, _ in TestDeclined.CASES:
            stage.ask(case())
        for path, changes in TestDeclined.POWERLESS.values():
            stage.rebuild(**changes).ask(path())
        stage.rebuild(tokens=TOKENS)
        stage.ask(pixel(ALICE), "HEAD")
        stage.ask(pixel(ALICE), HTTP_SEC_GPC="1")
        assert stage.day_keys.asked == []
        stage.ask(pixel(ALICE))
        assert stage.day_keys.asked == [date(2026, 11, 23)]

    def test_the_pseudonym_is_of_the_day_the_hit_was_made(self, stage):
        stage.now = NOW + 12 * 3_600 - 1
        stage.view.poll_once()
        stage.ask(pixel(ALICE))
        stage.now += 1
        stage.ask(pixel(ALICE))
        assert stage.day_keys.asked == [date(2026, 11, 23), date(2026, 11, 24)]

    @pytest.mark.law("IP-03")
    def test_a_process_that_sleeps_through_midnight_does_not_keep_yesterdays_key(self, stage):
        stage.collector._tidy()
        assert stage.day_keys.asked == []
        stage.ask(pixel(ALICE))
        stage.now += 12 * 3_600
        stage.collector._tidy()
        stage.collector._tidy()
        assert stage.day_keys.asked == [date(2026, 11, 23), date(2026, 11, 24)]

    @pytest.mark.law("IP-07")
    def test_a_forwarded_address_counts_only_behind_a_proxy_of_ours(self, stage):
        def network(**environ):
            stage.now += 60
            stage.ask(pixel(ALICE), **environ)
            return stage.hits()[-1].network

        spoofed = {"REMOTE_ADDR": "198.51.100.7", "HTTP_X_FORWARDED_FOR": "203.0.113.5"}
        assert network(**spoofed) == network_pseudonym(b"k" * 32, ACME, "198.51.100.7")
        stage.rebuild(proxies=TrustedProxies(["198.51.100.0/24"]))
        assert network(**spoofed) == network_pseudonym(b"k" * 32, ACME, "203.0.113.5")

    def test_without_a_key_there_is_no_pseudonym_and_the_hit_stays(self, stage):
        class NoKeys:
            def pseudonym(self, day, controller, address):
                raise PermissionError("the folder cannot be written")

        stage.rebuild(day_keys=NoKeys()).ask(pixel(ALICE))
        assert [hit.network for hit in stage.hits()] == [b""]

    def test_a_configured_network_says_what_its_hits_are(self, stage):
        stage.rebuild(networks=Networks({"scanner": ["198.51.100.0/24"]})).ask(pixel(ALICE))
        assert Clue(stage.hits()[0].verdict.reason) is Clue.SCANNER_NETWORK


class TestCountsOfDeclines:
    def test_they_are_handed_over_when_their_day_is_past_and_not_before(self, stage):
        stage.ask(pixel(BOB))
        stage.ask(link(BOB))
        stage.ask(pixel(CHARLIE))
        stage.collector._tidy()
        assert stage.flushed == []
        stage.now += 12 * 3_600
        stage.collector._tidy()
        stage.collector._tidy()
        assert stage.flushed == [(date(2026, 11, 23), {(ACME, "withdrawn"): 2, (ACME, "no_consent"): 1})]


class TestObserver:
    def test_the_demo_sees_what_was_recorded_and_what_was_declined_and_why(self, stage):
        stage.ask(pixel(ALICE))
        stage.ask(pixel(ALICE))
        stage.ask(pixel(BOB))
        stage.ask("/o/nonsense")
        seen = [(facts.subject, scope.carrier.reason.value, verdict) for facts, scope, verdict in stage.observed]
        human = Verdict(Engagement.HUMAN_LIKELY, Clue.BROWSER, 1)
        assert seen == [(ALICE, "consent_given", human), (ALICE, "consent_given", None), (BOB, "withdrawn", None)]

    def test_nobody_observes_by_default(self, tmp_path):
        assert replace(Stage(tmp_path).runtime, observe=None).observe is None


def test_the_user_agent_is_not_kept_in_memory_either(stage):
    stage.ask(pixel(ALICE), agent=CHROME + " Rarissimum/1")
    assert "Rarissimum" not in repr(vars(stage.collector))
