"""When a person's choice falls due for something: it lapses, wants to be reconfirmed, or may be asked for again.

Months are calendar months, counted in UTC: what begins on 31 August and lasts six months ends on the last of February.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from .consent import Choice
from .policy import Policy
from .vocabulary import GRANTING, Status

_DAY: Final = 86_400
# No calendar month is shorter: before this many days a limit in months cannot be over, and no calendar is read.
_SHORTEST_MONTH: Final = 28

NOES: Final = frozenset({Status.REFUSED, Status.REFUSED_BY_SILENCE, Status.WITHDRAWN, Status.OBJECTED})


@dataclass(frozen=True, slots=True)
class Clocks:
    """What falls due for one choice, as instants in seconds; None where the policy sets no such clock."""

    lapses_at: int | None  # from then on the consent no longer counts
    reconfirm_at: int | None  # then the person is to be asked whether it still stands (Network Act Art. 50(8))
    result_notice_by: int | None  # by then the person is to be told what became of the choice
    ask_again_at: int | None  # after a no, nobody asks before (CNIL 2026-042; Cal. Civ. Code 1798.135(c)(4))


def months_later(at: int, months: int) -> int:
    """The same day and second `months` calendar months after an instant, or the last day of a shorter month."""
    then = datetime.fromtimestamp(at, UTC)
    years, month = divmod(then.year * 12 + then.month - 1 + months, 12)
    last = calendar.monthrange(years, month + 1)[1]
    return int(then.replace(year=years, month=month + 1, day=min(then.day, last)).timestamp())


def is_over(since: int, months: int, now: int) -> bool:
    """Whether `months` calendar months have passed at `now`; cheap where they plainly have not."""
    return now - since >= months * _SHORTEST_MONTH * _DAY and now >= months_later(since, months)


def clocks_of(choice: Choice, policy: Policy) -> Clocks:
    """What falls due for a choice under a policy; a renewed consent counts from its renewal."""
    grants, refuses = choice.status in GRANTING, choice.status in NOES
    lapse, reconfirm = policy.limit("consent_lapse_months"), policy.limit("reconfirm_months")
    notice = policy.limit("result_notice_days")
    ends = [] if lapse is None else [months_later(choice.since, lapse)]
    ends += [] if choice.expires_at is None else [choice.expires_at]
    return Clocks(
        lapses_at=min(ends) if grants and ends else None,
        reconfirm_at=months_later(choice.since, reconfirm) if grants and reconfirm is not None else None,
        result_notice_by=choice.since + notice * _DAY if (grants or refuses) and notice is not None else None,
        ask_again_at=months_later(choice.since, policy.number("re_ask_cooldown_months")) if refuses else None,
    )
