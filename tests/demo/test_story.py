"""The demo keeps its story: over real HTTP, with real mails, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from consent_track.cli import main
from consent_track.demo import mails
from consent_track.demo.show import staged
from consent_track.demo.story import Told, tell


def test_once_tells_the_whole_story_as_one_json_object(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = CliRunner().invoke(main, ["demo", "--once", "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["mails"] == 4
    assert (told["opens_recorded"], told["clicks_recorded"]) == (1, 4)
    assert set(told["declined"]) == {"withdrawn"}
    assert (told["after_withdrawal"], told["links_working"]) == (0, True)
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_the_story_is_the_same_on_each_database(database_urls):
    with staged(databases=database_urls) as stage:
        told = tell(stage)
    assert told.held
    assert (told.mails, told.opens_recorded, told.clicks_recorded, told.declined) == (4, 1, 4, {"withdrawn": 10})


@pytest.mark.parametrize(
    "changed",
    [{"after_withdrawal": 1}, {"links_working": False}, {"opens_recorded": 0}, {"trackers_where_none_may_be": 1}],
)
def test_a_story_that_did_not_hold_says_so(changed):
    good = {"mails": 4, "opens_recorded": 1, "clicks_recorded": 4, "declined": {"withdrawn": 10}}
    assert Told(**good).held
    assert not Told(**{**good, **changed}).held


def test_the_page_shows_every_mail_and_the_list_follows(tmp_path):
    with staged() as stage:
        page = urllib.request.urlopen(stage.site + "/").read().decode()
        assert page.count("<article") == 3
        assert page.count('class="open"') == 4
        assert json.load(urllib.request.urlopen(stage.site + "/demo/events")) == []
        tell(stage)
        events = json.load(urllib.request.urlopen(stage.site + "/demo/events"))
        assert {(event["who"], event["recorded"]) for event in events} >= {("Alice", True), ("Bob", False)}
        for letter in stage.letters:
            shown = urllib.request.urlopen(f"{stage.site}/demo/mail/{letter.key}").read().decode()
            assert "{{" not in shown, letter.key


def test_ctrl_c_stops_it(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "consent_track", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert "http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert list(Path(tmp_path).iterdir()) == []


def test_a_template_that_needs_a_value_nobody_gave_is_an_error():
    assert mails.merge("{{#each xs}}<{{a}}>{{/each}}", {"xs": [{"a": "&"}]}, escape=True) == "<&amp;>"
    with pytest.raises(KeyError):
        mails.merge("{{missing}}", {}, escape=False)
