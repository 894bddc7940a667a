"""How often one part of the net may make us write mails: counted in memory under a key that dies with the process.

No address is kept: what is counted is a keyed hash of the /24 or /64, and neither is ever written down (threat T17).
With several processes each counts for itself.
"""

import hashlib
import ipaddress
import secrets
from collections import OrderedDict
from typing import Final

AT_ONCE: Final = 8  # forms in a row
EACH: Final = 15.0  # seconds until one more
MOST: Final = 50_000  # parts of the net that are remembered


class Limits:
    """A leaky bucket for each part of the net."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._full_until: OrderedDict[bytes, float] = OrderedDict()

    def allows(self, address: str, now: float) -> bool:
        """Whether whoever is at this address may do one more; it then counts."""
        part = hashlib.blake2b(_network(address), key=self._key, digest_size=16).digest()
        until = max(self._full_until.get(part, now), now)
        if until - now > (AT_ONCE - 1) * EACH:
            return False
        self._full_until[part] = until + EACH
        self._full_until.move_to_end(part)
        if len(self._full_until) > MOST:
            self._full_until.popitem(last=False)
        return True


def _network(address: str) -> bytes:
    """The part of the net an address is in; nonsense is one part of its own."""
    try:
        octets = ipaddress.ip_address(address).packed
    except ValueError:
        return b""
    if len(octets) == 16 and octets.startswith(b"\0" * 10 + b"\xff\xff"):
        octets = octets[12:]
    return octets[:3] if len(octets) == 4 else octets[:8]
