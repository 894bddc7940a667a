"""Network pseudonyms: equal within a day and a controller, worthless to whoever has no key, gone with it."""

import hashlib
import multiprocessing
from datetime import date

import pytest

from consent_track.crypto.pseudonyms import DayKeys, network_pseudonym

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.mark.law("IP-06")
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.200", True),
        ("198.51.100.7", "198.51.101.7", False),
        ("2001:db8:1:2::3", "2001:db8:1:ffff::9", True),
        ("2001:db8:1::", "2001:db8:2::", False),
        ("::ffff:198.51.100.9", "198.51.100.7", True),
    ],
)
def test_only_the_network_counts(one, other, same):
    assert (network_pseudonym(KEY, 1, one) == network_pseudonym(KEY, 1, other)) is same


@pytest.mark.parametrize("nonsense", ["", "198.51.100", "198.51.100.256", "a.b.c.d", "::g", "unix:", "1.2.3.٤"])
def test_nonsense_has_no_pseudonym(nonsense):
    assert network_pseudonym(KEY, 1, nonsense) == b""


@pytest.mark.law("IP-02")
def test_controllers_and_days_cannot_be_linked():
    assert (
        len({network_pseudonym(key, controller, "198.51.100.7") for key in (KEY, OTHER) for controller in (1, 2)}) == 4
    )


@pytest.mark.law("IP-01")
def test_a_dictionary_finds_nothing_without_the_key_and_everything_in_a_plain_hash():
    networks = [f"10.{a}.{b}.1" for a in range(256) for b in range(256)]
    secret = {network_pseudonym(KEY, 1, address) for address in networks[:200]}
    plain = {hashlib.sha256(address.encode()).digest()[:8] for address in networks[:200]}
    tried = {hashlib.sha256(address.encode()).digest()[:8] for address in networks}
    guessed = {network_pseudonym(OTHER, 1, address) for address in networks}
    assert len(plain & tried) == 200, "the control falls"
    assert not secret & tried
    assert not secret & guessed


def _key_in_a_process(folder, results):
    results.put(DayKeys(folder).key(date(2026, 11, 23)))


def test_processes_of_one_machine_share_the_key_of_a_day(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_key_in_a_process, args=(tmp_path / "keys", results)) for _ in range(4)]
    for process in processes:
        process.start()
    keys = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert len(keys) == 1
    assert len(keys.pop()) == 32


@pytest.mark.law("IP-03")
def test_a_destroyed_key_is_gone_and_the_next_one_is_another(tmp_path):
    keys = DayKeys(tmp_path)
    first = keys.key(date(2026, 11, 22))
    keys.key(date(2026, 11, 23))
    assert keys.destroy(date(2026, 11, 23)) == [date(2026, 11, 22)]
    assert keys.days() == [date(2026, 11, 23)]
    assert not any(first in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert keys.key(date(2026, 11, 22)) != first


def test_key_files_are_private(tmp_path):
    DayKeys(tmp_path / "keys").key(date(2026, 11, 22))
    (path,) = (tmp_path / "keys").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
