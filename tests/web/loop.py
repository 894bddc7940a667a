"""What the tests of the mailbox loop share: a form that is filled in, a mail that arrives, a press behind its link."""

import re
from datetime import date
from email import message_from_bytes
from email.policy import default

from consent_track import worker
from consent_track.activities import consenting, knowing, notifying
from consent_track.domain.vocabulary import Purpose
from consent_track.records import sign_offs

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


def mails(site):
    """Whatever was asked for is answered and delivered; the mails that arrived."""
    boxes = Mailboxes()
    worker.run_once(site.runtime, "answer")
    notifying.deliver(site.runtime.processing, boxes)
    return boxes.mails


def link_in(mail, power="", url="https://mail.acme.example"):
    text = message_from_bytes(mail, policy=default).get_body(("plain",)).get_content()
    return re.search(rf"{re.escape(url)}(/{power or '[pv]'}/[A-Za-z0-9_-]+)", text)[1]


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
