"""The preview in a real browser: readable for everybody, from files and from the server, and nothing leaves it."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from consent_track.preview.serving import Live, served
from consent_track.preview.sheets import VIEWS, sheets
from consent_track.preview.stage import staged
from tests import world
from tests.browsing import NARROW, WIDE, browser, reading

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def files():
    with staged(None, None, world.Clock()) as stage:
        return sheets(stage, ["en", "ar"])


@pytest.fixture(scope="module")
def site(files):
    with served(Live(lambda: files, lambda: 1), 0) as site:
        yield site


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.file)
def test_every_overview_is_accessible_and_stays_at_home(site, chromium, view, width):
    with reading(chromium, site, width=width) as visit:
        assert visit.page.goto(f"{site}/{view.file}", wait_until="load").status == 200
        found = Axe().run(visit.page, options={"iframes": False})
        assert found.violations_count == 0, found.generate_report()
        assert not visit.scrolls_sideways()
        assert visit.context.cookies() == []
        assert [url for url in visit.elsewhere if "fonts" not in url and "mail.acme.example" not in url] == []


def test_frames_show_what_they_say_and_cannot_act(site, chromium):
    with reading(chromium, site) as visit:
        page = visit.page
        page.goto(f"{site}/dark-narrow.html", wait_until="load")
        page.locator("#choices-on").scroll_into_view_if_needed()
        frame = page.frame_locator('iframe[src="frames/ar/choices-on-dark.html"]')
        frame.locator("button.main").wait_for()
        assert frame.locator("html").get_attribute("dir") == "rtl"
        assert frame.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(20, 24, 26)"
        assert frame.locator("html").evaluate("() => innerWidth") == NARROW
        frame.locator("button.main").click()  # a sandbox without forms: nothing happens
        frame.locator("footer a").click()  # and without windows: nor here
        assert frame.locator("button.main").is_visible()
        assert len(visit.context.pages) == 1
        assert page.url == f"{site}/dark-narrow.html"


def test_the_files_on_a_disk_show_the_same(files, chromium, tmp_path):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with reading(chromium, f"file://{tmp_path}") as visit:
        visit.page.goto(f"file://{tmp_path}/index.html", wait_until="load")
        assert visit.page.locator("h1").evaluate("e => getComputedStyle(e).fontFamily").startswith("Georgia")
        frame = visit.page.frame_locator('iframe[src="frames/en/footer-opens_and_clicks-light.html"]')
        assert frame.locator("p").first.inner_text().startswith("Acme records if you open this email")
        assert [line for line in visit.complaints if "style" in line.lower() and "fonts" not in line] == []
