"""The look of one controller: the colour of its buttons, and nothing that could hide or stress a choice."""

from flask import Blueprint, Response, abort

from .colours import sheet
from .current import runtime

pages = Blueprint("look", __name__)


@pages.get("/look/<int:number>.css")
def look(number: int) -> Response:
    """The colours of a controller, as a style sheet of its own: no page carries a style inside."""
    controller = runtime().controllers.get(number)
    if controller is None or not controller.accent:
        abort(404)
    return Response(sheet(controller.accent), mimetype="text/css")
