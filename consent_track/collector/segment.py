"""One file of the spool: its name, its header, its frames, and whether its owner still lives.

This is the side of the drain. A segment is read while it grows; it is deleted only when its owner has let go of it and
the cursor of the drain stands at its end.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from consent_track.domain.frame import Framed, SegmentHeader, decode_frames, decode_header

SUFFIX: Final = ".segment"
UNBORN: Final = ".unborn"  # not yet locked and headed; a drain must not see it
# The drain touches this file whenever it has synced: an owner that sees it still standing syncs for itself.
SYNCED: Final = "synced"
_HEADER_AT_MOST: Final = 512
_FRAME_ABOUT: Final = 96  # more octets than any frame has today


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as its drain sees it. Offsets count octets from the beginning of the file."""

    path: Path
    header: SegmentHeader

    @property
    def id(self) -> str:
        """The random id under which the cursor is kept, in hexadecimal."""
        return self.header.segment_id.hex()

    def owner_gone(self) -> bool:
        """Whether nobody writes to this segment any more. Ask *before* reading: what is read afterwards is all."""
        with _opened(self.path) as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True  # closing the handle frees the lock again

    def sync(self) -> None:
        """Force what is written so far to the disk, and leave a sign that a drain is about."""
        with _opened(self.path) as handle:
            os.fdatasync(handle)
        (self.path.parent / SYNCED).touch(mode=0o600)

    def read(self, offset: int, limit: int) -> list[Framed]:
        """At most `limit` whole frames from `offset` on (0 = the first); fewer at a torn tail or the present end."""
        begin = max(offset, self.header.size)
        with _opened(self.path) as handle:
            octets = os.pread(handle, limit * _FRAME_ABOUT, begin)
        return list(islice(decode_frames(octets, begin), limit))

    def torn(self, offset: int) -> int:
        """1 if something that is no frame follows `offset`, the end of the last whole one; else 0."""
        return int(self.path.stat().st_size > max(offset, self.header.size))

    def delete(self) -> None:
        """Remove the file. Only for a segment without an owner, read to its end."""
        self.path.unlink(missing_ok=True)


def _header_of(path: Path) -> SegmentHeader | None:
    with _opened(path) as handle:
        return decode_header(os.pread(handle, _HEADER_AT_MOST, 0))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return []  # no process of this node has recorded anything yet


def list_segments(folder: Path) -> list[Segment]:
    """The segments of one node, oldest first. `folder` is the node's own folder."""
    return [Segment(path, header) for path in _files(folder) if (header := _header_of(path)) is not None]


def list_strangers(folder: Path) -> list[Path]:
    """Files that are named like segments and cannot be read as such: of a later version, or damaged. For the doctor."""
    return [path for path in _files(folder) if _header_of(path) is None]
