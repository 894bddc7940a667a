"""`serve` and `worker`: everything in one command, or split by role."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import click

from consent_track.config import Config
from consent_track.domain.errors import InputRefused
from consent_track.policy_files import remarks

from . import Home, pass_home

# A child that dies is started again, each time after a longer pause, up to this. Seconds.
LONGEST_PAUSE: Final = 30.0
STOP_AFTER: Final = 10.0
JOBS: Final = {"all": "all", "collector": "node", "web": "global"}


@dataclass(slots=True)
class Child:
    """One supervised process."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    not_before: float = 0.0
    paused: float = field(default=0.5)

    def tend(self, now: float) -> None:
        """Start the process if it is not running and its pause is over."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self.process = None
            self.not_before = now + self.paused
            self.paused = min(self.paused * 2, LONGEST_PAUSE)
        if now >= self.not_before:
            self.process = subprocess.Popen(self.command, env=self.environment)
            self.starts += 1

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_AFTER)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def children(config: Config, role: str, host: str, port: int, *, worker: bool = True) -> list[Child]:
    """The processes of a role: a web server, and the worker that belongs to it."""
    home = config.home
    environment = {**os.environ, "CONSENT_TRACK_HOME": str(home), "CONSENT_TRACK_ROLE": role}
    # A page that waits for a lock must not hold a pixel (measured: 9.7 s with one thread), hence several threads;
    # a collector alone is fastest with one process and one thread.
    threads = 1 if role == "collector" else config.web_threads
    server = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", "1", "--blocking-threads", str(threads), "--backpressure", "256", "--http", "1",
        "--respawn-failed-workers", "--no-access-log", "--no-ws", "--log-level", "warning", "consent_track.wsgi:app",
    ]  # fmt: skip
    found = [Child("server", server, environment)]
    if worker:
        jobs = [sys.executable, "-m", "consent_track", "--home", str(home), "worker", "--jobs", JOBS[role]]
        found.append(Child("worker", jobs, environment))
    return found


def supervise(supervised: Sequence[Child]) -> None:
    """Keep the processes running until SIGTERM, SIGINT or Ctrl-C; then stop them, the server first."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: asked.append(received))
    while not asked:
        for child in supervised:
            child.tend(time.monotonic())
        time.sleep(0.2)
    for child in supervised:
        child.stop()


@click.command()
@click.option("--role", type=click.Choice(["all", "collector", "web"]), default="all", show_default=True)
@click.option("--host", help="Address to listen on; default: the configured one.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; default: the configured one.")
@click.option("--no-worker", is_flag=True, help="Do not supervise a worker; you run `consent-track worker` yourself.")
@pass_home
def serve(home: Home, role: str, host: str | None, port: int | None, no_worker: bool) -> None:
    """Serve pixels, links and pages, with a worker beside them."""
    runtime = home.runtime()  # a broken installation is refused here, once, and not in a loop of restarts
    config = runtime.config
    said = remarks(config.policies_dirs)
    lines = [f"policy edited: {one}" for one in said.edited] + [f"policy replaced: {one}" for one in said.replaced]
    lines += [f"policy draft: {one} is in force" for one in said.drafts]
    if lines:
        home.report({"policies": lines}, "\n".join(lines))
    address, number = host or config.bind_host, port or config.bind_port
    home.emit(
        {"url": config.public_url, "host": address, "port": number, "role": role},
        f"Serving {config.public_url} on {address}:{number}",
    )
    supervise(children(config, role, address, number, worker=not no_worker))


@click.command()
@click.option(
    "--once",
    metavar="JOB",
    help="Run one job now and stop; a name nobody knows lists them.",
)
@click.option("--jobs", type=click.Choice(["all", "node", "global"]), default="all", show_default=True)
@pass_home
def worker(home: Home, once: str | None, jobs: str) -> None:
    """Run the jobs: drain, day keys, erasure after withdrawal, purge."""
    from consent_track import worker as jobbing

    if once is not None:
        if once not in {job.name for job in jobbing.JOBS}:
            raise InputRefused.one(
                "--once", f"{once!r} is no job; there are {', '.join(job.name for job in jobbing.JOBS)}"
            )
        done = jobbing.run_once(home.runtime(), once)
        home.emit({"job": once, **done}, f"{once}: " + (", ".join(f"{k} {v}" for k, v in done.items()) or "done"))
        return
    reaches = frozenset(jobbing.Reach) if jobs == "all" else frozenset({jobbing.Reach(jobs)})
    jobbing.run(home.runtime(), reaches)
