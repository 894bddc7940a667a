"""The lines of a text, as far as mail sets rules for them: how they break, how long they are, which divide a mail."""

from collections.abc import Sequence
from typing import Final

from .splice import Splice, apply

LONGEST: Final = 998  # RFC 5322 section 2.1.1, octets without the newline


def newline_of(octets: bytes) -> bytes | None:
    """CRLF or LF, whichever comes first; None for a text of one line."""
    found = octets.find(b"\n")
    if found < 0:
        return None
    return b"\r\n" if octets[found - 1 : found] == b"\r" else b"\n"


def longest(text: bytes) -> int:
    """Octets of the longest line, without its newline."""
    return max(len(line.removesuffix(b"\r")) for line in text.split(b"\n"))


def dashed(text: bytes) -> list[bytes]:
    """The lines that begin with two hyphens, without these and white space at the end: what may be a delimiter."""
    return [piece.partition(b"\n")[0].rstrip(b" \t\r") for piece in (b"\n" + text).split(b"\n--")[1:]]


def grow_too_long(text: bytes, changes: Sequence[Splice]) -> bool:
    """Whether the changes make a line pass 998 octets in a text where none did: servers would break or refuse it."""
    changed, shift, checked = apply(text, changes), 0, 0
    for start, end, new in changes:
        first, last = start + shift, start + shift + len(new)
        shift += len(new) - (end - start)
        if last < checked:
            continue
        line = max(changed.rfind(b"\n", checked, first) + 1, checked)
        checked = changed.find(b"\n", last)
        checked = len(changed) if checked < 0 else checked
        if checked - line > LONGEST and longest(changed[line:checked]) > LONGEST:
            return longest(text) <= LONGEST
    return False
