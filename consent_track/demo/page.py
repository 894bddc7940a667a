"""The demo's page: three inboxes beside the live list of what was recorded, what was declined, and why."""

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, send_from_directory

from consent_track.mail.leaf import Leaf
from consent_track.mail.mime import Mail, scan, text_leaves

from .stage import CAST, Stage

HERE = Path(__file__).parent

# The demo's own pages show mails in frames and poll a list; recipients' pages keep their own, stricter headers.
_CSP = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; frame-src 'self'; base-uri 'self'"
)


def html_of(mail: bytes) -> str:
    """The HTML text a reader's mail program would show."""
    scanned = scan(mail)
    assert isinstance(scanned, Mail)
    leaf = Leaf.of(scanned, text_leaves(scanned).html[0])
    assert isinstance(leaf, Leaf)
    return leaf.text.decode()


def blueprint(stage: Stage) -> Blueprint:
    """The pages under `/` and `/demo/`."""
    pages = Blueprint("demo", __name__, template_folder="pages", static_folder=None)

    @pages.get("/")
    def front() -> str:
        inboxes = [(actor, [letter for letter in stage.letters if letter.actor is actor]) for actor in CAST]
        return render_template("demo.html", inboxes=inboxes)

    @pages.get("/demo/mail/<key>")
    def mail(key: str) -> Response | tuple[str, int]:
        letter = stage.letter(key)
        if letter is None:
            return "no such mail", 404
        # A mail program opens links in a new window; a frame needs to be told.
        shown = html_of(letter.result.data).replace("<head>", '<head><base target="_blank">', 1)
        return Response(shown, mimetype="text/html")

    @pages.get("/demo/events")
    def events() -> Response:
        return jsonify([_row(event) for event in list(stage.watch.events)[:60]])

    @pages.get("/demo/shop/<path:slug>")
    def shop(slug: str) -> str:
        return render_template("shop.html", slug=slug)

    @pages.get("/demo/static/<path:name>")
    def static(name: str) -> Response:
        return send_from_directory(HERE / "pages", name)

    @pages.after_request
    def headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _CSP
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    return pages


def _row(event: Any) -> dict[str, Any]:
    return {
        "number": event.number, "who": event.who, "kind": event.kind, "link": event.link,
        "recorded": event.recorded, "words": event.words, "engagement": event.engagement,
    }  # fmt: skip
