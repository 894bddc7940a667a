"""Fixed keys and facts, so that bytes can be pinned; never used outside these tests."""

import hashlib

from consent_track.crypto.keyring import Key, KeyState, Usage
from consent_track.domain.observation import TokenFacts, TokenFlag
from consent_track.domain.vocabulary import MailType, TokenClass

DESTINATION = "https://shop.example/a?b=1&c=2#d"
FACTS = TokenFacts(
    TokenClass.OPEN, 1, 0x1122334455667788, 0x0102030405060708, 1_795_000_000, 0b110000,
    MailType.REQUESTED_NEWSLETTER, "US-CA", 0xDEADBEEF, TokenFlag.SENSITIVE,
)  # fmt: skip


def facts_of(token_class: TokenClass, **changes) -> TokenFacts:
    if token_class is TokenClass.CLICK:
        changes = {"link": 3, "destination": DESTINATION, **changes}
    return FACTS._replace(token_class=token_class, **changes)


def fixed(usage: Usage, number: int = 1, state: KeyState = KeyState.ACTIVE) -> Key:
    return Key(usage, number, state, hashlib.sha256(f"{usage}-{number}".encode()).digest(), 1_790_000_000)
