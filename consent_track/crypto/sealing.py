"""Personal columns are sealed under the person's own key; that key is wrapped by the epoch. No key, no person."""

import hmac
import secrets
import struct
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consent_track.domain.errors import ConsentTrackError

from .key import SIZE, Key, Usage

DATA_KEY_SIZE: Final = 64
_WHOSE: Final = struct.Struct(">HQ")
_CONTROLLER: Final = struct.Struct(">H")
_ESCROW: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_ESCROW_INFO: Final = b"consent_track proof escrow v1"


class SealBroken(ConsentTrackError):
    """Raised when something sealed does not open: another person's key, another place, or changed bytes."""


def new_data_key() -> bytes:
    """A fresh key for one person (AES-256-SIV, RFC 5297)."""
    return secrets.token_bytes(DATA_KEY_SIZE)


def wrap(epoch: Key, controller: int, reference: int, data_key: bytes) -> bytes:
    """The data key as it may be stored; destroying the epoch key destroys every copy of it."""
    return AESSIV(_wide(epoch)).encrypt(data_key, [b"data key", _WHOSE.pack(controller, reference)])


def unwrap(epoch: Key, controller: int, reference: int, wrapped: bytes) -> bytes:
    """Raises SealBroken."""
    return _open(_wide(epoch), wrapped, [b"data key", _WHOSE.pack(controller, reference)])


def seal(data_key: bytes, controller: int, reference: int, label: str, plaintext: bytes) -> bytes:
    """Seal one value for one place: `label` says which, so that sealed values cannot be swapped."""
    return AESSIV(data_key).encrypt(plaintext, [label.encode(), _WHOSE.pack(controller, reference)])


def unseal(data_key: bytes, controller: int, reference: int, label: str, sealed: bytes) -> bytes:
    """Raises SealBroken."""
    return _open(data_key, sealed, [label.encode(), _WHOSE.pack(controller, reference)])


def seal_until_known(epoch: Key, controller: int, reference: int, label: str, plaintext: bytes) -> bytes:
    """Seal what is about somebody who has no key yet; it ends with its row, at the latest with the epoch."""
    key = _derived(epoch.require(Usage.EPOCH).secret, b"consent_track not yet known v1", DATA_KEY_SIZE)
    return seal(key, controller, reference, label, plaintext)


def unseal_until_known(epoch: Key, controller: int, reference: int, label: str, sealed: bytes) -> bytes:
    """Raises SealBroken."""
    key = _derived(epoch.require(Usage.EPOCH).secret, b"consent_track not yet known v1", DATA_KEY_SIZE)
    return unseal(key, controller, reference, label, sealed)


def _open(key: bytes, sealed: bytes, bound_to: list[bytes]) -> bytes:
    try:
        return AESSIV(key).decrypt(sealed, bound_to)
    except (InvalidTag, ValueError):
        raise SealBroken from None


def _wide(epoch: Key) -> bytes:
    return _derived(epoch.require(Usage.EPOCH).secret, b"consent_track wrap v1", DATA_KEY_SIZE)


# Three uses of at most a few epochs. It forgets them with the process, as the keyring they came from does.
@lru_cache(maxsize=12)
def _derived(secret: bytes, use: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, None, use).derive(secret)


def address_lookup(epoch: Key, controller: int, normalised: str) -> bytes:
    """Under which the keyring finds an address; worthless once the epoch key is gone (TI-03)."""
    key = _derived(epoch.require(Usage.EPOCH).secret, b"consent_track lookup v1", SIZE)
    return _tag(key, controller, normalised)


def suppression_tag(key: Key, controller: int, normalised: str) -> bytes:
    """By which an erased person is recognised and left alone; good for asking, not for listing (DL-07)."""
    return _tag(key.require(Usage.SUPPRESSION).secret, controller, normalised)


def proof_tag(key: Key, controller: int, normalised: str) -> bytes:
    """By which a complaint's address finds its proof after an erasure (decision 16)."""
    return _tag(key.require(Usage.PROOF_INDEX).secret, controller, normalised)


def _tag(key: bytes, controller: int, normalised: str) -> bytes:
    return hmac.digest(key, _CONTROLLER.pack(controller) + normalised.encode(), "sha256")


def seal_to_escrow(public: Key, controller: int, tag: bytes, plaintext: bytes) -> bytes:
    """Seal a proof so that only the offline escrow key opens it (HPKE, RFC 9180)."""
    recipient = X25519PublicKey.from_public_bytes(public.require(Usage.ESCROW_PUBLIC).secret)
    return _ESCROW.encrypt(plaintext, recipient, info=_ESCROW_INFO + _CONTROLLER.pack(controller) + tag)


def open_escrow(private: bytes, controller: int, tag: bytes, sealed: bytes) -> bytes:
    """Raises SealBroken."""
    try:
        key = X25519PrivateKey.from_private_bytes(private)
        return _ESCROW.decrypt(sealed, key, info=_ESCROW_INFO + _CONTROLLER.pack(controller) + tag)
    except (InvalidTag, ValueError):
        raise SealBroken from None
