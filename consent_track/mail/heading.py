"""Adding fields to a part and taking fields away, without touching the others."""

import re
from collections.abc import Iterable, Set
from typing import Final

from .part import Mail, Part
from .splice import Splice

_NAME: Final = re.compile(r"[!-9;-~]+")
_WORD: Final = re.compile(r"[ \t]*+[^ \t]++")
_LINE: Final = 78  # RFC 5322 section 2.1.1: should; 998 must
_LONGEST: Final = 998


def header_splice(
    mail: Mail, part: Part, add: Iterable[tuple[str, str]] = (), remove: Set[str] = frozenset()
) -> tuple[Splice, ...]:
    """Append the fields of `add` and take away every field whose name, in lower case, is in `remove`.

    Raises ValueError, naming the field: for a value with CR, LF, NUL or anything but ASCII (a second field could hide
    in it), for a name that is none, and for a word that no line can hold.
    """
    gone = [header for header in part.headers if header.lower in remove]
    splices = [Splice(header.start, header.end, b"") for header in gone]
    added = b"".join(_folded(name, value, mail.newline) for name, value in add)
    if added:
        last = part.headers[-1] if part.headers else None
        unfinished = last is not None and last not in gone and mail.data[last.end - 1 : last.end] != b"\n"
        splices.append(Splice(part.header_end, part.header_end, (mail.newline if unfinished else b"") + added))
    return tuple(splices)


def _folded(name: str, value: str, newline: bytes) -> bytes:
    """One field; lines break before a space, so that unfolding gives the value back exactly."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"field {name!r}: not a name")
    if not value.isascii() or any(sign in value for sign in "\r\n\0"):
        raise ValueError(f"field {name}: CR, LF, NUL or an octet that is not ASCII in its value")
    words = _WORD.findall(" " + value.strip())
    lines = [f"{name}:" + "".join(words[:1])]
    for word in words[1:]:
        if len(lines[-1]) + len(word) <= _LINE:
            lines[-1] += word
        else:
            lines.append(word)
    if max(map(len, lines)) > _LONGEST:
        raise ValueError(f"field {name}: a word longer than a line may be")
    return newline.join(line.encode("ascii") for line in lines) + newline
