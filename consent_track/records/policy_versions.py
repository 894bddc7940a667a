"""Every version of a policy that was ever in force here: tokens and records name it by its hash."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Text, select, update
from sqlmodel import Field, Session

from consent_track.domain.errors import PolicyRefused
from consent_track.domain.policy import Policy
from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, insert_if_absent, table_of


@holds(
    Holding(
        why="to show which rules a decision followed",
        data_class="policy_versions",
        subject_column=None,
        clock_column="last_used",  # a policy in use is noted at every start, so its time never runs out
        clock=Clock.INSTANT,
        on_erasure=OnErasure.NOT_PERSONAL,
    )
)
class PolicyVersionRow(Row, table=True):
    """One version. A token carries the `prefix` only; `content` is JSON: rule pack and house policy."""

    __tablename__ = "policy_version"

    prefix: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    hash: str = Field(max_length=64)
    id: str
    content: str = Field(sa_type=Text)
    first_used: int = Field(sa_type=BigInteger)
    last_used: int = Field(sa_type=BigInteger)


_VERSIONS: Final = table_of(PolicyVersionRow)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a policy; instants in seconds."""

    prefix: int
    hash: str
    id: str
    content: str
    first_used: int
    last_used: int


def note(session: Session, policy: Policy, now: int) -> None:
    """Note that a policy is in force. Raises PolicyRefused if another one begins with the same four octets."""
    content = json.dumps({"house": policy.house.content, "pack": policy.pack.content}, sort_keys=True, default=_plain)
    row = {"prefix": policy.prefix, "hash": policy.hash, "id": policy.id, "content": content}
    insert_if_absent(session.connection(), _VERSIONS, {**row, "first_used": now, "last_used": now})

    stored = by_prefix(session, policy.prefix)
    if stored is None or stored.hash != policy.hash:
        raise PolicyRefused.one(policy.id, "its hash begins like that of another policy; change any word of it")
    used = update(_VERSIONS).where(_VERSIONS.c.prefix == policy.prefix, _VERSIONS.c.last_used < now)
    session.connection().execute(used.values(last_used=now))


def by_prefix(session: Session, prefix: int) -> PolicyVersion | None:
    """The version a token names."""
    row = session.connection().execute(select(_VERSIONS).where(_VERSIONS.c.prefix == prefix)).one_or_none()
    return None if row is None else PolicyVersion(**dict(row._mapping))


def by_hash(session: Session, beginning: str) -> list[PolicyVersion]:
    """The versions whose hash begins like this, oldest first; a whole hash finds one at most."""
    statement = select(_VERSIONS).where(_VERSIONS.c.hash.startswith(beginning, autoescape=True))
    rows = session.connection().execute(statement.order_by(_VERSIONS.c.first_used, _VERSIONS.c.hash))
    return [PolicyVersion(**dict(row._mapping)) for row in rows]


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
