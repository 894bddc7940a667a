"""`hygiene inactive`, `count` and what doctor says of the exempt modes."""

import json
import stat
from datetime import timedelta

import pytest
from click.testing import CliRunner

from consent_track.cli import main
from consent_track.domain.vocabulary import Purpose
from tests import world
from tests.activities.exempt_stage import HYGIENE, ITALIAN, TODAY, on_the_list, opens, tell
from tests.world import CHARLIE, DAY, Clock, mail_to, prepare

READERS = [f"reader{number}@example.org" for number in range(50)]


@pytest.fixture
def home(tmp_path):
    """Charlie was mailed before and after his last open; fifty Italians got a campaign."""
    tell(tmp_path / "home", Purpose.DELIVERABILITY_HYGIENE, Purpose.AGGREGATE_COUNT)
    clock = Clock()
    runtime = world.installation(tmp_path / "home", clock=clock)
    on_the_list(runtime, CHARLIE, *READERS)
    prepare(runtime, mail_to(CHARLIE), CHARLIE)
    opens(runtime, CHARLIE)
    clock.move(40 * DAY)
    prepare(runtime, mail_to(CHARLIE), CHARLIE)
    for address in READERS:
        prepare(runtime, mail_to(address), address, ITALIAN)
    yield tmp_path / "home"
    runtime.database.close()


def run(home, *words):
    return CliRunner().invoke(main, ["--home", str(home), "--json", *map(str, words)])


@pytest.mark.law("CC-17")
def test_inactive_people_go_to_a_file_of_their_own_and_nowhere_else(home, tmp_path):
    out = tmp_path / "inactive.txt"
    since = TODAY + timedelta(days=10)
    done = run(home, "hygiene", "inactive", "--since", since, "--out", out)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"inactive": 1, "since": since.isoformat()}
    assert out.read_text() == f"{CHARLIE}\n", "an address; no date, no time, no count"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = run(home, "hygiene", "inactive", "--since", since, "--out", out)
    assert again.exit_code == 1
    assert "--out" in again.stderr


REFUSED = [
    (("hygiene", "inactive", "--since", "2020-01-01"), 1, "dates are kept since 2026-11-18 only"),
    (("hygiene", "inactive", "--since", "2026-12-01", "--controller", "9"), 1, "9 is not configured"),
    (("hygiene", "inactive", "--since", "yesterday"), 2, "yesterday"),
    (("count", "dicembre"), 1, "is not counted"),
]


@pytest.mark.parametrize(("words", "code", "says"), REFUSED, ids=[says for _, _, says in REFUSED])
def test_what_is_refused_leaves_no_file(home, tmp_path, words, code, says):
    out = ("--out", tmp_path / "out.txt") if words[0] == "hygiene" else ()
    done = run(home, *words, *out)
    assert done.exit_code == code
    assert says in done.stderr
    assert not (tmp_path / "out.txt").exists()


def test_a_count_is_shown_when_it_is_large_enough(home):
    assert json.loads(run(home, "count", "novembre").stdout) == {"opens": None, "people": 50, "why": "fewer than 10"}


def test_doctor_says_what_is_on_and_after_which_notice(home):
    findings = json.loads(run(home, "doctor").stdout)["findings"]
    said = {one["what"] for one in findings if one["check"] == "exempt modes"}
    assert len(said) == 2
    assert any(what.startswith(f"{HYGIENE} is on where the law exempts it") for what in said)
    (stores,) = [one for one in findings if one["check"] == "stores"]
    assert stores["mark"] == "ok"
    (home / "exempt.db").unlink()
    (missing,) = [one["what"] for one in json.loads(run(home, "doctor").stdout)["findings"] if one["check"] == "stores"]
    assert "exempt.db is not there" in missing
