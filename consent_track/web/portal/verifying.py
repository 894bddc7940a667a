"""`/v/<token>`: the page behind the link of a mail that confirms something. GET shows; POST acts, once.

A yes has to come from a page that was shown, by a press on one of two buttons that look alike: whatever merely opens
links, or sends forms as they are, grants nothing (CC-06, threat T12).
"""

from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template

from consent_track.activities import admitting, confirming, identifying, showing, wording
from consent_track.activities.confirming import Begun, Kind, Late
from consent_track.activities.identifying import Asked
from consent_track.domain.consent import Screen
from consent_track.domain.controller import Controller
from consent_track.domain.errors import ForgedToken
from consent_track.domain.observation import TokenFacts
from consent_track.domain.vocabulary import TokenClass
from consent_track.i18n import Texts

from ..current import runtime
from ..problems import locale_of_request
from . import mails, session, using_rights
from .forms import VerifyForm
from .specimen import ADDRESS, MARK, TIME, screen_of
from .visit import heard, isolated, opened, words

Answer = str | tuple[str, int] | Response


def attach(pages: Blueprint) -> None:
    pages.add_url_rule("/v/<token>", "verify", verify, methods=["GET", "HEAD"])
    pages.add_url_rule("/v/<token>", "verified", answer, methods=["POST"])


def verify(token: str) -> Answer:
    """What is asked, with its buttons; or, in the browser that was let in, what is held."""
    facts, controller = opened(TokenClass.VERIFICATION, token)
    asked = _request(facts)
    if asked is not None:
        return using_rights.page(facts, controller, token, asked)
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
    asked = _request(facts)
    if asked is not None:
        return _of_request(facts, controller, asked, form, token)
    return _DO[form.answer.data](facts, controller, form.page.data or "", token)


def _request(facts: TokenFacts) -> Asked | None:
    """The request this link belongs to, or None for what else is confirmed by a mail."""
    with runtime().reading() as p:
        asked = identifying.look(p, facts.controller, facts.message)
    return None if isinstance(asked, Late) else asked


def _of_request(facts: TokenFacts, controller: Controller, asked: Asked, form: VerifyForm, token: str) -> Answer:
    if form.answer.data == "again":
        return using_rights.again(facts, controller)
    if form.answer.data == "close":
        return _close(facts, controller, "", token)
    shown_at = session.shown_at(facts, form.page.data or "")
    if shown_at is None or form.answer.data not in ("yes", "no"):
        return using_rights.page(facts, controller, token, asked), 400
    if form.answer.data == "yes":
        return using_rights.yes(facts, controller, asked, shown_at, token, form.declared.data == "yes")
    return using_rights.no(facts, controller, asked, shown_at, token)


def _yes(facts: TokenFacts, controller: Controller, mark: str, _token: str) -> Answer:
    shown_at = session.shown_at(facts, mark)
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
    shown_at = session.shown_at(facts, mark)
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
    shown_at = session.shown_at(facts, mark)
    if shown_at is None:
        return _look(facts, controller), 400
    with runtime().processing() as p:
        secret = admitting.open_session(p, facts.controller, facts.message, shown_at)
    if secret is Late.TOO_QUICK:
        return _look(facts, controller, "verify.too_quick"), 400
    if isinstance(secret, Late):
        return _look(facts, controller)
    response = make_response(redirect(f"/v/{token}", 303))
    session.keep(response, token, secret, admitting.SESSION_LIFE)
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
    if session.subject_let_in(facts) is None:
        return _look(facts, controller), 400
    with runtime().processing() as p:
        admitting.close_session(p, facts.controller, facts.message)
    texts = words(locale_of_request(), controller)
    heading, lines = "me.closed_heading", ["me.closed_text"]
    page = render_template("said.html", controller=controller, texts=texts, heading=heading, lines=lines)
    response = make_response(page)
    session.end(response, token)
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
    mark = runtime().nonces.issue(session.about(facts), runtime().now())
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


def _held(facts: TokenFacts) -> "showing.Held | None":
    """What is held about whoever this browser was let in for, or None."""
    subject = session.subject_let_in(facts)
    if subject is None:
        return None
    with runtime().reading() as p:
        return showing.held(p, facts.controller, subject)
