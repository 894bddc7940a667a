"""`policy simulate`: what the mails of the last days would have been under another policies folder."""

from pathlib import Path
from typing import Any

import click

from consent_track.activities.simulating import K, Simulated, simulate

from . import Home, pass_home
from .policy_folders import read_folder

FEW = f"fewer than {K} people"


@click.command("simulate")
@click.option("--days", type=click.IntRange(1, 3_660), default=30, show_default=True, help="How far to look back.")
@click.option(
    "--policies",
    "folder",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The other policies folder.",
)
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@pass_home
def simulation(home: Home, days: int, folder: Path, controller: int) -> None:
    """Say how many mails of the last days would be measured under other policies, and why.

    Reads the mailing register and where people's choices stand now. No person is named, and no number about fewer than
    ten people is shown.
    """
    other = read_folder(folder)
    with home.runtime().reading() as p:
        found = simulate(p, controller, other, days)
    home.emit(_plain(found), _words(found, days))


def _plain(found: Simulated) -> dict[str, Any]:
    cells = [
        {
            "jurisdiction": one.jurisdiction,
            "mail_type": one.mail_type,
            "purpose": one.purpose.value,
            "before": one.before,
            "today": one.today,
            "under": one.under,
            "moved": one.moved,
            "reasons": {reason.value: number for reason, number in one.reasons.items()},
            "rounded": one.rounded,
        }
        for one in found.lines
    ]
    return {"mails": found.mails, "cells": cells, "cells_hidden": found.hidden, "hidden_below": K}


def _words(found: Simulated, days: int) -> str:
    lines = [f"{_number(found.mails)} mails were prepared in the last {days} days."]
    for one in found.lines:
        lines.append(
            f"{one.jurisdiction} {one.mail_type} {one.purpose}: measured {_number(one.before)}, "
            f"with the choices of today {_number(one.today)} -> {_number(one.under)}"
            f"{' (rounded to tens)' if one.rounded else ''}"
        )
        lines += [f"    {reason}: {_number(number)}. {reason.words}" for reason, number in one.reasons.items()]
    if found.hidden:
        lines.append(f"{found.hidden} more are about {FEW} each, and not shown.")
    return "\n".join(lines)


def _number(value: int | None) -> str:
    return FEW if value is None else str(value)
