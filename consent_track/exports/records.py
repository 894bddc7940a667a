"""The records of a file, one at a time: CSV of any dialect, a JSON array, or one JSON object a line.

A file is looked through once before anything is done with it: whatever cannot be read is named by its line, because a
damaged line may hold somebody's no.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consent_track.domain.errors import InputRefused

from .objects import objects
from .table import table

Record = tuple[int, Mapping[str, Any]]  # the line it begins at, and its fields

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was looked through: its hash, how it is read, and the names of its fields (none for JSON)."""

    path: Path
    sha256: str
    encoding: str
    is_json: bool
    columns: tuple[str, ...]

    def records(self) -> Iterator[Record]:
        """Every record, in order. Raises InputRefused (field `file`, with the line) for what cannot be read."""
        with self.path.open(encoding=self.encoding, newline="") as text:
            yield from objects(text) if self.is_json else _rows(text)


def _rows(text: io.TextIOBase) -> Iterator[Record]:
    rows = table(text)
    _, columns = next(rows)
    # Exports of real tools name a column twice; what is said in either is said.
    for line, cells in rows:
        fields: dict[str, str] = {}
        for name, cell in zip(columns, cells, strict=True):
            fields[name] = fields.get(name) or cell
        yield line, fields


def look_through(path: Path, encoding: str = "utf-8") -> Source:
    """Look through a whole file without keeping any of it. Raises InputRefused (field `file` or `--encoding`)."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # some codecs are no encodings of text
    except LookupError:
        raise InputRefused.one("--encoding", f"{encoding!r} is not an encoding") from None
    name = "utf-8-sig" if name == "utf-8" else name
    try:
        digest = _decoded(path, name)
        with path.open(encoding=name, newline="") as text:
            begins = text.read(4_096).lstrip()[:1]
        source = Source(path, digest, name, begins in ("[", "{"), ())
        if not source.is_json:
            with path.open(encoding=name, newline="") as text:
                source = Source(path, digest, name, False, tuple(next(table(text))[1]))
        for _ in source.records():
            pass
    except OSError as error:
        raise InputRefused.one("file", f"cannot be read ({error.strerror})") from None
    return source


def _decoded(path: Path, encoding: str) -> str:
    """The SHA-256 of a file whose every octet can be decoded."""
    digest, decoder, line = hashlib.sha256(), codecs.getincrementaldecoder(encoding)("strict"), 1
    with path.open("rb") as octets:
        while True:
            chunk = octets.read(_CHUNK)
            digest.update(chunk)
            try:
                line += _ends(decoder.decode(chunk, final=not chunk))
            except UnicodeDecodeError as error:
                line += _ends(error.object[: error.start].decode(encoding, "replace"))
                raise InputRefused.one("file", f"line {line} is not {encoding.removesuffix('-sig')}") from None
            except UnicodeError as error:
                raise InputRefused.one("file", f"is not {encoding} ({error})") from None
            if not chunk:
                return digest.hexdigest()


def _ends(text: str) -> int:
    return text.count("\n") or text.count("\r")


csv.field_size_limit(131_072)
