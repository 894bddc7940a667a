"""The yearly numbers of requests: received, complied with, denied, and how many days it took (11 CCR 7102).

Counts only: the log they are made from names nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from consent_track.domain.rights import Right, Stage
from consent_track.records import requests
from consent_track.records.requests import Request

from . import Processing

_WHOLE = frozenset({Stage.FULFILLED, Stage.NOTHING_HELD})
_DENIED = frozenset({Stage.REFUSED, Stage.NOT_IDENTIFIABLE, Stage.EXPIRED})


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the requests of one kind that were received in a period. Days are whole calendar days.

    `complied` in whole, `partly` in part; `denied` counts those that nobody proved to be theirs, too; `by_ground` says
    on which ground the others were refused. Median and mean are over the answered ones; None where there is none.
    """

    asked: Right
    received: int
    complied: int
    partly: int
    denied: int
    revoked: int
    open: int
    late: int
    median_days: int | None
    mean_days: int | None
    by_ground: dict[str, int]


def tally(p: Processing, controller: int, since: date, until: date) -> list[Tally]:
    """The numbers of every kind of request received from `since` to before `until`, in the controller's time zone.

    Raises InputRefused (field `controller`).
    """
    zone = ZoneInfo(p.controller(controller).time_zone)
    begin, end = (int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) for day in (since, until))
    found = requests.received_between(p.session, controller, begin, end)
    return [_one(asked, [one for one in found if one.asked is asked], zone, p.now) for asked in Right]


def _one(asked: Right, found: list[Request], zone: ZoneInfo, now: int) -> Tally:
    answered = [one for one in found if one.closed_at is not None and one.stage is not Stage.REVOKED]
    days = sorted(_days(one.received_at, one.closed_at or now, zone) for one in answered)
    grounds: dict[str, int] = {}
    for one in found:
        if one.ground:
            grounds[one.ground] = grounds.get(one.ground, 0) + 1
    return Tally(
        asked,
        received=len(found),
        complied=_count(found, _WHOLE),
        partly=_count(found, {Stage.PARTLY_FULFILLED}),
        denied=_count(found, _DENIED),
        revoked=_count(found, {Stage.REVOKED}),
        open=sum(one.closed_at is None for one in found),
        late=sum((one.closed_at or now) > one.due_at for one in found),
        median_days=_median(days),
        mean_days=round(sum(days) / len(days)) if days else None,
        by_ground=grounds,
    )


def _count(found: Iterable[Request], stages: Iterable[Stage]) -> int:
    wanted = frozenset(stages)
    return sum(one.stage in wanted for one in found)


def _days(begin: int, end: int, zone: ZoneInfo) -> int:
    first, last = (datetime.fromtimestamp(at, UTC).astimezone(zone).date() for at in (begin, end))
    return (last - first).days


def _median(days: list[int]) -> int | None:
    """The middle one; of two in the middle, their mean rounded to the nearest whole day."""
    if not days:
        return None
    half = len(days) // 2
    return days[half] if len(days) % 2 else round((days[half - 1] + days[half]) / 2)
