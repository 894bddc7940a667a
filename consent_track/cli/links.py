"""`links`: personal choice links as merge fields for any mailing tool."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import click

from consent_track.activities import awaiting
from consent_track.activities.awaiting import Link
from consent_track.domain.errors import InputRefused
from consent_track.domain.spreadsheet import harmless

from . import Home, pass_home

NAMES: Final = ("address", "yes_url", "no_url", "answer_by")


@click.group()
def links() -> None:
    """Take out personal choice links."""


@links.command()
@click.option("--wave", required=True, help="Whose links: see consent-track ask start.")
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A new file, mode 0600.")
@pass_home
def export(home: Home, wave: str, controller: int, form: str, out: Path) -> None:
    """Write the links of everybody who may still answer. Whoever holds the file could say no for all of them."""
    runtime = home.runtime()
    found = awaiting.links(runtime.reading, controller, wave, runtime.config.public_url)
    first = next(found, None)  # a wave that was never begun makes no file
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputRefused.one("--out", f"cannot be made ({error.strerror})") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            count, quoted = _write(file, form, _with(first, found))
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    text = f"{count:,} links in {out}. Delete it once your tool has it."
    if quoted:
        text += f"\n{quoted:,} addresses begin like a formula and stand behind a ' there: use --format json for them."
    home.emit({"links": count, "quoted": quoted, "file": str(out)}, text)


def _with(first: Link | None, rest: Iterator[Link]) -> Iterator[Link]:
    if first is not None:
        yield first
    yield from rest


def _write(file: TextIO, form: str, found: Iterable[Link]) -> tuple[int, int]:
    """Write the links; how many, and how many addresses had to be quoted."""
    count = quoted = 0
    if form == "csv":
        file.write(_line(NAMES))
    for link in found:
        cells = (link.address, link.yes, link.no, link.answer_by.isoformat())
        if form == "csv":
            safe = tuple(harmless(cell) for cell in cells)
            quoted += safe != cells
            file.write(_line(safe))
        else:
            file.write(("[\n" if count == 0 else ",\n") + json.dumps(dict(zip(NAMES, cells, strict=True))))
        count += 1
    if form == "json":
        file.write("\n]\n" if count else "[]\n")
    return count, quoted


def _line(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # RFC 4180
    return text.getvalue()
