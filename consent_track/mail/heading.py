"""Adding fields to a part, taking fields away and correcting a word of one, without touching the others."""

import re
from collections.abc import Iterable, Set
from typing import Final

from .field import first_token, spans
from .lines import LONGEST
from .part import Mail, Part, Unreadable
from .splice import Splice

_NAME: Final = re.compile(r"[!-9;-~]+")
_WORD: Final = re.compile(r"[ \t]*+[^ \t]++")
_LINE: Final = 78  # RFC 5322 section 2.1.1: should; 998 must


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


def relabel(mail: Mail, part: Part, charset: str | None, encoding: str | None) -> tuple[Splice, ...] | Unreadable:
    """Let the fields of a part say its new charset and transfer encoding; only those words of them change."""
    made: list[Splice] = []
    missing: list[tuple[str, str]] = []
    if charset is not None:
        header = part.first("content-type")
        if header is None:
            missing.append(("Content-Type", f"{part.content_type}; charset={charset}"))
        else:
            said = [parameter for parameter in spans(header.value) if parameter.name.split("*")[0] == "charset"]
            if first_token(header.value) != part.content_type or any("*" in parameter.name for parameter in said):
                return Unreadable("malformed_header", "content-type")
            at = header.start + len(header.name) + 1
            for word in said:
                quoted = header.value.startswith(b'"', word.start)
                new = f'"{charset}"' if quoted else charset
                made.append(Splice(at + word.start, at + word.end, new.encode()))
            if not said:
                behind = at + header.value.lower().index(part.content_type.encode()) + len(part.content_type)
                made.append(Splice(behind, behind, f"; charset={charset}".encode()))
    if encoding is not None:
        header = part.first("content-transfer-encoding")
        if header is None:
            missing.append(("Content-Transfer-Encoding", encoding))
        else:
            at = header.start + len(header.name) + 1
            made.append(Splice(at, at + len(header.value), b" " + encoding.encode()))
    if missing and part is mail.root and mail.first("mime-version") is None:
        missing.insert(0, ("MIME-Version", "1.0"))
    return tuple(sorted((*made, *header_splice(mail, part, missing)), key=lambda splice: splice[:2]))


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
    if max(map(len, lines)) > LONGEST:
        raise ValueError(f"field {name}: a word longer than a line may be")
    return newline.join(line.encode("ascii") for line in lines) + newline
