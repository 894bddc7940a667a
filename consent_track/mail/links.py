"""Which links may lead through us, and which stay as their author wrote them. When in doubt, they stay."""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from consent_track.domain.vocabulary import MailType

from .html import Anchor
from .keepwords import meaning, plain

LONGEST: Final = 2_000


class KeepReason(StrEnum):
    """Why a link is left alone."""

    EMPTY = "empty"
    ANCHOR = "anchor"
    RELATIVE = "relative"
    NOT_HTTP = "not_http"
    NO_TRACK = "no_track"
    TEMPLATE = "template_placeholder"
    TOO_LONG = "too_long"
    NOT_ASCII = "not_ascii"
    USERINFO = "userinfo"
    INVALID_HOST = "invalid_host"
    MALFORMED = "malformed"
    OWN = "own"
    TEXT_IS_URL = "text_is_url"
    UNSUBSCRIBE = "unsubscribe"
    RIGHTS = "rights"
    ONE_TIME = "one_time"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """This link may be measured; `destination` is byte-equal to the author's."""

    destination: str


@dataclass(frozen=True, slots=True)
class Keep:
    """This link stays as it is."""

    reason: KeepReason


_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# What a template leaves behind when nobody filled it in, percent-encoded or not.
_PLACEHOLDER: Final = re.compile(
    r"\{\{|\}\}|\{%|%\}|\*\||\|\*|%%|\[\[|\]\]|<%|%>|\$\{|\{[A-Za-z_][\w.]*\}|%7B%7B|%2A%7C|%5B%5B|%24%7B",
    re.IGNORECASE,
)
# No user information, no backslash, no control character, no white space; the host is looked at by `_is_host`.
_PLAIN: Final = re.compile(
    r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?(?:[/?#][!-\[\]-~]*)?", re.IGNORECASE
)
_AUTHORITY: Final = re.compile(r"https?://[^/?#\\]*@", re.IGNORECASE)
_ODD: Final = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_HOST_IN_TEXT: Final = re.compile(r"(?:[^\s/@:?#]*+@)?([\w.-]++)(?:[:/?#]|$)")
_AROUND_TEXT: Final = "()[]{}<>\"'«»“”„‹›‘’,;:!.…"
_ADDRESS: Final = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_LONG_RUN: Final = re.compile(r"[\w-]{20,}+")
_PAYERS: Final = frozenset({"paypal", "stripe", "klarna", "adyen", "mollie", "gocardless", "squareup", "sumup"})
_ABOUT_AN_ACCOUNT: Final = frozenset({MailType.TRANSACTIONAL, MailType.LEGALLY_REQUIRED})


def classify(anchor: Anchor, *, mail_type: MailType, own_hosts: frozenset[str]) -> Rewrite | Keep:
    """Whether a link may be measured. Words of authentication and payment keep it in any kind of mail (decision 24).

    `own_hosts` are written as in a URL, with a port where it is not the usual one.
    """
    url = anchor.url
    if (reason := _by_form(anchor)) is not None:
        return Keep(reason)
    # What stands there is what somebody would be led to, byte for byte: surrounding white space is not ours to drop.
    address = destination(anchor.href.value)
    if address is None:
        return Keep(_why_not(anchor.href.value))
    authority, rest = _parts(url)
    if authority in own_hosts:
        return Keep(KeepReason.OWN)
    if looks_like_url(anchor.text):
        return Keep(KeepReason.TEXT_IS_URL)
    found = _by_words(authority.split("."), rest, anchor)
    # An authentication mail is there for its links: none of them is measured.
    if found is None and (
        mail_type is MailType.AUTHENTICATION or (mail_type in _ABOUT_AN_ACCOUNT and _is_credential(rest))
    ):
        found = KeepReason.ONE_TIME
    return Keep(found) if found else Rewrite(address)


def _by_words(labels: list[str], rest: str, anchor: Anchor) -> KeepReason | None:
    """What the words say. The last two labels of a host are a name, not a purpose, unless of somebody who is paid."""
    if not _PAYERS.isdisjoint(labels[-2:]):
        return KeepReason.PAYMENT
    said = f"{' '.join(labels[:-2])} {rest} | {anchor.text} | {anchor.label} | {' '.join(anchor.marks)}"
    found = meaning(said)
    return KeepReason(found) if found else None


def looks_like_url(text: str) -> bool:
    """Whether a word of the visible text looks like an address.

    Mail programs that find another address behind one warn of fraud (decision 24).
    """
    if "." not in (text := text if text.isascii() else plain(text)) and ":" not in text:
        return False
    for word in text.lower().split():
        word = word.strip(_AROUND_TEXT)
        if word.startswith(("http:", "https:", "www.")):
            return True
        found = _HOST_IN_TEXT.match(word) if "." in word else None
        name, dot, last = found[1].rpartition(".") if found else ("", "", "")
        if name and dot and last.isalpha() and 2 <= len(last) <= 24:
            return True
    return False


def _is_credential(rest: str) -> bool:
    """Whether there is a key to something: 20 letters and digits in a row, or a UUID."""
    return any(
        any(map(str.isalpha, run)) and any(map(str.isdigit, run))
        for run in _LONG_RUN.findall(rest)
        if len(run) >= 32 or "-" not in run
    )


def _by_form(anchor: Anchor) -> KeepReason | None:
    url = anchor.url
    if not url:
        return KeepReason.EMPTY
    if anchor.no_track:
        return KeepReason.NO_TRACK
    if len(url) > LONGEST:
        return KeepReason.TOO_LONG
    if _PLACEHOLDER.search(url):
        return KeepReason.TEMPLATE
    if url.startswith("#"):
        return KeepReason.ANCHOR
    scheme = _SCHEME.match(url)
    if scheme is None:
        return KeepReason.NOT_HTTP if ":" in url.partition("/")[0] else KeepReason.RELATIVE
    return None if scheme[0].lower() in ("http:", "https:") else KeepReason.NOT_HTTP


def _why_not(url: str) -> KeepReason:
    """The reason for which `destination` refused an http or https URL."""
    if not url.isascii():
        return KeepReason.NOT_ASCII
    if _ODD.search(url):
        return KeepReason.MALFORMED
    return KeepReason.USERINFO if _AUTHORITY.match(url) else KeepReason.INVALID_HOST


def destination(url: str) -> str | None:
    """The same URL if it may ever stand in a Location header, else None (threats T1, T2; CWE-601).

    http or https, a valid host, a port from 1 to 65535, no user information, printable ASCII only, at most 2,000
    characters; never normalised. One strict pattern, because parsers disagree about everything that is not plain.
    """
    found = _PLAIN.fullmatch(url) if len(url) <= LONGEST else None
    if found is None or (found[2] is not None and not 0 < int(found[2]) <= 65_535):
        return None
    return url if _is_host(found[1]) else None


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _parses(IPv6Address, host[1:-1])
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdigit() or labels[-1].lower().startswith("0x"):
        # A browser reads 2130706433 and 0x7f.1 as addresses; only four plain numbers are one here.
        return _parses(IPv4Address, host.removesuffix("."))
    return len(host) <= 253 and all(_LABEL.fullmatch(label) and _decodes(label) for label in labels)


def _parses(kind: type[IPv4Address] | type[IPv6Address], text: str) -> bool:
    try:
        kind(text)
    except AddressValueError:
        return False
    return True


def _decodes(label: str) -> bool:
    """Whether an internationalised label is one (RFC 3490); it stays as its author wrote it, homographs included."""
    if not label.lower().startswith("xn--"):
        return True
    try:
        label.encode("ascii").decode("idna")
    except UnicodeError:
        return False
    return True


def _parts(url: str) -> tuple[str, str]:
    """Host and port in lower case without a final dot or a usual port, and path with query."""
    found = _ADDRESS.match(url)
    assert found is not None
    authority = found[1].lower()
    host, colon, port = authority.rpartition(":")
    if colon and port == ("443" if url[:5].lower() == "https" else "80"):
        authority = host
    elif colon and port.isdigit():
        return f"{host.removesuffix('.')}:{port}", found[2]
    return authority.removesuffix("."), found[2]
