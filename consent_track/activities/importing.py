"""Moving in: an existing list, taken over line by line, with every no kept and no yes that is not proved.

Every no of the file comes first, then its lines in order: so a person who refused anywhere in the file is at no moment
taken for one who agreed. Each batch, its ledger entries and the position are one transaction; a run that was killed
goes on where it stopped, and comes to what it would have come to.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Final

from consent_track.crypto import sealing
from consent_track.domain.asymmetry import judge, keep_no
from consent_track.domain.consent import UNKNOWN_PERSON, ConsentEvent, ConsentState
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Evidence, Form, Judgement, Outcome, Row, Step, Why, applied
from consent_track.domain.vocabulary import Grade, Status
from consent_track.records import consent, import_evidence, import_runs, ledger
from consent_track.records.import_runs import DONE, LINES, REFUSALS, Position
from consent_track.records.ledger import Appended
from consent_track.records.rehearsal import Rehearsal

from . import Processing, consenting, entering, knowing
from .knowing import Known

Begin = Callable[[], AbstractContextManager[Processing]]
Rows = Callable[[int], Iterator[Row]]  # the lines of the file after the first so many records
Report = Callable[[Sequence[tuple[int, Judgement]]], int]  # writes these lines; the length of the report then

# Pages wait for the write lock at most 250 ms: beside batches of 200 a withdrawal took up to 275 ms (2 cores, SQLite),
# beside 100 its p99 was 85 ms, and the whole took no longer.
BATCH: Final = 100
PAUSE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Run:
    """One file, read in one way. `id` is the SHA-256 of both: whoever runs it again goes on, or does nothing."""

    id: str
    file_hash: str
    controller: int
    forms: tuple[Form, ...] = ()
    evidence: tuple[Evidence, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class _Ruling:
    """What a batch came to: the judgement of each line, the entries for the ledger, and the states that follow."""

    judged: list[tuple[int, Judgement]] = field(default_factory=list)
    entries: list[tuple[Row, Step]] = field(default_factory=list)
    states: dict[str, ConsentState] = field(default_factory=dict)


def position(p: Processing, run: Run) -> Position | None:
    """Where this run stands, or None if it never began."""
    return import_runs.find(p.session, run.controller, run.id)


def move_in(begin: Begin, reading: Begin, run: Run, rows: Rows, report: Report, *, pause: float = PAUSE) -> Position:
    """Take over a file, from where an earlier run of it stopped; where it ended. Idempotent.

    Raises InputRefused (field `controller`; `file` while another process moves the same file in) and
    StorageUnavailable; what is done by then stays done, and running it again goes on.
    """
    with begin() as p:
        p.controller(run.controller)
        import_evidence.add_missing(p.session, run.controller, run.evidence, p.now)
        at = import_runs.begin(p.session, run.controller, run.id, run.file_hash, p.now)
    for phase, following in ((REFUSALS, LINES), (LINES, DONE)):
        if at.phase != phase:
            continue
        for records, batch, is_last in _batches(rows(at.records), at.records, phase):
            after = replace(at, records=records) if not is_last else replace(at, phase=following, records=0)
            at = _store(begin, reading, run, batch, at, after, report)
            time.sleep(pause)
    return at


def rehearse(reading: Begin, run: Run, rows: Rows, report: Report) -> Position:
    """Say what moving a file in would come to, and write nothing. Raises InputRefused and StorageUnavailable."""
    at = Position()
    with Rehearsal() as rehearsal:
        for phase in (REFUSALS, LINES):
            for _, batch, _ in _batches(rows(0), 0, phase):
                with reading() as p:
                    p.controller(run.controller)
                    ruling = _rehearsed(p, run, batch, phase, rehearsal)
                if phase == LINES:
                    at = replace(at, report_bytes=report(ruling.judged), counts=_counted(at.counts, ruling))
                at = replace(at, entries=at.entries + len(ruling.entries))
    return replace(at, phase=DONE)


def _batches(rows: Iterator[Row], done: int, phase: str) -> Iterator[tuple[int, list[Row], bool]]:
    """Batches of the lines a phase looks at, with the number of records up to there; the last one is marked."""
    batch: list[Row] = []
    for row in rows:
        if len(batch) == BATCH:
            yield done, batch, False
            batch = []
        done += 1
        if phase == LINES or (row.says_no and row.address is not None):
            batch.append(row)
    yield done, batch, True


def _store(
    begin: Begin, reading: Begin, run: Run, batch: Sequence[Row], at: Position, after: Position, report: Report
) -> Position:
    """One batch in one transaction, with the position behind it. Keys are made before, in their own store."""
    addresses = [address for row in batch if (address := row.address) is not None]
    with reading() as p:
        erased = knowing.suppressed_among(p, run.controller, addresses)
        known = knowing.keys_for(p, run.controller, [one for one in addresses if one not in erased])

    with begin() as p:
        standing = import_runs.hold(p.session, run.controller, run.id)
        if standing is None or (standing.phase, standing.records) != (at.phase, at.records):
            raise InputRefused.one("file", "is being moved in by another process")
        states = consent.lock_states(p.session, run.controller, [one.reference for one in known.values()])
        # Asked again, now that nobody can be erased meanwhile.
        erased |= knowing.suppressed_among(p, run.controller, addresses)
        known = {address: one for address, one in known.items() if address not in erased}
        there = {address: states[one.reference] for address, one in known.items() if one.reference in states}
        sequence, _ = ledger.lock_head(p.session, run.controller)
        ruling = _rule(p, run, batch, at.phase, there, erased, sequence)

        knowing.complete_many(p, run.controller, known, {row.address or "": row.locale for row in batch})
        _record(p, run, known, ruling)
        if at.phase == LINES:
            after = replace(after, report_bytes=report(ruling.judged), counts=_counted(at.counts, ruling))
        after = replace(after, entries=at.entries + len(ruling.entries))
        import_runs.move(p.session, run.controller, run.id, after, p.now)
    return after


def _rehearsed(p: Processing, run: Run, batch: Sequence[Row], phase: str, rehearsal: Rehearsal) -> _Ruling:
    """What `_store` would come to, with the states that the rehearsal has come to so far."""
    addresses = {address for row in batch if (address := row.address) is not None}
    erased = knowing.suppressed_among(p, run.controller, addresses)
    known = knowing.find_many(p, run.controller, addresses)
    states = consent.find_states(p.session, run.controller, [one.reference for one in known.values()])
    there = {address: states[one.reference] for address, one in known.items() if one.reference in states}
    key = p.keys.suppression  # of the keys that look addresses up, the one that no rotation changes under a long run
    lookups = {address: sealing.suppression_tag(key, run.controller, address) for address in addresses}
    rehearsed = rehearsal.find(lookups.values())
    there |= {address: rehearsed[lookup] for address, lookup in lookups.items() if lookup in rehearsed}
    ruling = _rule(p, run, batch, phase, there, erased, 0)
    rehearsal.save({lookups[address]: state for address, state in ruling.states.items()})
    return ruling


def _rule(
    p: Processing,
    run: Run,
    batch: Sequence[Row],
    phase: str,
    there: Mapping[str, ConsentState],
    erased: set[str],
    sequence: int,
) -> _Ruling:
    """Judge the lines one after the other, each with what the lines before it left. `sequence`: the last entry's."""
    ruling = _Ruling()
    for row in batch:
        address = row.address or ""
        state = ruling.states.get(address) or there.get(address, UNKNOWN_PERSON)
        if phase == REFUSALS:
            found = (
                keep_no(row, run.forms, state, p.now)
                if address not in erased
                else Judgement(Outcome.ERASED, Why.SUPPRESSED)
            )
        else:
            legacy = p.policies.for_jurisdiction(row.jurisdiction).pack.legacy
            found = judge(row, run.forms, legacy, state, address in erased, p.now)
        ruling.judged.append((row.line, found))
        if found.steps:
            first = sequence + len(ruling.entries) + 1
            ruling.entries += [(row, step) for step in found.steps]
            ruling.states[address] = applied(found.state, found.steps, range(first, first + len(found.steps)))
    return ruling


def _record(p: Processing, run: Run, known: Mapping[str, Known], ruling: _Ruling) -> None:
    """The entries, in one piece of the chain, then the states they lead to, then what is to be erased."""
    links = [_link(p, run, row, known[row.address or ""], step) for row, step in ruling.entries]
    ledger.append_many(p.session, run.controller, p.now, links)
    states = {known[address].reference: state for address, state in ruling.states.items()}
    consent.save_states(p.session, run.controller, states)
    for row, step in ruling.entries:
        if step.status is Status.WITHDRAWN and step.purpose:
            who = known[row.address or ""].reference
            consenting.note_erasure(p, run.controller, who, row.jurisdiction, step.purpose.bit)


def _link(p: Processing, run: Run, row: Row, who: Known, step: Step) -> tuple[int, Callable[[int, bytes], Appended]]:
    event = _event(p, run, row, step)
    return who.reference, entering.link_of(p, run.controller, who.reference, who.data_key, row.address or "", event)


def _event(p: Processing, run: Run, row: Row, step: Step) -> ConsentEvent:
    return ConsentEvent(
        act=step.act,
        purpose=step.purpose,
        status=step.status,
        occurred_at=step.occurred_at,
        recorded_at=p.now,
        method="import",
        grade=Grade.IMPORTED,
        actor=step.actor,
        source=step.source,
        wording_id=step.wording_id,
        locale=step.locale,
        policy_hash=p.policies.for_jurisdiction(row.jurisdiction).hash,
        jurisdiction=row.jurisdiction,
        flow_id=f"{run.id[:16]}:{row.line}",
        asked_at=step.asked_at,
        evidence_id=step.evidence,
    )


def _counted(before: Mapping[str, int], ruling: _Ruling) -> dict[str, int]:
    counts = Counter(before)
    counts.update(f"{found.outcome}/{found.why}" for _, found in ruling.judged)
    return dict(sorted(counts.items()))
