"""`consent`: plain operations on one person's choices, stamped `operator`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click

from consent_track.activities import consenting, correcting, knowing, proving
from consent_track.activities.consenting import Done, Unknown
from consent_track.activities.entering import How
from consent_track.bootstrap import Runtime
from consent_track.domain.errors import InputRefused, Problem
from consent_track.domain.vocabulary import UNKNOWN_JURISDICTION, Grade, Purpose, is_jurisdiction

from . import Home, pass_home
from .papers import HeldEvidence, last_moment, with_evidence


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument and the options of every choice; jurisdiction, locale and source reach the command as `how`."""

    @wraps(command)
    def stamped(*args: Any, jurisdiction: str, locale: str, source: str, **options: Any) -> Any:
        return command(*args, how=_how(jurisdiction, locale, source), **options)

    wrapped: Callable[..., Any] = stamped
    for option in (
        click.argument("address"),
        click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller."),
        click.option(
            "--jurisdiction",
            default=UNKNOWN_JURISDICTION,
            help="ISO 3166 code of the person; unknown is the strictest.",
        ),
        click.option("--locale", default="", help="The person's language."),
        click.option("--source", default="", help="Where the choice came from, for the record."),
    ):
        wrapped = option(wrapped)
    return wrapped


def _purposes(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Purpose, ...]:
    known = set(Purpose)
    if wrong := [
        Problem("--purpose", f"{value!r} is not one of {', '.join(Purpose)}") for value in values if value not in known
    ]:
        raise InputRefused(wrong)
    return tuple(Purpose(value) for value in values)


def _how(jurisdiction: str, locale: str, source: str) -> How:
    if not is_jurisdiction(jurisdiction):
        raise InputRefused.one("--jurisdiction", f"{jurisdiction!r} is not an ISO 3166 code such as FR or US-CA")
    return How("command_line", Grade.OPERATOR, "operator", locale=locale, source=source, jurisdiction=jurisdiction)


@click.group()
def consent() -> None:
    """Record and show one person's choices."""


@consent.command()
@_common
@click.option("--purpose", "purposes", multiple=True, callback=_purposes, help="May be given several times.")
@click.option("--mail", is_flag=True, help="Only that the person receives the mail; measures nothing.")
@with_evidence
@click.option(
    "--until", default="", metavar="DAY", help="The last day for which the person agreed, such as 2027-06-30."
)
@pass_home
def grant(
    home: Home, address: str, controller: int, how: How, purposes: tuple[Purpose, ...], mail: bool, held: HeldEvidence,
    until: str,
) -> None:  # fmt: skip
    """Record consent of ADDRESS to purposes. The grade follows from the evidence: operator, account or paper."""
    if not purposes and not mail:
        raise InputRefused.one("--purpose", "is needed, or --mail")
    runtime = home.runtime()
    if how.locale and runtime.wordings.texts(how.locale) is None:
        raise InputRefused.one("--locale", f"{how.locale!r} has no complete texts here")
    stamp = replace(held.stamped(how, runtime.now()), expires_at=last_moment(until, runtime.now()))
    with runtime.processing() as p:
        subject = knowing.obtain(p, controller, address, how.locale)
        done = (
            consenting.grant(p, controller, subject, purposes, stamp)
            if purposes
            else consenting.welcome(p, controller, subject, stamp)
        )
    _emit(home, done, "recorded")


def _stop(home: Home, address: str, controller: int, act: Callable[[Any, int], Done | Unknown]) -> None:
    """A no is always taken, from whoever it comes: an address nobody knew is made known by its refusal."""
    runtime: Runtime = home.runtime()
    with runtime.processing() as p:
        if knowing.is_suppressed(p, controller, address):
            done: Done | Unknown = Done(p.now, already=True)
        else:
            done = act(p, knowing.obtain(p, controller, address))
    _emit(home, done, "off")


def _turn_off(home: Home, address: str, controller: int, how: How, purposes: tuple[Purpose, ...]) -> None:
    which = frozenset(purposes) or None
    _stop(home, address, controller, lambda p, who: consenting.turn_off(p, controller, who, how, which))


_WHICH = click.option("--purpose", "purposes", multiple=True, callback=_purposes, help="Default: every purpose.")


@consent.command()
@_common
@_WHICH
@pass_home
def refuse(home: Home, address: str, controller: int, how: How, purposes: tuple[Purpose, ...]) -> None:
    """Record a refusal of ADDRESS: of some purposes, or of everything."""
    _turn_off(home, address, controller, how, purposes)


@consent.command()
@_common
@_WHICH
@pass_home
def withdraw(home: Home, address: str, controller: int, how: How, purposes: tuple[Purpose, ...]) -> None:
    """Withdraw consent of ADDRESS, effective at once, also for mails already sent."""
    _turn_off(home, address, controller, how, purposes)


@consent.command("object")
@_common
@pass_home
def object_(home: Home, address: str, controller: int, how: How) -> None:
    """Record an objection of ADDRESS (GDPR Art. 21): it overrides every basis."""
    _stop(home, address, controller, lambda p, who: consenting.object_to(p, controller, who, how))


@consent.command()
@_common
@_WHICH
@click.option("--reason", required=True, help="Why it is not good any longer, for the record.")
@pass_home
def revoke(home: Home, address: str, controller: int, how: How, purposes: tuple[Purpose, ...], reason: str) -> None:
    """Take consent of ADDRESS back that is not good any longer: by you, not by the person."""
    _take_back(home, address, controller, replace(how, source=_reason(how, reason)), purposes)


@consent.command()
@_common
@click.option("--entry", type=click.IntRange(1), required=True, help="The entry of the ledger that is wrong.")
@click.option("--reason", required=True, help="What is wrong with it, for the record.")
@with_evidence
@pass_home
def correct(home: Home, address: str, controller: int, how: How, entry: int, reason: str, held: HeldEvidence) -> None:
    """Correct an entry that is wrong: a new entry names it, the old one stays.

    A yes that should not be there counts as never given. A no that you entered by mistake gives way to evidence of the
    person's yes (--paper, --account); a person's own no never does.
    """
    runtime: Runtime = home.runtime()
    stamp = replace(held.stamped(how, runtime.now()), source=_reason(how, reason))
    with runtime.processing() as p:
        done = correcting.correct(p, controller, address, entry, stamp)
    _emit(home, done, "corrected")


@consent.command()
@_common
@click.option("--minor/--not-minor", default=None, help="Known to be a minor (GDPR Art. 8).")
@click.option("--restricted/--not-restricted", default=None, help="Processing is restricted (GDPR Art. 18).")
@pass_home
def mark(home: Home, address: str, controller: int, how: How, minor: bool | None, restricted: bool | None) -> None:
    """Note that ADDRESS is a minor's, or restricted, or no longer: nobody is measured while it lasts."""
    if minor is None and restricted is None:
        raise InputRefused.one("--minor", "is needed, or --restricted")
    _stop(
        home, address, controller,
        lambda p, who: consenting.mark(p, controller, who, how, minor=minor, restricted=restricted),
    )  # fmt: skip


def _take_back(home: Home, address: str, controller: int, how: How, purposes: tuple[Purpose, ...]) -> None:
    runtime: Runtime = home.runtime()
    with runtime.processing() as p:
        p.controller(controller)
        subject = knowing.find(p, controller, address)
        if subject is None:
            raise InputRefused.one("address", "nothing is held about it")
        done = consenting.revoke(p, controller, subject, how, frozenset(purposes) or None)
    _emit(home, done, "off")


def _reason(how: How, reason: str) -> str:
    if not reason.strip():
        raise InputRefused.one("--reason", "is empty")
    return f"{how.source} {reason.strip()}".strip()


@consent.command()
@click.argument("address")
@click.option("--controller", type=int, default=1, show_default=True)
@click.option("--history", is_flag=True, help="Every entry of the ledger, with the words on which it was made.")
@pass_home
def show(home: Home, address: str, controller: int, history: bool) -> None:
    """Show where the choices of ADDRESS stand."""
    runtime = home.runtime()
    if history:
        with runtime.reading() as p:
            events = proving.history(p, controller, address)
        home.emit({"events": events}, "\n".join(map(_told, events)) or "Nothing is recorded under this address.")
        return
    with runtime.reading() as p:
        p.controller(controller)
        subject = knowing.find(p, controller, address)
        standing = consenting.standing(p, controller, subject) if subject else None
    if standing is None:
        home.emit({"known": False}, "Nobody is known under this address: nothing is measured.")
        return
    state = standing.state
    choices = {
        purpose.value: {"status": choice.status.value, "since": choice.since, "grade": choice.grade.value}
        for purpose, choice in sorted(state.choices.items())
    }
    value = {
        "known": True,
        "on": [purpose.value for purpose in standing.on],
        "choices": choices,
        "objected_at": state.objected_at,
        "mail_ended_at": state.mail_ended_at,
        "signal_on": state.signal_on.isoformat() if state.signal_on else None,
        "sequence": state.sequence,
    }
    lines = [f"{name}: {choice['status']} ({choice['grade']})" for name, choice in choices.items()]
    home.emit(value, "\n".join(lines or ["No choice is recorded: nothing is measured."]))


def _told(event: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(event["occurred_at"], UTC).isoformat(timespec="seconds")
    line = f"{event['sequence']}: {at} {event['status']} {event['purpose'] or event['act']}"
    line += f" by {event['actor']} ({event['method']}, {event['grade']})"
    return line + "".join(f"\n    {text!r}" for text in (event["words"] or {}).values())


def _emit(home: Home, done: Done | Unknown, word: str) -> None:
    if isinstance(done, Unknown):
        home.emit({"known": False}, "Nobody is known under this address.")
        return
    value = {
        "at": done.at,
        "granted": [purpose.value for purpose in done.granted],
        "turned_off": [purpose.value for purpose in done.turned_off],
        "erase_on": done.erase_on.isoformat() if done.erase_on else None,
        "already": done.already,
    }
    text = "Nothing to change." if done.already else f"{word}: {', '.join((*done.granted, *done.turned_off)) or 'done'}"
    if done.erase_on:
        text += f"\nWhat was recorded before is erased by {done.erase_on.isoformat()}."
    home.emit(value, text)
