"""The moving in of a list is killed again and again: run once more, it comes to what it would have come to."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from consent_track.crypto.evidence import LedgerEntry, first_break
from consent_track.records import ledger
from tests import lists, world

LINES = 1_500
ROOT = Path(__file__).parent.parent.parent


def command(home, file):
    maps = [word for one in lists.COLUMNS for word in ("--map", one)]
    words = ["import", str(file), *maps, "--evidence", str(file.parent / "evidence.toml"), "--jurisdiction", "FR"]
    words += ["--report", str(home / "report.csv"), "--json"]
    return [sys.executable, "-m", "consent_track", "--home", str(home), *words]


def finish(home, file):
    done = subprocess.run(command(home, file), cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def length(runtime):
    with runtime.reading() as p:
        return ledger.head(p.session, 1)[0]


def kill_when_it_has_written(home, file, runtime, entries):
    """Kill an import once the ledger has grown by so many entries, in whatever it is doing then."""
    begun = length(runtime)
    process = subprocess.Popen(command(home, file), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and length(runtime) < begun + entries:
        time.sleep(0.001)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def test_an_import_killed_at_any_moment_comes_to_the_same(tmp_path):
    dice = random.Random(2026)
    file = tmp_path / "list.csv"
    lists.evidence_file(tmp_path)
    truth = lists.mixed_list(file, LINES, 5)
    whole, killed = (world.installation(tmp_path / name, clock=time.time) for name in ("whole", "killed"))
    answer = finish(tmp_path / "whole", file)

    kills = sum(
        kill_when_it_has_written(tmp_path / "killed", file, killed, dice.randrange(1, LINES // 4)) for _ in range(4)
    )
    resumed = finish(tmp_path / "killed", file)
    assert kills > 1
    assert resumed["resumed"]
    assert resumed | {"resumed": False} == answer
    assert (tmp_path / "killed/report.csv").read_bytes() == (tmp_path / "whole/report.csv").read_bytes()
    found = lists.standings(killed, truth.people)
    assert found == lists.standings(whole, truth.people)
    assert lists.negatives_lost(truth, found) == lists.grants_without_evidence(truth, found) == 0
    assert length(killed) == length(whole) == answer["ledger_entries"]
    with killed.reading() as p:
        entries = ledger.entries(p.session, 1, 0, 10_000)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    chain = [
        (LedgerEntry(1, e.sequence, e.subject, e.recorded_at, e.sealed, e.proof, e.proof_tag), e.hash, e.signature)
        for e in entries
    ]
    assert first_break(chain, killed.keys.ledger_public) is None
    for runtime in (whole, killed):
        runtime.database.close()
