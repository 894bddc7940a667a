"""Finding out whether the person asks: a link to the address itself, and a press behind it (GDPR Art. 12(6)).

The page takes a request without looking anything up; the worker opens it and writes the mail. A link that was only
opened, by a person or a machine, has done nothing.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

from consent_track.domain import rights
from consent_track.domain.address import masked
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import DISCLOSING, Channel, Proof, Right, Stage, Step
from consent_track.records import flows, requests
from consent_track.records.flows import Flow
from consent_track.records.requests import Request

from . import Processing, admitting, answering, confirming, corresponding, fulfilling, requesting
from .confirming import Kind, Late, Wish
from .corresponding import Message, Writer
from .requesting import Opening

Begin = Callable[[], AbstractContextManager[Processing]]

ANSWER_SESSION: Final = fulfilling.ANSWER_KEPT
REMIND_BEFORE: Final = 7 * 86_400  # seconds before an answer is due, if nobody has confirmed by then
REMIND_AFTER: Final = 3 * 86_400  # ... but never while the first link still works


@dataclass(frozen=True, slots=True)
class Asked:
    """The page behind the link of a request's mail, as far as whoever holds the link may see it."""

    flow: Flow
    wish: Wish
    request: Request
    masked: str


def answer(p: Processing, flow: Flow, address: str, wish: Wish, writer: Writer, public_url: str) -> str:
    """Open what a form asked for, or the request a letter began, and write its mail. The name of the count."""
    request = _request_of(p, flow, address, wish)
    if not wish.request:
        request = _at_once(p, request)
        if request.stage is not Stage.VERIFYING:
            message = Message.ANSWER if request.stage.closed else Message.RECEIVED
            corresponding.tell(p, writer, request, message)
            flows.remove(p.session, flow.controller, flow.id)
            return "mailed"

    message = Message.READY if can_fetch(p, request) else Message.CONFIRM
    said = corresponding.said_of(p, request, message, confirming.link_of(p, flow, public_url))
    letter = writer.about(p.controller(flow.controller), said, address)
    if letter is None:
        flows.remove(p.session, flow.controller, flow.id)
        return "dropped"
    confirming.mailed(p, flow, replace(wish, request=request.id), address, letter, request.subject)
    if not request.stage.closed:
        requesting.note(p, requesting.find(p, request.controller, request.id), Step.LINK_SENT, "system")
    return "mailed"


def _at_once(p: Processing, request: Request) -> Request:
    """What needs no proof happens now: a no can only protect, and of somebody unknown there is nothing to show."""
    by_hand = request.asked in rights.BY_HAND
    if request.stage is Stage.VERIFYING and request.subject == 0 and not by_hand:
        return requesting.close(p, request, Step.NOTHING_HELD, "system")
    if request.stage is Stage.IN_PROGRESS and not by_hand:
        return fulfilling.carry_out(p, request, "subject")
    return request


def _request_of(p: Processing, flow: Flow, address: str, wish: Wish) -> Request:
    """The request a link is for: the one it was begun for, one that waits for the same already, or a new one."""
    if wish.request:
        return requesting.find(p, flow.controller, wish.request, lock=True)
    asked = Right(wish.asked)
    for earlier in requesting.of_address(p, flow.controller, address):
        if earlier.asked is asked and earlier.stage is Stage.VERIFYING:
            return earlier
    opening = Opening(
        asked, address, Channel(wish.method), flow.asked_at, (wish.jurisdiction,), wish.locale, wish.wrote,
        follows=wish.follows,
    )  # fmt: skip
    return requesting.open_(p, flow.controller, opening)


def begin_link(p: Processing, request: Request, address: str) -> int:
    """Have the worker send a link for a request that is open already: opened by hand, or for another address."""
    wish = Wish(Kind.REQUEST, request.locale, jurisdiction=request.jurisdictions[0], request=request.id)
    return confirming.begin(p, request.controller, address, wish)


def look(p: Processing, controller: int, number: int) -> Asked | Late:
    """What the link of a request's mail stands for; looking changes nothing and uses nothing up."""
    found = confirming.opened_for_request(p, controller, number)
    if found is None:
        return Late.GONE
    flow, address, wish = found
    request = requests.find(p.session, controller, wish.request)
    return Late.GONE if request is None else Asked(flow, wish, request, masked(address))


def confirm(
    p: Processing, controller: int, number: int, shown_at: int, *, declared: bool = False
) -> tuple[Request, bytes | None] | Late:
    """ "Yes, this is my request": the address is proved, once. With data to show, also the secret of a session.

    `declared`: the person signed, under penalty of perjury, that it is them (11 CCR 7062(c)). Where that is needed and
    missing, the answer names categories instead (11 CCR 7024(a)).

    An access is answered in the same transaction; whatever else is due follows by the worker. Behind a link to a
    request that is answered already, the press only lets in, as long as the answer is kept.
    """
    asked = look(p, controller, number)
    if isinstance(asked, Late):
        return asked
    if p.now - shown_at < confirming.READING:
        return Late.TOO_QUICK
    flow = flows.find(p.session, controller, number, lock=True)
    request = requesting.find(p, controller, asked.request.id, lock=True)
    if flow is None or flow.done_at is not None or p.now >= flow.expires_at:
        return Late.USED
    if not request.stage.closed:
        place = _place(p, request, flow)
        request = requesting.prove(p, request, place, Proof.MAILBOX, "subject")
        if declared and request.stage is Stage.VERIFYING:
            request = requesting.prove(p, request, place, Proof.DECLARATION, "subject")
        if request.stage is Stage.VERIFYING and request.asked in DISCLOSING:
            request = requesting.narrow(p, request, "subject")
        if request.stage is Stage.IN_PROGRESS and request.asked in DISCLOSING:
            request = fulfilling.carry_out(p, request, "subject")
    flows.change(p.session, controller, number, done_at=p.now)
    return request, admitting.let_in(p, flow, ANSWER_SESSION) if can_fetch(p, request) else None


def can_fetch(p: Processing, request: Request) -> bool:
    """Whether an answer waits to be fetched."""
    return request.asked in DISCLOSING and bool(fulfilling.kept_answer(p, request))


def again(p: Processing, controller: int, number: int) -> bool:
    """Send the link once more, to the same address; False where there is nothing left to do or to see behind it."""
    found = confirming.opened_for_request(p, controller, number)
    request = requests.find(p.session, controller, found[2].request) if found else None
    if found is None or request is None or (request.stage.closed and not can_fetch(p, request)):
        return False
    begin_link(p, request, found[1])
    return True


def let_in(p: Processing, controller: int, number: int, secret: bytes) -> Request | None:
    """The request whose answer this browser may fetch, or None."""
    found = confirming.opened_for_request(p, controller, number)
    if found is None or admitting.session_of(p, controller, number, secret) is None:
        return None
    request = requests.find(p.session, controller, found[2].request)
    return request if request is not None and can_fetch(p, request) else None


def deny(p: Processing, controller: int, number: int, shown_at: int) -> Request | Late:
    """ "No, this was not me", or "take it back": the request ends, and nothing was changed by it."""
    asked = look(p, controller, number)
    if isinstance(asked, Late):
        return asked
    if p.now - shown_at < confirming.READING:
        return Late.TOO_QUICK
    request = requesting.find(p, controller, asked.request.id, lock=True)
    if request.stage.closed:
        return request
    flows.change(p.session, controller, number, done_at=p.now)
    return requesting.note(p, request, Step.REVOKED, "subject")


def _place(p: Processing, request: Request, flow: Flow) -> int:
    """Which address of the request the link was sent to."""
    found = confirming.opened_for_request(p, flow.controller, flow.id)
    sent_to = found[1] if found else ""
    return next(one.number for one, address in requesting.addresses(p, request) if address == sent_to)


def keep_going(begin: Begin, writer: Writer) -> dict[str, int]:
    """What time brings: confirmed requests are carried out, unconfirmed ones reminded of, and ended when due."""
    counts = {"carried_out": 0, "reminded": 0, "expired": 0, "left_to_a_person": 0}
    with begin() as p:
        ready = [(one.controller, one.id) for one in fulfilling.ready(p)]
        unproved = [(one.controller, one.id) for one in requests.open_ones(p.session) if one.stage is Stage.VERIFYING]
    for controller, number in ready:
        try:
            with begin() as p:
                request = fulfilling.carry_out(p, requesting.find(p, controller, number, lock=True), "system")
                corresponding.tell(p, writer, request, Message.ANSWER)
            counts["carried_out"] += 1
        except InputRefused:  # a legal hold: somebody has to lift it, or to refuse
            counts["left_to_a_person"] += 1
    answering.finish(begin)
    for controller, number in unproved:
        with begin() as p:
            done = _wait(p, requesting.find(p, controller, number, lock=True), writer)
        if done:
            counts[done] += 1
    return counts


def _wait(p: Processing, request: Request, writer: Writer) -> str:
    """An unproved request is never dropped in silence: one reminder, and in the end an answer that says so (DL-06)."""
    if request.stage is not Stage.VERIFYING or request.paused_at is not None:
        return ""
    if p.now >= request.due_at:
        corresponding.tell(p, writer, requesting.note(p, request, Step.EXPIRED, "system"), Message.ANSWER)
        return "expired"
    reminded = any(one.step is Step.REMINDED for one in requests.steps(p.session, request.controller, request.id))
    if p.now < request.due_at - REMIND_BEFORE or reminded or p.now - request.received_at < REMIND_AFTER:
        return ""
    corresponding.tell(p, writer, request, Message.REMINDER)
    for _, address in requesting.addresses(p, request):
        begin_link(p, request, address)
    return "reminded"
