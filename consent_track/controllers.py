"""The `[[controller]]` tables of the configuration: who decides why people are measured, one table each."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from consent_track import settings
from consent_track.domain.controller import (
    Controller,
    JointController,
    Processor,
    ProcessorRole,
    UnsubscribeOwner,
)
from consent_track.domain.errors import Problem

# What `init` writes where nobody gave a name. It must never reach a recipient: a mail would name a false controller.
PLACEHOLDER: Final = "Your company"

_COUNTRY: Final = re.compile(r"[A-Z]{2}")


def _tables(
    value: object, example: str, needed: tuple[str, ...], further: tuple[str, ...] = ()
) -> list[dict[str, str]]:
    """A list of small tables of texts, each with the keys it must have and none that nobody knows."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise ValueError(f"must be a list of tables such as [{example}]")
    for one in value:
        if set(needed) - set(one) or set(one) - {*needed, *further}:
            raise ValueError(f"must have tables such as {example}, with no other keys")
    return [{key: settings.text(text) for key, text in one.items()} for one in value]


def _processors(value: object) -> tuple[Processor, ...]:
    example = '{ name = "Mail House Ltd", role = "sending", country = "IE" }'
    found = []
    for one in _tables(value, example, ("name", "role"), ("country", "webhook", "secret_file")):
        if one["role"] not in set(ProcessorRole):
            raise ValueError(f"must have a role that is one of {', '.join(ProcessorRole)}")
        if "country" in one and not _COUNTRY.fullmatch(one["country"]):
            raise ValueError("must have a country that is an ISO 3166 code such as IE")
        if ("webhook" in one) != ("secret_file" in one):
            raise ValueError("must have webhook and secret_file together: every message is signed")
        if not _is_url(one.get("webhook", "https://a.example/")):
            raise ValueError("must have a webhook that is a URL in plain ASCII")
        further = (one.get("country", ""), one.get("webhook", ""), one.get("secret_file", ""))
        found.append(Processor(one["name"], ProcessorRole(one["role"]), *further))
    if len({one.name for one in found}) < len(found):
        raise ValueError("must name every processor once")
    return tuple(found)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return text.isascii() and parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _joint_controllers(value: object) -> tuple[JointController, ...]:
    example = '{ name = "Acme Shop Ltd", essence = "https://acme.example/joint" }'
    tables = _tables(value, example, ("name", "essence"))
    return tuple(JointController(one["name"], settings.page(one["essence"])) for one in tables)


_READERS: Final[dict[str, settings.Reader]] = {
    "number": settings.number(1, 65_535),
    "name": settings.name,
    "contact": settings.mailbox,
    "privacy_policy": settings.page,
    "postal_address": settings.lines,
    "default_locale": settings.locale,
    "time_zone": settings.time_zone,
    "unsubscribe": settings.one_of(*UnsubscribeOwner),
    "hosts": settings.hosts,
    "name_by_locale": settings.names_by_locale,
    "sender": settings.mailbox,
    "purposes": settings.purposes,
    "jurisdiction": settings.jurisdiction,
    "accent": settings.colour,
    "processors": _processors,
    "joint_controllers": _joint_controllers,
    "complaints": settings.page,
}
_NEEDED: Final = ("number", "name", "contact", "privacy_policy")


def read_controllers(tables: object, public_url: str, problems: list[Problem]) -> tuple[Controller, ...]:
    """The controllers in the order of the file; what is wrong is added to `problems`.

    `public_url` is where recipients reach this installation; "" if nobody can say.
    """
    if not isinstance(tables, list) or not tables:
        problems.append(Problem("controller", "is missing: write one [[controller]] table for each controller"))
        return ()
    found = [_read(table, f"controller {place}", problems) for place, table in enumerate(tables, 1)]
    controllers = tuple(controller for controller in found if controller is not None)
    numbers = [controller.number for controller in controllers]
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        problems.append(Problem("controller: number", f"{number} is given twice; it names one controller for ever"))
    if public_url and not settings.is_local(public_url):
        problems += [
            Problem(f"controller {controller.number}: name", f"is still {PLACEHOLDER!r}: recipients would read it")
            for controller in controllers
            if controller.name == PLACEHOLDER
        ]
    return controllers


def _read(table: object, where: str, problems: list[Problem]) -> Controller | None:
    if not isinstance(table, Mapping):
        problems.append(Problem(where, "must be a [[controller]] table"))
        return None
    before, values = len(problems), dict[str, Any]()
    for key, value in table.items():
        if key not in _READERS:
            problems.append(Problem(f"{where}: {key}", "is not a setting"))
        elif key == "unsubscribe" and value == "forward":
            problems.append(Problem(f"{where}: {key}", "forward is not available yet: use sender or consent_track"))
        else:
            try:
                values[key] = _READERS[key](value)
            except ValueError as error:
                problems.append(Problem(f"{where}: {key}", settings.reason(error)))
    problems += [Problem(f"{where}: {key}", "is missing") for key in _NEEDED if key not in table]
    if len(problems) > before:
        return None
    if "unsubscribe" in values:
        values["unsubscribe"] = UnsubscribeOwner(values["unsubscribe"])
    return Controller(**values)
