"""Errors become pages here, by one table; nothing of the request stands in them, nor in a log."""

import logging

from flask import Flask, render_template, request
from werkzeug.exceptions import HTTPException

from consent_track.domain.errors import ForgedToken, InputRefused, StorageUnavailable

from .current import runtime

log = logging.getLogger("consent_track.web")

Page = tuple[str, int]
# error -> status and the two texts of its page
TABLE: dict[type[Exception], tuple[int, str, str]] = {
    ForgedToken: (404, "page.other_link_heading", "page.other_link_text"),
    InputRefused: (400, "page.other_link_heading", "page.other_link_text"),
    StorageUnavailable: (503, "page.busy_heading", "page.busy_text"),
}


def locale_of_request() -> str:
    """The language asked for, where nothing better is known."""
    default = runtime().config.controllers[0].default_locale
    return runtime().wordings.negotiate(request.headers.get("Accept-Language", ""), default)


def page_of(status: int, heading: str, text: str) -> Page:
    texts = runtime().wordings.texts(locale_of_request())
    return render_template("problem.html", texts=texts, heading=heading, text=text), status


def attach(app: Flask) -> None:
    """Register the table; what is not in it is a defect of ours, logged by its type only."""
    for error, (status, heading, text) in TABLE.items():
        app.register_error_handler(error, lambda _error, row=(status, heading, text): page_of(*row))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Page:
        code = error.code or 500
        if code == 400 and "host" in (error.description or "").lower():
            return "", 400  # an unknown host learns nothing, not even who answers here (threat T25)
        return page_of(code, "page.other_link_heading", "page.other_link_text")

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Page:
        log.error("a page failed: %s", type(error).__name__)
        return page_of(500, "page.busy_heading", "page.busy_text")
