"""Network pseudonyms: equal within a day and a controller, worthless to whoever has no key, gone with it."""

import hashlib
import ipaddress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_track.crypto.pseudonyms import DayKeys, network_pseudonym

KEY, OTHER = hashlib.sha256(b"monday").digest(), hashlib.sha256(b"tuesday").digest()
ACME, BOLT = 1, 2


def test_the_bytes_are_eight_and_stay_the_same_between_releases():
    """Processes of two releases run beside each other during an update, and share the key of the day."""
    assert network_pseudonym(KEY, ACME, "198.51.100.7").hex() == "e6993f104ea27d74"
    assert network_pseudonym(KEY, ACME, "2001:db8:1::7").hex() == "012062c34283ea44"


SAME = """
198.51.100.7         198.51.100.200        same
198.51.100.0         198.51.100.255        same
198.51.100.7         198.51.101.7          other
198.51.100.7         198.50.100.7          other
198.51.100.7         199.51.100.7          other
2001:db8:1:2::3      2001:db8:1:ffff::9    same
2001:db8:1::         2001:db8:2::          other
2001:DB8:1::         2001:db8:0001::1      same
::ffff:198.51.100.9  198.51.100.7          same
::ffff:c633:6409     198.51.100.7          same
::198.51.100.7       198.51.100.7          other
fe80::1%eth0         fe80::2               same
"""


@pytest.mark.law("IP-06")
@pytest.mark.parametrize("row", SAME.strip().splitlines())
def test_only_the_network_counts(row):
    one, other, expected = row.split()
    pseudonyms = [network_pseudonym(KEY, ACME, address) for address in (one, other)]
    assert [len(pseudonym) for pseudonym in pseudonyms] == [8, 8]
    assert (pseudonyms[0] == pseudonyms[1]) is (expected == "same")


@pytest.mark.law("IP-06")
@given(st.ip_addresses(), st.ip_addresses())
def test_two_addresses_share_a_pseudonym_only_as_neighbours(one, other):
    def network(address):
        address = getattr(address, "ipv4_mapped", None) or address
        return ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False)

    equal = network_pseudonym(KEY, ACME, str(one)) == network_pseudonym(KEY, ACME, str(other))
    assert equal is (network(one) == network(other))


def test_day_keys_make_the_same_pseudonyms_and_mix_up_neither_controllers_nor_days(tmp_path):
    keys = DayKeys(tmp_path / "keys")
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    addresses = ("198.51.100.7", "198.51.101.7", "2001:db8:1::7", "::ffff:198.51.100.7", "nonsense")
    for day in (monday, tuesday, monday):
        for controller in (ACME, BOLT, ACME):
            made = [keys.pseudonym(day, controller, address) for address in addresses]
            key = DayKeys(tmp_path / "keys").key(day)  # as another process reads it
            assert made == [network_pseudonym(key, controller, address) for address in addresses]


def test_no_key_is_made_for_an_address_that_is_none(tmp_path):
    assert DayKeys(tmp_path / "keys").pseudonym(date(2026, 11, 23), ACME, "nonsense") == b""
    assert not (tmp_path / "keys").exists()


NONSENSE = (
    "", " ", "198.51.100", "198.51.100.256", "198.51.100.7.1", "198.51.100.07", "198.51.100.-1", "198.51.100.+1",
    "198.51.100. 7", "198.51.100.7 ", "198.51.100.7:80", "198.51.100.7%eth0", "a.b.c.d", "1.2.3.٤", "1.2.3.", "...",
    "::g", "[::1]", "unix:", "unknown", "2001:db8::1::2", "1.2.3.4::", "::ffff:1.2.3.256", "\0", "é", "0x7f.1.1.1",
    "1e1.1.1.1",
)  # fmt: skip


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_has_no_pseudonym(nonsense):
    assert network_pseudonym(KEY, ACME, nonsense) == b""


@given(st.text(max_size=40) | st.from_regex(r"[0-9.:a-f%]{1,40}", fullmatch=True))
def test_the_parser_agrees_with_the_one_of_the_standard_library(text):
    try:
        known = ipaddress.ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        known = None
    assert bool(network_pseudonym(KEY, ACME, text)) is (known is not None)


NETWORKS = [f"10.{a}.{b}.1" for a in range(256) for b in range(256)]
SEEN = NETWORKS[::331]  # whose hits were recorded


@pytest.mark.law("IP-02")
def test_neither_controllers_nor_days_can_be_linked():
    tables = [
        {network_pseudonym(key, controller, address) for address in SEEN}
        for key in (KEY, OTHER)
        for controller in (ACME, BOLT)
    ]
    assert [len(table) for table in tables] == [len(SEEN)] * 4
    assert len(frozenset().union(*tables)) == 4 * len(SEEN), "no value of one stands in another"


@pytest.mark.law("IP-01")
def test_a_dictionary_of_all_networks_finds_nothing_without_the_key():
    """The attacker has the table, this code, the day and the controller; the control shows that the attack is one."""
    stored = {network_pseudonym(KEY, ACME, address) for address in SEEN}
    control = {hashlib.sha256(address.encode()).digest()[:8] for address in SEEN}

    day = date(2026, 11, 23).isoformat().encode()
    tried = [hashlib.sha256(address.encode()).digest()[:8] for address in NETWORKS]
    by_key = [
        [network_pseudonym(guess, ACME, address) for address in NETWORKS]
        for guess in (bytes(32), b"", hashlib.sha256(day).digest(), OTHER)
    ]

    assert len(tried) == 2**16
    assert sum(value in control for value in tried) == len(SEEN), "a plain hash falls at once"
    assert not any(value in stored for values in (tried, *by_key) for value in values)


@pytest.mark.law("IP-01")
def test_with_the_key_the_dictionary_finds_everybody():
    """So a pseudonym is personal data as long as its key lives, and no text may call it anonymous."""
    stored = {network_pseudonym(KEY, ACME, address) for address in SEEN}
    assert [address for address in NETWORKS if network_pseudonym(KEY, ACME, address) in stored] == SEEN
