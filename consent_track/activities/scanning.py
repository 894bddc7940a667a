"""The residue scan: is anything of this person left, in any table, file, journal or backup of this machine? (DL-01)

Everything found outside the declared keep-list is a finding (decision 17). The keep-list is the data map's: rows that
an article keeps, by a reference that means nothing without its key, and keyed tags of the address.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consent_track.crypto import sealing
from consent_track.domain.needles import Needle, needles_of
from consent_track.records import survey
from consent_track.records.datamap import kept_subject_columns
from consent_track.records.tables import Store

from . import Processing

# Keyed tags that stay: by them an erased address is left alone, and a complaint finds its proof.
KEPT_TAGS: Final = frozenset(
    {("suppression", "tag"), ("consent_event", "proof_tag"), ("request_address", "tag"), ("erasure_certificate", "tag")}
)


@dataclass(frozen=True, slots=True)
class Places:
    """Where this machine may hold something: folders and files, and what is skipped, with the reason."""

    roots: tuple[Path, ...]
    skip: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Something that should not be there any more: where, and in which form. What it is is not repeated."""

    place: str
    form: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan came to."""

    found: tuple[Found, ...]
    cells: int
    files: int
    octets: int
    forms: int
    not_searched: tuple[str, ...]


Look = Callable[..., Any]  # `residue.look_through`; the door hands it in, because files are not ours


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked for of one person."""

    written: tuple[Needle, ...]  # the address, in every form
    lookups: tuple[Needle, ...]  # what only the keyring may hold, and only of people who are known
    tags: tuple[Needle, ...]  # keyed tags that stay in their columns
    reference: int


def scan(p: Processing, controller: int, address: str, reference: int, look: Look, places: Places) -> Scan:
    """Search every store and file for one person. `look` is `residue.look_through`.

    Raises InputRefused (field `address`, `controller`).
    """
    p.controller(controller)
    wanted = _wanted(p, controller, address, reference)
    found: set[Found] = set()
    cells = 0
    stores = ((p.main, Store.MAIN), (p.keyring, Store.KEYRING), (p.exempt, Store.EXEMPT))
    for engine, store in stores:
        for table, column, value in survey.cells(engine, store):
            cells += 1
            place = f"{store.value}: {table}.{column}"
            found.update(Found(place, form) for form in _in_cell(table, column, value, wanted))
    ours = [Path(name) for engine, _ in stores if _is_file(engine) for name in survey.files_of(engine)]
    servers = [Path(name) for engine, _ in stores if not _is_file(engine) for name in survey.files_of(engine)]
    looked = look([*places.roots, *ours], (*wanted.written, *wanted.lookups), skip=places.skip)
    # A server's log keeps a look-up for as long as it likes; it ends with the epoch that made it (storage of keys).
    behind = look(servers, wanted.written, skip=places.skip)
    found.update(Found(hit.place, hit.form) for hit in (*looked.hits, *behind.hits))
    unsearched = [*looked.unread, *behind.unread]
    if any(not _is_file(engine) and not _is_readable(engine) for engine, _ in stores):
        unsearched.append("the files of the PostgreSQL server: this process may not read them")
    return Scan(
        tuple(sorted(found, key=lambda one: (one.place, one.form))), cells,
        looked.files + behind.files, looked.octets + behind.octets,
        len(wanted.written) + len(wanted.lookups) + len(wanted.tags) + 1, tuple(unsearched),
    )  # fmt: skip


def _is_file(engine: Any) -> bool:
    return bool(engine.dialect.name == "sqlite")


def _is_readable(engine: Any) -> bool:
    return any(Path(name, "PG_VERSION").is_file() for name in survey.files_of(engine))


def _wanted(p: Processing, controller: int, normalised: str, reference: int) -> _Wanted:
    lookups = []
    for number, epoch in p.keys.epochs.items():
        tag = sealing.address_lookup(epoch, controller, normalised)
        lookups.append(Needle(f"look-up of epoch {number}", tag))
        lookups.append(Needle(f"look-up of epoch {number}, hexadecimal", tag.hex().encode(), folded=True))
    tags = (
        Needle("suppression tag", sealing.suppression_tag(p.keys.suppression, controller, normalised)),
        Needle("proof tag", sealing.proof_tag(p.keys.proof_index, controller, normalised)),
    )
    return _Wanted(needles_of(normalised), tuple(lookups), tags, reference)


def _in_cell(table: str, column: str, value: Any, wanted: _Wanted) -> Iterator[str]:
    """What of a person stands in one cell and may not stand there."""
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        if wanted.reference and value == wanted.reference and (table, column) not in kept_subject_columns():
            yield "reference"
        return
    octets = value if isinstance(value, bytes) else str(value).encode()
    folded = octets.lower()
    for needle in (*wanted.written, *wanted.lookups):
        if needle.octets in (folded if needle.folded else octets):
            yield needle.form
    for tag in wanted.tags:
        if (table, column) not in KEPT_TAGS and (tag.octets in octets or tag.octets.hex().encode() in folded):
            yield tag.form
    if wanted.reference and isinstance(value, str) and str(wanted.reference) in value:
        yield "reference, in words"
