"""A page's own mark: who sends a form back shows that this page was shown to them, and when.

A link that is fetched by a machine gives a page; only what comes back from that page may change anything (CC-06).
"""

import hashlib
from typing import Final

from itsdangerous import BadData, Signer

from consent_track.domain.errors import ForgedToken

from .key import Key, Usage

_SALT: Final = "consent_track.page"
LIFE: Final = 3_600  # seconds that a page may stay open


class Nonces:
    """Marks of pages. Each says which page it is of (`about`) and when that was shown; it holds nothing else."""

    def __init__(self, session: Key) -> None:
        secret = session.require(Usage.SESSION).secret
        self._signer = Signer(secret, salt=_SALT, sep=".", key_derivation="hmac", digest_method=hashlib.sha256)

    def issue(self, about: str, now: int) -> str:
        """The mark of a page shown at `now`."""
        return f"{now:x}.{self._signature(about, now)}"

    def shown_at(self, about: str, mark: str, now: int) -> int:
        """When the page was shown. Raises ForgedToken for another page's mark, an old one, and anything else."""
        hexadecimal, _, signature = mark.partition(".")
        if not hexadecimal or len(hexadecimal) > 16 or len(mark) > 80 or not hexadecimal.isalnum():
            raise ForgedToken
        try:
            at = int(hexadecimal, 16)
            self._signer.unsign(f"{about}|{at}.{signature}")
        except (BadData, ValueError):
            raise ForgedToken from None
        if not 0 <= now - at <= LIFE or f"{at:x}" != hexadecimal:
            raise ForgedToken
        return at

    def _signature(self, about: str, at: int) -> str:
        return self._signer.get_signature(f"{about}|{at}").decode("ascii")
