"""Why a table exists, whose it is, how long it stays and what erasure does to it.

Every table declares one Holding. Access, erasure and purge are loops over the holdings: there is no other list of
tables anywhere. Together they are the data map that GDPR Art. 30(1) asks for.
"""

from dataclasses import dataclass
from enum import Enum


class OnErasure(Enum):
    """What happens to rows about a person when that person is erased."""

    DELETE = "delete"
    KEEP = "keep"  # needs an article
    NOT_PERSONAL = "not_personal"


class Clock(Enum):
    """What the clock column of a table counts."""

    INSTANT = "instant"  # seconds since the epoch
    DAY = "day"  # a date


@dataclass(frozen=True, slots=True)
class Holding:
    """One entry of the data map.

    `data_class` names the retention class of the policies (None: bounded by something else, said in `bounded_by`).
    `subject_column` holds the subject reference (None: no row is about a person). `clock_column` is what the purge
    counts from. `article` is the ground for keeping rows through an erasure (GDPR Art. 17(3), 5(2)).
    """

    why: str
    data_class: str | None
    subject_column: str | None
    clock_column: str | None
    clock: Clock
    on_erasure: OnErasure
    article: str = ""
    bounded_by: str = ""
    measurement: bool = False  # data measured about a person: goes after a withdrawal, too (GDPR Art. 17(1)(b))

    def __post_init__(self) -> None:
        if self.on_erasure is OnErasure.KEEP and not self.article:
            raise ValueError(f"holding {self.why!r}: KEEP without an article")
        if self.data_class is None and not self.bounded_by:
            raise ValueError(f"holding {self.why!r}: neither a retention class nor a bound")
        if self.data_class is not None and self.clock_column is None:
            raise ValueError(f"holding {self.why!r}: a retention class without a clock")
        if self.subject_column is None and self.on_erasure is OnErasure.DELETE:
            raise ValueError(f"holding {self.why!r}: nothing links its rows to the person to be erased")
