"""The mailbox loop: what is asked for on a page takes effect only from a mail to the address itself (CC-14, VF-06).

The page writes one row that is the same for every address. The worker looks up who it is and writes the mail; the
person opens its link and presses. Only that press grants, and only once.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any, Final, Protocol

from consent_track.crypto import sealing
from consent_track.domain import consent as consents
from consent_track.domain.address import is_role, masked, normalise
from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState, Screen, Shown
from consent_track.domain.controller import Controller
from consent_track.domain.errors import InputRefused, KeyMisuse, StorageUnavailable
from consent_track.domain.observation import Signal, TokenFacts
from consent_track.domain.vocabulary import UNKNOWN_JURISDICTION, Grade, Purpose, TokenClass
from consent_track.records import consent, flows, ledger, screens
from consent_track.records.flows import Flow

from . import Processing, consenting, knowing, notifying
from .consenting import Done, Unknown
from .entering import How

Begin = Callable[[], AbstractContextManager[Processing]]

LIFE: Final = 3 * 86_400  # seconds in which a mail can be answered
# Mail bombs (threat T17): of one kind, one mail to an address in this time; of all kinds, so many a day.
QUIET: Final = 600
A_DAY: Final = 86_400
MAILS_A_DAY: Final = 5
MOST_WAITING: Final = 20_000  # beyond it the form asks to come back later
# Nobody has read a page before this; what presses faster is a machine. Seconds.
READING: Final = 2
LABEL: Final = "flow"
LETTER: Final = "flow letter"


class Kind(StrEnum):
    """What was begun."""

    CONSENT = "consent"  # say yes to purposes, or to the mail
    REFUSAL = "refusal"  # say no without a link: needs no proof, because it can only protect (11 CCR 7060(b))
    LINK = "link"  # "send me my link"
    SESSION = "session"  # "show me dates, history and receipts"
    REQUEST = "request"  # a right is used; `activities.identifying` does the rest


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for, in which words, on which page; stamped by the door."""

    kind: Kind
    locale: str
    purposes: tuple[Purpose, ...] = ()
    mail: bool = False
    jurisdiction: str = UNKNOWN_JURISDICTION
    shown: Shown | None = None
    method: str = "consent_form"
    source: str = ""
    screen_id: str = ""  # the page that asked; `begin` keeps it
    asked: str = ""  # the right that is used (`domain.rights.Right`)
    wrote: str = ""
    follows: int = 0  # the request an appeal or a complaint is about
    request: int = 0  # the request this is about, once it is open


@dataclass(frozen=True, slots=True)
class Begun:
    """One thing begun, as the page behind the mail's link sees it."""

    flow: Flow
    wish: Wish
    address: str
    conflict: bool  # a browser's signal stands against it
    waivable: bool  # ... and may be set aside by a choice made after this notice (11 CCR 7025(c)(4))

    @property
    def masked(self) -> str:
        return masked(self.address)


class Late(Enum):
    """Why a link of a mail does nothing any more."""

    GONE = "gone"  # never ours, erased, or too old
    USED = "used"
    TOO_QUICK = "too_quick"


class Writer(Protocol):
    """Writes the mails of this activity; the door hands it in, because texts and templates are not ours."""

    def write(self, controller: Controller, wish: Wish, address: str, link: str, known: bool) -> bytes | None: ...


def begin(p: Processing, controller: int, address: str, wish: Wish, screen: Screen | None = None) -> int:
    """Note a wish, the same for every address; nothing is looked up. The number of what was begun.

    `screen` is the page that asked.

    Raises InputRefused (field `email`, `purpose`), StorageUnavailable where too many wait.
    """
    normal = normalise(address, "email")
    p.controller(controller)
    for purpose in wish.purposes:
        consents.check_grantable(purpose)
    if flows.waiting(p.session) >= MOST_WAITING:
        raise StorageUnavailable("too many wait for their mail")
    if screen is not None:
        if screens.find(p.session, controller, screen.id) is None:
            ledger.lock_head(p.session, controller)
            screens.keep(p.session, controller, screen, p.now)
        wish = replace(wish, screen_id=screen.id)
    number, epoch = knowing.new_reference(), p.keys.epoch()
    sealed = sealing.seal_until_known(epoch, controller, number, LABEL, _plain(normal, wish))
    tag = sealing.address_lookup(epoch, controller, normal)
    flows.add(p.session, Flow(controller, number, wish.kind, 0, tag, epoch.id, sealed, p.now, p.now + LIFE))
    return number


# Opens a request and writes its mail: `activities.identifying.answer`, bound to its writer. The name of the count.
OfRequest = Callable[[Processing, Flow, str, Wish], str]


def answer(
    begin: Begin, writer: Writer, public_url: str, limit: int = 50, *, of_request: OfRequest | None = None
) -> dict[str, int]:
    """Answer what was begun: one mail each, within the limits against mail bombs. Run by the worker."""
    counts = {"mailed": 0, "refused": 0, "dropped": 0}
    with begin() as p:
        new = flows.unanswered(p.session, limit)
    for flow in new:
        with begin() as p:
            counts[_answer(p, flow, writer, public_url, of_request)] += 1
    return counts


def _answer(p: Processing, flow: Flow, writer: Writer, public_url: str, of_request: OfRequest | None) -> str:
    controller = p.controllers.get(flow.controller)
    opened = unsealed(p, flow)
    if controller is None or opened is None or p.now >= flow.expires_at or _too_many(p, flow, opened[0]):
        flows.remove(p.session, flow.controller, flow.id)
        return "dropped"
    address, wish = opened
    if wish.kind is Kind.REQUEST:
        return of_request(p, flow, address, wish) if of_request else "dropped"
    subject = knowing.find(p, flow.controller, address) or 0
    if wish.kind is Kind.REFUSAL:
        how = How(wish.method, Grade.MESSAGE_LINK, "subject", wish.locale, wish.shown, wish.source, f"{flow.id:x}",
                  wish.jurisdiction, flow.asked_at)  # fmt: skip
        if subject:
            consenting.turn_off(p, flow.controller, subject, how)
        flows.remove(p.session, flow.controller, flow.id)
        return "refused"
    if is_role(address) and wish.kind is Kind.CONSENT and not wish.mail:
        flows.remove(p.session, flow.controller, flow.id)  # decision 5: nobody can say yes for a role
        return "dropped"
    link = link_of(p, flow, public_url, subject if wish.kind is Kind.LINK else 0, wish.jurisdiction)
    letter = _written(writer, controller, wish, address, link, bool(subject))
    if letter is None:
        flows.remove(p.session, flow.controller, flow.id)
        return "dropped"
    mailed(p, flow, wish, address, letter, subject)
    return "mailed"


def link_of(
    p: Processing, flow: Flow, public_url: str, subject: int = 0, jurisdiction: str = UNKNOWN_JURISDICTION
) -> str:
    """The link that finishes what was begun; with a subject, the link to that person's choices instead."""
    token_class, power = (TokenClass.PREFERENCE, "p") if subject else (TokenClass.VERIFICATION, "v")
    facts = TokenFacts(token_class, flow.controller, subject, flow.id, p.now, jurisdiction=jurisdiction)
    return f"{public_url}/{power}/{p.tokens.issue(facts)}"


def mailed(p: Processing, flow: Flow, wish: Wish, address: str, letter: bytes, subject: int) -> None:
    """Put the mail of a flow into the outbox, and note with the flow what was sent."""
    notifying.queue(p, flow.controller, subject, address, letter, wish.kind, flow=flow.id)
    epoch = p.keys.epoch(flow.epoch)
    kept = sealing.seal_until_known(epoch, flow.controller, flow.id, LETTER, letter)
    sealed = sealing.seal_until_known(epoch, flow.controller, flow.id, LABEL, _plain(address, wish))
    flows.change(p.session, flow.controller, flow.id, mailed_at=p.now, subject=subject, letter=kept, sealed=sealed)


def _written(writer: Writer, controller: Controller, wish: Wish, address: str, link: str, known: bool) -> bytes | None:
    """The mail, or None for an address that no header of a mail can carry: it must not hold up the others."""
    try:
        return writer.write(controller, wish, address, link, known)
    except InputRefused:
        return None


def _too_many(p: Processing, flow: Flow, address: str) -> bool:
    earlier = flows.mailed_since(p.session, flow.controller, _tags(p, flow.controller, address), p.now - A_DAY)
    recent = [kind for kind, at in earlier if at > p.now - QUIET]
    return len(earlier) >= MAILS_A_DAY or flow.kind in recent


def look(p: Processing, controller: int, number: int) -> Begun | Late:
    """What the link of a mail stands for; looking changes nothing and uses nothing up."""
    flow = flows.find(p.session, controller, number)
    return Late.GONE if flow is None else page_of(p, flow)


def page_of(p: Processing, flow: Flow) -> Begun | Late:
    """What the page behind the link of a flow shows, or why it shows nothing."""
    opened = unsealed(p, flow)
    if opened is None or flow.mailed_at is None or p.now >= flow.expires_at:
        return Late.GONE
    address, wish = opened
    if flow.done_at is not None:
        return Late.USED
    state = _state(p, flow.controller, address)
    waiver = bool(p.policies.for_jurisdiction(wish.jurisdiction).number("signal_waiver"))
    return Begun(flow, wish, address, state.signal_on is not None and bool(wish.purposes), waiver)


def confirm(
    p: Processing,
    controller: int,
    number: int,
    shown: Shown,
    shown_at: int,
    *,
    screen: Screen | None = None,
    signalled: bool = False,
) -> Done | Late:
    """Yes, by whoever reads the mailbox: grants what was asked for, once. `shown`: the words of the page that asked.

    `signalled`: the browser that pressed also sent Sec-GPC: 1, and the page said so.
    The grade is the highest there is (decision 9); it is also how somebody who was erased comes back (decision 11).
    """
    flow = flows.find(p.session, controller, number, lock=True)
    begun = Late.GONE if flow is None else page_of(p, flow)
    if isinstance(begun, Late):
        return begun
    if begun.wish.kind is not Kind.CONSENT:
        return Late.GONE
    if p.now - shown_at < READING:
        return Late.TOO_QUICK

    wish, words = begun.wish, {*shown.words, *(begun.wish.shown.words if begun.wish.shown else ())}
    how = How(
        "mailbox_loop", Grade.MAILBOX_LOOP, "subject", wish.locale, Shown(wish.locale, tuple(sorted(words))),
        f"{wish.method} {wish.source}".strip(), f"{begun.flow.id:x}", wish.jurisdiction, begun.flow.asked_at,
        screen=screen, asked_screen_id=wish.screen_id, letter=sent_letter(p, begun.flow) or b"",
    )  # fmt: skip
    subject = knowing.obtain(p, controller, begun.address, wish.locale, returning=True)
    if signalled:
        consenting.record_signal(p, Signal(controller, subject, wish.jurisdiction, p.now // A_DAY))
    done: Done | Unknown = Done(p.now)
    if wish.mail:
        done = consenting.welcome(p, controller, subject, how)
    purposes = () if is_role(begun.address) else wish.purposes
    if purposes:
        done = consenting.grant(p, controller, subject, purposes, how)
    if isinstance(done, Unknown):
        return Late.GONE

    flows.change(p.session, controller, number, done_at=p.now, subject=subject)
    return replace(done, mail_begun=wish.mail)


def deny(p: Processing, controller: int, number: int, shown: Shown, shown_at: int) -> Done | Late:
    """No, or "that was not me": what was asked for is refused and the link used up; after a yes, it takes that back.

    As slow as a yes: a machine that sends forms must not use up somebody's link (threat T16).
    """
    flow = flows.find(p.session, controller, number, lock=True)
    opened = unsealed(p, flow) if flow and flow.mailed_at is not None and p.now < flow.expires_at else None
    if flow is None or opened is None:
        return Late.GONE
    if p.now - shown_at < READING:
        return Late.TOO_QUICK

    address, wish = opened
    subject = knowing.find(p, controller, address)
    done: Done | Unknown = Done(p.now)
    if subject and wish.purposes:
        how = How("mailbox_loop", Grade.MAILBOX_LOOP, "subject", wish.locale, shown, wish.source, f"{flow.id:x}",
                  wish.jurisdiction, flow.asked_at)  # fmt: skip
        done = consenting.turn_off(p, controller, subject, how, frozenset(wish.purposes))

    flows.change(p.session, controller, number, done_at=flow.done_at or p.now)
    return Late.GONE if isinstance(done, Unknown) else done


def again(p: Processing, controller: int, number: int) -> bool:
    """ "Send me a new one": begins the same once more, while it is still known what that was."""
    flow = flows.find(p.session, controller, number)
    opened = unsealed(p, flow) if flow else None
    if opened is None:
        return False
    begin(p, controller, *opened)
    return True


def sent_letter(p: Processing, flow: Flow) -> bytes | None:
    """The mail of this flow as it was handed to the outbox: half of the proof of a mailbox loop (RE-02)."""
    if not flow.letter:
        return None
    try:
        return sealing.unseal_until_known(p.keys.epoch(flow.epoch), flow.controller, flow.id, LETTER, flow.letter)
    except (sealing.SealBroken, KeyMisuse):
        return None


def forget(p: Processing, controller: int, normalised: str) -> None:
    """Forget everything an address began and did not finish, whoever it was known to be then."""
    flows.remove_of(p.session, controller, _tags(p, controller, normalised))


def _tags(p: Processing, controller: int, normalised: str) -> list[bytes]:
    """By what an address is found among the flows, under every epoch that is held."""
    return [sealing.address_lookup(epoch, controller, normalised) for epoch in p.keys.epochs.values()]


def forget_over(begin: Begin) -> int:
    """Forget what nobody finished in time."""
    with begin() as p:
        return flows.remove_expired(p.session, p.now)


def opened_for_request(p: Processing, controller: int, number: int) -> tuple[Flow, str, Wish] | None:
    """The flow of a request's mail, to whom it went, and what for; None for what is no such flow, or too old."""
    flow = flows.find(p.session, controller, number)
    opened = unsealed(p, flow) if flow and flow.mailed_at is not None else None
    if flow is None or opened is None or opened[1].kind is not Kind.REQUEST:
        return None
    over = p.now >= flow.expires_at and (flow.session_until is None or p.now >= flow.session_until)
    return None if over else (flow, *opened)


def _plain(address: str, wish: Wish) -> bytes:
    return json.dumps({"address": address, "wish": _as_json(wish)}, sort_keys=True).encode()


def _state(p: Processing, controller: int, address: str) -> ConsentState:
    subject = knowing.find(p, controller, address)
    return (consent.find_state(p.session, controller, subject) if subject else None) or UNKNOWN_PERSON


def unsealed(p: Processing, flow: Flow) -> tuple[str, Wish] | None:
    """To whom the mail of a flow went, and what for; None once the epoch that sealed it is over."""
    try:
        epoch = p.keys.epoch(flow.epoch)
        plain = json.loads(sealing.unseal_until_known(epoch, flow.controller, flow.id, LABEL, flow.sealed))
    except (sealing.SealBroken, KeyMisuse):
        return None
    return plain["address"], _wish(plain["wish"])


def _as_json(wish: Wish) -> dict[str, Any]:
    shown = [wish.shown.locale, wish.shown.words] if wish.shown else None
    plain = {"kind": wish.kind, "locale": wish.locale, "purposes": list(wish.purposes), "mail": wish.mail}
    return plain | {
        "jurisdiction": wish.jurisdiction, "shown": shown, "method": wish.method, "source": wish.source,
        "screen_id": wish.screen_id, "asked": wish.asked, "wrote": wish.wrote, "follows": wish.follows,
        "request": wish.request,
    }  # fmt: skip


def _wish(plain: Mapping[str, Any]) -> Wish:
    shown = plain["shown"]
    return Wish(
        Kind(plain["kind"]), plain["locale"], tuple(Purpose(one) for one in plain["purposes"]), plain["mail"],
        plain["jurisdiction"], Shown(shown[0], tuple((id_, text) for id_, text in shown[1])) if shown else None,
        plain["method"], plain["source"], plain["screen_id"], plain.get("asked", ""), plain.get("wrote", ""),
        plain.get("follows", 0), plain.get("request", 0),
    )  # fmt: skip
