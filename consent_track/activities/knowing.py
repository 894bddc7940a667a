"""Who somebody is: from an address to a random reference and back, through the keyring only.

The address stands nowhere in clear. The look-up is a keyed hash in the keyring store; the address itself is sealed
under the person's own key, so that destroying one row makes every copy unreadable, backups included.
"""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from consent_track.crypto import sealing
from consent_track.domain.address import normalise
from consent_track.domain.errors import InputRefused
from consent_track.records import people, subjects, suppression
from consent_track.records.database import read, write
from consent_track.records.subjects import SubjectKey

from . import Processing

LABEL = "subject"
# Keys are made for many at once by a job nobody waits for; milliseconds.
KEYS_WAIT_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """One subject of one controller, opened for one processing."""

    controller: int
    reference: int
    data_key: bytes
    address: str
    locale: str


def new_reference() -> int:
    """A random positive 63-bit number: says nothing, follows nothing (Garante 284/2026 para. 6)."""
    return secrets.randbits(63) or 1


def find(p: Processing, controller: int, address: str) -> int | None:
    """The reference of an address, or None. Raises InputRefused (field `address`)."""
    row = _row(p, controller, address)
    return row.reference if row else None


def recognise_many(p: Processing, controller: int, normalised: Iterable[str]) -> dict[str, Person]:
    """Whom these addresses belong to, by address; the erased and the unknown are absent. One question to each store."""
    lookups = _lookups(p, controller, normalised)
    with read(p.keyring) as keyring:
        rows = subjects.find_many(keyring, controller, lookups)
    sealed = people.find_many(p.session, controller, [row.reference for row in rows])
    return {
        lookups[row.lookup]: _opened(p, controller, row, sealed[row.reference])
        for row in rows
        if row.reference in sealed
    }


def _row(p: Processing, controller: int, address: str) -> SubjectKey | None:
    lookups = _lookups(p, controller, [normalise(address)])
    with read(p.keyring) as keyring:
        return next(iter(subjects.find_many(keyring, controller, lookups)), None)


def _lookups(p: Processing, controller: int, normalised: Iterable[str]) -> dict[bytes, str]:
    """Under what these addresses may stand in the keyring: one look-up of each for every epoch that is held.

    While a rotation is under way some people stand under the old epoch and some under the new.
    """
    epochs = p.keys.epochs.values()
    return {sealing.address_lookup(epoch, controller, address): address for address in normalised for epoch in epochs}


def is_suppressed(p: Processing, controller: int, address: str) -> bool:
    """Whether the person behind an address was erased and has not come back by a mailbox loop (decision 11)."""
    return bool(suppressed_among(p, controller, [normalise(address)]))


def suppressed_among(p: Processing, controller: int, normalised: Iterable[str]) -> set[str]:
    """Those of these addresses whose person was erased and has not come back."""
    tags = {sealing.suppression_tag(p.keys.suppression, controller, address): address for address in normalised}
    return {tags[tag] for tag in suppression.those_held(p.session, controller, tags)}


def obtain(p: Processing, controller: int, address: str, locale: str = "", *, returning: bool = False) -> int:
    """The reference of an address, made if it is new: its key first, then its row.

    `returning`: the person themselves answered a mail, which lifts an erasure's tombstone (decision 11).
    Raises InputRefused (field `address`) for what is no address, and for an erased person.
    """
    p.controller(controller)
    normal = normalise(address)
    if returning:
        suppression.remove(p.session, controller, sealing.suppression_tag(p.keys.suppression, controller, normal))
    elif is_suppressed(p, controller, normal):
        raise InputRefused.one("address", "was erased on request; only the person can come back, by a mailbox loop")
    known = find(p, controller, normal)
    if known is not None:
        _complete(p, controller, known, normal, locale)
        return known

    epoch = p.keys.epoch()
    reference, data_key = new_reference(), sealing.new_data_key()
    wrapped = sealing.wrap(epoch, controller, reference, data_key)
    lookup = sealing.address_lookup(epoch, controller, normal)
    with write(p.keyring) as keyring:
        others = subjects.find_many(keyring, controller, set(_lookups(p, controller, [normal])) - {lookup})
        row = next(iter(others), None) or subjects.create(
            keyring, controller, lookup, reference, wrapped, epoch.id, p.now
        )
    if row.reference == reference:
        _seal(p, controller, reference, data_key, normal, locale)
    else:  # somebody else was first
        _complete(p, controller, row.reference, normal, locale)
    return row.reference


def _complete(p: Processing, controller: int, reference: int, normal: str, locale: str) -> None:
    """A crash between the two stores leaves a key without a row; whoever comes next writes it."""
    if people.find(p.session, controller, reference) is None:
        data_key = key_of(p, controller, reference)
        if data_key is not None:
            _seal(p, controller, reference, data_key, normal, locale)


def _seal(p: Processing, controller: int, reference: int, data_key: bytes, address: str, locale: str) -> None:
    plain = json.dumps({"address": address, "locale": locale}, sort_keys=True).encode()
    people.save(p.session, controller, reference, sealing.seal(data_key, controller, reference, LABEL, plain), p.now)


def key_of(p: Processing, controller: int, reference: int) -> bytes | None:
    """The data key of a subject, or None once it is destroyed: then nothing sealed for them can be read again."""
    with read(p.keyring) as keyring:
        row = subjects.by_reference(keyring, controller, reference)
    return _unwrapped(p, controller, row) if row else None


def person(p: Processing, controller: int, reference: int) -> Person | None:
    """Everything that identifies a subject, or None for the erased and the unknown."""
    with read(p.keyring) as keyring:
        row = subjects.by_reference(keyring, controller, reference)
    sealed = people.find(p.session, controller, reference) if row else None
    return _opened(p, controller, row, sealed) if row and sealed else None


def _unwrapped(p: Processing, controller: int, row: SubjectKey) -> bytes:
    return sealing.unwrap(p.keys.epoch(row.epoch), controller, row.reference, row.wrapped)


def _opened(p: Processing, controller: int, row: SubjectKey, sealed: bytes) -> Person:
    return opened_with(controller, row.reference, _unwrapped(p, controller, row), sealed)


def opened_with(controller: int, reference: int, data_key: bytes, sealed: bytes) -> Person:
    """The person behind a row, by their own key. Raises SealBroken."""
    details = json.loads(sealing.unseal(data_key, controller, reference, LABEL, sealed))
    return Person(controller, reference, data_key, details["address"], details["locale"])


def epoch_of(p: Processing, controller: int, reference: int) -> int:
    """Which epoch wraps a person's key; 0 once it is destroyed."""
    with read(p.keyring) as keyring:
        row = subjects.by_reference(keyring, controller, reference)
    return row.epoch if row else 0


@dataclass(frozen=True, slots=True)
class Known:
    """Who an address stands for, with the key that opens what is sealed for them."""

    reference: int
    data_key: bytes


def find_many(p: Processing, controller: int, addresses: Iterable[str]) -> dict[str, Known]:
    """Who these normalised addresses stand for; the unknown are absent."""
    lookups = _lookups(p, controller, addresses)
    with read(p.keyring) as keyring:
        found = subjects.find_many(keyring, controller, lookups)
    return {lookups[row.lookup]: Known(row.reference, _unwrapped(p, controller, row)) for row in found}


def keys_for(p: Processing, controller: int, addresses: Collection[str]) -> dict[str, Known]:
    """As `find_many`, with keys made for the unknown in one transaction of the keyring: keys first, then rows.

    Whoever writes the rows has to ask `suppressed_among` again, under the lock of the state.
    """
    known = find_many(p, controller, addresses)
    unknown = [address for address in dict.fromkeys(addresses) if address not in known]
    if not unknown:
        return known
    epoch, created_on = p.keys.epoch(), datetime.fromtimestamp(p.now, UTC).date()
    made = []
    for address in unknown:
        reference = new_reference()
        wrapped = sealing.wrap(epoch, controller, reference, sealing.new_data_key())
        lookup = sealing.address_lookup(epoch, controller, address)
        made.append(SubjectKey(controller, lookup, reference, wrapped, epoch.id, created_on))
    with write(p.keyring, wait_ms=KEYS_WAIT_MS) as keyring:
        lookups = _lookups(p, controller, unknown)
        there = {lookups[row.lookup] for row in subjects.find_many(keyring, controller, lookups)}
        subjects.create_missing(keyring, [key for key in made if lookups[key.lookup] not in there])
    return known | find_many(p, controller, unknown)  # where somebody else was first, theirs stands


def complete_many(p: Processing, controller: int, known: Mapping[str, Known], locales: Mapping[str, str]) -> None:
    """Write the rows of people whose keys `keys_for` has: those that are new, or that a crash left without a row."""
    references = {one.reference for one in known.values()}
    there = people.present(p.session, controller, references)
    sealed = {}
    for address, one in known.items():
        if one.reference not in there:
            plain = json.dumps({"address": address, "locale": locales.get(address, "")}, sort_keys=True).encode()
            sealed[one.reference] = sealing.seal(one.data_key, controller, one.reference, LABEL, plain)
    people.save_many(p.session, controller, sealed, p.now)
