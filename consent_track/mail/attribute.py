"""The attributes of one HTML tag, as they are written: where each value stands, and what it says once decoded."""

import html as entities
import re
from dataclasses import dataclass
from html.entities import html5
from typing import Final

# HTML standard, 13.2.5.32 to 13.2.5.40. A quote means something only behind "="; what is not closed runs to the end.
# Nothing is tried twice (T33): single sets are possessive, repeated groups stand in an atomic one. Possessive groups
# are not used: Python 3.11.0 to 3.11.4 (Debian 12) go on in the wrong place behind them (CPython gh-106052). The bound
# keeps the memory of the repetition small; a tag with more attributes is read as one that is never closed.
WHOLE: Final = (
    rb"""(?:>|(?>(?:[\t\n\f\r /]*+[^\t\n\f\r />][^\t\n\f\r />=]*+(?:="[^"]*+"?|[\t\n\f\r ]*+=[\t\n\f\r ]*+"""
    rb"""(?:"[^"]*+"?|'[^']*+'?|[^\t\n\f\r >"'][^\t\n\f\r >]*+|))?){0,20000})[\t\n\f\r /]*+>)"""
)
_ONE: Final = re.compile(
    rb"""[\t\n\f\r /]*+([^\t\n\f\r />][^\t\n\f\r />=]*+)"""
    rb"""(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"([^"]*+)"|'([^']*+)'|([^\t\n\f\r >"'][^\t\n\f\r >]*+)|))?"""
)
_QUOTES: Final = ("", "", '"', "'", "")
_REFERENCE: Final = re.compile(r"&(?:#(?:[0-9]++|[xX][0-9a-fA-F]++);?|([a-zA-Z][a-zA-Z0-9]*+)(;?)(=?))")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: octet offsets of its name and of its raw value without quotes, the quote, the value decoded."""

    start: int
    value_start: int
    value_end: int
    quote: str
    value: str


class Attributes:
    """The attributes of one tag; of two with the same name the first counts, as for a browser.

    Nothing is decoded before it is asked for: most attributes of a mail are never looked at.
    """

    __slots__ = ("charset", "found", "html")

    def __init__(self, html: bytes, lowered: bytes, start: int, end: int, charset: str) -> None:
        self.html, self.charset = html, charset
        self.found: dict[bytes, re.Match[bytes]] = {}
        for match in _ONE.finditer(lowered, start, end):
            self.found.setdefault(match[1], match)

    def __contains__(self, name: bytes) -> bool:
        return name in self.found

    def span(self, name: bytes) -> tuple[int, int] | None:
        """The whole attribute, name to closing quote, with the white space in front of it."""
        match = self.found.get(name)
        return match.span() if match else None

    def get(self, name: bytes) -> Attribute | None:
        match = self.found.get(name)
        if match is None:
            return None
        group = match.lastindex or 1
        start, end = match.span(group) if group > 1 else (match.end(), match.end())
        return Attribute(match.start(1), start, end, _QUOTES[group], read(self.html[start:end], self.charset))

    def value(self, name: bytes) -> str:
        match = self.found.get(name)
        group = match.lastindex if match else None
        if match is None or group is None or group == 1:
            return ""
        start, end = match.span(group)
        return read(self.html[start:end], self.charset)


def read(raw: bytes, charset: str) -> str:
    """The value of an attribute, its character references decoded."""
    value = decoded(raw, charset)
    return _REFERENCE.sub(_referred, value) if "&" in value else value


def decoded(raw: bytes, charset: str) -> str:
    """Octets as text: in the charset that was declared, else in UTF-8, else as Western European. Never raises."""
    if raw.isascii():
        return raw.decode("ascii")
    for name in (charset, "utf-8"):
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("windows-1252", "replace")


def _referred(match: re.Match[str]) -> str:
    """One reference by the rule for attributes (13.2.5.73): `&lt=5` is a parameter called lt, no less-than sign."""
    name: str | None = match[1]
    if name is None:
        return entities.unescape(match[0]) or "\ufffd"
    known = html5.get(name + ";") if match[2] else None if match[3] else html5.get(name)
    return match[0] if known is None else known + match[3]
