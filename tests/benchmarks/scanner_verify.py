"""Machines that read mail, against every link we issue: what they may never bring about, counted.

GET, HEAD, prefetch headers, all links at once, a real Chromium that renders every page, and a machine that sends every
form as it stands and presses every first button at once. Grants, erasures, unsubscribes by GET and links used up: 0.

python tests/benchmarks/scanner_verify.py [people] [seed]
"""

import random
import re
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from figures import must, show, stopwatch  # noqa: E402

from consent_track.activities import confirming, consenting, knowing  # noqa: E402
from consent_track.activities.confirming import Kind, Wish  # noqa: E402
from consent_track.domain.vocabulary import Purpose  # noqa: E402
from consent_track.records import erasures, flows  # noqa: E402
from consent_track.web import create_app  # noqa: E402
from tests import world  # noqa: E402
from tests.browsing import browser, reading, served  # noqa: E402
from tests.web.loop import link_in, mails, sign  # noqa: E402

AGENTS = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "Mozilla/5.0",
    "BarracudaCentral/1.0", "Mozilla/5.0 (compatible; Microsoft Office Protection)", "python-requests/2.32", "",
)  # fmt: skip
AHEAD = ({}, {"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"})
FORM = re.compile(r"<form.*?</form>", re.S)
INPUT = re.compile(r"<input[^>]*>")
ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
BUTTON = re.compile(r'<button[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"')


class Acme:
    """Acme with people who said yes, and every link that their mails hold."""

    def __init__(self, home: Path, people: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.runtime = world.installation(
            home, url=self.url, extra='smtp_url = "smtp://localhost:2525"', controller='unsubscribe = "consent_track"'
        )
        sign(self.runtime)
        self.app = create_app(self.runtime)
        self.people = [f"reader{number}@example.org" for number in range(people)]
        self.links: list[str] = [f"{self.url}/consent?variant=mail&jurisdiction=FR", f"{self.url}/privacy"]
        for address in self.people:
            world.consents(self.runtime, address, [Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE])
            data = world.prepare(self.runtime, world.mail_to(address), address).result.data
            own = re.findall(rf"{re.escape(self.url)}/[pu]/[A-Za-z0-9_-]+".encode(), data)
            self.links += sorted({link.decode() for link in own})
            for kind, purposes in ((Kind.CONSENT, (Purpose.PERSONALISATION,)), (Kind.SESSION, ())):
                with self.runtime.processing() as p:
                    confirming.begin(p, 1, address, Wish(kind, "en", purposes, jurisdiction="FR"))
            self.links += [self.url + link_in(mail, url=self.url) for _, mail in mails(self)]

    def counts(self) -> dict[str, int]:
        found = {"grants": 0, "silenced": 0, "ended": 0}
        with self.runtime.reading() as p:
            for address in self.people:
                state = consenting.standing(p, 1, knowing.find(p, 1, address) or 0)
                given = {one for one, choice in state.state.choices.items() if choice.granting} if state else set()
                found["grants"] += Purpose.PERSONALISATION in given
                found["silenced"] += not given
                found["ended"] += bool(state and state.state.mail_ended_at)
            found["erased"] = len(erasures.unfinished(p.session)) + sum(
                knowing.is_suppressed(p, 1, address) for address in self.people
            )
            found["used"] = flows.finished(p.session)
        return found


def fetch(acme: Acme, link: str, method: str, headers: dict[str, str]) -> int:
    parts = urlsplit(link)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return acme.app.test_client().open(path, method=method, base_url=acme.url, headers=headers).status_code


def send_forms(acme: Acme, link: str) -> None:
    """Every form of a page: as it stands, and with each of its buttons, at once."""
    parts = urlsplit(link)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    client = acme.app.test_client()
    page = client.get(path, base_url=acme.url).text
    for form in FORM.findall(page):
        inputs = [dict(ATTRIBUTE.findall(one)) for one in INPUT.findall(form)]
        fields = {one["name"]: one.get("value", "") for one in inputs if one["type"] != "checkbox"}
        for button in [None, *BUTTON.findall(form)]:
            data = fields | ({button[0]: button[1]} if button else {})
            if parts.path.startswith("/u/") or data.get("off"):
                continue  # a no is always taken, from machines too: it can only protect
            client.post(path, base_url=acme.url, data=data)


def main(people: int = 40, seed: int = 20_261_123) -> None:
    command = f"python tests/benchmarks/scanner_verify.py {people} {seed}"
    chance = random.Random(seed)
    requests = 0
    with tempfile.TemporaryDirectory() as place, stopwatch() as taken:
        acme = Acme(Path(place) / "home", people)
        for link in acme.links:
            for headers in AHEAD:
                for method in ("GET", "HEAD"):
                    fetch(acme, link, method, {"User-Agent": chance.choice(AGENTS), **headers})
                    requests += 1
        with ThreadPoolExecutor(16) as many:
            requests += len(list(many.map(lambda link: fetch(acme, link, "GET", {}), acme.links * 2)))
        with served(acme.app, acme.port), browser() as chromium, reading(chromium, acme.url) as visit:
            for link in acme.links[: 2 + 8 * 4]:
                visit.page.goto(link)
                requests += 1
        looked = acme.counts()
        for link in acme.links:
            send_forms(acme, link)
        sent = acme.counts()
        acme.runtime.database.close()
    figures = []
    for name, value in (
        ("scanner_grants", sent["grants"]), ("scanner_erasures", sent["erased"]),
        ("scanner_unsubscribes_by_get", looked["ended"]), ("scanner_withdrawals_by_get", looked["silenced"]),
        ("scanner_links_used_up", sent["used"]),
    ):  # fmt: skip
        figures.append(show(name, value, "events", n=requests, seed=seed, seconds=taken[0], command=command))
    for figure in figures:
        must(figures, figure["name"], 0)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
