"""Putting new octets in the place of old ones, and leaving every other octet as it is."""

from collections.abc import Sequence
from typing import NamedTuple


class Splice(NamedTuple):
    """Put `data` in the place of the octets from `start` to `end`."""

    start: int
    end: int
    data: bytes


def apply(data: bytes, splices: Sequence[Splice]) -> bytes:
    """The octets with every splice made, whatever their order; those at one and the same place in the order given.

    Raises ValueError: if they overlap or reach outside the data.
    """
    if not splices:
        return data
    pieces: list[bytes] = []
    done = 0
    for start, end, new in sorted(splices, key=lambda splice: splice[:2]):
        if not done <= start <= end <= len(data):
            raise ValueError(f"splice {start}..{end} overlaps another or lies outside 0..{len(data)}")
        pieces.append(data[done:start])
        pieces.append(new)
        done = end
    pieces.append(data[done:])
    return b"".join(pieces)
