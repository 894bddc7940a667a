"""Every form in which an address may be left behind: written, encoded, packed or hashed (threat T42).

A copy that nobody thought of is seldom the plain text: it is a line of a log, a URL, a mail in quoted-printable, a
base64 body at any of three alignments, an unsalted hash in an export.
"""

import base64
import hashlib
import html
import json
import quopri
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, quote_plus

_SHORTEST: Final = 6  # octets: shorter ones are found by chance


@dataclass(frozen=True, slots=True)
class Needle:
    """What is looked for: the name of the form, and its octets. `folded`: upper and lower case count as one."""

    form: str
    octets: bytes
    folded: bool = False


def needles_of(address: str) -> tuple[Needle, ...]:
    """Every form of a normalised address."""
    found: dict[bytes, Needle] = {}
    for variant, text in _variants(address):
        for needle in _forms(variant, text):
            if len(needle.octets) >= _SHORTEST:
                found.setdefault(needle.octets, needle)
    return tuple(found.values())


def _variants(address: str) -> Iterator[tuple[str, str]]:
    """The address as it is written here and elsewhere: domain in Unicode, without its plus part."""
    yield "address", address
    local, _, domain = address.rpartition("@")
    try:
        wide = domain.encode("ascii").decode("idna")
    except UnicodeError:
        wide = domain
    if wide != domain:
        yield "address with its domain in Unicode", f"{local}@{wide}"
    plain = local.partition("+")[0]
    if plain and plain != local:
        yield "address without its plus part", f"{plain}@{domain}"


def _forms(variant: str, text: str) -> Iterator[Needle]:
    raw = text.encode()
    yield Needle(variant, raw.lower(), folded=True)
    yield Needle(f"{variant}, percent-encoded", quote(text, safe="").encode().lower(), folded=True)
    yield Needle(f"{variant}, in a form field", quote_plus(text).encode().lower(), folded=True)
    yield Needle(f"{variant}, in HTML", html.escape(text).encode().lower(), folded=True)
    yield Needle(f"{variant}, in HTML by numbers", text.replace("@", "&#64;").encode().lower(), folded=True)
    yield Needle(f"{variant}, in JSON", json.dumps(text)[1:-1].encode().lower(), folded=True)
    yield Needle(f"{variant}, quoted-printable", quopri.encodestring(raw).strip().lower(), folded=True)
    for order in ("utf-16-le", "utf-16-be"):
        yield Needle(f"{variant}, {order}", text.encode(order))
    yield Needle(f"{variant}, hexadecimal", raw.hex().encode(), folded=True)
    for shift in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            yield Needle(f"{variant}, {name}", _aligned(encode(bytes(shift) + raw), shift, len(raw)))
    for digest in ("md5", "sha1", "sha256"):
        octets = hashlib.new(digest, raw, usedforsecurity=False).digest()
        yield Needle(f"{variant}, {digest}", octets)
        yield Needle(f"{variant}, {digest} in hexadecimal", octets.hex().encode(), folded=True)
        yield Needle(f"{variant}, {digest} in base64", base64.b64encode(octets).rstrip(b"="))


def _aligned(encoded: bytes, shift: int, size: int) -> bytes:
    """The part of a base64 text that does not depend on what stands before and behind."""
    first = -(-shift * 8 // 6)
    last = (shift + size) * 8 // 6
    return encoded[first:last]
