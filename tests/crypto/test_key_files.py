"""A key file is six lines of a fixed form or it is refused; a guessable key is none (T50)."""

import hashlib
import os
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from key_folders import path_of, problems, rewrite, spoil

from consent_track.crypto import keyring
from consent_track.crypto.key import Key, KeyState, Usage
from consent_track.crypto.key_files import read_key, weakness_of, write_key
from consent_track.domain.errors import ConfigurationRefused

SECRET = hashlib.sha256(b"a fixed key for this test").digest()


@pytest.fixture
def folder(tmp_path):
    keyring.create(tmp_path / "keys", 1_795_000_000)
    return tmp_path / "keys"


def test_the_file_format_is_frozen(tmp_path):
    (tmp_path / "static").mkdir()
    key = Key(Usage.TOKEN, 3, KeyState.ACCEPT, SECRET, 1_795_000_000)
    write_key(tmp_path, key)
    path = tmp_path / "static" / "token-3.key"
    assert path.read_bytes() == (
        b"consent_track key, version 1\n"
        b"usage: token\n"
        b"id: 3\n"
        b"state: accept\n"
        b"created: 1795000000\n"
        b"key: SRlX0VxurBkHxtCICEcfU25YTm8ov1msn2Fz4X6ju8M=\n"
    )
    found = []
    assert read_key(tmp_path, path, found) == key
    assert found == []


# file, what is replaced, by what | which problem, at which field
FORMS = """
token-1     | usage: token        | usage: tokens         | usage: names a use
token-1     | usage: token        | usage: session        | usage: is labelled for session
token-1     | usage: token        | use: token            | not a key file of this version
token-1     | id: 1               | id: 2                 | usage: is labelled for token, number 2
token-1     | id: 1               | id: 0                 | id: is not a number
token-1     | id: 1               | id: 01                | id: is not a number
token-1     | id: 1               | id: 256               | id: is not a number
token-1     | id: 1               | id: -1                | id: is not a number
token-1     | id: 1               | id: 1e0               | id: is not a number
token-1     | state: active       | state: Active         | state: names a state
session     | state: active       | state: redirect-only  | state: is one that only token keys have
epoch/1     | state: active       | state: accept         | state: is one that only token keys have
ledger      | created: 1795000000 | created: 2026-11-23   | created: is not an instant
ledger      | created: 1795000000 | created: 999999999999 | created: is not an instant
ledger      | created: 1795000000 | created:1795000000    | not a key file of this version
suppression | version 1           | version 2             | not a key file of this version
suppression | key: A              | key: !                | key: is not URL-safe base64
suppression | A=\\n               | B=\\n                 | key: is not URL-safe base64
suppression | A=\\n               | A=                    | not a key file of this version
suppression | A=\\n               | A\\n                  | key: is not URL-safe base64
suppression | A=\\n               | A=\\n\\n              | not a key file of this version
suppression | A=\\n               | A=\\r\\n              | key: is not URL-safe base64
suppression | A=\\n               | A=\\nid: 1\\n         | not a key file of this version
suppression | consent_track       | \\nconsent_track      | not a key file of this version
suppression | consent_track       | clé                   | is not a key file
"""


@pytest.mark.parametrize(
    "row", [[cell.strip() for cell in line.split("|")] for line in FORMS.strip().splitlines()], ids="|".join
)
def test_a_malformed_file_is_named_with_its_field(folder, row):
    name, old, new, expected = row
    spoil(folder, "suppression.key", b"\x00" + SECRET[1:31] + b"\x00")  # its written form begins and ends with A
    rewrite(folder, f"{name}.key", old.replace("\\n", "\n"), new.replace("\\n", "\n").replace("\\r", "\r"))
    assert any(
        f"{name}.key: {expected}" in problem or f"{name}.key: is {expected}" in problem for problem in problems(folder)
    ), problems(folder)


def test_a_key_under_another_name_is_refused(folder):
    token = path_of(folder, "token-1.key")
    for name in ("session-old.key", "token-1-copy.key", "suppression.key"):
        (folder / "static" / name).write_bytes(token.read_bytes())
        (folder / "static" / name).chmod(0o600)
    found = "\n".join(problems(folder))
    for name in ("session-old.key", "token-1-copy.key", "suppression.key"):
        assert f"{name}: usage: is labelled for token, number 1" in found


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o660, 0o777])
def test_a_file_that_is_open_to_others_is_refused(folder, mode):
    path_of(folder, "ledger.key").chmod(mode)
    assert [text.rpartition("/")[2] for text in problems(folder)] == [
        "ledger.key: can be read by others; run: chmod 600"
    ]


@pytest.mark.parametrize("name", ["token-1.key", "ledger.key", "epoch/1.key", "escrow-private.key"])
def test_a_file_that_is_no_file_is_refused_and_stops_nobody(folder, name):
    path = path_of(folder, name)
    path.unlink()
    os.mkfifo(path, 0o600)
    assert any(f"{name}: is not a key file" in problem for problem in problems(folder))


@pytest.mark.parametrize("content", [b"", b"\0" * 40, b"x" * 5_000, b"\xff\xfe"])
def test_a_file_of_something_else_is_refused(folder, content):
    path_of(folder, "session.key").write_bytes(content)
    assert any("session.key: is not a key file" in problem for problem in problems(folder))


def test_a_key_is_never_written_over_another(tmp_path):
    (tmp_path / "static").mkdir()
    key = Key(Usage.TOKEN, 1, KeyState.ACTIVE, SECRET, 1)
    write_key(tmp_path, key)
    with pytest.raises(ConfigurationRefused, match="is there already"):
        write_key(tmp_path, Key(Usage.TOKEN, 1, KeyState.ACTIVE, SECRET[::-1], 1))
    assert read_key(tmp_path, tmp_path / "static" / "token-1.key", []) == key
    assert [path.name for path in (tmp_path / "static").iterdir()] == ["token-1.key"]


WEAK = {
    "short": SECRET[:31],
    "long": SECRET + b"x",
    "empty": b"",
    "zeros": bytes(32),
    "one octet": b"\x07" * 32,
    "ones": b"\xff" * 32,
    "two octets in turn": b"\x13\xe7" * 16,
    "ascending": bytes(range(32)),
    "ascending from the middle": bytes(range(100, 132)),
    "descending": bytes(range(255, 223, -1)),
    "in steps of three": bytes(n * 3 for n in range(32)),
    "ascending twice": bytes(range(16)) * 2,
    "one half twice": SECRET[:16] * 2,
    "an eighth eight times": SECRET[:4] * 8,
    "changeme, padded with zeros": b"changeme".ljust(32, b"\0"),
    "changeme, padded with chance": b"ChangeMe" + SECRET[8:],
    "secret, in the midst": SECRET[:13] + b"SECRET" + SECRET[19:],
    "password, at the end": SECRET[:24] + b"password",
    "a sentence": b"my dog has fleas and my cat not!",
    "hex": hashlib.md5(b"x").hexdigest().encode(),
    "the hash of a word": hashlib.sha256(b"changeme").digest(),
    "the hash of nothing": hashlib.sha256(b"").digest(),
}


@pytest.mark.parametrize("weakness", WEAK)
def test_a_short_known_or_guessable_key_is_refused_by_its_file(folder, weakness):
    spoil(folder, "suppression.key", WEAK[weakness])
    assert any("suppression.key: key: is " in problem for problem in problems(folder))


def test_random_keys_are_never_taken_for_weak():
    assert not any(weakness_of(secrets.token_bytes(32)) for _ in range(2_000))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_content_is_an_error_of_ours(tmp_path_factory, content):
    place = tmp_path_factory.mktemp("keys", numbered=True)
    (place / "static").mkdir()
    path = place / "static" / "session.key"
    path.write_bytes(content)
    path.chmod(0o600)
    found = []
    assert read_key(place, path, found) is None
    assert found
