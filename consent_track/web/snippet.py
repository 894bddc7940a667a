"""The consent form for other people's pages: plain HTML without script or style, from the same template as ours."""

from flask import render_template

from consent_track.bootstrap import Runtime
from consent_track.domain.controller import Controller
from consent_track.i18n import Texts

from . import create_app
from .portal.asking import Asked


def snippet(runtime: Runtime, controller: Controller, texts: Texts, jurisdiction: str, variant: str) -> str:
    """The form as it may be pasted into a page. Its words are checked again when it comes back."""
    asked = Asked(controller, texts, jurisdiction, variant)
    with create_app(runtime).app_context():
        action = f"{runtime.config.public_url}/consent/{controller.number}"
        return render_template("snippet.html", asked=asked, action=action).strip() + "\n"
