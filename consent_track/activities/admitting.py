"""Letting a browser in, for as long as it takes to read what is held: a secret behind the link of a mail, used once.

Only its hash is kept, with what was begun. Whoever has the link alone is shown nothing (decision 30).
"""

import hashlib
import hmac
import secrets
from typing import Final

from consent_track.records import flows
from consent_track.records.flows import Flow

from . import Processing, confirming, knowing
from .confirming import Kind, Late

SESSION_LIFE: Final = 86_400  # seconds


def open_session(p: Processing, controller: int, number: int, shown_at: int) -> bytes | Late:
    """Let whoever reads the mailbox see what is held; the secret for their browser. Used up like any other link."""
    flow = flows.find(p.session, controller, number, lock=True)
    if flow is None:
        return Late.GONE
    begun = confirming.page_of(p, flow)
    if isinstance(begun, Late):
        return begun
    if begun.wish.kind is not Kind.SESSION:
        return Late.GONE
    if p.now - shown_at < confirming.READING:
        return Late.TOO_QUICK
    return let_in(p, flow, SESSION_LIFE)


def let_in(p: Processing, flow: Flow, life: int) -> bytes:
    """Use a link up and let this browser in for `life` seconds; the secret it keeps."""
    secret = secrets.token_bytes(32)
    values = {"done_at": p.now, "session_hash": hashlib.sha256(secret).digest(), "session_until": p.now + life}
    flows.change(p.session, flow.controller, flow.id, **values)
    return secret


def session_of(p: Processing, controller: int, number: int, secret: bytes) -> int | None:
    """Whose session this is, or None: unknown, over, another's, or somebody erased meanwhile."""
    flow = flows.find(p.session, controller, number)
    if flow is None or flow.session_until is None or p.now >= flow.session_until or not flow.session_hash:
        return None
    if not hmac.compare_digest(hashlib.sha256(secret).digest(), flow.session_hash):
        return None
    opened = confirming.unsealed(p, flow)
    return knowing.find(p, controller, opened[0]) if opened else None


def close_session(p: Processing, controller: int, number: int) -> None:
    """End a session before its time."""
    flows.change(p.session, controller, number, session_hash=b"", session_until=None)
