"""Telling who got the data: written with the decision, repeated until acknowledged, silent about the erased."""

import base64
import hmac
import json

import pytest

from consent_track.activities import answering, consenting, informing, knowing
from consent_track.activities.informing import Event
from consent_track.crm.transport import NotReached
from consent_track.domain.errors import InputRefused
from consent_track.domain.observation import Signal
from consent_track.domain.vocabulary import Purpose
from consent_track.records import deliveries
from tests import world
from tests.world import ALICE, BOB, DAY

SECRET = b"s" * 32
PROCESSORS = """processors = [
  { name = "Good CRM GmbH", role = "crm", country = "DE", webhook = "https://crm.example/hook", secret_file = "crm" },
  { name = "Sender Ltd", role = "sending", country = "IE", webhook = "https://send.example/", secret_file = "send" },
  { name = "Host SA", role = "hosting", country = "FR" },
]"""


class Receivers:
    """Other systems: what each heard, and how each answers."""

    def __init__(self, **answers):
        self.heard, self.answers = [], answers

    def post(self, url, body, fields):
        host = url.split("/")[2].split(".")[0]
        answer = self.answers.get(host, 204)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else 204
        if answer == 0:
            raise NotReached("nobody there")
        expected = hmac.digest(
            SECRET, f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + body, "sha256"
        )
        assert base64.b64encode(expected).decode() in fields["webhook-signature"]
        self.heard.append((host, fields["webhook-id"], json.loads(body)))
        return answer

    def events(self, host="crm"):
        return [(said["type"], said["address"]) for name, _, said in self.heard if name == host]


@pytest.fixture
def acme(tmp_path, clock, database_urls):
    runtime = world.populated(tmp_path / "home", clock=clock, databases=database_urls, controller=PROCESSORS)
    deliver(runtime, Receivers())  # of Bob's withdrawal
    yield runtime
    runtime.database.close()


def deliver(runtime, receivers):
    return informing.deliver(runtime.processing, receivers, lambda _: [SECRET])


def subject(runtime, who):
    with runtime.reading() as p:
        return knowing.find(p, 1, who)


def told(runtime, reference):
    with runtime.reading() as p:
        return informing.told(p, 1, reference)


@pytest.mark.law("WD-10", "AC-03")
def test_alice_withdraws_and_everybody_who_got_her_data_is_told(acme):
    world.withdraws(acme, ALICE)
    receivers = Receivers()
    assert deliver(acme, receivers) == {"acknowledged": 2, "later": 0, "given_up": 0}
    [(_, _, said)] = [one for one in receivers.heard if one[0] == "crm"]
    assert (said["type"], said["address"]) == ("consent.withdrawn", ALICE)
    assert said["purposes"] == ["click_performance", "open_performance"]
    assert {(one.recipient, one.acknowledged_at) for one in told(acme, subject(acme, ALICE))} == {
        ("Good CRM GmbH", acme.now()), ("Sender Ltd", acme.now())
    }  # fmt: skip
    assert deliver(acme, receivers) == {"acknowledged": 0, "later": 0, "given_up": 0}


@pytest.mark.law("WD-10")
def test_a_receiver_that_is_down_is_tried_again_and_loses_nothing(acme, clock):
    world.withdraws(acme, ALICE)
    receivers = Receivers(crm=[0, 503, 500])
    for expected in ("later", "later", "later", "acknowledged"):
        counts = deliver(acme, receivers)
        assert counts[expected] >= 1
        clock.move(DAY)
    assert [said for said in receivers.events() if said == ("consent.withdrawn", ALICE)] == [
        ("consent.withdrawn", ALICE)
    ] * 3  # two of them were answered with an error: the same message, with the same number
    assert len({number for host, number, _ in receivers.heard if host == "crm"}) == 1


def test_what_is_never_taken_is_given_up_shown_and_can_be_sent_again(acme, clock):
    world.withdraws(acme, ALICE)
    receivers = Receivers(crm=500)
    for _ in range(20):
        deliver(acme, receivers)
        clock.move(2 * DAY)
    with acme.reading() as p:
        crm = next(one for one in informing.standing(p, 1) if one.name == "Good CRM GmbH")
    assert (crm.failed, crm.waiting) == (1, 0)
    with acme.processing() as p:
        assert informing.replay(p, 1, "Good CRM GmbH") == 1
        with pytest.raises(InputRefused, match="Host SA"):
            informing.replay(p, 1, "Host SA")
    assert deliver(acme, Receivers())["acknowledged"] == 1


def test_a_receiver_that_is_gone_gets_nothing_more_until_it_is_enabled(acme, clock):
    world.withdraws(acme, ALICE)
    assert deliver(acme, Receivers(crm=410))["given_up"] == 1
    world.consents(acme, BOB)
    world.withdraws(acme, BOB)
    later = Receivers()
    clock.move(3_600)
    deliver(acme, later)
    assert later.events("crm") == []
    with acme.processing() as p:
        assert next(one for one in informing.standing(p, 1) if one.name == "Good CRM GmbH").disabled
        informing.replay(p, 1, "Good CRM GmbH")
    clock.move(2 * DAY)
    deliver(acme, later)
    assert sorted(later.events("crm")) == [("consent.withdrawn", ALICE), ("consent.withdrawn", BOB)]


@pytest.mark.law("DL-03", "DL-10")
def test_an_erasure_is_passed_on_and_nothing_else_about_the_person_leaves_any_more(acme):
    reference = subject(acme, ALICE)
    with acme.processing() as p:
        for _ in range(100):
            informing.inform(p, 1, reference, ALICE, Event.RECTIFIED, locale="fr")
    answering.erase(acme.processing, 1, ALICE, world.OPERATOR)
    receivers = Receivers()
    while deliver(acme, receivers)["acknowledged"]:
        pass
    assert receivers.events() == [("subject.erased", ALICE)]
    stands = [one for one in told(acme, reference) if one.acknowledged_at]
    assert {(one.recipient, one.event) for one in stands} == {
        ("Good CRM GmbH", "subject.erased"), ("Sender Ltd", "subject.erased")
    }  # fmt: skip
    with acme.reading() as p:
        assert all(one.sealed == b"" for one in deliveries.of_subject(p.session, 1, reference))


@pytest.mark.parametrize(
    ("act", "event"),
    [
        (lambda p, who: consenting.object_to(p, 1, who, world.OPERATOR), "consent.objected"),
        (lambda p, who: consenting.mark(p, 1, who, world.OPERATOR, restricted=True), "subject.restricted"),
        (lambda p, who: consenting.end_mail(p, 1, who, world.OPERATOR), "consent.withdrawn"),
        (lambda p, who: consenting.record_signal(p, Signal(1, who, "US-CA", p.now // DAY)), "subject.opted_out"),
        (
            lambda p, who: consenting.turn_off(p, 1, who, world.OPERATOR, frozenset({Purpose.OPEN_PERFORMANCE})),
            "consent.withdrawn",
        ),
    ],
)
@pytest.mark.law("DL-10", "WD-10")
def test_what_is_passed_on(acme, act, event):
    with acme.processing() as p:
        act(p, knowing.find(p, 1, ALICE))
    receivers = Receivers()
    deliver(acme, receivers)
    assert receivers.events() == [(event, ALICE)]


def test_a_decision_that_fails_tells_nobody(acme):
    def objects_and_breaks():
        with acme.processing() as p:
            consenting.object_to(p, 1, knowing.find(p, 1, ALICE), world.OPERATOR)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        objects_and_breaks()
    receivers = Receivers()
    deliver(acme, receivers)
    assert receivers.heard == []


def test_whoever_gets_nothing_from_here_is_not_told(acme):
    world.withdraws(acme, ALICE)
    assert "Host SA" not in {one.recipient for one in told(acme, subject(acme, ALICE))}


@pytest.mark.law("DL-03")
def test_what_was_given_up_before_an_erasure_is_never_sent_again(acme, clock):
    world.withdraws(acme, ALICE)
    deliver(acme, Receivers(crm=410))
    answering.erase(acme.processing, 1, ALICE, world.OPERATOR)
    with acme.processing() as p:
        informing.replay(p, 1, "Good CRM GmbH")
    clock.move(2 * DAY)
    receivers = Receivers()
    deliver(acme, receivers)
    assert receivers.events() == [("subject.erased", ALICE)]


@pytest.mark.law("DL-03")
def test_an_erasure_while_a_batch_is_sent_calls_the_rest_of_it_off(acme):
    reference = subject(acme, ALICE)
    with acme.processing() as p:
        for _ in range(50):
            informing.inform(p, 1, reference, ALICE, Event.RECTIFIED)

    class Erasing(Receivers):
        def post(self, url, body, fields):
            if not self.heard:
                answering.erase(acme.processing, 1, ALICE, world.OPERATOR)
            return super().post(url, body, fields)

    receivers = Erasing()
    for _ in range(20):
        deliver(acme, receivers)
    assert [said["type"] for _, _, said in receivers.heard].count("subject.rectified") == 1
    assert receivers.events("crm").count(("subject.erased", ALICE)) == 1


def test_a_recipient_whose_secret_is_gone_holds_up_nobody_else(acme):
    world.withdraws(acme, ALICE)
    receivers = Receivers()

    def secrets_of(recipient):
        if recipient.role == "crm":
            raise InputRefused.one("crm", "cannot be read")
        return [SECRET]

    counts = informing.deliver(acme.processing, receivers, secrets_of)
    assert counts == {"acknowledged": 1, "later": 1, "given_up": 0}
    assert receivers.events("send") == [("consent.withdrawn", ALICE)]
