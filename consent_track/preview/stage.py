"""A temporary installation with the operator's settings and words, invented people and stores of its own.

Nothing of it touches the real stores, nothing is sent, and nothing is left behind.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, Final

from consent_track.activities import confirming, consenting, identifying, knowing, mailing, wording
from consent_track.activities.confirming import Wish
from consent_track.activities.entering import How
from consent_track.bootstrap import Clock, Runtime, bootstrap
from consent_track.config import Config, load_config
from consent_track.crypto import keyring
from consent_track.domain.controller import Controller
from consent_track.domain.decision import DAY
from consent_track.domain.observation import TokenFacts
from consent_track.domain.vocabulary import INDIVIDUAL, Grade, Purpose, TokenClass
from consent_track.i18n import Texts
from consent_track.mail.headers import Declared
from consent_track.records import flows
from consent_track.records.database import open_database
from consent_track.records.schema import upgrade
from consent_track.records.sign_offs import SignOff
from consent_track.web import create_app

SIGNED_BY: Final = "the preview, for itself"
JURISDICTION: Final = "FR"
_LINK: Final = re.compile(r"https?://[^/\s]+(/[vp]/[A-Za-z0-9_-]+)")
_MARK: Final = re.compile(r'name="page" value="([^"]+)"')
_INVENTED: Final = """\
public_url = "https://mail.acme.example"
next_hop_measures = "no"
smtp_url = "smtp://localhost"

[[controller]]
number = 1
name = "Acme"
contact = "privacy@acme.example"
privacy_policy = "https://acme.example/privacy"
postal_address = "1 Long Street, Lewes"
time_zone = "Europe/Paris"
unsubscribe = "consent_track"
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing a recipient can meet: a page or a mail as HTML, and the text part where it has one."""

    html: str
    text: str = ""


@dataclass(slots=True)
class Moving:
    """A clock that can be put forward: nobody has read a page in no time."""

    clock: Clock
    ahead: float = 0.0

    def __call__(self) -> float:
        return self.clock() + self.ahead


@dataclass(slots=True)
class Stage:
    """The installation, a browser that talks to its pages, and as many readers as are asked for."""

    runtime: Runtime
    time: Moving
    controller: Controller
    app: Any  # the application of consent_track.web; its type belongs there
    _readers: int = field(default=0)
    _requests: int = field(default=0)
    _stylesheets: dict[str, str] = field(default_factory=dict)

    def texts(self, locale: str) -> Texts:
        return self.runtime.wordings.complete[locale]

    def reader(self, locale: str, purposes: frozenset[Purpose] = INDIVIDUAL) -> int:
        """A new person who reads this language and agreed to `purposes`; the reference."""
        self._readers += 1
        how = How("preview", Grade.MAILBOX_LOOP, "subject", locale=locale, jurisdiction=JURISDICTION)
        with self.runtime.processing() as p:
            then = replace(p, now=p.now - DAY)
            subject = knowing.obtain(then, self.controller.number, self.address(), locale)
            if purposes:
                consenting.grant(then, self.controller.number, subject, sorted(purposes), how)
        return subject

    def address(self) -> str:
        """The address of the newest reader."""
        return f"alice{self._readers}@example.org"

    def link(self, power: TokenClass, subject: int) -> str:
        """The path of a link that this reader was sent."""
        issued = TokenFacts(power, self.controller.number, subject, 1, self.runtime.now(), jurisdiction=JURISDICTION)
        return f"/{'u' if power is TokenClass.UNSUBSCRIBE else 'p'}/{self.runtime.tokens.issue(issued)}"

    def begun(self, wish: Wish) -> tuple[str, bytes]:
        """Something the newest reader began that a mail has to finish: the path of its link, and the mail."""
        with self.runtime.processing() as p:
            number = confirming.begin(p, self.controller.number, self.address(), wish)
        letters, site = self.runtime.letters(), self.runtime.config.public_url
        confirming.answer(
            self.runtime.processing, letters, site,
            of_request=lambda p, flow, address, wish: identifying.answer(p, flow, address, wish, letters, site),
        )  # fmt: skip
        with self.runtime.reading() as p:
            flow = flows.find(p.session, self.controller.number, number)
            letter = confirming.sent_letter(p, flow) if flow else None
        assert letter is not None  # the stage's readers are known, and its texts complete
        return _LINK.findall(mail(letter).text)[0], letter

    def press(self, path: str, locale: str, answer: str, **request: Any) -> str:
        """What a page behind a mail's link answers once it was read and a button pressed."""
        mark = _MARK.findall(self.ask(path, locale, **request))
        self.time.ahead += confirming.READING
        return self.ask(path, locale, "POST", data={"answer": answer, "page": mark[0] if mark else ""}, **request)

    def ask(self, path: str, locale: str, method: str = "GET", **request: Any) -> str:
        """What the real page answers to a browser of this language."""
        headers = {"Accept-Language": locale, **request.pop("headers", {})}
        client, site = self.app.test_client(), self.runtime.config.public_url
        self._requests += 1  # as many people ask, each from an address of their own: they share no limit
        request.setdefault("environ_base", {"REMOTE_ADDR": f"10.{self._requests // 256}.{self._requests % 256}.1"})
        with client.open(path, method=method, base_url=site, headers=headers, **request) as answer:
            return str(answer.text)

    def sent(self, raw: bytes, said: Declared) -> Shown:
        """A mail as the newest reader gets it."""
        with self.runtime.processing() as p:
            prepared = mailing.prepare(p, self.runtime.mail_settings(), raw, self.address(), said)
        return mail(prepared.result.data)

    def stylesheet(self, path: str) -> str:
        """A stylesheet of ours, by the path that pages name; asked for once."""
        if path not in self._stylesheets:
            self._stylesheets[path] = self.ask(path, "en")
        return self._stylesheets[path]


def mail(raw: bytes) -> Shown:
    """Both texts of a mail, as a mail program would show them."""
    message = message_from_bytes(raw, policy=default)
    html, text = (message.get_body((kind,)) for kind in ("html", "plain"))
    words = str(text.get_content()) if text is not None else ""
    return Shown(str(html.get_content()) if html is not None else "", words)


@contextmanager
def staged(config: Config | None, number: int | None, clock: Clock) -> Iterator[Stage]:
    """The stage, for the controller of this number (None: the first); gone when the block is left.

    Without an installation (`config` None) an invented controller is shown. Raises ConfigurationRefused with every
    problem of the operator's settings and words.
    """
    home = Path(tempfile.mkdtemp(prefix="consent_track-preview-"))
    try:
        if config is None:
            (home / "consent_track.toml").write_text(_INVENTED, encoding="utf-8")
            config = load_config({}, home)
        yield from _played(_apart(config, home), number, clock)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _apart(config: Config, home: Path) -> Config:
    """The same settings with stores, keys and spool of their own."""
    return replace(
        config,
        home=home,
        role="all",
        database_url=f"sqlite:///{home / 'consent_track.db'}",
        keyring_url=f"sqlite:///{home / 'keyring.db'}",
        keys_dir=home / "keys",
        spool_dir=home / "spool",
        day_keys_dir=home / "day_keys",
        node="preview",
        spool_min_free_bytes=0,
        smtp_url=config.smtp_url and "smtp://localhost",  # nothing is sent here; whether there is one opens the forms
    )


def _played(config: Config, number: int | None, clock: Callable[[], float]) -> Iterator[Stage]:
    keyring.create(config.keys_dir, int(clock()))
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    upgrade(database)
    database.close()
    time = Moving(clock)
    runtime = bootstrap(config, clock=time)
    try:
        _sign_off(runtime)
        shown = next((one for one in config.controllers if one.number == number), config.controllers[0])
        yield Stage(runtime, time, shown, create_app(runtime))
    finally:
        runtime.database.close()


def _sign_off(runtime: Runtime) -> None:
    """Only signed words ask and grant; what is previewed is signed for the preview alone (decision 27)."""
    with runtime.processing() as p:
        day = datetime.fromtimestamp(p.now, UTC).date()
        for texts in runtime.wordings.complete.values():
            wording.sign(p, SignOff(texts.locale, texts.hash, SIGNED_BY, day, "preview"))
