"""The ledger's chain: any event changed, deleted, reordered or inserted is found with the public key alone."""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .keyring import Key, Usage

GENESIS: Final = bytes(32)
_FIXED: Final = struct.Struct(">HQQQ")
_LENGTH: Final = struct.Struct(">I")
_HEAD: Final = b"consent_track ledger head v1"
_ENTRY: Final = b"consent_track ledger entry v1"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What is hashed of one event: sealed bytes only, so that the chain outlives the keys (RE-14)."""

    controller: int
    sequence: int
    subject: int
    recorded_at: int
    sealed: bytes
    proof: bytes
    proof_tag: bytes


def entry_hash(previous: bytes, entry: LedgerEntry) -> bytes:
    """SHA-256 over the hash before and every field, each with its length: no two entries have the same bytes."""
    digest = hashlib.sha256(_ENTRY + previous)
    digest.update(_FIXED.pack(entry.controller, entry.sequence, entry.subject, entry.recorded_at))
    for part in (entry.sealed, entry.proof, entry.proof_tag):
        digest.update(_LENGTH.pack(len(part)) + part)
    return digest.digest()


def _head(controller: int, sequence: int, hash_: bytes) -> bytes:
    return _HEAD + struct.pack(">HQ", controller, sequence) + hash_


def sign_head(key: Key, controller: int, sequence: int, hash_: bytes) -> bytes:
    """Sign the chain up to and including this event (Ed25519, RFC 8032)."""
    return Ed25519PrivateKey.from_private_bytes(key.require(Usage.LEDGER).secret).sign(
        _head(controller, sequence, hash_)
    )


def verify_head(public: bytes, controller: int, sequence: int, hash_: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _head(controller, sequence, hash_))
    except InvalidSignature:
        return False
    return True


def first_break(entries: Iterable[tuple[LedgerEntry, bytes, bytes]], public: bytes) -> int | None:
    """The sequence at which a chain, read from its beginning, stops being whole; None if it is."""
    previous, expected = GENESIS, 1
    for entry, hash_, signature in entries:
        whole = entry.sequence == expected and entry_hash(previous, entry) == hash_
        if not whole or not verify_head(public, entry.controller, entry.sequence, hash_, signature):
            return expected
        previous, expected = hash_, expected + 1
    return None
