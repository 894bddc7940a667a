"""From the mail that asks to the answer: looking changes nothing, a no takes one press, a yes a mail more."""

import re
from datetime import date
from email import message_from_bytes
from email.policy import default

import pytest

from consent_track import worker
from consent_track.activities import asking, awaiting, knowing, notifying
from consent_track.activities.asking import Addressee, Plan
from consent_track.domain.vocabulary import Grade, Purpose
from consent_track.records import sign_offs
from tests import world
from tests.world import CHARLIE

BOTH = (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)
MARK = re.compile(r'name="page" value="([^"]+)"')


class Mailboxes:
    def __init__(self):
        self.mails = []

    def send(self, recipient, mail):
        self.mails.append((recipient, mail))


@pytest.fixture
def acme(another):
    """Acme, which asked Charlie."""
    site = another(extra='smtp_url = "smtp://localhost:2525"')
    texts = site.runtime.wordings.texts("en")
    with site.runtime.processing() as p:
        sign_offs.record(p.session, sign_offs.SignOff("en", texts.hash, "Ada", date(2026, 11, 18), "2026-11"))
    return site


def ask(site, purposes=BOTH, who=CHARLIE, name="november"):
    runtime = site.runtime
    plan = Plan(1, name, purposes, "FR", send=True, public_url=runtime.config.public_url)
    asking.start(runtime.processing, runtime.reading, plan, [Addressee(who)], runtime.letters(), pause=0)
    return mailed(site)


def mailed(site):
    """The text of the one mail that arrives now."""
    boxes = Mailboxes()
    worker.run_once(site.runtime, "answer")
    notifying.deliver(site.runtime.processing, boxes)
    [(_, mail)] = boxes.mails
    return message_from_bytes(mail, policy=default).get_body(("plain",)).get_content()


def link_in(text, power):
    return re.search(rf"https://mail\.acme\.example(/{power}/[A-Za-z0-9_-]+)", text)[1]


def statuses(site):
    return {purpose: choice.status.value for purpose, choice in site.state(CHARLIE).state.choices.items()}


def outcome(site, name="november"):
    return [which for which, count in awaiting.report(site.runtime.reading, 1, name).outcomes.items() if count]


@pytest.mark.law("CC-06", "CC-07")
def test_opening_both_links_a_hundred_times_is_no_answer(acme):
    link, before = link_in(ask(acme), "p"), statuses(acme)
    for _ in range(50):
        for suffix in ("", "#yes", "#no", "?yes", "?answer=yes&on=open_performance"):
            assert acme.ask(f"{link}{suffix}").status_code == 200
        acme.ask(link, "HEAD", headers={"User-Agent": "GoogleImageProxy"})
    assert statuses(acme) == before
    assert outcome(acme) == ["open"]


@pytest.mark.law("WD-15", "CC-04")
def test_the_page_offers_both_answers_alike_for_each_purpose(acme):
    page = acme.ask(link_in(ask(acme), "p")).text
    for purpose in BOTH:
        buttons = re.findall(rf'<button name="(on|off)" value="{purpose}"([^>]*)>([^<]+)<', page)
        assert [(name, words) for name, _, words in buttons] == [("on", "Yes, allow"), ("off", "No, thanks")]
        assert len({attributes for _, attributes, _ in buttons}) == 1
    assert page.count('id="yes"') == page.count('id="no"') == 1
    assert "autofocus" not in page
    assert "checked" not in page


def test_a_no_takes_one_press_and_holds_at_once(acme):
    link = link_in(ask(acme, BOTH[:1]), "p")
    done = acme.ask(link, "POST", data={"off": "open_performance"})
    assert done.status_code == 200
    assert statuses(acme) == {"open_performance": "refused"}
    assert outcome(acme) == ["no"]
    with acme.runtime.reading() as p:
        assert knowing.find(p, 1, CHARLIE)
    assert "No, thanks" not in acme.ask(link).text, "nothing is asked any more"


def test_a_yes_takes_the_mailbox_loop_and_is_the_best_evidence(acme):
    link = link_in(ask(acme, BOTH[:1]), "p")
    assert acme.ask(link, "POST", data={"on": "open_performance"}).status_code == 200
    assert statuses(acme) == {"open_performance": "requested"}, "a forwarded mail grants nothing"
    confirm = link_in(mailed(acme), "v")
    mark = MARK.search(acme.ask(confirm).text)[1]
    acme.runtime.clock.move(10)
    acme.ask(confirm, "POST", data={"answer": "yes", "page": mark})
    assert statuses(acme) == {"open_performance": "given"}
    assert acme.state(CHARLIE).state.choices[Purpose.OPEN_PERFORMANCE].grade is Grade.MAILBOX_LOOP
    assert outcome(acme) == ["yes"]


def test_what_a_wave_asks_is_on_the_page_although_the_form_does_not_ask_it(acme):
    page = acme.ask(link_in(ask(acme, (Purpose.SALES_FOLLOWUP,)), "p")).text
    assert '<button name="on" value="sales_followup">' in page


@pytest.mark.law("CC-08")
def test_the_newsletter_is_the_same_before_the_question_and_after_any_answer(acme):
    def newsletter():
        data = world.prepare(acme.runtime, world.mail_to(CHARLIE), CHARLIE).result.data
        parsed = message_from_bytes(data, policy=default)
        return [re.sub(r"/[pu]/[\w-]+", "", part.get_content()) for part in parsed.iter_parts()]

    with acme.runtime.processing() as p:
        knowing.obtain(p, 1, CHARLIE, "en")
    never = newsletter()
    link = link_in(ask(acme), "p")
    while_asked = newsletter()
    acme.ask(link, "POST", data={"off": "all"})
    assert never == while_asked == newsletter()


def test_the_links_of_the_mail_are_of_the_public_url_whatever_host_is_asked(acme):
    link = link_in(ask(acme), "p")
    acme.ask(link, host="evil.example")
    acme.ask(link, "POST", data={"on": "open_performance"}, headers={"X-Forwarded-Host": "evil.example"})
    text = mailed(acme)
    hosts = set(re.findall(r"https://([^/\s]+)", text))
    assert hosts <= {"mail.acme.example", "acme.example"}


def test_who_is_asked_with_the_form_switched_off_sees_no_question(another):
    site = another()
    plan = Plan(1, "november", BOTH, "FR", public_url="https://mail.acme.example")
    runtime = site.runtime
    found = asking.start(runtime.processing, runtime.reading, plan, [Addressee(CHARLIE)], runtime.letters(), pause=0)
    assert found.not_asked == {"locale_not_signed": 1}
