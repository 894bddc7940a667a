"""What people meet who use a right: the form, the pages behind the mail, and the letter of every stage."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from consent_track.activities.confirming import Kind, Wish
from consent_track.activities.corresponding import Message, Said
from consent_track.activities.requesting import Request, Written
from consent_track.domain.decision import DAY
from consent_track.domain.rights import Channel, Ground, Level, Right, Stage

from .stage import JURISDICTION, Shown, mail
from .stage import Stage as Theatre

Make = Callable[[Theatre, str], Shown]

# What each letter is about: the message, the stage, the right, and how the request stands.
LETTERS: Final = (
    ("request-confirm", "is this your request?", Message.CONFIRM, Stage.VERIFYING, Right.ACCESS),
    ("request-received", "a request was received", Message.RECEIVED, Stage.IN_PROGRESS, Right.COMPLAINT),
    ("request-reminder", "nobody confirmed yet", Message.REMINDER, Stage.VERIFYING, Right.ERASURE),
    ("request-cooling", "an erasure that can be taken back", Message.COOLING, Stage.COOLING_OFF, Right.ERASURE),
    ("request-extended", "it takes longer", Message.EXTENDED, Stage.IN_PROGRESS, Right.ACCESS),
    ("request-ready", "the answer is ready", Message.READY, Stage.FULFILLED, Right.ACCESS),
    ("request-seen", "the answer was seen", Message.ANSWER, Stage.FULFILLED, Right.ACCESS),
    ("request-erased", "erased", Message.ANSWER, Stage.FULFILLED, Right.ERASURE),
    ("request-restricted", "restricted", Message.ANSWER, Stage.FULFILLED, Right.RESTRICTION),
    ("request-objected", "objected", Message.ANSWER, Stage.FULFILLED, Right.OBJECTION),
    ("request-opted-out", "opted out", Message.ANSWER, Stage.FULFILLED, Right.OPT_OUT),
    ("request-answered", "answered in words", Message.ANSWER, Stage.FULFILLED, Right.COMPLAINT),
    ("request-nothing", "nothing is held", Message.ANSWER, Stage.NOTHING_HELD, Right.ACCESS),
    ("request-refused", "refused", Message.ANSWER, Stage.REFUSED, Right.ERASURE),
    ("request-partly", "done in part", Message.ANSWER, Stage.PARTLY_FULFILLED, Right.RECTIFICATION),
    ("request-unknown", "not identifiable", Message.ANSWER, Stage.NOT_IDENTIFIABLE, Right.ACCESS),
    ("request-expired", "nobody confirmed in time", Message.ANSWER, Stage.EXPIRED, Right.ACCESS),
    ("request-revoked", "taken back", Message.ANSWER, Stage.REVOKED, Right.ERASURE),
)


def letter(message: Message, stage: Stage, asked: Right) -> Make:
    """The letter of one stage, as the newest reader would get it."""

    def make(theatre: Theatre, locale: str) -> Shown:
        theatre.reader(locale)
        said = _said(theatre, locale, message, stage, asked)
        octets = theatre.runtime.letters().about(theatre.controller, said, theatre.address())
        assert octets is not None  # the stage's texts are complete
        return mail(octets)

    return make


def _said(theatre: Theatre, locale: str, message: Message, stage: Stage, asked: Right) -> Said:
    now, days = theatre.runtime.now(), timedelta(days=30)
    request = Request(
        theatre.controller.number, 0x9E3779B97F, asked, Channel.PORTAL, stage, 1, (JURISDICTION,), locale,
        now - 2 * DAY, now + DAY, datetime.fromtimestamp(now, UTC).date() + days, now + 30 * DAY, Level.REASONABLE,
        1, b"", ground=Ground.EXCESSIVE, cools_until=now + 2 * DAY,
    )  # fmt: skip
    later = (datetime.fromtimestamp(now, UTC).date() + timedelta(days=7)).isoformat()
    kept = {"consent_event": "GDPR Art. 7(1), 17(3)(e)", "suppression": "GDPR Art. 17(3)(b), 21(3)"}
    written = Written(
        answer="…" if asked in (Right.COMPLAINT, Right.RECTIFICATION) else "", refusal="…", extension="…",
        results={"erase_on": later, "kept": kept},
    )  # fmt: skip
    link = f"{theatre.runtime.config.public_url}/v/…" if message in (Message.CONFIRM, Message.READY) else ""
    return Said(request, message, written, link, stage is Stage.REFUSED)


def form(**data: str) -> Make:
    """The form, or what it says of what was sent."""

    def make(theatre: Theatre, locale: str) -> Shown:
        if not data:
            return Shown(theatre.ask("/privacy/request", locale))
        return Shown(theatre.ask("/privacy/request", locale, "POST", data=data))

    return make


def behind(asked: Right, *pressed: str) -> Make:
    """The page behind the link of a request's mail, after these buttons."""

    def make(theatre: Theatre, locale: str) -> Shown:
        theatre.reader(locale)
        wish = Wish(Kind.REQUEST, locale, jurisdiction=JURISDICTION, method=Channel.PORTAL, asked=asked)
        path, _ = theatre.begun(wish)
        page = theatre.ask(path, locale)
        for one in pressed:
            page = theatre.press(path, locale, one, follow_redirects=True)
        return Shown(page)

    return make
