"""`db`: the schema of all databases, brought up to date or only looked at."""

import click

from consent_track.records.database import check as late
from consent_track.records.database import open_database
from consent_track.records.database import upgrade as migrate

from . import Home, pass_home


@click.group()
def db() -> None:
    """Bring the databases up to date, or check that they are."""


@db.command()
@pass_home
def upgrade(home: Home) -> None:
    """Bring all databases to this release's schema. Run it before the new release serves."""
    config = home.config()
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    try:
        done = late(database)
        migrate(database)
    finally:
        database.close()
    home.emit({"upgraded": done}, "\n".join(f"done: {step}" for step in done) or "Nothing to do: all are current.")


@db.command()
@pass_home
def check(home: Home) -> None:
    """Say whether all databases have this release's schema. Exit code 1 if not."""
    config = home.config()
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    try:
        found = late(database)
    finally:
        database.close()
    home.emit({"current": not found, "problems": found}, "\n".join(found) or "All databases are current.")
    if found:
        raise click.exceptions.Exit(1)
