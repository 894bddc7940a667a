"""One header field of a mail, exactly as it was sent, and what its value says."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

# Possessive quantifiers: 64 kB of half-written parameters must cost 64 kB of work, not its square (threat T33).
_PARAMETER: Final = re.compile(
    rb"""; \s*+ ([^\s=;"]++) \s*+ = \s*+ (?: "( (?>(?:[^"\\]|\\.)*) )"?+ | ([^;\s]*+) )""", re.VERBOSE | re.DOTALL
)
_QUOTED_PAIR: Final = re.compile(rb"\\(.)", re.DOTALL)
_TOKEN: Final = re.compile(rb"\s*+([^\s;()]++)")


class Header(NamedTuple):
    """One field: `start` and `end` are offsets in the mail, `end` after the final newline; `value` is still folded."""

    name: str
    lower: str
    value: bytes
    start: int
    end: int

    @property
    def text(self) -> str:
        """The value as one line, without the white space around it."""
        return unfold(self.value).strip()


class Parameter(NamedTuple):
    """One `name=value` of a field; `start` and `end` span the value, quotes included, inside the field's value."""

    name: str
    value: bytes
    start: int
    end: int


def unfold(value: bytes) -> str:
    """The value as one line (RFC 5322 section 2.2.3). Octets above 127 are shown as Latin-1; nothing is refused."""
    return value.replace(b"\r", b"").replace(b"\n", b"").decode("latin-1")


def first_token(value: bytes) -> str:
    """The word before any parameter or comment, in lower case: `text/html`, `base64`, `attachment`; "" if none."""
    found = _TOKEN.match(value)
    return found[1].decode("latin-1").lower() if found else ""


def spans(value: bytes) -> Iterator[Parameter]:
    """The parameters as they stand (RFC 2045 section 5.1), names in lower case, with the places of their values."""
    for found in _PARAMETER.finditer(value):
        quoted = found[2]
        if quoted is None:
            yield Parameter(found[1].decode("latin-1").lower(), found[3], found.start(3), found.end(3))
            continue
        plain = quoted.replace(b"\r", b"").replace(b"\n", b"")
        if b"\\" in plain:
            plain = _QUOTED_PAIR.sub(rb"\1", plain)
        yield Parameter(found[1].decode("latin-1").lower(), plain, found.start(2) - 1, found.end())


def parameters(value: bytes) -> dict[str, str]:
    """The parameters by name, continuations joined (RFC 2231). Of two with one name the first counts."""
    if b";" not in value:
        return {}
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for name, content, _, _ in spans(value):
        if "*" not in name:
            plain.setdefault(name, content.decode("latin-1"))
            continue
        base, _, rest = name.partition("*")
        number, encoded = rest.removesuffix("*"), rest.endswith("*") or not rest
        if number == "" or (number.isascii() and number.isdigit() and len(number) < 4):
            pieces.setdefault(base, {}).setdefault(int(number or 0), (content, encoded))
    for base, numbered in pieces.items():
        plain.setdefault(base, _joined(numbered))
    return plain


def _joined(numbered: dict[int, tuple[bytes, bool]]) -> str:
    """Join `name*0`, `name*1*`, ... up to the first gap; the first encoded piece may say its charset."""
    joined, charset = b"", "latin-1"
    for index in range(len(numbered)):
        if index not in numbered:
            break
        content, encoded = numbered[index]
        if encoded:
            if index == 0 and content.count(b"'") >= 2:
                label, _, content = content.split(b"'", 2)
                charset = "utf-8" if label.lower() == b"utf-8" else "latin-1"
            content = unquote_to_bytes(content)
        joined += content
    return joined.decode(charset, "replace")
