"""Months of hits on PostgreSQL: a partition each, made ahead of time, and one for what fits nowhere.

SQLite keeps all hits in one table; there the functions do nothing.
"""

import re
from datetime import date
from typing import Final

from sqlalchemy import func, select, text
from sqlmodel import Session

DEFAULT: Final = "hit_default"
_NAME: Final = re.compile(r"hit_(default|y\d{4}m\d{2})")
_LOCK: Final = 0x636F6E73656E74  # any number, the same for all; held while partitions are made


def is_partition(name: str | None) -> bool:
    """Whether a table is a part of the hits table, which migrations neither make nor drop."""
    return name is not None and _NAME.fullmatch(name) is not None


def ensure_partitions(session: Session, today: date, months: int = 3) -> list[str]:
    """Make the partitions from last month to `months` ahead that are missing; their names.

    Last month, because a spool may be drained a few days late. Hits that already fell into the default partition are
    moved: PostgreSQL would refuse the new partition otherwise.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return []
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    made = []
    for step in range(-1, months + 1):
        first, following = _month(today, step), _month(today, step + 1)
        name = f"hit_y{first:%Y}m{first:%m}"
        if connection.execute(select(func.to_regclass(name))).scalar_one() is None:
            _make(session, name, first, following)
            made.append(name)
    return made


def in_default_partition(session: Session) -> int:
    """How many hits fit no month: anything but zero means that partitions were not made in time."""
    if session.connection().dialect.name != "postgresql":
        return 0
    return int(session.connection().execute(text(f"SELECT count(*) FROM {DEFAULT}")).scalar_one())  # noqa: S608


def _make(session: Session, name: str, first: date, following: date) -> None:
    """Fill a table of its own, then attach it: the parent is locked for the last step only."""
    span = f"day >= DATE '{first}' AND day < DATE '{following}'"
    for statement in (
        f"CREATE TABLE {name} (LIKE hit INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        f"WITH moved AS (DELETE FROM {DEFAULT} WHERE {span} RETURNING *) INSERT INTO {name} SELECT * FROM moved",  # noqa: S608
        f"ALTER TABLE hit ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{following}')",
    ):
        session.connection().execute(text(statement))


def _month(day: date, step: int) -> date:
    """The first day of the month `step` months from the month of `day`."""
    years, month = divmod(day.year * 12 + day.month - 1 + step, 12)
    return date(years, month + 1, 1)
