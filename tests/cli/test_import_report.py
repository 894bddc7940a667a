"""A report goes on where its run goes on: cut back to what the run is certain of, never to a place it was not."""

import json

import pytest

from consent_track.cli.import_report import ReportFile
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Judgement, Outcome, Why
from consent_track.records.import_runs import Position

UNKNOWN = Judgement(Outcome.UNKNOWN, Why.NO_TIME)


def written(path, lines, before=None):
    report = ReportFile(path)
    with report.continued(before):
        return report.write([(line, UNKNOWN) for line in lines])


@pytest.mark.parametrize("name", ["report.csv", "report.jsonl"])
def test_what_was_written_for_a_batch_that_was_lost_is_cut_off(tmp_path, name):
    whole, broken = tmp_path / f"whole-{name}", tmp_path / name
    written(whole, range(2, 8))
    kept = written(broken, range(2, 5))
    with broken.open("ab") as file:
        file.write(b"5,unkno")
    length = written(broken, range(5, 8), Position(records=3, report_bytes=kept))
    assert broken.read_bytes() == whole.read_bytes()
    assert length == whole.stat().st_size


def test_a_new_run_begins_a_new_report(tmp_path):
    path = tmp_path / "report"
    path.write_text("an old report, longer than the new one will be" * 9)
    written(path, [2])
    assert json.loads(path.read_text()) == {"line": 2, "outcome": "unknown", "reason": "no_time"}


def test_a_report_that_is_not_there_any_more_is_not_made_up(tmp_path):
    before = Position(records=3, report_bytes=100)
    for path, what in ((tmp_path / "another", "does not hold what the earlier run wrote"), (None, "was begun")):
        with pytest.raises(InputRefused, match=f"--report: {what}"):
            written(path, [5], before)


def test_no_report_writes_nothing():
    assert written(None, [2]) == 0
