"""`hold`: whose data is kept although it would go, and why."""

from datetime import UTC, datetime

import click

from consent_track.activities import holding, knowing
from consent_track.activities.holding import Kind
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import code_of, number_of

from . import Home, pass_home

_controller = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")


@click.group()
def hold() -> None:
    """Keep what a dispute is about from purge and erasure, and let it go again."""


@hold.command()
@click.argument("address")
@click.option("--reason", required=True, help="Why, without naming anybody: a file number, a court.")
@click.option(
    "--until", default="", metavar="DAY", help="The last day, such as 2027-06-30; default: until it is lifted."
)
@_controller
@pass_home
def add(home: Home, address: str, reason: str, until: str, controller: int) -> None:
    """Hold what is kept of ADDRESS."""
    with home.runtime().processing() as p:
        p.controller(controller)
        subject = knowing.find(p, controller, address)
        if subject is None:
            raise InputRefused.one("address", "nobody is known by it: there is nothing to hold")
        begun = holding.begin(p, controller, subject, Kind.LEGAL, reason, until=_end_of(until))
    home.emit({"number": code_of(begun.id)}, f"Hold {code_of(begun.id)} stands.")


def _end_of(day: str) -> int | None:
    if not day:
        return None
    try:
        return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) + 86_399
    except ValueError:
        raise InputRefused.one("--until", "is not a day such as 2027-06-30") from None


@hold.command("list")
@_controller
@pass_home
def list_(home: Home, controller: int) -> None:
    """Say which holds stand. People are not named."""
    with home.runtime().reading() as p:
        p.controller(controller)
        found = holding.standing(p, controller)
    rows = [
        {"number": code_of(one.id), "kind": one.kind, "reason": one.reason, "since": _iso(one.begun_at),
         "until": _iso(one.until)}
        for one in found
    ]  # fmt: skip
    lines = [
        f"{one['number']}  {one['kind']}, since {str(one['since'])[:10]}, until {str(one['until'] or 'lifted')[:10]}: "
        f"{one['reason']}"
        for one in rows
    ]
    home.emit({"holds": rows}, "\n".join(lines or ["Nobody is held."]))


@hold.command()
@click.argument("number")
@_controller
@pass_home
def lift(home: Home, number: str, controller: int) -> None:
    """Let a hold go."""
    with home.runtime().processing() as p:
        holding.lift(p, controller, number_of(number))
    home.emit({"number": number}, f"Hold {number} is lifted.")


def _iso(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
