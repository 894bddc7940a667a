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


def test_a_no_gives_way_to_nothing_but_evidence(acme, tmp_path):
    refusal = next(event for event in events(acme, BOB) if event["status"] == "withdrawn")
    args = ("consent", "correct", BOB, "--entry", str(refusal["sequence"]), "--reason", "a clerk mistook him")
    assert "--paper: " in run(acme, *args, code=1)
    assert "--entry: " in run(acme, "consent", "correct", BOB, "--entry", "999", "--reason", "x", code=1)
    scan = tmp_path / "form.png"
    scan.write_bytes(b"\x89PNG")
    run(acme, *args, "--paper", str(scan), "--signed-by", "Dana Okafor")
    assert on(acme, BOB) == [refusal["purpose"]]


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

    assert "Whole" in offline("verify", str(out))
    with zipfile.ZipFile(out) as packed:
        assert packed.read(f"papers/{event['evidence_id']}.pdf") == scan.read_bytes()
        assert json.loads(packed.read(f"papers/{event['evidence_id']}.signed.json"))["signed_by"] == "Dana Okafor"


GRANT = ("consent", "grant", "dora@example.org", "--purpose", "open_performance")


def file(folder, name, content):
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_an_account_record_needs_the_words_and_gives_its_own_grade(acme, tmp_path):
    record = file(tmp_path, "login.json", b'{"user": 7, "at": "2026-11-18T10:00:00Z"}')
    words = file(tmp_path, "words.txt", b"May Acme see which mails you open?")
    account = (*GRANT, "--account", record, "--signed-by", "Dana Okafor")
    assert "--wording: " in run(acme, *account, code=1)
    assert "--locale: " in run(acme, *account, "--wording", words, code=1)
    run(acme, *account, "--wording", words, "--locale", "en", "--until", "2027-06-30")
    [event] = events(acme, "dora@example.org")
    assert (event["grade"], event["words"]) == (
        "authenticated_account", {"paper.words": "May Acme see which mails you open?"},
    )  # fmt: skip
    assert event["expires_at"] == 1_814_400_000
    out = tmp_path / "dora.zip"
    run(acme, "evidence", "export", "dora@example.org", "--out", str(out))
    assert "Whole" in offline("verify", str(out))


BAD_EVIDENCE = [
    (("--paper", "form.exe"), "--paper: must be one of"),
    (("--paper", "empty.pdf"), "--paper: must hold 1 to"),
    (("--paper", "form.pdf", "--account", "form.pdf"), "--account: "),
    (("--paper", "form.pdf", "--wording", "noise.txt", "--locale", "en"), "--wording: must be UTF-8"),
    (("--until", "next year"), "--until: 'next year' is no day"),
    (("--until", "2020-01-01"), "--until: 2020-01-01 is over"),
]


@pytest.mark.parametrize(("options", "said"), BAD_EVIDENCE)
def test_bad_evidence_is_named_and_nothing_is_written(acme, tmp_path, options, said):
    for name, content in [("form.exe", b"MZ"), ("empty.pdf", b""), ("form.pdf", b"%PDF"), ("noise.txt", b"\xff\xfe")]:
        file(tmp_path, name, content)
    words = [str(tmp_path / word) if "." in word else word for word in options]
    assert said in run(acme, *GRANT, *words, "--signed-by", "Dana Okafor", code=1)
    assert events(acme, "dora@example.org") == []


def test_one_act_can_be_taken_out_alone(acme, tmp_path):
    out = tmp_path / "bob.zip"
    last = events(acme, BOB)[-1]["sequence"]
    assert "5 entries" in run(acme, "evidence", "export", BOB, "--sequence", str(last), "--out", str(out))
    assert "Whole" in offline("verify", str(out))
    assert "--sequence: " in run(acme, "evidence", "export", BOB, "--sequence", "999", "--out", str(out), code=1)


def test_a_ledger_is_held_against_a_bundle(acme, tmp_path):
    """The entries of a bundle are signed heads: a ledger that does not pass through them is another one."""
    bundle, ledger, other = tmp_path / "bob.zip", tmp_path / "ledger", tmp_path / "other"
    run(acme, "evidence", "export", BOB, "--out", str(bundle))
    run(acme, "ledger", "export", "--out", str(ledger))
    assert "reaches the checkpoint at entry 9" in offline("verify", str(ledger), "--checkpoint", str(bundle))
    other.write_text("".join(ledger.read_text().splitlines(keepends=True)[:-1]))
    assert "NOT whole" in offline("verify", str(other), "--checkpoint", str(bundle), code=1)
    assert "--checkpoint: is for a ledger" in offline("verify", str(bundle), "--checkpoint", str(bundle), code=1)
    bundle.write_bytes(bundle.read_bytes().replace(b"README.txt", b"README.TXT"))
    assert "checkpoint: " in offline("verify", str(ledger), "--checkpoint", str(bundle), code=1)


def test_the_proof_after_an_erasure_is_a_bundle_too(acme, tmp_path):
    out, key = tmp_path / "bob.zip", str(acme.config.home / "keys" / "escrow-private.key")
    run(acme, "subject", "erase", BOB)
    run(acme, "proof", "open", BOB, "--escrow-key", key, "--out", str(out))
    assert "Whole" in offline("verify", str(out))
    import zipfile

    with zipfile.ZipFile(out) as packed:
        history = packed.read("history.txt").decode()
    assert "withdrawn: click_performance" in history
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
