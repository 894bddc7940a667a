"""`/privacy`: for everybody without a link. The answer is the same for every address, and nothing is looked up here."""

from flask import Blueprint, render_template, request

from consent_track.activities import confirming
from consent_track.activities.confirming import Kind, Wish
from consent_track.domain.errors import InputRefused

from ..current import runtime
from . import mails
from .forms import PrivacyForm
from .visit import here, words

Answer = str | tuple[str, int]


def attach(pages: Blueprint) -> None:
    pages.add_url_rule("/privacy", "privacy", privacy, methods=["GET", "HEAD"])
    pages.add_url_rule("/privacy", "ask", ask, methods=["POST"])


def privacy() -> str:
    """Who is responsible here, what is measured, whom to write to, and a form for an address."""
    return _page()


def _page(problem: str = "", email: str = "") -> str:
    controller = here()
    return render_template(
        "privacy.html",
        controller=controller,
        texts=words(_locale(), controller),
        problem=problem,
        email=email,
        honours_dnt=runtime().policies.for_jurisdiction(controller.jurisdiction).honours_dnt,
        mailing=bool(runtime().config.smtp_url),
    )


def ask() -> Answer:
    """A link to the address, or a no for it: a no needs no proof, because it can only protect (11 CCR 7060(b))."""
    controller, form = here(), PrivacyForm()
    texts = words(_locale(), controller)
    if not form.validate():
        return _page("form.email_wrong", (form.email.data or "")[:254]), 400
    if not mails.allowed():
        return mails.busy(controller, texts)
    kind = Kind(form.do.data)
    shown = texts.shown("privacy.refuse") if kind is Kind.REFUSAL else None
    wish = Wish(kind, texts.locale, jurisdiction=controller.jurisdiction, shown=shown, method="privacy_page")
    try:
        with runtime().processing() as p:
            confirming.begin(p, controller.number, form.email.data, wish)
    except InputRefused:
        return _page("form.email_wrong", form.email.data[:254]), 400
    if kind is Kind.REFUSAL:
        heading, lines = "form.no_heading", ["privacy.refused"]
        return render_template("said.html", controller=controller, texts=texts, heading=heading, lines=lines)
    return render_template("sent.html", controller=controller, texts=texts, masked="")


def _locale() -> str:
    return runtime().wordings.negotiate(request.headers.get("Accept-Language", ""), here().default_locale)
