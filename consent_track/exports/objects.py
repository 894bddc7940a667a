"""JSON as it is exported: an array of objects, or one object after the other, read without holding the file."""

import json
from collections.abc import Iterator
from typing import Any, Final, TextIO

from consent_track.domain.errors import InputRefused

_CHUNK: Final = 65_536
_LONGEST: Final = 1 << 20  # characters of one object
_BETWEEN: Final = " \t\r\n"


class _Repeated(ValueError):
    """Raised inside when an object says a name twice: a reader could see either."""


def objects(text: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object with the number of the line it begins at.

    Raises InputRefused (field `file`) naming the line: for what is no JSON, what is no object, and a name said twice.
    """
    reader = _Reader(text)
    in_array = reader.peek() == "["
    if in_array:
        reader.take(1)
    first = True
    while True:
        mark = reader.peek()
        if mark == "" or (in_array and mark == "]"):
            break
        if in_array and not first:
            reader.need(",")
        first = False
        reader.peek()
        yield reader.line, reader.object()
    if in_array:
        reader.need("]")
        if reader.peek():
            raise reader.wrong("there is more after the end of the array")


class _Reader:
    """A window that moves over the text, and the line it stands at."""

    def __init__(self, text: TextIO) -> None:
        self._text, self._window, self.line, self._ended = text, "", 1, False
        self._decoder = json.JSONDecoder(object_pairs_hook=_once)

    def peek(self) -> str:
        """The next character that is not between things; "" at the end."""
        while True:
            bare = self._window.lstrip(_BETWEEN)
            self.take(len(self._window) - len(bare))
            if bare or not self._more():
                return bare[:1]

    def need(self, mark: str) -> None:
        if self.peek() != mark:
            raise self.wrong(f"{mark!r} is missing")
        self.take(1)

    def take(self, length: int) -> None:
        self.line += self._window.count("\n", 0, length)
        self._window = self._window[length:]

    def object(self) -> dict[str, Any]:
        """The next object whole."""
        if self.peek() != "{":
            raise self.wrong("an object is missing")
        while True:
            try:
                found, length = self._decoder.raw_decode(self._window)
            except json.JSONDecodeError as error:
                if len(self._window) < _LONGEST and self._more():
                    continue
                self.line += self._window.count("\n", 0, error.pos)
                raise self.wrong("this is no JSON, or longer than one object may be") from None
            except _Repeated:
                raise self.wrong("a name is said twice") from None
            except (ValueError, RecursionError):
                raise self.wrong("a value is too large, or too deep") from None
            self.take(length)
            fields: dict[str, Any] = found
            return fields

    def wrong(self, what: str) -> InputRefused:
        return InputRefused([InputRefused.one("file", f"line {self.line}: {what}").problems[0]])

    def _more(self) -> bool:
        chunk = "" if self._ended else self._text.read(_CHUNK)
        self._ended = not chunk
        self._window += chunk
        return bool(chunk)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found
