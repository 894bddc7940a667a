"""Receipts and confirmations that a person keeps: a page to print, and the same signed for machines (RE-04).

Behind the link of a mail alone, only what was done on this very page a moment ago can be saved, with the address
masked. Everything else needs the mailbox loop (decision 30).
"""

import json

from flask import Blueprint, Response, request

from consent_track.activities import receipting
from consent_track.domain.controller import Controller
from consent_track.domain.errors import ForgedToken
from consent_track.domain.receipt import Receipt
from consent_track.domain.vocabulary import TokenClass

from ..current import runtime
from .session import subject_let_in
from .specimen import screen_of
from .visit import about_done, isolated, opened, visit, words

JSON_LD = "application/ld+json"


def attach(pages: Blueprint) -> None:
    pages.add_url_rule("/p/<token>/confirmation/<int:sequence>", "confirmation", confirmation)
    pages.add_url_rule("/v/<token>/receipt/<int:sequence>", "receipt", receipt)


def confirmation(token: str, sequence: int) -> Response:
    """The confirmation of what was just done; its link stands on the page that said so, for an hour."""
    seen = visit(TokenClass.PREFERENCE, token)
    runtime().nonces.shown_at(about_done(seen, sequence), request.args.get("page", ""), runtime().now())
    return _paper(seen.controller, seen.facts.subject, sequence, whole=False)


def receipt(token: str, sequence: int) -> Response:
    """A receipt, in the browser that was let in."""
    facts, controller = opened(TokenClass.VERIFICATION, token)
    subject = subject_let_in(facts)
    if subject is None:
        raise ForgedToken
    return _paper(controller, subject, sequence, whole=True)


def _paper(controller: Controller, subject: int, sequence: int, *, whole: bool) -> Response:
    with runtime().reading() as p:
        found = receipting.receipt_of(p, controller.number, subject, sequence, whole=whole)
        if found is None:
            raise ForgedToken
        signed = receipting.signed(p, found, runtime().config.public_url)
    if request.args.get("as") == "json":
        text, media, end = json.dumps(signed, indent=1, ensure_ascii=False), JSON_LD, "json"
    else:
        text, media, end = page(found, json.dumps(signed, indent=1, ensure_ascii=False)), "text/html", "html"
    response = Response(text, mimetype=media)
    response.headers["Content-Disposition"] = f'attachment; filename="{found.kind}-{found.number}.{end}"'
    # The style stands inside, because the file is read where we are not.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
    return response


def page(found: Receipt, signed: str) -> str:
    """The paper a person reads, with the signed form below it."""
    texts = words(found.locale, found.controller)
    moment = texts.moment(found.at, found.controller.time_zone)
    return screen_of(
        "paper.html", controller=found.controller, texts=texts, receipt=found, moment=moment, signed=signed,
        whose=isolated(found.whose),
    ).page  # fmt: skip
