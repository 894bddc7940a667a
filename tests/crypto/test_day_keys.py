"""Day keys: one for all processes of a machine, random, and gone when the day is."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from consent_track.crypto.pseudonyms import DayKeys, network_pseudonym

YESTERDAY, TODAY = date(2026, 11, 22), date(2026, 11, 23)
DAYS = [TODAY + timedelta(days=number) for number in range(60)]


def octets_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def _all_at_once(folder, barrier, results):
    keys = DayKeys(folder)
    barrier.wait(timeout=60)
    results.put([keys.key(day) for day in DAYS])


def test_processes_that_ask_at_the_same_moment_get_the_same_key(tmp_path):
    context = multiprocessing.get_context("spawn")
    results, barrier = context.Queue(), context.Barrier(4)
    workers = [context.Process(target=_all_at_once, args=(tmp_path / "keys", barrier, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    answers = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert answers[1:] == answers[:1] * 3, "each process has the keys of the others, also where all were first"
    assert [len(key) for key in answers[0]] == [32] * len(DAYS)
    assert len(set(answers[0])) == len(DAYS), "and every day has its own"
    assert len(list((tmp_path / "keys").iterdir())) == len(DAYS), "and nothing is left of the losers"


def test_a_key_is_private_and_random(tmp_path):
    keys = [DayKeys(tmp_path / name).key(TODAY) for name in ("one", "other")]
    assert keys[0] != keys[1], "two machines, or one after a reboot, share nothing"
    (path,) = (tmp_path / "one").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700


@pytest.mark.law("IP-03")
def test_a_destroyed_key_is_nowhere_and_the_next_one_is_another(tmp_path):
    keys, worker = DayKeys(tmp_path), DayKeys(tmp_path)
    first, second = keys.key(YESTERDAY), keys.key(TODAY)
    assert worker.destroy(TODAY) == [YESTERDAY]
    assert worker.days() == keys.days() == [TODAY]
    assert first not in octets_below(tmp_path)
    assert DayKeys(tmp_path).key(TODAY) == second, "today's key goes on"
    for asking in (keys, worker, DayKeys(tmp_path)):
        assert asking.key(YESTERDAY) != first, "whoever asks for a past day gets a key that was never used"
    address = "198.51.100.7"
    assert network_pseudonym(first, 1, address) != network_pseudonym(second, 1, address), "and days cannot be linked"


@pytest.mark.law("IP-03")
def test_a_process_forgets_a_key_that_it_destroys(tmp_path):
    keys = DayKeys(tmp_path)
    first = keys.key(YESTERDAY)
    assert keys.destroy(TODAY) == [YESTERDAY]
    assert keys.key(YESTERDAY) != first


@pytest.mark.law("IP-03")
def test_destruction_reaches_the_octets_and_not_only_the_name(tmp_path):
    """Whoever opened the file before, or linked it, as a copying tool may, holds zeros afterwards."""
    first = DayKeys(tmp_path).key(YESTERDAY)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.hardlink_to(tmp_path / f"{YESTERDAY}.key")
    with elsewhere.open("rb") as held:
        DayKeys(tmp_path).destroy(TODAY)
        assert held.read() == bytes(32)
    assert first not in octets_below(tmp_path)


def test_what_a_killed_process_left_is_swept_too(tmp_path):
    """Killed between making a key and giving it its name: the octets may be those in use."""
    first = DayKeys(tmp_path).key(YESTERDAY)
    (tmp_path / f"{YESTERDAY}.key.00ff.new").hardlink_to(tmp_path / f"{YESTERDAY}.key")
    (tmp_path / f"{TODAY}.key.00ff.new").write_bytes(b"n" * 32)
    keys = DayKeys(tmp_path)
    assert keys.destroy(TODAY) == [YESTERDAY]
    assert [path.name for path in tmp_path.iterdir()] == [f"{TODAY}.key.00ff.new"], "somebody is making it now"
    assert first not in octets_below(tmp_path)


def test_the_evidence_of_a_destruction_is_written_once(tmp_path):
    for day in DAYS:
        DayKeys(tmp_path).key(day)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: DayKeys(tmp_path).destroy(DAYS[-1]), range(8)))
    assert sorted(day for days in told for day in days) == DAYS[:-1]


@pytest.mark.parametrize("content", [bytes(32), b"", b"x" * 31, b"x" * 33])
def test_a_key_that_is_being_wiped_is_not_used(tmp_path, content):
    """Pseudonyms under zeros could be reversed by anybody: better none at all."""
    (tmp_path / f"{TODAY}.key").write_bytes(content)
    with pytest.raises(OSError, match="destroyed"):
        DayKeys(tmp_path).key(TODAY)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777, 0o711])
def test_a_folder_that_is_open_to_others_is_not_trusted(tmp_path, mode):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(mode)
    with pytest.raises(PermissionError):
        DayKeys(tmp_path / "keys").key(TODAY)
    assert not list((tmp_path / "keys").iterdir())


def test_a_folder_that_leads_elsewhere_is_not_trusted(tmp_path):
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "keys").symlink_to(tmp_path / "mine")
    with pytest.raises(PermissionError):
        DayKeys(tmp_path / "keys").key(TODAY)


def test_a_folder_of_somebody_else_is_not_trusted(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o700)
    try:
        os.chown(tmp_path / "keys", 12_345, 12_345)
    except OSError:
        pytest.skip("only root can give a folder away")
    with pytest.raises(PermissionError):
        DayKeys(tmp_path / "keys").key(TODAY)


def test_other_files_are_nobodys_day(tmp_path):
    keys = DayKeys(tmp_path)
    keys.key(TODAY)
    for name in ("notes.txt", "2026-13-45.key", "aaaa-bb-cc.key", ".hidden.key"):
        (tmp_path / name).write_text("mine")
    assert keys.days() == [TODAY]
    assert keys.destroy(TODAY) == []
    assert len(list(tmp_path.iterdir())) == 5


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        DayKeys(tmp_path / "file" / "keys").key(TODAY)
    assert DayKeys(tmp_path / "nowhere").days() == []
    assert DayKeys(tmp_path / "nowhere").destroy(TODAY) == []
