"""Tokens: sealed, signed, one power each, one written form; the bytes are frozen for as long as mails are kept."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_track.crypto.keyring import KeyState, Usage
from consent_track.crypto.tokens import LONGEST_DESTINATION, Tokens
from consent_track.domain.errors import ForgedToken, KeyMisuse
from consent_track.domain.observation import TokenFacts, TokenFlag
from consent_track.domain.vocabulary import MailType, TokenClass

FACTS = TokenFacts(
    TokenClass.OPEN, 1, 0x1122334455667788, 0x0102030405060708, 1_795_000_000, 0b110000,
    MailType.REQUESTED_NEWSLETTER, "US-CA", 0xDEADBEEF, TokenFlag.SENSITIVE,
)  # fmt: skip
DESTINATION = "https://shop.example/a?b=1&c=2#d"


def facts_of(token_class: TokenClass, **changes) -> TokenFacts:
    if token_class is TokenClass.CLICK:
        changes = {"link": 3, "destination": DESTINATION, **changes}
    return replace(FACTS, token_class=token_class, **changes)


GOLDEN = {
    TokenClass.OPEN: "AQEAAYlwP3MdvDDBjFRP4Cdpt5xknX9Ne8c99Mrrcbs1IucrK_hhupklY7PAT8LvjnxN1_7oCLeD8x9en76nTlCdv0dP",
    TokenClass.CLICK: "AQEAAVIfoKZGs7HQ3XjUcCDoneqnqViDsjPpI57U_xg3OEC6-UJnjY-JT1qCTn144OyR0YdM6-GUTQXTlozj-mRNL-ziNrB42W7mbIVmgq467Gd-nEehAaEWU2vj6OpGR-Mnynyc_w",  # noqa: E501
    TokenClass.PREFERENCE: "AQEAAZb2lrZX-UdXqbUh1kV9cAG4HDvIa2yU47sy9A3gmQ2QOY3Py087KciffFn9wr1VqTzNjc57i76kn88Y1x8PvVPn",  # noqa: E501
    TokenClass.UNSUBSCRIBE: "AQEAATVbcjGEGzdIiJ-YOOth0cDT93JQuZsACpEXnZR3VpIv2DiCAr2sRORO8FoSGkrniQyO3czeebujdiFSMnvoZnqh",  # noqa: E501
    TokenClass.VERIFICATION: "AQEAAaxVB3zlzKQmsx4VaGRICVeJuD2qcnUG02YfpibQQQlM9_IDc_op6-vxnFlR8bm1CppOKNZkjTSm_gny-VgtCApa",  # noqa: E501
}


@pytest.mark.parametrize("token_class", TokenClass)
def test_the_bytes_of_a_token_are_frozen(tokens, token_class):
    assert tokens.issue(facts_of(token_class)) == GOLDEN[token_class]
    assert tokens.open(token_class, GOLDEN[token_class]) == facts_of(token_class)


@pytest.mark.parametrize("issued", TokenClass)
@pytest.mark.parametrize("asked", TokenClass)
def test_only_the_diagonal_opens(tokens, issued, asked):
    token = tokens.issue(facts_of(issued))
    if issued is asked:
        assert tokens.open(asked, token).subject == FACTS.subject
    else:
        with pytest.raises(ForgedToken):
            tokens.open(asked, token)


@pytest.mark.law("TI-05")
def test_no_flipped_bit_opens(tokens):
    octets = base64.urlsafe_b64decode(tokens.issue(FACTS) + "==")
    for place in range(len(octets)):
        for bit in range(8):
            changed = bytearray(octets)
            changed[place] ^= 1 << bit
            with pytest.raises(ForgedToken):
                tokens.open(TokenClass.OPEN, base64.urlsafe_b64encode(changed).rstrip(b"=").decode())


@pytest.mark.parametrize("tail", ["=", "==", "\n", " ", "A", "!", "%20", "é", "\0"])
def test_one_token_has_one_written_form(tokens, tail):
    token = tokens.issue(FACTS)
    for other in (token + tail, tail + token, token[:9] + tail + token[9:]):
        with pytest.raises(ForgedToken):
            tokens.open(TokenClass.OPEN, other)


@given(st.text(max_size=200) | st.binary(max_size=120).map(lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()))
def test_nonsense_is_forged_and_never_an_error(text):
    with pytest.raises(ForgedToken):
        Tokens([_key()]).open(TokenClass.CLICK, text)


def _key(number=1, state=KeyState.ACTIVE):
    from consent_track.crypto.keyring import Key

    return Key(Usage.TOKEN, number, state, hashlib.sha256(bytes([number])).digest(), 1)


@given(
    subject=st.integers(0, 2**63 - 1),
    message=st.integers(0, 2**63 - 1),
    at=st.integers(0, 2**32 - 1),
    purposes=st.integers(0, 2**16 - 1),
    jurisdiction=st.sampled_from(["FR", "US-CA", "US-OTHER", "AU-NSW", "ZZ"]),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=300),
)
def test_what_is_issued_is_what_is_opened(subject, message, at, purposes, jurisdiction, path):
    tokens = Tokens([_key()])
    facts = facts_of(
        TokenClass.CLICK, subject=subject, message=message, issued_at=at, purposes=purposes,
        jurisdiction=jurisdiction, destination="https://shop.example/" + path,
    )  # fmt: skip
    token = tokens.issue(facts)
    assert tokens.open(TokenClass.CLICK, token) == facts
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)


@pytest.mark.law("TI-02")
def test_consecutive_tokens_have_nothing_in_common_and_nothing_readable(tokens):
    first, second = (tokens.issue(replace(FACTS, message=number)) for number in (1, 2))
    octets = [base64.urlsafe_b64decode(token + "==") for token in (first, second)]
    assert octets[0][:4] == octets[1][:4], "the clear header: version, key, controller"
    same = sum(a == b for a, b in zip(octets[0][4:], octets[1][4:], strict=True))
    assert same < 8
    assert FACTS.subject.to_bytes(8, "big") not in octets[0]


@pytest.mark.law("TI-03")
def test_no_hash_of_an_address_stands_in_a_token(tokens):
    address = b"alice@example.org"
    token = tokens.issue(facts_of(TokenClass.CLICK))
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, address).digest()
        assert digest.hex() not in token
        assert base64.urlsafe_b64encode(digest)[:12].decode() not in token
    assert "@" not in token


def test_a_token_without_a_destination_has_92_characters(tokens):
    assert len(tokens.issue(FACTS)) == 92


def test_keys_rotate_and_old_links_go_on(key):
    old, new = key(Usage.TOKEN, 1), key(Usage.TOKEN, 2)
    token = Tokens([old]).issue(facts_of(TokenClass.CLICK))
    rotated = Tokens([replace(old, state=KeyState.ACCEPT), new])
    assert rotated.open(TokenClass.CLICK, token).records
    assert base64.urlsafe_b64decode(rotated.issue(FACTS) + "==")[1] == 2

    retired = Tokens([replace(old, state=KeyState.REDIRECT_ONLY), new])
    facts = retired.open(TokenClass.CLICK, token)
    assert (facts.destination, facts.records) == (DESTINATION, False)
    preference = Tokens([old]).issue(facts_of(TokenClass.PREFERENCE))
    assert retired.open(TokenClass.PREFERENCE, preference).subject == FACTS.subject
    with pytest.raises(ForgedToken):
        Tokens([new]).open(TokenClass.CLICK, token)


def test_a_destination_has_a_limit(tokens):
    with pytest.raises(ValueError, match="destination"):
        tokens.issue(facts_of(TokenClass.CLICK, destination="https://a.example/" + "x" * LONGEST_DESTINATION))


@pytest.mark.law("SE-01")
def test_another_key_does_not_issue_tokens(key):
    with pytest.raises(KeyMisuse):
        Tokens([key(Usage.SUPPRESSION)])
