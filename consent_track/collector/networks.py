"""Ranges of addresses, parsed once, asked often: `ipaddress` reads the configuration, `inet_pton` a request."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Final

from consent_track.crypto.pseudonyms import packed
from consent_track.domain.engagement import NetworkClass
from consent_track.domain.errors import ConfigurationRefused, Problem

_MAPPED: Final = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, IPv4 as a socket that speaks both families shows it


class Ranges:
    """A set of networks in CIDR notation. Raises ConfigurationRefused, naming `setting`, for every one that is none."""

    def __init__(self, cidrs: Iterable[str], setting: str) -> None:
        spans: dict[int, list[tuple[int, int]]] = {4: [], 16: []}
        problems = []
        for cidr in cidrs:
            try:
                network = ip_network(cidr.strip())
            except ValueError:
                problems.append(Problem(setting, f"{cidr!r} is not a network in CIDR notation, or has host bits set"))
                continue
            first, last = network.network_address.packed, network.broadcast_address.packed
            if first[:12] == _MAPPED and network.prefixlen >= 96:
                first, last = first[12:], last[12:]
            spans[len(first)].append((int.from_bytes(first), int.from_bytes(last)))
        if problems:
            raise ConfigurationRefused(problems)
        self._spans = {size: _merged(found) for size, found in spans.items()}

    def __bool__(self) -> bool:
        return any(starts for starts, _ in self._spans.values())

    def holds(self, octets: bytes) -> bool:
        """Whether a packed address lies in one of the networks."""
        starts, ends = self._spans[len(octets)]
        number = int.from_bytes(octets)
        place = bisect_right(starts, number)
        return place > 0 and number <= ends[place - 1]


def _merged(spans: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Starts and ends in order, without overlaps, so that one bisection answers."""
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted(spans):
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


class Networks:
    """What the operator says of networks: class -> ranges. Empty as shipped, and then nothing is ever looked up."""

    def __init__(self, by_class: Mapping[str, Iterable[str]] | None = None, setting: str = "scanner_networks") -> None:
        known = {member.name.lower().replace("_", "-"): member for member in NetworkClass}
        problems = [
            Problem(setting, f"{name!r} is no class of networks; there are {', '.join(known)}")
            for name in (by_class or {})
            if name.replace("_", "-") not in known
        ]
        self._ranges: list[tuple[NetworkClass, Ranges]] = []
        for name, cidrs in (by_class or {}).items():
            try:
                if (network := known.get(name.replace("_", "-"))) is not None:
                    self._ranges.append((network, Ranges(cidrs, setting)))
            except ConfigurationRefused as refused:
                problems.extend(refused.problems)
        if problems:
            raise ConfigurationRefused(problems)

    def __bool__(self) -> bool:
        return any(bool(ranges) for _, ranges in self._ranges)

    def class_of(self, address: str) -> NetworkClass | None:
        """The class of the first range that holds the address, in the order of the configuration."""
        octets = packed(address)
        if octets is None:
            return None
        return next((network for network, ranges in self._ranges if ranges.holds(octets)), None)
