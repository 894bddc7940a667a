"""Setting the demo up and taking it down: a temporary home, a server on a local port, and nothing left behind."""

import logging
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from werkzeug.serving import WSGIRequestHandler, make_server

from consent_track.bootstrap import Runtime, bootstrap
from consent_track.collector.app import Collector
from consent_track.config import load_config
from consent_track.crypto import keyring
from consent_track.records import sign_offs
from consent_track.records.database import open_database
from consent_track.records.schema import upgrade
from consent_track.web import create_app

from .page import blueprint
from .stage import Stage, Watch

SIGNED_BY: Final = "the demo, for itself"

_SETTINGS: Final = """\
public_url = "{site}"
next_hop_measures = "no"
node = "demo"
trusted_hosts = ["localhost"]
day_keys_dir = "day_keys"
spool_min_free_mib = 0

[[controller]]
number = 1
name = "The Reading Room"
contact = "privacy@reading-room.example"
privacy_policy = "{site}/demo/shop/privacy"
postal_address = "4 Orchard Row, Lewes BN7 1AA"
unsubscribe = "consent_track"
"""


class _Silent(WSGIRequestHandler):
    """A server's request log would hold tokens and addresses (AH-04)."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 the signature is the parent's
        return


@contextmanager
def staged(port: int = 0, databases: tuple[str, str, str] | None = None) -> Iterator[Stage]:
    """The demo, running; everything is gone when the block is left, also after an error.

    `databases` are the addresses of three empty stores to play it on, in the place of SQLite files in its home.
    """
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    home = Path(tempfile.mkdtemp(prefix="consent_track-demo-"))
    try:
        with _served(home, port, databases) as stage:
            yield stage
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _served(home: Path, port: int, databases: tuple[str, str, str] | None) -> Iterator[Stage]:
    number = port or _free_port()
    site = f"http://127.0.0.1:{number}"
    stores = 'database_url = "{}"\nkeyring_url = "{}"\nexempt_url = "{}"\n'.format(*databases) if databases else ""
    (home / "consent_track.toml").write_text(stores + _SETTINGS.format(site=site))
    keyring.create(home / "keys", int(time.time()))
    config = load_config({}, home)
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    upgrade(database)
    database.close()
    runtime = bootstrap(config)
    _sign_off(runtime)

    watch = Watch(runtime.clock)
    # The shop has another host name than the service: a link to our own host is never measured.
    stage = Stage(runtime, site, f"http://localhost:{number}", watch)
    stage.set()
    runtime.view.poll_once()
    app = create_app(runtime)
    app.register_blueprint(blueprint(stage))
    collector = Collector(app.wsgi_app, runtime.collector(watch))
    server = make_server("127.0.0.1", number, collector, threaded=True, request_handler=_Silent)
    threads = [threading.Thread(target=target, daemon=True) for target in (server.serve_forever, stage.work)]
    for thread in threads:
        thread.start()
    try:
        yield stage
    finally:
        stage.leave()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join(5)
        collector.close()
        runtime.database.close()


def _sign_off(runtime: Runtime) -> None:
    """The demo grants in English and so signs the English texts off, for itself only (decision 27)."""
    texts = runtime.wordings.texts("en")
    assert texts is not None
    with runtime.processing() as p:
        day = datetime.fromtimestamp(p.now, UTC).date()
        sign_offs.record(p.session, sign_offs.SignOff("en", texts.hash, SIGNED_BY, day, "demo"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
