"""What the tests of asking share: Acme's list, a wave, and who got which mail."""

from datetime import date

from consent_track.activities import answering, asking, awaiting, consenting, knowing, notifying, proving
from consent_track.activities.asking import Addressee, Plan
from consent_track.domain.vocabulary import Purpose
from consent_track.records import consent, sign_offs
from tests.world import ALICE, BOB, CHARLIE, OPERATOR

DORA, ERIN, FRED = "dora@example.org", "erin@example.org", "fred@example.org"
BOTH = (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)
URL = "https://mail.acme.example"
NOVEMBER = Plan(1, "november", BOTH, "FR", send=True, public_url=URL)


def sign(runtime, *locales):
    for locale in locales:
        texts = runtime.wordings.texts(locale)
        with runtime.processing() as p:
            sign_offs.record(p.session, sign_offs.SignOff(locale, texts.hash, "Ada", date(2026, 11, 18), "2026-11"))


def told_apart(runtime):
    """Dora objected, Erin was erased, and the English and French texts are signed."""
    sign(runtime, "en", "fr")
    with runtime.processing() as p:
        consenting.object_to(p, 1, knowing.obtain(p, 1, DORA), OPERATOR)
        knowing.obtain(p, 1, ERIN)
    answering.erase(runtime.processing, 1, ERIN, OPERATOR)
    return runtime


LIST = (ALICE, BOB, CHARLIE, DORA, ERIN, "info@example.org", CHARLIE, FRED)


def start(runtime, *addresses, plan=NOVEMBER, **more):
    who = [one if isinstance(one, Addressee) else Addressee(one) for one in addresses or LIST]
    return asking.start(runtime.processing, runtime.reading, plan, who, runtime.letters(), pause=0, **more)


def state(runtime, address):
    with runtime.reading() as p:
        subject = knowing.find(p, 1, address)
        return consent.find_state(p.session, 1, subject) if subject else None


def statuses(runtime, address):
    found = state(runtime, address)
    return {purpose.value: choice.status.value for purpose, choice in found.choices.items()} if found else None


def history(runtime, address):
    """The status of every entry about a person, as their own key opens it."""
    with runtime.reading() as p:
        return proving.history(p, 1, address)


class Mailboxes:
    def __init__(self):
        self.mails = []

    def send(self, recipient, mail):
        self.mails.append((recipient, mail))


def delivered(runtime):
    boxes = Mailboxes()
    while notifying.deliver(runtime.processing, boxes)["sent"]:
        pass
    return boxes.mails


def outcomes(runtime, name="november"):
    found = awaiting.report(runtime.reading, 1, name)
    return {which: count for which, count in found.outcomes.items() if count}


WHY_NOT = {"erased": 1, "grants_already": 1, "objected": 1, "role_address": 1, "twice": 1, "withdrew": 1}
