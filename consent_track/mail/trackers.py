"""Measuring of others in a mail: a sending service's pixel, links wrapped by it (decision 22).

In the mail of somebody who said no they are stripped, or the mail is refused; they are never wrapped by us.
"""

import html as entities
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, unquote, urljoin

from .attribute import read
from .html import Anchor, Image, Page, RemoteRef, is_inside
from .links import destination
from .trackershapes import LINKS, PIXELS, Shape


class Kind(StrEnum):
    """What a tracker is made of."""

    PIXEL = "pixel"
    WRAPPED_LINK = "wrapped_link"
    REMOTE = "remote"


class Confidence(StrEnum):
    """`certain`: an address of a known shape, or one made for one person; `probable`: too small to be for the eye."""

    CERTAIN = "certain"
    PROBABLE = "probable"


@dataclass(frozen=True, slots=True)
class ForeignTracker:
    """One measuring element of somebody else, and what to write from `start` to `end` to be rid of it.

    `replacement` is HTML (in a text part: text), empty to cut the element out. None: it cannot be taken out without
    breaking the mail. Offsets are octets.
    """

    kind: Kind
    host: str
    start: int
    end: int
    replacement: str | None
    confidence: Confidence = Confidence.CERTAIN
    why: str = ""


_ADDRESS: Final = re.compile(r"(?:https?:[/\\]*|[/\\]{2,})([^/\\?#]*)([^#]*)", re.IGNORECASE)
_REMOVED: Final = str.maketrans("", "", "\t\n\r")  # a browser takes them out of an address
_STYLE_SIZE: Final = re.compile(
    r"(?<![\w-])(?:max-)?(width|height)\s*:\s*([0-9.]{1,9})\s*(px|pt|em|rem|%|)", re.IGNORECASE
)
_UNSEEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])|mso-hide\s*:\s*all", re.IGNORECASE
)
_MEASURING_WORD: Final = re.compile(
    r"(?<![a-z])(?:opens?|opened|pixel|beacon|track(?:er|ing)?|trk)(?![a-z])", re.IGNORECASE
)
_PERSON_KEY: Final = re.compile(r"[?&](?:u|uid|id|e|mid|cid|rid|recipient|subscriber)=", re.IGNORECASE)
_RUN: Final = re.compile(r"[\w.~-]{16,}+")
_IN_CONDITIONAL: Final = re.compile(rb"""(?:src|href|background)\s*+=\s*+["']?((?:https?:)?//[^"'\s>]++)""")
_IN_TEXT: Final = re.compile(rb"""https?://[^\s<>"')\]]++""", re.IGNORECASE)
_NOTHING: Final = "data:,"  # fetches nothing, and needs no quotes where there were none
_TINY: Final = 2.0  # CSS pixels; nobody shows a picture of two by two
_SEEN: Final = 5.0


def find(page: Page, html: bytes, *, own_hosts: frozenset[str]) -> tuple[ForeignTracker, ...]:
    """Every recognised tracker of somebody else, in the order of the bytes; none of them overlaps another.

    What stands in a conditional comment, for Outlook alone, is found too, but has no replacement: it is never edited.
    """
    base = page.base_href or ""
    found = [_pixel(image, base) for image in page.images]
    found += [_wrapped(anchor) for anchor in page.anchors]
    found += [_remote(ref, page) for ref in page.remote]
    lowered = html.lower() if page.conditionals else b""
    for start, end in page.conditionals:
        for match in _IN_CONDITIONAL.finditer(lowered, start, end):
            found.append(_elsewhere(html, *match.span(1)))
    return _apart(found, own_hosts)


def find_in_text(text: bytes, *, own_hosts: frozenset[str]) -> tuple[ForeignTracker, ...]:
    """Links of a text part that somebody else wrapped; there is nothing else in a text that could measure."""
    found: list[ForeignTracker | None] = []
    for match in _IN_TEXT.finditer(text):
        url = match[0].decode("latin-1").rstrip(".,;:!?")  # of the sentence around it
        start, (host, path) = match.start(), _split(url)
        if (shape := LINKS.find(host.partition(":")[0], path)) is not None:
            behind, end = _behind(path, shape), start + len(url)
            found.append(ForeignTracker(Kind.WRAPPED_LINK, host, start, end, behind, why=shape.why))
    return _apart(found, own_hosts)


def _apart(found: list[ForeignTracker | None], own_hosts: frozenset[str]) -> tuple[ForeignTracker, ...]:
    kept: list[ForeignTracker] = []
    for tracker in sorted((each for each in found if each is not None), key=lambda each: each.start):
        if tracker.host not in own_hosts and (not kept or tracker.start >= kept[-1].end):
            kept.append(tracker)
    return tuple(kept)


def _split(url: str, base: str = "") -> tuple[str, str]:
    """Host (with port, without user) and path with query; empty if nothing is fetched from elsewhere."""
    url = url.translate(_REMOVED)
    found = _ADDRESS.match(url)
    if found is None and base and ":" not in url.partition("/")[0]:
        try:
            found = _ADDRESS.match(urljoin(base, url))
        except ValueError:
            return "", ""
    if found is None:
        return "", ""
    path = found[2].replace("\\", "/")
    return found[1].rpartition("@")[2].lower().removesuffix("."), path if path.startswith("/") else "/" + path


def _pixel(image: Image, base: str) -> ForeignTracker | None:
    """A remote picture too small or too hidden to be seen, or at an address known to count opens."""
    host, path = _split(image.url, base)
    if not host:
        return None
    sizes = _sizes(image)
    seen = min(sizes) > _SEEN and max(sizes) != float("inf")
    shape = PIXELS.find(host.partition(":")[0], path)
    if shape is not None:
        return ForeignTracker(Kind.PIXEL, host, image.start, image.end, "", why=shape.why)
    # A hidden picture with a size is for another screen width; one without is for nobody's eyes.
    hidden = (image.hidden or _UNSEEN.search(image.style) is not None) and not seen
    measured = not seen and min(sizes) == float("inf") and _MEASURING_WORD.search(path) and _is_personal(path)
    if not (_is_tiny(sizes) or hidden or measured):
        return None
    confidence = Confidence.CERTAIN if _is_personal(path) else Confidence.PROBABLE
    why = "too small to be seen" if _is_tiny(sizes) else "hidden" if hidden else "an address made for measuring"
    return ForeignTracker(Kind.PIXEL, host, image.start, image.end, "", confidence, why)


def _is_personal(path: str) -> bool:
    """Whether an address looks made for one person: a long identifier, an e-mail address, a key such as uid."""
    if "@" in path or "%40" in path or _PERSON_KEY.search(path):
        return True
    return any(any(map(str.isdigit, run)) for run in _RUN.findall(path))


def _is_tiny(sizes: tuple[float, float]) -> bool:
    known = [size for size in sizes if size != float("inf")]
    return bool(known) and (max(known) <= _TINY or min(known) == 0)


def _sizes(image: Image) -> tuple[float, float]:
    """Width and height in pixels; what is not said, or said in other units, is infinite. A style outdoes attributes."""
    sizes = {"width": _pixels(image.width), "height": _pixels(image.height)}
    for found in _STYLE_SIZE.finditer(image.style):
        number = _pixels(found[2])
        if number == 0 or found[3].lower() in ("px", ""):
            sizes[found[1].lower()] = number
    return sizes["width"], sizes["height"]


def _pixels(size: str) -> float:
    try:
        return float(size.strip().lower().removesuffix("px"))
    except ValueError:
        return float("inf")


def _wrapped(anchor: Anchor) -> ForeignTracker | None:
    host, path = _split(anchor.url)
    shape = LINKS.find(host.partition(":")[0], path) if host else None
    if shape is None:
        return None
    behind, href = _behind(path, shape), anchor.href
    quote = "" if href.quote else '"'
    replacement = None if behind is None else quote + entities.escape(behind) + quote
    return ForeignTracker(Kind.WRAPPED_LINK, host, href.value_start, href.value_end, replacement, why=shape.why)


def _behind(path: str, shape: Shape) -> str | None:
    """The destination, where a wrapped link still shows it; only what may stand as a link of its own."""
    if shape.readable == "path":
        return destination(unquote(path.split("/")[2])) if path.count("/") > 1 else None
    values = parse_qs(path.partition("?")[2], max_num_fields=50).get(shape.readable, []) if shape.readable else []
    return destination(values[0]) if len(values) == 1 else None


def _remote(ref: RemoteRef, page: Page) -> ForeignTracker | None:
    """A background, style sheet or frame at an address known to count opens: the address goes, the rest stays."""
    host, path = _split(ref.url)
    shape = PIXELS.find(host.partition(":")[0], path) if host else None
    if shape is None:
        return None
    nothing = None if is_inside(page.conditionals, ref.start) else _NOTHING
    return ForeignTracker(Kind.REMOTE, host, ref.start, ref.end, nothing, why=shape.why)


def _elsewhere(html: bytes, start: int, end: int) -> ForeignTracker | None:
    """An address in a conditional comment."""
    host, path = _split(read(html[start:end], "utf-8"))
    name = host.partition(":")[0]
    shape = (PIXELS.find(name, path) or LINKS.find(name, path)) if host else None
    return ForeignTracker(Kind.REMOTE, host, start, end, None, why=shape.why) if shape else None
