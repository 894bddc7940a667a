"""`init`: a home folder with keys, databases and a configuration that explains itself. It never overwrites anything."""

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from consent_track.bundled import bundled
from consent_track.config import FILE, PREFIX, load_config, machine_name
from consent_track.controllers import PLACEHOLDER
from consent_track.crypto import keyring
from consent_track.domain.errors import ConfigurationRefused
from consent_track.records.database import is_new, open_database, upgrade

from . import Home, pass_home

ESCROW: Final = "escrow-private.key"
# Of the environment, only where the databases are goes into a new home: all else would point outside of it.
_STORES: Final = tuple(
    f"{PREFIX}{name}{end}" for name in ("DATABASE_URL", "KEYRING_URL", "EXEMPT_URL") for end in ("", "_FILE")
)

_CONFIGURATION: Final = """\
# consent_track: the configuration of this installation. Read once at start; unknown names are refused.
# Every setting outside the [[controller]] tables can also come from the environment, which stands above this file:
# CONSENT_TRACK_PUBLIC_URL, CONSENT_TRACK_DATABASE_URL, ... Check with: consent-track doctor

# Where people reach this installation. Every link in a mail begins with it, so it must be right, and https.
public_url = {public_url}
# tracking_url = "https://t.example.org"       # pixels and tracked links, if on another host
# trusted_hosts = []                           # further names it answers to, such as a former host

# Where it listens. A proxy in front ends TLS; name the proxy's address, or nobody's real address is known.
# bind_host = "127.0.0.1"
# bind_port = 8080
# web_threads = 8
# trusted_proxies = ["127.0.0.1/32"]

# The name of this machine for its spool and day keys. Every machine needs its own; never change it with a full spool.
node = {node}

# Does the server that sends the mails on measure opens or clicks by itself? "no" lets a footer promise more.
# next_hop_measures = "no"

# SQLite files in this folder unless you name PostgreSQL; then the keys need a second database with its own role.
# A URL with a password may stand in a file: CONSENT_TRACK_DATABASE_URL_FILE=/run/secrets/database_url
# database_url = "postgresql://consent_track@db.example.org/consent_track"
# keyring_url = "postgresql://consent_track_keys@db.example.org/consent_track_keys"
# What is exempt from consent is kept apart: exempt.db in this folder; with PostgreSQL, for a role of its own.
# exempt_url = "postgresql://consent_track_exempt@db.example.org/consent_track"

# Folders of your own rule packs; a pack replaces the shipped one of the same id. Read from this folder.
# policies = ["policies"]
# translations = "/etc/consent_track/translations"

# The folder of your own words; a file wordings/<locale>/<text id>.txt replaces the shipped text of that id.
# wordings = "wordings"

# The spool stands between a hit and the database, at most 72 hours. A local disk, never backed up.
# spool_max_mib = 1024
# spool_min_free_mib = 256

# Who takes our own mails (confirmations, links). Without it nobody can say yes on a page. Also as SMTP_URL_FILE.
# smtp_url = "smtp://user:password@mail.your-company.example:587"

# Address ranges of link scanners you know; hits from them are never taken for a person.
# [scanner_networks]
# gateway = ["192.0.2.0/24"]

# Who decides why people are measured (GDPR Art. 4(7)); every mail and page names them. `number` is for ever.
[[controller]]
number = 1
name = {name}
contact = {contact}
privacy_policy = {privacy_policy}
# postal_address = ""
# default_locale = "en"                        # of a mail whose language nobody says
# time_zone = "Europe/Paris"
# unsubscribe = "sender"                       # whose unsubscribe link a mail has: sender, or consent_track
# sender = "newsletter@your-company.example"   # whom our own mails (confirmations) come from; default: contact
# purposes = ["open_performance", "click_performance"]   # what people are asked for
# jurisdiction = "FR"                          # whose law the consent form is under where nobody says
# accent = "#14524e"                           # the colour of buttons on its pages
# hosts = []                                   # hosts its tokens are valid on; empty: all of this installation

# Who handles the data for this controller; `consent-track notice` names them. Roles: sending, hosting, crm, support,
# security. `complaints` is the page of the authority people can complain to.
# processors = [{{ name = "Mail House Ltd", role = "sending", country = "IE" }}]
# joint_controllers = [{{ name = "Acme Shop Ltd", essence = "https://acme.example/joint" }}]
# complaints = "https://ico.org.uk/make-a-complaint"
"""

_POLICIES: Final = """\
This folder is yours. house.toml holds your own, stricter choices; a rule pack (*.toml) with the id of a shipped one
replaces it, and start-up says so. After a change: consent-track policy check
"""

_WORDINGS: Final = """\
This folder is yours: the words recipients read, one plain text a file, <locale>/<text id>.txt, in UTF-8. A file here
replaces the shipped text; a text without a file keeps the shipped words. %(controller)s and the like are filled in.

    consent-track wordings export en .    writes the shipped English texts here, to be changed
    consent-track wordings check          says what is wrong with a file
    consent-track preview                 shows every footer, mail and page in your browser
    consent-track wordings sign-off       records who approved the words; until then they ask nobody
"""


@click.command()
@click.option("--controller-name", default=PLACEHOLDER, help="Who sends the mails, as recipients know them.")
@click.option("--contact", default="privacy@your-company.example", help="E-mail address for questions of recipients.")
@click.option("--privacy-policy", default="https://your-company.example/privacy", help="URL of the privacy policy.")
@click.option("--public-url", default="http://localhost:8080", help="Where recipients will reach this installation.")
@pass_home
def init(home: Home, controller_name: str, contact: str, privacy_policy: str, public_url: str) -> None:
    """Make a home folder: keys (mode 0600), databases, commented configuration, house policy, spool."""
    target = home.folder()
    values = {
        "public_url": public_url,
        "node": machine_name(),
        "name": controller_name,
        "contact": contact,
        "privacy_policy": privacy_policy,
    }
    create_home(target, values, home.environ, int(time.time()))
    home.emit(
        {"home": str(target), "configuration": str(target / FILE), "escrow_private_key": str(target / "keys" / ESCROW)},
        _next_steps(target, controller_name),
    )


def create_home(target: Path, values: Mapping[str, str], environ: Mapping[str, str], now: int) -> None:
    """Build the home beside its place and move it there in one step: all of it, or nothing.

    Raises ConfigurationRefused if there is anything at `target`, or if a value cannot be used.
    """
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise ConfigurationRefused.one(str(target), "is there already; nothing is overwritten")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))  # mode 0700
    except OSError as error:
        raise ConfigurationRefused.one(str(target.parent), f"cannot be written to ({error.strerror})") from None
    try:
        _build(building, values, {name: environ[name] for name in _STORES if name in environ}, now)
        _move(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _build(place: Path, values: Mapping[str, str], environ: Mapping[str, str], now: int) -> None:
    _write(place / FILE, _CONFIGURATION.format(**{name: _quoted(value) for name, value in values.items()}))
    policies, wordings = place / "policies", place / "wordings"
    for folder in (policies, wordings, place / "spool"):
        folder.mkdir(mode=0o700)
    _write(policies / "README", _POLICIES)
    _write(wordings / "README", _WORDINGS)
    _write(policies / "house.toml", (bundled("policies") / "house.toml").read_text(encoding="utf-8"))

    config = load_config(environ, place)
    keyring.create(config.keys_dir, now)
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    try:
        if not is_new(database):
            raise ConfigurationRefused.one(
                "database_url", "holds tables already: new keys could not read what an installation wrote there"
            )
        upgrade(database)
    finally:
        database.close()


def _move(building: Path, target: Path) -> None:
    """A rename onto an empty folder replaces it; onto anything else it fails, also if that appeared a moment ago."""
    try:
        building.rename(target)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise ConfigurationRefused.one(str(target), "is a mount point: name a folder inside it") from None
        raise ConfigurationRefused.one(str(target), f"cannot be made ({error.strerror})") from None


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)


def _quoted(value: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's. DEL, which it is not, the configuration refuses."""
    return json.dumps(value, ensure_ascii=False)


def _next_steps(target: Path, name: str) -> str:
    steps: list[Any] = [
        f"Move {target / 'keys' / ESCROW} to a safe place off this machine: it opens the proofs of consent that are\n"
        "     kept after an erasure, and nothing here needs it.",
        f"Read {target / FILE}"
        + (" and say there who sends the mails ([[controller]])." if name == PLACEHOLDER else "."),
        f"consent-track --home {target} doctor",
        f"consent-track --home {target} serve",
    ]
    lines = [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    return "\n".join([f"Made {target}: keys, databases, configuration, house policy.", "Next:", *lines])
