"""Whose word about the client's address is taken: only that of proxies the operator named (IP-07, ASVS 15.3.4)."""

from collections.abc import Iterable
from typing import Final

from consent_track.crypto.pseudonyms import packed

from .networks import Ranges

# A peer without an address came through a Unix socket; the operator trusts it by this word.
UNIX_SOCKET: Final = "unix"
# Longer chains are not followed: nobody has so many proxies, and the walk must stay short.
MOST_HOPS: Final = 32


class TrustedProxies:
    """The proxies in front of us, as networks in CIDR notation or `unix`.

    Raises ConfigurationRefused for anything else. The default trusts nobody: the address is the peer's.
    """

    def __init__(self, networks: Iterable[str] = (), setting: str = "trusted_proxies") -> None:
        wanted = tuple(networks)
        self._socket = UNIX_SOCKET in wanted
        self._ranges = Ranges((network for network in wanted if network != UNIX_SOCKET), setting)
        self._none = not self._socket and not self._ranges

    def client(self, peer: str, forwarded_for: str | None) -> str:
        """The client's address: the rightmost hop that is not a proxy of ours.

        `forwarded_for` is X-Forwarded-For, repeated fields joined by commas. It is read from right to left, because
        everything left of an untrusted hop is that hop's invention. An untrusted peer, or a malformed hop before the
        client is found, gives the peer.
        """
        if self._none or not forwarded_for or not self._trusted(peer):
            return peer
        client = peer
        for hop in reversed(forwarded_for.split(",")[-MOST_HOPS:]):
            address = hop.strip(" \t")
            octets = packed(address)
            if octets is None:
                return peer
            if not self._ranges.holds(octets):
                return address
            client = address
        return client

    def _trusted(self, peer: str) -> bool:
        octets = packed(peer)
        return self._socket if octets is None else self._ranges.holds(octets)
