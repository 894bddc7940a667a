"""Looking for octets in files of any size: in blocks, with what is packed in gzip or zlib unpacked, and bounded.

A leaf: it knows files and octets, and nothing of whose they are.
"""

import os
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consent_track.domain.needles import Needle

BLOCK: Final = 1 << 20
_UNPACKED: Final = 64 << 20  # octets of one packed member that are looked at
_PACKED: Final = ((b"\x1f\x8b\x08", 31), (b"\x78\x01", 15), (b"\x78\x9c", 15), (b"\x78\xda", 15))
_MEMBERS: Final = 10_000  # in one file


@dataclass(frozen=True, slots=True)
class Hit:
    """Something was found: in which place, in which form. What was found is not repeated."""

    place: str
    form: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search came to: how much was read, and what could not be."""

    files: int
    octets: int
    hits: tuple[Hit, ...]
    unread: tuple[str, ...]


def look_through(roots: Iterable[Path], needles: Sequence[Needle], *, skip: Iterable[Path] = ()) -> Looked:
    """Search every regular file below these folders, and these files themselves. `skip`: folders to leave out."""
    left_out = {path.resolve() for path in skip}
    files = octets = 0
    hits: set[Hit] = set()
    unread: list[str] = []
    seen: set[tuple[int, int]] = set()
    for path in _files(roots, left_out):
        try:
            facts = path.lstat()
            if not stat.S_ISREG(facts.st_mode) or (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            octets += _search(path, needles, hits)
            files += 1
        except FileNotFoundError:
            continue  # it went while we looked
        except OSError as error:
            unread.append(f"{path}: {error.strerror}")
    return Looked(files, octets, tuple(sorted(hits, key=lambda hit: (hit.place, hit.form))), tuple(unread))


def _files(roots: Iterable[Path], left_out: set[Path]) -> Iterator[Path]:
    for root in roots:
        if root.is_dir():
            for folder, below, names in os.walk(root):
                here = Path(folder)
                below[:] = [name for name in below if (here / name).resolve() not in left_out]
                yield from (here / name for name in names)
        elif root.exists():
            yield root


def _search(path: Path, needles: Sequence[Needle], hits: set[Hit]) -> int:
    """Search one file; how many octets it has. Its name counts, too."""
    named = forms_in(os.fsencode(path), needles)
    # A finding is written down and read by others: it must not repeat what was found.
    place = "a file whose name says it" if named else str(path)
    hits.update(Hit(place, form) for form in named)
    overlap = max((len(needle.octets) for needle in needles), default=1) - 1
    size, tail, packed = 0, b"", 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            window = tail + block
            hits.update(Hit(place, form) for form in forms_in(window, needles))
            for start, bits in _members(window, len(tail)):
                packed += 1
                if packed <= _MEMBERS:
                    inner = _unpack(path, size - len(tail) + start, bits)
                    hits.update(Hit(f"{place}, packed", form) for form in forms_in(inner, needles))
            size += len(block)
            tail = window[-overlap:] if overlap else b""
    return size


def _members(window: bytes, known: int) -> Iterator[tuple[int, int]]:
    """Where something packed may begin, behind what an earlier window has looked at."""
    for magic, bits in _PACKED:
        at = window.find(magic, max(known - len(magic) + 1, 0))
        while at >= 0:
            yield at, bits
            at = window.find(magic, at + 1)


def _unpack(path: Path, start: int, bits: int) -> bytes:
    """What is packed from here on, up to a bound; empty where nothing is."""
    opener, out, size = zlib.decompressobj(bits), [], 0
    with path.open("rb") as file:
        file.seek(start)
        try:
            while not opener.eof and size < _UNPACKED and (block := file.read(65_536)):
                out.append(opener.decompress(block, _UNPACKED - size))
                size += len(out[-1])
        except zlib.error:
            pass  # whatever came out before it broke is looked at
    return b"".join(out)


def forms_in(octets: bytes, needles: Sequence[Needle]) -> set[str]:
    """The forms that stand in these octets."""
    folded = octets.lower()
    return {needle.form for needle in needles if needle.octets in (folded if needle.folded else octets)}
