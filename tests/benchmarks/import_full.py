"""Moving in a large mixed list: time, memory, no grant without evidence, no refusal lost, killed and run again alike.

python tests/benchmarks/import_full.py [--lines 200000]
"""

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT)]

from figures import must, show, stopwatch  # noqa: E402

from consent_track.bootstrap import Runtime  # noqa: E402
from consent_track.crypto.evidence import LedgerEntry, first_break  # noqa: E402
from consent_track.records import ledger  # noqa: E402
from tests import lists, world  # noqa: E402

SEED: Final = 20_261_123
COMMAND: Final = "python tests/benchmarks/import_full.py"
HALF: Final = """
import sqlite3, sys
with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as db:
    print(*(db.execute("SELECT phase, records FROM import_run").fetchone() or ("", 0)))
"""


def command(home: Path, file: Path) -> list[str]:
    maps = [word for one in lists.COLUMNS for word in ("--map", one)]
    words = ["import", str(file), *maps, "--evidence", str(file.parent / "evidence.toml"), "--jurisdiction", "FR"]
    words += ["--report", str(home / "report.jsonl"), "--json"]
    return [sys.executable, "-m", "consent_track", "--home", str(home), *words]


def run(home: Path, file: Path) -> dict[str, Any]:
    """Move a list in with the command as an operator would; its answer."""
    done = subprocess.run(command(home, file), cwd=ROOT, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def run_and_kill(home: Path, file: Path, lines: int) -> str:
    """Begin to move a list in and kill the process half way through its lines; where it stood then."""
    process = subprocess.Popen(command(home, file), cwd=ROOT, stdout=subprocess.DEVNULL)
    place = "", "0"
    while process.poll() is None:
        told = subprocess.run(
            [sys.executable, "-c", HALF, str(home / "consent_track.db")], capture_output=True, text=True
        )
        place = tuple(told.stdout.split()) or place
        if place[0] == "lines" and int(place[-1]) >= lines // 2:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    process.wait()
    return " ".join(place)


def chain_breaks(runtime: Runtime) -> int:
    """1 if the ledger does not verify from end to end, else 0."""

    def entries() -> Any:
        after = 0
        while True:
            with runtime.reading() as p:
                some = ledger.entries(p.session, 1, after, 5_000)
            if not some:
                return
            for e in some:
                entry = LedgerEntry(e.controller, e.sequence, e.subject, e.recorded_at, e.sealed, e.proof, e.proof_tag)
                yield entry, e.hash, e.signature
            after = some[-1].sequence

    return int(first_break(entries(), runtime.keys.ledger_public) is not None)


def peak() -> float:
    """The most memory any process that was waited for has held, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1_024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=200_000)
    lines = parser.parse_args().lines
    folder = Path(tempfile.mkdtemp(prefix="consent-track-import-"))
    try:
        figures = measure(folder, lines)
    finally:
        shutil.rmtree(folder)
    for name in ("import_grants_without_evidence", "import_negatives_lost", "import_killed_and_resumed_differences"):
        must(figures, name, 0)
    must(figures, "import_proved_grants_missing", 0)
    must(figures, "import_chain_breaks", 0)
    must(figures, "import_run_again_changes", 0)
    must(figures, "import_peak_memory_growth", 1.25)


def measure(folder: Path, lines: int) -> list[dict[str, Any]]:
    small, large = folder / "small.csv", folder / "large.csv"
    lists.evidence_file(folder)
    lists.mixed_list(small, max(lines // 10, 100), SEED)
    truth = lists.mixed_list(large, lines, SEED)
    homes = {name: world.installation(folder / name, clock=time.time) for name in ("little", "whole", "killed")}
    run(folder / "little", small)
    little = peak()
    with stopwatch() as taken:
        answer = run(folder / "whole", large)
    most = peak()
    again = run(folder / "whole", large)
    stood = run_and_kill(folder / "killed", large, lines)
    resumed = run(folder / "killed", large)

    found = {name: lists.standings(homes[name], truth.people) for name in ("whole", "killed")}
    differences = sum(found["whole"].get(one) != found["killed"].get(one) for one in truth.people) + sum(
        answer[key] != resumed[key] for key in ("outcomes", "reasons", "ledger_entries")
    )
    reports = [(folder / name / "report.jsonl").read_bytes() for name in ("whole", "killed")]
    differences += reports[0] != reports[1]
    counted = {
        "import_grants_without_evidence": lists.grants_without_evidence(truth, found["whole"]),
        "import_proved_grants_missing": lists.grants_missing(truth, found["whole"]),
        "import_negatives_lost": lists.negatives_lost(truth, found["whole"]),
        "import_killed_and_resumed_differences": differences + (not resumed["resumed"]),
        "import_run_again_changes": int(not again["already_done"] or again["outcomes"] != answer["outcomes"]),
        "import_chain_breaks": chain_breaks(homes["whole"]) + chain_breaks(homes["killed"]),
    }
    about = {"n": lines, "seed": SEED, "command": COMMAND}
    figures = [show("import_seconds", taken[0], "s", seconds=taken[0], **about)]
    figures += [show("import_rate", lines / taken[0], "lines/s", **about)]
    figures += [show("import_ledger_entries", answer["ledger_entries"], "entries", **about)]
    figures += [show("import_peak_memory", most, "MB", yardstick=f"{little:.0f} MB at a tenth", **about)]
    figures += [show("import_peak_memory_growth", most / little, "times", yardstick="a list a tenth as long", **about)]
    figures += [show(name, value, "cases", yardstick=f"killed at {stood}", **about) for name, value in counted.items()]
    return figures


if __name__ == "__main__":
    main()
