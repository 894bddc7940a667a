"""Who decides why people are measured (GDPR Art. 4(7)), and what every mail and page must say about them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .vocabulary import UNKNOWN_JURISDICTION, Purpose

# What is asked for unless the operator says otherwise: the two that carry a hit.
ASKED_FOR: Final = (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)


class UnsubscribeOwner(StrEnum):
    """Whose unsubscribe link stands in the mail (decision 21); `forward` is refused until it is built."""

    SENDER = "sender"
    CONSENT_TRACK = "consent_track"


class ProcessorRole(StrEnum):
    """What a processor does for the controller; each has its words in every locale (`notice.role.…`)."""

    SENDING = "sending"
    HOSTING = "hosting"
    CRM = "crm"
    SUPPORT = "support"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class Processor:
    """Somebody who handles the data for the controller (GDPR Art. 28), named as people are told (Art. 13(1)(e))."""

    name: str
    role: ProcessorRole
    country: str = ""  # ISO 3166, where the data goes; empty: not said
    webhook: str = ""  # where it is told of withdrawals and erasures (Art. 19); empty: it gets nothing from here
    secret_file: str = ""  # what signs those messages, in the home folder unless absolute


@dataclass(frozen=True, slots=True)
class JointController:
    """Somebody who decides together with the controller; `essence` is the page that says how (GDPR Art. 26(2))."""

    name: str
    essence: str


@dataclass(frozen=True, slots=True)
class Controller:
    """One controller of this installation. `number` stands in tokens and tables and is never reused."""

    number: int
    name: str
    contact: str
    privacy_policy: str
    postal_address: str = ""
    default_locale: str = "en"
    time_zone: str = "UTC"
    unsubscribe: UnsubscribeOwner = UnsubscribeOwner.SENDER
    hosts: frozenset[str] = frozenset()  # hosts its tokens are valid on, now or formerly; empty: the installation's own
    name_by_locale: tuple[tuple[str, str], ...] = ()
    sender: str = ""  # whom our own mails come from; empty: `contact`
    purposes: tuple[Purpose, ...] = ASKED_FOR  # what its form and its pages ask consent for
    jurisdiction: str = UNKNOWN_JURISDICTION  # whose law its form is under where nobody says
    accent: str = ""  # the colour of its buttons, #rrggbb; empty: ours
    processors: tuple[Processor, ...] = ()
    joint_controllers: tuple[JointController, ...] = ()
    complaints: str = ""  # the page where people complain to their authority; an Indian notice needs it

    @property
    def mailbox(self) -> str:
        return self.sender or self.contact
