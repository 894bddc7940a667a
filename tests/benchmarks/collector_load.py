"""Servers and load for the collector's figure: nginx, granian, wrk, and a client that asks for each path once."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
THREADS = 2  # of wrk; with one of them wrk, not nginx, is what is measured
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)

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
  io.write(string.format("DONE %d %d %d %d %d\\n", summary.requests, summary.duration,
    errors + summary.errors.timeout, latency:percentile(50), latency:percentile(99)))
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


@dataclass(frozen=True)
class Round:
    """What wrk says of one round: answers, answers a second, failures; median and 99th percentile in microseconds."""

    answered: int
    rate: float
    failed: int
    p50: int
    p99: int


@dataclass(frozen=True)
class Load:
    """One way to load a server, the same for all of them: how long, over how many connections, with which paths."""

    seconds: int
    connections: int
    paths: Path
    script: Path

    @property
    def line(self) -> str:
        """The command as a reader would type it."""
        return f"wrk -t{THREADS} -c{self.connections} -d{self.seconds}s -s load.lua http://127.0.0.1/ -- paths"

    def on(self, port: int) -> Round:
        self.script.write_text(SCRIPT.replace("AGENT", AGENT).replace("THREADS", str(THREADS)))
        command = [
            "wrk", f"-t{THREADS}", f"-c{self.connections}", f"-d{self.seconds}s", "-s", str(self.script),
            f"http://127.0.0.1:{port}/", "--", str(self.paths),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        line = next(line for line in done.stdout.splitlines() if line.startswith("DONE "))
        answered, duration, failed, p50, p99 = (int(word) for word in line.split()[1:])
        return Round(answered, answered / (duration / 1e6), failed, p50, p99)


def ask_each(port: int, paths: Iterable[str]) -> list[tuple[int, bytes]]:
    """Status and body for each path, asked once and awaited, over one connection."""
    connection, answers = HTTPConnection("127.0.0.1", port, timeout=30), []
    for path in paths:
        connection.request("GET", path, headers={"User-Agent": AGENT})
        answer = connection.getresponse()
        answers.append((answer.status, answer.read()))
    connection.close()
    return answers


def need_programs() -> None:
    if not (shutil.which("wrk") and shutil.which("nginx")):
        sys.exit("this figure needs wrk and nginx (Debian: apt install wrk nginx-light)")


def nginx(folder: Path) -> Any:
    """nginx with `empty_gif`, two workers and no access log: a context manager that gives the port."""
    port = _free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    command = ["nginx", "-p", str(folder), "-e", str(folder / "early.log"), "-c", str(folder / "nginx.conf")]
    return _running(command, port, folder, {})


def granian(target: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Any:
    """One process of one thread, as `serve` starts a collector: a context manager that gives the port."""
    port = _free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers",
        "1", "--blocking-threads", "1", "--backpressure", "256", "--http", "1", "--no-ws", "--no-log", *target,
    ]  # fmt: skip
    return _running(command, port, folder, environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int, folder: Path, environment: Mapping[str, str]) -> Iterator[int]:
    with (folder / "output.log").open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=HERE,
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), **environment},
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
