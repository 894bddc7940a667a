"""The one table of what recipients can meet: a new page or mail appears in the preview by a row here.

A test asks the templates of the pages whether one of them is shown by no row.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any, Final

from consent_track.activities import asking, evidencing, receipting
from consent_track.activities.asking import Addressee, Plan, Question
from consent_track.activities.confirming import Kind, Wish
from consent_track.demo.mails import compose
from consent_track.domain.disclosure import Statement
from consent_track.domain.rights import Right
from consent_track.domain.vocabulary import INDIVIDUAL, MailType, Purpose, TokenClass
from consent_track.mail.footer import FooterLinks
from consent_track.mail.headers import Declared
from consent_track.notice.forms import compose as compose_notice
from consent_track.notice.render import as_html, as_text
from consent_track.web import problems
from consent_track.web.portal import papers
from consent_track.web.snippet import snippet

from . import requests
from .stage import JURISDICTION, Shown, Stage, mail

_MEASURED: Final = frozenset({Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE})
_NOBODY: Final = frozenset[Purpose]()
_CONFIRMATION: Final = re.compile(r'href="(/p/[^"]+/confirmation/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to see: its key in file names, its words for the operator, and how it is made in a locale."""

    key: str
    title: str
    make: Callable[[Stage, str], Shown]


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that are shown alike; heights in CSS pixels, on a narrow and on a wide screen."""

    key: str
    title: str
    heights: tuple[int, int]
    rows: tuple[Row, ...]


def _document(stage: Stage, locale: str, title: str, body: str, *, styled: bool = False) -> str:
    """A fragment as a document of its own, in its language."""
    sheet = '<link rel="stylesheet" href="/static/consent_track.css">' if styled else ""
    return (
        f'<!doctype html><html lang="{locale}" dir="{stage.texts(locale).direction}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>{sheet}</head>'
        f"<body>{f'<main>{body}</main>' if styled else body}</body></html>"
    )


def _footer(statement: Statement, purposes: frozenset[Purpose]) -> Callable[[Stage, str], Shown]:
    def make(stage: Stage, locale: str) -> Shown:
        site, texts = stage.runtime.config.public_url, stage.texts(locale)
        name = dict(stage.controller.name_by_locale).get(locale, stage.controller.name)
        links = FooterLinks(f"{site}/p/…", f"{site}/privacy", f"{site}/u/…")
        footer = texts.footer(statement, name, sorted(purposes), links)
        return Shown(_document(stage, locale, statement.value, footer.html), footer.text.strip("\n"))

    return make


def _footers() -> tuple[Row, ...]:
    """Every sentence a footer can have, and the longest: with every purpose at once."""
    rows = [Row(f"footer-{one}", one.replace("_", " "), _footer(one, _MEASURED)) for one in Statement]
    longest = Row("footer-every-purpose", "every purpose at once", _footer(Statement.OPENS_AND_CLICKS, INDIVIDUAL))
    return (*rows, longest)


def _choices(stage: Stage, locale: str) -> Shown:
    return Shown(stage.ask(stage.link(TokenClass.PREFERENCE, stage.reader(locale)), locale))


def _choices_off(stage: Stage, locale: str) -> Shown:
    return Shown(stage.ask(stage.link(TokenClass.PREFERENCE, stage.reader(locale, _NOBODY)), locale))


def _choices_signal(stage: Stage, locale: str) -> Shown:
    path = stage.link(TokenClass.PREFERENCE, stage.reader(locale, _MEASURED))
    return Shown(stage.ask(path, locale, headers={"Sec-GPC": "1"}))


def _off(what: str) -> Callable[[Stage, str], Shown]:
    def make(stage: Stage, locale: str) -> Shown:
        path = stage.link(TokenClass.PREFERENCE, stage.reader(locale))
        return Shown(stage.ask(path, locale, "POST", data={"off": what}))

    return make


def _unsubscribe(method: str) -> Callable[[Stage, str], Shown]:
    def make(stage: Stage, locale: str) -> Shown:
        return Shown(stage.ask(stage.link(TokenClass.UNSUBSCRIBE, stage.reader(locale)), locale, method))

    return make


def _plain(path: str) -> Callable[[Stage, str], Shown]:
    return lambda stage, locale: Shown(stage.ask(path, locale))


def _answered(path: str, **data: str) -> Callable[[Stage, str], Shown]:
    return lambda stage, locale: Shown(stage.ask(path, locale, "POST", data={"email": "alice@example.org", **data}))


def _wish(stage: Stage, locale: str, kind: Kind) -> Wish:
    purposes = stage.controller.purposes if kind is Kind.CONSENT else ()
    return Wish(kind, locale, purposes, mail=kind is Kind.CONSENT, jurisdiction=JURISDICTION)


def _letter(kind: Kind) -> Callable[[Stage, str], Shown]:
    def make(stage: Stage, locale: str) -> Shown:
        stage.reader(locale, _NOBODY)
        return mail(stage.begun(_wish(stage, locale, kind))[1])

    return make


def _asked(stage: Stage, locale: str) -> Question:
    """The question to a new reader, as a wave puts it."""
    subject, site = stage.reader(locale, _NOBODY), stage.runtime.config.public_url
    plan = Plan(stage.controller.number, f"preview {subject}", stage.controller.purposes, JURISDICTION, public_url=site)
    runtime, who = stage.runtime, [Addressee(stage.address(), locale)]
    asking.start(runtime.processing, runtime.reading, plan, who, runtime.letters(), pause=0)
    months = runtime.policies.for_jurisdiction(JURISDICTION).number("re_ask_cooldown_months")
    link = f"{site}{stage.link(TokenClass.PREFERENCE, subject)}"
    return Question(stage.controller, stage.address(), locale, plan.purposes, months, link, link)


def _letter_that_asks(stage: Stage, locale: str) -> Shown:
    return mail(stage.runtime.letters().request(_asked(stage, locale)))


def _choices_asked(stage: Stage, locale: str) -> Shown:
    question = _asked(stage, locale)
    return Shown(stage.ask(question.yes.removeprefix(stage.runtime.config.public_url), locale))


def _letter_to_nobody(stage: Stage, locale: str) -> Shown:
    wish = _wish(stage, locale, Kind.LINK)
    letter = stage.runtime.letters().write(stage.controller, wish, "nobody@example.org", "", False)
    assert letter is not None  # the locale is complete
    return mail(letter)


def _behind(kind: Kind, *pressed: str, signal: bool = False) -> Callable[[Stage, str], Shown]:
    """The page behind the link of a mail, after these buttons."""

    def make(stage: Stage, locale: str) -> Shown:
        stage.reader(locale, _NOBODY)
        path, _ = stage.begun(_wish(stage, locale, kind))
        headers = {"Sec-GPC": "1"} if signal else {}
        page = stage.ask(path, locale, headers=headers)
        for answer in pressed:
            page = stage.press(path, locale, answer, headers=headers)
        return Shown(page)

    return make


def _used(stage: Stage, locale: str) -> Shown:
    stage.reader(locale, _NOBODY)
    path, _ = stage.begun(_wish(stage, locale, Kind.CONSENT))
    stage.press(path, locale, "yes")
    return Shown(stage.ask(path, locale))


def _held(stage: Stage, locale: str) -> Shown:
    stage.reader(locale)
    path, _ = stage.begun(_wish(stage, locale, Kind.SESSION))
    return Shown(stage.press(path, locale, "show", follow_redirects=True))


def _paper(stage: Stage, locale: str, path: str, link: re.Pattern[str], **request: Any) -> Shown:
    """The paper behind a link of a page."""
    found = link.findall(stage.ask(path, locale, **request))
    return Shown(stage.ask(unescape(found[0]), locale))


def _confirmation(stage: Stage, locale: str) -> Shown:
    path = stage.link(TokenClass.PREFERENCE, stage.reader(locale))
    return _paper(stage, locale, path, _CONFIRMATION, method="POST", data={"off": "all"})


def _receipt(stage: Stage, locale: str) -> Shown:
    subject, number, site = stage.reader(locale), stage.controller.number, stage.runtime.config.public_url
    with stage.runtime.reading() as p:
        found = receipting.receipt_of(p, number, subject, evidencing.last_entry(p, number, subject), whole=True)
        assert found is not None  # the stage's readers agreed to something
        signed = receipting.signed(p, found, site)
    with stage.app.test_request_context("/", base_url=site):
        return Shown(papers.page(found, json.dumps(signed, indent=1, ensure_ascii=False)))


def _snippet(stage: Stage, locale: str) -> Shown:
    form = snippet(stage.runtime, stage.controller, stage.texts(locale), JURISDICTION, "mail")
    return Shown(_document(stage, locale, "snippet", form))


def _busy(stage: Stage, locale: str) -> Shown:
    site = stage.runtime.config.public_url
    with stage.app.test_request_context("/", base_url=site, headers={"Accept-Language": locale}):
        return Shown(problems.page_of(503, "page.busy_heading", "page.busy_text")[0])


def _newsletter(purposes: frozenset[Purpose]) -> Callable[[Stage, str], Shown]:
    def make(stage: Stage, locale: str) -> Shown:
        stage.reader(locale, purposes)
        raw = compose("newsletter", "Alice", stage.address(), "https://shop.example", stage.runtime.now())
        return stage.sent(raw, _said(stage, MailType.REQUESTED_NEWSLETTER, locale))

    return make


def _order(stage: Stage, locale: str) -> Shown:
    stage.reader(locale)
    raw = compose("receipt", "Alice", stage.address(), "https://shop.example", stage.runtime.now())
    return stage.sent(raw, _said(stage, MailType.TRANSACTIONAL, locale, _NOBODY))


def _said(stage: Stage, kind: MailType, locale: str, purposes: frozenset[Purpose] | None = None) -> Declared:
    return Declared(kind, JURISDICTION, locale, "preview", purposes, stage.controller.number)


def _notice(jurisdiction: str) -> Callable[[Stage, str], Shown]:
    def make(stage: Stage, locale: str) -> Shown:
        policy, site = stage.runtime.policies.for_jurisdiction(jurisdiction), stage.runtime.config.public_url
        notice = compose_notice(stage.texts(locale), policy, stage.controller, jurisdiction, site)
        return Shown(_document(stage, locale, notice.title, as_html(notice), styled=True), as_text(notice))

    return make


SECTIONS: Final = (
    Section("footers", "At the end of a mail", (330, 230), _footers()),
    Section(
        "mails",
        "Mails",
        (720, 620),
        (
            Row("mail-measured", "a newsletter to somebody who agreed", _newsletter(_MEASURED)),
            Row("mail-unmeasured", "the same to somebody who never said", _newsletter(_NOBODY)),
            Row("mail-order", "an order mail", _order),
            Row("mail-request", "the question", _letter_that_asks),
            Row("mail-consent", "confirm what you agree to", _letter(Kind.CONSENT)),
            Row("mail-link", "your link", _letter(Kind.LINK)),
            Row("mail-session", "see what is held about you", _letter(Kind.SESSION)),
            Row("mail-nothing", "nothing is held about you", _letter_to_nobody),
            *(Row(key, title, requests.letter(what, at, asked)) for key, title, what, at, asked in requests.LETTERS),
        ),
    ),
    Section(
        "pages",
        "Pages",
        (680, 620),
        (
            Row("choices-on", "choices, measuring is on", _choices),
            Row("choices-off", "choices, measuring is off", _choices_off),
            Row("choices-asked", "choices, behind the question", _choices_asked),
            Row("choices-signal", "choices, for a browser that says no (GPC)", _choices_signal),
            Row("done-all", "done: all measuring off", _off("all")),
            Row("done-one", "done: one purpose off", _off(Purpose.CLICK_PERFORMANCE)),
            Row("unsubscribe", "unsubscribe", _unsubscribe("GET")),
            Row("done-mail", "done: the emails have stopped", _unsubscribe("POST")),
            Row("privacy", "privacy, for people without a link", _plain("/privacy")),
            Row("consent", "the consent form", _plain("/consent")),
            Row("consent-mail", "the consent form, with the newsletter", _plain("/consent?variant=mail")),
            Row("consent-bundled", "both in one answer (Italy)", _plain("/consent?variant=bundled&jurisdiction=IT")),
            Row("consent-nothing", "the consent form, nothing ticked", _answered("/consent", answer="ticked")),
            Row("sent", "a mail is on its way", _answered("/privacy", do="link")),
            Row("said-no", "a no was heard", _answered("/privacy", do="refusal")),
            Row("verify", "confirm, behind the link of the mail", _behind(Kind.CONSENT)),
            Row("verify-signal", "confirm, for a browser that says no (GPC)", _behind(Kind.CONSENT, signal=True)),
            Row("verified", "confirmed", _behind(Kind.CONSENT, "yes")),
            Row("verified-no", "not confirmed", _behind(Kind.CONSENT, "no")),
            Row("used", "a link that was used", _used),
            Row("session", "see what is held, behind the link of the mail", _behind(Kind.SESSION)),
            Row("held", "what is held", _held),
            Row("request", "using a right", requests.form()),
            Row("request-wrong", "using a right, nothing chosen", requests.form(email="alice@example.org")),
            Row("request-verify", "is this your request?", requests.behind(Right.ACCESS)),
            Row("request-answer", "the answer", requests.behind(Right.ACCESS, "yes")),
            Row("request-cools", "an erasure that can be taken back", requests.behind(Right.ERASURE, "yes")),
            Row("receipt", "the receipt of a choice", _receipt),
            Row("confirmation", "the confirmation of a withdrawal", _confirmation),
            Row("snippet", "the consent form for other pages, without their style", _snippet),
            Row("dead-link", "a link that does not work", _plain("/p/nothing")),
            Row("busy", "the storage cannot be reached", _busy),
        ),
    ),
    Section(
        "notices",
        "Privacy notices (consent-track notice)",
        (680, 620),
        (
            Row("notice-eu", "a privacy notice in the European Union", _notice("EU")),
            Row("notice-california", "a notice at collection in California", _notice("US-CA")),
        ),
    ),
)
