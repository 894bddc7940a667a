"""The fuzzer of tokens: nothing crashes, nothing false opens; and it finds the careless ones that are planted here."""

import sys
from base64 import b64decode
from pathlib import Path

import pytest

from consent_track.crypto.tokens import Tokens
from consent_track.domain.errors import ForgedToken
from consent_track.domain.vocabulary import TokenClass

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import token_fuzz

COUNT = 13_000


@pytest.mark.law("TI-05")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mutated_tokens_are_forged(seed):
    found = token_fuzz.run(seed, COUNT)
    assert found["examples"] == []
    assert (found["crashes"], found["false_accepts"], found["false_refusals"]) == (0, 0, 0)
    assert COUNT / len(token_fuzz.WAYS) <= found["accepted"] < COUNT / 4, "the genuine ones among them open"


def test_a_run_can_be_had_again():
    runs = [token_fuzz.run(9, 500) for _ in range(2)]
    assert runs[0]["accepted"] == runs[1]["accepted"]
    corpora = [token_fuzz.Corpus(seed) for seed in (9, 9, 10)]
    made = [[way(corpus) for way in token_fuzz.WAYS * 20] for corpus in corpora]
    assert made[0] == made[1]
    assert made[0] != made[2]


def skips_what_it_does_not_know(tokens: Tokens):
    """The defect of T4: the library's decoder as it comes, so that one token has many written forms."""

    def careless(token_class, text):
        kept = "".join(c for c in text if c.isascii() and (c.isalnum() or c in "-_"))
        return tokens.open(token_class, kept)

    return careless


def takes_both_alphabets(tokens: Tokens):
    return lambda token_class, text: tokens.open(token_class, text.replace("+", "-").replace("/", "_"))


def ignores_spare_bits(tokens: Tokens):
    def careless(token_class, text):
        octets = b64decode(text.encode("ascii", "replace") + b"==", b"-_")
        return tokens.open(token_class, token_fuzz._text(octets))

    return careless


def mixes_up_classes(tokens: Tokens):
    """The defect of T3: what opens for any door opens for all."""

    def careless(token_class, text):
        for other in TokenClass:
            try:
                return tokens.open(other, text)
            except ForgedToken:
                continue
        raise ForgedToken

    return careless


def never_looks(tokens: Tokens):
    return lambda token_class, text: None


def stumbles(tokens: Tokens):
    """Errors of the decoder reach the door."""

    def careless(token_class, text):
        text.encode("ascii")
        return tokens.open(token_class, text)

    return careless


def opens_nothing(tokens: Tokens):
    def careless(token_class, text):
        raise ForgedToken

    return careless


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (skips_what_it_does_not_know, "false_accepts"),
        (takes_both_alphabets, "false_accepts"),
        (ignores_spare_bits, "false_accepts"),
        (mixes_up_classes, "false_accepts"),
        (never_looks, "false_accepts"),
        (stumbles, "crashes"),
        (opens_nothing, "false_refusals"),
    ],
)
def test_a_planted_defect_is_found(planted, found):
    result = token_fuzz.run(1, COUNT, planted)
    assert result[found] > 0
    assert result["examples"]


def test_the_run_fails_on_what_must_be_zero(capsys):
    with pytest.raises(SystemExit, match=r"token_fuzz_false_accepts: \d+ is above 0"):
        token_fuzz.main(1, 500, never_looks)
    assert "token_fuzz_false_accepts" in capsys.readouterr().out
