"""The keys of an installation: made once at random, checked together at every start, rotated one by one."""

import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from consent_track.domain.errors import ConfigurationRefused, KeyMisuse, Problem

from .key import SIZE, Key, KeyState, Usage
from .key_files import erase_key, name_of, read_key, weakness_of, write_key

__all__ = [
    "SIZE",
    "Key",
    "KeyState",
    "Keyring",
    "Usage",
    "add_epoch",
    "add_token_key",
    "create",
    "destroy_epoch",
    "load",
    "rotate_token_key",
    "set_state",
]

_ESCROW: Final = name_of(Usage.ESCROW_PRIVATE, 1)
_NEEDED: Final = (Usage.SESSION, Usage.SUPPRESSION, Usage.PROOF_INDEX, Usage.LEDGER)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys one process holds. A collector has the token keys only; what it lacks, it cannot misuse."""

    tokens: tuple[Key, ...]
    held: Mapping[Usage, Key] = field(default_factory=dict)
    epochs: Mapping[int, Key] = field(default_factory=dict)
    current: int | None = None  # the epoch that seals now; None: the newest

    def _of(self, usage: Usage) -> Key:
        try:
            return self.held[usage]
        except KeyError:
            raise KeyMisuse(f"this process holds no key for {usage}") from None

    @property
    def session(self) -> Key:
        return self._of(Usage.SESSION)

    @property
    def suppression(self) -> Key:
        return self._of(Usage.SUPPRESSION)

    @property
    def proof_index(self) -> Key:
        return self._of(Usage.PROOF_INDEX)

    @property
    def ledger(self) -> Key:
        return self._of(Usage.LEDGER)

    @property
    def escrow_public(self) -> Key | None:
        return self.held.get(Usage.ESCROW_PUBLIC)

    @property
    def ledger_public(self) -> bytes:
        """What anybody may have: with it alone the chain of the ledger is verified (32 octets, RFC 8032)."""
        return Ed25519PrivateKey.from_private_bytes(self.ledger.secret).public_key().public_bytes_raw()

    def epoch(self, number: int | None = None) -> Key:
        """The epoch key of that number, or the current one. Raises KeyMisuse where it is not held."""
        try:
            if number is None:
                number = max(self.epochs) if self.current is None else self.current
            return self.epochs[number]
        except (KeyError, ValueError):
            raise KeyMisuse("this process holds no such epoch key") from None


def create(folder: Path, now: int) -> Keyring:
    """Make every key of a new installation. Raises ConfigurationRefused if there already is anything in `folder`.

    The private half of the escrow is written, too, for its owner to move away; nothing here ever uses it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationRefused.one(str(folder), "holds keys already; they are never overwritten")
    for place in (folder, folder / "static", folder / "epoch"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.chmod(0o700)
    for usage in (Usage.TOKEN, *_NEEDED, Usage.EPOCH):
        write_key(folder, _fresh(usage, 1, now))
    escrow = X25519PrivateKey.generate()
    public = escrow.public_key().public_bytes_raw()
    write_key(folder, Key(Usage.ESCROW_PRIVATE, 1, KeyState.ACTIVE, escrow.private_bytes_raw(), now))
    write_key(folder, Key(Usage.ESCROW_PUBLIC, 1, KeyState.ACTIVE, public, now))
    return load(folder)


def load(folder: Path, *, collector_only: bool = False) -> Keyring:
    """Read the keys. Raises ConfigurationRefused naming all that are missing, short, known, equal or open."""
    problems: list[Problem] = []
    found = list(_read_all(folder, problems, collector_only))
    tokens = tuple(sorted((key for key in found if key.usage is Usage.TOKEN), key=lambda key: key.id))
    apart = (Usage.TOKEN, Usage.EPOCH, Usage.ESCROW_PRIVATE)
    held = {key.usage: key for key in found if key.usage not in apart}
    epochs = {key.id: key for key in found if key.usage is Usage.EPOCH}
    if not any(key.state is KeyState.ACTIVE for key in tokens):
        problems.append(Problem(str(folder / "static"), "holds no active token key"))
    if not collector_only:
        missing = [usage for usage in _NEEDED if usage not in held]
        problems += [Problem(str(folder / "static"), f"holds no key for {usage}") for usage in missing]
        if not epochs:
            problems.append(Problem(str(folder / "epoch"), "holds no epoch key"))
    if problems:
        raise ConfigurationRefused(problems)
    return Keyring(tokens, held, epochs)


def add_token_key(folder: Path, now: int) -> Key:
    """A new token key that opens and does not issue yet, to be copied to every machine before it is used.

    Raises ConfigurationRefused if the keys do not load or the 255 numbers are used up.
    """
    number = load(folder, collector_only=True).tokens[-1].id + 1
    if number > 255:
        raise ConfigurationRefused.one(str(folder), "has no number left for another token key")
    key = replace(_fresh(Usage.TOKEN, number, now), state=KeyState.ACCEPT)
    write_key(folder, key)
    return key


def add_epoch(folder: Path, now: int) -> Key:
    """A new epoch key, to be copied to every machine that holds one; it seals after `epochs.ACTIVATION` seconds.

    Raises ConfigurationRefused if the keys do not load.
    """
    key = _fresh(Usage.EPOCH, max(load(folder).epochs) + 1, now)
    write_key(folder, key)
    return key


def destroy_epoch(folder: Path, number: int) -> bool:
    """Overwrite and delete an epoch key on this machine; False where it was gone already.

    Nothing that was wrapped or looked up under it can be read again, whatever copy of the database is found. Raises
    ConfigurationRefused for the newest one: without it nothing here could be read.
    """
    if number >= max(load(folder).epochs):
        raise ConfigurationRefused.one(str(folder / name_of(Usage.EPOCH, number)), "is the newest; rotate first")
    return erase_key(folder, Usage.EPOCH, number)


def rotate_token_key(folder: Path, now: int) -> Key:
    """A new token key that issues from now on; the ones before it still open. Raises ConfigurationRefused.

    For one machine. With several: `add_token_key`, copy the file, then `set_state` to active.
    """
    key = add_token_key(folder, now)
    set_state(folder, key.id, KeyState.ACTIVE)
    return replace(key, state=KeyState.ACTIVE)


def set_state(folder: Path, number: int, state: KeyState) -> None:
    """Change what a token key may do. Making one active makes the active one before it `accept`.

    Raises ConfigurationRefused for a key that is not there, for the last active one, and for a retired one: what was
    told never to record again never does.
    """
    keys = {key.id: key for key in load(folder, collector_only=True).tokens}
    place = str(folder / name_of(Usage.TOKEN, number))
    if number not in keys:
        raise ConfigurationRefused.one(place, "is not there")
    if keys[number].state is KeyState.REDIRECT_ONLY and state is not KeyState.REDIRECT_ONLY:
        raise ConfigurationRefused.one(place, "is retired: it leads its links on and never records again")
    others = [key for key in keys.values() if key.state is KeyState.ACTIVE and key.id != number]
    if not others and state is not KeyState.ACTIVE:
        raise ConfigurationRefused.one(place, "is the only key that issues tokens; rotate first")
    # This order: a crash between two steps leaves two active keys (the higher number issues), never none.
    write_key(folder, replace(keys[number], state=state), replacing=True)
    if state is KeyState.ACTIVE:
        for key in others:
            write_key(folder, replace(key, state=KeyState.ACCEPT), replacing=True)


def _fresh(usage: Usage, number: int, now: int) -> Key:
    secret = secrets.token_bytes(SIZE)
    while weakness_of(secret):
        secret = secrets.token_bytes(SIZE)
    return Key(usage, number, KeyState.ACTIVE, secret, now)


def _read_all(folder: Path, problems: list[Problem], collector_only: bool) -> Iterator[Key]:
    """Every key found. The escrow's private half is looked at if it is still here, and compared; `load` drops it."""
    paths = sorted(folder.glob("static/token-*.key" if collector_only else "*/*.key"))
    if not paths:
        problems.append(Problem(str(folder), "holds no keys; run: consent-track init"))
    escrow = folder / _ESCROW
    if not collector_only and escrow.exists() and os.access(escrow, os.R_OK):
        paths.append(escrow)
    for place in sorted({path.parent for path in paths}):
        if place.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            problems.append(Problem(str(place), "can be written to by others; run: chmod 700"))
    seen: dict[bytes, Path] = {}
    for path in paths:
        key = read_key(folder, path, problems)
        if key is None:
            continue
        first = seen.setdefault(sha256(key.secret).digest(), path)
        if first is not path:
            problems.append(Problem(str(path), f"is equal to {first.name}; every use needs its own key"))
        yield key
