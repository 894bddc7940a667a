"""Whoever holds a link learns nothing from it: no order, no person, no hash of anybody (Garante 284/2026 para. 6)."""

import base64
import hashlib
import re
from collections import Counter
from itertools import pairwise

import by_the_book
import pytest
from fixed_keys import FACTS, facts_of, fixed

from consent_track.crypto.keyring import Usage
from consent_track.crypto.tokens import Tokens
from consent_track.domain.address import normalise
from consent_track.domain.vocabulary import TokenClass

TOKENS = Tokens([fixed(Usage.TOKEN)])
HEADER = 4
# One campaign: the same person, the same second, message after message. Nothing differs but the message's number.
CAMPAIGN = [by_the_book.octets(TOKENS.issue(FACTS._replace(message=number))) for number in range(1, 2_001)]
ADDRESS = "Alice@Example.org"


def shared(one: bytes, other: bytes) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))


@pytest.mark.law("TI-02")
def test_consecutive_tokens_share_no_prefix_but_the_clear_header():
    prefixes = [shared(one, other) for one, other in pairwise(CAMPAIGN)]
    assert min(prefixes) == HEADER, "version, key and controller are readable, and the same"
    assert max(prefixes) <= HEADER + 2, "what two random values would share by chance among 2,000 pairs"


@pytest.mark.law("TI-02")
def test_nothing_in_a_token_follows_an_order():
    tails = [octets[HEADER:] for octets in CAMPAIGN]
    rising = sum(one < other for one, other in pairwise(tails))
    assert 900 < rising < 1_100
    assert len(set(tails)) == len(tails)


@pytest.mark.law("TI-02")
def test_every_place_of_a_token_looks_random():
    """Entropy: at each of the 65 places behind the header all 256 values occur about equally often.

    Chi-square with 255 degrees of freedom has mean 255 and deviation 22.6; 400 is out of reach for chance.
    """
    for place in range(HEADER, len(CAMPAIGN[0])):
        counts = Counter(octets[place] for octets in CAMPAIGN)
        expected = len(CAMPAIGN) / 256
        assert sum((counts[value] - expected) ** 2 / expected for value in range(256)) < 400, place


@pytest.mark.law("TI-02")
def test_half_of_all_bits_change_with_one_bit_of_the_message():
    one, other = (by_the_book.octets(TOKENS.issue(FACTS._replace(message=number))) for number in (2, 3))
    changed = sum((a ^ b).bit_count() for a, b in zip(one[HEADER:], other[HEADER:], strict=True))
    assert 200 < changed < 320, "of 520"


@pytest.mark.law("TI-02")
@pytest.mark.parametrize("token_class", TokenClass)
def test_decoding_gives_no_claim(token_class):
    facts = facts_of(token_class)
    octets = by_the_book.octets(TOKENS.issue(facts))
    for known in (facts.subject, facts.message, facts.issued_at, facts.policy_prefix):
        size = (known.bit_length() + 7) // 8
        assert known.to_bytes(size, "big") not in octets
        assert known.to_bytes(size, "little") not in octets
    for words in (b"example", b"http", b"USCA"):
        assert words not in octets


def hashes_in(text: str, address: str) -> list[str]:
    """Which hashes of an address stand in a text: hex or base64, whatever follows or precedes, or as raw octets."""
    found, raw = [], b""
    if re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raw = by_the_book.octets(text[: len(text) - (len(text) % 4 == 1)])
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, address.encode()).digest()
        forms = [digest.hex(), digest.hex().upper()]
        for shift in range(3):  # base64 reads differently at each of three offsets
            letters = base64.b64encode(bytes(shift) + digest).decode()[2 * shift :].rstrip("=")[:-1]
            forms += [letters, letters.replace("+", "-").replace("/", "_")]
        if any(form in text for form in forms) or digest in raw:
            found.append(name)
    return found


@pytest.mark.law("TI-03")
@pytest.mark.parametrize("token_class", TokenClass)
def test_no_hash_of_an_address_stands_in_a_token(token_class):
    for address in (ADDRESS, normalise(ADDRESS)):
        token = TOKENS.issue(facts_of(token_class))
        assert hashes_in(token, address) == []
        assert "@" not in token


@pytest.mark.law("TI-03")
@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
def test_the_search_for_hashes_finds_planted_ones(name):
    address = normalise(ADDRESS)
    digest = hashlib.new(name, address.encode()).digest()
    planted = [digest.hex(), f"u={digest.hex().upper()}&v=1", by_the_book.written(digest + b"tail")]
    planted += [by_the_book.written(bytes(shift) + digest + b"tail") for shift in range(3)]
    for text in planted:
        assert name in hashes_in(text, address), text


def test_no_secret_shows_in_a_repr():
    secret = fixed(Usage.TOKEN).secret
    for thing in (TOKENS, fixed(Usage.TOKEN)):
        assert repr(secret) not in repr(thing)
        assert secret.hex() not in repr(thing)
