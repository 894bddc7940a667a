"""Tokens: sealed, signed, one power each, one written form; the bytes are frozen for as long as mails are kept."""

import base64
from pathlib import Path

import by_the_book
import pytest
from fixed_keys import DESTINATION, FACTS, facts_of, fixed
from hypothesis import given
from hypothesis import strategies as st

from consent_track.crypto.keyring import Key, KeyState, Usage
from consent_track.crypto.tokens import LONGEST_DESTINATION, Tokens
from consent_track.domain.errors import ForgedToken, KeyMisuse
from consent_track.domain.observation import TokenFacts, TokenFlag
from consent_track.domain.vocabulary import MailType, TokenClass

TOKENS = Tokens([fixed(Usage.TOKEN)])
SECRET = fixed(Usage.TOKEN).secret

GOLDEN = {
    TokenClass(name): token
    for name, token in (
        line.split()
        for line in (Path(__file__).parent / "golden_tokens.txt").read_text().splitlines()
        if not line.startswith("#")
    )
}


@pytest.mark.parametrize("token_class", TokenClass)
def test_the_bytes_of_a_token_are_frozen(token_class):
    assert TOKENS.issue(facts_of(token_class)) == GOLDEN[token_class]
    assert TOKENS.open(token_class, GOLDEN[token_class]) == facts_of(token_class)


@pytest.mark.parametrize("token_class", TokenClass)
def test_the_description_of_the_bytes_is_enough_to_make_them(token_class):
    click = {"link": 3, "destination": DESTINATION.encode()} if token_class is TokenClass.CLICK else {}
    payload = by_the_book.payload(
        0x1122334455667788, 0x0102030405060708, 1_795_000_000, 0b110000, 4, b"USCA\0", 0xDEADBEEF, 2, **click
    )
    assert by_the_book.token(SECRET, token_class.value, payload) == GOLDEN[token_class]


def test_a_token_without_a_destination_has_92_characters():
    assert len(TOKENS.issue(FACTS)) == 92


EXTREMES = {
    "an aggregate of nobody": facts_of(TokenClass.OPEN, subject=0, flags=TokenFlag.AGGREGATE, mail_type=None),
    "every number at its highest": facts_of(
        TokenClass.OPEN, controller=65_535, subject=2**64 - 1, message=2**64 - 1, issued_at=2**32 - 1,
        purposes=65_535, policy_prefix=2**32 - 1, jurisdiction="US-OTHER",
    ),
    "the longest destination": facts_of(
        TokenClass.CLICK, link=65_535, destination="https://a.example/".ljust(LONGEST_DESTINATION, "x")
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXTREMES)
def test_the_extremes_fit(case):
    assert TOKENS.open(EXTREMES[case].token_class, TOKENS.issue(EXTREMES[case])) == EXTREMES[case]


TOO_MUCH = {
    "destination": facts_of(TokenClass.CLICK, destination="https://a.example/".ljust(LONGEST_DESTINATION + 1, "x")),
    "destination: is not ASCII": facts_of(TokenClass.CLICK, destination="https://café.example/"),
    "destination: only": facts_of(TokenClass.OPEN, destination=DESTINATION),
    "jurisdiction": facts_of(TokenClass.OPEN, jurisdiction="France"),
    "number": facts_of(TokenClass.OPEN, controller=65_536),
    "a number": facts_of(TokenClass.OPEN, issued_at=-1),
}


@pytest.mark.parametrize("words", TOO_MUCH)
def test_what_does_not_fit_is_not_issued(words):
    with pytest.raises(ValueError, match=words):
        TOKENS.issue(TOO_MUCH[words])


@given(
    token_class=st.sampled_from(TokenClass),
    controller=st.integers(1, 65_535),
    subject=st.integers(0, 2**63 - 1),
    message=st.integers(0, 2**63 - 1),
    at=st.integers(0, 2**32 - 1),
    purposes=st.integers(0, 2**16 - 1),
    mail_type=st.none() | st.sampled_from(MailType),
    jurisdiction=st.sampled_from(["FR", "US-CA", "US-OTHER", "AU-NSW", "ZZ"]),
    flags=st.integers(0, 255).map(TokenFlag),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=300),
)
def test_what_is_issued_is_what_is_opened(
    token_class, controller, subject, message, at, purposes, mail_type, jurisdiction, flags, path
):
    click = token_class is TokenClass.CLICK
    facts = TokenFacts(
        token_class, controller, subject, message, at, purposes, mail_type, jurisdiction, 5, flags,
        len(path) if click else 0, "https://shop.example/" + path if click else "",
    )  # fmt: skip
    token = TOKENS.issue(facts)
    assert TOKENS.open(token_class, token) == facts
    assert by_the_book.written(by_the_book.octets(token)) == token


class TestForgery:
    @pytest.mark.law("TI-05")
    @pytest.mark.parametrize("token_class", [TokenClass.OPEN, TokenClass.CLICK])
    def test_no_flipped_bit_opens(self, token_class):
        octets = by_the_book.octets(GOLDEN[token_class])
        for place in range(len(octets)):
            for bit in range(8):
                changed = bytearray(octets)
                changed[place] ^= 1 << bit
                with pytest.raises(ForgedToken):
                    TOKENS.open(token_class, by_the_book.written(changed))

    @pytest.mark.parametrize("length", range(len(GOLDEN[TokenClass.CLICK])))
    def test_no_part_of_a_token_opens(self, length):
        with pytest.raises(ForgedToken):
            TOKENS.open(TokenClass.CLICK, GOLDEN[TokenClass.CLICK][:length])

    def test_another_installation_forges_nothing(self):
        stranger = Tokens([Key(Usage.TOKEN, 1, KeyState.ACTIVE, bytes(range(7, 39)), 1)])
        with pytest.raises(ForgedToken):
            TOKENS.open(TokenClass.OPEN, stranger.issue(FACTS))

    @pytest.mark.parametrize(
        ("what", "made"),
        [
            ("a later version", {"version": 2}),
            ("a key nobody has", {"key_id": 9}),
        ],
    )
    def test_an_unknown_header_is_forged_however_well_it_is_signed(self, what, made):
        with pytest.raises(ForgedToken):
            TOKENS.open(TokenClass.OPEN, by_the_book.token(SECRET, "open", by_the_book.payload(), **made))

    def test_a_destination_that_no_header_can_carry_is_forged(self):
        payload = by_the_book.payload(link=1, destination="https://é.example/".encode())
        with pytest.raises(ForgedToken):
            TOKENS.open(TokenClass.CLICK, by_the_book.token(SECRET, "click", payload))

    @given(st.text(max_size=200) | st.binary(max_size=120).map(by_the_book.written) | st.binary().map(repr))
    def test_nonsense_is_forged_and_never_an_error(self, text):
        for token_class in TokenClass:
            with pytest.raises(ForgedToken):
                TOKENS.open(token_class, text)

    def test_a_longer_text_than_any_token_is_forged(self):
        longest = TOKENS.issue(EXTREMES["the longest destination"])
        for text in (longest + "A", longest + "AAAA", "A" * 5_000_000):
            with pytest.raises(ForgedToken):
                TOKENS.open(TokenClass.CLICK, text)


class TestOneWrittenForm:
    """T4: a token that could be written in many ways would count once for each of them."""

    TAILS = ("=", "==", "====", "\n", "\r\n", " ", "\t", "A", "AAAA", "!", ".", "%20", "%3D", "é", "А", "\0", "\udc80")

    @pytest.mark.parametrize("tail", TAILS)
    @pytest.mark.parametrize("token_class", [TokenClass.OPEN, TokenClass.CLICK])
    def test_nothing_is_skipped(self, token_class, tail):
        token = GOLDEN[token_class]
        for other in (token + tail, tail + token, token[:9] + tail + token[9:]):
            with pytest.raises(ForgedToken):
                TOKENS.open(token_class, other)

    def test_the_standard_alphabet_is_another_one(self):
        token = next(
            text for n in range(100) if "-" in (text := TOKENS.issue(FACTS._replace(message=n))) and "_" in text
        )
        for other in (token.replace("-", "+"), token.replace("_", "/")):
            with pytest.raises(ForgedToken):
                TOKENS.open(TokenClass.OPEN, other)

    @pytest.mark.parametrize("spare", [2, 4])
    def test_the_spare_bits_of_the_last_letter_are_zero(self, spare):
        path = {2: "xxx", 4: "xx"}[spare]
        token = TOKENS.issue(facts_of(TokenClass.CLICK, destination=path))
        assert len(token) * 6 % 8 == spare, "or this tests nothing"
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        twins = [token[:-1] + c for c in alphabet if by_the_book.octets(token[:-1] + c) == by_the_book.octets(token)]
        assert len(twins) == 1 << spare
        opened = []
        for twin in twins:
            try:
                TOKENS.open(TokenClass.CLICK, twin)
            except ForgedToken:
                continue
            opened.append(twin)
        assert opened == [token]

    @given(data=st.data(), token_class=st.sampled_from(TokenClass))
    def test_what_opens_is_what_would_be_written(self, data, token_class):
        token = GOLDEN[token_class]
        at = data.draw(st.integers(0, len(token)))
        cut = data.draw(st.integers(0, 3))
        text = token[:at] + data.draw(st.text(max_size=3) | st.sampled_from(self.TAILS)) + token[at + cut :]
        try:
            TOKENS.open(token_class, text)
        except ForgedToken:
            assert text != token
        else:
            octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            assert base64.urlsafe_b64encode(octets).rstrip(b"=").decode() == text
            assert text == token


class TestOtherVersionsOfTheVocabulary:
    """A number that this version does not know stands in a token of a later one: genuine, and of no use to measure."""

    def test_a_click_of_an_unknown_mail_type_still_leads_on(self):
        payload = by_the_book.payload(mail_type=99, link=1, destination=DESTINATION.encode())
        facts = TOKENS.open(TokenClass.CLICK, by_the_book.token(SECRET, "click", payload))
        assert (facts.mail_type, facts.destination) == (None, DESTINATION)

    def test_unknown_flags_stay_as_they_are(self):
        facts = TOKENS.open(TokenClass.OPEN, by_the_book.token(SECRET, "open", by_the_book.payload(flags=0b1000_0010)))
        assert int(facts.flags) == 0b1000_0010
        assert TokenFlag.SENSITIVE in facts.flags

    def test_a_malformed_jurisdiction_is_the_unknown_one(self):
        facts = TOKENS.open(
            TokenClass.OPEN, by_the_book.token(SECRET, "open", by_the_book.payload(jurisdiction=b"fr\xff\0\0"))
        )
        assert facts.jurisdiction == "ZZ"

    def test_purposes_nobody_knows_stay_as_they_are(self):
        facts = TOKENS.open(TokenClass.OPEN, by_the_book.token(SECRET, "open", by_the_book.payload(purposes=0xFFFF)))
        assert facts.purposes == 0xFFFF


@pytest.mark.law("SE-01")
@pytest.mark.parametrize("usage", [usage for usage in Usage if usage is not Usage.TOKEN])
def test_another_key_makes_no_tokens(usage):
    with pytest.raises(KeyMisuse):
        Tokens([fixed(Usage.TOKEN), fixed(usage)])
