"""The world of the tests: an installation of Acme with Alice, who consented, Bob, who withdrew, and Charlie.

Charlie never said anything; nobody has ever asked him. Time is a parameter: every installation lives at `NOW`.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from consent_track.activities import consenting, knowing, mailing, tracking
from consent_track.activities.entering import How
from consent_track.bootstrap import Runtime, bootstrap
from consent_track.config import load_config
from consent_track.crypto import keyring
from consent_track.crypto.evidence import LedgerEntry
from consent_track.domain.frame import Framed
from consent_track.domain.observation import Observation, Verdict
from consent_track.domain.vocabulary import Grade, HitKind, MailType, Purpose
from consent_track.mail.headers import Declared
from consent_track.records import hits, ledger
from consent_track.records.database import open_database
from consent_track.records.schema import upgrade

NOW = 1_795_000_000  # 2026-11-18
HOUR = 3_600
DAY = 24 * HOUR
ALICE, BOB, CHARLIE = "alice@example.org", "bob@example.org", "charlie@example.org"
OPERATOR = How("command_line", Grade.OPERATOR, "operator", jurisdiction="FR")
MEASURED = (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)

SETTINGS = """
public_url = "{url}"
next_hop_measures = "no"
node = "test"
day_keys_dir = "day_keys"
spool_min_free_mib = 0
{extra}
[[controller]]
number = 1
name = "Acme"
contact = "privacy@acme.example"
privacy_policy = "https://acme.example/privacy"
{controller}
"""


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is told otherwise."""

    at: float = NOW

    def __call__(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds


def installation(
    home: Path,
    *,
    clock: Callable[[], float] | None = None,
    url: str = "https://mail.acme.example",
    extra: str = "",
    controller: str = "",
    databases: tuple[str, str, str] | None = None,
) -> Runtime:
    """A fresh installation in `home`; `databases` names other stores than the SQLite files."""
    home.mkdir(mode=0o700, exist_ok=True, parents=True)
    if databases:
        names = ("database_url", "keyring_url", "exempt_url")
        extra += "".join(f'\n{name} = "{url}"' for name, url in zip(names, databases, strict=True)) + "\n"
    (home / "consent_track.toml").write_text(SETTINGS.format(url=url, extra=extra, controller=controller))
    keyring.create(home / "keys", NOW)
    config = load_config({}, home)
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    upgrade(database)
    database.close()
    return bootstrap(config, clock=clock or Clock())


def consents(runtime: Runtime, address: str, purposes: Iterable[Purpose] = MEASURED, *, ago: int = DAY) -> int:
    """`address` consented a day ago; the reference of the person."""
    with runtime.processing() as p:
        then = replace(p, now=p.now - ago)
        subject = knowing.obtain(then, 1, address, "en")
        consenting.grant(then, 1, subject, purposes, OPERATOR)
    return subject


def withdraws(runtime: Runtime, address: str) -> None:
    with runtime.processing() as p:
        subject = knowing.find(p, 1, address)
        assert subject is not None
        consenting.turn_off(p, 1, subject, OPERATOR)


def populated(home: Path, **settings: object) -> Runtime:
    """Alice consented, Bob consented and withdrew, Charlie never said."""
    runtime = installation(home, **settings)  # type: ignore[arg-type]
    consents(runtime, ALICE)
    consents(runtime, BOB)
    withdraws(runtime, BOB)
    return runtime


def consenting_installation(home: Path, addresses: Iterable[str]) -> Runtime:
    """An installation where everybody consented, for the benchmarks."""
    runtime = installation(home)
    for address in addresses:
        consents(runtime, address)
    return runtime


NEWSLETTER = Declared(MailType.REQUESTED_NEWSLETTER, "FR", "en", "november")


def prepare(runtime: Runtime, raw: bytes, recipient: str, said: Declared = NEWSLETTER) -> mailing.Prepared:
    """One mail as it leaves, with its row in the register."""
    with runtime.processing() as p:
        prepared = mailing.prepare(p, runtime.mail_settings(), raw, recipient, said)
        mailing.register(p, [prepared.row])
    return prepared


def mail_to(address: str, *, html: str = "", text: str = "Hello\n", fields: str = "") -> bytes:
    """A small multipart/alternative mail, written by hand: what is tested is not made by a library."""
    page = html or '<html><body><p>Hello</p><a href="https://shop.example/a?b=1&amp;c=2">The shop</a></body></html>'
    return (
        f"From: Acme <hello@acme.example>\r\nTo: <{address}>\r\nSubject: November\r\n{fields}MIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="b1"\r\n\r\n'
        "--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + text.replace("\n", "\r\n")
        + "\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + page.replace("\n", "\r\n")
        + "\r\n--b1--\r\n"
    ).encode()


class Spool:
    """Frames of one segment, as a reader of the spool would hand them over."""

    def __init__(self, runtime):
        self.runtime, self.segment, self.at = runtime, secrets.token_hex(16), 40
        self.frames = []

    def hit(self, address, *, ago=60, kind=HitKind.OPEN, purposes=3 << 4, issued_ago=3_600):
        with self.runtime.reading() as p:
            subject = knowing.find(p, 1, address)
        now = self.runtime.now()
        newsletter = MailType.REQUESTED_NEWSLETTER.number
        person = Verdict(1, 1, 1)
        self.add(
            Observation(
                kind,
                1,
                subject,
                7,
                now - ago,
                now - issued_ago,
                purposes,
                newsletter,
                "FR",
                0,
                0,
                0,
                person,
                b"12345678",
            )
        )
        return self

    def add(self, record):
        self.frames.append(Framed(record, self.at, self.at + 90))
        self.at += 90

    def drain(self):
        with self.runtime.processing() as p:
            return tracking.store(p, self.segment, "test", self.frames)


def hits_of(runtime, address, count, *, kind=HitKind.OPEN):
    """So many hits of a person, stored as the drain stores them."""
    spool = Spool(runtime)
    for number in range(count):
        spool.hit(address, ago=60 + number, kind=kind)
    return spool.drain()


def stored(runtime):
    with runtime.reading() as p:
        return hits.count(p.session)


def chain(runtime):
    """The ledger as an auditor reads it: entry, hash and signature, from the beginning."""
    with runtime.reading() as p:
        found = ledger.entries(p.session, 1, 0, 1_000)
    return [
        (
            LedgerEntry(e.controller, e.sequence, e.subject, e.recorded_at, e.sealed, e.proof, e.proof_tag),
            e.hash,
            e.signature,
        )
        for e in found
    ]
