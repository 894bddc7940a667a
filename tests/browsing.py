"""A real browser and a real server for tests: headless Chromium from Debian, and the application on a local port.

Outside CI a test that needs the browser is skipped where there is none, and says so; in CI it fails.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

NARROW: Final = 320  # CSS pixels: WCAG 2.2, 1.4.10
WIDE: Final = 1200
THUMB: Final = 44  # CSS pixels: WCAG 2.5.5
SWITCHES: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        return


@contextmanager
def served(app: Callable[..., Any], port: int) -> Iterator[str]:
    """The application on a local port, until the block is left."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def chromium() -> str:
    """Where the browser is; else the test is skipped, or fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Chromium here: on Debian, apt install chromium")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        try:
            yield started
        finally:
            started.close()


@dataclass
class Visit:
    """One reader with a browser, and everything that went wrong or went elsewhere meanwhile."""

    context: BrowserContext
    page: Page
    site: str
    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def scrolls_sideways(self) -> bool:
        root = "document.documentElement"
        return bool(self.page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"))

    def small_targets(self) -> list[str]:
        """What can be pressed and is lower than a thumb, except for links in the middle of a sentence.

        A box to tick is pressed by its label, too.
        """
        return list(
            self.page.evaluate(
                """least => [...document.querySelectorAll('button, a[href], input, select')]
                  .filter(e => e.getClientRects().length && !(e.tagName == 'A' && e.closest('p, li, td')
                    && e.closest('p, li, td').textContent.trim() != e.textContent.trim()))
                  .filter(e => e.type != 'hidden')
                  .map(e => ['checkbox', 'radio'].includes(e.type) ? document.querySelector(`label[for=${e.id}]`) : e)
                  .filter(e => e.getBoundingClientRect().height < least - 0.5)
                  .map(e => e.outerHTML.slice(0, 80))""",
                THUMB,
            )
        )

    def mirrored(self) -> bool:
        """Whether the page as it is computed runs from right to left."""
        return bool(self.page.evaluate("getComputedStyle(document.body).direction == 'rtl'"))


@contextmanager
def reading(browser: Browser, site: str, *, width: int = WIDE, dark: bool = False, **options: Any) -> Iterator[Visit]:
    """A fresh reader. Nothing but `site` can be reached, and every attempt is written down."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light", **options
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    visit = Visit(context, page, site)

    def keep_home(route: Any) -> None:
        if route.request.url.startswith((site, "data:", "about:")):
            route.continue_()
        else:
            visit.elsewhere.append(route.request.url)
            route.abort()

    context.route("**/*", keep_home)
    page.on("console", lambda message: visit.complaints.append(message.text))
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    try:
        yield visit
    finally:
        context.close()
