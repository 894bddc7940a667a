"""The commands of daily work, as an operator types them: consent, instrument, worker, purge, erase."""

import json

import pytest
from click.testing import CliRunner

from consent_track.cli import main
from tests.world import mail_to

ALICE = "alice@example.org"


@pytest.fixture
def home(tmp_path):
    run = Runner(tmp_path / "home")
    run(
        "init", "--controller-name", "Acme", "--contact", "privacy@acme.example",
        "--privacy-policy", "https://acme.example/privacy", "--public-url", "http://localhost:8080",
    )  # fmt: skip
    return run


class Runner:
    """`consent-track --home HOME ...`; the answer of `--json`, or of the exit code."""

    def __init__(self, folder):
        self.folder = folder
        self.last = None

    def __call__(self, *words, stdin=None, code=0):
        self.last = CliRunner().invoke(main, ["--home", str(self.folder), *words, "--json"], input=stdin)
        assert self.last.exit_code == code, self.last.output
        text = self.last.stdout.strip().splitlines()
        return json.loads(text[-1]) if text and text[-1].startswith("{") else None

    def refused(self, *words, stdin=None):
        self(*words, stdin=stdin, code=1)
        return json.loads(self.last.stderr)["refused"]


def grant(home):
    return home(
        "consent", "grant", ALICE, "--purpose", "open_performance", "--purpose", "click_performance",
        "--jurisdiction", "FR", "--locale", "en",
    )  # fmt: skip


def test_a_choice_is_recorded_shown_and_withdrawn(home):
    assert home("consent", "show", ALICE) == {"known": False}
    assert grant(home)["granted"] == ["open_performance", "click_performance"]
    shown = home("consent", "show", ALICE)
    assert shown["on"] == ["open_performance", "click_performance"]
    assert shown["choices"]["open_performance"]["grade"] == "operator"
    off = home("consent", "withdraw", ALICE, "--jurisdiction", "FR")
    assert set(off["turned_off"]) >= {"open_performance", "click_performance"}
    assert off["erase_on"]
    assert home("consent", "show", ALICE)["on"] == []


def test_a_refusal_and_an_objection_are_taken_from_anybody(home):
    assert home("consent", "refuse", "bob@example.org")["turned_off"]
    home("consent", "object", "dora@example.org")
    assert home("consent", "show", "dora@example.org")["objected_at"]


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("consent", "grant", ALICE), "--purpose"),
        (("consent", "grant", ALICE, "--purpose", "opens"), "--purpose"),
        (("consent", "grant", ALICE, "--purpose", "geo"), "purpose"),
        (("consent", "grant", "nobody", "--purpose", "open_performance"), "address"),
        (("consent", "grant", ALICE, "--purpose", "open_performance", "--jurisdiction", "France"), "--jurisdiction"),
        (("consent", "grant", ALICE, "--purpose", "open_performance", "--locale", "fi"), "--locale"),
        (("consent", "show", ALICE, "--controller", "7"), "controller"),
        (("worker", "--once", "nonsense"), "--once"),
    ],
)
def test_bad_input_names_the_field(home, words, where):
    assert home.refused(*words)[0]["where"] == where


def test_a_mail_goes_in_and_a_lawful_one_comes_out(home, tmp_path):
    grant(home)
    source, target = tmp_path / "in.eml", tmp_path / "out.eml"
    source.write_bytes(mail_to(ALICE))
    home("instrument", str(source), "--mail-type", "requested_newsletter", "--jurisdiction", "FR", "-o", str(target))
    report = json.loads(home.last.stderr)
    assert (report["opens_measured"], report["links_measured"]) == (True, 1)
    assert b"http://localhost:8080/o/" in target.read_bytes()
    assert home("policy", "explain", "--address", ALICE, "--message", str(report["message"])) is not None


def test_a_mail_without_a_link_says_that_nothing_in_it_could_be_measured(home):
    grant(home)
    said = ("--mail-type", "requested_newsletter", "--jurisdiction", "FR")
    mail = mail_to(ALICE, html="<p>Nothing to click.</p>")
    told = CliRunner().invoke(main, ["--home", str(home.folder), "instrument", *said], input=mail).stderr
    assert "opens: measured. The person gave consent" in told
    assert "clicks: not measured. It may be, but nothing in this mail can be." in told


def test_the_mail_stands_alone_on_standard_output(home):
    home("instrument", stdin=mail_to("charlie@example.org"))
    assert home.last.stdout.startswith("From: Acme")
    assert json.loads(home.last.stderr)["opens"] == "subject_unknown"


def test_a_refused_mail_writes_nothing(home, tmp_path):
    page = '<a href="https://u1.ct.sendgrid.net/ls/click?upn=abc">read</a>'
    target = tmp_path / "out.eml"
    home("instrument", "-o", str(target), stdin=mail_to("charlie@example.org", html=page), code=1)
    assert not target.exists()
    assert json.loads(home.last.stderr)["reason"] == "foreign_tracker"


def test_a_mail_to_several_needs_a_named_recipient(home):
    raw = mail_to(f"{ALICE}>, <bob@example.org")
    assert home.refused("instrument", stdin=raw)[0]["where"] == "--recipient"


@pytest.mark.parametrize(
    "job", ["drain", "day-keys", "partitions", "finish-erasures", "erase-withdrawn", "clocks", "purge"]
)
def test_every_job_runs_once(home, job):
    assert home("worker", "--once", job)["job"] == job


def test_a_dry_purge_names_each_class_and_its_reason(home):
    classes = home("purge", "--dry-run")["classes"]
    assert {one["table"] for one in classes} >= {"hit", "mailing", "purge_run"}
    assert all(one["why"] and one["keep_days"] > 0 for one in classes)


def test_erasing_says_what_went_and_what_stays_and_why(home):
    grant(home)
    erased = home("subject", "erase", ALICE)
    assert erased["deleted"]["consent_state"] == 1
    assert "Art." in erased["kept"]["consent_event"]
    assert home("consent", "show", ALICE) == {"known": False}
    assert home.refused("consent", "grant", ALICE, "--purpose", "open_performance")[0]["where"] == "address"


def test_a_broken_installation_says_everything_at_once(home):
    (home.folder / "keys" / "static" / "session.key").chmod(0o644)
    (home.folder / "keys" / "static" / "ledger.key").unlink()
    found = json.dumps(home.refused("consent", "show", ALICE))
    assert "session.key" in found
    assert "ledger" in found
