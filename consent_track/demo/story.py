"""The story of the demo, played without a person over real HTTP: what a reader's mail program and fingers would do."""

import html
import re
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from consent_track import worker
from consent_track.activities import knowing
from consent_track.domain.vocabulary import HitKind
from consent_track.records import hits

from .page import html_of
from .stage import CAST, Letter, Stage, await_true

_BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
_HREF: Final = re.compile(r'href="(https?://[^"]+)"')
_SRC: Final = re.compile(r'<img[^>]+src="(https?://[^"]+)"')


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at before they are followed."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_Stay)


def _ask(url: str, data: bytes | None = None) -> tuple[int, str]:
    """Status and, for a redirect, where it leads."""
    request = urllib.request.Request(url, data, {"User-Agent": _BROWSER})  # noqa: S310 our own local service
    try:
        with _opener.open(request, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", "")


@dataclass(slots=True)
class Told:
    """What the story came to. It held if everything here is as it should be."""

    mails: int = 0
    opens_recorded: int = 0
    clicks_recorded: int = 0
    declined: Counter[str] = field(default_factory=Counter)
    after_withdrawal: int = 0
    links_working: bool = True
    trackers_where_none_may_be: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "mails": self.mails,
            "opens_recorded": self.opens_recorded,
            "clicks_recorded": self.clicks_recorded,
            "declined": dict(sorted(self.declined.items())),
            "after_withdrawal": self.after_withdrawal,
            "links_working": self.links_working,
            "trackers_in_mails_of_refusers": self.trackers_where_none_may_be,
            "held": self.held,
        }

    @property
    def held(self) -> bool:
        return (
            self.mails == sum(len(actor.mails) for actor in CAST)
            and (self.opens_recorded, self.clicks_recorded) == (1, 4)
            and set(self.declined) == {"withdrawn"}
            and self.after_withdrawal == 0
            and self.links_working
            and self.trackers_where_none_may_be == 0
        )


def tell(stage: Stage) -> Told:
    """Alice reads and clicks; Bob opens the old mail; Charlie reads; then Alice withdraws and reads again."""
    told = Told(mails=len(stage.letters))
    for letter in stage.letters:
        _read(stage, letter, told)
    _settle(stage)
    told.opens_recorded, told.clicks_recorded = _stored(stage)

    alice = stage.letters[0]
    told.links_working &= _withdraw(stage, alice)
    before = sum(_stored(stage))
    _read(stage, alice, told)
    _settle(stage)
    told.after_withdrawal = sum(_stored(stage)) - before
    told.declined = Counter(event.reason for event in stage.watch.events if not event.recorded)
    return told


def _links(letter: Letter) -> tuple[list[str], list[str]]:
    page = html_of(letter.result.data)
    return [html.unescape(url) for url in _SRC.findall(page)], [html.unescape(url) for url in _HREF.findall(page)]


def _read(stage: Stage, letter: Letter, told: Told) -> None:
    """Load the pictures, press every link of the author; rights links are left alone."""
    pictures, links = _links(letter)
    ours = [url for url in (*pictures, *links) if urllib.parse.urlsplit(url).path.startswith(("/o/", "/c/"))]
    if letter.actor.key == "charlie" or letter.kind == "receipt":
        told.trackers_where_none_may_be += len(ours)
    for url in ours:
        status, target = _ask(url)
        if urllib.parse.urlsplit(url).path.startswith("/c/"):
            arrived = target.startswith(f"{stage.shop}/demo/shop/") and _ask(target)[0] == 200
            told.links_working &= status == 302 and arrived
        else:
            told.links_working &= status == 200


def _withdraw(stage: Stage, letter: Letter) -> bool:
    """Press "Turn all measuring off" on the preference page that the footer links to."""
    _, links = _links(letter)
    page = next((url for url in links if urllib.parse.urlsplit(url).path.startswith("/p/")), None)
    if page is None or _ask(page)[0] != 200:
        return False
    done = _ask(page, urllib.parse.urlencode({"off": "all"}).encode())[0] == 200
    with stage.runtime.reading() as p:
        subject = knowing.find(p, 1, letter.actor.address) or 0
    view = stage.runtime.view
    return done and await_true(
        lambda: bool((state := view.state(1, subject)) and not any(c.granting for c in state.choices.values()))
    )


def _settle(stage: Stage) -> None:
    """Drain what is spooled, as the worker would within the next second."""
    worker.drain(stage.runtime)


def _stored(stage: Stage) -> tuple[int, int]:
    with stage.runtime.reading() as p:
        kinds = [hit.kind for subject in stage.watch.names for hit in hits.of_subject(p.session, 1, subject)]
    return kinds.count(HitKind.OPEN.value), kinds.count(HitKind.CLICK.value)
