"""Keys: made once, readable by their owner only, and refused together, by name, when anything is wrong with them."""

import base64

import pytest

from consent_track.crypto import keyring
from consent_track.crypto.keyring import KeyState, Usage
from consent_track.domain.errors import ConfigurationRefused, KeyMisuse


@pytest.fixture
def folder(tmp_path):
    keyring.create(tmp_path / "keys", 1)
    return tmp_path / "keys"


def spoil(folder, name, secret):
    path = next(folder.rglob(name))
    text = path.read_text()
    path.write_text(text[: text.index("key: ")] + f"key: {base64.urlsafe_b64encode(secret).decode()}\n")


def problems(folder):
    with pytest.raises(ConfigurationRefused) as refused:
        keyring.load(folder)
    return [str(problem) for problem in refused.value.problems]


def test_every_key_is_private_and_labelled(folder):
    for path in folder.rglob("*.key"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().startswith("consent_track key, version 1\nusage: ")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_is_overwritten(folder):
    with pytest.raises(ConfigurationRefused, match="never overwritten"):
        keyring.create(folder, 2)


WEAK = {
    "short": b"x" * 31,
    "zeros": bytes(32),
    "one octet": b"\x07" * 32,
    "counting": bytes(range(32)),
    "changeme": b"changeme-" + bytes(range(100, 123)),
    "password": b"my-Password-" + bytes(range(100, 123)),
}


@pytest.mark.parametrize("weakness", WEAK)
def test_a_short_or_known_key_is_refused_by_its_file(folder, weakness):
    spoil(folder, "suppression.key", WEAK[weakness])
    assert any("suppression.key" in problem for problem in problems(folder))


def test_everything_wrong_is_said_at_once(folder):
    (folder / "static" / "ledger.key").unlink()
    (folder / "static" / "session.key").chmod(0o644)
    spoil(folder, "proof-index.key", bytes(32))
    found = "\n".join(problems(folder))
    for name in ("ledger", "session.key: can be read by others", "proof-index.key: key: is a known"):
        assert name in found


def test_equal_keys_are_refused(folder):
    secret = next(k.secret for k in keyring.load(folder).tokens)
    spoil(folder, "suppression.key", secret)
    assert any("is equal to" in problem for problem in problems(folder))


def test_a_key_under_another_name_is_refused(folder):
    token = folder / "static" / "token-1.key"
    (folder / "static" / "suppression.key").write_text(token.read_text().replace("id: 1", "id: 2"))
    assert any("labelled for token" in problem for problem in problems(folder))


@pytest.mark.parametrize("text", ["", "nonsense", "consent_track key, version 9\nusage: token\n"])
def test_a_malformed_file_is_named(folder, text):
    (folder / "static" / "token-1.key").write_text(text)
    assert any("token-1.key" in problem for problem in problems(folder))


@pytest.mark.law("SE-01")
def test_a_key_does_one_job(folder):
    keys = keyring.load(folder)
    with pytest.raises(KeyMisuse):
        keys.suppression.require(Usage.PROOF_INDEX)


def test_a_collector_holds_token_keys_only(folder):
    keys = keyring.load(folder, collector_only=True)
    assert keys.tokens
    for name in ("suppression", "proof_index", "ledger", "session"):
        with pytest.raises(KeyMisuse):
            getattr(keys, name)
    with pytest.raises(KeyMisuse):
        keys.epoch()


def test_no_secret_shows_in_a_repr(folder):
    keys = keyring.load(folder)
    assert repr(keys.suppression.secret) not in repr(keys)
    assert keys.suppression.secret.hex() not in repr(keys)


def test_rotation_adds_a_key_and_keeps_the_old_one_opening(folder):
    added = keyring.rotate_token_key(folder, 5)
    states = {key.id: key.state for key in keyring.load(folder).tokens}
    assert states == {1: KeyState.ACCEPT, added.id: KeyState.ACTIVE}
    keyring.set_state(folder, 1, KeyState.REDIRECT_ONLY)
    assert keyring.load(folder).tokens[0].state is KeyState.REDIRECT_ONLY


def test_two_installations_share_no_run_of_octets(tmp_path):
    one, other = keyring.create(tmp_path / "a", 1), keyring.create(tmp_path / "b", 1)
    runs = {key.secret[i : i + 4] for key in (*one.tokens, *one.held.values(), one.epoch()) for i in range(29)}
    assert not any(key.secret[i : i + 4] in runs for key in (*other.tokens, *other.held.values()) for i in range(29))
