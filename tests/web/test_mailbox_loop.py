"""Saying yes: a page asks, a mail goes to the address, and only a press behind its link grants."""

import re
from datetime import date
from email import message_from_bytes
from email.policy import default

import pytest

from consent_track import worker
from consent_track.activities import answering, confirming, consenting, knowing, notifying
from consent_track.domain.vocabulary import Grade, Purpose, Status
from consent_track.records import flows, sign_offs
from tests import world
from tests.world import ALICE, BOB, CHARLIE

MARK = re.compile(r'name="page" value="([^"]+)"')
WORDING = re.compile(r'name="wording" value="([^"]+)"')
BOTH = {"open_performance", "click_performance"}


class Mailboxes:
    """A mail server that takes everything, and who got what."""

    def __init__(self):
        self.mails = []

    def send(self, recipient, mail):
        self.mails.append((recipient, mail))


def sign(runtime, *locales):
    for locale in locales or runtime.wordings.locales:
        texts = runtime.wordings.texts(locale)
        with runtime.processing() as p:
            signed = sign_offs.SignOff(locale, texts.hash, "Ada Lawyer", date(2026, 11, 18), "2026-11")
            sign_offs.record(p.session, signed)


@pytest.fixture
def acme(another):
    site = another(extra='smtp_url = "smtp://localhost:2525"')
    sign(site.runtime)
    return site


def mails(site):
    """Whatever was asked for is answered and delivered; the mails that arrived."""
    boxes = Mailboxes()
    worker.run_once(site.runtime, "answer")
    notifying.deliver(site.runtime.processing, boxes)
    return boxes.mails


def link_in(mail, power="v"):
    text = message_from_bytes(mail, policy=default).get_body(("plain",)).get_content()
    return re.search(rf"https://mail\.acme\.example(/{power}/[A-Za-z0-9_-]+)", text)[1]


def fill(site, email, *, answer="all", purposes=(), locale="en", path="/consent", **more):
    page = site.ask(f"{path}?locale={locale}&variant={more.get('variant', '')}").text
    wording = WORDING.search(page)[1]
    data = {"email": email, "answer": answer, "purpose": list(purposes), "locale": locale, "wording": wording, **more}
    return site.ask(path, "POST", data=data)


def press(site, link, answer="yes", *, wait=10, **more):
    page = site.ask(link, **more).text
    site.runtime.clock.move(wait)
    mark = MARK.search(page)
    return site.ask(link, "POST", data={"answer": answer, "page": mark[1] if mark else ""}, **more)


def on(site, who):
    with site.runtime.reading() as p:
        subject = knowing.find(p, 1, who)
        standing = consenting.standing(p, 1, subject) if subject else None
    return {purpose.value for purpose in standing.on} if standing else None


def choice(site, who, purpose=Purpose.OPEN_PERFORMANCE):
    return site.state(who).state.choices[purpose]


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


def test_a_scanner_that_presses_every_button_in_turn_leaves_a_no(acme):
    fill(acme, CHARLIE)
    [(_, mail)] = mails(acme)
    link = link_in(mail)
    press(acme, link, "yes")
    press(acme, link, "no")
    assert on(acme, CHARLIE) == set()
    fill(acme, "dora@example.org")
    link = link_in(mails(acme)[0][1])
    press(acme, link, "no")
    press(acme, link, "yes")
    assert not on(acme, "dora@example.org")


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


@pytest.mark.law("CC-04")
def test_the_form_asks_for_each_purpose_ticks_nothing_and_both_answers_are_alike(acme):
    page = acme.ask("/consent?locale=en&variant=mail").text
    assert "checked" not in page
    assert page.count('type="checkbox"') == 3
    buttons = re.findall(r"<button([^>]*)>([^<]*)", page)
    assert [words for _, words in buttons] == ["Allow what I ticked", "Yes, allow all", "No, thanks"]
    assert {re.sub(r'value="\w+"', "", attributes).strip() for attributes, _ in buttons} == {'name="answer"'}
    assert "After a no we ask again in 6 months at the earliest." in page


def test_only_what_was_ticked_is_asked_for(acme):
    fill(acme, CHARLIE, answer="ticked", purposes=["click_performance"])
    press(acme, link_in(mails(acme)[0][1]))
    assert on(acme, CHARLIE) == {"click_performance"}


def test_a_form_nobody_ticked_anything_on_is_no_yes(acme):
    answer = fill(acme, CHARLIE, answer="ticked")
    assert answer.status_code == 400
    assert "Nothing is ticked" in answer.text
    assert mails(acme) == []


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.org", "x@example.org\r\nBcc: y@example.org"])
def test_what_is_no_address_is_said_and_kept_nowhere(acme, email):
    answer = fill(acme, email)
    assert answer.status_code == 400
    assert "not an email address" in answer.text
    assert mails(acme) == []


@pytest.mark.law("DI-04")
def test_a_form_with_other_words_than_ours_is_shown_again(acme):
    answer = acme.ask("/consent", "POST", data={"email": CHARLIE, "answer": "all", "locale": "en", "wording": "0" * 64})
    assert answer.status_code == 409
    assert "words of this form have changed" in answer.text
    assert mails(acme) == []


@pytest.mark.law("CC-03")
def test_one_answer_for_mail_and_measuring_is_good_in_italy_only(acme):
    refused = fill(acme, CHARLIE, variant="bundled", jurisdiction="FR")
    assert refused.status_code == 422
    fill(acme, CHARLIE, variant="bundled", jurisdiction="IT")
    press(acme, link_in(mails(acme)[0][1]))
    assert on(acme, CHARLIE) == BOTH
    acme.ask(acme.link(CHARLIE), "POST", data={"off": "all"})
    assert on(acme, CHARLIE) == set()
    assert acme.state(CHARLIE).state.mail_ended_at is None


@pytest.mark.law("ST-15")
def test_texts_that_nobody_signed_ask_for_nothing(another):
    site = another(extra='smtp_url = "smtp://localhost:2525"')
    assert site.ask("/consent?locale=en").status_code == 404
    assert "Yes, allow" not in site.ask(site.link(BOB)).text
    sign(site.runtime, "fr")
    assert site.ask("/consent?locale=en").status_code == 404
    assert site.ask("/consent?locale=fr").status_code == 200


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


def test_nobody_can_say_yes_for_a_role(acme):
    fill(acme, "info@example.org")
    assert mails(acme) == []
    fill(acme, "info@example.org", variant="mail", mail="yes")
    press(acme, link_in(mails(acme)[0][1]))
    assert on(acme, "info@example.org") == set()


@pytest.mark.law("VF-07")
def test_privacy_answers_the_same_for_everybody(acme):
    answers = {
        who: acme.ask("/privacy", "POST", data={"email": who, "do": do})
        for who in (ALICE, BOB, CHARLIE)
        for do in ("link", "refusal")
    }
    seen = {(a.status_code, a.data, str(sorted(a.headers.items()))) for a in answers.values()}
    assert len(seen) == 1


@pytest.mark.law("OO-06")
def test_a_no_without_a_link_needs_no_proof(acme):
    acme.ask("/privacy", "POST", data={"email": ALICE, "do": "refusal"})
    assert mails(acme) == []
    assert on(acme, ALICE) == set()
    acme.ask("/privacy", "POST", data={"email": CHARLIE, "do": "refusal"})
    assert mails(acme) == []
    assert on(acme, CHARLIE) is None


def test_the_link_to_the_choices_goes_to_the_address_only(acme):
    acme.ask("/privacy", "POST", data={"email": ALICE, "do": "link"})
    [(to, mail)] = mails(acme)
    assert to == ALICE
    assert "Measuring is ON." in acme.ask(link_in(mail, "p")).text
    acme.ask("/privacy", "POST", data={"email": CHARLIE, "do": "link"})
    [(to, mail)] = mails(acme)
    assert b"Nothing is held about this address" in mail.replace(b"=\r\n", b"")


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


def test_a_mailbox_cannot_be_flooded_through_our_forms(acme):
    clock = acme.runtime.clock
    arrived = 0
    for _ in range(60):
        fill(acme, ALICE)
        acme.ask("/privacy", "POST", data={"email": ALICE, "do": "link"})
        arrived += len(mails(acme))
        clock.move(20)
    assert arrived <= confirming.MAILS_A_DAY


def test_one_part_of_the_net_is_slowed_down_and_told_so(acme):
    answers = [
        acme.ask("/privacy", "POST", data={"email": f"p{n}@example.org", "do": "link"}).status_code for n in range(20)
    ]
    assert answers[:8] == [200] * 8
    assert set(answers[8:]) == {429}
    elsewhere = acme.ask(
        "/privacy", "POST", data={"email": ALICE, "do": "link"}, environ_overrides={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert elsewhere.status_code == 200


def test_the_history_in_the_ledger_says_how_the_yes_came_about(acme):
    asked = acme.runtime.now()
    fill(acme, CHARLIE, headers=None)
    press(acme, link_in(mails(acme)[0][1]))
    from consent_track.activities import proving

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
