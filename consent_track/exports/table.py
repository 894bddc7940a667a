"""CSV as it is really written: comma, semicolon, tab or bar, with or without quotes, either way of escaping."""

import csv
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, TextIO

from consent_track.domain.errors import InputRefused

_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 65_536


def table(text: TextIO, *, escaped: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line it begins at, the names of the columns first; empty lines are passed over.

    A quote inside quotes is written twice or, with `escaped`, behind a backslash.

    Raises InputRefused (field `file`) naming the line: for a quote that is not closed, and for a row with another
    number of cells than there are columns, because then nobody knows which cell says what.
    """
    dialect, skipped = _dialect(text, escaped)
    reader, columns = csv.reader(text, strict=True, **dialect), 0
    while True:
        line = reader.line_num + skipped + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputRefused.one("file", f"line {line}: {_words(error)}") from None
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = len(cells)
            cells = [cell.strip() for cell in cells]
        elif len(cells) != columns:
            raise InputRefused.one("file", f"line {line} has {len(cells)} cells, and there are {columns} columns")
        yield line, cells
    if not columns:
        raise InputRefused.one("file", "is empty")


def _dialect(text: TextIO, escaped: bool) -> tuple[dict[str, Any], int]:
    """How this file is written, from its beginning; and how many lines came before the names of the columns."""
    start = text.tell()
    sample = text.read(_SAMPLE)
    text.seek(start)
    skipped = 0
    named = ""
    if sample[:4].lower() == "sep=":  # what spreadsheets write for themselves
        named, skipped = sample[4:5], 1
        text.readline()
        sample = sample.partition("\n")[2]
    quote = "'" if sample.lstrip()[:1] == "'" else '"'
    outside = Counter("".join(_first_line(sample).split(quote)[::2]))
    delimiter = named or max(_DELIMITERS, key=lambda one: outside[one])
    return {
        "delimiter": delimiter,
        "quotechar": quote,
        "doublequote": not escaped,
        "escapechar": "\\" if escaped else None,
        "skipinitialspace": True,
    }, skipped


def _first_line(sample: str) -> str:
    return sample.lstrip().replace("\r", "\n").partition("\n")[0]


def _words(error: csv.Error) -> str:
    if "field larger" in str(error):
        return "a cell is longer than 131,072 characters; a quote is probably not closed"
    if "unexpected end" in str(error):
        return "a quote is not closed before the end of the file"
    return "the quotes are not in order"
