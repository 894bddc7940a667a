"""`demo`: three people, real mails, the real service on a local port; with --once, the story without a person."""

import json
import signal
import threading

import click

from . import Home, pass_home


@click.command()
@click.option("--once", is_flag=True, help="Play the story without a person and stop; exit code 0 only if it held.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Local port; default: any free one.")
@pass_home
def demo(home: Home, once: bool, port: int) -> None:
    """Show everything in two minutes. Needs no configuration, leaves nothing behind."""
    from consent_track.demo.show import staged
    from consent_track.demo.story import tell

    with staged(port) as stage:
        if once:
            told = tell(stage)
            value = told.as_json()
            home.emit(value, json.dumps(value, indent=2))
            if not told.held:
                raise click.exceptions.Exit(1)
            return
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):  # before the address is told: who reads it may stop it at once
            signal.signal(number, lambda *_: stopped.set())
        home.emit(
            {"url": stage.site, "mails": len(stage.letters)},
            f"The demo is at   {stage.site}/\n"
            f"Alice, Bob and Charlie have their mails; what you open and click there is real.\n"
            f"Ctrl-C stops it and leaves nothing behind.",
        )
        stopped.wait()
