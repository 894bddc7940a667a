"""The processing activities: what this installation does with personal data, one module for each.

This folder's listing is the record of processing activities (GDPR Art. 30). Every activity gathers, decides, records.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import Engine
from sqlmodel import Session

from consent_track.crypto.keyring import Keyring
from consent_track.crypto.tokens import Tokens
from consent_track.domain.controller import Controller
from consent_track.domain.errors import InputRefused
from consent_track.domain.policy import Policies
from consent_track.domain.procedure import Procedures
from consent_track.records.database import write
from consent_track.records.tables import Store


@dataclass(frozen=True, slots=True)
class Processing:
    """One unit of work (GDPR Art. 4(2)): one transaction, one reading of the clock, and what is needed to decide.

    `session` is the one transaction of the main database. The keyring is another store, without a common commit: its
    short transactions are opened where they are needed, keys first when somebody comes, last when somebody goes. So is
    the exempt store: whoever writes in it holds the person's state in `session` meanwhile.
    """

    session: Session
    keyring: Engine
    exempt: Engine
    keys: Keyring
    tokens: Tokens
    policies: Policies
    procedures: Procedures
    controllers: Mapping[int, Controller]
    now: int

    @property
    def main(self) -> Engine:
        """The engine of the main database, for readers that need transactions of their own."""
        bound = self.session.get_bind()
        return bound if isinstance(bound, Engine) else bound.engine

    @contextmanager
    def session_of(self, store: Store) -> Iterator[Session]:
        """A session of the store a table stands in, for loops over the data map: this one, or a short one."""
        if store is Store.MAIN:
            yield self.session
        else:
            with write({Store.KEYRING: self.keyring, Store.EXEMPT: self.exempt}[store]) as session:
                yield session

    def controller(self, number: int) -> Controller:
        """The controller of this number. Raises InputRefused (field `controller`)."""
        try:
            return self.controllers[number]
        except KeyError:
            raise InputRefused.one("controller", f"{number} is not configured") from None
