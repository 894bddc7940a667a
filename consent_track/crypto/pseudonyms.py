"""IP addresses become keyed pseudonyms of their network; the key of a day is random and is destroyed.

A pseudonym is still personal data while its key lives (EDPB 01/2025), and nothing anybody can reverse afterwards.
"""

import hmac
import ipaddress
import os
import secrets
import struct
from datetime import date
from pathlib import Path
from typing import Final

SIZE: Final = 32
OCTETS: Final = 8
_CONTROLLER: Final = struct.Struct(">H")


def network_pseudonym(day_key: bytes, controller: int, address: str) -> bytes:
    """Eight octets for the /24 or /48 of an address; nothing for what is no address.

    HMAC under HMAC(day key, controller): one network has unlike values for two controllers and for two days (IP-02).
    """
    network = _network(address)
    if not network:
        return b""
    own = hmac.digest(day_key, _CONTROLLER.pack(controller), "sha256")
    return hmac.digest(own, network, "sha256")[:OCTETS]


def _network(address: str) -> bytes:
    parts = address.split(".")
    if len(parts) == 4 and ":" not in address:
        # The module that does this in the library costs more than the rest of the hit (measured).
        if all(part.isascii() and part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
            return b"4" + bytes((int(parts[0]), int(parts[1]), int(parts[2])))
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
        self._cached: tuple[date, bytes] | None = None

    def key(self, day: date) -> bytes:
        """The key of a day, made by whoever asks first. Raises OSError where the folder cannot be written."""
        cached = self._cached
        if cached is not None and cached[0] == day:
            return cached[1]
        key = self._obtain(self._folder / f"{day.isoformat()}.key")
        self._cached = (day, key)
        return key

    def _obtain(self, path: Path) -> bytes:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written under another name and linked: whoever sees the file sees the whole key.
        fresh = self._folder / f".{os.getpid()}-{secrets.token_hex(8)}"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, secrets.token_bytes(SIZE))
        finally:
            os.close(handle)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        return path.read_bytes()

    def days(self) -> list[date]:
        """The days whose keys still exist here."""
        return sorted(date.fromisoformat(path.stem) for path in self._folder.glob("*-*-*.key"))

    def destroy(self, before: date) -> list[date]:
        """Destroy the keys of days before `before`: overwritten, then unlinked."""
        gone = [day for day in self.days() if day < before]
        for day in gone:
            path = self._folder / f"{day.isoformat()}.key"
            with path.open("r+b") as file:
                file.write(bytes(SIZE))
                file.flush()
                os.fsync(file.fileno())
            path.unlink(missing_ok=True)
        if self._cached is not None and self._cached[0] < before:
            self._cached = None
        return gone
