"""`ask`: ask people for consent in waves, see the mail before it leaves, and count what came of it."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from consent_track.activities import asking, awaiting
from consent_track.activities.asking import Addressee, Done, Plan, Question
from consent_track.bootstrap import Runtime
from consent_track.domain.address import normalise
from consent_track.domain.asking import Reason
from consent_track.domain.errors import InputRefused, Problem
from consent_track.domain.vocabulary import UNKNOWN_JURISDICTION, Purpose, is_jurisdiction
from consent_track.exports.table import table
from consent_track.mail.letter import render

from . import Home, pass_home

WAIT_MS: Final = 10_000  # as an import, it gives way to recipients and waits longer for its turn
_ADDRESS: Final = ("email", "address", "e-mail", "email address")
_NOT_REASONS: Final = {asking.TWICE: "The address stood in the list before."}
_OUTCOMES: Final = {
    "yes": "said yes, to some of it at least",
    "no": "said no",
    "silent": "did not answer, which is a no",
    "open": "may still answer",
    "undeliverable": "the mail could not be delivered",
    "gone": "erased since, or older than is kept",
}


@click.group()
def ask() -> None:
    """Ask people for consent, once each, and leave alone who said no."""


_CONTROLLER = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
_PURPOSES = click.option("--purposes", default="", help="Comma-separated; default: those of the controller.")
_JURISDICTION = click.option("--jurisdiction", default="", help="Of the people; default: the controller's.")


@ask.command()
@click.option("--wave", required=True, help="A name for this round of questions; the same name goes on with it.")
@_PURPOSES
@_CONTROLLER
@_JURISDICTION
@click.option("--from", "file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="CSV with `email`, perhaps `locale` and `jurisdiction`; or one address a line.")  # fmt: skip
@click.option("--everybody", is_flag=True, help="Everybody who is known here.")
@click.option("--limit", type=click.IntRange(min=1), help="Ask at most so many people now; run it again for the rest.")
@click.option("--send", is_flag=True, help="One mail to each by the outbox; without it: consent-track links export.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@pass_home
def start(
    home: Home, /, wave: str, purposes: str, controller: int, jurisdiction: str, file: Path | None, everybody: bool,
    limit: int | None, send: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Ask everybody who may be asked; run again, it goes on, and asks nobody twice."""
    if (file is None) == (not everybody):
        raise InputRefused.one("--from", "or --everybody is needed, and only one of them")
    runtime = home.runtime()
    if not runtime.config.smtp_url:
        raise InputRefused.one("smtp_url", "is not set: a yes is confirmed by a mail, so nobody could say yes")
    plan = _plan(runtime, controller, wave, purposes, jurisdiction, send)
    people = asking.everybody(runtime.reading, controller) if file is None else _checked(file)
    begin, writer = (lambda: runtime.processing(wait_ms=WAIT_MS)), runtime.letters()
    done = (
        asking.rehearse(runtime.reading, plan, people, writer, limit=limit)
        if dry_run
        else asking.start(begin, runtime.reading, plan, people, writer, limit=limit)
    )
    value = {
        "wave": wave, "dry_run": dry_run, "asked": done.asked, "asked_before": done.asked_before,
        "left_for_later": done.left_for_later, "not_asked": dict(done.not_asked),
    }  # fmt: skip
    home.emit(value, "\n".join(_told(done, plan, dry_run)))


def _told(done: Done, plan: Plan, dry_run: bool) -> Iterator[str]:
    if dry_run:
        yield "Dry run: nothing was written. It would come to:"
    yield f"{done.asked:>9,}  asked"
    if done.asked_before:
        yield f"{done.asked_before:>9,}  asked before in this wave"
    if done.left_for_later:
        yield f"{done.left_for_later:>9,}  left for later (--limit)"
    yield from _reasons(done.not_asked)
    if done.asked and not plan.send and not dry_run:
        yield f"No mail was sent. Their links: consent-track links export --wave {plan.name!r} --out links.csv"


def _reasons(not_asked: Mapping[str, int]) -> Iterator[str]:
    for reason, count in sorted(not_asked.items(), key=lambda one: -one[1]):
        yield f"{count:>9,}  not asked: {_NOT_REASONS.get(reason) or Reason(reason).words}"


@ask.command()
@click.argument("wave")
@_CONTROLLER
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@pass_home
def report(home: Home, wave: str, controller: int, form: str) -> None:
    """Say what WAVE came to: counts, never people."""
    found = awaiting.report(home.runtime().reading, controller, wave)
    if form == "json":
        home.as_json = True
    value = {
        "wave": found.wave, "asked": found.asked, "outcomes": dict(found.outcomes), "not_asked": dict(found.not_asked)
    }  # fmt: skip
    if form == "csv":
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(("what", "which", "count"))
        rows.writerow(("asked", "", found.asked))
        rows.writerows(("outcome", which, count) for which, count in found.outcomes.items())
        rows.writerows(("not_asked", which, count) for which, count in found.not_asked.items())
        home.emit(value, text.getvalue().rstrip("\n"))
        return
    lines = [f"{found.asked:>9,}  asked"]
    lines += [f"{count:>9,}    {_OUTCOMES[which]}" for which, count in found.outcomes.items() if count]
    home.emit(value, "\n".join([*lines, *_reasons(found.not_asked)]))


@ask.command()
@click.argument("wave", default="")
@_PURPOSES
@_CONTROLLER
@_JURISDICTION
@click.option("--locale", default="", help="Default: the controller's.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the HTML part here.")
@pass_home
def preview(
    home: Home, wave: str, purposes: str, controller: int, jurisdiction: str, locale: str, html: Path | None
) -> None:
    """Show the mail that asks, as WAVE asks or as --purposes would, with a link that leads nowhere."""
    runtime = home.runtime()
    plan = _plan(runtime, controller, wave or "preview", purposes, jurisdiction, False)
    if wave and not purposes:
        with runtime.reading() as p:
            begun = awaiting.find(p, controller, wave)
        names = ",".join(one for one in Purpose if one in begun.purposes)
        plan = _plan(runtime, controller, wave, names, begun.jurisdiction, False)
    whose, writer = runtime.controllers[controller], runtime.letters()
    words = writer.words(whose, locale, plan.purposes)
    if words is None:
        raise InputRefused.one("--locale", f"{locale!r} has no complete texts here")
    law = runtime.policies.for_jurisdiction(plan.jurisdiction)
    page, months = f"{runtime.config.public_url}/p/EXAMPLE", law.number("re_ask_cooldown_months")
    question = Question(
        whose, "somebody@example.org", words.shown.locale, plan.purposes, months,
        f"{page}{asking.YES}", f"{page}{asking.NO}",
    )  # fmt: skip
    letter = writer.question(question)
    text, document = render(letter)
    if html is not None:
        html.write_text(document, encoding="utf-8")
    value = {"locale": letter.locale, "subject": letter.subject, "text": text, "html": document}
    home.emit(value, f"{letter.subject}\n\n{text}")


def _plan(runtime: Runtime, controller: int, wave: str, purposes: str, jurisdiction: str, send: bool) -> Plan:
    whose = runtime.controllers.get(controller)
    if whose is None:
        raise InputRefused.one("--controller", f"{controller} is not configured")
    law = jurisdiction or whose.jurisdiction or UNKNOWN_JURISDICTION
    if not is_jurisdiction(law):
        raise InputRefused.one("--jurisdiction", f"{law!r} is not an ISO 3166 code such as FR or US-CA")
    names = [name.strip() for name in purposes.split(",") if name.strip()]
    known = set(Purpose)
    if wrong := [
        Problem("--purposes", f"{name!r} is not one of {', '.join(Purpose)}") for name in names if name not in known
    ]:
        raise InputRefused(wrong)
    wanted = tuple(one for one in Purpose if one in names) or whose.purposes
    return Plan(controller, wave, wanted, law, send, runtime.config.public_url)


def _checked(path: Path) -> Iterator[Addressee]:
    """The addressees of a file that was looked through before: a bad line refuses it before anybody is asked."""
    for _ in _addressees(path):
        pass
    return _addressees(path)


def _addressees(path: Path) -> Iterator[Addressee]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            yield from _rows(table(text))
    except UnicodeDecodeError:
        raise InputRefused.one("--from", "is not UTF-8") from None
    except OSError as error:
        raise InputRefused.one("--from", f"cannot be read ({error.strerror})") from None


def _rows(rows: Iterator[tuple[int, list[str]]]) -> Iterator[Addressee]:
    line, first = next(rows)
    names = [name.lower() for name in first]
    places = [names.index(name) for name in _ADDRESS if name in names]
    if not places and (len(first) != 1 or "@" not in first[0]):
        raise InputRefused.one("--from", f"line {line} names no column `email`")
    if not places:
        yield _addressee(line, {"email": first[0]})
    for number, cells in rows:
        said = dict(zip(names, cells, strict=True))
        yield _addressee(number, said | {"email": cells[places[0] if places else 0]})


def _addressee(line: int, said: Mapping[str, Any]) -> Addressee:
    try:
        address = normalise(said["email"])
    except InputRefused as refused:
        raise InputRefused.one("--from", f"line {line}: {refused.problems[0].what}") from None
    law = said.get("jurisdiction", "").strip()
    if law and not is_jurisdiction(law):
        raise InputRefused.one("--from", f"line {line}: the jurisdiction is no ISO 3166 code")
    return Addressee(address, said.get("locale", "").strip().replace("_", "-"), law)
