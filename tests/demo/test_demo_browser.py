"""The demo's page in a real browser: readable for everybody, at home on a phone, and live."""

import pytest

from consent_track.demo.show import staged
from tests.browsing import NARROW, WIDE, browser, reading

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stage():
    with staged() as stage:
        yield stage


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_page_is_accessible_and_stays_at_home(stage, chromium, width, dark):
    from axe_playwright_python.sync_playwright import Axe

    with reading(chromium, stage.site, width=width, dark=dark) as visit:
        visit.page.goto(stage.site + "/", wait_until="load")
        found = Axe().run(visit.page, options={"iframes": False})
        assert found.violations_count == 0, found.generate_report()
        assert not visit.scrolls_sideways()
        assert visit.elsewhere == []
        assert visit.context.cookies() == []


def test_what_is_opened_shows_in_the_list_and_a_withdrawal_changes_it(stage, chromium):
    with reading(chromium, stage.site) as visit:
        page = visit.page
        page.goto(stage.site + "/", wait_until="load")
        for who in ("alice", "bob", "charlie"):
            page.click(f'[data-mail="/demo/mail/{who}-newsletter"]')
        page.wait_for_selector("#events li.kept >> text=Alice opened a mail")
        page.wait_for_selector("#events li.declined >> text=Bob opened a mail")
        assert page.locator("#kept").inner_text() == "1"
        assert page.locator("#events >> text=Charlie").count() == 0

        mail = page.frame_locator("#frame-alice-newsletter")
        choices = mail.locator('a[href*="/p/"]').get_attribute("href")
        link = mail.locator('a[href*="/c/"]').first.get_attribute("href")
        with reading(chromium, stage.site) as portal:
            portal.page.goto(choices)
            portal.page.locator("button.main").click()
            portal.page.wait_for_selector("h1:focus")
        with reading(chromium, "http://") as reader:
            assert reader.page.goto(link).ok, "her links still work"
        page.wait_for_selector("#events li.declined >> text=Alice clicked link")
        assert page.locator("#kept").inner_text() == "1"
