"""Our own mails to people: put into the outbox with what decided them, and offered to the mail server until taken.

None of them measures anything. What waits is sealed under the person's own key, so it goes with an erasure.
"""

import json
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from consent_track.crypto import sealing
from consent_track.domain.asking import is_open
from consent_track.domain.errors import KeyMisuse, SendFailed
from consent_track.records import consent, outbox

from . import Processing, knowing

Begin = Callable[[], AbstractContextManager[Processing]]

AT_ONCE: Final = 20
LEASE: Final = 600  # a mail under way belongs to one worker for this long; then another may try. Seconds
# Waits after each failed attempt; about three days together (RFC 5321 4.5.4.1 asks for four to five at a relay, but
# what these mails ask for is over by then). Seconds.
WAITS: Final = (60, 300, 900, 3_600, 7_200, 14_400, 28_800, 43_200, 57_600, 86_400)
FAILURES_KEPT: Final = 30 * 86_400
LABEL: Final = "outbox"
# A request to agree: it does not leave if the person said no while it waited.
REQUEST: Final = "consent_request"


class Post(Protocol):
    """Whoever hands mails to a mail server. Raises SendFailed."""

    def send(self, recipient: str, mail: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class _Envelope:
    mail: outbox.Waiting
    recipient: str
    octets: bytes


def queue(
    p: Processing,
    controller: int,
    subject: int,
    address: str,
    letter: bytes,
    kind: str,
    *,
    not_before: int | None = None,
    flow: int = 0,
) -> int:
    """Put one mail into the outbox; its number. `subject` is 0 for somebody who is not known yet."""
    number = secrets.randbits(63) or 1
    plain = json.dumps({"to": address}).encode() + b"\n" + letter
    epoch, sealed = seal_for(p, controller, subject, number, LABEL, plain)
    due = p.now if not_before is None else not_before
    outbox.add(p.session, outbox.Waiting(controller, number, subject, flow, kind, epoch, sealed, p.now, due))
    return number


def seal_for(p: Processing, controller: int, subject: int, number: int, label: str, plain: bytes) -> tuple[int, bytes]:
    """Seal what waits: under the person's own key (epoch 0), or under the epoch's while nobody is known."""
    data_key = knowing.key_of(p, controller, subject) if subject else None
    if data_key is not None:
        return 0, sealing.seal(data_key, controller, subject, f"{label}:{number}", plain)
    epoch = p.keys.epoch()
    return epoch.id, sealing.seal_until_known(epoch, controller, number, label, plain)


def unseal_for(
    p: Processing, controller: int, subject: int, number: int, label: str, epoch: int, sealed: bytes
) -> bytes | None:
    """What `seal_for` sealed; None once the key is gone, because the person was erased or the epoch is over."""
    try:
        if epoch:
            return sealing.unseal_until_known(p.keys.epoch(epoch), controller, number, label, sealed)
        data_key = knowing.key_of(p, controller, subject)
        return sealing.unseal(data_key, controller, subject, f"{label}:{number}", sealed) if data_key else None
    except (sealing.SealBroken, KeyMisuse):
        return None


def deliver(begin: Begin, post: Post) -> dict[str, int]:
    """Hand over the mails whose turn it is. Counts: handed over, to be tried again, given up, no longer wanted."""
    counts = {"sent": 0, "later": 0, "given_up": 0, "unwanted": 0}
    for envelope in _claimed(begin, counts):
        mail = envelope.mail
        try:
            post.send(envelope.recipient, envelope.octets)
        except SendFailed as failed:
            hopeless = failed.permanent or mail.attempts >= len(WAITS)
            counts["given_up" if hopeless else "later"] += 1
            with begin() as p:
                if hopeless:
                    outbox.give_up(p.session, mail.controller, mail.id, p.now)
                else:
                    wait = WAITS[mail.attempts]
                    outbox.try_again(p.session, mail.controller, mail.id, p.now + wait, mail.attempts + 1)
            continue
        with begin() as p:
            outbox.handed_over(p.session, mail.controller, mail.id)
        counts["sent"] += 1
    with begin() as p:
        outbox.forget_failed(p.session, p.now - FAILURES_KEPT)
    return counts


def waiting(p: Processing) -> int:
    """How many mails wait to be handed over."""
    return outbox.length(p.session)


def _claimed(begin: Begin, counts: dict[str, int]) -> list[_Envelope]:
    """Mails that are ours to hand over for the length of the lease; whatever nobody can read or wants any more goes."""
    envelopes = []
    with begin() as p:
        for mail in outbox.due(p.session, p.now, AT_ONCE):
            plain = unseal_for(p, mail.controller, mail.subject, mail.id, LABEL, mail.epoch, mail.sealed)
            if plain is None or not _wanted(p, mail):
                outbox.handed_over(p.session, mail.controller, mail.id)
                counts["unwanted"] += 1
                continue
            head, _, octets = plain.partition(b"\n")
            envelopes.append(_Envelope(mail, json.loads(head)["to"], octets))
            outbox.try_again(p.session, mail.controller, mail.id, p.now + LEASE, mail.attempts)
    return envelopes


def _wanted(p: Processing, mail: outbox.Waiting) -> bool:
    """Whether a mail may still leave: who said no meanwhile is not asked."""
    if mail.kind != REQUEST:
        return True
    state = consent.find_state(p.session, mail.controller, mail.subject)
    return state is not None and is_open(state, mail.created_at)
