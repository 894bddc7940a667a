"""The bytes of the spool: pinned, and read back exactly or not at all."""

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.domain.frame import (
    decode_frames,
    decode_header,
    encode_header,
    encode_hit,
    encode_signal,
)
from consent_track.domain.observation import Observation, Signal, Verdict
from consent_track.domain.vocabulary import HitKind

CLICK = Observation(
    kind=HitKind.CLICK,
    controller=7,
    subject=0x1122334455667788,
    message=0x0102030405060708,
    at=1_795_435_200,
    issued_at=1_795_431_600,
    purposes=0b110000,
    mail_type=4,
    jurisdiction="US-CA",
    policy_prefix=0xDEADBEEF,
    flags=2,
    link=300,
    verdict=Verdict(1, 2, 3),
    network=bytes.fromhex("a1a2a3a4a5a6a7a8"),
)
SIGNAL = Signal(controller=7, subject=0x1122334455667788, jurisdiction="FR", day=20_780)

# length type | kind controller subject message at issued purposes mail-type jurisdiction policy flags link
# engagement reason rules network | crc
PINNED_HIT = """
    0036 01
    02 0007 1122334455667788 0102030405060708 6b042ac0 6b041cb0 0030 04 5553434100 deadbeef 02 012c
    01 02 0003 a1a2a3a4a5a6a7a8
"""
PINNED_SIGNAL = "0013 02 0007 1122334455667788 4652000000 0000512c"
PINNED_HEADER = "435453504f4f4c 01 000102030405060708090a0b0c0d0e0f 06 6e6f64652d61"

some_hits = some.builds(
    Observation,
    kind=some.sampled_from(HitKind),
    controller=some.integers(1, 65_535),
    subject=some.integers(0, 2**63 - 1),
    message=some.integers(0, 2**63 - 1),
    at=some.integers(0, 2**32 - 1),
    issued_at=some.integers(0, 2**32 - 1),
    purposes=some.integers(0, 2**16 - 1),
    mail_type=some.integers(0, 255),
    jurisdiction=some.sampled_from(["FR", "US-CA", "US-OTHER", "ZZ", "GB-ENG"]),
    policy_prefix=some.integers(0, 2**32 - 1),
    flags=some.integers(0, 255),
    link=some.integers(0, 65_535),
    verdict=some.builds(Verdict, some.integers(0, 255), some.integers(0, 255), some.integers(0, 65_535)),
    network=some.just(b"") | some.binary(min_size=8, max_size=8).filter(any),
)
some_signals = some.builds(
    Signal,
    some.integers(1, 65_535),
    some.integers(0, 2**63 - 1),
    some.sampled_from(["FR", "ZZ"]),
    some.integers(0, 2**32 - 1),
)
some_records = some.lists(some_hits | some_signals, max_size=4)


def encode(record):
    return encode_hit(record) if isinstance(record, Observation) else encode_signal(record)


def with_crc(head: bytes) -> bytes:
    return head + struct.pack(">I", zlib.crc32(head))


def records(octets: bytes, base: int = 0):
    return [framed.record for framed in decode_frames(octets, base)]


def test_the_octets_are_frozen():
    assert encode_hit(CLICK) == with_crc(bytes.fromhex(PINNED_HIT))
    assert encode_signal(SIGNAL) == with_crc(bytes.fromhex(PINNED_SIGNAL))
    assert encode_header(bytes(range(16)), "node-a") == bytes.fromhex(PINNED_HEADER)


def test_the_check_sum_is_the_common_crc_32():
    assert encode_hit(CLICK)[-4:].hex() == "f09a7cd3"
    assert encode_signal(SIGNAL)[-4:].hex() == "ec662faa"


@given(some_records, some.integers(0, 2**40))
def test_what_is_written_is_read_back_with_its_place(written, base):
    octets = b"".join(map(encode, written))
    framed = list(decode_frames(octets, base))
    assert [one.record for one in framed] == written
    places = [base, *(one.end for one in framed)]
    assert [one.offset for one in framed] == places[:-1]
    assert places[-1] == base + len(octets)


@given(some_records, some.data())
@settings(max_examples=60)
def test_a_torn_tail_costs_the_torn_record_only(written, data):
    frames = [encode(record) for record in written]
    octets = b"".join(frames)
    cut = data.draw(some.integers(0, len(octets)))
    ends = [sum(map(len, frames[: number + 1])) for number in range(len(frames))]
    assert records(octets[:cut]) == written[: sum(1 for end in ends if end <= cut)]


@given(some.lists(some_hits, min_size=1, max_size=3), some.data())
@settings(max_examples=100)
def test_a_flipped_bit_never_becomes_another_record(written, data):
    octets = bytearray(b"".join(map(encode, written)))
    place = data.draw(some.integers(0, len(octets) * 8 - 1))
    octets[place // 8] ^= 1 << place % 8
    whole_before = place // 8 // len(encode(written[0]))
    assert records(bytes(octets)) == written[:whole_before]


@given(some.binary(max_size=300))
def test_any_octets_are_read_without_error(octets):
    records(octets)
    decode_header(octets)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("a type nobody knows", lambda head: head[:2] + b"\x09" + head[3:]),
        ("a kind of hit nobody knows", lambda head: head[:3] + b"\x09" + head[4:]),
        ("a length that does not fit the type", lambda head: b"\x00\x35" + head[2:-1]),
        ("an empty payload", lambda head: b"\x00\x00\x01"),
    ],
)
def test_a_whole_frame_that_nobody_understands_ends_the_reading(what, change):
    before = encode_signal(SIGNAL)
    strange = with_crc(change(encode_hit(CLICK)[:-4]))
    assert records(before + strange + before) == [SIGNAL]


def test_no_network_and_eight_zero_octets_are_the_same():
    assert records(encode_hit(CLICK))[0].network == CLICK.network
    bare = Observation(**{name: getattr(CLICK, name) for name in CLICK.__slots__ if name != "network"})
    assert records(encode_hit(bare))[0].network == b""


@pytest.mark.parametrize("size", [0, 1, 24, 30])
def test_a_file_shorter_than_its_header_has_none(size):
    octets = encode_header(bytes(16), "node-a")
    assert decode_header(octets[:size]) is None
    found = decode_header(octets + b"more")
    assert found is not None
    assert (found.node, found.size) == ("node-a", len(octets))


def test_another_magic_or_version_is_no_segment():
    octets = encode_header(bytes(16), "node-a")
    assert decode_header(b"X" + octets[1:]) is None
    assert decode_header(octets[:7] + b"\x02" + octets[8:]) is None
