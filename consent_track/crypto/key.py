"""One key with its label: random octets that are good for one thing only (GDPR Art. 32; EDPB 01/2025)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from consent_track.domain.errors import KeyMisuse

SIZE: Final = 32  # octets of every key


class Usage(StrEnum):
    """What a key is for; a key asked to do another's job refuses. The values stand in key files: never rename one."""

    TOKEN = "token"  # noqa: S105 a label, not a secret
    SESSION = "session"
    SUPPRESSION = "suppression"
    PROOF_INDEX = "proof-index"
    LEDGER = "ledger"
    EPOCH = "epoch"
    ESCROW_PUBLIC = "escrow-public"
    ESCROW_PRIVATE = "escrow-private"


class KeyState(StrEnum):
    """`accept` opens but does not issue; `redirect-only` never records again, but its links lead on for ever."""

    ACTIVE = "active"
    ACCEPT = "accept"
    REDIRECT_ONLY = "redirect-only"


@dataclass(frozen=True, slots=True)
class Key:
    """One key with its label. `created_at` is an instant; `secret` never shows in a repr, a log or an error."""

    usage: Usage
    id: int
    state: KeyState
    secret: bytes = field(repr=False)
    created_at: int

    def require(self, usage: Usage) -> "Key":
        """This key, if it is for that use. Raises KeyMisuse (SE-01)."""
        if self.usage is not usage:
            raise KeyMisuse(f"a key for {self.usage} was asked to do the work of one for {usage}")
        return self
