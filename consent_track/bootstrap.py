"""From a configuration to a running installation: the one place that knows everyone, by their doors only."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar
from urllib.parse import urlsplit

from sqlmodel import Session

from consent_track.activities import Processing, exempting, mailing
from consent_track.activities.scanning import Places
from consent_track.collector.consent_view import ConsentView
from consent_track.collector.networks import Networks
from consent_track.collector.proxies import TrustedProxies
from consent_track.collector.runtime import CollectorRuntime, Observe
from consent_track.collector.spool import SpoolWriter
from consent_track.config import Config
from consent_track.crm.transport import Transport
from consent_track.crm.webhook import read_secrets
from consent_track.crypto.epochs import Epochs
from consent_track.crypto.keyring import Keyring
from consent_track.crypto.keyring import load as load_keyring
from consent_track.crypto.nonces import Nonces
from consent_track.crypto.pseudonyms import DayKeys
from consent_track.crypto.tokens import Tokens
from consent_track.domain.consent import ConsentState
from consent_track.domain.controller import Controller, Processor
from consent_track.domain.errors import ConfigurationRefused, Problem, Refused, StorageUnavailable
from consent_track.domain.exempt import MODES, Opened
from consent_track.domain.policy import Policies
from consent_track.domain.procedure import Procedures
from consent_track.holiday_calendar import calendar_of
from consent_track.i18n import Wordings, load_wordings
from consent_track.letters import Letters
from consent_track.policy_files import load_policies
from consent_track.records import declines, ledger, policy_versions
from consent_track.records.database import Database, open_database, read, write
from consent_track.records.engines import WAIT_MS
from consent_track.records.schema import check
from consent_track.rights_files import load_procedures
from consent_track.smtp import MailServer

Clock = Callable[[], float]
Changes = list[tuple[int, int, int, ConsentState | None]]
CHANGES_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Feed:
    """What a collector is handed of the database: three callables and no table (Garante 284/2026 para. 6; IP-13)."""

    database: Database
    controllers: frozenset[int]

    def read_all(self) -> tuple[dict[int, int], Iterable[tuple[int, int, ConsentState]]]:
        with read(self.database.engine) as session:
            return ledger.all_states(session)

    def read_changes(self, positions: dict[int, int]) -> Changes:
        found: Changes = []
        with read(self.database.engine) as session:
            for controller in self.controllers.union(positions):
                changes = ledger.changes_since(session, controller, positions.get(controller, 0), CHANGES_AT_ONCE)
                found.extend((controller, sequence, subject, state) for sequence, subject, state in changes)
        return found

    def flush_declines(self, day: date, counts: Mapping[tuple[int, str], int]) -> None:
        with write(self.database.engine) as session:
            declines.add(session, day, counts)


@dataclass(frozen=True, slots=True)
class Runtime:
    """A configured installation. Cheap to hand around, safe to share between threads; nothing in it changes."""

    config: Config
    database: Database
    keys: Keyring
    tokens: Tokens
    policies: Policies
    procedures: Procedures
    wordings: Wordings
    day_keys: DayKeys
    view: ConsentView
    epochs: Epochs
    clock: Clock = time.time

    def now(self) -> int:
        return int(self.clock())

    @property
    def controllers(self) -> Mapping[int, Controller]:
        return {controller.number: controller for controller in self.config.controllers}

    @contextmanager
    def processing(self, *, wait_ms: int = WAIT_MS) -> Iterator[Processing]:
        """One unit of work that may write: committed at the end, rolled back on any error."""
        with write(self.database.engine, wait_ms=wait_ms) as session:
            yield self._process(session)

    @contextmanager
    def reading(self) -> Iterator[Processing]:
        """One unit of work that only reads."""
        with read(self.database.engine) as session:
            yield self._process(session)

    def _process(self, session: Session) -> Processing:
        stores = (self.database.keyring_engine, self.database.exempt_engine)
        now = self.now()
        keys = self.epochs.at(now)
        return Processing(session, *stores, keys, self.tokens, self.policies, self.procedures, self.controllers, now)

    def keep_exempt(self, days: Mapping[tuple[int, int], Opened], counts: Mapping[tuple[int, int], int]) -> None:
        """Write what a collector kept in exempt modes; counts last, because only they cannot be written twice."""
        people = sorted(days)
        for start in range(0, len(people), exempting.CHUNK):
            with self.processing(wait_ms=exempting.WAIT_MS) as p:
                exempting.keep_days(p, {one: days[one] for one in people[start : start + exempting.CHUNK]})
        if counts:
            with self.reading() as p:
                exempting.add_counts(p, counts)

    @property
    def nonces(self) -> Nonces:
        """The marks of our pages."""
        return Nonces(self.keys.session)

    def letters(self) -> Letters:
        """Whoever writes our own mails."""
        return Letters(self.wordings, self.clock)

    def mail_server(self) -> MailServer | None:
        """Who takes our own mails, or None where the operator named nobody."""
        config = self.config
        return MailServer(config.smtp_url, config.controllers[0].mailbox) if config.smtp_url else None

    def transport(self) -> Transport:
        """Who carries messages to other systems."""
        return Transport(self.config.webhooks_inside)

    def places(self) -> Places:
        """Where this machine may hold something about somebody."""
        config = self.config
        return Places((config.home, config.spool_dir, config.day_keys_dir, config.checkpoints_dir))

    def secrets_of(self, recipient: Processor) -> tuple[bytes, ...]:
        """What signs the messages to a recipient, read each time: a change needs no restart. Raises InputRefused."""
        return read_secrets(self.config.home / recipient.secret_file)

    def mail_settings(self) -> mailing.Settings:
        """What preparing a mail needs to know of this installation."""
        config = self.config
        return mailing.Settings(
            public_url=config.public_url,
            tracking_url=config.tracking_url,
            own_hosts=self.own_hosts(with_port=True),
            path_is_clean=config.next_hop_measures is False,
            wording=self.wordings.texts,
        )

    def own_hosts(self, *, with_port: bool = False) -> frozenset[str]:
        """The hosts our URLs stand on, now or formerly, as they are written in a URL or, without port, in a request."""
        parts = [urlsplit(url) for url in (self.config.public_url, self.config.tracking_url)]
        mine = {part.netloc if with_port else part.hostname or "" for part in parts}
        return frozenset(mine.union(*(controller.hosts for controller in self.config.controllers)))

    def collector(self, observe: Observe | None = None) -> CollectorRuntime:
        """What the collector of this installation works with."""
        config = self.config
        spool = SpoolWriter(
            config.spool_dir / config.node,
            config.node,
            max_bytes=config.spool_max_bytes,
            min_free=config.spool_min_free_bytes,
        )
        return CollectorRuntime(
            tokens=self.tokens,
            policies=self.policies,
            day_keys=self.day_keys,
            view=self.view,
            spool=spool,
            flush_declines=Feed(self.database, frozenset(self.controllers)).flush_declines,
            clock=self.clock,
            own_hosts=self.own_hosts(),
            hosts={controller.number: controller.hosts for controller in config.controllers},
            keep_exempt=self.keep_exempt,
            time_zones={controller.number: controller.time_zone for controller in config.controllers},
            https=config.tracking_url.startswith("https:"),
            proxies=TrustedProxies(config.trusted_proxies),
            networks=Networks(config.scanner_networks),
            observe=observe,
        )


def bootstrap(config: Config, *, clock: Clock = time.time) -> Runtime:
    """Open an installation. Raises ConfigurationRefused with every problem found, and opens nothing then.

    A process of role `collector` gets the token keys only: what it does not hold, it cannot lose.
    """
    wordings = load_wordings(config.translations_dir, config.wordings_dir)
    collector_only = config.role == "collector"
    problems: list[Problem] = []
    keys = _or_problems(lambda: load_keyring(config.keys_dir, collector_only=collector_only), problems)
    missing = {c.default_locale for c in config.controllers if wordings.texts(c.default_locale) is None}
    problems += [
        Problem("default_locale", f"{locale}: its texts are missing or incomplete") for locale in sorted(missing)
    ]
    problems += wordings.problems() if missing else ()
    policies = _or_problems(lambda: load_policies(config.policies_dirs, purpose_texts=wordings.has_purpose), problems)
    database = _or_problems(lambda: open_database(config.database_url, config.keyring_url, config.exempt_url), problems)
    if database is not None:
        late = _or_problems(lambda: check(database), problems) or []
        problems += [Problem("database", f"{what}; run: consent-track db upgrade") for what in late]
    procedures = _or_problems(lambda: load_procedures(config.policies_dirs, calendar_of), problems)
    if policies and database and not database.exempt_is_apart and not policies.house.notices.keys().isdisjoint(MODES):
        what = "is missing: exempt modes need a PostgreSQL role of their own, which nothing else uses (AH-14)"
        problems.append(Problem("exempt_url", what))
    if problems or keys is None or policies is None or procedures is None or database is None:
        if database is not None:
            database.close()
        raise ConfigurationRefused(problems)

    with write(database.engine) as session:
        for policy in policies.by_id.values():
            policy_versions.note(session, policy, int(clock()))
    feed = Feed(database, frozenset(controller.number for controller in config.controllers))
    view = ConsentView(feed.read_all, feed.read_changes, clock)
    day_keys = DayKeys(config.day_keys_dir)
    law = (policies, procedures)
    epochs = Epochs(config.keys_dir, keys)
    return Runtime(config, database, keys, Tokens(keys.tokens), *law, wordings, day_keys, view, epochs, clock)


T = TypeVar("T")


def _or_problems(attempt: Callable[[], T], problems: list[Problem]) -> T | None:
    try:
        return attempt()
    except Refused as refused:
        problems.extend(refused.problems)
    except StorageUnavailable as unavailable:
        problems.append(Problem("database", str(unavailable)))
    return None
