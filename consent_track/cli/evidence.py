"""`evidence`: one person's proof as a file, for an authority or a court."""

import os
from pathlib import Path

import click

from consent_track.activities import evidencing
from consent_track.activities.evidencing import Bundle

from . import Home, pass_home

_CONTROLLER = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
_OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")


@click.group()
def evidence() -> None:
    """Take out what proves a person's choices."""


@evidence.command()
@click.argument("address")
@click.option("--sequence", type=int, default=None, help="Only the act of this entry; default: everything.")
@_CONTROLLER
@_OUT
@pass_home
def export(home: Home, address: str, sequence: int | None, controller: int, out: Path) -> None:
    """Write the evidence of ADDRESS as one ZIP file: words, pages, mails, papers, entries and their signatures."""
    runtime = home.runtime()
    with runtime.reading() as p:
        found = evidencing.bundle(p, controller, address, sequence)
    write_bundle(home, found, out)


def write_bundle(home: Home, found: Bundle, out: Path) -> None:
    """Write a bundle and say so."""
    write_privately(out, found.archive())
    value = {"written": str(out), "entries": found.entries, "files": len(found.files)}
    home.emit(value, f"{found.entries} entries in {len(found.files)} files, written to {out} (0600).")


def write_privately(path: Path, octets: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all: it is about a person."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)
    part.replace(path)
