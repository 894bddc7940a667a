"""One genuine link and its holder: what they may see, in which words, and how their choice is stamped."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import request

from consent_track.activities import Processing, consenting, exempting, wording
from consent_track.activities.consenting import Done, Standing, Unknown
from consent_track.activities.entering import How
from consent_track.collector.app import host_of, says_no
from consent_track.domain.asking import OPEN_QUESTION
from consent_track.domain.controller import Controller, UnsubscribeOwner
from consent_track.domain.decision import DAY
from consent_track.domain.errors import ForgedToken
from consent_track.domain.observation import Signal, TokenFacts
from consent_track.domain.vocabulary import Grade, Purpose, TokenClass
from consent_track.i18n import Texts

from ..current import runtime
from ..problems import locale_of_request
from .specimen import ADDRESS, screen_of


@dataclass(frozen=True, slots=True)
class Visit:
    """One genuine link, and what its holder may see: a masked address, a state, the words of a locale."""

    facts: TokenFacts
    controller: Controller
    standing: Standing
    texts: Texts
    signalled: bool
    hygiene: bool = False  # whether the last day of an open may be kept without consent (CNIL 2026-042)

    @property
    def on(self) -> tuple[Purpose, ...]:
        """What is measured of this person, with consent or without."""
        return (*self.standing.on, Purpose.DELIVERABILITY_HYGIENE) if self.hygiene else self.standing.on

    def get(self, id_: str, **values: str) -> str:
        return self.texts.get(id_, controller=self.controller.name, **values)

    @property
    def masked(self) -> str:
        return isolated(self.standing.masked)

    def is_asked(self, purpose: Purpose) -> bool:
        """Whether a question about this purpose waits for an answer."""
        choice = self.standing.state.choices.get(purpose)
        return choice is not None and choice.status in OPEN_QUESTION

    @property
    def ours_to_end(self) -> bool:
        return self.controller.unsubscribe is UnsubscribeOwner.CONSENT_TRACK


def isolated(address: str) -> str:
    """An address that a line from right to left does not turn round (UAX 9)."""
    return f"\u2066{address}\u2069"


def opened(token_class: TokenClass, token: str) -> tuple[TokenFacts, Controller]:
    """What a link says and whose it is. Raises ForgedToken."""
    facts = runtime().tokens.open(token_class, token)
    controller = runtime().controllers.get(facts.controller)
    if controller is None or not _on_own_host(controller):
        raise ForgedToken
    return facts, controller


def visit(token_class: TokenClass, token: str) -> Visit:
    """Open a link. Raises ForgedToken alike for the forged, the misused, the erased and the unknown (threat T6)."""
    facts, controller = opened(token_class, token)
    signalled = heard()
    if signalled:
        signal = Signal(facts.controller, facts.subject, facts.jurisdiction, runtime().now() // DAY)
        with runtime().processing() as p:
            consenting.record_signal(p, signal)
    with runtime().reading() as p:
        standing = consenting.standing(p, facts.controller, facts.subject)
        if standing is None:
            raise ForgedToken
        exempt = exempting.hygiene(p, facts.controller, facts.subject, facts.jurisdiction)
    texts = words(standing.locale or locale_of_request(), controller)
    shown = signalled or standing.state.signal_on is not None
    return Visit(facts, controller, standing, texts, shown, exempt.in_use)


def words(locale: str, controller: Controller) -> Texts:
    """The texts of a locale; where it has none, of the controller's, which start-up proved."""
    texts = runtime().wordings.texts(locale) or runtime().wordings.texts(controller.default_locale)
    assert texts is not None
    return texts


def heard() -> bool:
    """Whether this browser says no to measuring (W3C Global Privacy Control)."""
    return says_no(request.headers.get("Sec-GPC"))


def may_ask(texts: Texts) -> bool:
    """Whether consent may be asked for in these words, and whether a mail could confirm it (decision 27)."""
    if not runtime().config.smtp_url:
        return False
    with runtime().reading() as p:
        return wording.may_ask(p, texts.locale, texts.hash)


def here() -> Controller:
    """Whose pages these are: by the host, else the first (decision 1)."""
    host = host_of(request.host)
    controllers = runtime().config.controllers
    return next((one for one in controllers if host in {host_of(name) for name in one.hosts}), controllers[0])


def _on_own_host(controller: Controller) -> bool:
    """On a shared installation a link works on its own controller's hosts only (decision 1)."""
    hosts = controller.hosts or runtime().own_hosts()
    return host_of(request.host) in {host_of(host) for host in hosts} | runtime().own_hosts()


def how(seen: Visit, method: str, template: str, *wording: str) -> How:
    """How a choice made with a link of a mail is stamped: by us, never by the caller (decision 9).

    `template` is the page it was made on.
    """
    anybody = replace(seen, standing=replace(seen.standing, masked=ADDRESS))
    return How(
        method,
        Grade.MESSAGE_LINK,
        "subject",
        locale=seen.texts.locale,
        shown=seen.texts.shown(*wording),
        jurisdiction=seen.facts.jurisdiction,
        screen=screen_of(template, seen=anybody, off=[], mailing=False),
    )


def about_done(seen: Visit, sequence: int) -> str:
    """What the mark of a done page is about: this person's act, and nobody else's."""
    return f"done:{seen.facts.controller}:{seen.facts.subject}:{sequence}"


def act(seen: Visit, do: Callable[[Processing, int, int, How], Done | Unknown], stamp: How) -> Done:
    """One transaction; the page that follows is made only after it is durable (decision 31)."""
    with runtime().processing() as p:
        done = do(p, seen.facts.controller, seen.facts.subject, stamp)
    if isinstance(done, Unknown):
        raise ForgedToken
    return done
