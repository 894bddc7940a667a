"""Keys: made once, one use each, refused together and by name when anything is wrong, and rotated without a gap."""

import secrets

import pytest
from key_folders import problems, rewrite, secret_of, spoil

from consent_track.crypto import keyring
from consent_track.crypto.keyring import KeyState, Usage
from consent_track.domain.errors import ConfigurationRefused, KeyMisuse

NAMES = {
    "static/token-1.key", "static/session.key", "static/suppression.key", "static/proof-index.key",
    "static/ledger.key", "static/escrow-public.key", "epoch/1.key", "escrow-private.key",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    keyring.create(tmp_path / "keys", 1_795_000_000)
    return tmp_path / "keys"


def test_an_installation_gets_a_key_for_each_use(folder):
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == NAMES
    keys = keyring.load(folder)
    made = [*keys.tokens, keys.session, keys.suppression, keys.proof_index, keys.ledger, keys.epoch()]
    assert [key.usage.value for key in made] == ["token", "session", "suppression", "proof-index", "ledger", "epoch"]
    assert {key.created_at for key in made} == {1_795_000_000}
    assert len({key.secret for key in made}) == len(made)


def test_every_key_can_be_read_by_its_owner_only(folder):
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_an_empty_folder_that_stood_open_is_closed(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o755)
    keyring.create(tmp_path / "keys", 1)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("there", ["token-1.key", "notes.txt"])
def test_nothing_is_overwritten(tmp_path, there):
    (tmp_path / there).write_text("mine")
    with pytest.raises(ConfigurationRefused, match="never overwritten"):
        keyring.create(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == [there]


def test_two_installations_share_no_run_of_octets(tmp_path):
    """T50: nothing of a key comes from the code, the machine or the clock. Six equal octets by chance: 1 in 10^9."""

    def runs(name):
        keyring.create(tmp_path / name, 1)
        keys = [secret_of(path) for path in (tmp_path / name).rglob("*.key")]
        assert len(keys) == len(NAMES)
        return {key[at : at + 6] for key in keys for at in range(len(key) - 5)}

    assert not runs("one") & runs("other")


class TestOneUseEach:
    @pytest.mark.law("SE-01")
    @pytest.mark.parametrize("usage", Usage)
    def test_a_key_does_one_job(self, folder, usage):
        keys = keyring.load(folder)
        for key in (*keys.tokens, *keys.held.values(), keys.epoch()):
            if key.usage is usage:
                assert key.require(usage) is key
            else:
                with pytest.raises(KeyMisuse, match=f"a key for {key.usage} .* for {usage}"):
                    key.require(usage)

    @pytest.mark.law("SE-01")
    def test_a_collector_holds_token_keys_only(self, folder):
        keys = keyring.load(folder, collector_only=True)
        assert keys.tokens
        for name in ("suppression", "proof_index", "ledger", "session"):
            with pytest.raises(KeyMisuse):
                getattr(keys, name)
        with pytest.raises(KeyMisuse):
            keys.epoch()
        assert keys.escrow_public is None

    def test_a_collector_needs_no_other_file(self, folder):
        for path in folder.rglob("*.key"):
            if not path.name.startswith("token"):
                path.unlink()
        assert keyring.load(folder, collector_only=True).tokens

    def test_the_offline_key_is_never_held(self, folder):
        keys = keyring.load(folder)
        private = secret_of(folder / "escrow-private.key")
        assert private not in [key.secret for key in (*keys.tokens, *keys.held.values(), *keys.epochs.values())]
        (folder / "escrow-private.key").unlink()
        assert keyring.load(folder) == keys, "moved away, as it should be, nothing is missing"

    def test_no_secret_shows_in_a_repr_or_an_error(self, folder):
        keys = keyring.load(folder)
        shown = repr(keys) + repr(keys.held) + str(keys)
        spoil(folder, "ledger.key", secret_of(folder / "static/session.key"))
        rewrite(folder, "proof-index.key", "state: active", f"state: {keys.proof_index.secret.hex()}")
        shown += "".join(problems(folder))
        for path in folder.rglob("*.key"):
            secret, text = secret_of(path), path.read_text().splitlines()[-1].removeprefix("key: ")
            for form in (repr(secret), secret.hex(), text):
                assert form not in shown


class TestTogether:
    def test_everything_wrong_is_said_at_once(self, folder):
        (folder / "static" / "ledger.key").unlink()
        (folder / "epoch" / "1.key").unlink()
        (folder / "static" / "session.key").chmod(0o644)
        spoil(folder, "proof-index.key", bytes(32))
        rewrite(folder, "token-1.key", "state: active", "state: asleep")
        assert [text.removeprefix(str(folder)) for text in problems(folder)] == [
            "/static/proof-index.key: key: is a known or guessable value",
            "/static/session.key: can be read by others; run: chmod 600",
            "/static/token-1.key: state: names a state that does not exist",
            "/static: holds no active token key",
            "/static: holds no key for proof-index",
            "/static: holds no key for ledger",
            "/epoch: holds no epoch key",
        ]

    @pytest.mark.parametrize("one", sorted(NAMES))
    @pytest.mark.parametrize("other", ["static/token-1.key", "escrow-private.key"])
    def test_equal_keys_are_refused_across_all_files(self, folder, one, other):
        if one == other:
            return
        spoil(folder, other, secret_of(folder / one))
        assert any("is equal to" in problem for problem in problems(folder))

    def test_an_empty_folder_says_what_to_do(self, tmp_path):
        assert any("consent-track init" in problem for problem in problems(tmp_path))

    def test_a_folder_that_others_write_to_is_refused(self, folder):
        (folder / "static").chmod(0o770)
        assert any("/static: can be written to by others" in problem for problem in problems(folder))


class TestRotation:
    def states(self, folder):
        return {key.id: key.state.value for key in keyring.load(folder).tokens}

    def test_the_new_key_issues_and_the_old_one_still_opens(self, folder):
        before = keyring.load(folder).tokens[0]
        added = keyring.rotate_token_key(folder, 1_796_000_000)
        assert self.states(folder) == {1: "accept", 2: "active"}
        kept, new = keyring.load(folder).tokens
        assert (kept.secret, kept.created_at) == (before.secret, before.created_at)
        assert new == added
        assert new.secret != before.secret

    def test_with_several_machines_a_key_is_known_everywhere_before_it_issues(self, folder):
        keyring.add_token_key(folder, 5)
        assert self.states(folder) == {1: "active", 2: "accept"}
        keyring.set_state(folder, 2, KeyState.ACTIVE)
        assert self.states(folder) == {1: "accept", 2: "active"}

    def test_a_retired_key_never_records_again(self, folder):
        keyring.rotate_token_key(folder, 5)
        keyring.set_state(folder, 1, KeyState.REDIRECT_ONLY)
        for state in (KeyState.ACCEPT, KeyState.ACTIVE):
            with pytest.raises(ConfigurationRefused, match="never records again"):
                keyring.set_state(folder, 1, state)
        assert self.states(folder) == {1: "redirect-only", 2: "active"}

    @pytest.mark.parametrize("state", [KeyState.ACCEPT, KeyState.REDIRECT_ONLY])
    def test_the_last_active_key_stays_active(self, folder, state):
        with pytest.raises(ConfigurationRefused, match="rotate first"):
            keyring.set_state(folder, 1, state)
        assert self.states(folder) == {1: "active"}

    def test_a_key_that_is_not_there_has_no_state(self, folder):
        with pytest.raises(ConfigurationRefused, match=r"token-7\.key: is not there"):
            keyring.set_state(folder, 7, KeyState.ACCEPT)

    def test_a_crash_between_the_two_files_leaves_a_key_that_issues(self, folder):
        """The state on the disk between the steps of a rotation: the new key written, the old one not yet lowered."""
        keyring.add_token_key(folder, 5)
        rewrite(folder, "token-2.key", "state: accept", "state: active")
        assert self.states(folder) == {1: "active", 2: "active"}
        keyring.set_state(folder, 2, KeyState.ACTIVE)
        assert self.states(folder) == {1: "accept", 2: "active"}

    def test_what_a_crash_left_half_written_is_in_nobodys_way(self, folder):
        (folder / "static" / "token-1.key.0011.new").write_text("consent_track key, ver")
        keyring.rotate_token_key(folder, 5)
        assert self.states(folder) == {1: "accept", 2: "active"}
        assert {path.name for path in folder.rglob("*.new")} == {"token-1.key.0011.new"}, "and ours leaves nothing"

    def test_a_number_is_one_octet_and_the_last_is_the_last(self, folder):
        token = folder / "static" / "token-1.key"
        text = token.read_text().replace("id: 1\n", "id: 255\n")
        (folder / "static" / "token-255.key").touch(0o600)
        (folder / "static" / "token-255.key").write_text(text)
        token.unlink()
        assert self.states(folder) == {255: "active"}
        with pytest.raises(ConfigurationRefused, match="no number left"):
            keyring.add_token_key(folder, 5)


def test_epochs_are_found_by_number_and_the_youngest_is_the_current(folder):
    first = folder / "epoch" / "1.key"
    (folder / "epoch" / "2.key").touch(0o600)
    (folder / "epoch" / "2.key").write_text(first.read_text().replace("id: 1\n", "id: 2\n"))
    spoil(folder, "epoch/2.key", secrets.token_bytes(32))
    keys = keyring.load(folder)
    assert keys.epoch() is keys.epochs[2]
    assert keys.epoch(1).secret == secret_of(first)
    with pytest.raises(KeyMisuse):
        keys.epoch(3)
