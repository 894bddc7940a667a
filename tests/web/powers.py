"""Every URL we issue to Alice, everything its holder can try with it, and what came of it."""

import re

from consent_track import worker
from consent_track.activities import consenting, knowing
from consent_track.records import flows
from tests import world
from tests.web.loop import MARK, link_in, mails
from tests.world import ALICE

URL = re.compile(rb"https://mail\.acme\.example/([opcuv])/([A-Za-z0-9_-]+)")
BASE = "https://mail.acme.example"
KINDS = ("open", "click", "preference", "unsubscribe", "confirmation", "session")
DOORS = ("o", "c", "p", "u", "v")

# What a holder can try: the form that is sent; None is a look.
TRIES = {
    "look": None,
    "off all": {"off": "all"},
    "off mail": {"off": "mail"},
    "on": {"on": "personalisation"},
    "see": {"see": "all"},
    "one click": {"List-Unsubscribe": "One-Click"},
    "yes": {"answer": "yes"},
    "no": {"answer": "no"},
    "show": {"answer": "show"},
    "again": {"answer": "again"},
    "close": {"answer": "close"},
}

# Kind of URL, door, try: what it does. Whatever is not here does nothing.
POWERS = """
open          o  look       records an open
click         c  look       leads on, records a click
preference    p  off all    turns off
preference    p  off mail   ends the mail, turns off
preference    p  on         begins
preference    p  see        begins
unsubscribe   u  off all    ends the mail, turns off
unsubscribe   u  off mail   ends the mail, turns off
unsubscribe   u  on         ends the mail, turns off
unsubscribe   u  see        ends the mail, turns off
unsubscribe   u  one click  ends the mail, turns off
unsubscribe   u  yes        ends the mail, turns off
unsubscribe   u  no         ends the mail, turns off
unsubscribe   u  show       ends the mail, turns off
unsubscribe   u  again      ends the mail, turns off
unsubscribe   u  close      ends the mail, turns off
confirmation  v  yes        grants, uses the link up
confirmation  v  no         uses the link up
confirmation  v  again      begins
session       v  show       shows the address, uses the link up
session       v  no         uses the link up
session       v  again      begins
"""


def expected():
    rows = [re.split(r"\s{2,}", line.strip(), maxsplit=3) for line in POWERS.strip().splitlines()]
    return {(kind, door, attempt): effect for kind, door, attempt, effect in rows}


def urls(site):
    """The token of each kind of URL: from a newsletter to Alice, and from the two mails she can ask for."""
    data = world.prepare(site.runtime, world.mail_to(ALICE), ALICE).result.data
    token = {match[1].decode(): match[2].decode() for match in URL.finditer(data)}
    found = {"open": token["o"], "click": token["c"], "preference": token["p"], "unsubscribe": token["u"]}
    for name, form in (("confirmation", {"on": "personalisation"}), ("session", {"see": "all"})):
        site.ask(f"/p/{token['p']}", "POST", data=form)
        found[name] = link_in(mails(site)[0][1], "v").removeprefix("/v/")
    return found


def standing(site):
    """What can change about Alice."""
    site.runtime.view.poll_once()
    worker.drain(site.runtime)
    with site.runtime.reading() as p:
        subject = knowing.find(p, 1, ALICE)
        state = consenting.standing(p, 1, subject).state
        given = {purpose for purpose, choice in state.choices.items() if choice.granting}
        return {
            "given": frozenset(given),
            "ended": state.mail_ended_at,
            "stored": world.stored(site.runtime),
            "begun": flows.waiting(p.session),
            "used": flows.finished(p.session),
        }


def try_it(site, token, door, attempt):
    """Carry a token to a door and try something there: what it did, in words; "" for nothing."""
    before, browser = standing(site), site.app.test_client()
    path, form = f"/{door}/{token}", TRIES[attempt]
    if form and "answer" in form and door == "v":
        mark = MARK.search(browser.get(path, base_url=BASE).data.decode(errors="replace"))
        site.runtime.clock.move(10)
        form = {**form, "page": mark[1] if mark else ""}
    answer = browser.open(path, method="POST" if form else "GET", data=form, base_url=BASE)
    if answer.status_code == 303:
        answer = browser.get(path, base_url=BASE)
    after = standing(site)
    did = []
    if answer.status_code == 302:
        did.append("leads on" if answer.headers["Location"] == "https://shop.example/a?b=1&c=2" else "leads astray")
    if after["stored"] > before["stored"]:
        did.append("records a click" if answer.status_code == 302 else "records an open")
    if after["ended"] != before["ended"]:
        did.append("ends the mail")
    did += ["turns off"] * bool(before["given"] - after["given"]) + ["grants"] * bool(after["given"] - before["given"])
    did += ["begins"] * (after["begun"] > before["begun"]) + ["shows the address"] * (ALICE.encode() in answer.data)
    did += ["uses the link up"] * (after["used"] > before["used"])
    return ", ".join(did)
