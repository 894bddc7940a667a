"""Where things stand in the HTML of a mail: one linear pass over the bytes, offsets out, nothing rewritten.

A document tree is never built: every library measured damaged Outlook's conditional comments and VML on the way out,
and some parsers take minutes for hostile input. All patterns are possessive, and a construct that is never closed ends
the scan, as it ends the document for a browser (HTML standard, 13.2.5): so no byte is looked at more than a few times.
"""

import html as entities
import re
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(rb"<(?:(!--)|([!?])|(/?)([a-zA-Z][^\s/>]*+))")
_TAG_END: Final = re.compile(rb"""(?:[^>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?=[^"'\s]))|["'])*+>""")
_ATTRIBUTE: Final = re.compile(rb"""[\s/]*+([^\s/>=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+)))?+""")
_COMMENT_END: Final = re.compile(rb"--!?>")
_TAGS: Final = re.compile(rb"<[^>]*+>?")
_CSS_URL: Final = re.compile(rb"""url\(\s*+["']?(https?://[^"')\s]*+)""", re.IGNORECASE)
# Their content is text, not markup, up to their own end tag.
_RAW: Final = {
    name: re.compile(rb"</" + name + rb"(?=[\s/>])", re.IGNORECASE)
    for name in (b"script", b"style", b"textarea", b"title", b"xmp", b"noframes", b"iframe", b"noembed")
}
_BACKGROUND: Final = frozenset({b"table", b"td", b"th", b"tr", b"body"})
_WANTED: Final = frozenset({b"a", b"area", b"img", b"base", b"html", b"link", b"iframe"}) | _BACKGROUND
_LONGEST_TEXT: Final = 2_048


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute as it is written: offsets of its raw value without quotes, and the value decoded."""

    value_start: int
    value_end: int
    value: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A live link and the words it shows."""

    start: int
    href: Attribute
    url: str
    no_track: bool
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A live picture; `start` and `end` span the whole tag."""

    start: int
    end: int
    url: str
    width: str
    height: str
    style: str


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """Something else that is fetched when the mail is shown: a background, a style sheet, a frame."""

    start: int
    end: int
    url: str


@dataclass(slots=True)
class Page:
    """What one pass found, in the order of the bytes."""

    anchors: list[Anchor] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    remote: list[RemoteRef] = field(default_factory=list)
    body_open_end: int | None = None
    body_close: int | None = None
    html_close: int | None = None
    base_href: str | None = None
    amp: bool = False
    live_end: int = 0  # behind this nothing is open: text added here is inside nothing


def scan(html: bytes) -> Page:
    """Find the places of a page. Never raises; what is never closed is not live."""
    page = Page(live_end=len(html))
    _Pass(html, page).run()
    for found in _CSS_URL.finditer(html):
        page.remote.append(RemoteRef(found.start(1), found.end(1), found[1].decode("latin-1")))
    return page


def insertion_point(page: Page, html: bytes) -> int:
    """Where text at the end of the page belongs: before the last `</body>`, else `</html>`, else the live end."""
    if page.body_close is not None:
        return page.body_close
    return page.html_close if page.html_close is not None else min(page.live_end, len(html))


class _Pass:
    """The one pass; the only state is the link that is open."""

    def __init__(self, html: bytes, page: Page) -> None:
        self.html, self.page = html, page
        self.open: tuple[int, int, dict[bytes, Attribute]] | None = None

    def run(self) -> None:
        html, position = self.html, 0
        while (found := _TOKEN.search(html, position)) is not None:
            following = self.after(found)
            if following is None:
                self.page.live_end = found.start()
                break
            position = following
        self.close_anchor(self.page.live_end)

    def after(self, found: re.Match[bytes]) -> int | None:
        """Where the scan goes on behind this token; None if it is never closed."""
        html, start = self.html, found.start()
        if found[1]:
            # `<!-->` and `<!--->` are whole comments; conditional comments end where any comment ends.
            ended = _COMMENT_END.search(html, start + 2 if html[start + 4 : start + 5] in (b">", b"-") else start + 4)
            return ended.end() if ended else None
        if found[2]:
            return html.find(b">", start) + 1 or None
        ended = _TAG_END.match(html, found.end())
        if ended is None:
            return None
        name, end = found[4].lower(), ended.end()
        if found[3]:
            self.end_tag(name, start)
            return end
        if name in _WANTED:
            self.start_tag(name, start, found.end(), end)
        raw = _RAW.get(name)
        if raw is None:
            return None if name == b"plaintext" else end
        closing = raw.search(html, end)
        return closing.start() if closing else None

    def end_tag(self, name: bytes, start: int) -> None:
        if name == b"a":
            self.close_anchor(start)
        elif name == b"body":
            self.page.body_close = start
        elif name == b"html":
            self.page.html_close = start

    def start_tag(self, name: bytes, start: int, inside: int, end: int) -> None:
        page, attributes = self.page, self.attributes(inside, end - 1)
        if name == b"a":
            self.close_anchor(start)
            if b"href" in attributes:
                self.open = (start, end, attributes)
        elif name == b"img":
            source = attributes.get(b"src")
            if source is not None:
                width, height, style = (_value(attributes, key) for key in (b"width", b"height", b"style"))
                page.images.append(Image(start, end, source.value, width, height, style))
        elif name == b"area" and b"href" in attributes:
            self.anchor(start, attributes, _value(attributes, b"alt"))
        elif name == b"body" and page.body_open_end is None:
            page.body_open_end = end
        elif name == b"html":
            page.amp = page.amp or b"amp4email" in attributes or "⚡4email".encode() in attributes
        elif name == b"base" and page.base_href is None and b"href" in attributes:
            page.base_href = attributes[b"href"].value
        fetched = attributes.get(b"href" if name == b"link" else b"src" if name == b"iframe" else b"background")
        if fetched is not None and name != b"a":
            page.remote.append(RemoteRef(fetched.value_start, fetched.value_end, fetched.value))

    def close_anchor(self, at: int) -> None:
        if self.open is not None:
            start, end, attributes = self.open
            self.open = None
            self.anchor(start, attributes, _visible(self.html[end : min(at, end + 2 * _LONGEST_TEXT)]))

    def anchor(self, start: int, attributes: dict[bytes, Attribute], text: str) -> None:
        href = attributes[b"href"]
        self.page.anchors.append(Anchor(start, href, href.value.strip(), b"data-no-track" in attributes, text))

    def attributes(self, position: int, end: int) -> dict[bytes, Attribute]:
        """The attributes between two offsets; of two with one name the first counts, as for a browser."""
        found: dict[bytes, Attribute] = {}
        while position < end and (match := _ATTRIBUTE.match(self.html, position, end)) is not None:
            position = match.end()
            group = match.lastindex or 1
            start, stop = match.span(group) if group > 1 else (position, position)
            name = match[1].lower()
            if name not in found:
                value = self.html[start:stop].decode("latin-1")
                found[name] = Attribute(start, stop, entities.unescape(value) if "&" in value else value)
        return found


def _value(attributes: dict[bytes, Attribute], name: bytes) -> str:
    attribute = attributes.get(name)
    return attribute.value if attribute else ""


def _visible(inner: bytes) -> str:
    """The words between `<a>` and `</a>`: tags out, references decoded, white space folded."""
    text = entities.unescape(_TAGS.sub(b" ", inner).decode("utf-8", "replace"))
    return " ".join(text.split())[:_LONGEST_TEXT]
