"""What the tests of the exempt modes share: an operator who recorded the notices, people on the list, and looks inside.

Charlie is on the list and never said, Bob withdrew, Alice consented.
"""

import re
from dataclasses import replace
from datetime import date

from consent_track.activities import consenting, exempting, knowing
from consent_track.bundled import bundled
from consent_track.domain.exempt import Opened
from consent_track.domain.vocabulary import MailType, Purpose
from consent_track.mail.headers import Declared
from consent_track.records.database import read
from consent_track.records.tables import Store
from tests import world
from tests.world import DAY, OPERATOR

HYGIENE, COUNT = Purpose.DELIVERABILITY_HYGIENE, Purpose.AGGREGATE_COUNT
FRENCH = world.NEWSLETTER
ITALIAN = Declared(MailType.REQUESTED_NEWSLETTER, "IT", "en", "novembre", audience=1_000)
PIXEL = re.compile(rb'<img src="https://mail\.acme\.example/o/([A-Za-z0-9_-]+)"')
TODAY = date(2026, 11, 18)
NEWS = MailType.REQUESTED_NEWSLETTER


def tell(home, *modes):
    """The operator's own house policy, with the notices that turn these modes on."""
    (home / "policies").mkdir(parents=True, mode=0o700)
    shipped = (bundled("policies") / "house.toml").read_text()
    lines = "".join(f'{mode} = "https://acme.example/privacy, version of 2026-11-01"\n' for mode in modes)
    (home / "policies" / "house.toml").write_text(shipped.replace("[notices]\n", f"[notices]\n{lines}"))


def on_the_list(runtime, *addresses, ago=400 * DAY):
    """They asked for the newsletter long ago; nobody asked them about measuring."""
    for address in addresses:
        with runtime.processing() as p:
            then = replace(p, now=p.now - ago)
            subject = knowing.obtain(then, 1, address, "en")
            consenting.welcome(then, 1, subject, OPERATOR)


def pixels(data):
    return [token.decode() for token in PIXEL.findall(data.replace(b"=\r\n", b""))]


def who(runtime, address):
    with runtime.reading() as p:
        return knowing.find(p, 1, address)


def held(runtime, address):
    with runtime.reading() as p:
        subject = knowing.find(p, 1, address)
        return exempting.last_open(p, 1, subject) if subject else None


def opens(runtime, address, day=TODAY):
    """What the collector hands over after an open."""
    runtime.keep_exempt({(1, who(runtime, address)): Opened(day, NEWS, "FR")}, {})


def rows_of_exempt(runtime):
    with read(runtime.database.exempt_engine) as session:
        return {
            table.name: session.connection().execute(table.select()).all()
            for table in Store.EXEMPT.metadata.tables.values()
        }


def everything(runtime):
    with read(runtime.database.engine) as session:
        return {
            table.name: session.connection().execute(table.select()).all()
            for table in Store.MAIN.metadata.tables.values()
        }
