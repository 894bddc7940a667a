"""`/consent`: the consent form, on our page or embedded in another (CC-04, CC-06, DI-03).

One choice for each purpose, nothing ticked, both answers alike. What comes back proves which words were read: it names
their hash, and only the present ones are taken. It grants nothing; the mail that follows does.
"""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from flask import Blueprint, abort, render_template, request

from consent_track.activities import confirming
from consent_track.activities.confirming import Kind, Wish
from consent_track.collector.app import host_of
from consent_track.domain.consent import Screen, Shown
from consent_track.domain.controller import Controller
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import Purpose, is_jurisdiction
from consent_track.i18n import Texts

from ..current import runtime
from . import mails
from .forms import ConsentForm
from .specimen import screen_of
from .visit import here, may_ask, words

Answer = str | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """One consent form as it is shown: whose, in which words, under which law, with the newsletter or without."""

    controller: Controller
    texts: Texts
    jurisdiction: str
    variant: str = ""  # "", mail: the newsletter can be ticked too, bundled: both in one answer (CC-03)
    email: str = ""
    problem: str = ""

    def get(self, id_: str, **values: str) -> str:
        return self.texts.get(id_, controller=self.controller.name, **values)

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        return self.controller.purposes

    @property
    def months(self) -> str:
        """How long nobody asks again after a no (CC-09, CC-10)."""
        policy = runtime().policies.for_jurisdiction(self.jurisdiction)
        return self.texts.months(policy.number("re_ask_cooldown_months"))

    @property
    def shown(self) -> Shown:
        """The words that stand on the form."""
        ids = ["heading", "each", "email", "yes_all", "yes_ticked", "no", "same", "again", "proof"]
        ids += {"mail": ["mail", "mail_text"], "bundled": ["mail", "bundled"]}.get(self.variant, [])
        of_purposes = (f"purpose.{one}.{part}" for one in self.purposes for part in ("title", "text"))
        return self.texts.shown(*(f"form.{id_}" for id_ in ids), *of_purposes)

    @property
    def together(self) -> bool:
        """Whether one answer may say yes to the mail and to measuring here (Garante 284/2026 para. 6)."""
        return runtime().policies.for_jurisdiction(self.jurisdiction).pack.bundled_with_mail_consent


def attach(pages: Blueprint) -> None:
    pages.add_url_rule("/consent", "consent", consent, methods=["GET", "HEAD"], defaults={"number": None})
    pages.add_url_rule("/consent", "consents", answer, methods=["POST"], defaults={"number": None})
    pages.add_url_rule("/consent/<int:number>", "consent_of", consent, methods=["GET", "HEAD"])
    pages.add_url_rule("/consent/<int:number>", "consents_of", answer, methods=["POST"])


def consent(number: int | None) -> Answer:
    """The form; `?locale=fr&jurisdiction=FR&variant=mail` say more."""
    asked = _asked(_whose(number), request.args.get("locale", ""), request.args.get("jurisdiction", ""),
                   request.args.get("variant", ""))  # fmt: skip
    return _page(asked)


def answer(number: int | None) -> Answer:
    """Take an answer: a no at once, a yes into a mail that has to confirm it."""
    form, controller = ConsentForm(), _whose(number)
    valid = form.validate()
    asked = _asked(controller, form.locale.data or "", form.jurisdiction.data or "", form.variant.data or "",
                   (form.email.data or "")[:254])  # fmt: skip
    problem, status = _problem(asked, form, valid)
    if problem:
        return _page(asked, problem, status)
    if not mails.allowed():
        return mails.busy(controller, asked.texts)
    refused = form.answer.data == "none"
    purposes = () if refused else asked.purposes if form.answer.data == "all" else _ticked(asked, form)
    wish = Wish(
        Kind.REFUSAL if refused else Kind.CONSENT, asked.texts.locale, purposes, _wants_mail(asked, form),
        asked.jurisdiction, asked.shown, "consent_form", _embedded_in(),
    )  # fmt: skip
    if form.email.data or not refused:
        try:
            with runtime().processing() as p:
                confirming.begin(p, controller.number, form.email.data, wish, _screen(asked))
        except InputRefused:
            return _page(asked, "form.email_wrong", 400)
    if refused:
        heading, lines = "form.no_heading", ["form.no_text"]
        return render_template("said.html", controller=controller, texts=asked.texts, heading=heading, lines=lines)
    return render_template("sent.html", controller=controller, texts=asked.texts, masked="")


def _problem(asked: Asked, form: ConsentForm, valid: bool) -> tuple[str, int]:
    """What is wrong with an answer, as a text of the form; "" if nothing is."""
    if form.answer.data == "none" and not form.answer.errors:
        return ("form.email_wrong", 400) if form.email.errors else ("", 0)
    if form.email.errors:
        return "form.email_wrong", 400
    if not valid:
        return "form.nothing_ticked", 400
    if form.wording.data != asked.shown.id:
        return "form.changed", 409
    if asked.variant == "bundled" and not asked.together:
        return "form.not_together", 422
    if form.answer.data == "ticked" and not _ticked(asked, form) and not _wants_mail(asked, form):
        return "form.nothing_ticked", 400
    return "", 0


def _ticked(asked: Asked, form: ConsentForm) -> tuple[Purpose, ...]:
    return tuple(purpose for purpose in asked.purposes if purpose.value in (form.purpose.data or ()))


def _wants_mail(asked: Asked, form: ConsentForm) -> bool:
    if form.answer.data == "none" or not asked.variant:
        return False
    return asked.variant == "bundled" or form.mail.data == "yes"


def _page(asked: Asked, problem: str = "", status: int = 200) -> Answer:
    if not may_ask(asked.texts):
        heading, lines = "form.closed_heading", ["form.closed_text"]
        page = render_template(
            "said.html", controller=asked.controller, texts=asked.texts, heading=heading, lines=lines
        )
        return page, 404
    page = render_template(
        "consent.html", asked=asked, controller=asked.controller, problem=problem, action=request.path
    )
    return page, status


def _whose(number: int | None) -> Controller:
    if number is None:
        return here()
    controller = runtime().controllers.get(number)
    if controller is None or (controller.hosts and controller is not here()):
        abort(404)
    return controller


def _asked(controller: Controller, locale: str, jurisdiction: str, variant: str, email: str = "") -> Asked:
    said = runtime().wordings.negotiate(request.headers.get("Accept-Language", ""), controller.default_locale)
    law = jurisdiction if is_jurisdiction(jurisdiction) else controller.jurisdiction
    return Asked(
        controller, words(locale or said, controller), law, variant if variant in ("mail", "bundled") else "", email
    )


def _screen(asked: Asked) -> Screen:
    """The form as it was shown, on our page or inside another."""
    empty = replace(asked, email="")
    action = f"{runtime().config.public_url}/consent/{asked.controller.number}"
    elsewhere = _embedded_in() not in ("", host_of(request.host))
    template = "snippet.html" if elsewhere else "consent.html"
    return screen_of(template, asked=empty, controller=asked.controller, problem="", action=action)


def _embedded_in() -> str:
    """The host of the page that the form stood on, where the browser tells; never its address."""
    origin = urlsplit(request.headers.get("Origin", ""))
    return (origin.hostname or "")[:253] if origin.scheme in ("http", "https") else ""
