"""Fixed keys, so that bytes can be pinned; never used outside these tests."""

import hashlib
import sys
from pathlib import Path

import pytest

from consent_track.crypto.keyring import Key, KeyState, Usage
from consent_track.crypto.tokens import Tokens

sys.path.insert(0, str(Path(__file__).parent))


def fixed(usage: Usage, number: int = 1, state: KeyState = KeyState.ACTIVE) -> Key:
    return Key(usage, number, state, hashlib.sha256(f"{usage}-{number}".encode()).digest(), 1_790_000_000)


@pytest.fixture
def key():
    return fixed


@pytest.fixture
def tokens() -> Tokens:
    return Tokens([fixed(Usage.TOKEN)])
