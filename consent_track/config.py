"""The configuration of an installation: read once, frozen, every problem reported together, no secret ever shown.

Where a setting comes from: the environment (`CONSENT_TRACK_PUBLIC_URL`) stands above `consent_track.toml` in the home
folder (`public_url`). A database URL may stand in a file of its own (`CONSENT_TRACK_DATABASE_URL_FILE`). The home
folder is the one that is asked for, else `CONSENT_TRACK_HOME`, else `~/.consent_track`: a fixed place, so that a
command gives the same answer from every folder. A name nobody knows is a problem: a misspelt setting must not quietly
do nothing.
"""

import hashlib
import os
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from consent_track import filesystems, settings
from consent_track.bundled import bundled
from consent_track.controllers import read_controllers
from consent_track.domain.controller import Controller
from consent_track.domain.errors import ConfigurationRefused, Problem

FILE: Final = "consent_track.toml"
PREFIX: Final = "CONSENT_TRACK_"
# 256 KiB: a configuration is a page; anything larger is a mistake or an attack on the parser.
LONGEST_FILE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Config:
    """One installation's settings. Sizes in octets.

    `repr` shows no database URL, because it may hold a password.
    """

    home: Path
    role: str  # what this process is: all, collector or web
    database_url: str = field(repr=False)
    keyring_url: str = field(repr=False)
    exempt_url: str = field(repr=False)  # empty: beside the main database
    public_url: str  # where people reach /p, /u and /privacy; no slash at the end
    tracking_url: str  # where mails reach /o and /c
    policies_dirs: tuple[Path, ...]  # a later folder replaces packs of the same id
    translations_dir: Path
    wordings_dir: Path | None  # the operator's own texts; each replaces the shipped one of its id and locale
    keys_dir: Path
    spool_dir: Path
    day_keys_dir: Path
    node: str
    bind_host: str
    bind_port: int
    web_threads: int
    trusted_proxies: tuple[str, ...]
    trusted_hosts: frozenset[str]
    controllers: tuple[Controller, ...]
    next_hop_measures: bool | None  # None: nobody said, so a footer promises less (decision 22)
    scanner_networks: Mapping[str, tuple[str, ...]]
    spool_max_bytes: int
    spool_min_free_bytes: int
    checkpoints_dir: Path = Path("checkpoints")  # of the ledger, one file for each controller
    webhooks_inside: frozenset[str] = frozenset()  # host:port of receivers in the operator's own network
    smtp_url: str = field(default="", repr=False)  # who takes our own mails; empty: pages that need a mail are closed


# One row for each setting: how it is read. The names are those of the file; the environment has them in capitals.
READERS: Final[dict[str, settings.Reader]] = {
    "role": settings.one_of("all", "collector", "web"),
    "database_url": settings.database,
    "keyring_url": settings.database,
    "exempt_url": settings.database,
    "public_url": settings.origin,
    "tracking_url": settings.origin,
    "policies": settings.words,
    "translations": settings.folder,
    "wordings": settings.folder,
    "keys_dir": settings.folder,
    "spool_dir": settings.folder,
    "day_keys_dir": settings.folder,
    "node": settings.node,
    "bind_host": settings.listen_address,
    "bind_port": settings.number(1, 65_535),
    "web_threads": settings.number(1, 64),
    "trusted_proxies": settings.networks,
    "trusted_hosts": settings.hosts,
    "next_hop_measures": settings.yes_or_no,
    "scanner_networks": settings.named_networks,
    "spool_max_mib": settings.number(1, 1_048_576, settings.MIB),
    "spool_min_free_mib": settings.number(0, 1_048_576, settings.MIB),
    "smtp_url": settings.mail_server,
    "checkpoints_dir": settings.folder,
    "webhooks_inside": settings.places,
}
SECRETS: Final = frozenset({"database_url", "keyring_url", "exempt_url", "smtp_url"})
FILE_ONLY: Final = frozenset({"scanner_networks"})  # tables; no environment variable says them well


def home_folder(environ: Mapping[str, str]) -> Path:
    """The home folder where no other is asked for."""
    named = environ.get(f"{PREFIX}HOME", "")
    return Path(named).expanduser() if named else Path(environ.get("HOME") or Path.home()) / ".consent_track"


def load_config(environ: Mapping[str, str], home: Path | None = None) -> Config:
    """Read the configuration. Raises ConfigurationRefused with every problem, each under its setting's name."""
    place = Path(os.path.abspath(home or home_folder(environ)))
    problems: list[Problem] = []
    if "?" in str(place):
        problems.append(Problem(f"{PREFIX}HOME", "must not hold a question mark: it cannot stand in a database URL"))
    values: dict[str, Any] = {}
    written = _read_file(place / FILE, problems)
    _from_file(written, values, problems)
    _from_environment(environ, values, problems)

    if "public_url" not in values and not any("public_url" in problem.where.lower() for problem in problems):
        problems.append(Problem("public_url", f"is missing: set it in {FILE} or as {PREFIX}PUBLIC_URL"))
    values.setdefault("public_url", "")
    controllers = read_controllers(written.get("controller"), values["public_url"], problems) if written else ()
    config = _assemble(place, values, controllers, problems)
    if problems:
        raise ConfigurationRefused(problems)
    return config


def _read_file(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        with path.open("rb") as opened:
            content = opened.read(LONGEST_FILE + 1)
        if len(content) > LONGEST_FILE:
            problems.append(Problem(FILE, f"is larger than {LONGEST_FILE} octets"))
            return {}
        return tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError:
        problems.append(Problem(FILE, f"is not in {path.parent}; make a home folder with: consent-track init"))
    except OSError as error:
        problems.append(Problem(FILE, f"cannot be read ({error.strerror})"))
    except UnicodeDecodeError:
        problems.append(Problem(FILE, "is not UTF-8 text"))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(FILE, f"is not TOML: {error}"))
    return {}


def _take(name: str, where: str, value: object, values: dict[str, Any], problems: list[Problem]) -> None:
    try:
        values[name] = READERS[name](value)
    except ValueError as error:
        problems.append(Problem(where, settings.reason(error)))


def _from_file(written: Mapping[str, Any], values: dict[str, Any], problems: list[Problem]) -> None:
    for name, value in written.items():
        if name in READERS:
            _take(name, f"{FILE}: {name}", value, values, problems)
        elif name != "controller":
            problems.append(Problem(f"{FILE}: {name}", "is not a setting"))


def _from_environment(environ: Mapping[str, str], values: dict[str, Any], problems: list[Problem]) -> None:
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and name != f"{PREFIX}HOME"):
        name, value = variable.removeprefix(PREFIX).lower(), environ[variable]
        if name.removesuffix("_file") in SECRETS and name.endswith("_file"):
            name = name.removesuffix("_file")
            if f"{PREFIX}{name.upper()}" in environ:
                problems.append(Problem(variable, f"and {PREFIX}{name.upper()} are both set"))
                continue
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                problems.append(Problem(variable, f"names a file that cannot be read ({type(error).__name__})"))
                continue
        if name not in READERS or name in FILE_ONLY:
            hint = f"stands in {FILE} only" if name in FILE_ONLY else "is not a setting"
            problems.append(Problem(variable, hint))
        elif not value.strip():
            problems.append(Problem(variable, "is empty; remove it or give it a value"))
        else:
            _take(name, variable, value, values, problems)


def _assemble(
    home: Path, values: Mapping[str, Any], controllers: tuple[Controller, ...], problems: list[Problem]
) -> Config:
    """Fill in what was not said. Relative folders are read from the home folder."""
    public = values["public_url"]
    tracking = values.get("tracking_url", public)
    hosts = {settings.host_of(url) for url in (public, tracking) if url}.union(
        values.get("trusted_hosts", ()), *(controller.hosts for controller in controllers)
    )
    database_url, keyring_url = _databases(home, values, problems)
    translations = values.get("translations")
    return Config(
        home=home,
        role=values.get("role", "all"),
        database_url=database_url,
        keyring_url=keyring_url,
        exempt_url=values.get("exempt_url", ""),
        public_url=public,
        tracking_url=tracking,
        policies_dirs=_policies(home, values.get("policies"), problems),
        translations_dir=home / translations if translations else _shipped("translations", problems),
        wordings_dir=_wordings(home, values.get("wordings"), problems),
        keys_dir=home / values.get("keys_dir", "keys"),
        spool_dir=home / values.get("spool_dir", "spool"),
        day_keys_dir=home / values.get("day_keys_dir", _day_keys(home)),
        node=values.get("node") or machine_name(),
        bind_host=values.get("bind_host", "127.0.0.1"),
        bind_port=values.get("bind_port", 8080),
        web_threads=values.get("web_threads", 8),
        trusted_proxies=values.get("trusted_proxies", ()),
        trusted_hosts=frozenset(hosts),
        controllers=controllers,
        next_hop_measures=values.get("next_hop_measures"),
        scanner_networks=MappingProxyType(values.get("scanner_networks", {})),
        spool_max_bytes=values.get("spool_max_mib", 1024 * settings.MIB),
        spool_min_free_bytes=values.get("spool_min_free_mib", 256 * settings.MIB),
        smtp_url=values.get("smtp_url", ""),
        webhooks_inside=values.get("webhooks_inside", frozenset()),
        checkpoints_dir=home / values.get("checkpoints_dir", "checkpoints"),
    )


def _databases(home: Path, values: Mapping[str, Any], problems: list[Problem]) -> tuple[str, str]:
    """Two stores, never one: else a backup of the rows would hold the keys that make erased rows readable again."""
    database = values.get("database_url", f"sqlite:///{home / 'consent_track.db'}")
    keyring = values.get("keyring_url", f"sqlite:///{home / 'keyring.db'}")
    if not database.startswith("sqlite") and "keyring_url" not in values:
        problems.append(Problem("keyring_url", "is missing: with PostgreSQL, name a second database with its own role"))
    elif settings.without_password(database) == settings.without_password(keyring):
        problems.append(Problem("keyring_url", "is the same database as database_url"))
    return database, keyring


def _policies(home: Path, named: tuple[str, ...] | None, problems: list[Problem]) -> tuple[Path, ...]:
    own = home / "policies"
    folders = [home / Path(name).expanduser() for name in named] if named is not None else [own] * own.is_dir()
    missing = [folder for folder in folders if not folder.is_dir()]
    problems += [Problem("policies", f"{folder} is not a folder") for folder in missing]
    return (_shipped("policies", problems), *folders)


def _wordings(home: Path, named: Path | None, problems: list[Problem]) -> Path | None:
    folder = home / (named or "wordings")
    if folder.is_dir():
        return folder
    if named is not None:
        problems.append(Problem("wordings", f"{folder} is not a folder"))
    return None


def _shipped(name: str, problems: list[Problem]) -> Path:
    try:
        return bundled(name)
    except FileNotFoundError as error:
        problems.append(Problem(name, str(error)))
        return Path()


def _day_keys(home: Path) -> Path:
    """In memory where this machine offers it: what forgets by itself at a power cut needs no promise (IP-07)."""
    shared = Path("/dev/shm")  # noqa: S108 - the folder made in it is 0700 and named after this home
    if filesystems.is_in_memory(shared):
        return shared / f"consent_track-{hashlib.sha256(os.fsencode(os.path.realpath(home))).hexdigest()[:16]}"
    return home / "day_keys"


def machine_name() -> str:
    """The host's name in the alphabet of a node; `init` writes it down, so that a renamed host keeps its spool."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in ".-_") else "-" for c in socket.gethostname())
    return kept.strip(".-_")[:64] or "node"
