"""Who read the legal texts of a locale, or a draft rule pack, and found them right: a signature under exact words.

Unreviewed texts do not grant, and a weakly founded pack is the operator's own responsibility.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlmodel import Field, Session

from consent_track.domain.policy import RulePack, policy_hash
from consent_track.domain.retention import Clock, Holding, OnErasure

from .datamap import holds
from .tables import Row, insert_or_update, table_of


@holds(
    Holding(
        why="to show that somebody qualified approved the words people consented to",
        data_class="sign_offs",
        subject_column=None,
        clock_column="signed_on",
        clock=Clock.DAY,
        on_erasure=OnErasure.KEEP,
        article="GDPR Art. 5(2), 7(1)",
    )
)
class SignOffRow(Row, table=True):
    """One signature. Any change of a text is another `texts_hash`, and needs another signature.

    `locale` says what was read: a locale, or a draft rule pack as `pack:KR`; then the hash is that of its content.
    """

    __tablename__ = "sign_off"

    locale: str = Field(primary_key=True)
    texts_hash: str = Field(primary_key=True)
    name: str
    signed_on: date
    law_version: str


_SIGN_OFFS: Final = table_of(SignOffRow)


@dataclass(frozen=True, slots=True)
class SignOff:
    """Who signed which texts, on which day, against which state of the law."""

    locale: str
    texts_hash: str
    name: str
    on: date
    law_version: str


def of_pack(pack: RulePack) -> tuple[str, str]:
    """What a signature under a draft rule pack stands under, in the place of a locale and its texts."""
    return f"pack:{pack.id}", policy_hash(pack.content, {})


def record(session: Session, sign_off: SignOff) -> None:
    """Record a signature; signing the same texts again replaces the earlier one."""
    row = {
        "locale": sign_off.locale,
        "texts_hash": sign_off.texts_hash,
        "name": sign_off.name,
        "signed_on": sign_off.on,
        "law_version": sign_off.law_version,
    }
    insert_or_update(session.connection(), _SIGN_OFFS, row)


def find(session: Session, locale: str, texts_hash: str) -> SignOff | None:
    """The signature under exactly these texts, or None."""
    theirs = (_SIGN_OFFS.c.locale == locale, _SIGN_OFFS.c.texts_hash == texts_hash)
    row = session.connection().execute(select(_SIGN_OFFS).where(*theirs)).one_or_none()
    return None if row is None else SignOff(row.locale, row.texts_hash, row.name, row.signed_on, row.law_version)
