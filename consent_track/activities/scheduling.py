"""When a request has to be answered, under every law that applies to the person: the earliest of them (DD-10)."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from consent_track.domain.controller import Controller
from consent_track.domain.deadlines import Due, Span, Unit, due, earliest
from consent_track.domain.errors import InputRefused
from consent_track.domain.procedure import Procedure
from consent_track.domain.rights import Level, Right

from . import Processing


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request has to keep: instants in seconds, the legal day, and how sure we have to be of who asks."""

    acknowledge_by: int
    due_on: date
    due_at: int
    level: Level


def terms(p: Processing, owner: Controller, asked: Right, jurisdictions: tuple[str, ...], received_at: int) -> Terms:
    """The terms of a request from its receipt on. Raises InputRefused (field `received`)."""
    laws = p.procedures.all_of(jurisdictions)
    receipt = earliest(_due(p, owner, law, law.acknowledgement(asked), received_at) for law in laws)
    answer = earliest(_due(p, owner, law, law.response(asked), received_at) for law in laws)
    level = max((law.level(asked) for law in laws), key=lambda one: one.rank)
    return Terms(min(receipt.at, answer.at), answer.day, answer.at, level)


def extended(
    p: Processing, owner: Controller, asked: Right, jurisdictions: tuple[str, ...], received_at: int
) -> Due | None:
    """Until when the answer may take if it is extended; None where one of the laws knows no extension."""
    found = []
    for law in p.procedures.all_of(jurisdictions):
        more = law.extension(asked)
        if more is None:
            return None
        found.append(_due(p, owner, law, _together(law.response(asked), more), received_at))
    return earliest(found)


def _together(first: Span, more: Span) -> Span:
    """One month and two more are three months, counted from the receipt: 31 January, three months, is 30 April."""
    if first.unit is not more.unit:
        raise InputRefused.one("extension", "is counted in another unit than the first period")
    return Span(first.value + more.value, first.unit)


def moved(p: Processing, owner: Controller, jurisdictions: tuple[str, ...], due_at: int, seconds: int) -> Due:
    """What is due, later by the time the clock stood (UK GDPR Art. 12A)."""
    law = p.procedures.all_of(jurisdictions)[0]
    days = -(-seconds // 86_400)
    return _due(p, owner, law, Span(days, Unit.DAYS), due_at)


def check_pause(p: Processing, jurisdictions: tuple[str, ...], ground: str) -> None:
    """Raises InputRefused (field `ground`) where one of the laws does not let the clock stand for that."""
    for law in p.procedures.all_of(jurisdictions):
        if ground not in law.pauses:
            raise InputRefused.one("ground", f"does not stop the clock under the law of {law.jurisdiction}")


def _due(p: Processing, owner: Controller, law: Procedure, span: Span, since: int) -> Due:
    return due(since, span, ZoneInfo(owner.time_zone), p.procedures.calendar(law), law.rollover)
