"""`doctor`: what is right and what is wrong with an installation, each finding in words, nothing changed."""

import os
import time
from typing import Final

import click

from consent_track.config import load_config
from consent_track.domain.errors import ConfigurationRefused

from . import Home, checks, pass_home
from .checks import Finding, Inspection, Mark

# One row for each question. The first three need no configuration that loads.
CHECKS: Final = (
    checks.software,
    checks.home_folder,
    checks.configuration,
    checks.keys,
    checks.escrow_key,
    checks.stores,
    checks.policies,
    checks.house_regimes,
    checks.exempt_modes,
    checks.locales,
    checks.sign_offs,
    checks.checkpoints,
    checks.spool,
    checks.day_keys,
    checks.clock,
    checks.public_url,
    checks.proxies,
    checks.next_hop,
    checks.mail_server,
)
_ALWAYS: Final = 3


def examine(home: Home, now: float) -> list[Finding]:
    """Ask every question; a check that breaks is a finding itself, by the type of its error only."""
    seen = Inspection(home.folder(), now)
    try:
        seen.config = load_config(home.environ, seen.home)
    except ConfigurationRefused as refused:
        seen.problems = refused.problems
    asked = CHECKS if seen.config is not None else CHECKS[:_ALWAYS]
    found: list[Finding] = []
    for check in asked:
        name = check.__name__.replace("_", " ")
        try:
            found += [Finding(name, mark, what) for mark, what in check(seen)]
        except Exception as error:  # its text may hold a password or a row
            found.append(Finding(name, Mark.FAIL, f"could not be looked at ({type(error).__name__})"))
    found += [
        Finding(check.__name__.replace("_", " "), Mark.FAIL, "not looked at: the configuration does not load")
        for check in CHECKS[len(asked) :]
    ]
    return found


@click.command()
@pass_home
def doctor(home: Home) -> None:
    """Say what is right and wrong with an installation. Exit code 1 if anything fails; nothing is changed."""
    os.umask(0o077)
    found = examine(home, time.time())
    counts = {mark.value: sum(finding.mark is mark for finding in found) for mark in Mark}
    value = {
        "home": str(home.folder()),
        "healthy": not counts["fail"],
        "counts": counts,
        "findings": [{"check": one.check, "mark": one.mark.value, "what": one.what} for one in found],
    }
    lines = [f"{one.mark.value:<4}  {one.check}: {one.what}" for one in found]
    total = f"{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} to repair."
    home.emit(value, "\n".join([f"Home: {home.folder()}", *lines, total]))
    if counts["fail"]:
        raise click.exceptions.Exit(1)
