"""The ledger's chain: any event changed, deleted, reordered or inserted is found with the public key alone."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .key import Key, Usage

GENESIS: Final = bytes(32)
PUBLIC_SIZE: Final = 32
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


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stood once, signed and kept elsewhere: what shows that its end was cut off since."""

    controller: int
    sequence: int
    hash: bytes
    signature: bytes


def fingerprint(public: bytes) -> str:
    """The first 16 octets of SHA-256 over a public key, in groups of four characters."""
    digits = hashlib.sha256(public).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


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
    """Sign the chain up to and including this event (Ed25519, RFC 8032). Raises KeyMisuse for a key of another use."""
    return _private(key.require(Usage.LEDGER).secret).sign(_head(controller, sequence, hash_))


@lru_cache(maxsize=2)  # the point is computed from the octets at every loading: a third of the price of a signature
def _private(secret: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret)


def verify_head(public: bytes, controller: int, sequence: int, hash_: bytes, signature: bytes) -> bool:
    """Whether the holder of the ledger key signed this head. Raises ValueError for what is no public key at all."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _head(controller, sequence, hash_))
    except InvalidSignature:
        return False
    return True


def sign_document(key: Key, kind: str, octets: bytes) -> bytes:
    """The signature over a document of ours; `kind` says which, so that none passes for another. 64 octets."""
    return _private(key.require(Usage.LEDGER).secret).sign(_document(kind, octets))


def verify_document(public: bytes, kind: str, octets: bytes, signature: bytes) -> bool:
    """Whether the holder of the ledger key signed this document. Raises ValueError for what is no public key at all."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _document(kind, octets))
    except InvalidSignature:
        return False
    return True


def _document(kind: str, octets: bytes) -> bytes:
    return b"consent_track " + kind.encode("ascii") + b"\0" + octets


def first_break(
    entries: Iterable[tuple[LedgerEntry, bytes, bytes]], public: bytes, *, upto: Sequence[Head] = ()
) -> int | None:
    """The sequence at which one controller's chain, read from its beginning, stops being whole; None if it is.

    Each entry comes with its hash and the signature over it. A chain shows by itself everything but the loss of its
    end: for that, give heads that were kept elsewhere; the chain has to pass through every one. Raises ValueError if
    one was not signed with this key, because it then proves nothing.
    """
    if not all(verify_head(public, one.controller, one.sequence, one.hash, one.signature) for one in upto):
        raise ValueError("upto: is not signed with the ledger key")
    kept: dict[int, set[bytes]] = {}
    for one in upto:
        kept.setdefault(one.sequence, set()).add(one.hash)
    controllers = {one.controller for one in upto}
    previous, expected, controller = GENESIS, 1, min(controllers) if controllers else None
    for entry, hash_, signature in entries:
        controller = entry.controller if controller is None else controller
        whole = (entry.controller, entry.sequence) == (controller, expected) and entry_hash(previous, entry) == hash_
        if not whole or not verify_head(public, controller, expected, hash_, signature):
            return expected
        if kept.get(expected, {hash_}) != {hash_}:
            return expected
        previous, expected = hash_, expected + 1
    return expected if kept and max(kept) >= expected else None
