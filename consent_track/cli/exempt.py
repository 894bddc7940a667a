"""`hygiene` and `count`: what comes out of the two measurings that are exempt from consent, and nothing more."""

import os
from datetime import datetime
from pathlib import Path

import click

from consent_track.activities import exempting
from consent_track.domain.errors import InputRefused

from . import Home, pass_home

_CONTROLLER = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")


@click.group()
def hygiene() -> None:
    """List hygiene: who has opened nothing since a day (exempt in France for requested mail)."""


@hygiene.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day, such as 2026-05-01.")
@_CONTROLLER
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A new file: one address a line."
)
@pass_home
def inactive(home: Home, since: datetime, controller: int, out: Path) -> None:
    """Write the addresses of people who were mailed and have opened nothing since that day. No date leaves with them.

    Use it to stop writing to unused addresses; any other use needs consent.
    """
    runtime = home.runtime()
    with runtime.reading() as p:
        people = list(exempting.inactive(p, controller, since.date()))
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputRefused.one("--out", f"cannot be made ({error.strerror})") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(f"{address}\n" for address in sorted(people))
    home.emit({"inactive": len(people), "since": since.date().isoformat()}, f"{len(people)} inactive since {since:%F}.")


@click.command()
@click.argument("campaign")
@_CONTROLLER
@pass_home
def count(home: Home, campaign: str, controller: int) -> None:
    """Say how often CAMPAIGN was opened in total, if enough people got it (exempt in Italy)."""
    runtime = home.runtime()
    with runtime.reading() as p:
        found = exempting.count(p, controller, campaign)
    said = f"opened {found.opens} times in total" if found.opens is not None else f"not shown: {found.why}"
    home.emit({"opens": found.opens, "people": found.mails, "why": found.why}, f"{said}; {found.mails} people got it.")
