"""One POST to a system of the operator's, and to nowhere else (threat T26: server-side request forgery).

The name is resolved once, every address it has is looked at, and the connection goes to the address that was looked
at. No redirect is followed, no proxy of the environment is used, and an answer is read to a bound.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Timer
from typing import Any, Final
from urllib.parse import urlsplit

from consent_track.domain.errors import ConsentTrackError

TIMEOUT: Final = 10.0  # seconds for each step
TOTAL: Final = 20.0  # seconds for all of them: a receiver that drips holds nobody up
_LARGEST: Final = 65_536  # octets of an answer that are read
# Forms of IPv6 that carry an IPv4 address to somewhere else: 6to4, Teredo, NAT64 (RFC 3056, 4380, 6052, 8215).
_CARRIERS: Final = tuple(map(IPv6Network, ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")))
# What the library takes for public: a cloud's own service, the relay of 6to4 (RFC 7526), documentation (RFC 9637).
_NOT_PUBLIC: Final = tuple(map(ip_network, ("168.63.129.16/32", "192.88.99.0/24", "3fff::/20")))

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]


class NotReached(ConsentTrackError):
    """Raised when a message could not be handed over; `forbidden`: because of where it would have gone."""

    def __init__(self, what: str, *, forbidden: bool = False) -> None:
        self.forbidden = forbidden
        super().__init__(what)


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name. Raises OSError."""
    return list(dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet: neither ours, nor a neighbour's, nor a way round to one."""
    try:
        found: Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found.is_site_local or any(found in network for network in _CARRIERS):
            return False
    if any(found in network for network in _NOT_PUBLIC):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


@dataclass(frozen=True, slots=True)
class Transport:
    """How messages leave. `inside` are hosts with ports of the operator's own network that they allowed by name."""

    inside: frozenset[str] = frozenset()
    resolve: Resolve = resolve
    trust: ssl.SSLContext | None = field(default=None, repr=False)

    def post(self, url: str, body: bytes, fields: Mapping[str, str]) -> int:
        """Hand a message over; the status of the answer. Raises NotReached."""
        try:
            url.encode("ascii")
            parts = urlsplit(url)
            secure = parts.scheme == "https"
            host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        except ValueError:
            raise NotReached("the address is none", forbidden=True) from None
        allowed = f"{host}:{port}" in self.inside
        if not host or parts.username or not (secure or (allowed and parts.scheme == "http")):
            raise NotReached("only https is allowed", forbidden=True)
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NotReached(f"the name is not known ({type(error).__name__})") from None
        if not addresses or not (allowed or all(map(is_public, addresses))):
            raise NotReached("the name leads to an address inside", forbidden=True)
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        connection = _Fixed(addresses[0], host, port, (self.trust or ssl.create_default_context()) if secure else None)
        ending = Timer(TOTAL, connection.cut)
        ending.daemon = True
        ending.start()
        try:
            connection.request(
                "POST", target, body, {"content-type": "application/json", "connection": "close", **fields}
            )
            answer = connection.getresponse()
            answer.read(_LARGEST)
            return answer.status
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NotReached(type(error).__name__) from None
        finally:
            ending.cancel()
            connection.close()


class _Fixed(http.client.HTTPConnection):
    """A connection to an address that was looked at, under the name that was asked for."""

    def __init__(self, address: str, host: str, port: int, trust: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._address, self._trust = address, trust

    def cut(self) -> None:
        """End whatever is under way, from another thread."""
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def connect(self) -> None:
        plain: Any = socket.create_connection((self._address, self.port), TIMEOUT)
        try:
            self.sock = self._trust.wrap_socket(plain, server_hostname=self.host) if self._trust else plain
        except BaseException:
            plain.close()
            raise
