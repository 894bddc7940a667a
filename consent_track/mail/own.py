"""What is ours in a mail that comes in: old footers, and our tokens in quoted text. It goes before anything is added.

A reply quotes the mail it answers, tokens included; left in, one person's token would leave in another's mail
(decision 23). It also makes instrumenting idempotent: what we added is found, removed and decided again.
"""

import html as entities
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .footer import HTML_BEGIN, HTML_END, text_footer_span, with_newlines
from .html import Page, scan
from .leaf import Edit, Leaf, Splice, apply
from .mime import Mail, Unreadable
from .mime import scan as scan_mail

_REWRITABLE: Final = ("text/html", "text/plain", "text/x-amp-html")


@dataclass(frozen=True, slots=True)
class Own:
    """How to know what is ours, and what to put in its place.

    `hosts` are all hosts our URLs ever stood on. `behind(token)` gives the destination of a genuine click token, else
    None; `privacy_url` replaces links that would act for somebody else. `keeps(power, token)`: a link that stays,
    because it is this recipient's own and the mail is there to bring it.
    """

    hosts: frozenset[str]
    behind: Callable[[str], str | None]
    privacy_url: str
    keeps: Callable[[str, str], bool] = lambda _power, _token: False

    def instead_of(self, power: str, token: str) -> str:
        return (self.behind(token) if power == "c" else None) or self.privacy_url


def remove(mail: Mail, own: Own, read: dict[int, Leaf | Unreadable] | None = None) -> Mail | Unreadable:
    """The mail without anything of ours; the same object if there was nothing.

    Leaves are kept in `read`, by where their bodies start: if the mail is the same, so are they.
    """
    leaves = {} if read is None else read
    marks = [host.encode() for host in own.hosts]
    splices: list[Splice] = []
    for part in mail.leaves:
        if part.content_type not in _REWRITABLE or part.is_attachment:
            continue
        leaf = leaves[part.body_start] = Leaf.of(mail, part)
        if isinstance(leaf, Unreadable) or not any(mark in leaf.text for mark in marks):
            continue
        edits = _in_html(leaf.text, own) if part.content_type == "text/html" else _in_text(leaf.text, own)
        if edits:
            changed = leaf.splice(edits)
            if isinstance(changed, Unreadable):
                return changed
            splices.extend(changed)
    return scan_mail(apply(mail.data, splices)) if splices else mail


@lru_cache(maxsize=64)
def _pattern(hosts: frozenset[str]) -> re.Pattern[bytes]:
    names = b"|".join(re.escape(host.encode()) for host in sorted(hosts))
    return re.compile(rb"https?://(?:" + names + rb")/([ocpu])/([A-Za-z0-9_-]{20,4000})", re.IGNORECASE)


def _in_html(text: bytes, own: Own) -> list[Edit]:
    edits = _footers(text)
    page = scan(text)
    edits += _pixels(text, page, own)
    taken = [(edit.start, edit.end) for edit in edits]
    for found in _pattern(own.hosts).finditer(text):
        if not any(start <= found.start() < end for start, end in taken):
            power, token = found[1].decode().lower(), found[2].decode()
            if not own.keeps(power, token):
                edits.append(Edit(found.start(), found.end(), entities.escape(own.instead_of(power, token))))
    return edits


def _footers(text: bytes) -> list[Edit]:
    """Whole footers of ours, where the markers survived, with the newline that we put on either side."""
    edits, begin, finish, position = [], HTML_BEGIN.encode(), HTML_END.encode(), 0
    while (start := text.find(begin, position)) >= 0:
        end = text.find(finish, start)
        if end < 0:
            break
        position = end + len(finish)
        edits.append(Edit(*with_newlines(text, start, position), ""))
    return edits


def _pixels(text: bytes, page: Page, own: Own) -> list[Edit]:
    """Image tags of ours, whole: an empty picture in their place would still be a picture."""
    pattern = _pattern(own.hosts)
    inside = _footers(text)
    return [
        Edit(image.start, image.end, "")
        for image in page.images
        if (found := pattern.match(image.url.encode("utf-8", "replace")))
        and found[1].lower() == b"o"
        and not any(edit.start <= image.start < edit.end for edit in inside)
    ]


def _in_text(text: bytes, own: Own) -> list[Edit]:
    pattern = _pattern(own.hosts)
    edits = [Edit(start, end, "") for start, end in text_footer_span(text, own.hosts)]
    taken = [(edit.start, edit.end) for edit in edits]
    for found in pattern.finditer(text):
        if not any(start <= found.start() < end for start, end in taken):
            power, token = found[1].decode().lower(), found[2].decode()
            if not own.keeps(power, token):
                edits.append(Edit(found.start(), found.end(), own.instead_of(power, token)))
    return edits
