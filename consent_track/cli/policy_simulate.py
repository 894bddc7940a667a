"""`policy simulate`: what the mails of the last days would have been under another policy folder."""

import click


@click.command()
def simulate() -> None:
    """Say what the mails of the last days would have been under other policies."""
