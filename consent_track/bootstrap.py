"""From a configuration to a running installation: the one place that knows everyone, by their doors only."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from consent_track.activities import Processing
from consent_track.config import Config
from consent_track.crypto.keyring import Keyring
from consent_track.crypto.keyring import load as load_keyring
from consent_track.crypto.pseudonyms import DayKeys
from consent_track.crypto.tokens import Tokens
from consent_track.domain.consent import ConsentState
from consent_track.domain.controller import Controller
from consent_track.domain.errors import ConfigurationRefused, ConsentTrackError, Problem
from consent_track.domain.policy import Policies
from consent_track.i18n import Wordings, load_wordings
from consent_track.policy_files import load_policies
from consent_track.records import declines, ledger, policy_versions
from consent_track.records.database import Database, check, open_database, read, write

Clock = Callable[[], float]
Changes = list[tuple[int, int, int, ConsentState | None]]


@dataclass(frozen=True, slots=True)
class Runtime:
    """A configured installation. Cheap to hand around, safe to share between threads; nothing in it changes."""

    config: Config
    database: Database
    keys: Keyring
    tokens: Tokens
    policies: Policies
    wordings: Wordings
    day_keys: DayKeys
    clock: Clock = time.time

    def now(self) -> int:
        return int(self.clock())

    @property
    def controllers(self) -> Mapping[int, Controller]:
        return {controller.number: controller for controller in self.config.controllers}

    @contextmanager
    def processing(self, *, wait_ms: int | None = None) -> Iterator[Processing]:
        """One unit of work that may write: committed at the end, rolled back on any error."""
        with write(self.database.engine, **({} if wait_ms is None else {"wait_ms": wait_ms})) as session:
            yield self._process(session)

    @contextmanager
    def reading(self) -> Iterator[Processing]:
        """One unit of work that only reads."""
        with read(self.database.engine) as session:
            yield self._process(session)

    def _process(self, session: "object") -> Processing:
        return Processing(
            session,  # type: ignore[arg-type]
            self.database.keyring_engine,
            self.keys,
            self.tokens,
            self.policies,
            self.controllers,
            self.now(),
        )

    # What a collector is handed of the database: three callables, no table (Garante 284/2026 para. 6; IP-13).

    def read_all(self) -> tuple[dict[int, int], Iterable[tuple[int, int, ConsentState]]]:
        with read(self.database.engine) as session:
            return ledger.all_states(session)

    def read_changes(self, positions: dict[int, int]) -> Changes:
        found: Changes = []
        with read(self.database.engine) as session:
            for controller in {*positions, *self.controllers}:
                changes = ledger.changes_since(session, controller, positions.get(controller, 0), 1_000)
                found.extend((controller, sequence, subject, state) for sequence, subject, state in changes)
        return found

    def flush_declines(self, day: date, counts: Mapping[tuple[int, str], int]) -> None:
        with write(self.database.engine) as session:
            declines.add(session, day, counts)


def bootstrap(config: Config, *, clock: Clock = time.time) -> Runtime:
    """Open an installation. Raises ConfigurationRefused with every problem found, and opens nothing then."""
    wordings = load_wordings(config.translations_dir)
    problems: list[Problem] = list(_gather(lambda: load_keyring(config.keys_dir)))
    missing = {c.default_locale for c in config.controllers if wordings.texts(c.default_locale) is None}
    problems += [
        Problem("default_locale", f"{locale}: its texts are missing or incomplete") for locale in sorted(missing)
    ]
    problems += _gather(lambda: load_policies(config.policies_dirs, purpose_texts=wordings.has_purpose))
    if problems:
        raise ConfigurationRefused(problems)

    database = open_database(config.database_url, config.keyring_url)
    if late := check(database):
        raise ConfigurationRefused(Problem("database", f"{what}; run: consent-track db upgrade") for what in late)
    keys = load_keyring(config.keys_dir)
    policies = load_policies(config.policies_dirs, purpose_texts=wordings.has_purpose)
    with write(database.engine) as session:
        for policy in policies.by_id.values():
            policy_versions.note(session, policy, int(clock()))
    return Runtime(config, database, keys, Tokens(keys.tokens), policies, wordings, DayKeys(config.day_keys_dir), clock)


def _gather(attempt: Callable[[], object]) -> list[Problem]:
    try:
        attempt()
    except ConfigurationRefused as refused:
        return list(refused.problems)
    except ConsentTrackError as error:
        return list(getattr(error, "problems", [])) or [Problem("installation", str(error))]
    return []
