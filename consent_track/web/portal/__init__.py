"""The recipient's pages: what is measured, and one press to end it. No login, no cookie, no script.

GET shows and POST acts, always: mail gateways open every link of a mail, some press every button they can reach by
GET, and none of that may be taken for somebody's will (WD-06). The one exception is a browser's own signal.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, render_template, request

from consent_track.activities import Processing, consenting
from consent_track.activities.consenting import Done, How, Standing, Unknown
from consent_track.collector.app import host_of, says_no
from consent_track.domain.controller import Controller, UnsubscribeOwner
from consent_track.domain.decision import DAY
from consent_track.domain.errors import ForgedToken
from consent_track.domain.observation import Signal, TokenFacts
from consent_track.domain.vocabulary import Grade, Purpose, TokenClass
from consent_track.i18n import Texts

from ..current import runtime
from ..problems import locale_of_request
from .forms import OffForm, UnsubscribeForm

pages = Blueprint("portal", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class Visit:
    """One genuine link, and what its holder may see: a masked address, a state, the words of a locale."""

    facts: TokenFacts
    controller: Controller
    standing: Standing
    texts: Texts
    signalled: bool

    def get(self, id_: str, **values: str) -> str:
        return self.texts.get(id_, controller=self.controller.name, **values)

    @property
    def masked(self) -> str:
        """The masked address, isolated so that a line from right to left does not turn it round (UAX 9)."""
        return f"\u2066{self.standing.masked}\u2069"

    @property
    def ours_to_end(self) -> bool:
        return self.controller.unsubscribe is UnsubscribeOwner.CONSENT_TRACK


def visit(token_class: TokenClass, token: str) -> Visit:
    """Open a link. Raises ForgedToken alike for the forged, the misused, the erased and the unknown (threat T6)."""
    facts = runtime().tokens.open(token_class, token)
    controller = runtime().controllers.get(facts.controller)
    if controller is None or not _on_own_host(controller):
        raise ForgedToken
    signalled = says_no(request.headers.get("Sec-GPC"))
    if signalled:
        signal = Signal(facts.controller, facts.subject, facts.jurisdiction, runtime().now() // DAY)
        with runtime().processing() as p:
            consenting.record_signal(p, signal)
    with runtime().reading() as p:
        standing = consenting.standing(p, facts.controller, facts.subject)
    if standing is None:
        raise ForgedToken
    texts = runtime().wordings.texts(standing.locale or locale_of_request())
    texts = texts or runtime().wordings.texts(controller.default_locale)
    assert texts is not None  # start-up proved the default locale
    return Visit(facts, controller, standing, texts, signalled or standing.state.signal_on is not None)


def _on_own_host(controller: Controller) -> bool:
    """On a shared installation a link works on its own controller's hosts only (decision 1)."""
    hosts = controller.hosts or runtime().own_hosts()
    return host_of(request.host) in {host_of(host) for host in hosts} | runtime().own_hosts()


def _how(seen: Visit, method: str, *wording: str) -> How:
    return How(
        method,
        Grade.MESSAGE_LINK,
        "subject",
        locale=seen.texts.locale,
        shown=seen.texts.shown(*wording),
        jurisdiction=seen.facts.jurisdiction,
    )


def _act(seen: Visit, act: Callable[[Processing, int, int, How], Done | Unknown], how: How) -> Done:
    """One transaction; the page that follows is made only after it is durable (decision 31)."""
    with runtime().processing() as p:
        done = act(p, seen.facts.controller, seen.facts.subject, how)
    if isinstance(done, Unknown):
        raise ForgedToken
    return done


@pages.route("/p/<token>", methods=["GET", "HEAD"])
def choices(token: str) -> str:
    """What is measured, and the buttons that end it."""
    return render_template("choices.html", seen=visit(TokenClass.PREFERENCE, token), form=OffForm())


@pages.post("/p/<token>")
def turn_off(token: str) -> str | tuple[str, int]:
    """End all measuring, or one purpose."""
    seen = visit(TokenClass.PREFERENCE, token)
    form = OffForm()
    if not form.validate():
        return render_template("choices.html", seen=seen, form=form), 400
    if form.off.data == "mail" and seen.ours_to_end:
        done = _act(seen, consenting.end_mail, _how(seen, "preference_page", "page.also_stop_emails"))
        return _done(seen, done, None)
    one = None if form.off.data in ("all", "mail") else Purpose(form.off.data)
    how = _how(seen, "preference_page", "page.turn_off_one" if one else "page.turn_all_off")

    def off(p: Processing, controller: int, subject: int, how: How) -> Done | Unknown:
        return consenting.turn_off(p, controller, subject, how, frozenset({one}) if one else None)

    return _done(seen, _act(seen, off, how), one)


@pages.route("/u/<token>", methods=["GET", "HEAD"])
def unsubscribe(token: str) -> str:
    """The page behind the unsubscribe link: one button."""
    return render_template("unsubscribe.html", seen=visit(TokenClass.UNSUBSCRIBE, token), form=UnsubscribeForm())


@pages.post("/u/<token>")
def end_mail(token: str) -> str:
    """RFC 8058 one-click, in both encodings, and the button of the page: the mail ends, and the measuring with it."""
    seen = visit(TokenClass.UNSUBSCRIBE, token)
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    how = _how(seen, "one_click" if one_click else "unsubscribe_page", "page.unsubscribe_button")
    return _done(seen, _act(seen, consenting.end_mail, how), None)


def _done(seen: Visit, done: Done, one: Purpose | None) -> str:
    moment = seen.texts.moment(done.at, seen.controller.time_zone)
    day = seen.texts.day(done.erase_on) if done.erase_on else ""
    return render_template("done.html", seen=seen, done=done, one=one, moment=moment, day=day, form=OffForm())


@pages.route("/privacy", methods=["GET", "HEAD"])
def privacy() -> str:
    """For everybody without a link: who is responsible here, what is measured, whom to write to."""
    here = host_of(request.host)
    mine = [c for c in runtime().config.controllers if here in {host_of(host) for host in c.hosts}]
    controller = (mine or list(runtime().config.controllers))[0]
    texts = runtime().wordings.texts(
        runtime().wordings.negotiate(request.headers.get("Accept-Language", ""), controller.default_locale)
    )
    return render_template("privacy.html", controller=controller, texts=texts)
