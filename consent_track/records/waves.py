"""Waves of questions: what was asked for in which words, and who was asked when.

What came of a question stands where the person's choices stand, and is read from there until the question is over;
then it is noted here once, so that a later question or withdrawal does not rewrite what this one came to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Index, insert, select, text, update
from sqlmodel import Field, Session

from consent_track.domain.retention import Clock, Holding, OnErasure
from consent_track.domain.vocabulary import Purpose, from_bits, to_bits

from .datamap import holds
from .tables import Row, in_chunks, insert_if_absent, table_of

# What is known of a request mail. `elsewhere`: the sender's own tool carries the question, by exported links.
ELSEWHERE, QUEUED, UNDELIVERABLE = "elsewhere", "queued", "undeliverable"
_OPEN: Final = text("outcome = ''")


@holds(
    Holding(
        why="to ask everybody of a wave once, in the same words, and to say what came of it",
        data_class=None,
        subject_column=None,
        clock_column=None,
        clock=Clock.INSTANT,
        on_erasure=OnErasure.NOT_PERSONAL,
        bounded_by="one row for each wave; purposes, hashes of words and counts only",
    )
)
class WaveRow(Row, table=True):
    """`wordings`: locale to the SHA-256 of the words; `not_asked`: reason to count, from the last whole run."""

    __tablename__ = "wave"

    controller_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True, max_length=80)
    id: int = Field(sa_type=BigInteger)
    purposes: int
    jurisdiction: str
    wordings: dict[str, str] = Field(sa_type=JSON)
    not_asked: dict[str, int] = Field(sa_type=JSON)
    asked: int
    created_at: int = Field(sa_type=BigInteger)


@holds(
    Holding(
        why="to ask nobody twice, to know when silence is an answer, and to say what came of the question",
        data_class="mailing_register",
        subject_column="subject",
        clock_column="asked_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.DELETE,
    )
)
class WavePersonRow(Row, table=True):
    """One person asked. `flow` is the flow id of the ledger's entries; `outcome` is empty until it is over."""

    __tablename__ = "wave_person"
    __table_args__ = (
        Index(None, "controller_id", "subject"),
        Index(None, "controller_id", "asked_at"),
        Index("ix_wave_person_open", "controller_id", "asked_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    controller_id: int = Field(primary_key=True)
    wave: int = Field(sa_type=BigInteger, primary_key=True)
    subject: int = Field(sa_type=BigInteger, primary_key=True)
    flow: int = Field(sa_type=BigInteger)
    asked_at: int = Field(sa_type=BigInteger)
    purposes: int
    jurisdiction: str
    delivery: str
    outcome: str


_WAVES: Final = table_of(WaveRow)
_PEOPLE: Final = table_of(WavePersonRow)


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave as it is stored."""

    controller: int
    name: str
    id: int
    purposes: frozenset[Purpose]
    jurisdiction: str
    created_at: int
    wordings: Mapping[str, str] = field(default_factory=dict)
    not_asked: Mapping[str, int] = field(default_factory=dict)
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """One person who was asked."""

    controller: int
    wave: int
    subject: int
    flow: int
    asked_at: int
    purposes: frozenset[Purpose]
    jurisdiction: str
    delivery: str = ELSEWHERE
    outcome: str = ""


def begin(session: Session, wave: Wave) -> Wave:
    """The wave of this name; it begins as `wave` if there is none."""
    row = {
        "controller_id": wave.controller, "name": wave.name, "id": wave.id, "purposes": to_bits(wave.purposes),
        "jurisdiction": wave.jurisdiction, "wordings": dict(wave.wordings), "not_asked": {}, "asked": 0,
        "created_at": wave.created_at,
    }  # fmt: skip
    insert_if_absent(session.connection(), _WAVES, row)
    found = find(session, wave.controller, wave.name)
    assert found is not None
    return found


def find(session: Session, controller: int, name: str) -> Wave | None:
    """The wave of this name, or None."""
    row = session.connection().execute(select(_WAVES).where(*_is(controller, name))).one_or_none()
    return None if row is None else _wave(row)


def change(session: Session, wave: Wave, **values: Any) -> None:
    """Write `wordings` or `not_asked` of a wave."""
    session.connection().execute(update(_WAVES).where(*_is(wave.controller, wave.name)).values(**values))


def add(session: Session, wave: Wave, asked: Sequence[Asked]) -> None:
    """Note who was asked. The caller holds their state rows and asked `asked_among` under them."""
    if not asked:
        return
    rows = [
        {
            "controller_id": one.controller, "wave": one.wave, "subject": one.subject, "flow": one.flow,
            "asked_at": one.asked_at, "purposes": to_bits(one.purposes), "jurisdiction": one.jurisdiction,
            "delivery": one.delivery, "outcome": one.outcome,
        }
        for one in asked
    ]  # fmt: skip
    session.connection().execute(insert(_PEOPLE), rows)
    more = update(_WAVES).where(*_is(wave.controller, wave.name)).values(asked=_WAVES.c.asked + len(rows))
    session.connection().execute(more)


def asked_among(session: Session, wave: Wave, subjects: Collection[int]) -> set[int]:
    """Those of these people whom this wave asked."""
    found: set[int] = set()
    for some in in_chunks(sorted(subjects)):
        theirs = (_PEOPLE.c.controller_id == wave.controller, _PEOPLE.c.wave == wave.id, _PEOPLE.c.subject.in_(some))
        found.update(session.connection().execute(select(_PEOPLE.c.subject).where(*theirs)).scalars())
    return found


def people(session: Session, wave: Wave, after: int, limit: int) -> list[Asked]:
    """Those whom a wave asked, by reference, from the one after `after` on."""
    theirs = (_PEOPLE.c.controller_id == wave.controller, _PEOPLE.c.wave == wave.id, _PEOPLE.c.subject > after)
    statement = select(_PEOPLE).where(*theirs).order_by(_PEOPLE.c.subject).limit(limit)
    return [_asked(row) for row in session.connection().execute(statement)]


def unfinished(session: Session, controller: int, before: int, limit: int) -> list[Asked]:
    """Those who were asked at or before an instant and are not over yet, oldest first."""
    theirs = (_PEOPLE.c.controller_id == controller, _PEOPLE.c.outcome == "", _PEOPLE.c.asked_at <= before)
    statement = select(_PEOPLE).where(*theirs).order_by(_PEOPLE.c.asked_at).limit(limit)
    return [_asked(row) for row in session.connection().execute(statement)]


def close(session: Session, one: Asked, outcome: str) -> None:
    """Note what came of a question that is over."""
    this = (_PEOPLE.c.controller_id == one.controller, _PEOPLE.c.wave == one.wave, _PEOPLE.c.subject == one.subject)
    session.connection().execute(update(_PEOPLE).where(*this).values(outcome=outcome))


def note_undeliverable(session: Session, controller: int, subject: int, flow: int) -> bool:
    """Note that the mail of a question never arrived; whether that was not noted before."""
    this = (_PEOPLE.c.controller_id == controller, _PEOPLE.c.subject == subject, _PEOPLE.c.flow == flow)
    mail = update(_PEOPLE).where(*this, _PEOPLE.c.delivery == QUEUED).values(delivery=UNDELIVERABLE)
    return session.connection().execute(mail).rowcount == 1


def _is(controller: int, name: str) -> tuple[Any, Any]:
    return _WAVES.c.controller_id == controller, _WAVES.c.name == name


def _wave(row: Any) -> Wave:
    return Wave(
        row.controller_id, row.name, row.id, from_bits(row.purposes), row.jurisdiction, row.created_at,
        row.wordings, row.not_asked, row.asked,
    )  # fmt: skip


def _asked(row: Any) -> Asked:
    return Asked(
        row.controller_id, row.wave, row.subject, row.flow, row.asked_at, from_bits(row.purposes), row.jurisdiction,
        row.delivery, row.outcome,
    )  # fmt: skip
