"""Signed messages to other systems, as Standard Webhooks 1.0 has them: id, time and signature in three fields.

Several secrets sign at once while one is being changed for another, so no message is lost in between.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from consent_track.domain.errors import InputRefused

PREFIX: Final = "whsec_"
_SIZES: Final = range(24, 65)  # octets of a secret, by the specification
_MOST: Final = 3


def signed(number: str, at: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The three fields of a message: `webhook-id`, `webhook-timestamp` (seconds), `webhook-signature`."""
    to_sign = f"{number}.{at}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(secret, to_sign, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": number,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def read_secrets(path: Path) -> tuple[bytes, ...]:
    """The secrets of a file, one a line, the newest first. Raises InputRefused naming the file, never what is in it."""
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeError) as error:
        raise InputRefused.one(str(path), f"cannot be read ({type(error).__name__})") from None
    if not 1 <= len(lines) <= _MOST:
        raise InputRefused.one(str(path), f"must hold one to {_MOST} secrets, one a line")
    return tuple(_secret(path, line) for line in lines)


def _secret(path: Path, line: str) -> bytes:
    try:
        secret = base64.b64decode(line.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not line.startswith(PREFIX) or len(secret) not in _SIZES:
        raise InputRefused.one(str(path), f"must hold secrets such as {PREFIX}… with 24 to 64 octets in base64")
    return secret
