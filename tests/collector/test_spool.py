"""The spool: one segment for each process, one write for each frame, and no harm from whatever the disk does."""

import fcntl
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_track.collector.segment import SYNCED, UNBORN
from consent_track.collector.spool import SpoolWriter, list_segments, list_strangers
from consent_track.domain.frame import decode_header, encode_header, encode_hit, encode_signal
from consent_track.domain.observation import Observation, Signal, Verdict
from consent_track.domain.vocabulary import HitKind

NOW = 1_795_435_200


def hit(message: int) -> Observation:
    return Observation(
        HitKind.OPEN, 1, 2, message, NOW, NOW - 60, 16, 4, "FR", 7, 0, 0, Verdict(1, 1, 1), b"abcdefgh"
    )  # fmt: skip


FRAME = encode_hit(hit(1))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool" / "node-a"


@pytest.fixture
def spool(folder):
    writer = SpoolWriter(folder, "node-a", min_free=0)
    yield writer
    writer.close()


def messages(folder) -> list[int]:
    return [framed.record.message for segment in list_segments(folder) for framed in segment.read(0, 1_000_000)]


class TestSegment:
    def test_nothing_exists_before_the_first_frame(self, spool, folder):
        spool.tend(NOW)
        assert not folder.exists()
        assert list_segments(folder) == []

    def test_it_is_locked_headed_private_and_closed_on_exec(self, spool, folder):
        assert spool.append(FRAME, NOW) is True
        (path,) = folder.glob("*.segment")
        header = decode_header(path.read_bytes())
        assert (header.node, len(header.segment_id)) == ("node-a", 16)
        assert path.read_bytes() == encode_header(header.segment_id, "node-a") + FRAME
        assert path.name == f"{NOW:012d}-{header.segment_id.hex()}.segment"
        assert path.stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700
        with path.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        handles = [int(name) for name in os.listdir("/proc/self/fd")]
        mine = [
            n
            for n in handles
            if os.path.exists(f"/proc/self/fd/{n}") and os.readlink(f"/proc/self/fd/{n}") == str(path)
        ]
        assert [fcntl.fcntl(handle, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for handle in mine] == [1]

    def test_it_rotates_after_its_size(self, folder):
        writer = SpoolWriter(folder, "n", min_free=0, rotate_bytes=len(encode_header(bytes(16), "n")) + 3 * len(FRAME))
        for message in range(10):
            assert writer.append(encode_hit(hit(message)), NOW)
        writer.close()
        assert sorted(len(segment.read(0, 99)) for segment in list_segments(folder)) == [1, 3, 3, 3]
        assert sorted(messages(folder)) == list(range(10))

    def test_it_rotates_after_its_time_and_when_the_clock_was_set_back(self, spool, folder):
        spool.append(FRAME, NOW)
        spool.append(FRAME, NOW + 59)
        assert len(list_segments(folder)) == 1
        spool.append(FRAME, NOW + 60)
        assert len(list_segments(folder)) == 2
        spool.append(FRAME, NOW + 10)
        assert len(list_segments(folder)) == 3

    def test_an_old_segment_is_let_go_although_no_frame_comes(self, spool, folder):
        spool.append(FRAME, NOW)
        spool.tend(NOW + 59)
        assert not list_segments(folder)[0].owner_gone()
        spool.tend(NOW + 60)
        assert list_segments(folder)[0].owner_gone()


class TestDrainSide:
    def test_it_reads_a_growing_segment_in_batches_and_knows_its_owner_lives(self, spool, folder):
        for message in range(7):
            spool.append(encode_hit(hit(message)), NOW)
        (segment,) = list_segments(folder)
        assert not segment.owner_gone()
        first = segment.read(0, 5)
        assert [framed.record.message for framed in first] == [0, 1, 2, 3, 4]
        rest = segment.read(first[-1].end, 5)
        assert [framed.record.message for framed in rest] == [5, 6]
        assert segment.read(rest[-1].end, 5) == []
        spool.append(encode_hit(hit(7)), NOW)
        assert [framed.record.message for framed in segment.read(rest[-1].end, 5)] == [7]
        assert rest[0].offset == first[-1].end

    def test_asking_for_the_owner_does_not_take_the_lock_away_from_anybody(self, spool, folder):
        spool.append(FRAME, NOW)
        (segment,) = list_segments(folder)
        spool.close()
        assert segment.owner_gone()
        assert segment.owner_gone()

    def test_a_torn_tail_is_counted_and_what_is_before_it_is_read(self, spool, folder):
        spool.append(FRAME, NOW)
        spool.close()
        (segment,) = list_segments(folder)
        end = segment.read(0, 9)[-1].end
        assert segment.torn(end) == 0
        with segment.path.open("ab") as file:
            file.write(FRAME[:-1])
        assert len(segment.read(0, 9)) == 1
        assert segment.torn(end) == 1

    def test_an_empty_segment_is_not_torn(self, folder):
        folder.mkdir(parents=True)
        (folder / "000000000001-x.segment").write_bytes(encode_header(b"i" * 16, "n"))
        (segment,) = list_segments(folder)
        assert (segment.id, segment.read(0, 9), segment.torn(0)) == ((b"i" * 16).hex(), [], 0)

    def test_signals_and_hits_come_back_in_their_order(self, spool, folder):
        signal = Signal(1, 2, "US-CA", 20_000)
        spool.append(FRAME, NOW)
        spool.append(encode_signal(signal), NOW)
        (segment,) = list_segments(folder)
        assert [framed.record for framed in segment.read(0, 9)] == [hit(1), signal]

    def test_strangers_are_listed_apart_and_never_read(self, spool, folder):
        spool.append(FRAME, NOW)
        for name, octets in {"a": b"", "b": b"garbage" * 9, "c": b"CTSPOOL\x09" + bytes(17)}.items():
            (folder / f"{name}.segment").write_bytes(octets)
        (folder / "notes.txt").write_text("x")
        assert len(list_segments(folder)) == 1
        assert [path.stem for path in list_strangers(folder)] == ["a", "b", "c"]

    def test_the_oldest_comes_first_and_deletion_is_forgiving(self, spool, folder):
        for minute in (0, 2, 1):
            spool.append(FRAME, NOW + 60 * minute)
        spool.close()
        found = list_segments(folder)
        assert [int(segment.path.name[:12]) for segment in found] == [NOW, NOW + 60, NOW + 120]
        found[0].delete()
        found[0].delete()
        assert list_segments(folder) == found[1:]

    @given(st.lists(st.integers(0, 2**63 - 1), max_size=20), st.binary(max_size=80))
    @settings(max_examples=40, deadline=None)
    def test_whatever_follows_the_whole_frames_is_never_taken_for_one(self, tmp_path_factory, numbers, tail):
        folder = tmp_path_factory.mktemp("spool")
        octets = b"".join(encode_hit(hit(number)) for number in numbers)
        (folder / "0-a.segment").write_bytes(encode_header(b"i" * 16, "n") + octets + tail)
        (segment,) = list_segments(folder)
        assert [framed.record.message for framed in segment.read(0, 99)] == numbers


class TestProcesses:
    def test_a_forked_worker_has_its_own_segment_and_drops_its_parents(self, spool, folder):
        spool.append(encode_hit(hit(1)), NOW)
        (parents,) = list_segments(folder)
        (told, tell), (go, let_go) = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            done = spool.append(encode_hit(hit(2)), NOW)
            os.write(tell, b"1" if done else b"0")
            os.read(go, 1)  # stays alive until it is told
            os._exit(0)
        assert os.read(told, 1) == b"1"
        assert sorted(messages(folder)) == [1, 2]
        assert not parents.owner_gone()  # the child's dropping of the handle did not free the parent's lock
        spool.close()
        assert parents.owner_gone()  # and the living child does not hold it
        os.write(let_go, b"x")
        os.waitpid(child, 0)
        assert all(segment.owner_gone() for segment in list_segments(folder))
        for handle in (told, tell, go, let_go):
            os.close(handle)

    def test_two_threads_never_mix_their_frames(self, spool, folder):
        def write(start):
            for message in range(start, start + 500):
                assert spool.append(encode_hit(hit(message)), NOW)

        threads = [threading.Thread(target=write, args=(start,)) for start in (0, 1_000, 2_000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(messages(folder))) == 1_500

    def test_what_a_dead_process_left_unborn_is_swept_and_what_lives_is_not(self, spool, folder):
        folder.mkdir(parents=True)
        dead, living = folder / f"1-dead{UNBORN}", folder / f"1-living{UNBORN}"
        dead.write_bytes(b"")
        with living.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            spool.append(FRAME, NOW)
            assert not dead.exists()
            assert living.exists()


class TestBounds:
    def test_full_means_refused_and_room_means_accepted_again_without_restart(self, folder):
        writer = SpoolWriter(folder, "n", min_free=0, max_bytes=1_000)
        taken = sum(writer.append(FRAME, NOW) for _ in range(100))
        assert 0 < taken <= 1_000 // len(FRAME)
        assert writer.counts.refused == 100 - taken
        assert writer.append(FRAME, NOW + 1) is False
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 1_000 + 60
        writer.tend(NOW + 60)
        for segment in list_segments(folder):  # what a drain does with a segment nobody owns
            segment.delete()
        assert writer.append(FRAME, NOW + 61) is True
        writer.close()

    def test_the_room_of_a_node_is_shared_by_its_processes(self, folder):
        one, two = (SpoolWriter(folder, "n", min_free=0, max_bytes=1_000) for _ in range(2))
        while one.append(FRAME, NOW):
            pass
        assert two.append(FRAME, NOW) is False
        one.close()

    def test_too_little_free_space_means_refused(self, folder):
        free = os.statvfs(folder.parent.parent).f_bavail * os.statvfs(folder.parent.parent).f_frsize
        writer = SpoolWriter(folder, "n", min_free=2 * free)
        assert writer.append(FRAME, NOW) is False
        assert list_segments(folder) == []

    def test_a_folder_that_cannot_be_made_is_tried_again_a_second_later(self, tmp_path):
        (tmp_path / "spool").write_text("in the way")
        writer = SpoolWriter(tmp_path / "spool", "n", min_free=0)
        assert [writer.append(FRAME, NOW) for _ in range(3)] == [False] * 3
        (tmp_path / "spool").unlink()
        assert writer.append(FRAME, NOW) is False
        assert writer.append(FRAME, NOW + 1) is True
        assert (writer.counts.refused, writer.counts.appended) == (4, 1)
        writer.close()


def in_a_child(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2],
    )  # fmt: skip


class TestTheDiskFails:
    def test_a_write_that_the_kernel_cuts_short_is_undone(self, folder):
        """RLIMIT_FSIZE makes the kernel write only a part of a frame, without an error, then fail the next."""
        limit = 2_000 + len(FRAME) // 2
        done = in_a_child(
            """
            import resource, signal, sys
            from pathlib import Path
            sys.path.insert(0, "tests/collector")
            from consent_track.collector.spool import SpoolWriter
            from test_spool import FRAME, NOW
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
            spool = SpoolWriter(Path(sys.argv[1]), "n", min_free=0)
            answers = [spool.append(FRAME, NOW + second // 60) for second in range(60)]
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            later = spool.append(FRAME, NOW + 2)
            print(sum(answers), answers[-1], later, spool.counts.failed, spool.counts.abandoned)
            """,
            folder, limit,
        )  # fmt: skip
        taken, last, later, failed, abandoned = done.stdout.split()
        assert (last, later, failed, abandoned) == ("False", "True", "1", "0"), done.stderr
        assert len(messages(folder)) == int(taken) + 1
        (segment,) = list_segments(folder)
        assert segment.torn(segment.read(0, 999)[-1].end) == 0

    @pytest.mark.skipif(os.system("unshare -rm true 2>/dev/null") != 0, reason="needs user namespaces")
    def test_a_disk_that_is_really_full_loses_nothing_it_took_and_recovers(self, tmp_path):
        """A file system of 256 kB in memory, filled to the last octet and then freed."""
        script = """
            import os, subprocess, sys
            from pathlib import Path
            sys.path.insert(0, "tests/collector")
            from consent_track.collector.spool import SpoolWriter, list_segments
            from test_spool import FRAME, NOW, hit
            from consent_track.domain.frame import encode_hit
            disk = Path(sys.argv[1])
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], check=True)
            spool = SpoolWriter(disk / "n", "n", min_free=0)
            spool.append(encode_hit(hit(0)), NOW)
            ballast = disk / "ballast"
            with open(ballast, "wb", buffering=0) as file:
                try:
                    while file.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            taken = [0] + [n for n in range(1, 200) if spool.append(encode_hit(hit(n)), NOW)]
            full = [n for n in range(200, 300) if spool.append(encode_hit(hit(n)), NOW + 1)]
            ballast.unlink()
            again = [n for n in range(300, 310) if spool.append(encode_hit(hit(n)), NOW + 2)]
            kept = [f.record.message for s in list_segments(disk / "n") for f in s.read(0, 9999)]
            torn = [s.torn(s.read(0, 9999)[-1].end) for s in list_segments(disk / "n")]
            print(full == [], len(again) == 10, kept == taken + again, sum(torn), spool.counts.failed > 0, len(taken))
        """
        done = subprocess.run(
            ["unshare", "-rm", sys.executable, "-c", textwrap.dedent(script), tmp_path],
            capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert done.stdout.split()[:5] == ["True", "True", "True", "0", "True"], done.stdout + done.stderr

    def test_a_segment_that_cannot_be_cut_back_is_given_up(self, folder, spool):
        """The handle is swapped for a full device, which can be neither written nor cut."""
        spool.append(encode_hit(hit(1)), NOW)
        own = spool._by_pid[os.getpid()]
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, own._open.handle)
        os.close(full)
        assert spool.append(encode_hit(hit(2)), NOW) is False
        assert (spool.counts.failed, spool.counts.abandoned) == (1, 1)
        assert spool.append(encode_hit(hit(3)), NOW + 1) is True
        assert messages(folder) == [1, 3]


class TestSync:
    def test_the_owner_syncs_only_while_no_drain_does(self, spool, folder, monkeypatch):
        synced: list[str] = []
        monkeypatch.setattr(os, "fdatasync", lambda handle: synced.append(os.readlink(f"/proc/self/fd/{handle}")))
        spool.append(FRAME, NOW)
        spool.tend(NOW)
        assert len(synced) == 1

        list_segments(folder)[0].sync()  # a drain came by
        synced.clear()
        spool.tend(NOW + 1)
        assert synced == []
        spool.tend(NOW + 2)  # and has not come by since
        assert len(synced) == 1

    def test_rotated_segments_are_synced_too_and_drained_ones_are_forgotten(self, spool, folder, monkeypatch):
        synced: list[str] = []
        spool.append(FRAME, NOW)
        spool.append(FRAME, NOW + 60)
        first, second = list_segments(folder)
        first.delete()
        monkeypatch.setattr(os, "fdatasync", lambda handle: synced.append(os.readlink(f"/proc/self/fd/{handle}")))
        spool.tend(NOW + 60)
        spool.tend(NOW + 61)
        assert synced == [str(second.path)] * 2

    def test_the_sign_of_the_drain_is_private(self, spool, folder):
        spool.append(FRAME, NOW)
        list_segments(folder)[0].sync()
        assert (folder / SYNCED).stat().st_mode & 0o777 == 0o600
