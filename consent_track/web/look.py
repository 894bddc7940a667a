"""The look of one controller: the colour of its buttons, and nothing that could hide or stress a choice.

The operator names one colour on which white letters can be read; what stands on dark paper is made from it here.
"""

from typing import Final

from flask import Blueprint, Response, abort

from consent_track.settings import READABLE, contrast

from .current import runtime

pages = Blueprint("look", __name__)

DARK_CARD: Final = "#1d2427"  # of consent_track.css
_STEPS: Final = 20


@pages.get("/look/<int:number>.css")
def look(number: int) -> Response:
    """The colours of a controller, as a style sheet of its own: no page carries a style inside."""
    controller = runtime().controllers.get(number)
    if controller is None or not controller.accent:
        abort(404)
    css = (
        f":root {{ --act: {controller.accent}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --act: {tint(controller.accent)}; --on-act: #0d1214; }} }}\n"
        "@media print { :root { --act: #000; } }\n"
    )
    return Response(css, mimetype="text/css")


def tint(accent: str) -> str:
    """The colour, as much lighter as it has to be on dark paper (WCAG 1.4.3)."""
    red, green, blue = (int(accent[place : place + 2], 16) for place in (1, 3, 5))
    for step in range(_STEPS + 1):
        share = step / _STEPS
        mixed = "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in (red, green, blue))
        if min(contrast(mixed, DARK_CARD), contrast(mixed, "#0d1214")) >= READABLE:
            return mixed
    return "#ffffff"
