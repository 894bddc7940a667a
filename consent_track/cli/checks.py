"""The questions of `doctor`, one small function each: it yields what it found, and changes nothing."""

import ipaddress
import json
import os
import platform
import shutil
import sqlite3
import ssl
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Final

from consent_track import filesystems, settings
from consent_track.activities import proving, publishing
from consent_track.config import FILE, Config
from consent_track.controllers import PLACEHOLDER
from consent_track.crypto import keyring
from consent_track.domain.errors import ConsentTrackError, Problem, Refused, SendFailed
from consent_track.domain.exempt import MODES
from consent_track.domain.policy import Policies
from consent_track.i18n import load_wordings
from consent_track.policy_files import load_policies, remarks
from consent_track.records import ledger
from consent_track.records import sign_offs as signatures
from consent_track.records.database import check, open_database, read
from consent_track.smtp import MailServer

# The day of this release. A machine whose clock stands before it would call every consent one of the future.
RELEASED: Final = 1_795_392_000  # 2026-11-23
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Mark(Enum):
    """How a finding stands: right, to look at, to repair."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one question."""

    check: str
    mark: Mark
    what: str


@dataclass(slots=True)
class Inspection:
    """What the checks look at. `config` is None where it does not load; then `problems` says why."""

    home: Path
    now: float
    config: Config | None = None
    problems: tuple[Problem, ...] = field(default=())

    @property
    def settings(self) -> Config:
        if self.config is None:
            raise ConsentTrackError("the configuration does not load")
        return self.config


Findings = Iterator[tuple[Mark, str]]


def software(_seen: Inspection) -> Findings:
    """Python and the libraries of C that come with it."""
    python = platform.python_version()
    below = f"SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}, cryptography {version('cryptography')}"
    parts = f"Python {python}, {below}"
    if sys.version_info[:2] == (3, 11) and sys.version_info < (3, 11, 14):
        yield Mark.WARN, f"{parts}; it works, but Python 3.11.14 and later have security fixes that this one lacks"
    else:
        yield Mark.OK, parts


def home_folder(seen: Inspection) -> Findings:
    """Its own user's, and nobody else's."""
    if not seen.home.is_dir():
        yield Mark.FAIL, "is not there; make it with: consent-track init"
        return
    if seen.home.stat().st_mode & _OTHERS:
        yield Mark.FAIL, f"can be entered by others; run: chmod 700 {seen.home}"
    places = [seen.home / FILE, *seen.home.glob("*.db*")]
    open_ones = [place.name for place in places if place.exists() and place.stat().st_mode & _OTHERS]
    if open_ones:
        yield Mark.FAIL, f"{', '.join(sorted(open_ones))}: can be read by others; run: chmod 600"
    elif not seen.home.stat().st_mode & _OTHERS:
        yield Mark.OK, "can be read by its own user only"


def configuration(seen: Inspection) -> Findings:
    """Whether it loads, and whose installation this is."""
    if seen.config is None:
        yield from ((Mark.FAIL, str(problem)) for problem in seen.problems)
        return
    if any(controller.name == PLACEHOLDER for controller in seen.config.controllers):
        yield Mark.WARN, f"loads, but still names {PLACEHOLDER!r} as the controller; say in {FILE} who sends the mails"
    else:
        names = ", ".join(f"{controller.number} {controller.name}" for controller in seen.config.controllers)
        yield Mark.OK, f"loads; controllers: {names}"


def keys(seen: Inspection) -> Findings:
    """All there, unlike one another, unknown to others, each labelled with its use."""
    try:
        held = keyring.load(seen.settings.keys_dir)
    except Refused as refused:
        yield from ((Mark.FAIL, str(problem)) for problem in refused.problems)
        return
    states = ", ".join(f"{key.id} {key.state.value}" for key in held.tokens)
    yield Mark.OK, f"all there and sound; token keys: {states}"


def escrow_key(seen: Inspection) -> Findings:
    """The key that opens kept proofs of consent does not belong on a machine that is reached from outside."""
    path = seen.settings.keys_dir / "escrow-private.key"
    if path.exists():
        yield Mark.WARN, f"{path} is still here; move it to a safe place off this machine"
    else:
        yield Mark.OK, "its private half is not on this machine"


def stores(seen: Inspection) -> Findings:
    """All databases answer and have this release's schema."""
    config = seen.settings
    shown = settings.without_password(config.database_url)
    if config.database_url.startswith("sqlite"):
        files = [Path(url.removeprefix("sqlite:///")) for url in (config.database_url, config.keyring_url)]
        files.append(Path(config.exempt_url.removeprefix("sqlite:///") or files[0].with_name("exempt.db")))
        missing = [path for path in files if not path.is_file()]  # opening would make an empty one
        yield from ((Mark.FAIL, f"{path} is not there") for path in missing)
        if kind := next(
            (kind for path in files if (kind := filesystems.kind_of(path)) in filesystems.ON_A_NETWORK), ""
        ):
            yield Mark.FAIL, f"SQLite lies on a network file system ({kind}): its locks do not hold there"
        if missing:
            return
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    try:
        late = check(database)
    finally:
        database.close()
    yield from ((Mark.FAIL, f"{what}; run: consent-track db upgrade") for what in late)
    if not late:
        yield Mark.OK, f"{shown}, the keyring and the exempt store answer; all are current"


def _policies(seen: Inspection) -> Policies:
    wordings = load_wordings(seen.settings.translations_dir, seen.settings.wordings_dir)
    return load_policies(seen.settings.policies_dirs, purpose_texts=wordings.has_purpose)


def policies(seen: Inspection) -> Findings:
    """They load; which of the shipped ones the operator replaced; which are drafts."""
    try:
        loaded = _policies(seen)
    except Refused as refused:
        yield from ((Mark.FAIL, str(problem)) for problem in refused.problems)
        return
    yield Mark.OK, f"{len(loaded.by_id)} load: {', '.join(sorted(loaded.by_id))}"
    said = remarks(seen.settings.policies_dirs)
    for pack in said.replaced:
        yield Mark.WARN, f"{pack}: replaces the shipped pack of this id"
    yield from ((Mark.WARN, pack) for pack in said.edited)
    if said.drafts:
        yield Mark.WARN, f"drafts, not released: {', '.join(said.drafts)}"


def house_regimes(seen: Inspection) -> Findings:
    """Where the operator chose to measure without consent, after a notice."""
    house = _policies(seen).house
    for jurisdiction, regime in sorted(house.regimes.items()):
        notice = house.notices.get(jurisdiction, "none recorded")
        yield Mark.WARN, f"{jurisdiction}: {regime.value} instead of consent, by your choice; notice: {notice}"
    if house.legacy_regimes:
        yield Mark.WARN, f"transition for addresses held before is in use: {', '.join(sorted(house.legacy_regimes))}"
    if not house.regimes and not house.legacy_regimes:
        yield Mark.OK, "measuring one person needs that person's consent everywhere"


def exempt_modes(seen: Inspection) -> Findings:
    """Which modes need no consent here, after which notice, and whether their data is kept apart (AH-14)."""
    config, house = seen.settings, _policies(seen).house
    on = [mode for mode in MODES if mode in house.notices]
    for mode in on:
        yield Mark.WARN, f"{mode} is on where the law exempts it, by your choice; notice: {house.notices[mode]}"
    if not on:
        yield Mark.OK, "off: neither list hygiene nor the aggregate count has a recorded notice"
        return
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    try:
        if not database.exempt_is_apart:
            yield Mark.FAIL, "the role of the main database can read the exempt store; name its own role as exempt_url"
    finally:
        database.close()
    if config.next_hop_measures is not False:
        yield Mark.WARN, "no exempt pixel is placed: next_hop_measures is not declared as no"


def locales(seen: Inspection) -> Findings:
    """A locale with a missing legal text is blocked; it never falls back to another language."""
    wordings = load_wordings(seen.settings.translations_dir, seen.settings.wordings_dir)
    yield from ((Mark.WARN, str(problem)) for problem in wordings.problems())
    defaults = {controller.default_locale for controller in seen.settings.controllers}
    blocked = sorted(locale for locale in defaults if wordings.texts(locale) is None)
    for locale in blocked:
        yield Mark.FAIL, f"{locale}: a controller's default, but its texts are missing or incomplete"
    if wordings.locales and not blocked:
        yield Mark.OK, f"complete: {', '.join(wordings.locales)}"


def sign_offs(seen: Inspection) -> Findings:
    """Unreviewed legal texts do not grant (decision 27)."""
    wordings = load_wordings(seen.settings.translations_dir, seen.settings.wordings_dir)
    config = seen.settings
    signed: list[str] = []
    unsigned: list[str] = []
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    try:
        with read(database.engine) as session:
            for locale, texts in wordings.complete.items():
                known = signatures.find(session, locale, texts.hash)
                (unsigned if known is None else signed).append(locale)
    finally:
        database.close()
    if unsigned:
        yield Mark.WARN, f"{', '.join(unsigned)}: nobody signed these texts; run: consent-track policy sign-off"
    if signed:
        yield Mark.OK, f"signed: {', '.join(signed)}"


def checkpoints(seen: Inspection) -> Findings:
    """The ledger has to pass through what was signed and written down of it: else its end was cut off (threat T47)."""
    config = seen.settings
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    try:
        with read(database.engine) as session:
            for controller in config.controllers:
                kept = publishing.newest(config.checkpoints_dir, controller.number)
                last, _ = ledger.head(session, controller.number)
                if kept is None:
                    if last:
                        yield Mark.WARN, f"controller {controller.number} has none yet; the worker writes one a day"
                    continue
                at, hash_ = int(kept["sequence"]), proving.read_checkpoint(json.dumps(kept))[0].hash
                if ledger.hash_before(session, controller.number, at + 1) != hash_:
                    yield Mark.FAIL, f"the ledger of controller {controller.number} is not the one signed at entry {at}"
                else:
                    yield Mark.OK, f"the ledger of controller {controller.number} passes through entry {at} of {last}"
    finally:
        database.close()


def spool(seen: Inspection) -> Findings:
    """On a local disk, with room; it holds hits for at most three days and stands in no backup."""
    folder, least = seen.settings.spool_dir, seen.settings.spool_min_free_bytes
    if not folder.is_dir():
        yield Mark.FAIL, f"{folder} is not there; run: mkdir -m 700 {folder}"
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Mark.FAIL, f"{folder} cannot be written to: nothing is recorded"
        return
    kind, free = filesystems.kind_of(folder), shutil.disk_usage(folder).free
    if kind in filesystems.ON_A_NETWORK:
        yield Mark.FAIL, f"{folder} lies on a network file system ({kind}); it needs a local disk"
    elif kind in filesystems.IN_MEMORY:
        yield Mark.WARN, f"{folder} lies in memory ({kind}): a restart of the machine loses what is not drained yet"
    elif free < least:
        yield Mark.FAIL, f"{free // settings.MIB} MiB free, fewer than {least // settings.MIB}: nothing is recorded"
    else:
        yield Mark.OK, f"{free // settings.MIB} MiB free on {kind or 'an unknown file system'}"


def day_keys(seen: Inspection) -> Findings:
    """In memory, where a power cut forgets them; and nobody else's."""
    folder = seen.settings.day_keys_dir
    if folder.is_dir():
        state = folder.stat()
        if state.st_uid != os.getuid() or state.st_mode & _OTHERS:
            yield Mark.FAIL, f"{folder} belongs to somebody else or can be read by others"
            return
    if filesystems.kind_of(folder) in filesystems.IN_MEMORY:
        yield Mark.OK, f"{folder} lies in memory"
    else:
        yield Mark.WARN, f"{folder} lies on a disk: name a folder in memory (tmpfs) as day_keys_dir"


def clock(seen: Inspection) -> Findings:
    """Consent is a matter of before and after."""
    newest = max((path.stat().st_mtime for path in seen.home.glob("*.db")), default=0.0)
    if seen.now < RELEASED:
        yield Mark.FAIL, "stands before the day of this release"
    elif newest > seen.now + settings.HOUR:
        yield Mark.FAIL, "stands more than an hour before the last change of a database"
    else:
        yield Mark.OK, "stands after this release and after the last change of the databases"


def public_url(seen: Inspection) -> Findings:
    """What stands in every mail."""
    for url in dict.fromkeys((seen.settings.public_url, seen.settings.tracking_url)):
        if settings.is_local(url):
            yield Mark.WARN, f"{url} leads to the reader's own machine: fit for trying out only"
        else:
            yield Mark.OK, f"{url} is https"


def proxies(seen: Inspection) -> Findings:
    """Whose word is taken for a client's address (threat T9)."""
    config = seen.settings
    everywhere = config.bind_host != "localhost" and ipaddress.ip_address(config.bind_host).is_unspecified
    behind = not settings.is_local(config.public_url)
    if behind and not config.trusted_proxies:
        yield Mark.WARN, "none is trusted: every hit seems to come from the proxy that ends TLS; set trusted_proxies"
    elif everywhere and not config.trusted_proxies:
        yield (
            Mark.WARN,
            f"it listens on every address ({config.bind_host}) without a proxy: use 127.0.0.1 to try it out",
        )
    elif everywhere:
        yield Mark.OK, f"{', '.join(config.trusted_proxies)} trusted; it listens on every address, so let only them in"
    else:
        yield Mark.OK, f"trusted: {', '.join(config.trusted_proxies) or 'none'}; it listens on {config.bind_host}"


def next_hop(seen: Inspection) -> Findings:
    """Whether the server that sends the mails on measures, too: only the operator knows (decision 22)."""
    said = seen.settings.next_hop_measures
    if said is None:
        yield Mark.WARN, "next_hop_measures is not set: unmeasured mails promise only what this installation does"
    elif said:
        yield Mark.WARN, "the next hop measures by itself: unmeasured mails promise only what this installation does"
    else:
        yield Mark.OK, "declared to measure nothing"


def mail_server(seen: Inspection) -> Findings:
    config = seen.settings
    if not config.smtp_url:
        yield Mark.WARN, "smtp_url is not set: nobody can say yes on a page, or get a link to their choices"
        return
    try:
        MailServer(config.smtp_url, config.controllers[0].mailbox).greet()
    except SendFailed as failed:
        yield Mark.FAIL, f"{failed}; mails wait in the outbox for three days"
    else:
        yield Mark.OK, "the mail server answers"
