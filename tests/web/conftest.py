"""Acme's pages, on the real application."""

import re

import pytest

from consent_track.web import create_app
from tests import world
from tests.web.loop import sign

LINK = re.compile(rb"https://mail\.acme\.example/([pu])/([A-Za-z0-9_-]+)")


class Site:
    """The application as a browser sees it, and the links of the mails it sent."""

    def __init__(self, home, clock, **settings):
        settings = {"controller": 'unsubscribe = "consent_track"\ntime_zone = "Europe/Paris"', **settings}
        self.runtime = world.populated(home, clock=clock, **settings)
        self.app = create_app(self.runtime)
        self.browser = self.app.test_client(use_cookies=True)

    def link(self, who, power="p"):
        data = world.prepare(self.runtime, world.mail_to(who), who).result.data
        mine = (found for found in LINK.finditer(data) if found[1].decode() == power)
        return next(f"/{power}/{found[2].decode()}" for found in mine)

    def ask(self, path, method="GET", host="mail.acme.example", **kwargs):
        return self.browser.open(path, method=method, base_url=f"https://{host}", **kwargs)

    def state(self, who):
        from consent_track.activities import consenting, knowing

        with self.runtime.reading() as p:
            return consenting.standing(p, 1, knowing.find(p, 1, who))


@pytest.fixture
def clock():
    return world.Clock()


@pytest.fixture
def site(tmp_path, clock):
    site = Site(tmp_path / "home", clock)
    yield site
    site.runtime.database.close()


@pytest.fixture
def another(tmp_path, clock):
    """A site with other settings."""
    opened = []

    def make(**settings):
        opened.append(Site(tmp_path / f"another-{len(opened)}", clock, **settings))
        return opened[-1]

    yield make
    for site in opened:
        site.runtime.database.close()


@pytest.fixture
def acme(another):
    site = another(extra='smtp_url = "smtp://localhost:2525"')
    sign(site.runtime)
    return site
