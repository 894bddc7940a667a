"""`import`: an existing list, taken over from the export of another tool."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import click

from consent_track import exports
from consent_track.activities import importing
from consent_track.activities.importing import Run
from consent_track.bootstrap import Runtime
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Evidence, Form, Outcome, Row, Why
from consent_track.domain.vocabulary import INDIVIDUAL, UNKNOWN_JURISDICTION, Grade
from consent_track.exports.presets import PRESETS, Reading
from consent_track.records.import_runs import DONE, LINES, Position

from . import Home, pass_home
from .import_report import ReportFile

# A job nobody waits for gives way to recipients, and waits longer for its turn; milliseconds.
WAIT_MS: Final = 10_000


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--preset", default="", help=f"Whose export it is: {', '.join(PRESETS)}.")
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="Which column holds a field.")
@click.option("--status", default="", help="What the whole file is, such as unsubscribed; a no in a line still counts.")
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@click.option("--jurisdiction", default=UNKNOWN_JURISDICTION, help="Of the people of this file; unknown is strictest.")
@click.option("--locale", default="", help="The language of the form, where a line does not say it.")
@click.option("--source", default="", help="Where the people said yes, where a line does not say it.")
@click.option("--evidence", type=click.Path(path_type=Path), multiple=True, help="Forms people were shown, signed for.")
@click.option("--collected-on", default="", metavar="COLUMN", help="When the address was collected (transitions).")
@click.option("--notice-on", default="", metavar="DATE", help="When the people of this file were told (transitions).")
@click.option("--time-format", default="", help="How times are written, as for strptime; default: ISO 8601.")
@click.option("--time-zone", default="UTC", show_default=True, help="Of times that do not say theirs.")
@click.option("--encoding", default="utf-8", show_default=True)
@click.option("--report", type=click.Path(path_type=Path), help="What each line became, as .csv or JSON lines.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing but the report.")
@pass_home
def import_(
    home: Home,
    /,
    file: Path,
    maps: tuple[str, ...],
    evidence: tuple[Path, ...],
    controller: int,
    collected_on: str,
    encoding: str,
    report: Path | None,
    dry_run: bool,
    **said: Any,
) -> None:
    """Take over the list in FILE: every no is kept, a yes only with source, time and wording.

    Run it again after a crash and it goes on; run it again when it is done and nothing changes.
    """
    runtime = home.runtime()
    today = datetime.fromtimestamp(runtime.now(), UTC).date()
    source = exports.look_through(file, encoding)
    reading = Reading(columns=_columns(maps, collected_on), **said)
    how = exports.mapping(source, reading, today)
    forms, pieces = _evidence(evidence, today)
    run = Run(_name(source, how, controller, forms), source.sha256, controller, forms, pieces)

    def rows(skip: int) -> Iterator[Row]:
        return exports.rows(source, how, skip)

    before, after = _carry_out(runtime, run, rows, ReportFile(report), dry_run)
    answer = _answer(run, before, after, dry_run)
    home.emit(answer, "\n".join(_words(answer, runtime, reading.jurisdiction)))


def _carry_out(
    runtime: Runtime, run: Run, rows: importing.Rows, report: ReportFile, dry_run: bool
) -> tuple[Position | None, Position]:
    """Where the run stood, and where it stands now."""
    with runtime.reading() as p:
        p.controller(run.controller)
        before = None if dry_run else importing.position(p, run)
    if before is not None and before.phase == DONE:
        return before, before
    with report.continued(before):
        if dry_run:
            return None, importing.rehearse(runtime.reading, run, rows, report.write)
        begin = lambda: runtime.processing(wait_ms=WAIT_MS)  # noqa: E731
        return before, importing.move_in(begin, runtime.reading, run, rows, report.write)


def _columns(maps: tuple[str, ...], collected_on: str) -> dict[str, str]:
    columns = {}
    for one in maps:
        name, sign, column = one.partition("=")
        if not sign or not column:
            raise InputRefused.one("--map", f"{one!r} is not FIELD=COLUMN")
        columns[name.strip()] = column.strip()
    return columns | ({"collected_on": collected_on} if collected_on else {})


def _evidence(paths: tuple[Path, ...], today: date) -> tuple[tuple[Form, ...], tuple[Evidence, ...]]:
    read = [exports.read_evidence(path, today) for path in paths]
    forms = tuple(form for found, _ in read for form in found)
    if twice := [name for name, count in Counter(form.name for form in forms).items() if count > 1]:
        raise InputRefused.one("--evidence", f"two forms are called {twice[0]!r}")
    return forms, tuple(piece for _, found in read for piece in found)


def _name(source: exports.Source, how: exports.Understanding, controller: int, forms: tuple[Form, ...]) -> str:
    parts = [source.sha256, source.encoding, how.canonical, controller, sorted(form.id for form in forms)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _answer(run: Run, before: Position | None, after: Position, dry_run: bool) -> dict[str, Any]:
    outcomes = dict.fromkeys((outcome.value for outcome in Outcome), 0)
    for both, count in after.counts.items():
        outcomes[both.partition("/")[0]] += count
    done_before = before is not None and before.phase == DONE
    resumed = before is not None and not done_before and (before.records > 0 or before.phase == LINES)
    return {
        "run": run.id,
        "dry_run": dry_run,
        "already_done": done_before,
        "resumed": resumed,
        "lines": sum(outcomes.values()),
        "outcomes": outcomes,
        "reasons": dict(after.counts),
        "ledger_entries": after.entries,
        "evidence": [form.id for form in run.forms],
    }


def _words(answer: dict[str, Any], runtime: Runtime, jurisdiction: str) -> Iterator[str]:
    if answer["already_done"]:
        yield "This file was moved in before, read in the same way: nothing changed. It came to:"
    elif answer["dry_run"]:
        yield "Dry run: nothing was written. It would come to:"
    elif answer["resumed"]:
        yield "Went on where an earlier run stopped. Altogether it came to:"
    for both, count in answer["reasons"].items():
        outcome, _, why = both.partition("/")
        yield f"{count:>9,}  {outcome:<15} {Why(why).words}"
    yield f"{answer['lines']:>9,}  lines"
    if answer["outcomes"]["given"]:
        policy = runtime.policies.for_jurisdiction(jurisdiction)
        weak = [one for one in sorted(INDIVIDUAL) if policy.least_grade(one).rank > Grade.IMPORTED.rank]
        if weak:
            yield f"The policy {policy.id} asks for better evidence than `imported` for {', '.join(weak)}:"
            yield "what is given stands in the ledger, and measures nothing until the people are asked again."
