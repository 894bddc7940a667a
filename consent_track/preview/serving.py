"""The preview on this machine only: made again when a word has changed and the overview is loaded again."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from consent_track.domain.errors import Refused

from .sheets import FIRST, STYLE_HASH, problem_page

HOST: Final = "127.0.0.1"
_OVERVIEW_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
_FRAME_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'; form-action 'none'"
)

Files = Mapping[str, bytes]


class Live:
    """The files as they are now. `make` makes them, `state` tells whether what they are made of has changed."""

    def __init__(self, make: Callable[[], Files], state: Callable[[], object]) -> None:
        self._make, self._state, self._lock = make, state, threading.Lock()
        self._files: Files = {}
        self._made_of: object = None

    def refresh(self) -> None:
        """Make the files again if they are not those of now; what is refused is shown in their place."""
        with self._lock:
            now = self._state()
            if now != self._made_of:
                try:
                    self._files = self._make()
                except Refused as refused:
                    self._files = {FIRST: problem_page(refused.problems)}
                self._made_of = now

    def get(self, name: str) -> bytes | None:
        return self._files.get(name)


@contextmanager
def served(live: Live, port: int) -> Iterator[str]:
    """The address of the preview, until the block is left. Port 0 takes any free one."""
    server = ThreadingHTTPServer((HOST, port), _handler(live))
    site = f"http://{HOST}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(live: Live) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """GET and HEAD of the files there are; every other method is answered 501 by the library."""

        server_version, sys_version = "consent_track-preview", ""

        def do_GET(self) -> None:
            # Only this machine's own names: a web page of somebody else must not read drafts by a name of its own.
            if self.headers.get("Host", "").rpartition(":")[0] not in (HOST, "localhost"):
                self._answer(400, b"", "")
                return
            name = self.path.partition("?")[0].removeprefix("/") or FIRST
            overview = "/" not in name
            if overview:
                live.refresh()
            found = live.get(name)
            if found is None:
                self._answer(404, b"", "")
                return
            self._answer(200, found, _OVERVIEW_POLICY if overview else _FRAME_POLICY)

        do_HEAD = do_GET

        def _answer(self, status: int, body: bytes, policy: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy or "default-src 'none'")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the signature is the parent's
            return

    return Handler
