"""Where things stand in the HTML of a mail: one linear pass over the bytes, offsets out, nothing rewritten.

A document tree is never built: every library measured damaged Outlook's conditional comments and VML on the way out,
and some parsers take minutes for hostile input. The pass tokenises as the HTML standard does (13.2.5): quoted ">",
comments, raw text. What is never closed ends the document, for us as for a browser.
"""

import html as entities
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from .attribute import WHOLE, Attribute, Attributes, decoded, read

# Tags that are looked at. All others are passed over inside one match, because a mail is mostly table cells.
_NAMES: Final = (
    rb"(?:a(?:rea|udio)?|b(?:ase|gsound|ody)|embed|frame|h(?:ead|tml)|i(?:frame|mg|nput)|link|no(?:embed|frames)|object|"
    rb"plaintext|s(?:cript|ource|tyle)|t(?:extarea|itle)|video|xmp)(?=[\t\n\f\r />])"
)
_TOKEN: Final = re.compile(
    rb"(?>[^<]*+(?:<(?:/?(?!" + _NAMES + rb")[a-z][^\t\n\f\r />]*+" + WHOLE + rb"|(?![a-z/!?])"
    # Comments that are none: declarations, CDATA outside SVG, `<![if !mso]>`, `</ >`. They end at the first ">".
    rb"|(?:!(?!--)|\?|/(?![a-z]))[^>]*+>)[^<]*+){0,1000})"
    rb"(?:(<!--)|<(/?)(" + _NAMES + rb")" + WHOLE + rb")?"
)  # fmt: skip
_COMMENT_END: Final = re.compile(rb"--!?>")
# Their content is text up to their own end tag; noscript is not among them, because mail programs run no script.
_RAW: Final = frozenset({b"script", b"style", b"textarea", b"title", b"xmp", b"noframes", b"iframe", b"noembed"})
_AFTER_NAME: Final = frozenset(b"\t\n\f\r />")
_FETCHED: Final = {
    b"link": b"href", b"iframe": b"src", b"frame": b"src", b"input": b"src", b"source": b"src", b"embed": b"src",
    b"bgsound": b"src", b"audio": b"src", b"video": b"poster", b"object": b"data",
}  # fmt: skip
# One candidate of a srcset: its address reaches to white space, and what describes it to the next comma (4.8.4.2.1).
_CANDIDATE: Final = re.compile(rb"[\t\n\f\r ,]*+([^\t\n\f\r ]++)(?:(?<!,)[^,]*+)?")
_READ: Final = frozenset({b"a", b"area", b"base", b"html", b"img"}).union(_FETCHED)
_STYLE_URL: Final = re.compile(rb"""url\([\t\n\f\r ]*+(?:["']|&quot;|&#39;)?((?:https?:)?//[^"')<>\s]*+)""")
_STYLE_QUOTE: Final = re.compile(rb"&(?:quot|apos|#39);")
_BACKGROUND: Final = re.compile(rb"""background[\t\n\f\r ]*+=[\t\n\f\r ]*+["']?((?:https?:)?//[^"'\s>]*+)""")
_MARKUP: Final = re.compile(rb"<!--[\s\S]*?(?:--!?>|\Z)|</?([a-z][^\t\n\f\r />]*+)" + WHOLE + rb"|<[!?/a-z][^>]*+>?")
_BREAKS: Final = frozenset(b"br p div td th tr li ul ol table center h1 h2 h3 h4 h5 h6 hr img".split())
_BLANK: Final = "".join(map(chr, range(0x21)))  # what a browser takes off both ends of an address
_LONGEST_TEXT: Final = 2_048
_WINDOW: Final = 4 * _LONGEST_TEXT

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A live link: its address, and all the words by which it can be told what it is for.

    `text` is what it shows, at most 2,048 characters; `label` is what is read out: alt, title, aria-label; `marks` are
    the tokens of rel, id and class, in lower case. `no_track` is the span of a `data-no-track` attribute.
    """

    start: int
    href: Attribute
    url: str
    text: str = ""
    label: str = ""
    marks: tuple[str, ...] = ()
    no_track: Span | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A live picture; `start` and `end` span the whole tag. Sizes are as written, empty where none is."""

    start: int
    end: int
    url: str
    width: str = ""
    height: str = ""
    style: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """Something else that is fetched when the mail is shown: a background, a style sheet, a frame."""

    start: int
    end: int
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """What one pass found, in the order of the bytes. Offsets are octets.

    `comments` are the spans of all comments, `conditionals` of those Outlook reads: nothing in there is ever edited.
    What begins at `live_end` is never closed; text added before it is inside nothing.
    """

    anchors: tuple[Anchor, ...]
    images: tuple[Image, ...]
    remote: tuple[RemoteRef, ...]
    comments: tuple[Span, ...]
    conditionals: tuple[Span, ...]
    body_open_end: int | None
    body_close: int | None
    html_close: int | None
    head_close: int | None
    base_href: str | None
    lang: str
    direction: str
    has_amp: bool
    live_end: int


def scan(html: bytes, charset: str = "utf-8") -> Page:
    """Find the places of a page whose charset agrees with ASCII octet by octet. Never raises.

    `charset` is only for words (text, labels); offsets and addresses do not depend on it.
    """
    return _Pass(html, charset).run()


def insertion_point(page: Page, html: bytes) -> int:
    """Where text at the end of the page belongs: before the last `</body>`, else `</html>`, else the live end."""
    if page.body_close is not None:
        return page.body_close
    return page.html_close if page.html_close is not None else min(page.live_end, len(html))


def is_inside(spans: tuple[Span, ...], at: int) -> bool:
    """Whether an offset stands in one of the spans, which are in order and apart."""
    index = bisect_right(spans, (at, at))
    return index > 0 and spans[index - 1][0] <= at < spans[index - 1][1]


class _Pass:
    """The one pass. Tags are matched in a lower-case copy; values are read from the original, at the same offsets."""

    def __init__(self, html: bytes, charset: str) -> None:
        self.html, self.lowered, self.charset = html, html.lower(), charset
        self.anchors: list[Anchor] = []
        self.images: list[Image] = []
        self.remote: list[RemoteRef] = []
        self.comments: list[Span] = []
        self.conditionals: list[Span] = []
        self.open: tuple[int, int, Attributes] | None = None
        self.labels: list[str] = []
        self.ends: dict[bytes, int] = {}
        self.body_open_end: int | None = None
        self.base_href: str | None = None
        self.lang = self.direction = ""
        self.has_amp = False

    def run(self) -> Page:
        """Token after token; what stops the pass is never closed, and the page ends there."""
        lowered, position = self.lowered, 0
        while (token := _TOKEN.match(lowered, position)) is not None:
            start, kind = token.end(), token.lastindex
            if kind is None:
                if start == position:
                    break
                position = start
                continue
            start = token.start(kind) if kind == 1 else token.start(2) - 1
            following = self.comment(start) if kind == 1 else self.tag(token, start)
            if following is None:
                break
            position = following
        self.close_anchor(start)
        self.style_urls()
        return self.page(start)

    def page(self, live_end: int) -> Page:
        return Page(
            anchors=tuple(sorted(self.anchors, key=lambda anchor: anchor.start)),  # an area may stand in an anchor
            images=tuple(self.images),
            remote=tuple(sorted(self.remote, key=lambda ref: ref.start)),
            comments=tuple(self.comments),
            conditionals=tuple(self.conditionals),
            body_open_end=self.body_open_end,
            body_close=self.ends.get(b"body"),
            html_close=self.ends.get(b"html"),
            head_close=self.ends.get(b"head"),
            base_href=self.base_href,
            lang=self.lang,
            direction=self.direction,
            has_amp=self.has_amp,
            live_end=live_end,
        )

    def comment(self, start: int) -> int | None:
        """Where a comment ends: `<!-->` and `<!--->` are whole; conditional comments end where any comment ends."""
        inside = start + 4
        if self.lowered.startswith((b">", b"->"), inside):
            end = self.lowered.index(b">", inside) + 1
        elif (found := _COMMENT_END.search(self.lowered, inside)) is not None:
            end = found.end()
        else:
            return None
        self.comments.append((start, end))
        if self.lowered.startswith(b"[if", inside):
            self.conditionals.append((start, end))
        return end

    def tag(self, token: re.Match[bytes], start: int) -> int | None:
        """Where the pass goes on behind a tag; None if its raw text is never closed."""
        name: bytes = token[3]
        end = token.end()
        if token[2]:
            self.end_tag(name, start)
            return end
        if name in _READ:
            self.start_tag(name, start, Attributes(self.html, self.lowered, token.end(3), end - 1, self.charset), end)
        elif name == b"body" and self.body_open_end is None:
            self.body_open_end = end
        if name in _RAW:
            return self.raw_end(name, end)
        return None if name == b"plaintext" else end

    def raw_end(self, name: bytes, position: int) -> int | None:
        closing = b"</" + name
        while (position := self.lowered.find(closing, position)) >= 0:
            behind = position + len(closing)
            if behind < len(self.lowered) and self.lowered[behind] in _AFTER_NAME:
                return position
            position = behind
        return None

    def end_tag(self, name: bytes, start: int) -> None:
        if name == b"a":
            self.close_anchor(start)
        elif name != b"head" or name not in self.ends:
            self.ends[name] = start

    def start_tag(self, name: bytes, start: int, attributes: Attributes, end: int) -> None:
        if name == b"a":
            self.close_anchor(start)
            if b"href" in attributes:
                self.open = (start, end, attributes)
        elif name == b"img":
            self.image(start, end, attributes)
            self.candidates(attributes)
        elif name == b"area":
            self.anchor(start, attributes, "", ())
        elif name == b"html":
            self.lang = self.lang or attributes.value(b"lang")
            self.direction = self.direction or attributes.value(b"dir").lower()
            self.has_amp = self.has_amp or b"amp4email" in attributes or "⚡4email".encode() in attributes
        elif name == b"base" and self.base_href is None and b"href" in attributes:
            self.base_href = attributes.value(b"href")
        elif name != b"base":
            self.candidates(attributes)
            if (fetched := attributes.get(_FETCHED[name])) is not None:
                self.remote.append(RemoteRef(fetched.value_start, fetched.value_end, fetched.value.strip(_BLANK)))

    def candidates(self, attributes: Attributes) -> None:
        """The addresses of a `srcset`, any of which a mail program may fetch instead of the `src`."""
        srcset = attributes.get(b"srcset")
        if srcset is not None:
            for found in _CANDIDATE.finditer(self.html, srcset.value_start, srcset.value_end):
                url = found[1].rstrip(b",")
                start = found.start(1)
                self.remote.append(RemoteRef(start, start + len(url), read(url, self.charset)))

    def image(self, start: int, end: int, attributes: Attributes) -> None:
        value = attributes.value
        if b"src" in attributes:
            url, hidden = value(b"src").strip(_BLANK), b"hidden" in attributes
            width, height, style = value(b"width"), value(b"height"), value(b"style")
            self.images.append(Image(start, end, url, width, height, style, hidden))
        if len(self.labels) < 16:
            self.labels.append(value(b"alt"))

    def close_anchor(self, at: int) -> None:
        if self.open is not None:
            start, end, attributes = self.open
            self.open = None
            self.anchor(start, attributes, self.visible(end, min(at, end + _WINDOW)), tuple(self.labels))
        self.labels.clear()

    def anchor(self, start: int, attributes: Attributes, text: str, alts: tuple[str, ...]) -> None:
        href, value = attributes.get(b"href"), attributes.value
        if href is not None:
            labels = (*alts, value(b"alt"), value(b"title"), value(b"aria-label"))
            marks = f"{value(b'rel')} {value(b'id')} {value(b'class')}".lower().split()
            label = " ".join(" ".join(labels).split())[:_LONGEST_TEXT]
            url, no_track = href.value.strip(_BLANK), attributes.span(b"data-no-track")
            self.anchors.append(Anchor(start, href, url, text, label, tuple(marks), no_track))

    def visible(self, start: int, end: int) -> str:
        """The words between two offsets: tags and comments out, references decoded, white space folded."""
        inner = self.html[start:end]
        if b"<" in inner:
            pieces, done = [], 0
            for found in _MARKUP.finditer(inner.lower()):
                pieces.append(inner[done : found.start()])
                pieces.append(b" " if found[1] in _BREAKS else b"")
                done = found.end()
            inner = b"".join((*pieces, inner[done:]))
        text = decoded(inner, self.charset)
        return " ".join((entities.unescape(text) if "&" in text else text).split())[:_LONGEST_TEXT]

    def style_urls(self) -> None:
        """Addresses in style sheets, style attributes and `background`; not in comments, unless Outlook reads them."""
        comments, read_by_some = tuple(self.comments), tuple(self.conditionals)
        for pattern in (_STYLE_URL, _BACKGROUND):
            for found in pattern.finditer(self.lowered):
                start = found.start(1)
                end = start + len(_STYLE_QUOTE.split(found[1], 1)[0])
                if is_inside(comments, start) <= is_inside(read_by_some, start):
                    self.remote.append(RemoteRef(start, end, read(self.html[start:end], self.charset).strip(_BLANK)))
