"""`request`: what people ask for, by any channel, until they have their answer."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from consent_track.activities import Processing, answering, corresponding, fulfilling, identifying, requesting, tallying
from consent_track.activities.corresponding import Message
from consent_track.activities.requesting import Opening, Request
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import BY_HAND, Channel, Ground, Proof, Refusal, Right, Stage, Step, code_of, number_of
from consent_track.domain.vocabulary import is_jurisdiction

from . import Home, pass_home

ACTOR: Final = "operator"


@click.group()
def request() -> None:
    """Answer people: access, erasure, correction, objection, complaint. Numbers look like K7QM-9XRT."""


def _one(command: Callable[..., Any]) -> Callable[..., Any]:
    controller = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
    return click.argument("number")(controller(command))


@request.command("open")
@click.argument("right", type=click.Choice([one.value for one in Right]))
@click.argument("address")
@click.option("--received", required=True, help="First contact, by whatever channel: 2026-11-20, or 2026-11-20T16:05.")
@click.option(
    "--channel", type=click.Choice([one.value for one in Channel]), default=Channel.EMAIL.value, show_default=True
)
@click.option(
    "--jurisdiction", "jurisdictions", multiple=True, help="Whose law applies; several times for several laws."
)
@click.option("--locale", default="", help="The person's language; default: as it is known, else the controller's.")
@click.option("--text", default="", help="What the person wrote, where it matters.")
@click.option("--follows", default="", help="The number of the request that an appeal or a complaint is about.")
@click.option("--agent", "asked_by", default="", help="Who asks for the person, with their permission.")
@click.option(
    "--proof",
    "proofs",
    multiple=True,
    type=click.Choice([one.value for one in Proof]),
    help="What shows who asks, seen by you.",
)
@click.option("--no-link", is_flag=True, help="Send no mail that asks the person to confirm.")
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@pass_home
def open_(
    home: Home, right: str, address: str, received: str, channel: str, jurisdictions: tuple[str, ...], locale: str,
    text: str, follows: str, asked_by: str, proofs: tuple[str, ...], no_link: bool, controller: int,
) -> None:  # fmt: skip
    """Note a request that came by any channel. Its clock runs from the first contact."""
    for code in jurisdictions:
        if not is_jurisdiction(code):
            raise InputRefused.one("--jurisdiction", f"{code!r} is not an ISO 3166 code such as FR or US-CA")
    runtime = home.runtime()
    with runtime.processing() as p:
        zone = ZoneInfo(p.controller(controller).time_zone)
        opening = Opening(
            Right(right), address, Channel(channel), _instant(received, zone), jurisdictions, locale, text, asked_by,
            number_of(follows) if follows else 0, frozenset(map(Proof, proofs)), ACTOR,
        )  # fmt: skip
        opened = requesting.open_(p, controller, opening)
        opened = corresponding.tell(p, runtime.letters(), opened, Message.RECEIVED)
        if opened.stage is Stage.VERIFYING and not no_link:
            identifying.begin_link(p, opened, requesting.first_address(p, opened))
    _emit(home, opened, "opened")


def _instant(text: str, zone: ZoneInfo) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InputRefused.one("--received", "is not a day or a time such as 2026-11-20T16:05") from None
    return int((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp())


@contextmanager
def _held(home: Home, number: str, controller: int) -> Iterator[tuple[Processing, Request]]:
    runtime = home.runtime()
    with runtime.processing() as p:
        yield p, requesting.find(p, controller, number_of(number), lock=True)


@request.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are answered.")
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@pass_home
def list_(home: Home, everything: bool, controller: int) -> None:
    """Say what is open and when it is due, the most urgent first. Exit code 1 if something is overdue."""
    with home.runtime().reading() as p:
        p.controller(controller)
        found = requesting.listed(p, controller, everything=everything)
        late = [one for one in found if requesting.is_late(p, one)]
        value = {"requests": [_as_json(p, one) for one in found], "overdue": len(late)}
        lines = [_line(p, one) for one in found] or ["No request is open."]
    home.emit(value, "\n".join([*lines, *([f"{len(late)} overdue."] if late else [])]))
    if late:
        raise click.exceptions.Exit(1)


@request.command()
@_one
@pass_home
def show(home: Home, number: str, controller: int) -> None:
    """Say everything that is noted of a request."""
    with home.runtime().reading() as p:
        found = requesting.find(p, controller, number_of(number))
        said = requesting.written(p, found)
        value = _as_json(p, found) | {
            "addresses": [
                {"number": one.number, "address": address, "proofs": sorted(one.proofs)}
                for one, address in requesting.addresses(p, found)
            ],
            "steps": [
                {"at": _iso(one.at), "step": one.step, "by": one.actor, "detail": one.detail}
                for one in requesting.steps(p, found)
            ],
            "written": None if said is None else {"wrote": said.wrote, "answer": said.answer, "refusal": said.refusal,
                                                  "extension": said.extension, "results": dict(said.results)},
        }  # fmt: skip
        lines = [_line(p, found), f"  {found.asked.articles}"]
        for one, address in requesting.addresses(p, found):
            lines.append(f"  address {one.number}: {address} ({', '.join(sorted(one.proofs)) or 'not proved'})")
        for step in requesting.steps(p, found):
            lines.append(f"  {_iso(step.at)} {step.step} by {step.actor} {step.detail}".rstrip())
    home.emit(value, "\n".join(lines))


@request.command()
@_one
@click.option(
    "--proof", type=click.Choice([one.value for one in Proof]), required=True, help="What shows who asks, seen by you."
)
@click.option("--address", "place", type=int, default=1, show_default=True, help="Which address of the request.")
@pass_home
def verify(home: Home, number: str, controller: int, proof: str, place: int) -> None:
    """Note how somebody showed that an address of a request is theirs."""
    with _held(home, number, controller) as (p, found):
        found = requesting.prove(p, found, place, Proof(proof), ACTOR)
    _emit(home, found, "noted")


@request.command("add-address")
@_one
@click.argument("address")
@pass_home
def add_address(home: Home, number: str, controller: int, address: str) -> None:
    """Let a request stand for another address of the same person, once its mailbox has confirmed it, too."""
    with _held(home, number, controller) as (p, found):
        found = requesting.add_address(p, found, address, ACTOR)
        identifying.begin_link(p, found, address)
    _emit(home, found, "added")


@request.command()
@_one
@click.option("--reason", required=True, help="Told to the person.")
@pass_home
def extend(home: Home, number: str, controller: int, reason: str) -> None:
    """Take longer, once, for a reason, before the first period is over."""
    with _held(home, number, controller) as (p, found):
        found = requesting.extend(p, found, reason, ACTOR)
        found = corresponding.tell(p, home.runtime().letters(), found, Message.EXTENDED)
    _emit(home, found, "extended")


@request.command()
@_one
@click.option("--ground", required=True, type=click.Choice(["identity", "clarification"]))
@pass_home
def pause(home: Home, number: str, controller: int, ground: str) -> None:
    """Stop the clock, where the law allows it."""
    with _held(home, number, controller) as (p, found):
        found = requesting.pause(p, found, ground, ACTOR)
    _emit(home, found, "paused")


@request.command()
@_one
@pass_home
def resume(home: Home, number: str, controller: int) -> None:
    """Let the clock run again."""
    with _held(home, number, controller) as (p, found):
        found = requesting.resume(p, found, ACTOR)
    _emit(home, found, "resumed")


@request.command()
@_one
@pass_home
def fulfil(home: Home, number: str, controller: int) -> None:
    """Do what was asked, and tell the person. Safe to repeat."""
    runtime = home.runtime()
    with runtime.processing() as p:
        found = requesting.find(p, controller, number_of(number), lock=True)
        if not found.stage.closed:
            found = fulfilling.carry_out(p, found, ACTOR)
            found = corresponding.tell(p, runtime.letters(), found, Message.ANSWER)
    answering.finish(runtime.processing)
    _emit(home, found, "done")


@request.command()
@_one
@click.option("--text", required=True, help="The answer, in the person's language.")
@pass_home
def answer(home: Home, number: str, controller: int, text: str) -> None:
    """Answer a complaint, an appeal or a correction in your own words."""
    with _held(home, number, controller) as (p, found):
        if found.asked not in BY_HAND:
            raise InputRefused.one(
                "number", f"{found.asked} is carried out, not answered: consent-track request fulfil"
            )
        found = fulfilling.answer_by_hand(p, found, text, ACTOR)
        found = corresponding.tell(p, home.runtime().letters(), found, Message.ANSWER)
    _emit(home, found, "answered")


@request.command()
@_one
@click.option("--ground", required=True, type=click.Choice([one.value for one in Ground]))
@click.option("--reason", required=True, help="Told to the person, in their language.")
@click.option("--evidence", default="", help="Where the papers are that show it.")
@pass_home
def refuse(home: Home, number: str, controller: int, ground: str, reason: str, evidence: str) -> None:
    """Say no, with the reason and the remedies."""
    with _held(home, number, controller) as (p, found):
        found = requesting.refuse(p, found, Refusal(Ground(ground), reason, evidence), ACTOR)
        found = corresponding.tell(p, home.runtime().letters(), found, Message.ANSWER)
    _emit(home, found, "refused")


@request.command("not-identifiable")
@_one
@pass_home
def not_identifiable(home: Home, number: str, controller: int) -> None:
    """Say that nothing held can be told to be this person's, and ask for more (GDPR Art. 11(2))."""
    with _held(home, number, controller) as (p, found):
        found = requesting.note(p, found, Step.NOT_IDENTIFIABLE, ACTOR)
        found = corresponding.tell(p, home.runtime().letters(), found, Message.ANSWER)
    _emit(home, found, "told")


@request.command()
@_one
@pass_home
def revoke(home: Home, number: str, controller: int) -> None:
    """Note that the person took the request back."""
    with _held(home, number, controller) as (p, found):
        found = requesting.note(p, found, Step.REVOKED, "subject")
        found = corresponding.tell(p, home.runtime().letters(), found, Message.ANSWER)
    _emit(home, found, "revoked")


@request.command()
@click.option("--year", type=click.IntRange(2020, 2100), required=True, help="Of receipt.")
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@pass_home
def metrics(home: Home, year: int, controller: int) -> None:
    """Count a year's requests as 11 CCR 7102 asks: received, complied with, denied, and the days it took."""
    with home.runtime().reading() as p:
        found = tallying.tally(p, controller, date(year, 1, 1), date(year + 1, 1, 1))
    rows = [asdict(one) for one in found]
    lines = [
        f"{one.asked}: {one.received:,} received, {one.complied:,} complied with, {one.partly:,} in part, "
        f"{one.denied:,} denied, {one.revoked:,} taken back, {one.open:,} open, {one.late:,} late; "
        f"days: median {one.median_days}, mean {one.mean_days}"
        for one in found
        if one.received
    ]
    home.emit({"year": year, "requests": rows}, "\n".join(lines or [f"No request was received in {year}."]))


@request.command()
@_one
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A new file, mode 0600.")
@pass_home
def letter(home: Home, number: str, controller: int, out: Path) -> None:
    """Write the letter that says where a request stands, to print and post."""
    runtime = home.runtime()
    with runtime.reading() as p:
        found = requesting.find(p, controller, number_of(number))
        message = Message.ANSWER if found.stage.closed else Message.RECEIVED
        said = corresponding.said_of(p, found, message)
        html = runtime.letters().page_about(p.controller(controller), said)
    _write_new(out, html)
    home.emit({"file": str(out)}, f"Written to {out} (0600).")


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputRefused.one("--out", f"cannot be made ({error.strerror})") from None


def _emit(home: Home, found: Request, what: str) -> None:
    with home.runtime().reading() as p:
        home.emit(_as_json(p, found) | {"what": what}, _line(p, found))


def _as_json(p: Processing, found: Request) -> dict[str, Any]:
    return {
        "number": code_of(found.id),
        "right": found.asked,
        "channel": found.channel,
        "stage": found.stage,
        "jurisdictions": list(found.jurisdictions),
        "received_at": _iso(found.received_at),
        "acknowledged_at": _iso(found.acknowledged_at),
        "due_on": found.due_on.isoformat(),
        "due_in_days": (found.due_at - p.now) // 86_400 if found.closed_at is None else None,
        "extended_at": _iso(found.extended_at),
        "paused_at": _iso(found.paused_at),
        "level_needed": found.level_needed,
        "level_proved": found.level_proved,
        "cools_until": _iso(found.cools_until),
        "closed_at": _iso(found.closed_at),
        "ground": found.ground or None,
        "late": requesting.is_late(p, found),
    }


def _line(p: Processing, found: Request) -> str:
    head = (
        f"{code_of(found.id)}  {found.asked}, {found.stage}, received {_iso(found.received_at)[:10]} by {found.channel}"
    )
    if found.closed_at is not None:
        return f"{head}, answered {_iso(found.closed_at)[:10]}"
    left = (found.due_at - p.now) // 86_400
    return f"{head}, due {found.due_on} ({'OVERDUE' if p.now > found.due_at else f'in {left} days'})"


def _iso(at: int | None) -> Any:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
