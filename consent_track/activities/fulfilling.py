"""Doing what a person asked for: shown, erased, restricted, silenced, corrected. One transaction, with its answer.

Each right has its row in a table below; what a request came to stands in its log and in the letter.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from consent_track.crypto import sealing
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import BY_HAND, DISCLOSING, Refusal, Right, Stage, Step
from consent_track.domain.vocabulary import Grade
from consent_track.records import datamap, kept_answers, requests
from consent_track.records.requests import Request

from . import Processing, accessing, answering, consenting, holding, knowing, requesting
from .consenting import Unknown
from .entering import How

Begin = Callable[[], AbstractContextManager[Processing]]

ANSWER_KEPT: Final = 7 * 86_400
ANSWER: Final = "answer"


@dataclass(frozen=True, slots=True)
class Whose:
    """One proved address of a request, and the person behind it, if there is one."""

    address: str
    subject: int | None


@dataclass(frozen=True, slots=True)
class Came:
    """What a request came to: how it ends, and what its letter says of it."""

    step: Step
    results: Mapping[str, Any] = field(default_factory=dict)


def carry_out(p: Processing, request: Request, actor: str) -> Request:
    """Carry out a request that is proved, and close it; after an erasure, `answering.finish` has to follow.

    Safe to repeat: what is answered stays as it is. Raises InputRefused (field `step`) where nobody is proved to ask
    yet, where it can still be taken back, and where a person has to answer.
    """
    if request.stage.closed:
        return request
    if request.asked in BY_HAND:
        raise InputRefused.one("step", f"{request.asked} is answered by a person: consent-track request answer")
    if request.stage is Stage.VERIFYING:
        raise InputRefused.one("step", "nobody proved yet to be the person")
    if request.stage is Stage.COOLING_OFF and request.cools_until is not None and p.now < request.cools_until:
        raise InputRefused.one("step", "can still be taken back, and is carried out after that")

    whose = [
        Whose(address, knowing.find(p, request.controller, address))
        for address in requesting.proved_addresses(p, request)
    ]
    if all(one.subject is None for one in whose):
        return requesting.close(p, request, Step.NOTHING_HELD, actor)
    if request.asked is Right.ERASURE and any(
        one.subject and holding.is_held_legally(p, request.controller, one.subject) for one in whose
    ):
        raise InputRefused.one("step", "a legal hold stands: lift it, or refuse with its ground (GDPR Art. 17(3)(e))")
    came = _DO[request.asked](p, request, whose, actor)
    return requesting.close(p, request, came.step, actor, results=dict(came.results))


def answer_by_hand(
    p: Processing, request: Request, text: str, actor: str, *, refusal: Refusal | None = None
) -> Request:
    """A person's answer to a complaint, an appeal or a correction; with `refusal`, it says no to a part of it.

    Raises InputRefused (field `text`, `step`, `reason`, `evidence`).
    """
    if not text.strip():
        raise InputRefused.one("text", "is needed: it is the answer")
    step = Step.PARTLY_FULFILLED if refusal else Step.FULFILLED
    return requesting.close(p, request, step, actor, refusal=refusal, answer=text.strip())


def _how(request: Request, actor: str, method: str = "request") -> How:
    grade = Grade.MAILBOX_LOOP if request.level_proved.rank else Grade.OPERATOR
    return How(
        method, grade, "subject" if actor == "subject" else "operator", request.locale, source=request.channel,
        flow_id=f"{request.id:x}", jurisdiction=request.jurisdictions[0], asked_at=request.received_at,
    )  # fmt: skip


def _show(p: Processing, request: Request, whose: list[Whose], actor: str) -> Came:
    """The answer as the data stands now, kept for a week, each part under its own person's key."""
    parts = []
    for one in whose:
        part = accessing.part_of(p, request.controller, one.subject) if one.subject else None
        data_key = knowing.key_of(p, request.controller, one.subject) if one.subject else None
        if part is None or one.subject is None or data_key is None:
            continue
        parts.append(part)
        by_kind = request.asked is Right.ACCESS_CATEGORIES
        shown = part.by_kind() if by_kind else part.as_json()
        plain = gzip.compress(json.dumps(shown, ensure_ascii=False).encode(), mtime=0)
        label = f"{ANSWER}:{request.id}"
        sealed = sealing.seal(data_key, request.controller, one.subject, label, plain)
        kept_answers.keep(p.session, request.controller, request.id, one.subject, sealed, p.now + ANSWER_KEPT)
    if request.asked is Right.ACCESS_CATEGORIES:
        return Came(Step.FULFILLED)
    short = accessing.short(parts)
    days = {
        name: value.isoformat() if value else None for name, value in (("first", short.first), ("last", short.last))
    }
    return Came(Step.FULFILLED, asdict(short) | days)


def kept_answer(p: Processing, request: Request) -> list[dict[str, Any]]:
    """The parts of an answer that can still be fetched, as they were made; none once it is over or somebody erased."""
    found = []
    for subject, sealed in kept_answers.parts(p.session, request.controller, request.id):
        data_key = knowing.key_of(p, request.controller, subject)
        if data_key is not None:
            label = f"{ANSWER}:{request.id}"
            found.append(
                json.loads(gzip.decompress(sealing.unseal(data_key, request.controller, subject, label, sealed)))
            )
    return found


def kept_until(p: Processing, request: Request) -> int:
    """Until when the answer can be fetched."""
    return kept_answers.until(p.session, request.controller, request.id) or p.now


def results_of(p: Processing, request: Request) -> Mapping[str, Any]:
    """What a request came to, in short; empty once what was written in it is forgotten."""
    said = requesting.written(p, request)
    return said.results if said else {}


def fetched(p: Processing, request: Request) -> accessing.Value:
    """The whole answer as a document, and a note that it was fetched."""
    found = requesting.find(p, request.controller, request.id, lock=True)
    document = accessing.document(p, found, kept_answer(p, found))
    requesting.note(p, found, Step.ANSWER_FETCHED, "subject")
    return document


def forget_answers(begin: Begin) -> int:
    """Delete answers whose week is over; how many parts."""
    with begin() as p:
        return kept_answers.remove_over(p.session, p.now)


def _erase(p: Processing, request: Request, whose: list[Whose], actor: str) -> Came:
    deleted: dict[str, int] = {}
    for one in whose:
        erased = answering.erase_in(p, request.controller, one.address, _how(request, actor))
        for table, count in erased.deleted.items():
            deleted[table] = deleted.get(table, 0) + count
    return Came(Step.FULFILLED, {"deleted": deleted, "kept": datamap.kept()})


def _object(p: Processing, request: Request, whose: list[Whose], actor: str) -> Came:
    return _silenced(
        p, request, whose, lambda subject: consenting.object_to(p, request.controller, subject, _how(request, actor))
    )


def _opt_out(p: Processing, request: Request, whose: list[Whose], actor: str) -> Came:
    """Opting out and limiting both end all individual measuring: what is not measured is neither sold nor used."""
    return _silenced(
        p, request, whose, lambda subject: consenting.turn_off(p, request.controller, subject, _how(request, actor))
    )


def _silenced(
    p: Processing, request: Request, whose: list[Whose], do: Callable[[int], consenting.Done | Unknown]
) -> Came:
    erase_on = None
    for one in whose:
        done = do(one.subject) if one.subject else Unknown.SUBJECT
        if not isinstance(done, Unknown) and done.erase_on:
            erase_on = max(erase_on or done.erase_on, done.erase_on)
    return Came(Step.FULFILLED, {"erase_on": erase_on.isoformat() if erase_on else None})


def _restrict(p: Processing, request: Request, whose: list[Whose], actor: str) -> Came:
    for one in whose:
        if one.subject:
            consenting.mark(p, request.controller, one.subject, _how(request, actor), restricted=True)
    return Came(Step.FULFILLED)


_DO: Final[Mapping[Right, Callable[[Processing, Request, list[Whose], str], Came]]] = {
    **dict.fromkeys(DISCLOSING, _show),
    Right.ERASURE: _erase,
    Right.OBJECTION: _object,
    Right.OPT_OUT: _opt_out,
    Right.LIMIT: _opt_out,
    Right.RESTRICTION: _restrict,
}


def ready(p: Processing) -> list[Request]:
    """The requests that can be carried out now without a person."""
    return [
        request
        for request in requests.open_ones(p.session)
        if request.asked not in BY_HAND
        and (
            request.stage is Stage.IN_PROGRESS
            or (request.stage is Stage.COOLING_OFF and request.cools_until is not None and p.now >= request.cools_until)
        )
    ]
