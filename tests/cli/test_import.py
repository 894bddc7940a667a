"""`consent-track import`, as an operator types it: a dry run, the run, its report, and every way to be refused."""

import csv
import json
import stat

import pytest
from click.testing import CliRunner

from consent_track.cli import main
from tests import lists
from tests.world import ALICE, BOB, CHARLIE

STORY = f"""\
email,status,optin_time,opens
{ALICE},subscribed,2024-03-15 14:25:32,yes
{BOB},unsubscribed,,
{CHARLIE},subscribed,,
"""
BECAME = [("2", "given", "evidence"), ("3", "no_kept", "unsubscribed"), ("4", "unknown", "no_time")]
READ = ("--map", "asked_at=optin_time", "--map", "open_performance=opens", "--locale", "en", "--jurisdiction", "FR")


class Runner:
    """`consent-track --home HOME ...`; what stands on standard output, and its exit code."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *words, code=0):
        answer = CliRunner().invoke(main, ["--home", str(self.folder / "home"), *map(str, words)])
        assert answer.exit_code == code, answer.output
        return answer

    def json(self, *words):
        return json.loads(self(*words, "--json").stdout)

    def refused(self, *words):
        return json.loads(self(*words, "--json", code=1).stderr)["refused"]


@pytest.fixture
def run(tmp_path):
    run = Runner(tmp_path)
    run(
        "init", "--controller-name", "Acme", "--contact", "privacy@acme.example",
        "--privacy-policy", "https://acme.example/privacy", "--public-url", "http://localhost:8080",
    )  # fmt: skip
    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(STORY)
    return path


@pytest.fixture
def evidence(tmp_path):
    return lists.evidence_file(tmp_path)


def table(path):
    with path.open(newline="") as text:
        return [tuple(row) for row in csv.reader(text)]


def test_a_dry_run_then_the_run_then_nothing(run, file, evidence, tmp_path):
    words = ("import", file, *READ, "--evidence", evidence)
    dry = run.json(*words, "--dry-run", "--report", tmp_path / "dry.csv")
    assert run.json("consent", "show", BOB) == {"known": False}
    done = run.json(*words, "--report", tmp_path / "done.csv")
    assert dry | {"dry_run": False} == done
    assert {name: count for name, count in done["outcomes"].items() if count} == {
        "given": 1, "no_kept": 1, "unknown": 1
    }  # fmt: skip
    assert table(tmp_path / "dry.csv") == table(tmp_path / "done.csv") == [("line", "outcome", "reason"), *BECAME]

    again = run.json(*words, "--report", tmp_path / "done.csv")
    assert again == done | {"already_done": True}
    assert len(table(tmp_path / "done.csv")) == 4
    assert run.json("consent", "show", ALICE)["choices"]["open_performance"]["grade"] == "imported"
    assert run.json("consent", "show", BOB)["mail_ended_at"]
    assert run.json("consent", "show", CHARLIE) | {"sequence": 0} == {
        "known": True, "on": [], "choices": {}, "objected_at": None, "mail_ended_at": None, "signal_on": None,
        "sequence": 0,
    }  # fmt: skip


def test_a_report_names_lines_and_nobody(run, file, evidence, tmp_path):
    for name in ("report.csv", "report.jsonl"):
        path = tmp_path / name
        answer = run("import", file, *READ, "--evidence", evidence, "--dry-run", "--report", path)
        assert "@" not in path.read_text() + answer.output
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [(str(one["line"]), one["outcome"], one["reason"]) for one in lines] == BECAME


def test_in_words(run, file, evidence):
    words = run("import", file, *READ, "--evidence", evidence, "--dry-run").stdout
    assert words.startswith("Dry run: nothing was written. It would come to:\n        1  given ")
    assert "The person unsubscribed there." in words
    assert "        3  lines\n" in words
    assert "The policy FR asks for better evidence than `imported`" in words
    run("import", file, *READ, "--evidence", evidence)
    assert run("import", file, *READ, "--evidence", evidence).stdout.startswith("This file was moved in before")


def test_a_preset_knows_its_columns(run, tmp_path):
    path = tmp_path / "unsubscribed.csv"
    path.write_text(
        f'"Email Address",OPTIN_TIME,UNSUB_TIME,UNSUB_REASON\n{BOB},2024-01-01,2025-06-07 08:09:10,NORMAL\n'
    )
    assert run.json("import", path, "--preset", "mailchimp")["outcomes"]["no_kept"] == 1


def test_another_way_of_reading_a_file_is_another_run(run, file, evidence):
    names = {
        run.json("import", file, *READ, "--dry-run")["run"],
        run.json("import", file, *READ, "--dry-run", "--evidence", evidence)["run"],
        run.json("import", file, *READ, "--dry-run", "--source", "the shop")["run"],
        run.json("import", file, "--dry-run")["run"],
    }
    file.write_text(STORY + "emil@example.org,subscribed,,\n")
    names.add(run.json("import", file, *READ, "--dry-run")["run"])
    assert len(names) == 5


REFUSED = [
    (("--preset", "mailworm"), "--preset"),
    (("--map", "opens"), "--map"),
    (("--map", "opens=opens"), "--map"),
    (("--map", "open_performance=open"), "--map"),
    (("--status", "gold"), "--status"),
    (("--collected-on", "since"), "--map"),
    (("--notice-on", "soon"), "--notice-on"),
    (("--notice-on", "2999-01-01"), "--notice-on"),
    (("--jurisdiction", "France"), "--jurisdiction"),
    (("--encoding", "klingon"), "--encoding"),
    (("--time-zone", "Paris"), "--time-zone"),
    (("--controller", "7"), "controller"),
    (("--evidence", "nowhere.toml"), "--evidence"),
    (("--report", "nowhere/report.csv"), "--report"),
]


@pytest.mark.parametrize(("words", "where"), REFUSED)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_what_cannot_be_meant_is_refused_by_name_and_writes_nothing(run, file, words, where, dry):
    assert run.refused("import", file, *words, *dry)[0]["where"] == where
    assert run.json("consent", "show", BOB) == {"known": False}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (STORY.encode() + b"zo\xeb@example.org,subscribed,,\n", "line 5 is not utf-8"),
        (STORY.encode() + b'"emil@example.org\n', "line 5: a quote is not closed before the end of the file"),
        (STORY.encode() + b"emil@example.org,subscribed\n", "line 5 has 2 cells, and there are 4 columns"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_to_its_end_writes_nothing(run, file, content, what):
    file.write_bytes(content)
    assert run.refused("import", file, *READ) == [{"where": "file", "what": what}]
    assert run.json("consent", "show", BOB) == {"known": False}


def test_two_evidence_files_need_two_names(run, file, evidence, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(evidence.read_text())
    found = run.refused("import", file, *READ, "--evidence", evidence, "--evidence", other)
    assert found == [{"where": "--evidence", "what": "two forms are called 'spring'"}]
    other.write_text(evidence.read_text().replace('"spring"', '"popup"').replace("2024-", "2023-"))
    done = run.json("import", file, *READ, "--evidence", evidence, "--evidence", other)
    assert (len(done["evidence"]), done["outcomes"]["given"]) == (2, 1)
