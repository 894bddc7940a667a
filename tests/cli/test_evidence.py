"""The commands around evidence: a bundle and a receipt as files, checked offline; consent taken back and corrected."""

import json
import stat

import pytest
from click.testing import CliRunner

from consent_track.activities import consenting, knowing, proving
from consent_track.cli import main
from tests import world
from tests.world import ALICE, BOB


@pytest.fixture
def acme(tmp_path):
    runtime = world.populated(tmp_path / "home")
    yield runtime
    runtime.database.close()


def run(runtime, *args, code=0):
    done = CliRunner().invoke(main, ["--home", str(runtime.config.home), *args])
    assert done.exit_code == code, done.output
    return done.output


def offline(*args, code=0):
    done = CliRunner(env={"CONSENT_TRACK_HOME": "/nonexistent"}).invoke(main, list(args))
    assert done.exit_code == code, done.output
    return done.output


def events(runtime, address):
    with runtime.reading() as p:
        return proving.history(p, 1, address)


def on(runtime, address):
    with runtime.reading() as p:
        return [purpose.value for purpose in consenting.standing(p, 1, knowing.find(p, 1, address)).on]


def test_a_bundle_is_written_for_its_owner_only_and_checked_anywhere(acme, tmp_path):
    path = tmp_path / "alice.zip"
    run(acme, "evidence", "export", ALICE, "--out", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = json.loads(run(acme, "ledger", "public-key", "--json"))["public_key"]
    assert "Whole: this evidence bundle" in offline("verify", str(path), "--public-key", key)
    path.write_bytes(path.read_bytes().replace(b"PK\5\6", b"PK\5\7"))
    assert "file: " in offline("verify", str(path), code=1)


def test_a_receipt_is_checked_anywhere(acme, tmp_path):
    path = tmp_path / "alice.json"
    run(acme, "receipt", ALICE, "--out", str(path))
    assert "Whole: this receipt" in offline("verify", str(path))
    path.write_text(path.read_text().replace(ALICE, BOB))
    assert "NOT whole" in offline("verify", str(path), code=1)
    assert "--sequence: " in run(acme, "receipt", ALICE, "--sequence", "999", "--out", str(path), code=1)
    assert "address: " in run(acme, "receipt", "nobody@example.org", "--out", str(path), code=1)


def test_what_is_none_of_ours_is_said(tmp_path):
    path = tmp_path / "x"
    for text in ("", "hello", "{}", '{"proof": {}}', "[1]"):
        path.write_text(text)
        assert offline("verify", str(path), code=1).startswith("file: ")


@pytest.mark.law("WD-09")
def test_the_operator_takes_back_what_is_not_good_any_longer(acme):
    run(acme, "consent", "revoke", ALICE, "--purpose", "click_performance", "--reason", "the form was wrong")
    assert on(acme, ALICE) == ["open_performance"]
    last = events(acme, ALICE)[-1]
    assert (last["status"], last["actor"], last["source"]) == ("revoked", "operator", "the form was wrong")
    again = run(acme, "consent", "revoke", ALICE, "--purpose", "click_performance", "--reason", "x")
    assert again == "Nothing to change.\n"


def test_an_entry_that_should_never_have_been_is_corrected_by_another(acme):
    wrong = next(event for event in events(acme, ALICE) if event["purpose"] == "open_performance")
    run(acme, "consent", "correct", ALICE, "--entry", str(wrong["sequence"]), "--reason", "it was another Alice")
    last = events(acme, ALICE)[-1]
    assert (last["status"], last["corrects"]) == ("invalidated", wrong["sequence"])
    assert on(acme, ALICE) == ["click_performance"]


def test_a_no_is_not_corrected(acme):
    refusal = next(event for event in events(acme, BOB) if event["status"] == "withdrawn")
    args = ("consent", "correct", BOB, "--entry", str(refusal["sequence"]), "--reason", "he did not mean it")
    assert "--entry: " in run(acme, *args, code=1)
    assert "--entry: " in run(acme, "consent", "correct", BOB, "--entry", "999", "--reason", "x", code=1)


def test_a_scan_makes_it_a_paper_and_is_kept(acme, tmp_path):
    scan = tmp_path / "form.pdf"
    scan.write_bytes(b"%PDF-1.7 Dora signed this")
    args = ("consent", "grant", "dora@example.org", "--purpose", "open_performance", "--paper", str(scan))
    assert "--signed-by: " in run(acme, *args, code=1)
    run(acme, *args, "--signed-by", "Dana Okafor")
    [event] = events(acme, "dora@example.org")
    assert event["grade"] == "paper"
    out = tmp_path / "dora.zip"
    run(acme, "evidence", "export", "dora@example.org", "--out", str(out))
    import zipfile

    with zipfile.ZipFile(out) as packed:
        assert packed.read(f"papers/{event['evidence_id']}.pdf") == scan.read_bytes()
        assert json.loads(packed.read(f"papers/{event['evidence_id']}.signed.json"))["signed_by"] == "Dana Okafor"
