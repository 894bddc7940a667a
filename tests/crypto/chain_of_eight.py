"""A chain of eight events, signed with a fixed key."""

import hashlib

from consent_track.crypto import evidence
from consent_track.crypto.keyring import Key, Keyring, KeyState, Usage

KEY = Key(Usage.LEDGER, 1, KeyState.ACTIVE, hashlib.sha256(b"ledger").digest(), 1)
PUBLIC = Keyring((), {Usage.LEDGER: KEY}).ledger_public


def _chain():
    previous, chain = evidence.GENESIS, []
    for number in range(1, 9):
        sealed, proof, tag = (
            hashlib.sha256(f"{part}{number}".encode()).digest() for part in ("sealed", "proof", "tag")
        )
        entry = evidence.LedgerEntry(1, number, number % 3, 1_795_000_000 + number, sealed, proof, tag)
        previous = evidence.entry_hash(previous, entry)
        chain.append((entry, previous, evidence.sign_head(KEY, 1, number, previous)))
    return chain


CHAIN = _chain()
