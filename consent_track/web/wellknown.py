"""What is published about the installation at fixed places: the privacy signal, and whom to tell about a hole."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Blueprint, Response, abort

from consent_track.activities import publishing

from .current import runtime

pages = Blueprint("wellknown", __name__)

GPC_SINCE: Final = "2026-11-23"  # when this release began to honour the signal; a date of the policy, not of today


@pages.get("/.well-known/gpc.json")
def gpc() -> Response:
    """That Sec-GPC is honoured here (W3C Global Privacy Control)."""
    return Response(json.dumps({"gpc": True, "lastUpdate": GPC_SINCE}), mimetype="application/json")


@pages.get("/.well-known/consent-track/checkpoints/<int:controller>")
def checkpoint(controller: int) -> Response:
    """The newest checkpoint of a controller's ledger: whoever keeps it can show later that the end was not cut off.

    It holds a number, a hash and a signature; nothing in it is about a person, so it is for everybody.
    """
    if controller not in runtime().controllers:
        abort(404)
    found = publishing.newest(runtime().config.checkpoints_dir, controller)
    if found is None:
        abort(404)
    # A line of its own, so that what is fetched day after day into one file is a file of checkpoints.
    return Response(json.dumps(found) + "\n", mimetype="application/json")


@pages.get("/.well-known/security.txt")
def security() -> Response:
    """Where to report a vulnerability (RFC 9116): Contact and Expires are required."""
    contact = runtime().config.controllers[0].contact
    expires = datetime.fromtimestamp(runtime().now(), UTC).replace(hour=0, minute=0, second=0) + timedelta(days=180)
    text = (
        f"Contact: mailto:{contact}\nExpires: {expires.isoformat().replace('+00:00', 'Z')}\nPreferred-Languages: en\n"
    )
    return Response(text, mimetype="text/plain")
