"""One mailbox, one written form; and which mailboxes are nobody's in particular."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from consent_track.domain.address import is_role, masked, normalise
from consent_track.domain.errors import InputRefused
from tests.domain.people import rows

SAME = """
    Ann@Example.ORG           ann@example.org
    ann@example.org.          ann@example.org
    ann+news@example.org      ann+news@example.org
    a.n.n@example.org         a.n.n@example.org
    ANN@MÜNCHEN.example       ann@xn--mnchen-3ya.example
    ann@faß.example           ann@fass.example
    STRASSE@example.org       strasse@example.org
    Straße@example.org        strasse@example.org
    ann@ｅxample.org           ann@example.org
"""


@pytest.mark.parametrize(("written", "normal"), rows(SAME))
def test_however_it_is_written_it_is_one_mailbox(written, normal):
    assert normalise(written) == normalise(f"  {written} ") == normal


def test_composed_and_decomposed_letters_are_one_mailbox():
    assert normalise("jose\u0301@example.org") == normalise("jos\u00e9@example.org")


NO_MAILBOX = [
    "",
    "ann",
    "ann@",
    "@example.org",
    "ann@localhost",
    "ann@example..org",
    "ann@.org",
    "ann@ex\u2025ample.org",  # a two-dot leader becomes two dots
    "ann@ex\uff20ample.org",  # a full-width @ becomes one
    "ann@bob@example.org",
    "Ann <ann@example.org>",
    "ann@example.org, bob@example.org",
    '"ann"@example.org',
    "ann@[192.0.2.1]",
    "ann\r\nBcc: bob@example.org",
    "ann@example\u2028.org",
    "an\x00n@example.org",
    f"{'a' * 250}@example.org",
    f"ann@{'a' * 64}.org",
]


@pytest.mark.parametrize("text", NO_MAILBOX)
def test_anything_else_is_refused_without_repeating_it(text):
    with pytest.raises(InputRefused) as refused:
        normalise(text)
    assert refused.value.problems[0].where == "address"
    assert not text or text not in str(refused.value)


@given(some.emails() | some.text(max_size=30).map(lambda local: f"{local}@example.org"))
def test_the_normal_form_is_normal(address):
    try:
        normal = normalise(address)
    except InputRefused:
        return
    assert normalise(normal) == normal
    assert normalise(address.upper()) == normalise(address.upper().lower())
    assert normal.count("@") == 1


ROLES = """
    info@example.org            role
    INFO@example.org            role
    info+shop@example.org       role
    no-reply@example.org        role
    no_reply@example.org        role
    no.reply@example.org        role
    datenschutz@example.org     role
    ann@example.org             person
    information.ann@example.org  person
    marianne.support@example.org  person
"""


@pytest.mark.parametrize(("address", "whose"), rows(ROLES))
def test_a_role_is_not_a_person(address, whose):
    assert is_role(address) is (whose == "role")


def test_a_masked_address_tells_its_owner_enough_and_others_nothing():
    assert masked("ann.smith@example.org") == "a***@e***"
    assert len(masked("a@b.org")) == len(masked(f"{'a' * 60}@{'b' * 60}.org"))
