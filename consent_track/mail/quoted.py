"""Quoted-printable (RFC 2045 section 6.7): changing a few octets without writing the rest of the text anew."""

import re
from binascii import a2b_qp, hexlify
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .splice import Splice

_WIDTH: Final = 76  # the longest encoded line, without its newline
# An escaped octet, or a soft line break with the white space that transports may have put behind it.
_ESCAPE: Final = re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*+\r?(?:\n|\Z))")
_UNSAFE: Final = re.compile(rb"[^\t -~]++")
_EQUALS: Final = ord("=")
_LF: Final = ord("\n")


@dataclass(frozen=True, slots=True)
class QuotedPrintable:
    """A quoted-printable text; `loose` if it holds a `=` that is no escape, which is read as itself."""

    raw: bytes
    text: bytes
    loose: bool

    @classmethod
    def read(cls, raw: bytes) -> "QuotedPrintable":
        """Read any octets. The C decoder does it, unless they hold a `=` that it reads in its own way."""
        text = a2b_qp(raw)
        cr = b"\r" in raw  # one octet is found ten times faster than two are counted, and many mails have none
        breaks = raw.count(b"=\r\n") if cr else 0
        # An escape and a soft break with LF take two octets away, one with CRLF three. A stray `=` takes fewer, which
        # shows in the length; only a `=` before a lone CR takes more, so those are counted.
        if (not cr or raw.count(b"=\r") == breaks) and len(text) == len(raw) - 2 * raw.count(b"=") - breaks:
            return cls(raw, text, False)
        return cls(raw, _ESCAPE.sub(_octet, raw), True)

    def encode(self, text: bytes, newline: bytes) -> bytes:
        """Write the whole text anew."""
        return quote(text, newline)

    def replace(self, changes: Sequence[Splice], newline: bytes) -> list[Splice]:
        """Encode the changed stretches; no line that was within 76 octets leaves that bound."""
        raw, place = self.raw, _Place(self)
        made: list[Splice] = []
        done = said = column = 0
        line_end = -1
        for first, last, new in changes:
            start, end = place.of(first), place.of(last)
            # The line we are on began in the mail, or inside the stretch we wrote before this one.
            line = raw.rfind(b"\n", done, start) + 1
            if line > done:
                said += len(_ESCAPE.sub(_octet, raw[done:line])) if self.loose else 0
                done, column = line, 0
            column += start - done
            if line_end < end:
                line_end = raw.find(b"\n", end)
                line_end = len(raw) if line_end < 0 else line_end
            tail = len(raw[end:line_end].removesuffix(b"\r")) if line_end - end < _WIDTH + 2 else _WIDTH
            if self.loose:
                # `=` and what follows it may become an escape when they meet: write the line so far anew.
                new, column, start = self.text[said:first] + new, column - (start - done), done
            elif column and _needs_step_back(raw[start - 1], column, tail, new, newline):
                step = 3 if raw[start - 3 : start - 2] == b"=" and start - 3 >= done else 1
                new, column, start = self.text[first - 1 : first] + new, column - step, start - step
            data, column = _stretch(new, column, tail, newline)
            made.append(Splice(start, end, data))
            done, said = end, last
        return made


def quote(text: bytes, newline: bytes) -> bytes:
    """Encode a text. Only `newline` becomes a line break; any other CR or LF is escaped, so that none is lost."""
    return _stretch(text, 0, 0, newline)[0]


class _Place:
    """From places in the text to places in the encoded octets, asked in ascending order: nothing is read twice."""

    def __init__(self, body: QuotedPrintable) -> None:
        self.raw = body.raw
        self.length = len(body.text)
        self.cr = b"\r" in body.raw
        self.at = self.said = 0  # a place in the encoded octets between two escapes, and the same place in the text
        self.escapes = _ESCAPE.finditer(body.raw) if body.loose else None
        self.ahead = next(self.escapes, None) if self.escapes else None

    def of(self, octet: int) -> int:
        """Where that octet of the text is encoded, past any soft break; for the end of the text, before one."""
        return self.stride(octet) if self.escapes is None else self.walk(octet)

    def stride(self, octet: int) -> int:
        """Come near by counting escapes, not reading them: what is encoded is never shorter than what it says."""
        raw = self.raw
        while (missing := octet - self.said) or (octet < self.length and raw[self.at] == _EQUALS and self.at_break()):
            to = self.at + missing
            if raw[to - 1] == _EQUALS:
                to -= 1
            elif raw[to - 2] == _EQUALS:
                to -= 2
            if to <= self.at:
                to = self.at + (2 if raw[self.at + 1] == _LF else 3)
            breaks = raw.count(b"=\r\n", self.at, to) if self.cr else 0
            self.said += to - self.at - 2 * raw.count(b"=", self.at, to) - breaks
            self.at = to
        return self.at

    def at_break(self) -> bool:
        return self.raw[self.at + 1] in b"\r\n"

    def walk(self, octet: int) -> int:
        """Escape by escape, where not every `=` begins one."""
        assert self.escapes is not None
        while self.ahead is not None:
            says = self.ahead[1] is not None
            said = self.said + self.ahead.start() - self.at
            if said > octet or (said == octet and (says or octet == self.length)):
                break
            self.at, self.said = self.ahead.end(), said + says
            self.ahead = next(self.escapes, None)
        return self.at + octet - self.said


def _needs_step_back(before: int, column: int, tail: int, new: bytes, newline: bytes) -> bool:
    """Whether the octet before must be written anew: its line is full, or it is white space that now ends a line."""
    if column == _WIDTH and (new or tail):
        return True
    ends_line = new.startswith(newline) or (not new and not tail)
    return ends_line and before in b" \t"


def _stretch(text: bytes, column: int, tail: int, newline: bytes) -> tuple[bytes, int]:
    """Encode a text that begins at `column` and is followed by `tail` octets of the same line; give the end column."""
    out: list[bytes] = []
    lines = text.split(newline)
    for line in lines[:-1]:
        _fold(out, _escaped(line, True), column, _WIDTH, newline)
        out.append(newline)
        column = 0
    column = _fold(out, _escaped(lines[-1], not tail), column, _WIDTH - tail, newline)
    return b"".join(out), column


def _escaped(line: bytes, ends: bool) -> bytes:
    line = _UNSAFE.sub(_octets, line.replace(b"=", b"=3D"))
    if ends and line.endswith((b" ", b"\t")):
        return line[:-1] + b"=%02X" % line[-1]  # transports take white space at the end of a line away
    return line


def _fold(out: list[bytes], line: bytes, column: int, room: int, newline: bytes) -> int:
    """Write a line in pieces of at most 76 octets, the last one within `room`; never cut an escape."""
    at, end = 0, len(line)
    while end - at > room - column and (end > at or column):
        cut = min(at + max(_WIDTH - 1 - column, 0), end)
        if cut > at and line[cut - 1] == _EQUALS:
            cut -= 1
        elif cut - 1 > at and line[cut - 2] == _EQUALS:
            cut -= 2
        out += (line[at:cut], b"=", newline)
        at, column = cut, 0
    out.append(line[at:])
    return column + end - at


def _octet(escape: re.Match[bytes]) -> bytes:
    return bytes((int(escape[1], 16),)) if escape[1] else b""


def _octets(unsafe: re.Match[bytes]) -> bytes:
    return b"=" + hexlify(unsafe[0], b"=").upper()
