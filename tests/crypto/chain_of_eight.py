"""A chain of eight events, signed with a fixed key."""

import hashlib

from fixed_keys import fixed

from consent_track.crypto import evidence
from consent_track.crypto.keyring import Keyring, Usage

KEY = fixed(Usage.LEDGER)
PUBLIC = Keyring((), {Usage.LEDGER: KEY}).ledger_public


def chain(controller=1, length=8, salt=""):
    previous, made = evidence.GENESIS, []
    for number in range(1, length + 1):
        sealed, proof, tag = (
            hashlib.sha256(f"{part}{number}{salt}".encode()).digest() for part in ("sealed", "proof", "tag")
        )
        entry = evidence.LedgerEntry(controller, number, number % 3, 1_795_000_000 + number, sealed, proof, tag)
        previous = evidence.entry_hash(previous, entry)
        made.append((entry, previous, evidence.sign_head(KEY, controller, number, previous)))
    return made


def head_of(made, place=-1):
    entry, hash_, signature = made[place]
    return evidence.Head(entry.controller, entry.sequence, hash_, signature)


CHAIN = chain()
