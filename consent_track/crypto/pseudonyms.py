"""IP addresses become keyed pseudonyms of their network; the key of a day is random and is destroyed.

A pseudonym is still personal data while its key lives (EDPB 01/2025), and nothing anybody can reverse afterwards.
"""

import contextlib
import hmac
import ipaddress
import os
import secrets
import stat
import struct
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

SIZE: Final = 32
OCTETS: Final = 8
_CONTROLLER: Final = struct.Struct(">H")
_OCTET_OF: Final = {str(number): number for number in range(256)}


def network_pseudonym(day_key: bytes, controller: int, address: str) -> bytes:
    """Eight octets for the /24 or /48 of an address; nothing for what is no address.

    HMAC under HMAC(day key, controller): one network has unlike values for two controllers and for two days (IP-02).
    """
    network = _network(address)
    return hmac.digest(_own_key(day_key, controller), network, "sha256")[:OCTETS] if network else b""


def _own_key(day_key: bytes, controller: int) -> bytes:
    return hmac.digest(day_key, _CONTROLLER.pack(controller), "sha256")


def _network(address: str) -> bytes:
    parts = address.split(".")
    if len(parts) == 4 and ":" not in address:
        # The module that does this in the library costs more than the rest of the hit (measured).
        try:
            network = bytes((0x34, _OCTET_OF[parts[0]], _OCTET_OF[parts[1]], _OCTET_OF[parts[2]]))
            return network if parts[3] in _OCTET_OF else b""
        except KeyError:
            return b""
    try:
        six = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return b""
    four = six.ipv4_mapped
    return b"4" + four.packed[:3] if four else b"6" + six.packed[:6]


class DayKeys:
    """The day keys of this machine: files on a memory file system, made once, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # One day, its key, and what is derived from it for each controller: replaced together, forgotten together.
        self._cached: tuple[date, bytes, dict[int, bytes]] | None = None

    def key(self, day: date) -> bytes:
        """The key of a day, made by whoever asks first. Raises OSError where the folder cannot be used or trusted."""
        return self._of(day)[1]

    def pseudonym(self, day: date, controller: int, address: str) -> bytes:
        """`network_pseudonym` under the key of a day, without deriving the controller's key anew. Raises OSError."""
        network = _network(address)
        if not network:
            return b""
        _, day_key, derived = self._of(day)
        own = derived.get(controller)
        if own is None:
            own = derived[controller] = _own_key(day_key, controller)
        return hmac.digest(own, network, "sha256")[:OCTETS]

    def _of(self, day: date) -> tuple[date, bytes, dict[int, bytes]]:
        cached = self._cached
        if cached is None or cached[0] != day:
            cached = self._cached = (day, self._obtain(day), {})
        return cached

    def _obtain(self, day: date) -> bytes:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In a place that all users share, somebody else may have made the folder first, to read what we put there.
        facts = self._folder.lstat()
        mine = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()
        if not mine or facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PermissionError("the folder of the day keys belongs to somebody else, or is open to others")
        path = self._folder / f"{day.isoformat()}.key"
        if not path.exists():
            self._make(path)
        key = path.read_bytes()
        if len(key) != SIZE or not any(key):
            raise FileNotFoundError("the key of that day is being destroyed")
        return key

    def _make(self, path: Path) -> None:
        # Written under another name and linked: whoever sees the file sees the whole key, and the first one wins.
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(SIZE))
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(fresh)
        finally:
            fresh.unlink(missing_ok=True)

    def days(self) -> list[date]:
        """The days whose keys still exist here."""
        return sorted(day for day, path in self._files() if path.suffix == ".key")

    def destroy(self, before: date) -> list[date]:
        """Overwrite and unlink the keys of days before `before`; the days whose keys this call destroyed."""
        gone = {day for day, path in self._files() if day < before and _wiped(path) and path.suffix == ".key"}
        cached = self._cached
        if cached is not None and cached[0] < before:
            self._cached = None
        return sorted(gone)

    def _files(self) -> Iterator[tuple[date, Path]]:
        """Each key file with its day, and what a process left that died while it made one."""
        for path in sorted(self._folder.glob("????-??-??.key*")):
            with contextlib.suppress(ValueError):
                yield date.fromisoformat(path.name[:10]), path


def _wiped(path: Path) -> bool:
    """Whether this process was the one to destroy it."""
    try:
        # Overwriting is for the octets, wherever another name or an open file still leads to them.
        with path.open("r+b") as file:
            file.write(bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return False
    return True
