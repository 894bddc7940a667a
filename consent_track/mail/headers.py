"""Header fields of a mail: what its sender declares to us, whom it goes to, and the unsubscribe pair of RFC 8058."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Final

from consent_track.domain.errors import Problem
from consent_track.domain.vocabulary import MailType, Purpose, is_jurisdiction

from .mime import Mail, Unreadable

PREFIX: Final = "x-consent-track-"
# Input header -> field of `Declared` (decision 25). They are removed on the way out; anything else with our prefix too.
_FIELDS: Final = ("mail-type", "jurisdiction", "locale", "campaign", "purposes", "controller", "sensitive", "audience")
_LONGEST_CAMPAIGN: Final = 100


@dataclass(frozen=True, slots=True)
class Declared:
    """What the sender says a mail is. None or empty: not said, and read as the strictest (decision 25)."""

    mail_type: MailType | None = None
    jurisdiction: str = ""
    locale: str = ""
    campaign: str = ""
    purposes: frozenset[Purpose] | None = None
    controller: int | None = None
    sensitive: bool = False
    audience: int = 0  # how many people get this campaign


def declared(fields: Iterable[tuple[str, str]]) -> tuple[Declared, tuple[Problem, ...]]:
    """Read the input headers of a mail. What cannot be read is a problem that names the header, never a guess."""
    said: dict[str, str] = {}
    problems = []
    for name, value in fields:
        key = name.lower().removeprefix(PREFIX)
        if key not in _FIELDS:
            problems.append(Problem(name, "is not an input header"))
        elif key in said:
            problems.append(Problem(name, "stands twice"))
        else:
            said[key] = value.strip()
    return read(said, problems)


def read(said: Mapping[str, str], problems: list[Problem]) -> tuple[Declared, tuple[Problem, ...]]:
    """The same from any source of named words: headers, command-line options, API parameters."""

    def problem(key: str, what: str) -> None:
        problems.append(Problem(f"X-Consent-Track-{key.title()}", what))

    mail_type = said.get("mail-type", "")
    if mail_type and mail_type not in set(MailType):
        problem("mail-type", f"{mail_type!r} is not one of {', '.join(MailType)}")
    jurisdiction = said.get("jurisdiction", "").upper()
    if jurisdiction and not is_jurisdiction(jurisdiction):
        problem("jurisdiction", f"{jurisdiction!r} is not an ISO 3166 code such as FR or US-CA")
    controller = said.get("controller", "")
    if controller and not (controller.isascii() and controller.isdigit()):
        problem("controller", f"{controller!r} is not a number")
    audience = said.get("audience", "")
    if audience and not (audience.isascii() and audience.isdigit() and len(audience) < 10):
        problem("audience", f"{audience[:20]!r} is not a number of people")
    campaign = said.get("campaign", "")
    if len(campaign) > _LONGEST_CAMPAIGN or not campaign.isprintable():
        problem("campaign", f"is longer than {_LONGEST_CAMPAIGN} characters or not printable")
    words = said.get("purposes", "").replace(",", " ").split()
    for word in set(words) - set(Purpose):
        problem("purposes", f"{word!r} is not a purpose")
    sensitive = said.get("sensitive", "").lower()
    if sensitive not in ("", "yes", "no"):
        problem("sensitive", "is neither yes nor no")
    return (
        Declared(
            MailType(mail_type) if mail_type in set(MailType) else None,
            jurisdiction if is_jurisdiction(jurisdiction) else "",
            said.get("locale", ""),
            campaign[:_LONGEST_CAMPAIGN] if campaign.isprintable() else "",
            frozenset(Purpose(word) for word in words if word in set(Purpose)) if "purposes" in said else None,
            int(controller) if controller.isascii() and controller.isdigit() else None,
            sensitive == "yes",
            int(audience) if audience.isascii() and audience.isdigit() else 0,
        ),
        tuple(problems),
    )


def addressees(values: Iterable[str]) -> tuple[str, ...]:
    """Every address in To, Cc and Bcc fields, once each, in order."""
    found = (address for _, address in getaddresses(list(values)) if "@" in address)
    return tuple(dict.fromkeys(found))


def unsubscribe_pair(url: str) -> tuple[tuple[str, str], ...]:
    """`List-Unsubscribe` and its one-click companion (RFC 8058 section 3.1; RFC 2369)."""
    return (("List-Unsubscribe", f"<{url}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))


UNSUBSCRIBE_FIELDS: Final = frozenset({"list-unsubscribe", "list-unsubscribe-post"})


def fields_of(mail: Mail | Unreadable) -> tuple[tuple[str, str], ...]:
    """Name and unfolded value of every header field of a mail; none where the mail cannot be read."""
    return () if isinstance(mail, Unreadable) else tuple((field.name, field.text) for field in mail.root.headers)


def override(declared: Declared, said: Declared) -> Declared:
    """`said` where it says something, else `declared`: options of a command stand above the headers of the mail."""
    return Declared(
        said.mail_type or declared.mail_type,
        said.jurisdiction or declared.jurisdiction,
        said.locale or declared.locale,
        said.campaign or declared.campaign,
        declared.purposes if said.purposes is None else said.purposes,
        said.controller or declared.controller,
        said.sensitive or declared.sensitive,
        said.audience or declared.audience,
    )
