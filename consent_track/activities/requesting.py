"""Requests of people, from the first contact to the answer: opened, proved, extended, refused, taken back, expired.

Every step is looked up in one table (`domain.rights`), written down, and told to the person by `corresponding`. What a
request comes to in the data is the work of `fulfilling`.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from consent_track.crypto import sealing
from consent_track.domain import rights
from consent_track.domain.address import is_role, normalise
from consent_track.domain.errors import InputRefused, KeyMisuse
from consent_track.domain.rights import CODE_BITS, DISCLOSING, Channel, Proof, Refusal, Right, Stage, Step
from consent_track.records import requests
from consent_track.records.requests import Address, Request, Taken

from . import Processing, holding, knowing, scheduling

__all__ = [
    "Address",
    "Opening",
    "Request",
    "Written",
    "add_address",
    "addresses",
    "close",
    "extend",
    "find",
    "forget_writing",
    "narrow",
    "note",
    "of_address",
    "open_",
    "pause",
    "prove",
    "proved_addresses",
    "refuse",
    "resume",
    "written",
]  # fmt: skip

Begin = Callable[[], AbstractContextManager[Processing]]

LONGEST_TEXT: Final = 4_000
MOST_ADDRESSES: Final = 10
COOL_OFF: Final = 48 * 3_600  # seconds in which a verified erasure can be taken back (threat T15)
# What was written in a request, and to which address, is needed while the answer can be fetched and appealed against.
WRITING_KEPT: Final = 60 * 86_400
LABEL: Final = "request"
ADDRESS: Final = "request address"


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known when a request arrives. `received_at` is the first contact, whatever channel it was (7020(e))."""

    asked: Right
    address: str
    channel: Channel
    received_at: int
    jurisdictions: tuple[str, ...]
    locale: str = ""
    wrote: str = ""  # what the person wrote, where words are needed
    asked_by: str = ""
    follows: int = 0  # the request an appeal or a complaint is about
    proofs: frozenset[Proof] = frozenset()
    actor: str = "subject"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written in a request, by the person and to the person; sealed while the request is kept readable."""

    wrote: str = ""
    extension: str = ""
    refusal: str = ""
    answer: str = ""
    results: Mapping[str, Any] = field(default_factory=dict)


def open_(p: Processing, controller: int, opening: Opening) -> Request:
    """Note a request and its clocks. Nothing is done yet, and nobody is believed.

    Raises InputRefused (field `address`, `controller`, `received`, `text`, `number`, `jurisdiction`).
    """
    owner = p.controller(controller)
    normal = normalise(opening.address)
    if opening.received_at > p.now:
        raise InputRefused.one("received", "lies in the future")
    if len(opening.wrote) > LONGEST_TEXT:
        raise InputRefused.one("text", f"is longer than {LONGEST_TEXT} characters")
    if opening.follows and requests.find(p.session, controller, opening.follows) is None:
        raise InputRefused.one("number", "no such request to follow")

    jurisdictions = tuple(dict.fromkeys(opening.jurisdictions)) or (owner.jurisdiction,)
    terms = scheduling.terms(p, owner, opening.asked, jurisdictions, opening.received_at)
    number = secrets.randbits(CODE_BITS) or 1
    subject = knowing.find(p, controller, normal) or 0
    locale = opening.locale or _locale_of(p, controller, subject) or owner.default_locale
    epoch, sealed = _sealed(p, controller, number, LABEL, _as_json(Written(opening.wrote)))
    request = Request(
        controller, number, opening.asked, opening.channel, Stage.VERIFYING, subject, jurisdictions, locale,
        opening.received_at, terms.acknowledge_by, terms.due_on, terms.due_at, terms.level, epoch, sealed,
        asked_by=opening.asked_by, follows=opening.follows,
    )  # fmt: skip
    requests.add(p.session, request)
    requests.take(p.session, request, Step.RECEIVED, opening.actor, opening.received_at, opening.channel)
    _add_address(p, request, normal, opening.proofs)
    if subject and opening.asked in DISCLOSING:
        holding.keep_for_request(p, controller, subject, number, request.due_at)
    return _judge(p, request, opening.actor)


def add_address(p: Processing, request: Request, address: str, actor: str, proofs: Iterable[Proof] = ()) -> Request:
    """Note that a request stands for another address of the same person; it counts once that address is proved, too.

    Raises InputRefused (field `address`, `step`).
    """
    normal = normalise(address)
    held = requests.addresses(p.session, request.controller, request.id)
    if any(one.tag == _tag(p, request.controller, normal) for one in held):
        raise InputRefused.one("address", "stands in the request already")
    if len(held) >= MOST_ADDRESSES:
        raise InputRefused.one("address", f"is one too many: a request stands for at most {MOST_ADDRESSES}")
    request = _stepped(p, request, Step.ADDRESS_ADDED, actor)
    _add_address(p, request, normal, frozenset(proofs))
    return _judge(p, request, actor)


def prove(p: Processing, request: Request, number: int, proof: Proof, actor: str) -> Request:
    """Note how somebody showed that address `number` of a request is theirs. Raises InputRefused (field `address`)."""
    held = {one.number: one for one in requests.addresses(p.session, request.controller, request.id)}
    if number not in held:
        raise InputRefused.one("address", "does not stand in the request")
    one = held[number]
    requests.save_address(p.session, replace(one, proofs=one.proofs | {proof}, proved_at=one.proved_at or p.now))
    return _judge(p, request, actor)


def _judge(p: Processing, request: Request, actor: str) -> Request:
    """Where a request stands by the proofs of its first address; further ones are looked at when it is carried out."""
    first = requests.addresses(p.session, request.controller, request.id)[0]
    proved = rights.level_of(frozenset(Proof(one) for one in first.proofs))
    if proved.rank > request.level_proved.rank:
        request = replace(request, level_proved=proved)
        requests.save(p.session, request)
    if request.stage is not Stage.VERIFYING or proved.rank < request.level_needed.rank:
        return request
    by_form = request.channel in (Channel.PORTAL, Channel.MAIL_LINK)
    cools = by_form and request.asked is Right.ERASURE and not request.asked_by
    if cools:
        request = replace(request, cools_until=min(p.now + COOL_OFF, request.due_at))
    holding.keep_until_answered(p, request.controller, request.id, request.due_at)
    return _stepped(p, request, Step.VERIFIED, actor, proved, cools_off=cools)


def extend(p: Processing, request: Request, reason: str, actor: str) -> Request:
    """Take longer, once, for a reason the person is told before the first period ends (GDPR Art. 12(3); DD-02).

    Raises InputRefused (field `reason`, `extension`).
    """
    if not reason.strip():
        raise InputRefused.one("reason", "is needed: the person is told why (GDPR Art. 12(3))")
    if request.extended_at is not None:
        raise InputRefused.one("extension", "was used already: there is one only")
    if p.now > request.due_at:
        raise InputRefused.one("extension", "comes too late: the first period is over")
    owner = p.controller(request.controller)
    longer = scheduling.extended(p, owner, request.asked, request.jurisdictions, request.received_at)
    if longer is None:
        raise InputRefused.one("extension", "is not known to the law that applies")
    request = replace(request, extended_at=p.now, due_on=longer.day, due_at=longer.at)
    request = _rewritten(p, request, extension=reason.strip())
    return _stepped(p, request, Step.EXTENDED, actor, longer.day.isoformat())


def pause(p: Processing, request: Request, ground: str, actor: str) -> Request:
    """Stop the clock, where the law allows it for this reason. Raises InputRefused (field `ground`, `step`)."""
    scheduling.check_pause(p, request.jurisdictions, ground)
    if request.paused_at is not None:
        raise InputRefused.one("step", "the clock stands already")
    return _stepped(p, replace(request, paused_at=p.now), Step.PAUSED, actor, ground)


def resume(p: Processing, request: Request, actor: str) -> Request:
    """Let the clock run again; what is due moves by the time it stood. Raises InputRefused (field `step`)."""
    if request.paused_at is None:
        raise InputRefused.one("step", "the clock is running")
    stood = p.now - request.paused_at
    owner = p.controller(request.controller)
    later = scheduling.moved(p, owner, request.jurisdictions, request.due_at, stood)
    request = replace(request, paused_at=None, paused_for=request.paused_for + stood, due_on=later.day, due_at=later.at)
    return _stepped(p, request, Step.RESUMED, actor, str(stood))


def refuse(p: Processing, request: Request, refusal: Refusal, actor: str) -> Request:
    """Answer with a no and its reasons (GDPR Art. 12(4)).

    Raises InputRefused (field `reason`, `evidence`, `ground`).
    """
    rights.check_refusal(request.asked, refusal)
    request = replace(request, ground=refusal.ground, evidence=refusal.evidence)
    return _stepped(p, _rewritten(p, request, refusal=refusal.reason.strip()), Step.REFUSED, actor, refusal.ground)


def close(
    p: Processing, request: Request, step: Step, actor: str, *, refusal: Refusal | None = None, **written: Any
) -> Request:
    """Note that a request is answered: `step` says how. A part that is refused needs its ground (11 CCR 7101(b))."""
    if step is Step.PARTLY_FULFILLED:
        if refusal is None:
            raise InputRefused.one("ground", "is needed: a part was refused")
        rights.check_refusal(request.asked, refusal)
        request = replace(request, ground=refusal.ground, evidence=refusal.evidence)
        written["refusal"] = refusal.reason.strip()
    return _stepped(p, _rewritten(p, request, **written), step, actor)


def note(p: Processing, request: Request, step: Step, actor: str, detail: str = "") -> Request:
    """Note a step that changes nothing but the log, such as an acknowledgement or a fetched answer."""
    if step is Step.ACKNOWLEDGED and request.acknowledged_at is None:
        request = replace(request, acknowledged_at=p.now)
    return _stepped(p, request, step, actor, detail)


def narrow(p: Processing, request: Request, actor: str) -> Request:
    """Answer by categories, because the proof that specific pieces need was not given (11 CCR 7024(a)).

    Raises InputRefused (field `step`) where it is no request for access.
    """
    if request.asked is not Right.ACCESS and request.asked is not Right.PORTABILITY:
        raise InputRefused.one("step", f"{request.asked} has no categories to answer with")
    owner = p.controller(request.controller)
    asked = Right.ACCESS_CATEGORIES
    level = scheduling.terms(p, owner, asked, request.jurisdictions, request.received_at).level
    narrowed = replace(request, asked=asked, level_needed=level)
    return _judge(p, _stepped(p, narrowed, Step.NARROWED, actor, request.asked), actor)


def find(p: Processing, controller: int, number: int, *, lock: bool = False) -> Request:
    """One request. Raises InputRefused (field `number`)."""
    p.controller(controller)
    request = requests.find(p.session, controller, number, lock=lock)
    if request is None:
        raise InputRefused.one("number", f"no request has the number {rights.code_of(number)}")
    return request


def of_address(p: Processing, controller: int, address: str) -> list[Request]:
    """Every request for an address, also long after who asked was forgotten. Raises InputRefused (field `address`)."""
    return requests.of_tag(p.session, controller, _tag(p, controller, normalise(address)))


def listed(p: Processing, controller: int, *, everything: bool = False) -> list[Request]:
    """The requests that are open, the next due first; with `everything`, then those that are answered."""
    found = requests.open_ones(p.session, controller)
    return [*found, *requests.closed_between(p.session, controller, 0, p.now + 1)] if everything else found


def is_late(p: Processing, request: Request) -> bool:
    """Whether the answer, or the receipt, is overdue. A clock that stands is never late."""
    if request.closed_at is not None or request.paused_at is not None:
        return False
    return p.now > request.due_at or (request.acknowledged_at is None and p.now > request.acknowledge_by)


def is_urgent(p: Processing, request: Request) -> bool:
    """Whether less than a fifth of the time is left (DD-12)."""
    whole = request.due_at - request.received_at
    return request.closed_at is None and request.paused_at is None and (request.due_at - p.now) * 5 < whole


def steps(p: Processing, request: Request) -> list[Taken]:
    """What was done about a request, in order."""
    return requests.steps(p.session, request.controller, request.id)


def first_address(p: Processing, request: Request) -> str:
    """The address a request came with. Raises InputRefused (field `number`) once it is forgotten."""
    for _, address in addresses(p, request):
        return address
    raise InputRefused.one("number", "was answered long ago; to which address is no longer known")


def written(p: Processing, request: Request) -> Written | None:
    """What was written in a request; None once it is forgotten."""
    plain = _unsealed(p, request.controller, request.id, LABEL, request.epoch, request.sealed)
    return None if plain is None else Written(**json.loads(plain))


def addresses(p: Processing, request: Request) -> Iterator[tuple[Address, str]]:
    """The addresses of a request that can still be read, as they are noted and in clear."""
    for one in requests.addresses(p.session, request.controller, request.id):
        place = address_label(request.id, one.number)
        plain = _unsealed(p, request.controller, *place, one.epoch, one.sealed)
        if plain is not None:
            yield one, plain.decode()


def proved_addresses(p: Processing, request: Request) -> list[str]:
    """Those addresses of a request that were proved as surely as what is asked for needs."""
    enough = request.level_needed.rank
    return [
        address
        for one, address in addresses(p, request)
        if rights.level_of(frozenset(Proof(name) for name in one.proofs)).rank >= enough
    ]


def forget_writing(begin: Begin, limit: int = 100) -> int:
    """Drop what was written in requests that were answered long ago; how many they were (11 CCR 7060(d))."""
    total = 0
    while True:
        with begin() as p:
            old = requests.with_writing(p.session, p.now - WRITING_KEPT, limit)
            for request in old:
                requests.forget_writing(p.session, request)
        total += len(old)
        if len(old) < limit:
            return total


def _stepped(
    p: Processing, request: Request, step: Step, actor: str, detail: str = "", *, cools_off: bool = False
) -> Request:
    stage = rights.follow(request.stage, step, cools_off=cools_off)
    closed_at = p.now if stage.closed and not request.stage.closed else request.closed_at
    request = replace(request, stage=stage, closed_at=closed_at if stage.closed else None)
    if stage.closed and step is Step.REFUSED and not request.ground:
        raise InputRefused.one("ground", "is needed: the log of requests names the basis of a denial (11 CCR 7101(b))")
    requests.take(p.session, request, step, actor, p.now, detail)
    requests.save(p.session, request)
    if closed_at == p.now:
        holding.release(p, request.controller, request.id)
    return request


def _rewritten(p: Processing, request: Request, **values: Any) -> Request:
    said = written(p, request)
    if said is None:
        return request
    epoch, sealed = _sealed(p, request.controller, request.id, LABEL, _as_json(replace(said, **values)))
    return replace(request, epoch=epoch, sealed=sealed)


def _add_address(p: Processing, request: Request, normal: str, proofs: frozenset[Proof]) -> None:
    number = len(requests.addresses(p.session, request.controller, request.id)) + 1
    epoch, sealed = _sealed(p, request.controller, *address_label(request.id, number), normal.encode())
    subject = knowing.find(p, request.controller, normal) or 0
    names = frozenset(proof.value for proof in proofs)
    if is_role(normal) and Proof.MAILBOX in proofs:  # whoever reads a role's mailbox is not one person (decision 5)
        names -= {Proof.MAILBOX.value}
    requests.add_address(
        p.session,
        Address(request.controller, request.id, number, _tag(p, request.controller, normal), subject, epoch, sealed,
                names, p.now if names else None),
    )  # fmt: skip


def address_label(request: int, number: int) -> tuple[int, str]:
    """For which place address `number` of a request is sealed: a number of its own, and a label."""
    return request ^ number << CODE_BITS, ADDRESS


def _locale_of(p: Processing, controller: int, subject: int) -> str:
    who = knowing.person(p, controller, subject) if subject else None
    return who.locale if who else ""


def _tag(p: Processing, controller: int, normal: str) -> bytes:
    return sealing.proof_tag(p.keys.proof_index, controller, normal)


def _sealed(p: Processing, controller: int, number: int, label: str, plain: bytes) -> tuple[int, bytes]:
    """Sealed under the epoch, not under the person's key: the answer to an erasure still has to reach them."""
    epoch = p.keys.epoch()
    return epoch.id, sealing.seal_until_known(epoch, controller, number, label, plain)


def _unsealed(p: Processing, controller: int, number: int, label: str, epoch: int, sealed: bytes) -> bytes | None:
    if not sealed:
        return None
    try:
        return sealing.unseal_until_known(p.keys.epoch(epoch), controller, number, label, sealed)
    except (sealing.SealBroken, KeyMisuse):
        return None


def _as_json(said: Written) -> bytes:
    plain = {name: getattr(said, name) for name in Written.__slots__}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()
