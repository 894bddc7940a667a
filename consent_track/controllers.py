"""The `[[controller]]` tables of the configuration: who decides why people are measured, one table each."""

from collections.abc import Mapping
from typing import Any, Final

from consent_track import settings
from consent_track.domain.controller import Controller, UnsubscribeOwner
from consent_track.domain.errors import Problem

# What `init` writes where nobody gave a name. It must never reach a recipient: a mail would name a false controller.
PLACEHOLDER: Final = "Your company"

_READERS: Final[dict[str, settings.Reader]] = {
    "number": settings.number(1, 65_535),
    "name": settings.text,
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
