"""`/p/<token>`: the preference page behind the link of every mail.

Whoever holds the link may say no. A yes, and whatever is dated, needs a mail to the address first: the mail that the
link stood in may have been forwarded (CC-15, decision 30).
"""

from flask import Blueprint, render_template

from consent_track.activities import Processing, confirming, consenting, knowing
from consent_track.activities.confirming import Kind, Wish
from consent_track.activities.consenting import Done, Unknown
from consent_track.activities.entering import How
from consent_track.domain.errors import ForgedToken
from consent_track.domain.vocabulary import Purpose, TokenClass

from ..current import runtime
from . import mails
from .forms import ChoiceForm
from .visit import Visit, about_done, act, how, may_ask, visit

Answer = str | tuple[str, int]


def attach(pages: Blueprint) -> None:
    pages.add_url_rule("/p/<token>", "choices", choices, methods=["GET", "HEAD"])
    pages.add_url_rule("/p/<token>", "choose", choose, methods=["POST"])


def choices(token: str) -> str:
    """What is measured, and the buttons that change it."""
    return _page(visit(TokenClass.PREFERENCE, token))


def _page(seen: Visit) -> str:
    offered = seen.controller.purposes if may_ask(seen.texts) else ()
    asked = [purpose for purpose in Purpose if seen.is_asked(purpose)] if offered else []
    off = [purpose for purpose in dict.fromkeys((*asked, *offered)) if purpose not in seen.on]
    return render_template("choices.html", seen=seen, off=off, asked=asked, mailing=bool(runtime().config.smtp_url))


def choose(token: str) -> Answer:
    """End all measuring or one purpose, at once; or begin a yes, which a mail to the address has to finish."""
    seen = visit(TokenClass.PREFERENCE, token)
    form = ChoiceForm()
    if not form.validate():
        return _page(seen), 400
    if form.off.data == "mail" and not seen.ours_to_end:
        return _page(seen), 400  # the sender's own link ends it (decision 21)
    if form.off.data:
        return _turn_off(seen, form.off.data, token)
    kind = Kind.SESSION if form.see.data else Kind.CONSENT
    return _begin(seen, kind, tuple(Purpose(name) for name in form.on.data))


def _turn_off(seen: Visit, what: str, token: str) -> str:
    if what == "mail":
        done = act(seen, consenting.end_mail, how(seen, "preference_page", "choices.html", "page.also_stop_emails"))
        return _done(seen, done, None, token)
    one = None if what == "all" else Purpose(what)
    label = ("mail.request.no" if seen.is_asked(one) else "page.turn_off_one") if one else "page.turn_all_off"
    stamp = how(seen, "preference_page", "choices.html", label)

    def off(p: Processing, controller: int, subject: int, stamp: How) -> Done | Unknown:
        return consenting.turn_off(p, controller, subject, stamp, frozenset({one}) if one else None)

    return _done(seen, act(seen, off, stamp), one, token)


def _done(seen: Visit, done: Done, one: Purpose | None, token: str) -> str:
    """What was done, with its confirmation to save and the way back."""
    save = runtime().nonces.issue(about_done(seen, done.sequence), runtime().now()) if done.sequence else ""
    again = may_ask(seen.texts)
    return render_template("done.html", seen=seen, done=done, one=one, again=again, save=save, token=token)


def _begin(seen: Visit, kind: Kind, purposes: tuple[Purpose, ...]) -> Answer:
    if kind is Kind.CONSENT and not may_ask(seen.texts):
        return _page(seen), 400
    if not mails.allowed():
        return mails.busy(seen.controller, seen.texts)
    ids = ("page.allow", *(f"purpose.{one}.{part}" for one in purposes for part in ("title", "text")))
    shown = seen.texts.shown(*ids) if purposes else None
    wish = Wish(
        kind, seen.texts.locale, purposes, jurisdiction=seen.facts.jurisdiction, shown=shown, method="preference_page"
    )
    with runtime().processing() as p:
        who = knowing.person(p, seen.facts.controller, seen.facts.subject)
        if who is None:
            raise ForgedToken
        confirming.begin(p, seen.facts.controller, who.address, wish)
    return render_template("sent.html", controller=seen.controller, texts=seen.texts, masked=seen.masked)
