"""`preview`: every footer, mail and page in the operator's browser, or as files, before anybody else reads them."""

import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from consent_track.config import FILE, Config
from consent_track.domain.errors import ConfigurationRefused, InputRefused

from . import Home, pass_home


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write files into this empty folder.")
@click.option("--locale", "locales", multiple=True, help="Only this locale; may be said several times.")
@click.option("--controller", "number", type=int, help="Number of the controller; default: the first.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Local port; default: any free one.")
@pass_home
def preview(home: Home, out: Path | None, locales: Sequence[str], number: int | None, port: int) -> None:
    """Show every footer, mail and page with invented people. Without an installation, of an invented company."""
    from consent_track.preview.serving import Live, served

    config = _config(home)
    if config is not None and number not in (None, *(one.number for one in config.controllers)):
        raise InputRefused.one("--controller", f"{number} is not configured")
    if out is not None:
        _write(home, out, _made(config, locales, number))
        return
    live = Live(lambda: _made(config, locales, number), lambda: _state(config))
    stopped = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):  # before the address is told: who reads it may stop it at once
        signal.signal(one, lambda *_: stopped.set())
    with served(live, port) as site:
        home.emit(
            {"url": f"{site}/"},
            f"The preview is at {site}/\nChange a word, load the page again, and it is there. Ctrl-C stops it.",
        )
        stopped.wait()


def _config(home: Home) -> Config | None:
    """The installation's settings; None where there is no installation."""
    try:
        return home.config()
    except ConfigurationRefused:
        if (home.folder() / FILE).exists():
            raise
        return None


def _made(config: Config | None, locales: Sequence[str], number: int | None) -> Mapping[str, bytes]:
    from consent_track.preview.sheets import sheets
    from consent_track.preview.stage import staged

    with staged(config, number, time.time) as stage:
        there = stage.runtime.wordings.locales
        for locale in locales:
            if locale not in there:
                raise InputRefused.one("--locale", f"{locale!r} has no complete texts; there are: {', '.join(there)}")
        return sheets(stage, locales or there)


def _state(config: Config | None) -> object:
    """What tells that a word has changed: the files of the texts, with the instant of their last change."""
    folders = [config.translations_dir, config.wordings_dir] if config else []
    paths = [path for folder in folders if folder for path in sorted(folder.rglob("*"))]
    return [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths if path.exists()]


def _write(home: Home, out: Path, files: Mapping[str, bytes]) -> None:
    if out.exists() and any(out.iterdir()):
        raise InputRefused.one("--out", f"{out} is not empty; nothing is overwritten")
    try:
        for name, content in files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
    except OSError as error:
        raise InputRefused.one("--out", f"{out} cannot be written to ({error.strerror})") from None
    home.emit({"folder": str(out), "files": len(files)}, f"{len(files)} files are in {out}; open {out / 'index.html'}.")
