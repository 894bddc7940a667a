"""What our mails say about a request, from the texts of the person's locale: what happens now, what they can do.

Every letter names the request, says what its answer covers, and every answer names the remedies (GDPR Art. 12(4)).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from consent_track.activities.corresponding import Message, Said
from consent_track.domain.controller import Controller
from consent_track.domain.rights import DISCLOSING, Ground, Right, Stage, code_of
from consent_track.i18n import Texts
from consent_track.mail.letter import Letter

_SILENT: Final = frozenset({Right.OPT_OUT, Right.LIMIT})


def letter_about(texts: Texts, controller: Controller, said: Said) -> Letter:
    """The letter that tells where a request stands."""
    request, name = said.request, {"controller": controller.name}
    code, zone = code_of(request.id), ZoneInfo(controller.time_zone)
    received = datetime.fromtimestamp(request.received_at, UTC).astimezone(zone).date()
    right = texts.get(f"request.right.{request.asked}")
    paragraphs = [texts.get("request.mail.asked", day=texts.day(received), right=right, code=code)]
    paragraphs += _ANSWERS[said.message](texts, controller, said)
    small = []
    if said.message is Message.ANSWER:
        if request.stage not in (Stage.REVOKED, Stage.EXPIRED):
            small += [texts.get("request.mail.searched"), texts.get("request.mail.remedy")]
        if said.appeal:
            small.append(texts.get("request.mail.appeal", contact=controller.contact))
        small.append(texts.get("request.mail.covers", contact=controller.contact, **name))
    small += [texts.get("footer.not_measured_by_us", **name)]
    if controller.postal_address:
        small.append(f"{controller.name}, {' '.join(controller.postal_address.split())}")
    buttons = ((texts.get("request.mail.button"), said.link),) if said.link else ()
    return Letter(
        texts.get("request.mail.subject", code=code, **name), tuple(paragraphs), buttons, tuple(small), texts.locale,
        texts.direction,
    )  # fmt: skip


def _confirm(texts: Texts, _controller: Controller, said: Said) -> Iterator[str]:
    yield texts.get("request.mail.confirm")
    yield _due(texts, said)


def _ready(texts: Texts, _controller: Controller, _said: Said) -> Iterator[str]:
    yield texts.get("request.mail.ready")


def _received(texts: Texts, _controller: Controller, said: Said) -> Iterator[str]:
    yield _due(texts, said)


def _reminder(texts: Texts, _controller: Controller, said: Said) -> Iterator[str]:
    yield texts.get("request.mail.reminder")
    yield _due(texts, said)


def _cooling(texts: Texts, controller: Controller, said: Said) -> Iterator[str]:
    until = said.request.cools_until or said.request.due_at
    yield texts.get("request.mail.cooling", moment=texts.moment(until, controller.time_zone))


def _extended(texts: Texts, _controller: Controller, said: Said) -> Iterator[str]:
    due = texts.day(said.request.due_on)
    yield texts.get("request.mail.extended", day=due, reason=said.written.extension)


def _answer(texts: Texts, controller: Controller, said: Said) -> Iterator[str]:
    request, stage = said.request, said.request.stage
    if stage is Stage.FULFILLED:
        yield from _done(texts, said)
    elif stage in (Stage.REFUSED, Stage.PARTLY_FULFILLED):
        if said.written.answer:
            yield said.written.answer
        kind = "refused" if stage is Stage.REFUSED else "partly"
        articles = Ground(request.ground).articles
        yield texts.get(f"request.mail.{kind}", reason=said.written.refusal, articles=articles)
    else:
        yield texts.get(_ENDS[stage])
    if stage is Stage.EXPIRED and request.asked in DISCLOSING:
        yield texts.get("request.mail.categories", url=controller.privacy_policy)


def _done(texts: Texts, said: Said) -> Iterator[str]:
    asked, results = said.request.asked, said.written.results
    if asked in DISCLOSING:
        yield texts.get("request.mail.done.access")
    elif asked is Right.ERASURE:
        yield texts.get("request.mail.done.erasure")
        yield texts.get("request.mail.done.kept", articles=articles_of(results.get("kept", {})))
    elif asked is Right.RESTRICTION:
        yield texts.get("request.mail.done.restriction")
    elif asked is Right.OBJECTION and results.get("erase_on"):
        yield texts.get("request.mail.done.objection", day=texts.day(date.fromisoformat(results["erase_on"])))
    elif asked in _SILENT or asked is Right.OBJECTION:
        yield texts.get("request.mail.done.silent")
    if said.written.answer:
        yield said.written.answer


def articles_of(kept: dict[str, str]) -> str:
    """The articles under which something stays, each once."""
    return "; ".join(dict.fromkeys(part for article in kept.values() for part in article.split("; ")))


def _due(texts: Texts, said: Said) -> str:
    return texts.get("request.mail.due", day=texts.day(said.request.due_on))


_ENDS: Final = {
    Stage.NOTHING_HELD: "request.mail.nothing",
    Stage.NOT_IDENTIFIABLE: "request.mail.not_identifiable",
    Stage.EXPIRED: "request.mail.expired",
    Stage.REVOKED: "request.mail.revoked",
}
_ANSWERS: Final = {
    Message.CONFIRM: _confirm,
    Message.READY: _ready,
    Message.RECEIVED: _received,
    Message.REMINDER: _reminder,
    Message.COOLING: _cooling,
    Message.EXTENDED: _extended,
    Message.ANSWER: _answer,
}
