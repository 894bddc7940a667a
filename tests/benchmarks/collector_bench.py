"""Pixel hits per second with everything on, beside nginx `empty_gif` and a plain Flask view, in one run.

Everything on: token verified and opened, host checked, consent view asked, decision made, user agent judged, network
pseudonym computed, frame appended to the spool; then the spool is counted, drained into SQLite by the real drain, and
counted there: no answered hit may be missing. Every
request of a round has its own token (at least 20,000), because one token counts once in a minute and because opens are
mostly distinct. The same wrk script drives all three servers. Needs wrk and nginx.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from figures import show  # noqa: E402
from sqlalchemy import text  # noqa: E402

from consent_track import worker  # noqa: E402
from consent_track.collector.app import Collector  # noqa: E402
from consent_track.collector.consent_view import ConsentView  # noqa: E402
from consent_track.collector.runtime import CollectorRuntime  # noqa: E402
from consent_track.collector.spool import SpoolWriter, list_segments  # noqa: E402
from consent_track.crypto.keyring import Key, KeyState, Usage  # noqa: E402
from consent_track.crypto.pseudonyms import DayKeys  # noqa: E402
from consent_track.crypto.tokens import Tokens  # noqa: E402
from consent_track.domain.consent import Choice, ConsentState  # noqa: E402
from consent_track.domain.observation import TokenFacts  # noqa: E402
from consent_track.domain.vocabulary import Grade, HitKind, MailType, Purpose, Status, TokenClass, to_bits  # noqa: E402
from consent_track.policy_files import load_policies  # noqa: E402
from consent_track.records import consent  # noqa: E402
from tests import world  # noqa: E402

SEED = 20_261_123
PEOPLE = 20_000
DAY = 86_400
PER_SECOND = 80_000  # tokens made for each second of a round: more than any round can use up
THREADS = 2  # of wrk; with one of them wrk, not nginx, is what is measured
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
COUNT = text("SELECT count(*) FROM hit")
MEASURED = (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)
COMMAND = "make bench, or: python tests/benchmarks/collector_bench.py"

SCRIPT = """
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end
local requests, place = {}, 0
function init(arguments)
  wrk.headers["User-Agent"] = "AGENT"
  for line in io.lines(arguments[1]) do requests[#requests + 1] = wrk.format("GET", line) end
  place = math.floor(number * #requests / THREADS)
end
function request()
  place = place + 1
  if place > #requests then place = 1 end
  return requests[place]
end
function done(summary, latency, _)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
  io.write(string.format("DONE %d %d %d %d\\n", summary.requests, summary.duration, errors + summary.errors.timeout,
    latency:percentile(99)))
end
"""

NGINX = """
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  server {{ listen 127.0.0.1:{port}; location / {{ empty_gif; }} }}
}}
"""


def people(seed: int) -> list[int]:
    chance = Random(seed)
    return [chance.getrandbits(63) or 1 for _ in range(PEOPLE)]


def tokens() -> Tokens:
    return Tokens([Key(Usage.TOKEN, 1, KeyState.ACTIVE, Random(SEED).randbytes(32), 0)])


def collector() -> Collector:
    """The collector of one server process; its spool lies in BENCH_FOLDER, its people are those of the seed."""
    folder = Path(os.environ["BENCH_FOLDER"])
    given = ConsentState({p: Choice(Status.GIVEN, 1, Grade.MAILBOX_LOOP, sequence=1) for p in MEASURED})
    view = ConsentView(
        lambda: ({1: PEOPLE}, [(1, person, given) for person in people(SEED)]), lambda positions: [], time.time
    )
    view.poll_once()
    runtime = CollectorRuntime(
        tokens=tokens(),
        policies=load_policies([ROOT / "policies"]),
        day_keys=DayKeys(folder / "day-keys"),
        view=view,
        spool=SpoolWriter(folder / "spool", "bench"),
        flush_declines=lambda day, counts: None,
        clock=time.time,
        own_hosts=frozenset({"127.0.0.1"}),
    )
    return Collector(lambda environ, start: [], runtime)


def flask_view() -> Any:
    """A plain Flask view that does the same work: what the collector would be without its own WSGI callable."""
    from flask import Flask, Response, request

    from consent_track.collector.answers import PIXEL, build_answers

    app, inner, headers = Flask("bench"), collector(), build_answers(https=False).pixel

    @app.get("/o/<token>")
    def pixel(token: str) -> Response:
        inner._admit(HitKind.OPEN, TokenClass.OPEN, token, request.environ)
        return Response(PIXEL, headers=headers)

    return app


def write_paths(file: Path, count: int) -> None:
    issue, everybody, now = tokens().issue, people(SEED), int(time.time())
    bits = to_bits(set(MEASURED))
    with file.open("w") as lines:
        for message in range(1, count + 1):
            facts = TokenFacts(
                TokenClass.OPEN, 1, everybody[message % PEOPLE], message, now - DAY, bits,
                MailType.REQUESTED_NEWSLETTER, "FR", 1,
            )  # fmt: skip
            lines.write(f"/o/{issue(facts)}\n")


@dataclass(frozen=True)
class Round:
    """What wrk says of one round: answers, answers a second, failures, 99th percentile in microseconds."""

    answered: int
    rate: float
    failed: int
    p99: int


def load(port: int, paths: Path, script: Path, seconds: int, connections: int) -> Round:
    command = [
        "wrk",
        f"-t{THREADS}",
        f"-c{connections}",
        f"-d{seconds}s",
        "-s",
        str(script),
        f"http://127.0.0.1:{port}/",
        "--",
    ]
    done = subprocess.run([*command, str(paths)], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("DONE "))
    answered, duration, failed, p99 = (int(float(word)) for word in line.split()[1:])
    return Round(answered, answered / (duration / 1e6), failed, p99)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[int]:
    with (folder / "output.log").open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=HERE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BENCH_FOLDER": str(folder)},
        )  # fmt: skip
    try:
        _wait(port, process, folder)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    pause = threading.Event()
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        pause.wait(0.05)
    sys.exit(f"the server does not listen: {(folder / 'output.log').read_text()}")


def granian(factory: str, folder: Path) -> Any:
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers",
        "1", "--blocking-threads", "1", "--http", "1", "--no-ws", "--no-log", "--factory", f"collector_bench:{factory}",
    ]  # fmt: skip
    return running(command, port, folder)


def nginx(folder: Path) -> Any:
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    return running(
        ["nginx", "-p", str(folder), "-e", str(folder / "early.log"), "-c", str(folder / "nginx.conf")], port, folder
    )


def frames_in(spool: Path) -> int:
    """How many whole frames the segments hold; a torn tail would show as a missing hit."""
    return sum(len(segment.read(0, 10_000_000)) for segment in list_segments(spool))


class Database:
    """A real installation on SQLite with the same people, into which the real drain moves what a round spooled."""

    def __init__(self, home: Path) -> None:
        self.runtime = world.installation(home, clock=time.time, url="http://127.0.0.1")
        given = ConsentState({p: Choice(Status.GIVEN, 1, Grade.MAILBOX_LOOP, sequence=1) for p in MEASURED})
        with self.runtime.processing() as p:
            for person in people(SEED):
                consent.save_state(p.session, 1, person, given)
        self.seconds, self.rows = 0.0, 0

    def drain(self, spool: Path) -> int:
        """How many rows the segments of this folder became."""
        config = replace(self.runtime.config, spool_dir=spool.parent, node=spool.name)
        begun = time.perf_counter()
        worker.drain(replace(self.runtime, config=config))
        self.seconds += time.perf_counter() - begun
        with self.runtime.reading() as p:
            self.rows, before = int(p.session.connection().execute(COUNT).scalar_one()), self.rows
        return self.rows - before


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=4, help="length of a round")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--connections", type=int, default=32)
    chosen = options.parse_args()
    if not (shutil.which("wrk") and shutil.which("nginx")):
        sys.exit("this figure needs wrk and nginx (Debian: apt install wrk nginx-light)")
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="collector-bench-") as place:
        measure(Path(place), chosen.seconds, chosen.rounds, chosen.connections, begun)


def measure(place: Path, seconds: int, rounds: int, connections: int, begun: float) -> None:
    distinct = max(20_000, PER_SECOND * seconds)
    paths, script = place / "paths", place / "load.lua"
    write_paths(paths, distinct)
    script.write_text(SCRIPT.replace("AGENT", AGENT).replace("THREADS", str(THREADS)))
    found: dict[str, list[Round]] = {"nginx": [], "collector": [], "flask": []}
    missing = stored = failed = 0
    database = Database(place / "home")
    for turn in range(rounds):
        for name in found:
            folder = place / f"{name}-{turn}"
            folder.mkdir()
            server = (
                nginx(folder)
                if name == "nginx"
                else granian("collector" if name == "collector" else "flask_view", folder)
            )
            with server as port:
                result = load(port, paths, script, seconds, connections)
            found[name].append(result)
            failed += result.failed
            if name != "nginx":
                expected = min(result.answered, distinct)
                missing += max(0, expected - frames_in(folder / "spool"))
            if name == "collector":
                stored += database.drain(folder / "spool")
    report(
        found,
        missing,
        stored,
        database.seconds,
        failed,
        distinct,
        f"wrk -t{THREADS} -c{connections} -d{seconds}s",
        time.perf_counter() - begun,
    )


def report(
    found: dict[str, list[Round]],
    missing: int,
    stored: int,
    draining: float,
    failed: int,
    distinct: int,
    line: str,
    seconds: float,
) -> None:
    rate = {name: statistics.median(one.rate for one in rounds) for name, rounds in found.items()}
    hits = sum(one.answered for one in found["collector"])
    expected = sum(min(one.answered, distinct) for one in found["collector"])
    yardstick = f"nginx empty_gif, 2 workers, access log off; {line}"
    common: dict[str, Any] = {"seed": SEED, "seconds": seconds, "command": COMMAND}
    show("nginx_empty_gif", rate["nginx"], "answers/s", n=sum(one.answered for one in found["nginx"]), **common)
    show(
        "collector_pixel_hits", rate["collector"], "hits/s", yardstick=yardstick,
        ratio=rate["collector"] / rate["nginx"], n=hits, **common,
    )  # fmt: skip
    show(
        "flask_view_same_work", rate["flask"], "hits/s", yardstick=yardstick, ratio=rate["flask"] / rate["nginx"],
        n=sum(one.answered for one in found["flask"]), **common,
    )  # fmt: skip
    show("collector_p99", statistics.median(one.p99 for one in found["collector"]) / 1000, "ms", n=hits, **common)
    show("collector_distinct_tokens", distinct, "tokens a round", n=len(found["collector"]), **common)
    show("collector_hits_missing_in_spool", missing, "hits", n=hits, **common)
    lost = max(0, expected - stored)
    show("collector_hits_missing_in_database", lost, "hits", n=hits, **common)
    show("drain_to_sqlite", stored / draining, "hits/s", n=stored, **common)
    if missing or lost or failed:
        sys.exit(f"{missing} answered hits are missing in the spool, {lost} in the database, {failed} requests failed")


if __name__ == "__main__":
    main()
