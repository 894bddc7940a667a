"""A page as it is kept for proof: whole in itself, with its style inside, and nothing in it of one person (RE-02)."""

import re
from pathlib import Path
from typing import Final

from flask import current_app, render_template

from consent_track.domain.consent import Screen

from ..colours import sheet
from ..current import runtime

ADDRESS: Final = "{address}"
TIME: Final = "{time}"
MARK: Final = "{mark}"
_SHEET: Final = re.compile(r'<link rel="stylesheet" href="([^"]+)">\n?')


def screen_of(template: str, **values: object) -> Screen:
    """The page that a template gives, with the placeholders that the caller put into its values."""
    return Screen(_SHEET.sub(_inside, render_template(template, **values)))


def _inside(link: re.Match[str]) -> str:
    """A style sheet of ours as it is now, in place of the link to it."""
    if link[1].startswith("/look/"):
        controller = runtime().controllers[int(link[1].removeprefix("/look/").removesuffix(".css"))]
        return f"<style>\n{sheet(controller.accent)}</style>\n"
    path = Path(current_app.static_folder or "") / link[1].removeprefix("/static/")
    return f"<style>\n{path.read_text(encoding='utf-8')}</style>\n"
