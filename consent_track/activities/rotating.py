"""Rotating the epoch: every living person's key is wrapped anew, and the old epoch key is destroyed on every machine.

That is what kills the wrapped keys of erased people that are left in write-ahead logs, index pages, replicas and
backups: the database may remember them, but nothing opens them any more (GDPR Art. 17; storage of keys).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from consent_track.crypto import keyring as keyrings
from consent_track.crypto import sealing
from consent_track.crypto.epochs import ACTIVATION
from consent_track.domain.errors import InputRefused
from consent_track.records import certificates, deliveries, flows, key_events, outbox, people, requests, spool, subjects
from consent_track.records.database import read, write

from . import Processing, knowing, requesting

Begin = Callable[[], AbstractContextManager[Processing]]

CHUNK: Final = 200
EVERY: Final = 30 * 86_400  # seconds an epoch seals, at most
# After the last row was rewrapped, whoever began before that is done by now. Seconds.
GRACE: Final = 600
CERTIFICATE: Final = "certificate"  # what `certifying` seals the address of a certificate for
DESTROYING: Final = "epoch_destroying"
DESTROYED: Final = "epoch_destroyed"


# What is sealed under the epoch itself, because nobody was known yet or nobody is any more.
_SEALED_EARLY: Final = (
    requests.count_of_epoch,
    flows.count_of_epoch,
    outbox.count_of_epoch,
    certificates.count_of_epoch,
    deliveries.count_of_epoch,
)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch as it stands: since when, what still needs its key, and where it was destroyed."""

    number: int
    held: bool  # on this machine
    created_at: int | None
    needed_by: int
    destroyed: tuple[tuple[str, int], ...]  # node, instant


def begin_rotation(p: Processing, folder: Path) -> int:
    """Make the next epoch key; it seals in a minute, when every process has seen it. Its number.

    Raises InputRefused (field `epoch`) while a rotation is under way: one at a time.
    """
    if len(p.keys.epochs) > 1:
        raise InputRefused.one("epoch", "a rotation is under way: an earlier epoch still has its key")
    return keyrings.add_epoch(folder, p.now).id


def is_due(p: Processing) -> bool:
    """Whether the newest epoch is older than it may get."""
    return p.now - p.keys.epochs[max(p.keys.epochs)].created_at >= EVERY


def rewrap(begin: Begin) -> int:
    """Put every living person's key, and what is sealed before anybody is known, under the present epoch; how many.

    In chunks, each whole in itself: it can be interrupted anywhere and goes on where it was.
    """
    total = 0
    while True:
        with begin() as p:
            count = _rewrap_people(p) + _reseal_requests(p) + _reseal_certificates(p)
        total += count
        if count == 0:
            return total


def _rewrap_people(p: Processing) -> int:
    epoch = p.keys.epoch()
    with read(p.keyring) as keyring:
        old = subjects.of_earlier_epochs(keyring, epoch.id, CHUNK)
    sealed = {(key.controller, key.reference): people.find(p.session, key.controller, key.reference) for key in old}
    count = 0
    with write(p.keyring, wait_ms=knowing.KEYS_WAIT_MS) as keyring:
        for key in old:
            there = sealed[key.controller, key.reference]
            data_key = sealing.unwrap(p.keys.epoch(key.epoch), key.controller, key.reference, key.wrapped)
            if there is None:  # a crash left a key without a row; nothing was ever sealed under it
                count += subjects.destroy(keyring, key.controller, key.reference)
                continue
            who = knowing.opened_with(key.controller, key.reference, data_key, there)
            lookup = sealing.address_lookup(epoch, key.controller, who.address)
            wrapped = sealing.wrap(epoch, key.controller, key.reference, data_key)
            count += subjects.rewrap(keyring, key, lookup, wrapped, epoch.id)
    return count


def _reseal_requests(p: Processing) -> int:
    epoch = p.keys.epoch()
    stale = requests.of_earlier_epochs(p.session, epoch.id, CHUNK)
    for request in stale:
        sealed = _resealed(p, request.controller, request.id, requesting.LABEL, request.epoch, request.sealed)
        requests.save(p.session, replace(request, epoch=epoch.id, sealed=sealed))
    places = requests.addresses_of_earlier_epochs(p.session, epoch.id, CHUNK)
    for one in places:
        label = requesting.address_label(one.request, one.number)
        sealed = _resealed(p, one.controller, *label, one.epoch, one.sealed)
        requests.save_address(p.session, replace(one, epoch=epoch.id, sealed=sealed))
    return len(stale) + len(places)


def _reseal_certificates(p: Processing) -> int:
    """A certificate that is withheld must not keep the very epoch alive that it waits for."""
    epoch = p.keys.epoch()
    stale = certificates.of_earlier_epochs(p.session, epoch.id, CHUNK)
    for one in stale:
        sealed = _resealed(p, one.controller, one.id, CERTIFICATE, one.epoch, one.sealed)
        certificates.change(p.session, one.controller, one.id, epoch=epoch.id, sealed=sealed)
    return len(stale)


def _resealed(p: Processing, controller: int, number: int, label: str, epoch: int, sealed: bytes) -> bytes:
    plain = sealing.unseal_until_known(p.keys.epoch(epoch), controller, number, label, sealed)
    return sealing.seal_until_known(p.keys.epoch(), controller, number, label, plain)


def needed_by(p: Processing, number: int) -> int:
    """How many rows can be read with this epoch's key only."""
    with read(p.keyring) as keyring:
        counts: list[int] = [subjects.count_of_epoch(keyring, number)]
    return sum(counts) + sum(count(p.session, number) for count in _SEALED_EARLY)


def destroy_unneeded(begin: Begin, folder: Path, node: str) -> list[int]:
    """Destroy on this machine the keys of epochs that nothing needs any more, with evidence; their numbers.

    What is begun is noted first: a crash after the file is gone leaves the note, and the next run ends it.
    """
    with begin() as p:
        newest = p.keys.epochs[max(p.keys.epochs)]
        if p.keys.current != newest.id or p.now < newest.created_at + ACTIVATION + GRACE:
            return []
        begun = set(key_events.begun(p.session, node, DESTROYING, DESTROYED))
        unneeded = [number for number in p.keys.epochs if number < newest.id and needed_by(p, number) == 0]
        for number in set(unneeded) - begun:
            key_events.record(p.session, _day(p), node, p.now, DESTROYING, number)
    destroyed = sorted(begun.union(unneeded))
    for number in destroyed:
        keyrings.destroy_epoch(folder, number)
        with begin() as p:
            key_events.record(p.session, _day(p), node, p.now, DESTROYED, number)
    return destroyed


def _day(p: Processing) -> date:
    return datetime.fromtimestamp(p.now, UTC).date()


def retired_at(p: Processing, number: int) -> int | None:
    """Since when no machine has the key of an epoch; None while one does, or while one that may have it is silent."""
    gone = {event.node: event.at for event in key_events.of_epoch(p.session, number) if event.kind == DESTROYED}
    nodes = {one.node for one in spool.nodes(p.session)} or set(gone)
    return max(gone.values()) if gone and nodes <= gone.keys() else None


def missing_nodes(p: Processing, number: int) -> list[str]:
    """The machines that have not said that they destroyed the key of an epoch."""
    gone = {event.node for event in key_events.of_epoch(p.session, number) if event.kind == DESTROYED}
    return sorted({one.node for one in spool.nodes(p.session)} - gone)


def standing(p: Processing) -> list[Epoch]:
    """Every epoch that is held here, the oldest first."""
    return [
        Epoch(
            number,
            held=True,
            created_at=key.created_at,
            needed_by=needed_by(p, number),
            destroyed=tuple((event.node, event.at) for event in key_events.of_epoch(p.session, number)),
        )
        for number, key in sorted(p.keys.epochs.items())
    ]
