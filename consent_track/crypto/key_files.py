"""A key at rest: six lines in a file of mode 0600, read strictly, written so that a crash leaves all of it or none.

consent_track key, version 1
usage: token
id: 1
state: active
created: 1795000000
key: <32 octets, URL-safe base64>
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from consent_track.domain.errors import ConfigurationRefused, Problem

from .key import SIZE, Key, KeyState, Usage

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_TITLE: Final = "consent_track key, version 1"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_INSTANT: Final = re.compile(r"0|[1-9][0-9]{0,10}", re.ASCII)
# The id of a token key is one octet of the token's clear header.
_HIGHEST: Final = {Usage.TOKEN: 255}
_LARGEST: Final = 4_096  # octets of a file that may be a key file

# What people put where a key belongs, and what they hash to make one (threat T50). Six letters and more: a random
# key holds such a word, in any case, less than once in 10^11.
_WORDS: Final = tuple(
    word.encode()
    for word in """changeme change-me change_me consent_track consent-track default example insecure letmein
    passw0rd passwd password please-change qwerty secret test-key testkey topsecret your-key""".split()
)
_DIGESTS: Final = frozenset(
    hashlib.sha256(word).digest() for word in (b"", b"key", b"test", b"token", b"admin", bytes(SIZE), *_WORDS)
)


def name_of(usage: Usage, number: int) -> str:
    """The one file name of a key below the folder of keys."""
    if usage is Usage.EPOCH:
        return f"epoch/{number}.key"
    if usage is Usage.ESCROW_PRIVATE:
        return f"{usage}.key"
    return f"static/{usage}-{number}.key" if usage is Usage.TOKEN else f"static/{usage}.key"


def read_key(folder: Path, path: Path, problems: list[Problem]) -> Key | None:
    """The key in a file below `folder`, or None; what is wrong is added to `problems`, by file and field.

    No message repeats anything that stands in the file: a secret in the wrong line must not reach a log.
    """
    text, open_to_others = _read(path, problems)
    if open_to_others:
        problems.append(Problem(str(path), "can be read by others; run: chmod 600"))
    if text is None:
        return None
    fields = _fields(text)
    if fields is None:
        problems.append(Problem(str(path), "is not a key file of this version"))
        return None
    wrong = list(_wrong_fields(fields))
    if not wrong and path.relative_to(folder).as_posix() != name_of(Usage(fields["usage"]), int(fields["id"])):
        what = f"is labelled for {fields['usage']}, number {int(fields['id'])}, which is not what the file's name says"
        wrong.append(("usage", what))
    problems += [Problem(f"{path}: {field}", what) for field, what in wrong]
    if wrong:
        return None
    secret = base64.urlsafe_b64decode(fields["key"])
    return Key(Usage(fields["usage"]), int(fields["id"]), KeyState(fields["state"]), secret, int(fields["created"]))


def _read(path: Path, problems: list[Problem]) -> tuple[str | None, bool]:
    """The text of a regular file, and whether its mode lets others at it; None if it cannot be read as text."""
    try:
        # Without O_NONBLOCK a pipe of this name would stop the start for ever.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            facts = os.fstat(handle)
            octets = os.read(handle, _LARGEST + 1) if stat.S_ISREG(facts.st_mode) else b""
        finally:
            os.close(handle)
    except OSError as error:
        problems.append(Problem(str(path), f"cannot be read ({error.strerror})"))
        return None, False
    open_to_others = bool(facts.st_mode & OTHERS)
    if not octets or len(octets) > _LARGEST or not octets.isascii():
        problems.append(Problem(str(path), "is not a key file"))
        return None, open_to_others
    return octets.decode("ascii"), open_to_others


def _fields(text: str) -> Mapping[str, str] | None:
    """The fields, if they are these five, in this order, one a line, and nothing else."""
    names = ("usage", "id", "state", "created", "key")
    title, *lines = text.split("\n")
    if title != _TITLE or len(lines) != len(names) + 1 or lines[-1]:
        return None
    pairs = [line.partition(": ") for line in lines[:-1]]
    if tuple(name for name, _, _ in pairs) != names:
        return None
    return {name: value for name, _, value in pairs}


def _wrong_fields(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    usages, states = frozenset(Usage), frozenset(KeyState)
    if fields["usage"] not in usages:
        yield "usage", "names a use that does not exist"
    elif not _NUMBER.fullmatch(fields["id"]) or int(fields["id"]) > _HIGHEST.get(Usage(fields["usage"]), 65_535):
        yield "id", "is not a number in range"
    if fields["state"] not in states:
        yield "state", "names a state that does not exist"
    elif fields["usage"] != Usage.TOKEN and fields["state"] != KeyState.ACTIVE:
        yield "state", "is one that only token keys have"
    if not _INSTANT.fullmatch(fields["created"]):
        yield "created", "is not an instant in seconds"
    try:
        secret = base64.urlsafe_b64decode(fields["key"])
    except binascii.Error:
        secret = b""
    if base64.urlsafe_b64encode(secret).decode() != fields["key"]:
        yield "key", "is not URL-safe base64"
    elif weakness := weakness_of(secret):
        yield "key", weakness


def weakness_of(secret: bytes) -> str:
    """Why these octets are no key: of another length, or what anybody would try (threat T50); else nothing."""
    if len(secret) != SIZE:
        return f"is {'shorter' if len(secret) < SIZE else 'longer'} than {SIZE} octets"
    lower = secret.lower()
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    poor = len(set(secret)) < 12 or len(steps) < 8 or secret[:16] == secret[16:]
    text = all(0x20 <= octet < 0x7F for octet in secret)  # something typed: of random keys one in 10^13
    if poor or text or secret in _DIGESTS or any(word in lower for word in _WORDS):
        return "is a known or guessable value"
    return ""


def write_key(folder: Path, key: Key, *, replacing: bool = False) -> None:
    """Write a key to its place, whole and on the disk, or not at all.

    Raises ConfigurationRefused if the place is taken, unless it is to be replaced.
    """
    path = folder / name_of(key.usage, key.id)
    values = (key.usage, key.id, key.state, key.created_at, base64.urlsafe_b64encode(key.secret).decode())
    names = ("usage", "id", "state", "created", "key")
    lines = [_TITLE, *(f"{name}: {value}" for name, value in zip(names, values, strict=True)), ""]
    # Another ending: a file that a crash left behind is never read as a key.
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write("\n".join(lines).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        if replacing:
            fresh.replace(path)
        else:
            path.hardlink_to(fresh)  # unlike a rename, it fails where there is a file
    except FileExistsError:
        raise ConfigurationRefused.one(str(path), "is there already; keys are never overwritten") from None
    finally:
        fresh.unlink(missing_ok=True)
    _sync(path.parent)


def erase_key(folder: Path, usage: Usage, number: int) -> bool:
    """Overwrite a key file and delete it, both on the disk before it returns; False where there was none.

    Overwriting in place reaches the old octets on most disks, and not on those that move what is written; encrypt the
    disk for those.
    """
    path = folder / name_of(usage, number)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        os.write(handle, secrets.token_bytes(os.fstat(handle).st_size))
        os.fsync(handle)
    finally:
        os.close(handle)
    path.unlink()
    _sync(path.parent)
    return True


def _sync(folder: Path) -> None:
    """A file is on the disk; its name is only once the folder is, too (fsync(2))."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
