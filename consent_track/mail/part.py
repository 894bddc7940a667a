"""What a scanned mail is: parts with their places in the bytes, or the reason why it is left as it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from .field import Header


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a mail may be before we leave it alone (threat T32). Octets, except parts, depth and headers."""

    message: int = 25 * 1024 * 1024
    parts: int = 1_000
    depth: int = 30
    header_line: int = 998  # RFC 5322 section 2.1.1, without the newline
    headers: int = 500
    header_block: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a mail or a leaf is left exactly as it is. `detail` holds numbers and field names, never content."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail; offsets count octets of the whole mail. `header_end` is where another field would be added.

    `body_start` is past the empty line and equals `header_end` if there is none; the newline before a delimiter
    belongs to the delimiter (RFC 2046 section 5.1.1), so `body_end` is before it.
    """

    start: int
    header_end: int
    body_start: int
    body_end: int
    headers: tuple[Header, ...]
    content_type: str
    params: dict[str, str]
    charset: str | None
    encoding: str
    disposition: str | None
    is_attachment: bool
    path: tuple[str, ...]
    children: tuple["Part", ...]

    def first(self, name: str) -> Header | None:
        """The first field of that name, in any case."""
        lower = name.lower()
        return next((header for header in self.headers if header.lower == lower), None)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail and its parts; `leaves` are the parts without children, in the order of the bytes."""

    data: bytes
    root: Part
    newline: bytes
    leaves: tuple[Part, ...]

    def headers(self, name: str) -> tuple[Header, ...]:
        """Every field of that name of the mail itself, in order."""
        lower = name.lower()
        return tuple(header for header in self.root.headers if header.lower == lower)

    def first(self, name: str) -> Header | None:
        """The first field of that name of the mail itself."""
        return self.root.first(name)

    def parts(self) -> Iterator[Part]:
        """Every part, the mail itself first, parents before children."""
        waiting = [self.root]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))
