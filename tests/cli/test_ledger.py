"""`ledger`, `verify`, `proof`: what leaves one machine is verified on another that has nothing of the first."""

import json

import pytest
from click.testing import CliRunner

from consent_track.cli import main
from tests import world


@pytest.fixture
def home(tmp_path):
    runtime = world.populated(tmp_path / "home")
    runtime.database.close()
    return tmp_path / "home"


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def taken_out(home, tmp_path):
    """The ledger, a checkpoint and the public key, carried to another machine."""
    for what in ("export", "checkpoint"):
        assert run("--home", home, "ledger", what, "--out", tmp_path / what).exit_code == 0
    key = run("--home", home, "ledger", "public-key").stdout.strip()
    assert key == json.loads(run("--home", home, "--json", "ledger", "public-key").stdout)["public_key"]
    return tmp_path / "export", tmp_path / "checkpoint", key


def test_a_whole_ledger_is_verified_without_a_home(taken_out, tmp_path, monkeypatch):
    file, checkpoint, key = taken_out
    monkeypatch.setenv("CONSENT_TRACK_HOME", str(tmp_path / "nothing"))
    done = run("--json", "verify", file, "--public-key", key, "--checkpoint", checkpoint)
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert (found["whole"], found["broken_at"], found["checkpoint"]) == (True, None, found["entries"])
    assert found["key_given"]


def test_without_a_key_and_a_checkpoint_it_says_what_that_leaves_open(taken_out):
    done = run("verify", taken_out[0])
    assert "compare it with the published one" in done.stdout
    assert "cut off its end would not show" in done.stdout


def test_a_changed_file_is_found_and_the_exit_code_is_one(taken_out, tmp_path):
    file, checkpoint, key = taken_out
    lines = file.read_text().splitlines(keepends=True)
    (tmp_path / "short").write_text("".join(lines[:2] + lines[3:]))
    done = run("verify", tmp_path / "short", "--public-key", key, "--checkpoint", checkpoint)
    assert done.exit_code == 1
    assert "NOT whole: entry 2" in done.stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--public-key", "nonsense"], "--public-key: is not an Ed25519 public key"),
        (["--checkpoint", __file__], "checkpoint: "),
    ],
)
def test_bad_input_is_named(taken_out, words, named):
    refused = run("verify", taken_out[0], *words)
    assert refused.exit_code == 1
    assert named in refused.stderr


def test_octets_of_no_text_are_refused(tmp_path):
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    assert "file: is no receipt" in run("verify", tmp_path / "noise").stderr


def test_a_proof_is_opened_with_the_key_from_the_safe(home):
    key = home / "keys" / "escrow-private.key"
    done = run("--home", home, "--json", "proof", "open", "alice@example.org", "--escrow-key", key)
    assert [one["status"] for one in json.loads(done.stdout)["events"]] == ["given", "given"]
    wrong = run("--home", home, "proof", "open", "alice@example.org", "--escrow-key", home / "keys/static/ledger.key")
    assert (wrong.exit_code, "alice" in wrong.stderr) == (1, False)
