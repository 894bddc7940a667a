"""How the octets of a text travel (RFC 2045 section 6), and how to change some of them where they stand.

Changes are sorted, do not touch one another and count octets of the text; what comes back counts encoded octets.
"""

import re
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from .lines import LONGEST
from .quoted import QuotedPrintable
from .splice import Splice, apply

IDENTITY: Final = frozenset({"7bit", "8bit", "binary"})
_WIDTH: Final = 76  # RFC 2045 section 6.8
_BLANK: Final = b" \t\r\n"
_LETTERS: Final = re.compile(rb"[^ \t\r\n]++")


class Encoded(Protocol):
    """A text as it was sent, and what can be done with it."""

    @property
    def text(self) -> bytes:
        """What was sent."""

    def replace(self, changes: Sequence[Splice], newline: bytes) -> list[Splice]:
        """Make the changes with the smallest stretches this encoding allows."""

    def encode(self, text: bytes, newline: bytes) -> bytes:
        """Write a whole text anew, in the same shape."""


def decode(encoding: str, raw: bytes) -> Encoded | None:
    """The text of a leaf; None where the octets are not what the encoding says (base64 only).

    Raises LookupError: for an encoding that RFC 2045 does not know.
    """
    if encoding in IDENTITY:
        return Plain(raw)
    if encoding == "quoted-printable":
        return QuotedPrintable.read(raw)
    if encoding == "base64":
        return Base64.read(raw)
    raise LookupError(encoding)


@dataclass(frozen=True, slots=True)
class Plain:
    """7bit, 8bit and binary: the octets are the text."""

    text: bytes

    def replace(self, changes: Sequence[Splice], newline: bytes) -> list[Splice]:
        return list(changes)

    def encode(self, text: bytes, newline: bytes) -> bytes:
        return text


@dataclass(frozen=True, slots=True)
class Base64:
    """Base64 in lines of any length. What stands before the first changed group of three octets stays as it is."""

    raw: bytes
    text: bytes

    @classmethod
    def read(cls, raw: bytes) -> "Base64 | None":
        """Only letters of the alphabet and white space; missing padding is forgiven, text behind padding is not."""
        letters = raw.translate(None, _BLANK)
        try:
            return cls(raw, a2b_base64(letters + b"=" * (-len(letters) % 4), strict_mode=True))
        except Error:
            return None

    @property
    def width(self) -> int:
        """Letters on a line, as this leaf has it; 76 if it has one line only or its lines are too long for mail."""
        first, _, rest = self.raw.lstrip(_BLANK).partition(b"\n")
        width = len(first.rstrip(_BLANK))
        return width if rest.strip(_BLANK) and width <= LONGEST else _WIDTH

    def encode(self, text: bytes, newline: bytes) -> bytes:
        return self._lines(text, 0, newline) + self.raw[len(self.raw.rstrip(_BLANK)) :]

    def replace(self, changes: Sequence[Splice], newline: bytes) -> list[Splice]:
        if not changes:
            return []
        same = changes[0].start // 3
        end = len(self.raw.rstrip(_BLANK))
        start = self._after(same * 4, newline) if same else min(end, len(self.raw) - len(self.raw.lstrip(_BLANK)))
        column = start - (self.raw.rfind(b"\n", 0, start) + 1)
        return [Splice(start, end, self._lines(apply(self.text, changes)[same * 3 :], column, newline))]

    def _lines(self, text: bytes, column: int, newline: bytes) -> bytes:
        letters = b2a_base64(text, newline=False)
        width = self.width
        first = max(width - column, 0)
        pieces = [letters[:first], *(letters[at : at + width] for at in range(first, len(letters), width))]
        return newline.join(pieces)

    def _after(self, letters: int, newline: bytes) -> int:
        """The place right behind so many letters. Lines of one length are reckoned, and the reckoning is checked."""
        width = self.width
        lines, rest = divmod(letters - 1, width)
        place = lines * (width + len(newline)) + rest + 1
        before = self.raw[:place]
        if len(before) == place and before[-1] not in _BLANK and len(before.translate(None, _BLANK)) == letters:
            return place
        for run in _LETTERS.finditer(self.raw):
            if run.end() - run.start() >= letters:
                return run.start() + letters
            letters -= run.end() - run.start()
        return len(self.raw)
