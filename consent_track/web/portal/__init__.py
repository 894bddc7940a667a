"""The recipient's pages: what is measured, one press to end it, and how to say yes. No login, no script.

GET shows and POST acts, always: mail gateways open every link of a mail, some press every button they can reach by
GET, and none of that may be taken for somebody's will (WD-06). The one exception is a browser's own signal.
"""

from flask import Blueprint

from . import asking, choices, papers, privacy, unsubscribing, using_rights, verifying

pages = Blueprint("portal", __name__, template_folder="templates")
for _module in (asking, choices, papers, privacy, unsubscribing, using_rights, verifying):
    _module.attach(pages)
