"""Using a right on the pages: a form, a mail, a press, an answer. Nothing is shown or erased without the press."""

import io
import json
import zipfile
from email import message_from_bytes
from email.policy import default

import pytest

from consent_track import worker
from consent_track.activities import knowing, notifying, requesting
from consent_track.domain.rights import Right, Stage
from consent_track.domain.vocabulary import HitKind
from tests import world
from tests.web.loop import MARK, Mailboxes, link_in, on, press
from tests.world import ALICE, BOB, CHARLIE

DAY = world.DAY
DANA = "dana@example.org"  # nobody here has ever heard of her


@pytest.fixture
def acme(another):
    """Acme's pages under French law."""
    controller = 'unsubscribe = "consent_track"\ntime_zone = "Europe/Paris"\njurisdiction = "FR"'
    return another(extra='smtp_url = "smtp://localhost:2525"', controller=controller)


def ask(site, right, email, wrote=""):
    return site.ask("/privacy/request", "POST", data={"right": right, "email": email, "wrote": wrote})


def mails(site):
    """What the worker does in a minute; the mails that arrived."""
    boxes = Mailboxes()
    for job in ("answer", "requests", "answer"):
        worker.run_once(site.runtime, job)
    while notifying.deliver(site.runtime.processing, boxes)["sent"]:
        pass
    return boxes.mails


def text_of(mail):
    return " ".join(message_from_bytes(mail, policy=default).get_body(("plain",)).get_content().split())


def request_of(site, who):
    with site.runtime.reading() as p:
        return requesting.of_address(p, 1, who)[0]


def steps_of(site, who):
    with site.runtime.reading() as p:
        return [one.step.value for one in requesting.steps(p, requesting.of_address(p, 1, who)[0])]


def knows(site, who):
    with site.runtime.reading() as p:
        return knowing.find(p, 1, who) is not None


@pytest.mark.law("AC-02", "AC-05", "AC-11", "VF-01", "VF-04")
def test_alice_asks_confirms_and_reads_what_is_held(acme):
    world.hits_of(acme.runtime, ALICE, 3, kind=HitKind.CLICK)
    assert "A mail is on its way" in ask(acme, Right.ACCESS, ALICE).text
    [(to, mail)] = mails(acme)
    assert to == ALICE
    assert "Is this your request?" in text_of(mail)
    assert "by 18 December 2026 at the latest" in text_of(mail)

    link = link_in(mail, "v")
    answer = press(acme, link)
    assert answer.status_code == 303
    page = acme.ask(link).text
    assert "What we hold, in short" in page
    assert ALICE in page
    assert "Clicks, probably by you</dt><dd>3</dd>" in page
    assert request_of(acme, ALICE).stage is Stage.FULFILLED

    document = json.loads(acme.ask(f"{link}/answer.json").data)
    assert document["format"] == "consent_track access answer 1"
    assert document["persons"][0]["address"] == ALICE
    assert len(document["persons"][0]["held"]["hit"]) == 3
    assert [event["sealed"]["status"] for event in document["persons"][0]["held"]["consent_event"]] == ["given"] * 2
    packed = zipfile.ZipFile(io.BytesIO(acme.ask(f"{link}/answer.zip").data))
    assert "1-hit.csv" in packed.namelist()


@pytest.mark.law("AC-11")
def test_the_answer_can_be_fetched_for_a_week_in_the_browser_that_pressed_and_nowhere_else(acme):
    ask(acme, Right.ACCESS, ALICE)
    [(_, mail)] = mails(acme)
    link = link_in(mail, "v")
    press(acme, link)
    stranger = acme.app.test_client(use_cookies=True)
    for path in (f"{link}/answer.json", f"{link}/answer.zip"):
        assert stranger.get(path, base_url="https://mail.acme.example").status_code == 404
    assert "This link was used already" in stranger.get(link, base_url="https://mail.acme.example").text
    acme.runtime.clock.move(6 * DAY)
    assert acme.ask(f"{link}/answer.json").status_code == 200
    acme.runtime.clock.move(1 * DAY)
    assert acme.ask(f"{link}/answer.json").status_code == 404
    assert worker.run_once(acme.runtime, "requests")["answers_over"] == 1


def test_a_used_link_is_not_the_end_while_the_answer_is_kept(acme):
    ask(acme, Right.ACCESS, ALICE)
    [(_, mail)] = mails(acme)
    press(acme, link_in(mail, "v"))
    acme.browser = acme.app.test_client(use_cookies=True)  # another browser
    acme.ask(link_in(mail, "v"), "POST", data={"answer": "again"})
    acme.runtime.clock.move(3_600)
    [(to, second)] = mails(acme)
    assert to == ALICE
    assert "Your answer is ready" in text_of(second)
    link = link_in(second, "v")
    press(acme, link)
    assert "What we hold, in short" in acme.ask(link).text


@pytest.mark.law("VF-06", "WD-06")
def test_whatever_opens_links_or_sends_forms_as_they_stand_is_shown_nothing(acme):
    ask(acme, Right.ERASURE, ALICE)
    [(_, mail)] = mails(acme)
    link = link_in(mail, "v")
    for method in ("GET", "HEAD", "GET"):
        acme.ask(link, method, headers={"Purpose": "prefetch"})
    for data in ({}, {"answer": "yes"}, {"answer": "yes", "page": "x"}):
        assert acme.ask(link, "POST", data=data).status_code == 400
    assert press(acme, link, wait=0).status_code == 400  # nobody reads that fast
    acme.runtime.clock.move(2 * DAY + 3_600)
    mails(acme)
    assert request_of(acme, ALICE).stage is Stage.VERIFYING
    assert knows(acme, ALICE)


@pytest.mark.law("DL-01", "DL-02", "DL-06")
def test_an_erasure_cools_off_and_is_then_carried_out_and_told(acme):
    world.hits_of(acme.runtime, ALICE, 2)
    ask(acme, Right.ERASURE, ALICE)
    [(_, mail)] = mails(acme)
    link = link_in(mail, "v")
    press(acme, link)
    assert "Everything is erased on" in acme.ask(link).text
    assert mails(acme) == []
    assert knows(acme, ALICE)

    acme.runtime.clock.move(2 * DAY)
    [(to, letter)] = mails(acme)
    assert to == ALICE
    assert "What was held about you is erased." in text_of(letter)
    assert "a sealed proof of what you chose" in text_of(letter)
    assert "This answer is about the measuring of emails from Acme, and about nothing else." in text_of(letter)
    assert not knows(acme, ALICE)
    assert request_of(acme, ALICE).stage is Stage.FULFILLED
    assert steps_of(acme, ALICE) == ["received", "link_sent", "verified", "fulfilled", "answer_sent"]


@pytest.mark.law("DL-06")
def test_an_erasure_can_be_taken_back_while_it_cools_off(acme):
    ask(acme, Right.ERASURE, ALICE)
    [(_, mail)] = mails(acme)
    link = link_in(mail, "v")
    press(acme, link)
    acme.runtime.clock.move(DAY)
    assert "The request was taken back." in press(acme, link, "no").text
    acme.runtime.clock.move(3 * DAY)
    assert mails(acme) == []
    assert knows(acme, ALICE)
    assert request_of(acme, ALICE).stage is Stage.REVOKED


@pytest.mark.law("VF-03", "OO-06")
@pytest.mark.parametrize("right", [Right.OBJECTION, Right.OPT_OUT, Right.LIMIT])
def test_a_no_needs_no_proof_and_holds_at_once(acme, right):
    ask(acme, right, ALICE)
    [(to, letter)] = mails(acme)
    assert to == ALICE
    assert "Nothing is measured any more" in text_of(letter)
    assert on(acme, ALICE) == set()
    assert request_of(acme, ALICE).stage is Stage.FULFILLED


@pytest.mark.law("AC-10", "VF-07")
@pytest.mark.parametrize("right", [Right.ACCESS, Right.ERASURE, Right.OPT_OUT, Right.RESTRICTION])
def test_somebody_unknown_is_told_that_nothing_is_held(acme, right):
    known, unknown = ask(acme, right, ALICE), ask(acme, right, DANA)
    assert known.data == unknown.data
    arrived = dict(mails(acme))
    assert "Nothing is held about this address" in text_of(arrived[DANA])
    assert request_of(acme, DANA).stage is Stage.NOTHING_HELD
    assert not knows(acme, DANA)


@pytest.mark.law("AC-08", "VF-02")
@pytest.mark.parametrize("declared", [True, False])
def test_in_california_the_pieces_need_a_declaration_and_the_kinds_do_not(another, declared):
    law = 'unsubscribe = "consent_track"\ntime_zone = "America/Los_Angeles"\njurisdiction = "US-CA"'
    acme = another(extra='smtp_url = "smtp://localhost:2525"', controller=law)
    world.hits_of(acme.runtime, ALICE, 3)
    ask(acme, Right.ACCESS, ALICE)
    [(_, mail)] = mails(acme)
    link = link_in(mail, "v")
    page = acme.ask(link).text
    assert "under penalty of perjury" in page
    assert "checked" not in page
    acme.runtime.clock.move(10)
    data = {"answer": "yes", "page": MARK.search(page)[1]} | ({"declared": "yes"} if declared else {})
    assert acme.ask(link, "POST", data=data).status_code == 303
    document = json.loads(acme.ask(f"{link}/answer.json").data)
    [person] = document["persons"]
    assert ("hit" in person["held"]) == declared
    assert ("kinds" in person) != declared
    assert document["asked"] == ("access" if declared else "access_categories")
    assert ("What we hold, in short" in acme.ask(link).text) == declared


@pytest.mark.law("DL-09")
def test_a_restriction_keeps_and_does_not_use(acme):
    world.hits_of(acme.runtime, ALICE, 2)
    ask(acme, Right.RESTRICTION, ALICE)
    [(_, mail)] = mails(acme)
    press(acme, link_in(mail, "v"))
    [(_, letter)] = mails(acme)
    assert "Your data is kept and no longer used." in text_of(letter)
    assert acme.state(ALICE).state.restricted


@pytest.mark.law("DL-06", "AC-10")
def test_an_unconfirmed_request_is_reminded_of_and_ends_with_an_answer(acme):
    ask(acme, Right.ERASURE, ALICE)
    mails(acme)
    acme.runtime.clock.move(24 * DAY)
    arrived = mails(acme)
    assert "You have not confirmed this request yet" in text_of(arrived[0][1])
    assert any("/v/" in text_of(mail) for _, mail in arrived)
    acme.runtime.clock.move(8 * DAY)
    [(_, last)] = mails(acme)
    assert "Nobody confirmed this request in time" in text_of(last)
    assert request_of(acme, ALICE).stage is Stage.EXPIRED
    assert knows(acme, ALICE)


def test_one_waits_for_one_and_a_second_asks_for_the_same_link(acme):
    ask(acme, Right.ERASURE, BOB)
    mails(acme)
    acme.runtime.clock.move(3_600)
    ask(acme, Right.ERASURE, BOB)
    assert len(mails(acme)) == 1
    with acme.runtime.reading() as p:
        assert len(requesting.of_address(p, 1, BOB)) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"right": "", "email": ALICE}, "Please choose one."),
        ({"right": "everything", "email": ALICE}, "Please choose one."),
        ({"right": "access", "email": "nobody"}, "This is not an email address."),
        ({"right": "access", "email": ""}, "This is not an email address."),
        ({"right": "complaint", "email": ALICE, "wrote": "  "}, "Please write what should be corrected"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_filled_in_stays(acme, data, told):
    answer = acme.ask("/privacy/request", "POST", data=data)
    assert answer.status_code == 400
    assert told in answer.text
    assert data["email"] in answer.text
    assert mails(acme) == []


@pytest.mark.law("VF-01")
def test_no_page_takes_a_file(acme):
    for path in ("/privacy", "/privacy/request"):
        page = acme.ask(path).text
        assert 'type="file"' not in page
        assert "multipart" not in page


def test_charlie_complains_and_waits_for_a_person(acme):
    ask(acme, Right.COMPLAINT, CHARLIE, "You wrote to me although I never asked for it.")
    [(_, mail)] = mails(acme)
    assert "You get the answer by" in text_of(mail)
    assert request_of(acme, CHARLIE).stage is Stage.IN_PROGRESS
    with acme.runtime.reading() as p:
        assert requesting.written(p, request_of(acme, CHARLIE)).wrote.startswith("You wrote to me")
