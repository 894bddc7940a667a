"""The processing activities: what this installation does with personal data, one module for each.

This folder's listing is the record of processing activities (GDPR Art. 30). Every activity gathers, decides, records.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Engine
from sqlmodel import Session

from consent_track.crypto.keyring import Keyring
from consent_track.crypto.tokens import Tokens
from consent_track.domain.controller import Controller
from consent_track.domain.errors import InputRefused
from consent_track.domain.policy import Policies


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
    controllers: Mapping[int, Controller]
    now: int

    def controller(self, number: int) -> Controller:
        """The controller of this number. Raises InputRefused (field `controller`)."""
        try:
            return self.controllers[number]
        except KeyError:
            raise InputRefused.one("controller", f"{number} is not configured") from None
