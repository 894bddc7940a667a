"""Recovery 001: a collector process is killed (SIGKILL) in the middle of its load; nothing it acknowledged is lost.

Real processes, a real signal. The writer acknowledges each frame through a pipe only after `append` returned, as an
answer leaves only after the write; whatever was acknowledged must be readable afterwards, and a torn tail is counted.
"""

import os
import random
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from consent_track.collector.spool import SpoolWriter, list_segments
from consent_track.domain.frame import encode_hit
from consent_track.domain.observation import Observation, Verdict
from consent_track.domain.vocabulary import HitKind

ROOT = Path(__file__).parents[2]
NOW = 1_795_435_200

WRITER = """
    import os, sys
    from pathlib import Path
    from consent_track.collector.spool import SpoolWriter
    from consent_track.domain.frame import encode_hit
    from consent_track.domain.observation import Observation, Verdict
    from consent_track.domain.vocabulary import HitKind
    spool = SpoolWriter(Path(sys.argv[1]), "node-a", min_free=0, rotate_bytes=20_000)
    message = int(sys.argv[2])
    while True:
        message += 1
        hit = Observation(HitKind.OPEN, 1, 2, message, 1_795_435_200, 0, 16, 4, "FR", 7, 0, 0, Verdict(1, 1, 1))
        if spool.append(encode_hit(hit), 1_795_435_200):
            os.write(1, message.to_bytes(8, "big"))
"""


def read_for(process: subprocess.Popen[bytes], octets: int) -> bytes:
    """Read acknowledgements until there are so many; only then the kill comes, wherever the writer is by then."""
    found = b""
    while len(found) < octets:
        ready, _, _ = select.select([process.stdout], [], [], 30)
        assert ready, "the writer stands still"
        found += os.read(process.stdout.fileno(), 65_536)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_every_acknowledged_frame_is_readable_after_a_kill(tmp_path, seed):
    chance = random.Random(seed)
    first = seed * 1_000_000
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), tmp_path, str(first)], stdout=subprocess.PIPE, cwd=ROOT
    )
    acknowledged = read_for(process, 8 * chance.randint(1, 3_000))
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read()
    process.wait()
    process.stdout.close()

    sent = {int.from_bytes(acknowledged[at : at + 8], "big") for at in range(0, len(acknowledged) // 8 * 8, 8)}
    segments = list_segments(tmp_path)
    assert all(segment.owner_gone() for segment in segments)
    kept = [framed.record.message for segment in segments for framed in segment.read(0, 1_000_000)]
    assert sent <= set(kept)
    assert len(kept) == len(set(kept))
    assert len(kept) - len(sent) <= 1  # written, killed before saying so
    for segment in segments:
        frames = segment.read(0, 1_000_000)
        assert segment.torn(frames[-1].end if frames else 0) in (0, 1)


def test_a_half_written_frame_is_counted_as_torn_and_the_next_process_writes_on(tmp_path):
    spool = SpoolWriter(tmp_path, "node-a", min_free=0)

    def frame(message: int) -> bytes:
        return encode_hit(Observation(HitKind.OPEN, 1, 2, message, NOW, 0, 16, 4, "FR", 7, 0, 0, Verdict(1, 1, 1)))

    spool.append(frame(1), NOW)
    (segment,) = list_segments(tmp_path)
    spool.close()  # the kernel frees a killed owner's lock in the same way
    with segment.path.open("ab") as file:
        file.write(frame(2)[:17])

    later = SpoolWriter(tmp_path, "node-a", min_free=0)
    later.append(frame(3), NOW + 5)
    later.close()
    old, new = list_segments(tmp_path)
    assert [framed.record.message for framed in old.read(0, 9)] == [1]
    assert old.torn(old.read(0, 9)[-1].end) == 1
    assert [framed.record.message for framed in new.read(0, 9)] == [3]
