"""`/v/<token>`: the page behind the link of a mail that confirms something. GET shows; POST acts, once.

A yes has to come from a page that was shown, by a press on one of two buttons that look alike: whatever merely opens
links, or sends forms as they are, grants nothing (CC-06, threat T12).
"""

import base64
import binascii
from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request

from consent_track.activities import admitting, confirming, showing, wording
from consent_track.activities.confirming import Begun, Kind, Late
from consent_track.domain.consent import Screen
from consent_track.domain.controller import Controller
from consent_track.domain.errors import ForgedToken
from consent_track.domain.observation import TokenFacts
from consent_track.domain.vocabulary import TokenClass
from consent_track.i18n import Texts

from ..current import runtime
from ..problems import locale_of_request
from . import mails
from .forms import VerifyForm
from .specimen import ADDRESS, MARK, TIME, screen_of
from .visit import heard, isolated, opened, words

COOKIE: Final = "consent_track_page"
Answer = str | tuple[str, int] | Response


def attach(pages: Blueprint) -> None:
    pages.add_url_rule("/v/<token>", "verify", verify, methods=["GET", "HEAD"])
    pages.add_url_rule("/v/<token>", "verified", answer, methods=["POST"])


def verify(token: str) -> Answer:
    """What is asked, with its buttons; or, in the browser that was let in, what is held."""
    facts, controller = opened(TokenClass.VERIFICATION, token)
    held = _held(facts)
    if held is not None:
        texts = words(held.locale or locale_of_request(), controller)
        return render_template("held.html", controller=controller, texts=texts, held=held, token=token)
    with runtime().reading() as p:
        begun = confirming.look(p, facts.controller, facts.message)
    return _page(facts, controller, begun)


def answer(token: str) -> Answer:
    """Do what was pressed."""
    facts, controller = opened(TokenClass.VERIFICATION, token)
    form = VerifyForm()
    if not form.validate():
        return _look(facts, controller), 400
    return _DO[form.answer.data](facts, controller, form.page.data or "", token)


def _yes(facts: TokenFacts, controller: Controller, mark: str, _token: str) -> Answer:
    shown_at = _shown_at(facts, mark)
    if shown_at is None:
        return _look(facts, controller), 400
    signalled = heard()
    with runtime().processing() as p:
        begun = confirming.look(p, facts.controller, facts.message)
        if isinstance(begun, Late):
            return _page(facts, controller, begun)
        texts = words(begun.wish.locale, controller)
        if begun.wish.purposes and not wording.may_ask(p, texts.locale, texts.hash):
            raise ForgedToken
        shown = texts.shown(*_ids(begun, signalled))
        screen = _screen(controller, texts, begun, signalled)
        done = confirming.confirm(
            p, facts.controller, facts.message, shown, shown_at, screen=screen, signalled=signalled
        )
    if done is Late.TOO_QUICK:
        return _page(facts, controller, begun, "verify.too_quick"), 400
    if isinstance(done, Late):
        raise ForgedToken
    return render_template("verified.html", controller=controller, texts=texts, done=done, begun=begun)


def _no(facts: TokenFacts, controller: Controller, mark: str, _token: str) -> Answer:
    shown_at = _shown_at(facts, mark)
    if shown_at is None:
        return _look(facts, controller), 400
    with runtime().processing() as p:
        begun = confirming.look(p, facts.controller, facts.message)
        texts = words(begun.wish.locale if isinstance(begun, Begun) else locale_of_request(), controller)
        done = confirming.deny(p, facts.controller, facts.message, texts.shown("form.no"), shown_at)
    if done is Late.TOO_QUICK:
        return _look(facts, controller, "verify.too_quick"), 400
    if isinstance(done, Late):
        raise ForgedToken
    heading, lines = "form.no_heading", ["form.no_text"]
    return render_template("said.html", controller=controller, texts=texts, heading=heading, lines=lines)


def _show(facts: TokenFacts, controller: Controller, mark: str, token: str) -> Answer:
    shown_at = _shown_at(facts, mark)
    if shown_at is None:
        return _look(facts, controller), 400
    with runtime().processing() as p:
        secret = admitting.open_session(p, facts.controller, facts.message, shown_at)
    if secret is Late.TOO_QUICK:
        return _look(facts, controller, "verify.too_quick"), 400
    if isinstance(secret, Late):
        return _look(facts, controller)
    response = make_response(redirect(f"/v/{token}", 303))
    response.set_cookie(
        COOKIE, base64.urlsafe_b64encode(secret).decode(), max_age=admitting.SESSION_LIFE, path=f"/v/{token}",
        secure=runtime().config.public_url.startswith("https:"), httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def _again(facts: TokenFacts, controller: Controller, _mark: str, _token: str) -> Answer:
    texts = words(locale_of_request(), controller)
    if not mails.allowed():
        return mails.busy(controller, texts)
    with runtime().processing() as p:
        if not confirming.again(p, facts.controller, facts.message):
            raise ForgedToken
    return render_template("sent.html", controller=controller, texts=texts, masked="")


def _close(facts: TokenFacts, controller: Controller, _mark: str, token: str) -> Answer:
    """Only the browser that was let in can close; to others it is as if nothing were there."""
    if _held(facts) is None:
        return _look(facts, controller), 400
    with runtime().processing() as p:
        admitting.close_session(p, facts.controller, facts.message)
    texts = words(locale_of_request(), controller)
    heading, lines = "me.closed_heading", ["me.closed_text"]
    page = render_template("said.html", controller=controller, texts=texts, heading=heading, lines=lines)
    response = make_response(page)
    response.delete_cookie(COOKIE, path=f"/v/{token}")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


_DO: Final = {"yes": _yes, "no": _no, "show": _show, "again": _again, "close": _close}


def _look(facts: TokenFacts, controller: Controller, problem: str = "") -> str:
    with runtime().reading() as p:
        begun = confirming.look(p, facts.controller, facts.message)
    return _page(facts, controller, begun, problem)


def _page(facts: TokenFacts, controller: Controller, begun: Begun | Late, problem: str = "") -> str:
    if begun is Late.USED:
        return render_template("used.html", controller=controller, texts=words(locale_of_request(), controller))
    if isinstance(begun, Late):
        raise ForgedToken
    texts = words(begun.wish.locale, controller)
    mark = runtime().nonces.issue(_about(facts), runtime().now())
    asked = texts.moment(begun.flow.asked_at, controller.time_zone)
    return render_template(
        "verify.html", controller=controller, texts=texts, begun=begun, mark=mark, problem=problem, asked=asked,
        conflict=_conflict_on_page(begun, heard()), masked=isolated(begun.masked),
        session=begun.wish.kind is Kind.SESSION,
    )  # fmt: skip


def _screen(controller: Controller, texts: Texts, begun: Begun, signalled: bool) -> Screen:
    """The page whose yes was pressed, without whose it was."""
    return screen_of(
        "verify.html", controller=controller, texts=texts, begun=begun, mark=MARK, problem="", asked=TIME,
        conflict=_conflict_on_page(begun, signalled), masked=ADDRESS, session=False,
    )  # fmt: skip


def _conflict_on_page(begun: Begun, signalled: bool) -> str:
    return _conflict(begun) if begun.conflict or (signalled and begun.wish.purposes) else ""


def _conflict(begun: Begun) -> str:
    return "verify.conflict" if begun.waivable else "verify.conflict_stays"


def _ids(begun: Begun, signalled: bool) -> list[str]:
    """The texts that stood on the page whose yes was pressed."""
    conflict = begun.conflict or signalled
    ids = ["verify.heading", "form.no", "verify.yes_only" if conflict and begun.waivable else "verify.yes"]
    ids += [_conflict(begun)] if conflict and begun.wish.purposes else []
    return ids + [f"purpose.{one}.{part}" for one in begun.wish.purposes for part in ("title", "text")]


def _about(facts: TokenFacts) -> str:
    return f"v:{facts.controller}:{facts.message}"


def _shown_at(facts: TokenFacts, mark: str) -> int | None:
    try:
        return runtime().nonces.shown_at(_about(facts), mark, runtime().now())
    except ForgedToken:
        return None


def subject_let_in(facts: TokenFacts) -> int | None:
    """Whom this browser was let in for, or None."""
    try:
        secret = base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
    except (binascii.Error, ValueError):
        return None
    if not secret:
        return None
    with runtime().reading() as p:
        return admitting.session_of(p, facts.controller, facts.message, secret)


def _held(facts: TokenFacts) -> "showing.Held | None":
    """What is held about whoever this browser was let in for, or None."""
    subject = subject_let_in(facts)
    if subject is None:
        return None
    with runtime().reading() as p:
        return showing.held(p, facts.controller, subject)
