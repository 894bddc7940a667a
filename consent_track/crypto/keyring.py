"""The keys of an installation: random, in files of mode 0600, each labelled with the one use it is good for."""

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from consent_track.domain.errors import ConfigurationRefused, KeyMisuse, Problem

SIZE: Final = 32
_TITLE: Final = "consent_track key, version 1"
_FIELDS: Final = ("usage", "id", "state", "created", "key")
_WORDS: Final = (b"changeme", b"change-me", b"secret", b"password", b"default", b"example", b"insecure", b"test")


class Usage(StrEnum):
    """What a key is for; a key asked to do another's job refuses."""

    TOKEN = "token"  # noqa: S105 a label, not a secret
    SESSION = "session"
    SUPPRESSION = "suppression"
    PROOF_INDEX = "proof-index"
    LEDGER = "ledger"
    EPOCH = "epoch"
    ESCROW_PUBLIC = "escrow-public"
    ESCROW_PRIVATE = "escrow-private"


class KeyState(StrEnum):
    """`accept` opens but does not issue; `redirect-only` never records again, but its links lead on for ever."""

    ACTIVE = "active"
    ACCEPT = "accept"
    REDIRECT_ONLY = "redirect-only"


@dataclass(frozen=True, slots=True)
class Key:
    """One key with its label."""

    usage: Usage
    id: int
    state: KeyState
    secret: bytes = field(repr=False)
    created_at: int

    def require(self, usage: Usage) -> "Key":
        """This key, if it is for that use. Raises KeyMisuse."""
        if self.usage is not usage:
            raise KeyMisuse(f"a key for {self.usage} was asked to do the work of one for {usage}")
        return self


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys one process holds. A collector has the token keys only; what it lacks, it cannot misuse."""

    tokens: tuple[Key, ...]
    held: Mapping[Usage, Key] = field(default_factory=dict)
    epochs: Mapping[int, Key] = field(default_factory=dict)

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
        return Ed25519PrivateKey.from_private_bytes(self.ledger.secret).public_key().public_bytes_raw()

    def epoch(self, number: int | None = None) -> Key:
        """The epoch key of that number, or the current one. Raises KeyMisuse where it is not held."""
        try:
            return self.epochs[max(self.epochs) if number is None else number]
        except (KeyError, ValueError):
            raise KeyMisuse("this process holds no such epoch key") from None


_STATIC: Final = {
    "token-1": Usage.TOKEN,
    "session": Usage.SESSION,
    "suppression": Usage.SUPPRESSION,
    "proof-index": Usage.PROOF_INDEX,
    "ledger": Usage.LEDGER,
}


def create(folder: Path, now: int) -> Keyring:
    """Make every key of a new installation. Raises ConfigurationRefused if there already is anything in `folder`."""
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationRefused.one(str(folder), "holds keys already; they are never overwritten")
    for place in (folder, folder / "static", folder / "epoch"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, usage in _STATIC.items():
        _write(folder / "static" / f"{name}.key", Key(usage, 1, KeyState.ACTIVE, secrets.token_bytes(SIZE), now))
    _write(folder / "epoch" / "1.key", Key(Usage.EPOCH, 1, KeyState.ACTIVE, secrets.token_bytes(SIZE), now))
    escrow = X25519PrivateKey.generate()
    _write(
        folder / "escrow-private.key", Key(Usage.ESCROW_PRIVATE, 1, KeyState.ACTIVE, escrow.private_bytes_raw(), now)
    )
    public = escrow.public_key().public_bytes_raw()
    _write(folder / "static" / "escrow-public.key", Key(Usage.ESCROW_PUBLIC, 1, KeyState.ACTIVE, public, now))
    return load(folder)


def load(folder: Path, *, collector_only: bool = False) -> Keyring:
    """Read the keys. Raises ConfigurationRefused naming all that are missing, short, known, equal or open."""
    problems: list[Problem] = []
    found = list(_read_all(folder, problems, collector_only))
    tokens = tuple(sorted((key for key in found if key.usage is Usage.TOKEN), key=lambda key: key.id))
    held: dict[Usage, Key] = {key.usage: key for key in found if key.usage not in (Usage.TOKEN, Usage.EPOCH)}
    epochs = {key.id: key for key in found if key.usage is Usage.EPOCH}
    if not any(key.state is KeyState.ACTIVE for key in tokens):
        problems.append(Problem(str(folder / "static"), "holds no active token key"))
    if not collector_only:
        needed = set(_STATIC.values()) - {Usage.TOKEN} - held.keys()
        problems += [Problem(str(folder / "static"), f"holds no key for {usage}") for usage in sorted(needed)]
        if not epochs:
            problems.append(Problem(str(folder / "epoch"), "holds no epoch key"))
    if problems:
        raise ConfigurationRefused(problems)
    return Keyring(tokens, held, epochs)


def add_token_key(folder: Path, now: int) -> Key:
    """Rotate: a new active token key; the keys before it are accepted from now on."""
    keys = load(folder).tokens
    for key in keys:
        if key.state is KeyState.ACTIVE:
            set_state(folder, key.id, KeyState.ACCEPT)
    key = Key(Usage.TOKEN, max(key.id for key in keys) + 1, KeyState.ACTIVE, secrets.token_bytes(SIZE), now)
    if key.id > 255:
        raise ConfigurationRefused.one(str(folder), "has no number left for another token key")
    _write(folder / "static" / f"token-{key.id}.key", key)
    return key


def set_state(folder: Path, number: int, state: KeyState) -> None:
    """Change what a token key may still do; the file is replaced in one step."""
    path = folder / "static" / f"token-{number}.key"
    problems: list[Problem] = []
    key = _read(path, problems)
    if key is None:
        raise ConfigurationRefused(problems)
    fresh = path.with_suffix(".new")
    _write(fresh, replace(key, state=state))
    fresh.replace(path)


def _write(path: Path, key: Key) -> None:
    values = (key.usage, key.id, key.state, key.created_at, base64.urlsafe_b64encode(key.secret).decode())
    lines = [_TITLE, *(f"{name}: {value}" for name, value in zip(_FIELDS, values, strict=True)), ""]
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, "\n".join(lines).encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_all(folder: Path, problems: list[Problem], collector_only: bool) -> Iterator[Key]:
    seen: dict[bytes, Path] = {}
    pattern = "static/token-*.key" if collector_only else "*/*.key"
    paths = sorted(folder.glob(pattern))
    if not paths:
        problems.append(Problem(str(folder), "holds no keys; run: consent-track init"))
    for path in paths:
        key = _read(path, problems)
        if key is None:
            continue
        if key.secret in seen:
            problems.append(Problem(str(path), f"is equal to {seen[key.secret].name}; every use needs its own key"))
        seen[key.secret] = path
        yield key


def _read(path: Path, problems: list[Problem]) -> Key | None:
    def wrong(what: str) -> None:
        problems.append(Problem(str(path), what))

    try:
        text = path.read_text("ascii")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError):
        wrong("cannot be read")
        return None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        wrong("can be read by others; run: chmod 600")
    title, *lines = text.splitlines() or [""]
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    if title != _TITLE or tuple(fields) != _FIELDS or not fields["id"].isdigit() or not fields["created"].isdigit():
        wrong("is not a key file of this version")
        return None
    if fields["usage"] not in set(Usage) or fields["state"] not in set(KeyState):
        wrong("has a usage or a state that does not exist")
        return None
    try:
        secret = base64.b64decode(fields["key"], b"-_", validate=True)
    except binascii.Error:
        wrong("holds a key that is not base64")
        return None
    if weakness := _weakness(secret):
        wrong(weakness)
        return None
    usage = Usage(fields["usage"])
    if not path.name.startswith(usage) and not (usage is Usage.EPOCH and path.parent.name == "epoch"):
        wrong(f"is labelled for {usage}, which is not what its name says")
        return None
    return Key(usage, int(fields["id"]), KeyState(fields["state"]), secret, int(fields["created"]))


def _weakness(secret: bytes) -> str:
    """Why a key is none: too short, or one that anybody would try (threat T50)."""
    if len(secret) < SIZE:
        return f"is shorter than {SIZE} octets"
    lower = secret.lower()
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    if len(set(secret)) < 8 or len(steps) == 1 or any(word in lower for word in _WORDS):
        return "is a known or guessable value"
    return ""
