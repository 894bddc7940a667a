"""Five classes, five powers; keys rotate, and a right once printed in a mail is never taken back."""

from dataclasses import replace

import by_the_book
import pytest
from fixed_keys import DESTINATION, FACTS, facts_of, fixed

from consent_track.crypto.keyring import KeyState, Usage
from consent_track.crypto.tokens import Tokens
from consent_track.domain.errors import ForgedToken, KeyMisuse
from consent_track.domain.vocabulary import TokenClass

OLD, NEW = fixed(Usage.TOKEN, 1), fixed(Usage.TOKEN, 2)
TOKENS = Tokens([OLD])


@pytest.mark.law("TI-05")
@pytest.mark.parametrize("issued", TokenClass)
@pytest.mark.parametrize("asked", TokenClass)
def test_only_the_diagonal_opens(issued, asked):
    token = TOKENS.issue(facts_of(issued))
    if issued is asked:
        assert TOKENS.open(asked, token) == facts_of(issued)
    else:
        with pytest.raises(ForgedToken):
            TOKENS.open(asked, token)


SAME_LENGTH = [token_class for token_class in TokenClass if token_class is not TokenClass.CLICK]


@pytest.mark.parametrize("asked", SAME_LENGTH)
@pytest.mark.parametrize("other", SAME_LENGTH)
def test_seal_and_signature_each_keep_the_classes_apart(asked, other):
    """Two locks: whoever gets past one, by a defect or with half a key, still stands before the second."""
    for halves in ({"sealed_for": other.value}, {"signed_for": other.value}):
        token = by_the_book.token(OLD.secret, asked.value, by_the_book.payload(), **halves)
        if asked is other:
            assert TOKENS.open(asked, token).subject == 7
        else:
            with pytest.raises(ForgedToken):
                TOKENS.open(asked, token)


def test_the_header_is_bound_into_the_seal_too():
    """A token moved to another controller stays shut even where its signature was made anew."""
    octets = by_the_book.octets(TOKENS.issue(FACTS))
    body = octets[:3] + b"\x02" + octets[4:-16]
    with pytest.raises(ForgedToken):
        TOKENS.open(TokenClass.OPEN, by_the_book.written(body + by_the_book.signature(OLD.secret, "open", body)))


# What a token of an old key may still do, by the state of that key. silent: all but record. -: it does not open.
POWERS = """
             active     accept     redirect-only  gone
open         records    records    silent         -
click        records    records    silent         -
preference   opens      opens      opens          -
unsubscribe  opens      opens      opens          -
verification opens      opens      opens          -
"""


def cells():
    (_, *states), *rows = (line.split() for line in POWERS.replace("\n", "\nclass", 1).strip().splitlines())
    return [
        (TokenClass(token_class), state, power)
        for token_class, *powers in rows
        for state, power in zip(states, powers, strict=True)
    ]


@pytest.mark.parametrize(("token_class", "state", "power"), cells())
def test_an_old_key_keeps_its_powers_by_its_state(token_class, state, power):
    token = TOKENS.issue(facts_of(token_class))
    rotated = Tokens([NEW] if state == "gone" else [replace(OLD, state=KeyState(state)), NEW])
    if power == "-":
        with pytest.raises(ForgedToken):
            rotated.open(token_class, token)
        return
    facts = rotated.open(token_class, token)
    assert facts._replace(records=True) == facts_of(token_class), "nothing of it is lost"
    if power != "opens":
        assert facts.records is (power == "records")
    if token_class is TokenClass.CLICK:
        assert facts.destination == DESTINATION


@pytest.mark.parametrize(
    ("states", "issues"),
    [
        ((KeyState.ACTIVE,), 1),
        ((KeyState.ACCEPT, KeyState.ACTIVE), 2),
        ((KeyState.ACTIVE, KeyState.ACCEPT), 1),
        ((KeyState.ACTIVE, KeyState.ACTIVE), 2),
        ((KeyState.REDIRECT_ONLY, KeyState.ACCEPT, KeyState.ACTIVE), 3),
    ],
)
def test_the_youngest_active_key_issues(states, issues):
    keys = [fixed(Usage.TOKEN, number, state) for number, state in enumerate(states, 1)]
    assert by_the_book.octets(Tokens(keys).issue(FACTS))[1] == issues


@pytest.mark.parametrize("keys", [[], [replace(OLD, state=KeyState.ACCEPT)]])
def test_without_an_active_key_nothing_is_issued(keys):
    with pytest.raises(KeyMisuse):
        Tokens(keys).issue(FACTS)


def test_two_keys_of_one_number_are_refused():
    with pytest.raises(KeyMisuse, match="same number"):
        Tokens([OLD, replace(NEW, id=1)])
