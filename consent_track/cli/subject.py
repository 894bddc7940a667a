"""`subject`: one person's data: erased, searched for, and certified to be gone."""

import json
import os
from pathlib import Path

import click

from consent_track import residue
from consent_track.activities import Processing, answering, certifying, knowing, scanning
from consent_track.activities.entering import How
from consent_track.domain.address import normalise
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import code_of, number_of
from consent_track.domain.vocabulary import Grade
from consent_track.records.certificates import Certificate
from consent_track.records.database import checkpoint

from . import Home, pass_home

_controller = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")


@click.group()
def subject() -> None:
    """Erase a person, search for what is left, and certify that nothing is."""


@subject.command()
@click.argument("address")
@_controller
@pass_home
def erase(home: Home, address: str, controller: int) -> None:
    """Erase ADDRESS everywhere: rows, then the key that makes every copy unreadable (GDPR Art. 17)."""
    runtime = home.runtime()
    erased = answering.erase(runtime.processing, controller, address, How("command_line", Grade.OPERATOR, "operator"))
    if not erased.held:
        home.emit({"held": False}, "Nothing was held under this address.")
        return
    number = code_of(erased.certificate)
    lines = [f"{table}: {count} deleted" for table, count in sorted(erased.deleted.items())]
    lines += [f"{table}: kept ({article})" for table, article in sorted(erased.kept.items())]
    lines.append(f"Certificate {number} ripens: consent-track subject certificate {number}")
    value = {"held": True, "deleted": erased.deleted, "kept": erased.kept, "certificate": number}
    home.emit(value, "\n".join(lines))


@subject.command()
@click.argument("address")
@_controller
@pass_home
def scan(home: Home, address: str, controller: int) -> None:
    """Search every table and file of this machine for ADDRESS in every form. Exit code 1 if something is found."""
    runtime = home.runtime()
    checkpoint(runtime.database.engine)
    with runtime.reading() as p:
        reference = knowing.find(p, controller, address) or 0
        done = scanning.scan(p, controller, normalise(address), reference, residue.look_through, runtime.places())
    value = {
        "found": [{"place": one.place, "form": one.form} for one in done.found],
        "cells": done.cells, "files": done.files, "octets": done.octets, "forms": done.forms,
        "not_searched": list(done.not_searched),
    }  # fmt: skip
    lines = [f"found in {one.place}: {one.form}" for one in done.found] or ["Nothing is found."]
    lines.append(f"{done.cells:,} cells and {done.files:,} files with {done.octets:,} octets, in {done.forms} forms.")
    lines += [f"not searched: {one}" for one in done.not_searched]
    home.emit(value, "\n".join(lines))
    if done.found:
        raise click.exceptions.Exit(1)


@subject.command()
@click.argument("number", required=False)
@click.option("--address", default="", help="Instead of the number.")
@click.option("--interim", is_flag=True, help="A signed statement of what is proved so far, and of what is open.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="A new file, mode 0600; default: standard output."
)
@_controller
@pass_home
def certificate(home: Home, number: str | None, address: str, interim: bool, out: Path | None, controller: int) -> None:
    """Hand over the signed certificate of an erasure. Exit code 1, with the reasons, while it is withheld."""
    with home.runtime().reading() as p:
        found = _found(p, controller, number, address)
        paper = certifying.signed(p, found, final=False) if interim else certifying.paper_of(p, found)
    text = json.dumps(paper, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputRefused.one("--out", f"cannot be made ({error.strerror})") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    home.emit({"number": paper["number"], "file": str(out)}, f"Certificate {paper['number']} is in {out}.")


@subject.command("accept")
@click.argument("number")
@click.option("--open", "key", required=True, help="The item to go on without, such as `node web2`.")
@click.option("--reason", required=True, help="Stands on the certificate.")
@_controller
@pass_home
def accept(home: Home, number: str, key: str, reason: str, controller: int) -> None:
    """Go on without a lost machine, or a recipient that never answers."""
    with home.runtime().processing() as p:
        found = certifying.accept(p, controller, number_of(number), key, reason)
    home.emit({"number": number, "accepted": found.accepted}, f"{key} no longer holds {number} up.")


def _found(p: Processing, controller: int, number: str | None, address: str) -> Certificate:
    if number:
        return certifying.find(p, controller, number_of(number))
    p.controller(controller)
    known = certifying.of_address(p, controller, normalise(address)) if address else []
    if not known:
        raise InputRefused.one("number", "is needed, or the --address of somebody who was erased")
    return known[0]
