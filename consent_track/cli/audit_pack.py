"""`audit-pack`: what answers the letter of an authority, in one signed file."""

from datetime import date
from pathlib import Path

import click

from consent_track.activities import packing
from consent_track.activities.evidencing import Bundle
from consent_track.domain.errors import InputRefused

from . import Home, pass_home
from .evidence import write_privately
from .ledger import read_escrow_key

_CONTROLLER = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
_OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")


@click.group("audit-pack")
def audit_pack() -> None:
    """Answer an authority: about a person, a mailing or a period. `consent-track verify` checks the file anywhere."""


@audit_pack.command()
@click.argument("address")
@click.option(
    "--escrow-key", type=click.Path(path_type=Path, dir_okay=False), help="After an erasure: the offline key."
)
@_CONTROLLER
@_OUT
@pass_home
def person(home: Home, address: str, escrow_key: Path | None, controller: int, out: Path) -> None:
    """Everything about ADDRESS: evidence, every mail's decision, requests, who was told, certificates."""
    private = read_escrow_key(escrow_key) if escrow_key else None
    with home.runtime().reading() as p:
        found = packing.for_person(p, controller, address, private)
    _write(home, found, out)


@audit_pack.command()
@click.option("--since", required=True, metavar="DAY", help="The first day, such as 2026-09-01.")
@click.option("--until", required=True, metavar="DAY", help="The last day.")
@click.option("--campaign", default=None, help="Only this campaign.")
@_CONTROLLER
@_OUT
@pass_home
def period(home: Home, since: str, until: str, campaign: str | None, controller: int, out: Path) -> None:
    """The mails of a period, or of one campaign in it: decisions and reasons, without names."""
    with home.runtime().reading() as p:
        found = packing.for_period(p, controller, _day("--since", since), _day("--until", until), campaign)
    _write(home, found, out)


def _day(where: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputRefused.one(where, "is not a day such as 2026-09-01") from None


def _write(home: Home, found: Bundle, out: Path) -> None:
    write_privately(out, found.archive())
    home.emit({"written": str(out), "files": len(found.files)}, f"{len(found.files)} files, written to {out} (0600).")
