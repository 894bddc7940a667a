"""Mutated tokens in numbers: crashes and false accepts, both of which must be zero (threats T3, T4; TI-05).

python tests/benchmarks/token_fuzz.py [seed] [count]
"""

import hashlib
import random
import string
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from figures import must, show, stopwatch  # noqa: E402

from consent_track.crypto.keyring import Key, KeyState, Usage  # noqa: E402
from consent_track.crypto.tokens import Tokens  # noqa: E402
from consent_track.domain.errors import ForgedToken  # noqa: E402
from consent_track.domain.observation import TokenFacts, TokenFlag  # noqa: E402
from consent_track.domain.vocabulary import MailType, TokenClass  # noqa: E402

Open = Callable[[TokenClass, str], TokenFacts]
Made = tuple[TokenClass, str]

ISSUED_OF_EACH: Final = 200
STATES: Final = (KeyState.REDIRECT_ONLY, KeyState.ACCEPT, KeyState.ACTIVE)
CLASSES: Final = tuple(TokenClass)
LETTERS: Final = string.ascii_letters + string.digits + "-_"
# What a lenient decoder skips, takes for another letter, or ends at.
TRICKS: Final = (
    "=",
    "==",
    "====",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\0",
    "+",
    "/",
    ".",
    "%3D",
    "%2d",
    "A",
    "AA",
    "é",
    "А",
    "–",
    "\udc80",
)


class Corpus:
    """Genuine tokens of three keys and five classes; all chance comes from the seed, so that a run can be had again."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        keys = [
            Key(Usage.TOKEN, number, state, hashlib.sha256(f"fuzz {seed} {number}".encode()).digest(), 1)
            for number, state in enumerate(STATES, 1)
        ]
        self.tokens = Tokens(keys)
        issuers = [Tokens([Key(key.usage, key.id, KeyState.ACTIVE, key.secret, 1)]) for key in keys]
        self.issued: list[Made] = [
            (token_class, self.random.choice(issuers).issue(self.facts(token_class)))
            for token_class in CLASSES
            for _ in range(ISSUED_OF_EACH)
        ]
        self.known = frozenset(self.issued)

    def facts(self, token_class: TokenClass) -> TokenFacts:
        rng = self.random
        click = token_class is TokenClass.CLICK
        return TokenFacts(
            token_class, rng.choice((1, 2, 65_535)), rng.getrandbits(63), rng.getrandbits(63), rng.getrandbits(32),
            rng.getrandbits(13), rng.choice((None, *MailType)), rng.choice(("FR", "IT", "US-CA", "US-OTHER", "ZZ")),
            rng.getrandbits(32), rng.choice((TokenFlag.NONE, TokenFlag.SENSITIVE)), rng.randrange(99) if click else 0,
            "https://shop.example/" + "x" * rng.randrange(64) if click else "",
        )  # fmt: skip

    def one(self) -> Made:
        return self.issued[int(self.random.random() * len(self.issued))]


def _octets(text: str) -> bytearray:
    return bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def as_issued(corpus: Corpus) -> Made:
    """The control: a codec that opens nothing would pass every other test here."""
    return corpus.one()


def bits_flipped(corpus: Corpus) -> Made:
    token_class, text = corpus.one()
    octets, draw = _octets(text), corpus.random.getrandbits(33)
    for _ in range(1 + draw % 3):
        draw >>= 10
        octets[(draw & 0x3FF) * len(octets) >> 10] ^= 1 << (draw & 7)
    return token_class, _text(octets)


def letter_replaced(corpus: Corpus) -> Made:
    token_class, text = corpus.one()
    draw = corpus.random.random()
    at = int(draw * len(text))
    return token_class, text[:at] + LETTERS[int(draw * 1e6) % 64] + text[at + 1 :]


def last_letter_replaced(corpus: Corpus) -> Made:
    """Where the last letter has spare bits, several letters mean the same octets to a lenient decoder."""
    token_class, text = corpus.one()
    return token_class, text[:-1] + LETTERS[corpus.random.getrandbits(6)]


def truncated(corpus: Corpus) -> Made:
    token_class, text = corpus.one()
    return token_class, text[: int(corpus.random.random() * len(text))]


def extended(corpus: Corpus) -> Made:
    token_class, text = corpus.one()
    more = LETTERS[: 1 + corpus.random.getrandbits(5)]
    return token_class, text + more if corpus.random.random() < 0.5 else more + text


def of_another_class(corpus: Corpus) -> Made:
    _, text = corpus.one()
    return CLASSES[int(corpus.random.random() * len(CLASSES))], text


def of_another_header(corpus: Corpus) -> Made:
    """Another version, key id or controller in front of what was sealed and signed."""
    token_class, text = corpus.one()
    octets, draw = _octets(text), corpus.random.getrandbits(16)
    octets[draw & 3] = (draw >> 4) & (3 if draw & 8 else 255)
    return token_class, _text(octets)


def spliced(corpus: Corpus) -> Made:
    """The front of one token and the end of another: header, seal and signature of different origins."""
    token_class, text = corpus.one()
    _, other = corpus.one()
    cut = (4, 20, len(text) * 3 // 4 - 16)[int(corpus.random.random() * 3)]
    return token_class, _text(bytes(_octets(text)[:cut] + _octets(other)[cut:]))


def written_otherwise(corpus: Corpus) -> Made:
    token_class, text = corpus.one()
    draw = corpus.random.random()
    trick, at = TRICKS[int(draw * len(TRICKS))], int(draw * 7919) % (len(text) + 1)
    return token_class, (text + trick, trick + text, text[:at] + trick + text[at:])[int(draw * 1e4) % 3]


def in_the_other_alphabet(corpus: Corpus) -> Made:
    token_class, text = corpus.one()
    return token_class, text.replace("-", "+").replace("_", "/") if corpus.random.random() < 0.5 else text.swapcase()


def random_octets(corpus: Corpus) -> Made:
    token_class, text = corpus.one()
    return token_class, _text(corpus.random.randbytes(len(text) * 3 // 4))


def random_letters(corpus: Corpus) -> Made:
    token_class, _ = corpus.one()
    octets = corpus.random.randbytes(int(corpus.random.random() * 120))
    return token_class, octets.decode("latin-1")


WAYS: Final = (
    as_issued, bits_flipped, letter_replaced, last_letter_replaced, truncated, extended, of_another_class,
    of_another_header, spliced, written_otherwise, in_the_other_alphabet, random_octets, random_letters,
)  # fmt: skip


def run(seed: int, count: int, opener: Callable[[Tokens], Open] | None = None) -> dict[str, Any]:
    """Open `count` inputs. A false accept is whatever opens and is not, letter for letter, an issued token of that
    class; a false refusal is an issued token that does not open; a crash is any error but ForgedToken.

    `opener` stands in for `Tokens.open`, so that a test can show that a careless one is found out.
    """
    corpus, found = Corpus(seed), Counter[str]()
    opens = (opener or (lambda tokens: tokens.open))(corpus.tokens)
    known = corpus.known
    examples: list[tuple[str, str, str, str]] = []
    with stopwatch() as taken:
        for number in range(count):
            way = WAYS[number % len(WAYS)]
            made = way(corpus)
            try:
                opens(*made)
            except ForgedToken:
                wrong = "false_refusals" if made in known else ""
            except Exception:
                wrong = "crashes"
            else:
                found["accepted"] += 1
                wrong = "" if made in known else "false_accepts"
            if wrong:
                found[wrong] += 1
                if len(examples) < 10:
                    examples.append((wrong, way.__name__, made[0].value, made[1]))
    names = ("accepted", "crashes", "false_accepts", "false_refusals")
    return {
        "seed": seed, "inputs": count, **{name: found[name] for name in names},
        "seconds": taken[0], "per_second": count / taken[0], "examples": examples,
    }  # fmt: skip


def main(seed: int = 1, count: int = 1_000_000, opener: Callable[[Tokens], Open] | None = None) -> None:
    result = run(seed, count, opener)
    command = f"python tests/benchmarks/token_fuzz.py {seed} {count}"
    more: dict[str, Any] = {"n": count, "seed": seed, "seconds": result["seconds"], "command": command}
    counts = [show(f"token_fuzz_{name}", result[name], "inputs", **more) for name in ZEROS]
    show("token_fuzz_accepted", result["accepted"], "inputs", **more)
    show("token_fuzz_speed", result["per_second"], "inputs/s", **more)
    for example in result["examples"]:
        print(*map(ascii, example), file=sys.stderr)
    for name in ZEROS:
        must(counts, f"token_fuzz_{name}", 0)


ZEROS: Final = ("crashes", "false_accepts", "false_refusals")

if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
