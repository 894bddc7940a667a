"""Where each part of a mail begins and ends, found in one bounded pass; no byte is rewritten or rearranged.

Why not the standard library: its parser hangs on a 120-octet mail (CPython gh-138223), recurses without bound, and its
writer rewrites header fields and signed parts. A mail beyond the limits is a lawful no: it leaves as it came.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from .displayed import Bodies as Bodies
from .displayed import protection as protection
from .displayed import text_leaves as text_leaves
from .field import Header as Header
from .field import first_token, parameters
from .field import unfold as unfold
from .part import Limits as Limits
from .part import Mail as Mail
from .part import Part as Part
from .part import Unreadable as Unreadable

_SHIPPED: Final = Limits()


def scan(data: bytes, limits: Limits = _SHIPPED) -> Mail | Unreadable:
    """Find every part of a mail. Time and memory grow in proportion to its length.

    Returns Unreadable, never raises: for what passes a limit, and for what mail programs read in different ways (fields
    that are none, two Content-Type fields, boundaries that cannot be told apart), because a wrong guess damages mail.
    """
    if len(data) > limits.message:
        return Unreadable("too_large", f"{len(data)} octets, at most {limits.message}")
    return _Walk(data, limits).run()


# A line that starts with a space or tab continues the field above it. Possessive: no second thoughts (threat T33).
_FIELD: Final = re.compile(rb"([!-9;-~]++):[^\n]*+\n?+(?>(?:[ \t][^\n]*+\n?+)*)")
_ONCE: Final = frozenset({"content-type", "content-transfer-encoding"})


@dataclass(slots=True)
class _Open:
    """A part whose end has not been seen yet."""

    start: int
    header_end: int
    body_start: int
    headers: tuple[Header, ...]
    content_type: str
    params: dict[str, str]
    mime: dict[str, Header]
    path: tuple[str, ...]
    boundary: bytes = b""
    divided: bool = False
    children: list[Part] = field(default_factory=list)

    def close(self, end: int) -> Part:
        end = max(end, self.body_start, self.children[-1].body_end if self.children else 0)
        encoding = self.mime.get("content-transfer-encoding")
        disposition, named = None, "name" in self.params
        if (header := self.mime.get("content-disposition")) is not None:
            disposition = first_token(header.value) or None
            named = named or "filename" in parameters(header.value)
        return Part(
            self.start,
            self.header_end,
            self.body_start,
            end,
            self.headers,
            self.content_type,
            self.params,
            self.params.get("charset", "").strip().lower() or None,
            (first_token(encoding.value) if encoding else "") or "7bit",
            disposition,
            # RFC 2183 section 2.8: a disposition nobody knows is an attachment.
            named or disposition not in (None, "inline"),
            self.path,
            tuple(self.children),
        )


class _Walk:
    """One pass over the lines that start with `--`, with the boundaries that may end or divide the part we are in.

    Every such line is looked up once, however deep the nesting, so nesting cannot multiply the work.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.stack: list[_Open] = []
        self.boundaries: dict[bytes, int] = {}
        self.count = 0
        self.leaves: list[Part] = []
        self.closed: list[Part] = []  # the mail itself, at the end

    def run(self) -> Mail | Unreadable:
        data = self.data
        if (problem := self.enter(0)) is not None:
            return problem
        at = self.stack[0].body_start
        while (hit := self.delimiter(at)) is not None:
            before, at, depth, closing = hit
            self.stack[depth].divided = True
            if (problem := self.leave(depth + 1, before)) is not None:
                return problem
            if closing:
                del self.boundaries[self.stack[depth].boundary]
                continue
            if (problem := self.enter(at)) is not None:
                return problem
            at = self.stack[-1].body_start
        if (problem := self.leave(0, len(data))) is not None:
            return problem
        first = data.find(b"\n")
        newline = b"\n" if first == 0 or (first > 0 and data[first - 1] != 13) else b"\r\n"
        return Mail(data, self.closed[0], newline, tuple(self.leaves))

    def match(self, line: bytes) -> tuple[int, bool] | None:
        """The depth whose boundary the line is, and whether it closes it. `line` is without the two hyphens.

        RFC 2046 asks to compare the beginning of the line only, but real mail nests `=_Part_1` in `=_Part_12`; so the
        whole line counts, but for the white space that transports add (its grammar: transport-padding).
        """
        line = line.rstrip(b" \t\r")
        depth = self.boundaries.get(line)
        if depth is not None:
            return depth, False
        if line.endswith(b"--"):
            depth = self.boundaries.get(line[:-2])
            if depth is not None:
                return depth, True
        return None

    def delimiter(self, at: int) -> tuple[int, int, int, bool] | None:
        """The next delimiter at or after the line start `at`: end of the text before it, start of the line after it."""
        data, start = self.data, max(at - 1, 0)
        while self.boundaries:
            found = data.find(b"\n--", start)
            if found < 0:
                return None
            end = data.find(b"\n", found + 1)
            if end < 0:
                end = len(data)
            if (hit := self.match(data[found + 3 : end])) is not None:
                before = found - 1 if data[found - 1 : found] == b"\r" else found
                return before, min(end + 1, len(data)), *hit
            start = end
        return None

    def leave(self, depth: int, end: int) -> Unreadable | None:
        """Close every open part from `depth` down; `end` is where the text before the delimiter ends."""
        while len(self.stack) > depth:
            opened = self.stack.pop()
            if opened.boundary and not opened.divided:
                return Unreadable("boundary_missing", f"the boundary of {opened.content_type} never appears")
            self.boundaries.pop(opened.boundary, None)
            part = opened.close(end)
            (self.stack[-1].children if self.stack else self.closed).append(part)
            if not opened.boundary:
                self.leaves.append(part)
        return None

    def enter(self, start: int) -> Unreadable | None:
        """Open the part whose header block begins at `start`."""
        limits = self.limits
        self.count += 1
        if self.count > limits.parts:
            return Unreadable("too_many_parts", f"more than {limits.parts}")
        if len(self.stack) > limits.depth:
            return Unreadable("too_deep", f"more than {limits.depth} levels")
        block = self.block(start)
        if isinstance(block, Unreadable):
            return block
        parent = self.stack[-1] if self.stack else None
        opened = _facts(start, *block, parent)
        self.stack.append(opened)
        if not opened.content_type.startswith("multipart/"):
            return None
        boundary = opened.params.get("boundary", "").rstrip().encode("latin-1", "replace")
        if not boundary:
            return Unreadable("boundary_missing", "a multipart part names none")
        # `--a--` closes `a` and divides `a--`: with both open nobody can tell which, and mail programs disagree.
        if {boundary, boundary + b"--", boundary.removesuffix(b"--")} & self.boundaries.keys():
            return Unreadable("boundary_ambiguous", "a part uses the boundary of the part it is in")
        opened.boundary = boundary
        self.boundaries[boundary] = len(self.stack) - 1
        return None

    def block(self, start: int) -> tuple[int, int, tuple[Header, ...], dict[str, Header]] | Unreadable:
        """The fields from `start` on: where they end, where the body starts, all of them, and those about content."""
        data, limits, pos = self.data, self.limits, start
        fields: list[Header] = []
        mime: dict[str, Header] = {}
        stop, inside = start + limits.header_block, bool(self.boundaries)
        while found := _FIELD.match(data, pos, stop + 1):
            if inside and data.startswith(b"--", pos) and self.is_delimiter(pos):
                break
            end = found.end()
            if end > stop:
                return Unreadable("header_block_too_large", f"more than {limits.header_block} octets")
            if end - pos > limits.header_line and _longest_line(found[0]) > limits.header_line:
                return Unreadable("header_too_long", f"a line of more than {limits.header_line} octets")
            name = found[1].decode("ascii")
            lower = name.lower()
            header = Header(name, lower, data[found.end(1) + 1 : end].rstrip(b"\r\n"), pos, end)
            fields.append(header)
            pos = end
            if lower.startswith("content-"):
                if lower in _ONCE and lower in mime:
                    return Unreadable("duplicate_header", lower)
                mime.setdefault(lower, header)
        if len(fields) > limits.headers:
            return Unreadable("too_many_headers", f"more than {limits.headers}")
        block = data[start:pos]
        if block.count(b"\r") != block.count(b"\r\n") or b"\0" in block:
            return Unreadable("malformed_header", "a lone carriage return or a NUL")
        body = self.after_empty_line(pos)
        if body is None:
            return Unreadable("malformed_header", f"octet {pos} begins no field")
        return pos, body, tuple(fields), mime

    def is_delimiter(self, pos: int) -> bool:
        end = self.data.find(b"\n", pos)
        return self.match(self.data[pos + 2 : end if end >= 0 else len(self.data)]) is not None

    def after_empty_line(self, pos: int) -> int | None:
        data = self.data
        if data.startswith(b"\n", pos):
            return pos + 1
        if data.startswith(b"\r\n", pos):
            return pos + 2
        return pos if pos >= len(data) or (data.startswith(b"--", pos) and self.is_delimiter(pos)) else None


def _longest_line(block: bytes) -> int:
    return max(len(line.removesuffix(b"\r")) for line in block.split(b"\n"))


def _facts(
    start: int,
    header_end: int,
    body_start: int,
    headers: tuple[Header, ...],
    mime: dict[str, Header],
    parent: _Open | None,
) -> _Open:
    """What the fields about content say; RFC 2045 section 5.2 and RFC 2046 section 5.1.5 for what they do not say."""
    digest = parent is not None and parent.content_type == "multipart/digest"
    content_type, params = ("message/rfc822" if digest else "text/plain"), {}
    if (header := mime.get("content-type")) is not None:
        params = parameters(header.value)
        said = first_token(header.value)
        if said.count("/") == 1 and said[0] != "/" and said[-1] != "/":
            content_type = said
    path = (*parent.path, parent.content_type) if parent is not None else ()
    return _Open(start, header_end, body_start, headers, content_type, params, mime, path)
