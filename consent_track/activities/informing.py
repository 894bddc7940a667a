"""Telling the systems that got the data: withdrawal, objection, opt-out, correction, restriction, erasure.

GDPR Art. 19 and 17(2), 11 CCR 7022(b)-(c), 7026(f). A message names the person by address, because that is how the
other system finds them; it is written in the transaction that decided it, and repeated until it is acknowledged.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from consent_track.crm.transport import NotReached
from consent_track.crm.webhook import signed
from consent_track.crypto import sealing
from consent_track.domain.controller import Processor
from consent_track.domain.errors import InputRefused, KeyMisuse
from consent_track.domain.vocabulary import Purpose
from consent_track.records import deliveries
from consent_track.records.deliveries import GONE, Delivery

from . import Processing

Begin = Callable[[], AbstractContextManager[Processing]]

LABEL: Final = "delivery"
AT_ONCE: Final = 10
LEASE: Final = 300  # seconds: longer than ten receivers take that answer as slowly as they may
# Waits after each failed attempt, in seconds; more than five days together, each a tenth longer or shorter.
WAITS: Final = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 86_400, 86_400, 86_400, 86_400)
OVERDUE: Final = 86_400  # after a day without an acknowledgement a person should look


class Event(StrEnum):
    """What other systems are told. The value is public: append, never rename."""

    WITHDRAWN = "consent.withdrawn"
    OBJECTED = "consent.objected"
    OPTED_OUT = "subject.opted_out"
    RESTRICTED = "subject.restricted"
    RECTIFIED = "subject.rectified"
    ERASED = "subject.erased"


class Post(Protocol):
    """Whoever hands messages over. Raises NotReached."""

    def post(self, url: str, body: bytes, fields: dict[str, str]) -> int: ...


SecretsOf = Callable[[Processor], Sequence[bytes]]  # raises InputRefused where the file cannot be used


@dataclass(frozen=True, slots=True)
class Told:
    """What one recipient was told about somebody; nothing in it names them."""

    recipient: str
    event: str
    queued_at: int
    acknowledged_at: int | None
    failed_at: int | None


def inform(
    p: Processing,
    controller: int,
    subject: int,
    address: str,
    event: Event,
    purposes: Iterable[Purpose] = (),
    **more: Any,
) -> int:
    """Have every recipient told; how many there are. `more`: what else the message says, such as corrected fields."""
    recipients = [one for one in p.controller(controller).processors if one.webhook]
    for recipient in recipients:
        number = secrets.randbits(63) or 1
        said = {
            "type": event.value, "timestamp": p.now, "controller": controller, "address": address,
            "purposes": sorted(one.value for one in purposes), **more,
        }  # fmt: skip
        epoch = p.keys.epoch()
        plain = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        sealed = sealing.seal_until_known(epoch, controller, number, LABEL, plain)
        delivery = Delivery(controller, number, recipient.name, event, subject, epoch.id, sealed, p.now, p.now)
        deliveries.add(p.session, delivery)
    return len(recipients)


def call_off(p: Processing, controller: int, subject: int) -> int:
    """Drop what waits about somebody who is being erased: nothing about them leaves any more (threat T28)."""
    return deliveries.call_off(p.session, controller, subject, p.now)


def deliver(begin: Begin, post: Post, secrets_of: SecretsOf) -> dict[str, int]:
    """Hand over the messages whose turn it is. Counts: acknowledged, to be tried again, given up."""
    counts: Counter[str] = Counter(acknowledged=0, later=0, given_up=0)
    for delivery, recipient, body, at in _claimed(begin, counts):
        with begin() as p:  # asked again for each: an erasure while others were sent calls this one off (threat T28)
            if not deliveries.still_waits(p.session, delivery.controller, delivery.id):
                continue
        status = _posted(post, secrets_of, delivery, recipient, body, at)
        with begin() as p:
            counts[_judge(p, delivery, status)] += 1
    return dict(counts)


def _claimed(begin: Begin, counts: Counter[str]) -> list[tuple[Delivery, Processor, bytes, int]]:
    """Messages that are ours to hand over for the length of the lease; what nobody can read any more is given up."""
    claimed = []
    with begin() as p:
        for delivery in deliveries.due(p.session, p.now, AT_ONCE):
            recipient = _recipient(p, delivery)
            body = _opened(p, delivery)
            if recipient is None or body is None:
                deliveries.change(p.session, delivery.controller, delivery.id, failed_at=p.now)
                counts["given_up"] += 1
            elif deliveries.is_disabled(p.session, delivery.controller, delivery.recipient):
                deliveries.change(p.session, delivery.controller, delivery.id, next_at=p.now + WAITS[-1])
                counts["later"] += 1
            else:
                deliveries.change(p.session, delivery.controller, delivery.id, next_at=p.now + LEASE)
                claimed.append((delivery, recipient, body, p.now))
    return claimed


def _recipient(p: Processing, delivery: Delivery) -> Processor | None:
    controller = p.controllers.get(delivery.controller)
    known = controller.processors if controller else ()
    return next((one for one in known if one.name == delivery.recipient and one.webhook), None)


def _opened(p: Processing, delivery: Delivery) -> bytes | None:
    try:
        epoch = p.keys.epoch(delivery.epoch)
        return sealing.unseal_until_known(epoch, delivery.controller, delivery.id, LABEL, delivery.sealed)
    except (sealing.SealBroken, KeyMisuse):
        return None


def _posted(post: Post, secrets_of: SecretsOf, delivery: Delivery, to: Processor, body: bytes, at: int) -> int:
    """The status of the answer; 0 where there was none. The time is that of the attempt: receivers refuse old ones.

    A recipient whose secret cannot be read, or whose address is none, holds up nobody but itself.
    """
    try:
        return post.post(to.webhook, body, signed(f"msg_{delivery.id:016x}", at, body, secrets_of(to)))
    except (NotReached, InputRefused):
        return 0


def _judge(p: Processing, delivery: Delivery, status: int) -> str:
    values: dict[str, Any] = {"status": status, "attempts": delivery.attempts + 1}
    if 200 <= status < 300:
        deliveries.change(p.session, delivery.controller, delivery.id, acknowledged_at=p.now, sealed=b"", **values)
        return "acknowledged"
    if status == GONE or delivery.attempts >= len(WAITS):
        deliveries.change(p.session, delivery.controller, delivery.id, failed_at=p.now, **values)
        return "given_up"
    jitter = (
        delivery.id >> delivery.attempts
    ) % 201 - 100  # thousandths, from the number: at random, and the same again
    next_at = p.now + WAITS[delivery.attempts] * (1_000 + jitter) // 1_000
    deliveries.change(p.session, delivery.controller, delivery.id, next_at=next_at, **values)
    return "later"


def told(p: Processing, controller: int, subject: int) -> list[Told]:
    """What every recipient was told about somebody, oldest first; also by a reference whose key is destroyed."""
    return [
        Told(one.recipient, one.event, one.created_at, one.acknowledged_at, one.failed_at)
        for one in deliveries.of_subject(p.session, controller, subject)
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with one recipient: messages acknowledged, waiting, late and given up."""

    name: str
    disabled: bool
    acknowledged: int
    waiting: int
    overdue: int
    failed: int


def standing(p: Processing, controller: int) -> list[Standing]:
    """How it stands with every recipient of a controller. Raises InputRefused (field `controller`)."""
    found = []
    for recipient in p.controller(controller).processors:
        if recipient.webhook:
            theirs = deliveries.of_recipient(p.session, controller, recipient.name)
            waiting = [one for one in theirs if one.waiting]
            found.append(
                Standing(
                    recipient.name,
                    deliveries.is_disabled(p.session, controller, recipient.name),
                    sum(one.acknowledged_at is not None for one in theirs),
                    len(waiting),
                    sum(p.now - one.created_at > OVERDUE for one in waiting),
                    sum(one.failed_at is not None and bool(one.sealed) for one in theirs),
                )
            )
    return found


def replay(p: Processing, controller: int, name: str) -> int:
    """Try everything again that was given up, and enable a recipient that had said it is gone; how many messages.

    Raises InputRefused (field `recipient`).
    """
    if name not in {one.name for one in p.controller(controller).processors if one.webhook}:
        raise InputRefused.one("recipient", f"{name!r} is not configured with a webhook")
    return deliveries.try_again(p.session, controller, name, p.now)
