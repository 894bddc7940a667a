"""Saying yes: a page asks, a mail goes to the address, and only a press behind its link grants."""

import re
from email import message_from_bytes
from email.policy import default

import pytest

from consent_track import worker
from consent_track.activities import answering, confirming, knowing, notifying, proving
from consent_track.domain.reasons import Reason
from consent_track.domain.vocabulary import Grade, Purpose, Status
from consent_track.records import flows
from tests import world
from tests.web.loop import BOTH, MARK, Mailboxes, choice, fill, link_in, mails, on, press
from tests.world import ALICE, BOB, CHARLIE


@pytest.mark.law("CC-14")
def test_charlie_says_yes_on_a_page_and_it_holds_only_after_his_mail(acme):
    answer = fill(acme, CHARLIE)
    assert answer.status_code == 200
    assert "Look into your mailbox" in answer.text
    assert on(acme, CHARLIE) is None

    [(to, mail)] = mails(acme)
    assert to == CHARLIE
    assert on(acme, CHARLIE) is None
    done = press(acme, link_in(mail))
    assert "Allowed since" in done.text
    assert on(acme, CHARLIE) == BOTH
    assert choice(acme, CHARLIE).grade is Grade.MAILBOX_LOOP


@pytest.mark.law("CC-14", "CC-05")
def test_the_mail_that_confirms_measures_nothing(acme):
    fill(acme, CHARLIE)
    [(_, mail)] = mails(acme)
    parsed = message_from_bytes(mail, policy=default)
    page = parsed.get_body(("html",)).get_content()
    assert "<img" not in page
    assert re.findall(r'href="([^"]+)"', page) == [f"https://mail.acme.example{link_in(mail)}"]
    assert parsed["List-Unsubscribe"] is None
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert "itself does not record" in parsed.get_body(("plain",)).get_content().replace("\n", " ")


@pytest.mark.law("CC-06", "WD-06")
def test_machines_that_open_links_or_send_forms_grant_nothing(acme):
    fill(acme, CHARLIE)
    [(_, mail)] = mails(acme)
    link = link_in(mail)
    for agent in ("GoogleImageProxy", "Mozilla/5.0", "BarracudaCentral", "Microsoft Office Protection"):
        for method in ("GET", "HEAD"):
            acme.ask(link, method, headers={"User-Agent": agent, "Purpose": "prefetch"})
    for data in ({}, {"answer": "yes"}, {"answer": "yes", "page": "x"}, {"page": MARK.search(acme.ask(link).text)[1]}):
        assert acme.ask(link, "POST", data=data).status_code == 400
    assert on(acme, CHARLIE) is None
    press(acme, link)
    assert on(acme, CHARLIE) == BOTH


def test_whoever_presses_before_anybody_could_have_read_is_asked_once_more(acme):
    fill(acme, CHARLIE)
    [(_, mail)] = mails(acme)
    page = press(acme, link_in(mail), wait=1)
    assert page.status_code == 400
    assert "very quick" in page.text
    assert on(acme, CHARLIE) is None


def test_a_machine_that_presses_every_button_in_turn_leaves_a_no(acme):
    for who, order in (("dora@example.org", ("yes", "no")), ("erin@example.org", ("no", "yes"))):
        fill(acme, who)
        link = link_in(mails(acme)[0][1])
        mark = MARK.search(acme.ask(link).text)[1]
        acme.runtime.clock.move(10)
        for answer in order:
            acme.ask(link, "POST", data={"answer": answer, "page": mark})
        assert not on(acme, who)


def test_a_page_of_another_mail_confirms_nothing(acme):
    fill(acme, CHARLIE)
    fill(acme, "dora@example.org")
    charlies, doras = (link_in(mail) for _, mail in mails(acme))
    mark = MARK.search(acme.ask(doras).text)[1]
    acme.runtime.clock.move(10)
    assert acme.ask(charlies, "POST", data={"answer": "yes", "page": mark}).status_code == 400
    assert on(acme, CHARLIE) is None


def test_a_used_link_loses_nothing_and_sends_a_new_one(acme):
    fill(acme, CHARLIE)
    [(_, mail)] = mails(acme)
    press(acme, link_in(mail))
    page = acme.ask(link_in(mail)).text
    assert "This link was used already" in page
    acme.runtime.clock.move(confirming.QUIET)
    assert acme.ask(link_in(mail), "POST", data={"answer": "again"}).status_code == 200
    [(to, another)] = mails(acme)
    assert to == CHARLIE
    assert link_in(another) != link_in(mail)


def test_after_three_days_the_link_is_nothing(acme):
    fill(acme, CHARLIE)
    [(_, mail)] = mails(acme)
    acme.runtime.clock.move(confirming.LIFE)
    assert acme.ask(link_in(mail)).status_code == 404
    worker.run_once(acme.runtime, "answer")
    with acme.runtime.reading() as p:
        assert flows.waiting(p.session) == 0


@pytest.mark.law("CC-15", "VF-06")
def test_a_link_of_a_mail_refuses_at_once_and_grants_only_by_another_mail(acme):
    link = acme.link(BOB)
    page = acme.ask(link, "POST", data={"on": "click_performance"})
    assert "b***@e***" in page.text
    assert on(acme, BOB) == set()
    [(to, mail)] = mails(acme)
    assert to == BOB
    press(acme, link_in(mail))
    assert on(acme, BOB) == {"click_performance"}
    assert choice(acme, BOB, Purpose.CLICK_PERFORMANCE).grade is Grade.MAILBOX_LOOP


def test_pressed_by_mistake_is_undone_by_a_mail(acme):
    link = acme.link(ALICE)
    done = acme.ask(link, "POST", data={"off": "all"}).text
    assert "I pressed this by mistake" in done
    again = re.findall(r'name="on" value="(\w+)"', done)
    assert set(again) == BOTH
    acme.ask(link, "POST", data={"on": again})
    press(acme, link_in(mails(acme)[0][1]))
    assert on(acme, ALICE) == BOTH


@pytest.mark.law("OO-02")
def test_who_sends_a_signal_is_told_of_the_conflict(acme):
    signal = {"headers": {"Sec-GPC": "1"}}
    fill(acme, CHARLIE, jurisdiction="FR")
    link = link_in(mails(acme)[0][1])
    assert "whatever you press here" in acme.ask(link, **signal).text
    press(acme, link, **signal)
    assert on(acme, CHARLIE) == set()


@pytest.mark.law("OO-02")
def test_a_yes_after_notice_of_the_conflict_prevails_in_california(acme):
    fill(acme, "dora@example.org", jurisdiction="US-CA")
    link = link_in(mails(acme)[0][1])
    page = acme.ask(link, headers={"Sec-GPC": "1"}).text
    assert "Allow for Acme only" in page
    press(acme, link, headers={"Sec-GPC": "1"})
    assert on(acme, "dora@example.org") == BOTH


def test_who_was_erased_comes_back_by_their_mailbox_and_by_nothing_else(acme):
    answering.erase(acme.runtime.processing, 1, ALICE, world.OPERATOR)
    fill(acme, ALICE)
    [(_, mail)] = mails(acme)
    with acme.runtime.reading() as p:
        assert knowing.is_suppressed(p, 1, ALICE)
        assert knowing.find(p, 1, ALICE) is None
    press(acme, link_in(mail))
    assert on(acme, ALICE) == BOTH


def test_an_erasure_takes_what_was_begun_with_it(acme):
    acme.ask(acme.link(ALICE), "POST", data={"on": "click_performance"})
    fill(acme, ALICE)
    worker.run_once(acme.runtime, "answer")
    answering.erase(acme.runtime.processing, 1, ALICE, world.OPERATOR)
    boxes = Mailboxes()
    notifying.deliver(acme.runtime.processing, boxes)
    assert boxes.mails == []


def test_dates_and_history_are_shown_only_after_the_mail(acme):
    link = acme.link(ALICE)
    assert "19 November" not in acme.ask(link).text
    acme.ask(link, "POST", data={"see": "all"})
    mine = link_in(mails(acme)[0][1])
    assert ALICE not in acme.ask(mine).text
    answer = press(acme, mine, "show")
    assert answer.status_code == 303
    assert answer.headers["Location"] == mine
    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=Lax", f"Path={mine}"))
    page = acme.ask(mine).text
    assert ALICE in page
    assert page.count("allowed") == 2
    stranger = acme.app.test_client()
    assert ALICE not in stranger.get(mine, base_url="https://mail.acme.example").text
    acme.ask(mine, "POST", data={"answer": "close"})
    assert ALICE not in acme.ask(mine).text


@pytest.mark.law("WD-01", "OO-14")
def test_a_no_takes_fewer_presses_and_fields_than_a_yes(acme):
    withdraw, grant = {"presses": 0, "fields": 0}, {"presses": 0, "fields": 0}
    acme.ask(acme.link(ALICE), "POST", data={"off": "all"})
    withdraw["presses"] += 1
    assert on(acme, ALICE) == set()
    acme.ask(acme.link(BOB), "POST", data={"on": list(BOTH)})
    grant["presses"] += 1
    press(acme, link_in(mails(acme)[0][1]))
    grant["presses"] += 1
    assert on(acme, BOB) == BOTH
    assert withdraw["presses"] <= grant["presses"]
    assert withdraw["fields"] == grant["fields"] == 0


def test_the_history_in_the_ledger_says_how_the_yes_came_about(acme):
    asked = acme.runtime.now()
    fill(acme, CHARLIE, headers=None)
    press(acme, link_in(mails(acme)[0][1]))
    with acme.runtime.reading() as p:
        events = proving.history(p, 1, CHARLIE)
    assert {event["status"] for event in events} == {Status.GIVEN}
    assert {event["method"] for event in events} == {"mailbox_loop"}
    assert {event["asked_at"] for event in events} == {asked}
    assert all(event["occurred_at"] >= asked + 10 for event in events)
    words = events[0]["words"]
    assert "form.heading" in words
    assert "verify.yes" in words
    assert "purpose.open_performance.text" in words


@pytest.mark.law("WD-02")
def test_every_mail_leads_to_its_choices_apart_from_unsubscribing_without_typing_in_two_presses(acme):
    data = world.prepare(acme.runtime, world.mail_to(ALICE), ALICE).result.data.decode()
    footer = data[data.index("<!--consent-track-footer-->") :]
    links = dict(re.findall(r'<a href="https://mail\.acme\.example(/[pu]/[^"]+)"[^>]*>([^<]+)</a>', footer))
    assert list(links.values()) == ["Stop measuring (you keep the emails)", "Unsubscribe"]
    (choices, unsubscribe) = links
    assert choices.removeprefix("/p/") != unsubscribe.removeprefix("/u/")
    page = acme.ask(choices).text  # the first press
    assert re.findall(r'<input(?![^>]*type="hidden")', page) == []
    acme.ask(choices, "POST", data={"off": "all"})  # the second
    assert on(acme, ALICE) == set()


@pytest.mark.law("OO-01", "OO-02")
def test_a_signal_that_came_once_holds_for_every_later_mail_and_page(acme):
    link = acme.link(ALICE)
    acme.ask(link, headers={"Sec-GPC": "1"})
    for _ in range(30):
        acme.ask(link)
    assert on(acme, ALICE) == set()
    late = world.prepare(acme.runtime, world.mail_to(ALICE), ALICE)
    assert late.opens.reason is late.clicks.reason is Reason.SIGNAL
    assert "Measuring is OFF." in acme.ask(link).text
