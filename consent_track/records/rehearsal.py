"""A store that forgets: where people's choices would stand, while a dry run says what a real one would do.

A private temporary database of SQLite: it has no name, lives in memory until it is large, and is gone when it is
closed. People are found in it by a keyed hash, as in the keyring.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from types import TracebackType
from typing import Final

from consent_track.domain.consent import ConsentState

from .consent import columns_of, state_of

_DAYS: Final = ("signal_on", "address_collected_on", "legacy_notice_on")


class Rehearsal:
    """The states of a dry run, by look-up."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("", isolation_level=None)
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.execute("CREATE TABLE state (lookup BLOB PRIMARY KEY, known, said TEXT) WITHOUT ROWID")

    def find(self, lookups: Iterable[bytes]) -> dict[bytes, ConsentState]:
        """Those of these states that the dry run has come to."""
        found = {}
        for lookup in lookups:
            row = self._store.execute("SELECT known, said FROM state WHERE lookup = ?", (lookup,)).fetchone()
            if row:
                columns = json.loads(row[1])
                days = {name: date.fromisoformat(columns[name]) for name in _DAYS if columns[name]}
                found[lookup] = replace(state_of({**columns, **days}), known=bool(row[0]))
        return found

    def save(self, states: Mapping[bytes, ConsentState]) -> None:
        rows = [(key, state.known, json.dumps(columns_of(state), default=str)) for key, state in states.items()]
        self._store.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", rows)

    def __enter__(self) -> "Rehearsal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()
