"""`/u/<token>`: the mail ends, and the measuring with it. RFC 8058 one-click, and one button for people."""

from flask import Blueprint, render_template, request

from consent_track.activities import consenting
from consent_track.domain.vocabulary import TokenClass

from .visit import act, how, visit


def attach(pages: Blueprint) -> None:
    pages.add_url_rule("/u/<token>", "unsubscribe", unsubscribe, methods=["GET", "HEAD"])
    pages.add_url_rule("/u/<token>", "end_mail", end_mail, methods=["POST"])


def unsubscribe(token: str) -> str:
    """The page behind the unsubscribe link: one button."""
    return render_template("unsubscribe.html", seen=visit(TokenClass.UNSUBSCRIBE, token))


def end_mail(token: str) -> str:
    """RFC 8058 one-click, in both encodings, and the button of the page."""
    seen = visit(TokenClass.UNSUBSCRIBE, token)
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    stamp = how(seen, "one_click" if one_click else "unsubscribe_page", "unsubscribe.html", "page.unsubscribe_button")
    return render_template("done.html", seen=seen, done=act(seen, consenting.end_mail, stamp), one=None)
