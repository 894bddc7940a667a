"""Five classes of token, one codec: sealed so that nothing can be read, signed so that nothing can be made up.

Bytes, frozen: clear header (version, key id, controller) · AES-SIV of the payload, bound to header and class ·
16 octets of signature. URL-safe base64 without padding; one token has exactly one written form.
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import Signer
from itsdangerous.signer import SigningAlgorithm

from consent_track.domain.errors import ForgedToken
from consent_track.domain.observation import TokenFacts, TokenFlag
from consent_track.domain.vocabulary import MAIL_TYPES, TokenClass, pack_jurisdiction, unpack_jurisdiction

from .keyring import Key, KeyState, Usage

VERSION: Final = 1
LONGEST_DESTINATION: Final = 2_000

_HEADER: Final = struct.Struct(">BBH")
_PAYLOAD: Final = struct.Struct(">QQIHB5sIB")
_LINK: Final = struct.Struct(">H")
_SIV: Final = 16
_SIGNATURE: Final = 16
_FIXED: Final = _HEADER.size + _SIV + _PAYLOAD.size + _SIGNATURE
_LONGEST: Final = (_FIXED + _LINK.size + LONGEST_DESTINATION) * 4 // 3 + 4
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class _Truncated(SigningAlgorithm):
    """HMAC-SHA-256 cut to 16 octets (RFC 2104 section 5): 128 bits against forgery, and a shorter URL."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha256")[:_SIGNATURE]


class _ClassSigner(Signer):
    """A signer for one key and class; the derived key is computed once (derivation costs more than signing)."""

    def __init__(self, secret: bytes, token_class: TokenClass) -> None:
        super().__init__(
            secret,
            salt=f"consent_track.token.{token_class.value}",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
            algorithm=_Truncated(),
        )
        self._derived = super().derive_key()

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        return self._derived


class _Codec:
    """One key for one class."""

    __slots__ = ("aad", "key_id", "records", "seal", "signature", "unseal")

    def __init__(self, key: Key, token_class: TokenClass) -> None:
        key.require(Usage.TOKEN)
        wide = HKDF(hashes.SHA256(), 96, None, b"consent_track token key v1").derive(key.secret)
        signer = _ClassSigner(wide[64:], token_class)
        siv = AESSIV(wide[:64])
        self.key_id = key.id
        self.records = key.state is not KeyState.REDIRECT_ONLY
        self.aad = token_class.value.encode()
        self.seal: Any = siv.encrypt
        self.unseal: Any = siv.decrypt
        self.signature: Callable[[bytes], bytes] = partial(signer.algorithm.get_signature, signer.derive_key())


class Tokens:
    """Issues with the active key, opens with any. Knows nothing of consent, age or hosts: those are asked elsewhere."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._codecs = {c: {key.id: _Codec(key, c) for key in keys} for c in TokenClass}
        self._active = max(key.id for key in keys if key.state is KeyState.ACTIVE)

    def issue(self, facts: TokenFacts) -> str:
        """The token of these facts. Raises ValueError for a destination that is too long."""
        codec = self._codecs[facts.token_class][self._active]
        payload = _PAYLOAD.pack(
            facts.subject, facts.message, facts.issued_at, facts.purposes,
            facts.mail_type.number if facts.mail_type else 0, pack_jurisdiction(facts.jurisdiction),
            facts.policy_prefix, facts.flags,
        )  # fmt: skip
        if facts.token_class is TokenClass.CLICK:
            destination = facts.destination.encode("ascii")
            if len(destination) > LONGEST_DESTINATION:
                raise ValueError(f"destination: longer than {LONGEST_DESTINATION} octets")
            payload += _LINK.pack(facts.link) + destination
        header = _HEADER.pack(VERSION, codec.key_id, facts.controller)
        body = header + codec.seal(payload, [header, codec.aad])
        return base64.urlsafe_b64encode(body + codec.signature(body)).rstrip(b"=").decode()

    def open(self, token_class: TokenClass, text: str) -> TokenFacts:
        """The facts of a token of this class. Raises ForgedToken for everything else, without saying why."""
        if len(text) > _LONGEST or _ALPHABET.fullmatch(text) is None:
            raise ForgedToken
        try:
            octets = base64.b64decode(text + "=" * (-len(text) % 4), b"-_")
        except binascii.Error:
            raise ForgedToken from None
        if len(octets) < _FIXED or base64.urlsafe_b64encode(octets).rstrip(b"=").decode() != text:
            raise ForgedToken
        version, key_id, controller = _HEADER.unpack_from(octets)
        codec = self._codecs[token_class].get(key_id)
        body = octets[:-_SIGNATURE]
        if version != VERSION or codec is None or not hmac.compare_digest(codec.signature(body), octets[-_SIGNATURE:]):
            raise ForgedToken
        try:
            payload = codec.unseal(body[_HEADER.size :], [body[: _HEADER.size], codec.aad])
        except InvalidTag:
            raise ForgedToken from None
        return _facts(token_class, controller, payload, codec.records)


def _facts(token_class: TokenClass, controller: int, payload: bytes, records: bool) -> TokenFacts:
    subject, message, issued_at, purposes, mail_type, jurisdiction, prefix, flags = _PAYLOAD.unpack_from(payload)
    link, destination = 0, ""
    if token_class is TokenClass.CLICK:
        (link,) = _LINK.unpack_from(payload, _PAYLOAD.size)
        destination = payload[_PAYLOAD.size + _LINK.size :].decode("ascii")
    return TokenFacts(
        token_class, controller, subject, message, issued_at, purposes, MAIL_TYPES.get(mail_type),
        unpack_jurisdiction(jurisdiction), prefix, TokenFlag(flags), link, destination, records,
    )  # fmt: skip
