"""The drain is killed again and again while it works: every spooled hit ends up stored once, none twice, none lost."""

import os
import random
import signal
import subprocess
import sys
import time

from consent_track import worker
from consent_track.activities import knowing
from consent_track.collector.segment import list_segments
from consent_track.collector.spool import SpoolWriter
from consent_track.domain.frame import encode_hit
from consent_track.domain.observation import Observation, Verdict
from consent_track.domain.vocabulary import HitKind, MailType
from consent_track.records import hits
from tests import world
from tests.world import ALICE

HITS = 6_000
DRAIN = """
import sys
from pathlib import Path
from consent_track import worker
from consent_track.bootstrap import bootstrap
from consent_track.config import load_config
runtime = bootstrap(load_config({}, Path(sys.argv[1])))
print("up", flush=True)
worker.drain(runtime)
"""


def spool(runtime):
    """Hits of Alice in closed segments, each with a message number of its own."""
    with runtime.reading() as p:
        alice = knowing.find(p, 1, ALICE)
    now = runtime.now()
    writer = SpoolWriter(runtime.config.spool_dir / "test", "test", min_free=0, rotate_bytes=150_000)
    newsletter = MailType.REQUESTED_NEWSLETTER.number
    for number in range(HITS):
        hit = Observation(
            HitKind.OPEN, 1, alice, number, now, now - 60, 3 << 4, newsletter, "FR", 0, 0, 0, Verdict(1, 1, 1)
        )
        assert writer.append(encode_hit(hit), now)
    writer.close()
    return alice


def test_a_drain_killed_at_any_moment_neither_loses_nor_repeats(tmp_path):
    dice = random.Random(2026)
    runtime = world.installation(tmp_path / "home", clock=time.time)
    world.consents(runtime, ALICE)
    alice = spool(runtime)
    kills = 0
    while list_segments(runtime.config.spool_dir / "test") and kills < 60:
        process = subprocess.Popen([sys.executable, "-c", DRAIN, str(tmp_path / "home")], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"up\n"
        try:
            process.wait(dice.uniform(0.005, 0.12))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        process.stdout.close()
    worker.drain(runtime)
    with runtime.reading() as p:
        messages = [hit.message for hit in hits.of_subject(p.session, 1, alice)]
    assert kills > 0
    assert len(messages) == HITS
    assert len(set(messages)) == HITS
    runtime.database.close()
