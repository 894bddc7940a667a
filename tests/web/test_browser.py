"""The recipient's pages in a real browser: every language, light and dark, on a phone, without mouse or script."""

import re
import socket
from email import message_from_bytes
from email.policy import default

import pytest

from consent_track.activities import asking, confirming, consenting, knowing
from consent_track.activities.confirming import Kind, Wish
from consent_track.domain.rights import Channel, Right
from consent_track.mail.headers import Declared
from consent_track.web import create_app
from tests import world
from tests.browsing import NARROW, WIDE, browser, reading, served
from tests.web.loop import link_in, mails, sign

pytestmark = pytest.mark.browser

EXPECTED = re.compile("status of 40[04]|Clear-Site-Data")
LOCALES = ("en", "fr", "de", "it", "es", "nl", "pl", "pt", "ar")
PAGES = (
    "choices", "done", "off", "unsubscribe", "ended", "privacy", "dead link", "consent", "consent with a problem",
    "sent", "noted", "verify", "verified", "used", "let in", "held", "receipt", "closed", "asked",
    "request", "request with a problem", "request to confirm", "answer", "cooling off",
)  # fmt: skip


class Acme:
    """Acme's service on a local port, and a reader of every language with a mail of each."""

    def __init__(self, home):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        controller = (
            'unsubscribe = "consent_track"\ntime_zone = "Europe/Paris"\npostal_address = "1 Long Street, Lewes"'
        )
        self.clock = world.Clock()
        server = 'smtp_url = "smtp://localhost:2525"'
        self.runtime = world.installation(home, url=self.url, controller=controller, extra=server, clock=self.clock)
        self.app = create_app(self.runtime)
        sign(self.runtime)

    def link(self, locale, power, number):
        """A link of a mail to somebody who reads this language and said yes."""
        address = f"reader{number}.{locale}@example.org"
        with self.runtime.processing() as p:
            subject = knowing.obtain(p, 1, address, locale)
            consenting.grant(p, 1, subject, world.MEASURED, world.OPERATOR)
        said = Declared(world.NEWSLETTER.mail_type, "FR", locale)
        data = world.prepare(self.runtime, world.mail_to(address), address, said).result.data
        text = message_from_bytes(data, policy=default).get_body(("plain",)).get_content()
        return next(word for word in text.split() if word.startswith(f"{self.url}/{power}/"))

    def mailed(self, kind, locale, number):
        """The link of the mail that somebody gets who asked for this."""
        address = f"{kind}{number}.{locale}@example.org"
        with self.runtime.processing() as p:
            if kind is Kind.SESSION:
                consenting.grant(p, 1, knowing.obtain(p, 1, address, locale), world.MEASURED, world.OPERATOR)
            purposes = world.MEASURED if kind is Kind.CONSENT else ()
            confirming.begin(p, 1, address, Wish(kind, locale, purposes, mail=bool(purposes), jurisdiction="FR"))
        mine = dict(mails(self))[address.lower()]
        return self.url + link_in(mine, url=self.url)

    def requested(self, right, locale, number):
        """The link of the mail to somebody with a few hits who uses a right."""
        address = f"{right}{number}.{locale}@example.org"
        with self.runtime.processing() as p:
            consenting.grant(p, 1, knowing.obtain(p, 1, address, locale), world.MEASURED, world.OPERATOR)
        world.hits_of(self.runtime, address, 3)
        wish = Wish(Kind.REQUEST, locale, jurisdiction="FR", method=Channel.PORTAL, asked=right)
        with self.runtime.processing() as p:
            confirming.begin(p, 1, address, wish)
        return self.url + link_in(dict(mails(self))[address], url=self.url)

    def asked(self, locale, number):
        """The choice link of the mail that asks somebody."""
        address, law = f"asked{number}.{locale}@example.org", "FR"
        plan = asking.Plan(1, f"wave {number} {locale}", world.MEASURED, law, send=True, public_url=self.url)
        who = [asking.Addressee(address, locale)]
        asking.start(self.runtime.processing, self.runtime.reading, plan, who, self.runtime.letters(), pause=0)
        return link_in(dict(mails(self))[address], url=self.url)

    def press(self, page, button):
        self.clock.move(30)  # who reads takes a while
        with page.expect_navigation(wait_until="load"):
            page.locator(button).click()

    def show(self, page, locale, name, number):
        """Bring a browser's page to one of `PAGES`."""
        if name in ("consent", "consent with a problem", "sent", "noted"):
            page.goto(f"{self.url}/consent?variant=mail&jurisdiction=FR")
            page.locator("[name=email]").fill("" if name == "consent with a problem" else f"new{number}@example.org")
            if name != "consent":
                self.press(page, f"button[value={'none' if name == 'noted' else 'all'}]")
        elif name in ("verify", "verified", "used"):
            link = self.mailed(Kind.CONSENT, locale, number)
            page.goto(link)
            if name != "verify":
                self.press(page, "button[value=yes]")
            if name == "used":
                page.goto(link)
        elif name in ("let in", "held", "receipt", "closed"):
            page.goto(self.mailed(Kind.SESSION, locale, number))
            if name != "let in":
                self.press(page, "button.main")
            if name == "receipt":  # a file that is saved: shown as whoever opens it sees it
                link = page.locator("a.row").first.get_attribute("href")
                paper = page.request.get(self.url + link).text()
                page.goto("about:blank")
                page.set_content(paper)
            if name == "closed":
                self.press(page, "button.quiet")
        elif name in ("request", "request with a problem"):
            page.goto(f"{self.url}/privacy/request")
            if name != "request":
                page.locator("[name=right][value=complaint]").check()
                page.locator("[name=email]").fill(f"new{number}@example.org")
                self.press(page, "button.main")
        elif name in ("request to confirm", "answer", "cooling off"):
            right = Right.ERASURE if name == "cooling off" else Right.ACCESS
            page.goto(self.requested(right, locale, number))
            if name != "request to confirm":
                self.press(page, "button[value=yes]")
        elif name == "asked":
            page.goto(f"{self.url}{self.asked(locale, number)}#yes")
        elif name == "privacy":
            page.goto(f"{self.url}/privacy")
        elif name == "dead link":
            assert page.goto(f"{self.url}/p/nothing").status == 404
        elif name in ("choices", "done", "off"):
            link = self.link(locale, "p", number)
            assert page.goto(link).status == 200
            if name != "choices":
                with page.expect_navigation(wait_until="load"):
                    page.locator("button.main").press("Enter")
            if name == "off":
                page.goto(link)
        else:
            page.goto(self.link(locale, "u", number))
            if name == "ended":
                with page.expect_navigation(wait_until="load"):
                    page.locator("button.main").click()


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    acme = Acme(tmp_path_factory.mktemp("acme") / "home")
    with served(acme.app, acme.port):
        yield acme
    acme.runtime.database.close()


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def axe():
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_accessible_and_stays_at_home(acme, chromium, axe, locale, dark):
    with reading(chromium, acme.url, width=NARROW, dark=dark, locale=locale) as visit:
        for number, name in enumerate(PAGES):
            acme.show(visit.page, locale, name, number + 10 * dark)
            found = axe.run(visit.page)
            where = f"{name} in {locale}"
            assert found.violations_count == 0, f"{where}\n{found.generate_report()}"
            assert not visit.scrolls_sideways(), where
            assert visit.small_targets() == [], where
            assert visit.mirrored() == (locale == "ar"), where
            assert visit.page.locator("html").get_attribute("lang") == locale, where
        assert visit.elsewhere == []
        assert [line for line in visit.complaints if not EXPECTED.search(line)] == []
        cookies = visit.context.cookies()  # only of who was let in, and only for that page
        assert all(cookie["httpOnly"] and cookie["path"].startswith("/v/") for cookie in cookies)
        assert len(cookies) == 3  # "held", "receipt" and "answer"


@pytest.mark.parametrize("name", PAGES)
def test_text_of_twice_the_size_needs_no_scrolling_sideways(acme, chromium, name):
    """WCAG 1.4.4 at 200 %, on a screen of 640: what is as wide as 320."""
    with reading(chromium, acme.url, width=2 * NARROW, locale="de") as visit:
        visit.page.add_init_script("document.addEventListener('DOMContentLoaded', () => "
                                   "{ document.documentElement.style.fontSize = '200%' })")  # fmt: skip
        acme.show(visit.page, "de", name, 40 + PAGES.index(name))
        visit.page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert not visit.scrolls_sideways()


def test_without_a_script_and_with_the_keyboard_alone_measuring_ends(acme, chromium):
    link = acme.link("en", "p", 90)
    with reading(chromium, acme.url, width=WIDE, locale="en", java_script_enabled=False) as visit:
        visit.page.goto(link)
        assert visit.page.locator(".state").inner_text() == "Measuring is ON."
        visit.page.keyboard.press("Tab")
        assert visit.page.locator("button.main:focus").count() == 1
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("h1:focus")  # a screen reader begins at what happened
        assert visit.page.locator(".state").inner_text().startswith("Measuring is off since")
        assert visit.context.cookies() == []
        visit.page.goto(link)
        assert visit.page.locator(".state").inner_text() == "Measuring is OFF."


def test_what_has_the_focus_can_be_seen(acme, chromium):
    with reading(chromium, acme.url, locale="en") as visit:
        visit.page.goto(acme.link("en", "p", 91))
        visit.page.keyboard.press("Tab")
        outline = visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


def test_a_browser_that_says_no_is_heard(acme, chromium):
    with reading(chromium, acme.url, locale="en", extra_http_headers={"Sec-GPC": "1"}) as visit:
        visit.page.goto(acme.link("en", "p", 92))
        assert visit.page.locator("[role=status]").count() == 1
