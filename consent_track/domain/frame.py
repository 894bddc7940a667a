"""The bytes of a spool record: what a collector writes and a drain reads back. Frozen; tests pin them.

Segment = header, then frames. Header: magic, version, 16 octets segment id, node name.
Frame = payload length (2), type (1), payload, CRC-32 over length, type and payload (4). All integers big-endian.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from .observation import Observation, Signal, Verdict
from .vocabulary import HitKind, pack_jurisdiction, unpack_jurisdiction

MAGIC: Final = b"CTSPOOL"
VERSION: Final = 1
SEGMENT_ID_SIZE: Final = 16

_HEADER: Final = struct.Struct(">7sB16sB")
_PREFIX: Final = struct.Struct(">HB")
_CRC: Final = struct.Struct(">I")
# kind, controller, subject, message, at, issued_at, purposes, mail type, jurisdiction, policy, flags, link,
# engagement class, reason, rules, network
_HIT: Final = struct.Struct(">BHQQIIHB5sIBHBBH8s")
_HIT_FRAME: Final = struct.Struct(">HBBHQQIIHB5sIBHBBH8s")  # length and type in front: one packing for the hot path
_SIGNAL: Final = struct.Struct(">HQ5sI")

HIT: Final = 1
SIGNAL: Final = 2
NO_NETWORK: Final = bytes(8)


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """Who wrote a segment; the cursor of the drain is kept under its id."""

    segment_id: bytes
    node: str
    size: int  # octets of the header; frames begin here


def encode_header(segment_id: bytes, node: str) -> bytes:
    name = node.encode("ascii")
    return _HEADER.pack(MAGIC, VERSION, segment_id, len(name)) + name


def decode_header(octets: bytes) -> SegmentHeader | None:
    """The header, or None where the file is shorter than one or is not a segment of this version."""
    if len(octets) < _HEADER.size:
        return None
    magic, version, segment_id, length = _HEADER.unpack_from(octets)
    size = _HEADER.size + length
    if magic != MAGIC or version != VERSION or len(octets) < size:
        return None
    return SegmentHeader(segment_id, octets[_HEADER.size : size].decode("ascii", "replace"), size)


def _frame(kind: int, payload: bytes) -> bytes:
    head = _PREFIX.pack(len(payload), kind) + payload
    return head + _CRC.pack(zlib.crc32(head))


def encode_hit(hit: Observation) -> bytes:
    return hit_frame(
        hit.kind, hit.controller, hit.subject, hit.message, hit.at, hit.issued_at, hit.purposes, hit.mail_type,
        hit.jurisdiction, hit.policy_prefix, hit.flags, hit.link, hit.verdict, hit.network,
    )  # fmt: skip


def hit_frame(
    kind: HitKind,
    controller: int,
    subject: int,
    message: int,
    at: int,
    issued_at: int,
    purposes: int,
    mail_type: int,
    jurisdiction: str,
    policy_prefix: int,
    flags: int,
    link: int,
    verdict: Verdict,
    network: bytes,
) -> bytes:
    """The frame of the observation with these fields, in its order: the collector makes thousands a second."""
    head = _HIT_FRAME.pack(
        _HIT.size, HIT, kind.value, controller, subject, message, at, issued_at, purposes, mail_type,
        pack_jurisdiction(jurisdiction), policy_prefix, flags, link, verdict.kind, verdict.reason, verdict.rules,
        network or NO_NETWORK,
    )  # fmt: skip
    return head + _CRC.pack(zlib.crc32(head))


def encode_signal(signal: Signal) -> bytes:
    payload = _SIGNAL.pack(signal.controller, signal.subject, pack_jurisdiction(signal.jurisdiction), signal.day)
    return _frame(SIGNAL, payload)


def _hit(payload: bytes) -> Observation:
    (kind, controller, subject, message, at, issued_at, purposes, mail_type, jurisdiction, policy, flags, link,
     engagement, reason, rules, network) = _HIT.unpack(payload)  # fmt: skip
    return Observation(
        HitKind(kind), controller, subject, message, at, issued_at, purposes, mail_type,
        unpack_jurisdiction(jurisdiction), policy, flags, link, Verdict(engagement, reason, rules),
        b"" if network == NO_NETWORK else network,
    )  # fmt: skip


def _signal(payload: bytes) -> Signal:
    controller, subject, jurisdiction, day = _SIGNAL.unpack(payload)
    return Signal(controller, subject, unpack_jurisdiction(jurisdiction), day)


_DECODERS: Final[dict[int, tuple[Callable[[bytes], Observation | Signal], int]]] = {
    HIT: (_hit, _HIT.size),
    SIGNAL: (_signal, _SIGNAL.size),
}


@dataclass(frozen=True, slots=True)
class Framed:
    """One record of a segment, with the offset it begins at and the offset behind it."""

    record: Observation | Signal
    offset: int
    end: int


def decode_frames(octets: bytes, base: int = 0) -> Iterator[Framed]:
    """The whole, valid frames of `octets`, in order; stops without error at the first that is torn or wrong.

    `base` is the offset of `octets` in its segment. What follows the last `end` is a torn tail, or not yet written.
    """
    position = 0
    while position + _PREFIX.size <= len(octets):
        length, kind = _PREFIX.unpack_from(octets, position)
        end = position + _PREFIX.size + length + _CRC.size
        if end > len(octets):
            return
        crc_at = end - _CRC.size
        if zlib.crc32(octets[position:crc_at]) != _CRC.unpack_from(octets, crc_at)[0]:
            return
        known = _DECODERS.get(kind)
        if known is None or length != known[1]:
            return
        try:
            record = known[0](octets[position + _PREFIX.size : crc_at])
        except ValueError:  # a kind of hit that nobody knows
            return
        yield Framed(record, base + position, base + end)
        position = end
