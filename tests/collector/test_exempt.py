"""Exempt opens at the collector: a day, or one more; nothing of the request; in memory, then handed over in batches."""

import logging
from dataclasses import replace
from datetime import date

import pytest
from collector_stage import (
    ACME,
    ALICE,
    BOB,
    CHARLIE,
    DAY,
    DORA,
    ERIN,
    GRACE,
    NOW,
    RETIRED,
    SCOPE,
    Stage,
    link,
    pixel,
    policies,
)  # fmt: skip

from consent_track.collector.exempt import FLUSH_EVERY, ExemptModes
from consent_track.domain.consent import ConsentState
from consent_track.domain.exempt import Opened
from consent_track.domain.observation import TokenFlag
from consent_track.domain.policy import Confidence, Policies, Policy, Requirement, Rule
from consent_track.domain.vocabulary import Grade, MailType, Purpose

HYGIENE, COUNT = Purpose.DELIVERABILITY_HYGIENE, Purpose.AGGREGATE_COUNT
CAMPAIGN = 4_711
NEWS = MailType.REQUESTED_NEWSLETTER


def told() -> Policies:
    """The stage's policy with both modes exempt, after the operator recorded their notices."""
    plain = policies()
    one = plain.by_id["ZZ"]
    rules = {
        mode: Rule(Requirement.EXEMPT, frozenset(), Requirement.EXEMPT, ("exclusive_purpose",), Grade.OPERATOR, "test",
                   Confidence.HOUSE)
        for mode in (HYGIENE, COUNT)
    }  # fmt: skip
    pack = replace(one.pack, rules={**one.pack.rules, **rules})
    house = replace(one.house, notices={HYGIENE: "notice 7", COUNT: "notice 8"})
    return Policies({"ZZ": Policy(pack, house, one.hash)}, {}, house)


class Kept:
    def __init__(self) -> None:
        self.days: dict = {}
        self.counts: dict = {}
        self.batches = 0
        self.down = False

    def __call__(self, days, counts) -> None:
        if self.down:
            raise ConnectionError
        self.batches += 1
        self.days |= days
        for campaign, count in counts.items():
            self.counts[campaign] = self.counts.get(campaign, 0) + count


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def exempt(stage: Stage, kept: Kept) -> Stage:
    return stage.rebuild(policies=told(), keep_exempt=kept, time_zones={ACME: "Pacific/Auckland"})


def minimum(person: int = CHARLIE, **changes) -> str:
    return pixel(person, **{"purposes": HYGIENE.bit, "message": 0, **changes})


def campaign(**changes) -> str:
    return pixel(0, **{"purposes": COUNT.bit, "message": CAMPAIGN, "flags": TokenFlag.AGGREGATE, **changes})


def over(stage: Stage) -> None:
    """The process ends: what there is, is handed over."""
    stage.collector.close()


@pytest.mark.law("AH-07", "IP-04")
def test_charlies_opens_leave_one_date_in_the_controllers_time_zone(exempt: Stage, kept: Kept, caplog):
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            exempt.ask(minimum(), agent="Sonderbar/7.7", REMOTE_ADDR="203.0.113.99")
    over(exempt)
    assert kept.days == {(ACME, CHARLIE): Opened(date(2026, 11, 24), NEWS, "FR")}, "noon in Greenwich is tomorrow there"
    assert kept.batches == 1
    assert not exempt.folder.exists(), "no frame"
    assert exempt.day_keys.asked == [], "no key was asked for, so no network could be hashed"
    assert exempt.observed == []
    assert caplog.records == []
    assert exempt.declined() == {}


@pytest.mark.law("AH-08", "IP-04", "TI-06")
def test_ten_readers_are_a_count_of_ten(exempt: Stage, kept: Kept):
    for number in range(10):
        exempt.ask(campaign(), agent=f"Reader/{number}", REMOTE_ADDR=f"203.0.113.{number}")
    over(exempt)
    assert kept.counts == {(ACME, CAMPAIGN): 10}
    assert kept.days == {}
    assert not exempt.folder.exists()
    assert exempt.day_keys.asked == []


@pytest.mark.law("AH-08")
def test_fewer_than_a_batch_never_leave_the_process(exempt: Stage, kept: Kept):
    for _ in range(9):
        exempt.ask(campaign())
    over(exempt)
    assert kept.counts == {}


def test_what_is_left_of_a_batch_waits_for_more(exempt: Stage, kept: Kept):
    modes = exempt.collector._exempt
    for wanted, opens in ((0, 9), (10, 1), (10, 9), (22, 3)):
        for _ in range(opens):
            exempt.ask(campaign())
        modes.flush()
        assert kept.counts.get((ACME, CAMPAIGN), 0) == wanted


# A token of consent never falls back; an exempt one never records; and every no is a no. Nothing is kept of any.
NOTHING = {
    "Bob withdrew, his token was one of consent": (lambda: pixel(BOB), "withdrawn"),
    "Bob withdrew": (lambda: minimum(BOB), "refused"),
    "Charlie's token of consent": (lambda: pixel(CHARLIE), "no_consent"),
    "a token of both": (lambda: pixel(CHARLIE, purposes=SCOPE | HYGIENE.bit), "no_consent"),
    "a token of both modes": (lambda: pixel(CHARLIE, purposes=HYGIENE.bit | COUNT.bit), "out_of_scope"),
    "Dora objected": (lambda: minimum(DORA), "objected"),
    "Erin was erased": (lambda: minimum(ERIN), "subject_unknown"),
    "Grace's browser sent a signal": (lambda: minimum(GRACE), "signal"),
    "an old token": (lambda: minimum(issued_at=NOW - 91 * DAY), "token_expired"),
    "an old campaign": (lambda: campaign(issued_at=NOW - 91 * DAY), "token_expired"),
    "a sensitive mail": (lambda: minimum(flags=TokenFlag.SENSITIVE), "sensitive_mail"),
    "a click with that purpose": (lambda: link(CHARLIE, purposes=HYGIENE.bit), "out_of_scope"),
    "no kind of mail": (lambda: minimum(mail_type=None), "policy_missing"),
    "a campaign token with a person in it": (lambda: campaign(subject=CHARLIE), None),
    "a campaign token with another purpose": (lambda: campaign(purposes=SCOPE), None),
    "nobody's date": (lambda: minimum(0), None),
    "a flag of a later version": (lambda: campaign(flags=TokenFlag(5)), None),
}


@pytest.mark.law("AH-11", "AH-14", "WD-04")
@pytest.mark.parametrize("case", NOTHING)
def test_nothing_is_kept(exempt: Stage, kept: Kept, case: str):
    path, reason = NOTHING[case]
    for _ in range(12):
        exempt.ask(path())
    over(exempt)
    assert (kept.days, kept.counts) == ({}, {})
    assert exempt.hits() == []
    assert {reason for _, counts in exempt.flushed for _, reason in counts} == ({reason} if reason else set())


@pytest.mark.law("AH-05")
def test_a_signal_with_the_request_and_do_not_track_are_refusals(exempt: Stage, kept: Kept):
    for header in ("HTTP_SEC_GPC", "HTTP_DNT"):
        exempt.ask(minimum(), **{header: "1"})
        for _ in range(12):
            exempt.ask(campaign(), **{header: "1"})
    over(exempt)
    assert (kept.days, kept.counts) == ({}, {})
    assert [signal.subject for signal in exempt.signals()] == [CHARLIE], "and her choice is queued, once"


def test_what_no_reader_asked_for_counts_nothing(exempt: Stage, kept: Kept):
    for _ in range(12):
        exempt.ask(campaign(), method="HEAD")
        exempt.ask(campaign(), HTTP_SEC_PURPOSE="prefetch")
        exempt.ask(minimum(), method="HEAD")
    over(exempt)
    assert (kept.days, kept.counts) == ({}, {})


def test_a_retired_key_counts_nothing(exempt: Stage, kept: Kept):
    exempt.rebuild(tokens=RETIRED)
    for _ in range(12):
        exempt.ask(campaign())
    exempt.ask(minimum())
    over(exempt)
    assert (kept.days, kept.counts) == ({}, {})


@pytest.mark.law("DI-01")
def test_as_shipped_such_a_token_does_nothing(stage: Stage, kept: Kept):
    """The notice was taken back, or never recorded: mails already sent keep nothing from then on."""
    stage.rebuild(keep_exempt=kept)
    for _ in range(12):
        stage.ask(campaign())
        stage.ask(minimum())
    over(stage)
    assert (kept.days, kept.counts) == ({}, {})


def test_alices_hit_is_recorded_as_ever(exempt: Stage, kept: Kept):
    exempt.ask(pixel(ALICE))
    over(exempt)
    assert [hit.subject for hit in exempt.hits()] == [ALICE]
    assert (kept.days, kept.counts) == ({}, {})


@pytest.mark.law("AH-02")
def test_the_answer_is_the_same(exempt: Stage):
    answers = {exempt.ask(path) for path in (minimum(), campaign(), pixel(ALICE), pixel(BOB), "/o/nonsense")}
    assert len(answers) == 1


def test_an_open_that_comes_while_a_batch_fails_is_the_later_one():
    def fails(days, _counts):
        assert days
        modes._days[ACME, CHARLIE] = Opened(date(2026, 11, 25), NEWS, "FR")
        raise ConnectionError

    modes = ExemptModes(fails, {})
    modes._days[ACME, CHARLIE] = Opened(date(2026, 11, 24), NEWS, "FR")
    modes._days[ACME, ALICE] = Opened(date(2026, 11, 24), NEWS, "FR")
    with pytest.raises(ConnectionError):
        modes.flush()
    assert {person: opened.day.day for (_, person), opened in modes._days.items()} == {CHARLIE: 25, ALICE: 24}


def test_an_hour_is_a_batch_and_a_store_that_is_down_loses_nothing(exempt: Stage, kept: Kept):
    tick = exempt.collector._exempt.flush_due
    tick(NOW)
    exempt.ask(minimum())
    tick(NOW + FLUSH_EVERY - 1)
    assert kept.batches == 0
    kept.down = True
    with pytest.raises(ConnectionError):
        tick(NOW + FLUSH_EVERY)
    kept.down = False
    exempt.now += DAY
    exempt.view.poll_once()
    exempt.ask(minimum())
    tick(NOW + FLUSH_EVERY + 1)
    assert kept.days == {(ACME, CHARLIE): Opened(date(2026, 11, 25), NEWS, "FR")}, "the later day"
    assert exempt.choices.states[ACME, CHARLIE] == ConsentState()
