"""The browser that was let in: a secret in one cookie, for one link, for as long as what it shows is needed."""

import base64
import binascii
from typing import Final

from flask import Response, request

from consent_track.activities import admitting, identifying
from consent_track.activities.requesting import Request
from consent_track.domain.errors import ForgedToken
from consent_track.domain.observation import TokenFacts

from ..current import runtime

COOKIE: Final = "consent_track_page"


def keep(response: Response, token: str, secret: bytes, life: int) -> None:
    """Give this browser the secret, for this link only."""
    response.set_cookie(
        COOKIE, base64.urlsafe_b64encode(secret).decode(), max_age=life, path=f"/v/{token}",
        secure=runtime().config.public_url.startswith("https:"), httponly=True, samesite="Lax",
    )  # fmt: skip


def end(response: Response, token: str) -> None:
    """Take the secret back, and what the browser kept of the page."""
    response.delete_cookie(COOKIE, path=f"/v/{token}")
    response.headers["Clear-Site-Data"] = '"cache"'


def subject_let_in(facts: TokenFacts) -> int | None:
    """Whom this browser was let in for, or None."""
    secret = _secret()
    if not secret:
        return None
    with runtime().reading() as p:
        return admitting.session_of(p, facts.controller, facts.message, secret)


def let_in_for_request(facts: TokenFacts) -> Request | None:
    """The request whose answer this browser may fetch, or None."""
    secret = _secret()
    if not secret:
        return None
    with runtime().reading() as p:
        return identifying.let_in(p, facts.controller, facts.message, secret)


def about(facts: TokenFacts) -> str:
    """What the mark of a page behind a mail's link is about."""
    return f"v:{facts.controller}:{facts.message}"


def shown_at(facts: TokenFacts, mark: str) -> int | None:
    """When the page that was sent back was shown; None where it is none of ours."""
    try:
        return runtime().nonces.shown_at(about(facts), mark, runtime().now())
    except ForgedToken:
        return None


def _secret() -> bytes:
    try:
        return base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
    except (binascii.Error, ValueError):
        return b""
