"""How each kind of setting is read, from the words of an environment or the values of a TOML file, and what is refused.

Every reader takes a `str` or a TOML value and raises ValueError with a reason that never repeats the value: a value
may be a secret, or hold one.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from consent_track.domain.address import normalise
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import INDIVIDUAL, Purpose, is_jurisdiction

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
MIB: Final = 1024 * 1024
HOUR: Final = 3600

_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_NODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DATABASES: Final = frozenset({"sqlite", "postgresql", "postgresql+psycopg"})


def text(value: object) -> str:
    """One line of text, not empty."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not value.strip():
        raise ValueError("is empty; remove it or give it a value")
    if _CONTROL.search(value):
        raise ValueError("holds a control character or a line break")
    return value.strip()


def name(value: object) -> str:
    """A name as recipients read it; it stands in headers of mails, where `=?` would begin another (RFC 2047)."""
    found = text(value)
    if "=?" in found:
        raise ValueError("must not hold =?: it has a meaning of its own in mails")
    return found


def lines(value: object) -> str:
    """Text that may have several lines, such as a postal address; may be empty."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if _CONTROL.search(value.replace("\n", "")):
        raise ValueError("holds a control character")
    return value.strip()


def words(value: object) -> tuple[str, ...]:
    """A list: comma-separated in the environment, an array in TOML."""
    if isinstance(value, str):
        value = [part for part in (piece.strip() for piece in value.split(",")) if part]
    if not isinstance(value, list):
        raise ValueError("must be a list")
    return tuple(text(part) for part in value)


def yes_or_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("yes", "no"):
        return value.strip().lower() == "yes"
    raise ValueError('must be "yes" or "no"')


def one_of(*known: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return str(value)

    return read


def number(least: int, most: int, unit: int = 1) -> Callable[[object], int]:
    """A whole number from `least` to `most`, in units of `unit`."""

    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value * unit

    return read


def folder(value: object) -> Path:
    """A path; a relative one is read from the home folder."""
    return Path(text(value)).expanduser()


def node(value: object) -> str:
    """The name of this machine; it names a folder of the spool, hence the narrow alphabet."""
    name = text(value)
    if not _NODE.fullmatch(name):
        raise ValueError("may have letters, digits, dot, hyphen and underscore, at most 64, a letter or digit first")
    return name


def host(value: object) -> str:
    """A host name without scheme, port or path, in lower case. A leading dot would trust a whole domain: refused."""
    name = text(value).lower()
    if not _HOST.fullmatch(name) and name != "[::1]":
        raise ValueError("must be a plain host name such as track.example.org (without https://, port or path)")
    return name


def hosts(value: object) -> frozenset[str]:
    return frozenset(host(part) for part in words(value))


def places(value: object) -> frozenset[str]:
    """Hosts with ports, such as `crm.internal:8443`."""
    found = words(value)
    for one in found:
        name, _, port = one.rpartition(":")
        if not name or not port.isdecimal() or not 1 <= int(port) <= 65_535:
            raise ValueError("must be hosts with ports, such as crm.internal:8443")
    return frozenset(found)


def _split(value: object) -> SplitResult:
    address = text(value)
    if re.search(r"\s|\\", address):
        raise ValueError("is not a URL: it holds a space or a backslash")
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise ValueError("must not hold a user name or a password")
    name = parts.hostname or ""
    if name not in LOCAL_HOSTS and not _HOST.fullmatch(name):
        raise ValueError("must have a plain host name; write an international name in its xn-- form")
    if parts.port == 0:  # reading .port raises ValueError for a port that is no number or too large
        raise ValueError("must not have port 0")
    if parts.scheme != "https" and not (parts.scheme == "http" and name in LOCAL_HOSTS):
        raise ValueError("must begin with https:// (http:// is for localhost only)")
    return parts


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def host_of(url: str) -> str:
    """The host of one of our URLs as a Host header writes it, without its port."""
    return _bracketed(urlsplit(url).hostname or "")


def is_local(url: str) -> bool:
    """Whether a URL leads to this very machine, so that nobody else can open it."""
    return urlsplit(url).hostname in LOCAL_HOSTS


def origin(value: object) -> str:
    """Where this installation is reached: scheme, host and port, without a slash at the end.

    Mailed links are made from this and from nothing a request says (Host header poisoning). https, because a token in
    a URL must not be readable on its way; http only for this very machine.
    """
    parts = _split(value)
    if parts.path not in ("", "/") or parts.query or parts.fragment or text(value).rstrip("/").endswith(("?", "#")):
        raise ValueError("must not have a path, a query or a fragment")
    return f"{parts.scheme}://{_bracketed(parts.hostname or '')}{f':{parts.port}' if parts.port else ''}"


def page(value: object) -> str:
    """A web page that people are sent to."""
    _split(value)
    return text(value)


def mailbox(value: object) -> str:
    """An e-mail address that people can write to."""
    address = text(value)
    try:
        normalise(address)
    except InputRefused:
        raise ValueError("is not one plain e-mail address") from None
    return address


def locale(value: object) -> str:
    code = text(value)
    if not _LOCALE.fullmatch(code):
        raise ValueError("must be a language code such as en, fr or pt-BR")
    return code


def names_by_locale(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise ValueError('must be a table such as { ar = "…" }')
    return tuple(sorted((locale(code), name(said)) for code, said in value.items()))


def time_zone(value: object) -> str:
    name = text(value)
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("is no time zone this machine knows, such as Europe/Paris (Debian package: tzdata)") from None
    return name


def network(value: object) -> str:
    """An address range in CIDR form. The whole internet is refused: trusting everybody is trusting a forged header."""
    try:
        found = ipaddress.ip_network(text(value), strict=True)
    except ValueError:
        raise ValueError("must be address ranges such as 10.0.0.0/8 or 127.0.0.1/32 (no host bits set)") from None
    if found.prefixlen == 0:
        raise ValueError("must not be every address there is")
    return str(found)


def networks(value: object) -> tuple[str, ...]:
    return tuple(network(part) for part in words(value))


def named_networks(value: object) -> dict[str, tuple[str, ...]]:
    """Tables of address ranges by name, such as `[scanner_networks] gateway = ["192.0.2.0/24"]`."""
    if not isinstance(value, Mapping):
        raise ValueError("must be a table of lists of address ranges")
    for name in value:
        if not re.fullmatch(r"[a-z0-9_-]{1,40}", str(name)):
            raise ValueError("has a name with other characters than a-z, 0-9, hyphen and underscore")
    return {str(name): networks(ranges) for name, ranges in value.items()}


def purposes(value: object) -> tuple[Purpose, ...]:
    """The purposes that consent is asked for, each once, in the order given."""
    named = tuple(dict.fromkeys(words(value)))
    if not named or not set(named) <= {purpose.value for purpose in INDIVIDUAL}:
        raise ValueError(f"must be a list of purposes that consent can be given for: {', '.join(sorted(INDIVIDUAL))}")
    riders = {Purpose.PERSONALISATION.value, Purpose.SALES_FOLLOWUP.value}
    if set(named) <= riders:
        raise ValueError("must hold open_performance or click_performance: the other purposes ride on them")
    return tuple(Purpose(name) for name in named)


def jurisdiction(value: object) -> str:
    code = text(value)
    if not is_jurisdiction(code):
        raise ValueError("must be an ISO 3166 code such as FR or US-CA")
    return code


def colour(value: object) -> str:
    """The colour of buttons. White letters on it must be readable (WCAG 1.4.3: 4.5 to 1), whoever chose it."""
    code = text(value).lower()
    if not re.fullmatch(r"#[0-9a-f]{6}", code):
        raise ValueError("must be a colour such as #14524e")
    if contrast(code, "#ffffff") < READABLE:
        raise ValueError("must be darker: white letters on it could not be read (contrast below 4.5 to 1)")
    return code


READABLE: Final = 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(code: str) -> float:
    parts = [int(code[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mail_server(value: object) -> str:
    """The URL of a mail server. It may hold a password, so no reason quotes it."""
    parts = urlsplit(text(value))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("must begin with smtp:// or smtps:// and name a host")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.port == 0:
        raise ValueError("must be like smtp://user:password@mail.example.org:587")
    if parts.username and parts.scheme == "smtp" and parts.port == 25 and parts.hostname not in LOCAL_HOSTS:
        raise ValueError("must not log in on port 25; use 587 or smtps://")
    return text(value)


def listen_address(value: object) -> str:
    """An address of this machine, or localhost."""
    name = text(value)
    if name != "localhost":
        try:
            ipaddress.ip_address(name)
        except ValueError:
            raise ValueError("must be an IP address of this machine, such as 127.0.0.1 or 0.0.0.0") from None
    return name


def database(value: object) -> str:
    """The URL of a database: SQLite by absolute path, or PostgreSQL. It may hold a password, so no reason quotes it."""
    url = text(value)
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _DATABASES:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if scheme == "sqlite" and (not rest.startswith("//") or rest.endswith("/") or "?" in rest):
        raise ValueError("must name a file by its absolute path: sqlite:////var/lib/consent_track/consent_track.db")
    if scheme != "sqlite":
        parts = urlsplit(url)
        if not parts.path.strip("/") or parts.port == 0:
            raise ValueError("must name a database: postgresql://user@host/name")
    return url


def without_password(url: str) -> str:
    """A database URL as it may be shown: without user, password and parameters."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def reason(error: ValueError) -> str:
    """The words of a refusal; those of a library are replaced, because they may quote the value."""
    said = str(error)
    return said if said.startswith(("must", "is ", "may", "has", "holds")) else "cannot be read"


Reader = Callable[[object], Any]
