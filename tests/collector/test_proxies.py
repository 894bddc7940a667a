"""Whose address is it? Sixty combinations of peer and X-Forwarded-For, as a table (T9, IP-07)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_track.collector.networks import Networks, Ranges
from consent_track.collector.proxies import MOST_HOPS, TrustedProxies
from consent_track.crypto.pseudonyms import packed
from consent_track.domain.engagement import NetworkClass
from consent_track.domain.errors import ConfigurationRefused

# trusted: none = nobody · ours = 10.0.0.0/8, 192.0.2.1/32, fd00::/8 · all · unix = the socket and 10.0.0.0/8
# "~" = no such header, "_" = empty, "^" = a space
TABLE = """
    none  198.51.100.7     ~                                      198.51.100.7
    none  198.51.100.7     203.0.113.5                            198.51.100.7
    none  10.0.0.1         203.0.113.5                            10.0.0.1
    none  127.0.0.1        203.0.113.5                            127.0.0.1
    none  ::1              203.0.113.5                            ::1
    none  -                203.0.113.5                            -
    none  198.51.100.7     203.0.113.5,10.0.0.1                   198.51.100.7
    none  198.51.100.7     _                                      198.51.100.7
    none  198.51.100.7     nonsense                               198.51.100.7
    ours  198.51.100.7     ~                                      198.51.100.7
    ours  198.51.100.7     203.0.113.5                            198.51.100.7
    ours  198.51.100.7     10.0.0.1                               198.51.100.7
    ours  198.51.100.7     127.0.0.1,10.0.0.1                     198.51.100.7
    ours  192.0.2.2        203.0.113.5                            192.0.2.2
    ours  11.0.0.1         203.0.113.5                            11.0.0.1
    ours  2001:db8::1      203.0.113.5                            2001:db8::1
    ours  -                203.0.113.5                            -
    ours  10.0.0.1         ~                                      10.0.0.1
    ours  10.0.0.1         _                                      10.0.0.1
    ours  10.0.0.1         203.0.113.5                            203.0.113.5
    ours  10.255.255.255   203.0.113.5                            203.0.113.5
    ours  192.0.2.1        203.0.113.5                            203.0.113.5
    ours  fd00::1          203.0.113.5                            203.0.113.5
    ours  fd00::1          2001:db8::5                            2001:db8::5
    ours  ::ffff:10.0.0.1  203.0.113.5                            203.0.113.5
    ours  10.0.0.1         ::ffff:203.0.113.5                     ::ffff:203.0.113.5
    ours  10.0.0.1         ^203.0.113.5^                          203.0.113.5
    ours  10.0.0.1         1.1.1.1,203.0.113.5                    203.0.113.5
    ours  10.0.0.1         1.1.1.1,^203.0.113.5                   203.0.113.5
    ours  10.0.0.1         1.1.1.1,2.2.2.2,203.0.113.5            203.0.113.5
    ours  10.0.0.1         203.0.113.5,10.0.0.9                   203.0.113.5
    ours  10.0.0.1         203.0.113.5,192.0.2.1,10.0.0.9         203.0.113.5
    ours  10.0.0.1         203.0.113.5,fd00::9                    203.0.113.5
    ours  10.0.0.1         203.0.113.5,::ffff:10.1.1.1            203.0.113.5
    ours  10.0.0.1         1.1.1.1,203.0.113.5,10.0.0.9           203.0.113.5
    ours  10.0.0.1         10.0.0.7,203.0.113.5,10.0.0.9          203.0.113.5
    ours  10.0.0.1         127.0.0.1,203.0.113.5                  203.0.113.5
    ours  10.0.0.1         203.0.113.5,127.0.0.1                  127.0.0.1
    ours  10.0.0.1         10.0.0.9                               10.0.0.9
    ours  10.0.0.1         10.0.0.8,10.0.0.9                      10.0.0.8
    ours  10.0.0.1         nonsense                               10.0.0.1
    ours  10.0.0.1         203.0.113.5,nonsense                   10.0.0.1
    ours  10.0.0.1         nonsense,203.0.113.5                   203.0.113.5
    ours  10.0.0.1         203.0.113.5,unknown,10.0.0.9           10.0.0.1
    ours  10.0.0.1         203.0.113.5,                           10.0.0.1
    ours  10.0.0.1         ,203.0.113.5                           203.0.113.5
    ours  10.0.0.1         ,,                                     10.0.0.1
    ours  10.0.0.1         203.0.113.5:4711                       10.0.0.1
    ours  10.0.0.1         [2001:db8::5]                          10.0.0.1
    ours  10.0.0.1         "203.0.113.5"                          10.0.0.1
    ours  10.0.0.1         203.0.113.256                          10.0.0.1
    ours  10.0.0.1         203.0.113                              10.0.0.1
    ours  10.0.0.1         0203.0.113.5                           10.0.0.1
    ours  10.0.0.1         0xcb007105                             10.0.0.1
    ours  10.0.0.1         3405803781                             10.0.0.1
    ours  10.0.0.1         fe80::1%eth0                           10.0.0.1
    ours  10.0.0.1         for=203.0.113.5                        10.0.0.1
    all   198.51.100.7     203.0.113.5                            203.0.113.5
    all   198.51.100.7     1.1.1.1,203.0.113.5                    1.1.1.1
    all   2001:db8::1      2001:db8::5                            2001:db8::5
    unix  -                203.0.113.5                            203.0.113.5
    unix  -                203.0.113.5,10.0.0.9                   203.0.113.5
    unix  10.0.0.1         203.0.113.5                            203.0.113.5
    unix  198.51.100.7     203.0.113.5                            198.51.100.7
"""
TRUSTED = {
    "none": TrustedProxies(),
    "ours": TrustedProxies(["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]),
    "all": TrustedProxies(["0.0.0.0/0", "::/0"]),
    "unix": TrustedProxies(["unix", "10.0.0.0/8"]),
}


@pytest.mark.law("IP-07")
@pytest.mark.parametrize("line", [" ".join(line.split()) for line in TABLE.strip().splitlines()])
def test_the_clients_address(line):
    trusted, peer, header, expected = line.split(" ")
    forwarded = {"~": None, "_": ""}.get(header, header.replace("^", " "))
    client = TRUSTED[trusted].client(peer.replace("-", ""), forwarded)
    assert client == expected.replace("-", "")


def test_the_table_has_its_sixty_cases():
    assert len(TABLE.strip().splitlines()) >= 60


@pytest.mark.law("IP-07")
def test_a_chain_longer_than_anybodys_is_not_followed():
    chain = "203.0.113.5," + ",".join(["10.0.0.9"] * MOST_HOPS)
    assert TRUSTED["ours"].client("10.0.0.1", chain) == "10.0.0.9"
    assert TRUSTED["ours"].client("10.0.0.1", chain.removesuffix(",10.0.0.9")) == "203.0.113.5"


@pytest.mark.law("IP-07")
@given(st.text(max_size=80), st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_whatever_an_untrusted_peer_sends_its_own_address_stands(peer, forwarded):
    assert TRUSTED["ours"].client(f"198.51.100.7{peer}", forwarded) == f"198.51.100.7{peer}"


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_nonsense_is_no_address_and_no_error(text):
    assert packed(text) is None or len(packed(text)) in (4, 16)


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "10.0.0.0/33", "localhost", "", "unix:/run/x", "10.0.0.0-10.0.0.9"])
def test_a_proxy_that_is_no_network_is_refused_with_the_settings_name(wrong):
    with pytest.raises(ConfigurationRefused) as refused:
        TrustedProxies(["10.0.0.0/8", wrong, "nonsense"])
    assert [problem.where for problem in refused.value.problems] == ["trusted_proxies"] * 2


class TestRanges:
    def test_overlapping_and_adjacent_networks_and_both_families(self):
        ranges = Ranges(["10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32"], "x")
        inside = ["10.0.0.0", "10.255.255.255", "10.1.2.3", "192.0.2.127", "192.0.2.128", "2001:db8:ffff::"]
        outside = ["9.255.255.255", "11.0.0.0", "192.0.1.255", "192.0.3.0", "2001:db9::", "::1"]
        assert [address for address in inside + outside if ranges.holds(packed(address))] == inside

    def test_a_mapped_network_is_the_ipv4_network(self):
        assert Ranges(["::ffff:10.0.0.0/104"], "x").holds(packed("10.9.9.9"))


class TestNetworks:
    def test_the_first_class_that_holds_the_address(self):
        networks = Networks({"proxy": ["10.1.0.0/16"], "scanner": ["10.0.0.0/8"], "scanner-clicks": ["fd00::/8"]})
        found = [networks.class_of(address) for address in ("10.1.1.1", "10.2.1.1", "fd00::1", "11.0.0.1", "x", "")]
        assert found == [NetworkClass.PROXY, NetworkClass.SCANNER, NetworkClass.SCANNER_CLICKS, None, None, None]

    def test_nothing_is_configured_as_shipped(self):
        assert not Networks()
        assert not Networks({"scanner": []})

    def test_every_mistake_is_reported_at_once(self):
        with pytest.raises(ConfigurationRefused) as refused:
            Networks({"robots": ["10.0.0.0/8"], "proxy": ["x"], "scanner": ["10.0.0.0/8"]})
        assert len(refused.value.problems) == 2
