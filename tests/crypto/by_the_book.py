"""A second, slow maker of tokens, written from the description of the bytes and not from the code that it checks."""

import base64
import hmac
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESSIV


def hkdf(secret: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869 with SHA-256 and no salt."""
    extracted, blocks, last = hmac.digest(bytes(32), secret, "sha256"), b"", b""
    while len(blocks) < size:
        last = hmac.digest(extracted, last + info + bytes([len(blocks) // 32 + 1]), "sha256")
        blocks += last
    return blocks[:size]


def signature(secret: bytes, token_class: str, body: bytes) -> bytes:
    """HMAC over the body, cut to 128 bits, under a key that itsdangerous derives as HMAC(secret, salt)."""
    derived = hmac.digest(hkdf(secret, b"consent_track token key v1", 96)[64:], salt(token_class), "sha256")
    return hmac.digest(derived, body, "sha256")[:16]


def salt(token_class: str) -> bytes:
    return f"consent_track.token.{token_class}".encode()


def sealed(secret: bytes, token_class: str, header: bytes, payload: bytes) -> bytes:
    siv = AESSIV(hkdf(secret, b"consent_track token key v1", 96)[:64])
    return siv.encrypt(payload, [header, token_class.encode()])


def token(
    secret: bytes, token_class: str, payload: bytes, *, version=1, key_id=1, controller=1, sealed_for="", signed_for=""
) -> str:
    """A token as the format says; `sealed_for` and `signed_for` make one whose two locks are of different classes."""
    header = struct.pack(">BBH", version, key_id, controller)
    body = header + sealed(secret, sealed_for or token_class, header, payload)
    return written(body + signature(secret, signed_for or token_class, body))


def payload(
    subject=7, message=8, at=1_795_000_000, purposes=0b110000, mail_type=4, jurisdiction=b"FR\0\0\0", prefix=9, flags=0,
    link=None, destination=b"",
) -> bytes:  # fmt: skip
    fixed = struct.pack(">QQIHB5sIB", subject, message, at, purposes, mail_type, jurisdiction, prefix, flags)
    return fixed if link is None else fixed + struct.pack(">H", link) + destination


def written(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
