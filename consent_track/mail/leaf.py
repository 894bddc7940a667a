"""Changing the text of one leaf: the caller names places in the decoded text, and gets splices of the sent octets.

What a recipient's program decodes is the old text with the changes and nothing else (threat T35); where the charset or
the transfer encoding cannot carry a change, the leaf as a whole moves to one that can, and its fields say so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from .charset import codec_name, is_searchable, reversible
from .heading import header_splice as header_splice
from .heading import relabel
from .lines import LONGEST, dashed, grow_too_long, longest, newline_of
from .part import Mail, Part, Unreadable
from .quoted import quote
from .splice import Splice as Splice
from .splice import apply as apply
from .transfer import IDENTITY, Encoded, decode

_MARK: Final = "\ufeff".encode()
_STUFFED: Final = (" ", ">", "From ")  # RFC 3676 section 4.4


class Edit(NamedTuple):
    """Put `text` in the place of the octets from `start` to `end` of `Leaf.text`; "\\n" is the leaf's own line break.

    Lines are broken only where `text` has "\\n". An edit must not begin or end inside a character or a CRLF.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf, decoded. `text` is in the declared charset where ASCII can be found in it octet by octet, else UTF-8.

    `charset` is the codec's name, `ascii` where none is declared. `newline` is how the text breaks its lines.
    """

    mail: Mail
    part: Part
    text: bytes
    charset: str
    newline: bytes
    is_html: bool
    format_flowed: bool
    delsp: bool
    stand_in: bool  # `text` is UTF-8 in the place of a charset that cannot be searched
    encoded: Encoded
    wire_newline: bytes

    @classmethod
    def of(cls, mail: Mail, part: Part) -> "Leaf | Unreadable":
        """Decode a leaf.

        Returns Unreadable: body_missing (no empty line after the fields), encoding_unknown, encoding_malformed,
        charset_unknown, charset_not_reversible.
        """
        if part.body_start == part.header_end:
            return Unreadable("body_missing")
        raw = mail.data[part.body_start : part.body_end]
        try:
            encoded = decode(part.encoding, raw)
        except LookupError:
            return Unreadable("encoding_unknown")
        if encoded is None:
            return Unreadable("encoding_malformed")
        charset = codec_name(part.charset)
        if charset is None:
            return Unreadable("charset_unknown")
        text, stand_in = encoded.text, not is_searchable(charset)
        if stand_in:
            found = reversible(charset, text)
            if found is None:
                return Unreadable("charset_not_reversible", charset)
            text, charset = found[0].encode(), found[1]
        wire = newline_of(raw) or mail.newline
        flowed = part.content_type == "text/plain" and part.params.get("format", "").lower() == "flowed"
        return cls(
            mail,
            part,
            text,
            charset,
            newline_of(text) or wire,
            part.content_type in ("text/html", "application/xhtml+xml"),
            flowed,
            flowed and part.params.get("delsp", "").lower() == "yes",
            stand_in,
            encoded,
            wire,
        )

    @property
    def text_charset(self) -> str:
        """The charset that `text` is in."""
        return "utf-8" if self.stand_in else self.charset

    def splice(self, edits: Iterable[Edit]) -> tuple[Splice, ...] | Unreadable:
        """The splices of the mail that make the edits, sorted.

        In HTML a sign the charset lacks becomes a numeric character reference; plain text then moves to UTF-8. A leaf
        moves to quoted-printable where it is 7bit and must carry more, or where a line would pass 998 octets.
        Returns Unreadable: charset_not_decodable (the text is not what its label says), malformed_header,
        boundary_collision (a line of the changed text would divide the mail).
        Raises ValueError: for edits that overlap, reach outside the text, or hold half a surrogate pair.
        """
        wanted = self._wanted(edits)
        if not wanted:
            return ()
        try:
            changes = self._carried(wanted)
        except UnicodeEncodeError:
            return self._in_utf8(wanted)
        encoding = self.part.encoding
        if encoding == "7bit" and not all(change.data.isascii() for change in changes):
            return self._anew(apply(self.encoded.text, changes), None)
        if encoding in ("7bit", "8bit") and grow_too_long(self.encoded.text, changes):
            return self._anew(apply(self.encoded.text, changes), None)
        return self._placed(self.encoded.replace(changes, self.wire_newline))

    def _wanted(self, edits: Iterable[Edit]) -> list[Edit]:
        """Sorted, with the leaf's line breaks, stuffed where flowed text asks for it; edits that touch are made one."""
        newline = self.newline.decode("ascii")
        # A byte order mark says how to read what follows, so nothing may come before it.
        mark = len(_MARK) if self.charset.startswith("utf") and self.text.startswith(_MARK) else 0
        wanted: list[Edit] = []
        done = 0
        for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
            if not done <= start <= end <= len(self.text):
                raise ValueError(f"edit {start}..{end} overlaps another or lies outside 0..{len(self.text)}")
            done = end
            start, end = max(start, mark), max(end, mark)
            text.encode()
            if "\r" in text:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            if wanted and wanted[-1].end == start:
                before = wanted.pop()
                start, text = before.start, before.text + text
            wanted.append(Edit(start, end, text))
        if self.format_flowed:
            wanted = [Edit(start, end, self._stuffed(start, end, text)) for start, end, text in wanted]
        return [Edit(start, end, text.replace("\n", newline)) for start, end, text in wanted if text or start < end]

    def _stuffed(self, start: int, end: int, text: str) -> str:
        """Put a space before a line that would else be taken for a quotation or changed by a transport (RFC 3676)."""
        begins = start == 0 or self.text[start - 1 : start] == b"\n"
        lines = text.split("\n")
        for index, line in enumerate(lines):
            if not index and not begins:
                continue
            if index == len(lines) - 1:
                if not line and (end == 0 or self.text[end - 1 : end] == b"\n"):
                    continue  # what follows was at the beginning of a line before: it is as its author wanted it
                line += self.text[end : end + 5].decode("latin-1")
            if line.startswith(_STUFFED):
                lines[index] = " " + lines[index]
        return "\n".join(lines)

    def _carried(self, wanted: list[Edit]) -> list[Splice]:
        """The edits as octets of the sent text. Raises UnicodeEncodeError: where plain text cannot carry a sign."""
        charset = "ascii" if self.is_html and self.part.encoding == "7bit" and not self.stand_in else self.charset
        errors = "xmlcharrefreplace" if self.is_html else "strict"
        changes = [Splice(start, end, text.encode(charset, errors)) for start, end, text in wanted]
        if not self.stand_in:
            return changes
        sent = self.encoded.text
        edges = [0, *(edge for change in changes for edge in change[:2]), len(self.text)]
        try:
            old = [self.text[start:end].decode().encode(charset) for start, end in pairwise(edges)]
        except UnicodeDecodeError:
            raise ValueError("an edit begins or ends inside a character") from None
        in_utf8 = [Splice(start, end, new.decode(charset).encode()) for start, end, new in changes]
        whole = apply(self.text, in_utf8).decode().encode(charset)
        placed, at = [], 0
        for index, change in enumerate(changes):
            start = at + len(old[2 * index])
            at = start + len(old[2 * index + 1])
            placed.append(Splice(start, at, change.data))
        # Stateful charsets: piece by piece only if that is what the whole would be, else the whole in one piece.
        if b"".join(old) == sent and apply(sent, placed) == whole:
            return placed
        return [Splice(0, len(sent), whole)]

    def _in_utf8(self, wanted: list[Edit]) -> tuple[Splice, ...] | Unreadable:
        """Move a plain text to UTF-8: its own charset cannot carry what is to be said."""
        pieces: list[str] = []
        done = 0
        charset = "utf-8" if self.stand_in or self.charset == "ascii" else self.charset
        try:
            for start, end, text in (*wanted, Edit(len(self.text), len(self.text), "")):
                pieces += (self.text[done:start].decode(charset), text)
                done = end
        except UnicodeDecodeError:
            return Unreadable("charset_not_decodable", charset)
        moved = "".join(pieces)
        if charset == "iso8859-1" and any("\x80" <= sign <= "\x9f" for sign in set(moved)):
            return Unreadable("charset_not_decodable", "octets 128 to 159: probably windows-1252")
        return self._anew(moved.encode(), "utf-8")

    def _anew(self, octets: bytes, charset: str | None) -> tuple[Splice, ...] | Unreadable:
        """The whole leaf again, in the encoding it has, or in quoted-printable where that one cannot carry it."""
        encoding = self.part.encoding
        fits = encoding == "binary" or (encoding == "8bit" and longest(octets) <= LONGEST)
        if encoding in IDENTITY and not fits:
            encoding, body = "quoted-printable", quote(octets, self.wire_newline)
        else:
            body = self.encoded.encode(octets, self.wire_newline)
        fields = relabel(self.mail, self.part, charset, encoding if encoding != self.part.encoding else None)
        if isinstance(fields, Unreadable):
            return fields
        placed = self._placed([Splice(0, self.part.body_end - self.part.body_start, body)])
        return placed if isinstance(placed, Unreadable) else fields + placed

    def _placed(self, made: list[Splice]) -> tuple[Splice, ...] | Unreadable:
        """Splices in octets of the mail. An empty body right before a delimiter lacks the newline between them."""
        start, end = self.part.body_start, self.part.body_end
        if self.part.path and self.part.encoding != "base64":
            boundaries = _boundaries(self.mail, self.part)
            changed = apply(self.mail.data[start:end], made)
            # Boundaries are looked for first: taking a text apart into lines costs twenty times as much.
            if any(b"--" + boundary in changed for boundary in boundaries) and boundaries.intersection(dashed(changed)):
                return Unreadable("boundary_collision", "the changed text would hold a delimiter")
        placed = [Splice(first + start, last + start, new) for first, last, new in made]
        if start == end and self.mail.data.startswith(b"--", end):
            placed.append(Splice(end, end, self.mail.newline))
        return tuple(placed)


def _boundaries(mail: Mail, part: Part) -> set[bytes]:
    """What would end or divide the part if it stood on a line after two hyphens: the boundaries of all around it."""
    found: set[bytes] = set()
    around = mail.root
    while around is not part and around.children:
        boundary = around.params["boundary"].rstrip().encode("latin-1", "replace")
        found |= {boundary, boundary + b"--"}
        around = [child for child in around.children if child.start <= part.start][-1]
    return found
