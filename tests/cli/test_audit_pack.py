"""The letter from the authority: one file about a person or a period, checked on a machine that knows nothing."""

import json
import zipfile

import pytest
from click.testing import CliRunner

from consent_track.cli import main
from tests import world
from tests.world import ALICE, BOB


@pytest.fixture
def acme(tmp_path):
    runtime = world.populated(tmp_path / "home")
    for who in (ALICE, BOB):
        world.prepare(runtime, world.mail_to(who), who)
    yield runtime
    runtime.database.close()


@pytest.fixture
def run(acme):
    def invoke(*words, code=0, home=True):
        place = ["--home", str(acme.config.home)] if home else []
        told = CliRunner().invoke(main, [*place, *map(str, words), "--json"])
        assert told.exit_code == code, told.output
        return json.loads((told.stdout.strip() or told.stderr.strip()).splitlines()[-1])

    return invoke


def key(run):
    return run("ledger", "public-key")["public_key"]


def read(path, name):
    return zipfile.ZipFile(path).read(name).decode()


def register(path):
    return [json.loads(line) for line in read(path, "register.jsonl").splitlines()]


@pytest.mark.law("RE-07")
def test_about_a_person_everything_is_in_it_and_it_verifies_without_the_database(run, tmp_path, monkeypatch):
    out = tmp_path / "alice.zip"
    run("request", "open", "complaint", ALICE, "--received", "2026-11-10", "--text", "Why?")
    run("audit-pack", "person", ALICE, "--out", out)
    public = key(run)
    monkeypatch.setenv("CONSENT_TRACK_HOME", str(tmp_path / "nothing"))
    found = run("verify", out, "--public-key", public, home=False)
    assert (found["whole"], found["what"]) == (True, "audit pack")
    [mail] = register(out)
    assert (mail["purposes"], mail["outcome"]) == (["click_performance", "open_performance"], "prepared")
    assert [one["asked"] for one in json.loads(read(out, "requests.json"))] == ["complaint"]
    record = json.loads(read(out, "record-of-processing.json"))
    assert {"a_controller", "b_purposes", "c_data", "d_recipients", "e_transfers", "f_periods", "g_security"} <= set(
        record
    )
    assert {"tracking", "consenting", "answering", "requesting"} <= {one["activity"] for one in record["b_activities"]}
    index = read(out, "README.txt")
    assert all(name in index for name in zipfile.ZipFile(out).namelist() if name not in ("README.txt",))


def test_one_changed_octet_shows(run, tmp_path):
    out, other = tmp_path / "alice.zip", tmp_path / "changed.zip"
    run("audit-pack", "person", ALICE, "--out", out)
    with zipfile.ZipFile(out) as whole, zipfile.ZipFile(other, "w") as changed:
        for name in whole.namelist():
            octets = whole.read(name)
            changed.writestr(
                name, octets.replace(b'"measured', b'"measuxed') if name != "register.jsonl" else octets + b" "
            )
    found = run("verify", other, "--public-key", key(run), code=1)
    assert "register.jsonl was changed" in found["faults"]


def test_about_a_period_nobody_is_named(run, tmp_path):
    out = tmp_path / "november.zip"
    run("audit-pack", "period", "--since", "2026-11-18", "--until", "2026-11-18", "--out", out)
    assert len(register(out)) == 2
    assert json.loads(read(out, "totals.json"))["measured"] == 1
    for name in zipfile.ZipFile(out).namelist():
        assert "alice" not in read(out, name).lower()
    assert all("subject" not in mail for mail in register(out))
    empty = tmp_path / "other.zip"
    run("audit-pack", "period", "--since", "2026-11-18", "--until", "2026-11-18", "--campaign", "none", "--out", empty)
    assert register(empty) == []


def test_after_an_erasure_the_offline_key_opens_the_proof(run, acme, tmp_path):
    run("subject", "erase", ALICE)
    escrow = acme.config.keys_dir / "escrow-private.key"
    out = tmp_path / "erased.zip"
    run("audit-pack", "person", ALICE, "--escrow-key", escrow, "--out", out)
    names = zipfile.ZipFile(out).namelist()
    assert "evidence.zip" in names
    [certificate] = json.loads(read(out, "certificates.json"))
    assert certificate["final"] is False


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("person", "nobody@example.org"), "address"),
        (("period", "--since", "May", "--until", "2026-11-18"), "--since"),
        (("period", "--since", "2026-11-19", "--until", "2026-11-18"), "until"),
    ],
)
def test_bad_input_names_its_field(run, tmp_path, words, where):
    assert run("audit-pack", *words, "--out", tmp_path / "x.zip", code=1)["refused"][0]["where"] == where
    assert not (tmp_path / "x.zip").exists()
