"""Where a hit stands between the answer and the database: one file for each process, one write for each frame.

The answer leaves after the write, so a killed process loses nothing it answered. Nothing here ever holds up or changes
an answer: a full disk, a broken file or a short write means that a hit is not recorded, and is counted.
"""

import fcntl
import logging
import os
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from consent_track.domain.frame import SEGMENT_ID_SIZE, encode_header

from .segment import SUFFIX, SYNCED, UNBORN, Segment, list_segments, list_strangers

__all__ = ["Counts", "Segment", "SpoolWriter", "list_segments", "list_strangers"]

log: Final = logging.getLogger("consent_track.collector")

ROTATE_BYTES: Final = 8 << 20
ROTATE_SECONDS: Final = 60
MAX_BYTES: Final = 1 << 30  # all segments of the node together: 17 million hits, far more than 72 hours may hold
MIN_FREE: Final = 256 << 20  # what is left on the disk for everybody else


@dataclass(slots=True)
class Counts:
    """What became of the frames handed to this process's writer, for the metrics; no person, no day."""

    appended: int = 0
    refused: int = 0  # the spool was full, or could not be opened
    failed: int = 0  # a write failed or was short
    abandoned: int = 0  # segments given up because they could not be cut back


@dataclass(slots=True)
class _Open:
    """The segment this process writes to. `length` ends behind the last whole frame."""

    handle: int
    path: Path
    length: int
    opened_at: int


class SpoolWriter:
    """The writing side of the spool of one node. `folder` is the node's own folder; every process has its own segment.

    Nothing is opened before the first frame, because a file opened before a fork would be shared by all workers.
    Times are seconds, sizes octets; `now` is handed in with each call.
    """

    def __init__(
        self,
        folder: Path,
        node: str,
        *,
        max_bytes: int = MAX_BYTES,
        min_free: int = MIN_FREE,
        rotate_bytes: int = ROTATE_BYTES,
        rotate_seconds: int = ROTATE_SECONDS,
    ) -> None:
        self._make = partial(_ProcessSpool, folder, node, max_bytes, min_free, rotate_bytes, rotate_seconds)
        self._by_pid: dict[int, _ProcessSpool] = {}

    def append(self, frame: bytes, now: int) -> bool:
        """Write one frame; True when the kernel has all of it. Never raises for anything the disk does."""
        own = self._by_pid.get(os.getpid()) or self._adopt()
        return own.append(frame, now)

    def tend(self, now: int) -> None:
        """Once a second or so: sync if no drain did, and let go of a segment that has grown old."""
        own = self._by_pid.get(os.getpid())
        if own is not None:
            own.tend(now)

    def close(self) -> None:
        """Let go of this process's segment, so that the drain may finish and delete it."""
        own = self._by_pid.pop(os.getpid(), None)
        if own is not None:
            own.close()

    @property
    def counts(self) -> Counts:
        own = self._by_pid.get(os.getpid())
        return Counts() if own is None else own.counts

    def _adopt(self) -> "_ProcessSpool":
        # After a fork the parent's handle came along. As long as anybody holds it the drain takes the owner for
        # alive, so the child drops it. The parent keeps its lock: it belongs to the open file, not to the handle.
        pid = os.getpid()
        for other in [number for number in self._by_pid if number != pid]:
            inherited = self._by_pid.pop(other, None)
            if inherited is not None:
                inherited.drop_inherited()
        return self._by_pid.setdefault(pid, self._make())


class _ProcessSpool:
    """What one process knows of its own segment. Several threads may append; the lock keeps `length` true."""

    def __init__(
        self, folder: Path, node: str, max_bytes: int, min_free: int, rotate_bytes: int, rotate_seconds: int
    ) -> None:
        self._folder = folder
        self._node = node
        self._max_bytes = max_bytes
        self._min_free = min_free
        self._rotate_bytes = rotate_bytes
        self._rotate_seconds = rotate_seconds
        self._lock = threading.Lock()
        self._open: _Open | None = None
        self._room = 0  # octets that may still be written before the next look at the disk
        self._looked_at = -1
        self._seen_sync = -1
        self._unsynced: set[Path] = set()
        self.counts = Counts()

    def append(self, frame: bytes, now: int) -> bool:
        size = len(frame)
        with self._lock:
            if now != self._looked_at:
                self._look(now)
            if self._room < size:
                self.counts.refused += 1
                return False
            if self._open is not None and self._open.length >= self._rotate_bytes:
                self._let_go()
            current = self._open or self._begin(now)
            if current is None:
                self._room = 0  # tried again with the next look, a second from now
                self.counts.refused += 1
                return False
            try:
                written = os.write(current.handle, frame)
            except OSError:
                written = -1
            if written != size:
                self._cut_back(current)
                return False
            current.length += size
            self._room -= size
            self.counts.appended += 1
            return True

    def tend(self, now: int) -> None:
        with self._lock:
            self._retire_if_old(now)
        self._sync_if_alone()

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def drop_inherited(self) -> None:
        if self._open is not None:
            os.close(self._open.handle)
            self._open = None

    def _look(self, now: int) -> None:
        """Once a second: how much may still be written, and is it time for a new segment?"""
        self._looked_at = now
        self._retire_if_old(now)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            disk = os.statvfs(self._folder)
            used = _octets_in(self._folder)
        except OSError:
            self._room = 0
            return
        self._room = min(self._max_bytes - used, disk.f_bavail * disk.f_frsize - self._min_free)

    def _retire_if_old(self, now: int) -> None:
        current = self._open
        if current is not None and not 0 <= now - current.opened_at < self._rotate_seconds:
            self._let_go()

    def _let_go(self) -> None:
        if self._open is not None:
            os.close(self._open.handle)
            self._open = None

    def _begin(self, now: int) -> _Open | None:
        """Open a segment: locked and headed under another name first, so that no drain meets a file without owner."""
        segment_id = secrets.token_bytes(SEGMENT_ID_SIZE)
        path = self._folder / f"{now:012d}-{segment_id.hex()}{SUFFIX}"
        unborn = path.with_suffix(UNBORN)
        header = encode_header(segment_id, self._node)
        handle = -1
        try:
            self._sweep_unborn()
            handle = os.open(unborn, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.write(handle, header) != len(header):
                raise OSError("the header was cut short")
            os.fsync(handle)
            unborn.rename(path)
            _sync_folder(self._folder)
        except OSError as error:
            log.warning("spool: a segment could not be opened: %s", type(error).__name__)
            if handle >= 0:
                os.close(handle)
                _discard(unborn)
                _discard(path)
            return None
        self._open = _Open(handle, path, len(header), now)
        self._unsynced.add(path)
        return self._open

    def _sweep_unborn(self) -> None:
        """Files whose maker died between creating and naming them hold no hit; nobody else would remove them."""
        for left in self._folder.glob(f"*{UNBORN}"):
            if not _held(left):
                _discard(left)

    def _cut_back(self, current: _Open) -> None:
        """Undo a short write (seen on a full disk, without any error); give the segment up if that fails."""
        self.counts.failed += 1
        self._room = 0
        try:
            os.ftruncate(current.handle, current.length)
        except OSError:
            self.counts.abandoned += 1
            self._let_go()

    def _sync_if_alone(self) -> None:
        """The drain of the node syncs every 100 ms and leaves a sign; where the sign stands still, we sync."""
        try:
            sign = (self._folder / SYNCED).stat().st_mtime_ns
        except OSError:
            sign = -1
        alone, self._seen_sync = sign == self._seen_sync, sign
        with self._lock:
            written = list(self._unsynced)
        if alone:  # outside the lock: a slow disk must not hold up an answer
            for path in written:
                _sync_file(path)
        with self._lock:
            current = None if self._open is None else self._open.path
            self._unsynced.difference_update(path for path in written if path != current)


def _octets_in(folder: Path) -> int:
    used = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # drained and deleted while we looked
                used += entry.stat().st_size
    return used


def _held(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("spool: a file could not be removed: %s", type(error).__name__)


def _sync_file(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # drained and deleted
    try:
        os.fdatasync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
