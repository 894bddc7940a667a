"""Telling people where their request stands: every step that concerns them has its letter, in their language.

A letter about a request is sealed under the epoch and not under the person's key: the answer to an erasure still has
to reach them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from consent_track.domain.controller import Controller
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import Stage, Step
from consent_track.records.requests import Request

from . import Processing, notifying, requesting
from .requesting import Written

KIND = "request"


class Message(StrEnum):
    """What a letter about a request is for."""

    CONFIRM = "confirm"  # is this you?
    READY = "ready"  # the answer can be fetched behind the link
    RECEIVED = "received"
    REMINDER = "reminder"
    COOLING = "cooling"
    EXTENDED = "extended"
    ANSWER = "answer"  # how it ended; the stage says which of the answers


@dataclass(frozen=True, slots=True)
class Said:
    """What a letter tells: the request as it stands, what was written in it, and the link that belongs to it."""

    request: Request
    message: Message
    written: Written
    link: str = ""
    appeal: bool = False  # whether the law that applies knows an appeal


class Writer(Protocol):
    """Writes letters; the door hands it in, because texts and templates are not ours."""

    def about(self, controller: Controller, said: Said, address: str) -> bytes | None: ...


def said_of(p: Processing, request: Request, message: Message, link: str = "") -> Said:
    """What a letter would tell now."""
    appeal = request.stage in (Stage.REFUSED, Stage.PARTLY_FULFILLED) and any(
        p.procedures.for_jurisdiction(one).appeal is not None for one in request.jurisdictions
    )
    return Said(request, message, requesting.written(p, request) or Written(), link, appeal)


def tell(p: Processing, writer: Writer, request: Request, message: Message, link: str = "") -> Request:
    """Put the letter into the outbox, to every proved address, or to the one that asked while none is.

    The request, with the step that says so.
    """
    said = said_of(p, request, message, link)
    proved = set(requesting.proved_addresses(p, request))
    held = [address for _, address in requesting.addresses(p, request)]
    for address in [one for one in held if one in proved] or held[:1]:
        letter = _letter(p, writer, said, address)
        if letter is not None:
            notifying.queue(p, request.controller, 0, address, letter, KIND)
    step = _STEPS.get(message)
    if message is Message.RECEIVED and request.acknowledged_at is not None:
        return request
    return request if step is None else requesting.note(p, request, step, "system")


_STEPS = {
    Message.RECEIVED: Step.ACKNOWLEDGED,
    Message.REMINDER: Step.REMINDED,
    Message.ANSWER: Step.ANSWER_SENT,
}


def _letter(p: Processing, writer: Writer, said: Said, address: str) -> bytes | None:
    """The mail, or None for an address that no header of a mail can carry."""
    try:
        return writer.about(p.controller(said.request.controller), said, address)
    except InputRefused:
        return None
