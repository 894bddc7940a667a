"""The records of a file, one at a time: CSV of any dialect, a JSON array, or one JSON object a line.

A file is looked through once before anything is done with it: whatever cannot be read is named by its line, because a
damaged line may hold somebody's no.
"""

import codecs
import csv
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TextIO

from consent_track.domain.errors import InputRefused

from .objects import objects
from .table import table

Record = tuple[int, Mapping[str, Any]]  # the line it begins at, and its fields

_CHUNK: Final = 1 << 20
_MOST_NAMES: Final = 10_000  # of JSON objects; no export has as many


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was looked through: its hash, how it is read, and the names of its fields."""

    path: Path
    sha256: str
    encoding: str
    is_json: bool = False
    escaped: bool = False  # quotes stand behind backslashes
    columns: tuple[str, ...] = ()

    def records(self) -> Iterator[Record]:
        """Every record, in order. Raises InputRefused (field `file`, with the line) for what cannot be read."""
        with _opened(self.path, self.encoding) as text:
            yield from objects(text) if self.is_json else self._rows(text)

    def _rows(self, text: TextIO) -> Iterator[Record]:
        rows = table(text, escaped=self.escaped)
        _, columns = next(rows)
        for line, cells in rows:
            fields: dict[str, str] = {}
            for name, cell in zip(columns, cells, strict=True):
                fields[name] = fields.get(name) or cell  # exports of real tools name a column twice
            yield line, fields


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[TextIO]:
    """The text of a file from its beginning, after a byte order mark."""
    with path.open(encoding=encoding, newline="") as text:
        start = text.tell()
        if text.read(1) != "\ufeff":
            text.seek(start)
        yield text


def look_through(path: Path, encoding: str = "utf-8") -> Source:
    """Look through a whole file without keeping any of it. Raises InputRefused (field `file` or `--encoding`)."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # some codecs are no encodings of text
    except LookupError:
        raise InputRefused.one("--encoding", f"{encoding!r} is not an encoding") from None
    name = "utf-8-sig" if name == "utf-8" else name
    try:
        source = Source(path, _decoded(path, name), name)
        with _opened(path, name) as text:
            is_json = text.read(4_096).lstrip()[:1] in ("[", "{")
        if is_json:
            return _whole(replace(source, is_json=True))
        try:
            return _whole(source)
        except InputRefused as refused:
            if not _has_backslashes(source):
                raise
            with suppress(InputRefused):  # a file that only makes sense with backslashes is written with them
                return _whole(replace(source, escaped=True))
            raise refused
    except OSError as error:
        raise InputRefused.one("file", f"cannot be read ({error.strerror})") from None


def _has_backslashes(source: Source) -> bool:
    with _opened(source.path, source.encoding) as text:
        return any('\\"' in line or "\\'" in line for line in text)


def _whole(source: Source) -> Source:
    """The same source, with the names of its columns, once every record of it could be read."""
    if not source.is_json:
        with _opened(source.path, source.encoding) as text:
            source = replace(source, columns=tuple(next(table(text, escaped=source.escaped))[1]))
    names: dict[str, None] = {}
    for _, fields in source.records():
        if source.is_json and len(names) < _MOST_NAMES:
            names.update(dict.fromkeys(fields))
    return replace(source, columns=tuple(names)) if source.is_json else source


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
