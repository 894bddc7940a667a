"""`ledger`, `verify` and `proof`: the ledger as a file, its verification anywhere, and a proof after an erasure."""

import json
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TextIO

import click

from consent_track.activities import auditing, evidencing, proving
from consent_track.crypto import evidence, key_files
from consent_track.crypto.evidence import Head
from consent_track.crypto.key import Usage
from consent_track.domain.errors import InputRefused, Problem

from . import Home, pass_home
from .evidence import write_bundle

_CONTROLLER = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
_READ = click.File("r", encoding="utf-8", errors="replace")  # what is no UTF-8 is refused as what is no JSON
_OUT = click.option("--out", type=click.File("w", encoding="utf-8"), default="-", help="Default: standard output.")


@click.group()
def ledger() -> None:
    """Take the ledger of choices out, as a file that anybody can verify."""


@ledger.command()
@_CONTROLLER
@_OUT
@pass_home
def export(home: Home, controller: int, out: TextIO) -> None:
    """Write every entry, sealed as it is stored: nothing in the file can be read without a person's key."""
    runtime = home.runtime()
    with runtime.reading() as p:
        for line in proving.export(p, controller):
            out.write(line)


@ledger.command()
@_CONTROLLER
@_OUT
@pass_home
def checkpoint(home: Home, controller: int, out: TextIO) -> None:
    """Write the signed end of the ledger: publish it or keep it elsewhere, it shows later that nothing was cut off."""
    runtime = home.runtime()
    with runtime.reading() as p:
        out.write(json.dumps(proving.checkpoint(p, controller)) + "\n")


@ledger.command("public-key")
@pass_home
def public_key(home: Home) -> None:
    """Print the key with which anybody verifies the ledger, and its fingerprint."""
    public = home.runtime().keys.ledger_public
    text, fingerprint = proving.in_base64(public), evidence.fingerprint(public)
    home.emit({"public_key": text, "fingerprint": fingerprint}, text)
    if not home.as_json:  # beside the answer, so that KEY=$(consent-track ledger public-key) holds the key alone
        click.echo(f"fingerprint {fingerprint}", err=True)


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--public-key", default="", help="The controller's key in base64; default: the one in the file.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For a ledger: where it once stood. A checkpoint, a file of them, or an evidence bundle; may be repeated.",
)
@pass_home
def verify(home: Home, path: Path, public_key: str, checkpoints: tuple[Path, ...]) -> None:
    """Verify a ledger, an evidence bundle or a receipt, offline: needs no home, no database and no secret.

    FILE is told by what is in it. Exit code 1 if it is not as it was signed.
    """
    public = proving.read_key(public_key) if public_key else None
    is_ledger = str(path) == "-" or not auditing.is_bundle(path)
    if checkpoints and not is_ledger:
        raise InputRefused.one("--checkpoint", "is for a ledger; hold the ledger against this bundle instead")
    if not is_ledger:
        _checked(home, auditing.check_bundle(path, public), public is not None)
        return
    with click.open_file(str(path), "r", encoding="utf-8", errors="replace") as file:
        first = file.readline(proving.LONGEST_LINE + 1)
        if proving.is_ledger(first):
            _verify_ledger(home, chain([first], file), public, checkpoints)
        else:
            rest = file.read(auditing.LARGEST_JSON)
            _checked(home, auditing.check_receipt(first + rest, public), public is not None)


def _checked(home: Home, found: auditing.Checked, key_given: bool) -> None:
    value = {"whole": found.whole, "what": found.what, "faults": list(found.faults), "entries": found.entries,
             "fingerprint": found.key, "key_given": key_given}  # fmt: skip
    said = f"Whole: this {found.what} is as it was signed." if found.whole else f"NOT whole: this {found.what}"
    key = f"Key: {found.key}" + ("" if key_given else " (the file's own: compare it with the published one)")
    home.emit(value, "\n".join([said, *(f"  {fault}" for fault in found.faults), key]))
    if not found.whole:
        raise click.exceptions.Exit(1)


def _kept_heads(paths: tuple[Path, ...], public: bytes | None) -> tuple[list[Head], bytes | None]:
    """What was kept elsewhere, as heads, and the key it names where none was given."""
    heads, named = list[Head](), public
    for path in paths:
        if auditing.is_bundle(path):
            more, key = auditing.heads_of(path, public)
            heads += more
            named = named or key
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            for head, key in proving.read_checkpoints(iter(lambda: file.readline(proving.LONGEST_LINE), "")):
                heads.append(head)
                named = named or key
    return heads, named


def _verify_ledger(home: Home, lines: Iterable[str], public: bytes | None, checkpoints: tuple[Path, ...]) -> None:
    upto, named = _kept_heads(checkpoints, public)
    found = proving.verify(lines, named, *upto)
    value = {
        "whole": found.whole,
        "controller": found.controller,
        "entries": found.entries,
        "broken_at": found.broken_at,
        "checkpoint": found.upto,
        "fingerprint": found.key,
        "key_given": public is not None,
    }
    said = (
        f"Whole: {found.entries} entries, none changed, deleted, reordered or inserted."
        if found.whole
        else f"NOT whole: entry {found.broken_at} is missing or not as it was written; {found.entries} before it are."
    )
    key = f"Key: {found.key}" + ("" if public else " (the file's own: compare it with the published one)")
    reach = (
        f"It reaches the checkpoint at entry {found.upto}."
        if found.upto and found.whole
        else "No checkpoint was given: entries cut off its end would not show."
        if found.upto is None
        else f"It was held against the checkpoint at entry {found.upto}."
    )
    home.emit(value, "\n".join([said, key, reach]))
    if not found.whole:
        raise click.exceptions.Exit(1)


@click.group()
def proof() -> None:
    """Answer a complaint with the proof that is kept after an erasure."""


@proof.command("open")
@click.argument("address")
@click.option(
    "--escrow-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
    help="The private escrow key, from the safe place where it is kept.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it as an evidence bundle.")
@_CONTROLLER
@pass_home
def open_(home: Home, address: str, escrow_key: Path, out: Path | None, controller: int) -> None:
    """Open what the ledger holds about ADDRESS, the address in the complaint (GDPR Art. 7(1), 17(3)(e))."""
    private = read_escrow_key(escrow_key)
    runtime = home.runtime()
    with runtime.reading() as p:
        if out is not None:
            write_bundle(home, evidencing.bundle_for_complaint(p, controller, address, private), out)
            return
        found = proving.open_proofs(p, controller, address, private)
    lines = [
        f"{one['sequence']}: {one['status']} {one['purpose'] or one['act']} at {one['occurred_at']} ({one['method']})"
        for one in found
    ]
    home.emit({"events": found}, "\n".join(lines or ["Nothing is kept that belongs to this address."]))


def read_escrow_key(path: Path) -> bytes:
    """The offline key of the proofs. Raises InputRefused (field `--escrow-key`, or what is wrong with the file)."""
    problems: list[Problem] = []
    private = key_files.read_key(path.parent, path, problems)
    if private is None or private.usage is not Usage.ESCROW_PRIVATE:
        raise InputRefused(problems or [Problem("--escrow-key", "is not an escrow-private key")])
    return private.secret
