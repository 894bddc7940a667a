"""The epoch keys of a running process: read again when a file came or went, so that a rotation needs no restart."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Final

from consent_track.domain.errors import ConfigurationRefused

from .key import Key
from .keyring import Keyring, load

# A new epoch seals this many seconds after it was made: by then every process has seen its file, so nobody looks for a
# person under one epoch while another makes them under the next.
ACTIVATION: Final = 60


def current_of(epochs: Mapping[int, Key], now: int) -> int:
    """The epoch that seals at an instant: the newest that is old enough, else the oldest there is."""
    return max((number for number, key in epochs.items() if key.created_at + ACTIVATION <= now), default=min(epochs))


class Epochs:
    """A keyring whose epochs follow the folder."""

    def __init__(self, folder: Path, keys: Keyring) -> None:
        self._folder, self._keys, self._lock = folder, keys, Lock()
        self._seen = self._look()

    def at(self, now: int) -> Keyring:
        """The keyring as it is, with the epoch that seals now. A folder that cannot be read changes nothing."""
        if not self._keys.epochs:
            return self._keys  # a collector holds none
        if self._look() != self._seen:
            self._reload()
        current = current_of(self._keys.epochs, now)
        if current != self._keys.current:
            self._keys = replace(self._keys, current=current)
        return self._keys

    def _reload(self) -> None:
        with self._lock:
            seen = self._look()
            try:
                self._keys = replace(self._keys, epochs=load(self._folder).epochs)
            except ConfigurationRefused:
                return  # half copied: the next unit of work looks again
            self._seen = seen

    def _look(self) -> int:
        try:
            return (self._folder / "epoch").stat().st_mtime_ns
        except OSError:
            return -1
