"""Using a right: a form for everybody, and the pages behind the link of a request's mail (GDPR Art. 12(2)).

The form looks nothing up and answers the same for every address. Behind the link, a press proves that the mailbox is
the person's; what is held is shown only in the browser that pressed.
"""

import io
import json
import zipfile
from datetime import date
from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template

from consent_track.activities import accessing, confirming, fulfilling, identifying
from consent_track.activities.confirming import Kind, Late, Wish
from consent_track.activities.identifying import Asked
from consent_track.activities.requesting import Request
from consent_track.domain.controller import Controller
from consent_track.domain.errors import ForgedToken, InputRefused
from consent_track.domain.observation import TokenFacts
from consent_track.domain.rights import BY_HAND, Channel, Level, Right, Stage, code_of
from consent_track.domain.vocabulary import TokenClass
from consent_track.i18n import Texts
from consent_track.notice.forms import Notice, compose

from ..current import runtime
from ..problems import locale_of_request
from . import mails, session
from .forms import RequestForm
from .visit import here, isolated, opened, words

# What the form offers, in the order people want it. Opt-out and limit stand only where a law has them.
OFFERED: Final = (
    Right.ACCESS, Right.PORTABILITY, Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION, Right.OBJECTION,
    Right.OPT_OUT, Right.LIMIT, Right.COMPLAINT, Right.APPEAL,
)  # fmt: skip
ROWS_SHOWN: Final = 200
_ON_THE_PAGE: Final = ("hit", "mailing", "consent_event", "rights_request")
Answer = str | tuple[str, int] | Response


def attach(pages: Blueprint) -> None:
    pages.add_url_rule("/privacy/request", "request", form, methods=["GET", "HEAD"])
    pages.add_url_rule("/privacy/request", "requested", send, methods=["POST"])
    pages.add_url_rule("/v/<token>/answer.json", "answer_json", as_json)
    pages.add_url_rule("/v/<token>/answer.zip", "answer_csv", as_tables)


def form() -> Answer:
    """What a person can ask for."""
    return _form(here(), RequestForm(formdata=None))


def send() -> Answer:
    """Take a request: one row, the same for every address; the worker opens it and writes the mail."""
    controller, filled = here(), RequestForm()
    texts = words(locale_of_request(), controller)
    problem = _problem(filled)
    if problem:
        return _form(controller, filled, problem), 400
    if not mails.allowed():
        return mails.busy(controller, texts)
    wish = Wish(
        Kind.REQUEST, texts.locale, jurisdiction=controller.jurisdiction, method=Channel.PORTAL,
        asked=filled.right.data, wrote=(filled.wrote.data or "").strip(),
    )  # fmt: skip
    try:
        with runtime().processing() as p:
            confirming.begin(p, controller.number, filled.email.data, wish)
    except InputRefused:
        return _form(controller, filled, "form.email_wrong"), 400
    return render_template("sent.html", controller=controller, texts=texts, masked="")


def _problem(filled: RequestForm) -> str:
    if filled.validate():
        by_hand = Right(filled.right.data) in BY_HAND
        return "request.page.wrote_needed" if by_hand and not (filled.wrote.data or "").strip() else ""
    return "request.page.choose" if "right" in filled.errors else "form.email_wrong"


def _form(controller: Controller, filled: RequestForm, problem: str = "") -> str:
    texts = words(locale_of_request(), controller)
    return render_template(
        "request.html", controller=controller, texts=texts, offered=OFFERED, problem=problem,
        chosen=filled.right.data or "", email=(filled.email.data or "")[:254], wrote=(filled.wrote.data or "")[:4_000],
    )  # fmt: skip


def page(facts: TokenFacts, controller: Controller, token: str, asked: Asked, problem: str = "") -> str:
    """The page behind the link of a request's mail, by where the request stands."""
    texts = words(asked.request.locale, controller)
    found = session.let_in_for_request(facts)
    if found is not None:
        return _answer_page(controller, texts, token, found)
    request_, used = asked.request, asked.flow.done_at is not None
    with runtime().reading() as p:
        fetch = identifying.can_fetch(p, request_)
    if used and (fetch or request_.stage is Stage.VERIFYING):
        return render_template("used.html", controller=controller, texts=texts)
    shown = {
        "controller": controller, "texts": texts, "asked": asked, "problem": problem,
        "mark": runtime().nonces.issue(session.about(facts), runtime().now()), "masked": isolated(asked.masked),
        "right": texts.get(f"request.right.{request_.asked}"), "code": code_of(request_.id),
        "declare": request_.level_needed is Level.HIGH and not request_.stage.closed,
    }  # fmt: skip
    if not used and (fetch or not request_.stage.closed):
        return render_template("verify_request.html", **shown)
    until = request_.cools_until or request_.due_at
    return render_template(
        "request_state.html", cooling=request_.stage is Stage.COOLING_OFF, closed=request_.stage.closed,
        moment=texts.moment(until, controller.time_zone), due=texts.day(request_.due_on), **shown,
    )  # fmt: skip


def yes(facts: TokenFacts, controller: Controller, asked: Asked, shown_at: int, token: str, declared: bool) -> Answer:
    """The press that proves the mailbox."""
    with runtime().processing() as p:
        done = identifying.confirm(p, facts.controller, facts.message, shown_at, declared=declared)
    if done is Late.TOO_QUICK:
        return page(facts, controller, token, asked, "verify.too_quick"), 400
    if isinstance(done, Late):
        return _look(facts, controller, token)
    _, secret = done
    response = make_response(redirect(f"/v/{token}", 303))
    if secret is not None:
        session.keep(response, token, secret, identifying.ANSWER_SESSION)
    return response


def no(facts: TokenFacts, controller: Controller, asked: Asked, shown_at: int, token: str) -> Answer:
    """ "This was not me", or "take it back"."""
    with runtime().processing() as p:
        done = identifying.deny(p, facts.controller, facts.message, shown_at)
    if done is Late.TOO_QUICK:
        return page(facts, controller, token, asked, "verify.too_quick"), 400
    if isinstance(done, Late):
        raise ForgedToken
    texts = words(asked.request.locale, controller)
    lines = ["request.mail.revoked"] if done.stage is Stage.REVOKED else []
    return render_template(
        "said.html", controller=controller, texts=texts, heading="request.state.heading", lines=lines
    )


def again(facts: TokenFacts, controller: Controller) -> Answer:
    """ "Send me a new one"."""
    texts = words(locale_of_request(), controller)
    if not mails.allowed():
        return mails.busy(controller, texts)
    with runtime().processing() as p:
        if not identifying.again(p, facts.controller, facts.message):
            raise ForgedToken
    return render_template("sent.html", controller=controller, texts=texts, masked="")


def _look(facts: TokenFacts, controller: Controller, token: str) -> str:
    with runtime().reading() as p:
        asked = identifying.look(p, facts.controller, facts.message)
    if isinstance(asked, Late):
        raise ForgedToken
    return page(facts, controller, token, asked)


def _answer_page(controller: Controller, texts: Texts, token: str, found: Request) -> str:
    """The answer, the short one first (decision 33)."""

    def day(text: str) -> str:
        return texts.day(date.fromisoformat(text))

    with runtime().reading() as p:
        parts = fulfilling.kept_answer(p, found)
        results = fulfilling.results_of(p, found)
        until = fulfilling.kept_until(p, found)
    held = {table: [row for part in parts for row in part["held"].get(table, [])] for table in _ON_THE_PAGE}
    return render_template(
        "answer.html", controller=controller, texts=texts, token=token, parts=parts, short=results,
        hits=held["hit"][-ROWS_SHOWN:], more=len(held["hit"]) > ROWS_SHOWN, choices=_choices(held["consent_event"]),
        asked=[
            {"asked": row["asked"], "code": code_of(int(row["id"])), "received": day(row["received_at"][:10])}
            for row in held["rights_request"]
        ],
        campaigns={row["message"]: row["campaign"] for row in held["mailing"] if row["campaign"]},
        passed_on=", ".join(one.name for one in controller.processors), notice=_notice(controller, texts, found),
        until=texts.moment(until, controller.time_zone), isolated=isolated, day=day,
    )  # fmt: skip


def _choices(rows: list[accessing.Value]) -> list[accessing.Value]:
    """The choices as they were recorded, the newest first."""
    return [row["sealed"] for row in reversed(rows) if row["sealed"]]


def _notice(controller: Controller, texts: Texts, found: Request) -> Notice | None:
    """Why, what for, how long, who else: the notice of the policy in force (GDPR Art. 15(1))."""
    jurisdiction = found.jurisdictions[0]
    try:
        policy = runtime().policies.for_jurisdiction(jurisdiction)
        return compose(texts, policy, controller, jurisdiction, runtime().config.public_url)
    except InputRefused:
        return None  # nobody is measured here, so there is nothing to give reasons for


def as_json(token: str) -> Response:
    """The answer for machines."""
    document = _document(token)
    return _file(json.dumps(document, indent=1, ensure_ascii=False).encode(), "application/json", "json", document)


def as_tables(token: str) -> Response:
    """The answer as tables."""
    document = _document(token)
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in accessing.csv_files(document["persons"]):
            packed.writestr(zipfile.ZipInfo(name), text.encode("utf-8-sig"), zipfile.ZIP_DEFLATED)
    return _file(octets.getvalue(), "application/zip", "zip", document)


def _document(token: str) -> accessing.Value:
    facts, _ = opened(TokenClass.VERIFICATION, token)
    found = session.let_in_for_request(facts)
    if found is None:
        raise ForgedToken
    with runtime().processing() as p:
        return fulfilling.fetched(p, found)


def _file(octets: bytes, media: str, end: str, document: accessing.Value) -> Response:
    response = Response(octets, mimetype=media)
    response.headers["Content-Disposition"] = f'attachment; filename="answer-{document["request"]}.{end}"'
    response.headers["Cache-Control"] = "no-store"
    return response
