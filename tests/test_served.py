"""`consent-track serve` as an operator runs it: a real server, a real worker beside it, stopped by a signal."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from consent_track.activities import knowing
from consent_track.records import hits
from tests import world
from tests.world import ALICE

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def served(tmp_path):
    port = free_port()
    runtime = world.installation(tmp_path / "home", clock=time.time, url=f"http://127.0.0.1:{port}")
    world.consents(runtime, ALICE)
    command = [sys.executable, "-m", "consent_track", "--home", str(tmp_path / "home"), "serve", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "CONSENT_TRACK_NODE": "test"})
        site = f"http://127.0.0.1:{port}"
        assert until(lambda: status(f"{site}/healthz") == 200), (tmp_path / "log").read_text()
        yield site, runtime, tmp_path / "log", process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    runtime.database.close()


def status(url):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=BROWSER), timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def until(condition, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)  # another process has to act; nothing here depends on how long it takes
    return False


def stored(runtime):
    with runtime.reading() as p:
        return hits.count(p.session, 1, knowing.find(p, 1, ALICE))


@pytest.mark.law("AH-04")
def test_a_hit_comes_in_by_http_and_is_in_the_database_a_moment_later(served):
    site, runtime, log, process = served
    data = world.prepare(runtime, world.mail_to(ALICE), ALICE).result.data.decode()
    pixel = f"{site}/o/" + data.split("/o/")[1].split('"')[0]
    # The first hit may meet a view that is not loaded yet: it is answered, and declined.
    assert until(lambda: status(pixel) == 200 and stored(runtime) == 1)
    assert until(lambda: status(f"{site}/readyz") == 200)

    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    written = log.read_text()
    assert pixel.rpartition("/")[2] not in written
    assert "Mozilla" not in written


def test_a_second_worker_of_the_same_home_says_so(served):
    _, runtime, _, _ = served
    assert until(lambda: (runtime.config.home / "worker-global.lock").exists())
    command = [sys.executable, "-m", "consent_track", "--home", str(runtime.config.home), "worker"]
    again = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert again.returncode == 1
    assert "another worker" in again.stderr
