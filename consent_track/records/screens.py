"""The pages people saw when they chose, each stored once and never changed: half of what a proof shows (RE-02).

A page stands here without anything that belongs to one person: their address is a placeholder. It carries its own
style, so that it looks in ten years as it did.
"""

from typing import Final

from sqlalchemy import BigInteger, Text, insert, select
from sqlmodel import Field, Session

from consent_track.domain.consent import Screen
from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, table_of


@holds(
    Holding(
        why="to show the very page on which a choice was made",
        data_class="consent_proof",
        subject_column=None,
        clock_column="first_shown_at",
        clock=Clock.INSTANT,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 5(2), 7(1)",
    ),
    append_only=True,
)
class ScreenRow(Row, table=True):
    """`id` is the SHA-256 of `page`."""

    __tablename__ = "screen"

    controller_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True, max_length=64)
    page: str = Field(sa_type=Text)
    first_shown_at: int = Field(sa_type=BigInteger)


_SCREENS: Final = table_of(ScreenRow)


def keep(session: Session, controller: int, screen: Screen, now: int) -> None:
    """Store this page unless it is stored already. For PostgreSQL's sake the chain head must be held."""
    if find(session, controller, screen.id) is None:
        row = {"controller_id": controller, "id": screen.id, "page": screen.page, "first_shown_at": now}
        session.connection().execute(insert(_SCREENS).values(row))


def find(session: Session, controller: int, id_: str) -> Screen | None:
    """The page that a ledger entry names, or None."""
    theirs = (_SCREENS.c.controller_id == controller, _SCREENS.c.id == id_)
    page = session.connection().execute(select(_SCREENS.c.page).where(*theirs)).scalar_one_or_none()
    return None if page is None else Screen(page)
