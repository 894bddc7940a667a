"""Pages that make us write a mail: how often, and what is said when it was too often."""

from flask import current_app, render_template, request

from consent_track.collector.proxies import TrustedProxies
from consent_track.domain.controller import Controller
from consent_track.i18n import Texts

from ..current import runtime
from ..limits import Limits

_KEY = "consent_track_limits"


def allowed() -> bool:
    """Whether whoever asks may make us write one more mail; it then counts."""
    limits: Limits = current_app.extensions.setdefault(_KEY, Limits())
    proxies = TrustedProxies(runtime().config.trusted_proxies)
    client = proxies.client(request.remote_addr or "", request.headers.get("X-Forwarded-For"))
    return limits.allows(client, runtime().clock())


def busy(controller: Controller, texts: Texts) -> tuple[str, int]:
    """Too many: nothing was changed, and it can be tried again."""
    page = render_template(
        "said.html", controller=controller, texts=texts, heading="form.busy_heading", lines=["form.busy_text"]
    )
    return page, 429
