"""`request`, `hold`, `keys`, `recipients` and `subject`: what a compliance team types, and what it reads."""

import json

import pytest
from click.testing import CliRunner

from consent_track import worker
from consent_track.bootstrap import bootstrap
from consent_track.cli import main
from consent_track.config import load_config
from tests import world
from tests.world import ALICE, BOB

RECEIVED = "2026-11-10"
ONE = ("--jurisdiction", "FR")


@pytest.fixture
def home(tmp_path):
    """The command line on an installation that Alice and Bob know; its clock is the real one."""
    runtime = world.populated(tmp_path / "home", extra='smtp_url = "smtp://localhost:2525"')
    runtime.database.close()

    def run(*words, code=0):
        told = CliRunner().invoke(main, ["--home", str(tmp_path / "home"), *map(str, words), "--json"])
        assert told.exit_code == code, told.output
        text = told.stdout.strip().splitlines() or told.stderr.strip().splitlines()
        return json.loads(text[-1])

    run.folder = tmp_path / "home"
    return run


def words(home, *args):
    return CliRunner().invoke(main, ["--home", str(home.folder), *map(str, args)]).stdout


@pytest.mark.law("VF-10", "DD-12")
def test_a_letter_is_noted_with_the_day_it_came_and_is_listed_until_it_is_answered(home):
    opened = home("request", "open", "access", ALICE, "--received", RECEIVED, "--channel", "letter", *ONE)
    assert (opened["stage"], opened["received_at"][:10]) == ("verifying", RECEIVED)
    assert opened["acknowledged_at"]
    [listed] = home("request", "list", code=1 if opened["due_in_days"] < 0 else 0)["requests"]
    assert listed["number"] == opened["number"]
    home("request", "verify", opened["number"], "--proof", "known_in_person")
    assert home("request", "fulfil", opened["number"])["stage"] == "fulfilled"
    assert home("request", "fulfil", opened["number"])["stage"] == "fulfilled"
    assert home("request", "list")["requests"] == []
    shown = home("request", "show", opened["number"])
    assert [one["step"] for one in shown["steps"]][-2:] == ["fulfilled", "answer_sent"]
    assert shown["addresses"][0]["address"] == ALICE


def test_an_overdue_request_is_an_exit_code(home):
    home("request", "open", "rectification", ALICE, "--received", "2025-01-10", *ONE, "--proof", "known_in_person")
    told = home("request", "list", code=1)
    assert told["overdue"] == 1
    assert "OVERDUE" in words(home, "request", "list")


@pytest.mark.law("AC-09", "AC-10")
def test_a_refusal_needs_its_reason_and_the_letter_names_the_remedies(home, tmp_path):
    number = home("request", "open", "erasure", ALICE, "--received", RECEIVED, *ONE, "--proof", "known_in_person")[
        "number"
    ]
    refused = home("request", "refuse", number, "--ground", "excessive", "--reason", "Daily.", code=1)["refused"]
    assert refused[0]["where"] == "evidence"
    home("request", "refuse", number, "--ground", "legal_claims", "--reason", "A court case, 12 O 34/26.")
    home("request", "letter", number, "--out", tmp_path / "letter.html")
    page = (tmp_path / "letter.html").read_text()
    assert "A court case, 12 O 34/26. (GDPR Art. 17(3)(e))" in page
    assert "you can complain to your data protection authority, or go to court" in page
    assert (tmp_path / "letter.html").stat().st_mode & 0o077 == 0


def test_a_complaint_is_answered_in_words(home):
    number = home("request", "open", "complaint", BOB, "--received", RECEIVED, *ONE, "--text", "Why?")["number"]
    home("request", "fulfil", number, code=1)
    assert home("request", "answer", number, "--text", "Because of a mistake of ours.")["stage"] == "fulfilled"


@pytest.mark.parametrize(
    ("args", "where"),
    [
        (("open", "access", ALICE, "--received", "yesterday"), "--received"),
        (("open", "access", ALICE, "--received", "2999-01-01"), "received"),
        (("open", "access", "nobody", "--received", RECEIVED), "address"),
        (("open", "access", ALICE, "--received", RECEIVED, "--jurisdiction", "France"), "--jurisdiction"),
        (("open", "appeal", ALICE, "--received", RECEIVED, "--follows", "nonsense"), "number"),
        (("show", "0000-0000"), "number"),
        (("show", "nonsense"), "number"),
        (("extend", "0000-0000", "--reason", "x"), "number"),
    ],
)
def test_bad_input_names_its_field(home, args, where):
    assert home("request", *args, code=1)["refused"][0]["where"] == where


def test_a_hold_stands_is_listed_and_lifted(home):
    number = home("hold", "add", ALICE, "--reason", "12 O 34/26")["number"]
    assert [one["kind"] for one in home("hold", "list")["holds"]] == ["legal"]
    home("hold", "lift", number)
    assert home("hold", "list")["holds"] == []
    assert home("hold", "add", "nobody@example.org", "--reason", "x", code=1)["refused"][0]["where"] == "address"


def test_the_epoch_is_rotated_by_command_and_the_worker_does_the_rest(home):
    assert home("keys", "show")["epochs"] == [
        {"number": 1, "seals": True, "created_at": "2026-11-18T11:06:40+00:00", "needed_by": 2}
    ]
    assert home("keys", "rotate-epoch")["epoch"] == 2
    assert home("keys", "rotate-epoch", code=1)["refused"][0]["where"] == "epoch"
    assert len(home("keys", "show")["epochs"]) == 2
    assert "secret" not in words(home, "keys", "show")


@pytest.mark.law("DL-01")
def test_an_erasure_begins_a_certificate_and_a_scan_finds_nothing_afterwards(home):
    before = home("subject", "scan", ALICE, code=1)
    assert before["found"]
    erased = home("subject", "erase", ALICE)
    assert home("subject", "certificate", erased["certificate"], code=1)["refused"][0]["where"] == "certificate"
    after = home("subject", "scan", ALICE)
    assert after["found"] == []
    runtime = bootstrap(load_config({}, home.folder))
    assert worker.run_once(runtime, "certify")["drained"] == 1
    runtime.database.close()


def test_recipients_without_any_say_so(home):
    assert home("recipients", "status") == {"recipients": []}
    assert home("recipients", "replay", "CRM", code=1)["refused"][0]["where"] == "recipient"
