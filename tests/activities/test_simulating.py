"""What a policy would change about the mails of the last days: numbers, reasons, and nobody in particular."""

from dataclasses import replace

import pytest

from consent_track.activities import knowing, simulating
from consent_track.activities.simulating import K, Line
from consent_track.domain.decision import Reason
from consent_track.domain.policy import Requirement
from consent_track.domain.vocabulary import MailType, Purpose
from consent_track.mail.headers import Declared
from tests import world
from tests.domain.people import housed
from tests.world import DAY, OPERATOR

OPEN, CLICK = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE
NEWS = MailType.REQUESTED_NEWSLETTER.value
CALIFORNIA = Declared(MailType.REQUESTED_NEWSLETTER, "US-CA", "en", "november", frozenset({OPEN, CLICK}))
FRANCE = replace(CALIFORNIA, jurisdiction="FR")


@pytest.fixture
def sent(tmp_path, clock, sqlite_urls):
    """Twelve people who consented and eleven who were never asked got one mail each, under the law of California."""
    runtime = world.installation(tmp_path / "home", clock=clock, databases=sqlite_urls)
    for number in range(12):
        world.consents(runtime, f"yes{number}@example.org")
    for number in range(11):
        with runtime.processing() as p:
            subject = knowing.obtain(p, 1, f"never{number}@example.org")
            world.consenting.welcome(p, 1, subject, OPERATOR)
    for kind, many in (("yes", 12), ("never", 11)):
        for number in range(many):
            address = f"{kind}{number}@example.org"
            world.prepare(runtime, world.mail_to(address), address, CALIFORNIA)
    yield runtime
    runtime.database.close()


def told(runtime, policies, days=30):
    with runtime.reading() as p:
        return simulating.simulate(p, 1, policies, days)


def of(found, purpose=OPEN):
    return next(line for line in found.lines if line.purpose is purpose)


def test_as_it_is_nothing_changes(sent):
    found = told(sent, sent.policies)
    expected = {Reason.CONSENT_GIVEN: 12, Reason.NO_CONSENT: 11}
    assert found.lines == (
        Line("US-CA", NEWS, CLICK, 12, 12, 12, 0, expected),
        Line("US-CA", NEWS, OPEN, 12, 12, 12, 0, expected),
    )
    assert (found.mails, found.hidden) == (23, 0)


def test_a_notice_regime_would_measure_whoever_was_never_asked(sent):
    notice = housed(sent.policies, regimes={"US-CA": Requirement.NOTICE}, notices={"US-CA": "v1"})
    line = of(told(sent, notice))
    assert (line.before, line.today, line.under, line.moved) == (12, 12, 23, 11)
    assert line.reasons == {Reason.NOTICE_GIVEN: 23}


def test_where_the_house_measures_nobody_nobody_is_measured_and_the_reason_is_said(sent):
    line = of(told(sent, housed(sent.policies, individual=Requirement.NEVER)))
    assert (line.before, line.under, line.reasons) == (12, 0, {Reason.NEVER_ALLOWED: 23})


def test_what_people_chose_since_is_told_from_what_the_policy_does(sent):
    for number in range(12):
        world.withdraws(sent, f"yes{number}@example.org")
    line = of(told(sent, sent.policies))
    assert (line.before, line.today, line.under, line.moved) == (12, 0, 0, 0)
    assert line.reasons == {Reason.WITHDRAWN: 12, Reason.NO_CONSENT: 11}


class TestSmallNumbers:
    def test_a_difference_of_a_few_people_is_not_told(self, sent):
        world.withdraws(sent, "yes0@example.org")
        line = of(told(sent, sent.policies))
        assert line.rounded, "12 before and 11 today would tell of one person"
        assert (line.before, line.today, line.under) == (10, 10, 10)
        assert line.reasons == {Reason.CONSENT_GIVEN: 10, Reason.NO_CONSENT: 10, Reason.WITHDRAWN: None}

    def test_a_policy_that_changes_a_few_does_not_tell_how_many(self, sent):
        for number in range(3):
            with sent.processing() as p:
                late = replace(p, now=p.now - 800 * DAY)
                subject = knowing.obtain(late, 1, f"old{number}@example.org")
                world.consenting.grant(late, 1, subject, [OPEN, CLICK], OPERATOR)
            world.prepare(sent, world.mail_to(f"old{number}@example.org"), f"old{number}@example.org", CALIFORNIA)
        line = of(told(sent, housed(sent.policies, parameters={"consent_lapse_months": 24})))
        assert (line.before, line.today, line.under, line.moved) == (20, 20, 10, None)
        assert line.reasons[Reason.CONSENT_LAPSED] is None

    def test_many_mails_to_one_person_are_one_person(self, sent):
        for _ in range(2 * K):
            world.prepare(sent, world.mail_to("yes0@example.org"), "yes0@example.org", FRANCE)
        found = told(sent, sent.policies)
        assert {line.jurisdiction for line in found.lines} == {"US-CA"}
        assert found.hidden == 2
        assert found.mails == 43


def test_older_mails_and_other_senders_are_left_out(sent, clock):
    clock.move(5 * DAY)
    assert told(sent, sent.policies, days=4).lines == ()
    assert len(told(sent, sent.policies, days=5).lines) == 2


def test_the_register_is_read_to_its_end(sent, monkeypatch):
    monkeypatch.setattr(simulating, "PAGE", 5)
    assert told(sent, sent.policies).mails == 23


def test_a_mail_that_could_carry_nothing_is_not_counted_under_any_policy(sent):
    for number in range(12):
        address = f"yes{number}@example.org"
        plain = f"From: a@acme.example\r\nTo: <{address}>\r\nSubject: x\r\n\r\nHello\r\n".encode()
        world.prepare(sent, plain, address, FRANCE)
    line = next(one for one in told(sent, sent.policies).lines if one.jurisdiction == "FR")
    assert (line.before, line.today, line.under) == (0, 0, 0)
