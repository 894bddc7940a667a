"""Keeping no longer than said: purge by retention class, erasure after withdrawal, destruction of day keys.

All of it is a loop over the data map, in chunks, each chunk one transaction. Every run leaves evidence, zero included.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from consent_track.crypto.pseudonyms import DayKeys
from consent_track.domain.decision import DAY
from consent_track.domain.policy import Policies
from consent_track.domain.retention import Clock
from consent_track.records import (
    consent,
    datamap,
    deliveries,
    flows,
    hits,
    key_events,
    outbox,
    partitions,
    purges,
    spool,
)

from . import Processing, exempting, holding, informing

Begin = Callable[[], AbstractContextManager[Processing]]

CHUNK: Final = 500
# The key of a day is destroyed when the next day has ended: at most 48 hours after it was made (decision 15).
DAY_KEY_GRACE: Final = timedelta(days=1)
PURGE_OVERDUE: Final = 26 * 3_600
DRAIN_OVERDUE: Final = 60
ANSWERS_OVERDUE: Final = 300
OUTBOX_OVERDUE: Final = 3_600


@dataclass(frozen=True, slots=True)
class Purged:
    """What one class of one purge came to: `count` rows older than `cutoff` (or, in a dry run, that would go)."""

    table: str
    data_class: str
    keep_days: int
    cutoff: date
    count: int
    why: str
    held: int = 0  # rows that would go and are kept by a hold


def keep_days(policies: Policies, data_class: str) -> int:
    """How long a class stays here: the shortest maximum of all policies, but never below the longest minimum."""
    every = policies.by_id.values()
    shortest = min(policy.keep_days(data_class) for policy in every)
    return max(shortest, max(policy.pack.retention[data_class].min_days for policy in every))


def purge(begin: Begin, *, dry_run: bool = False, pause: float = 0.005) -> list[Purged]:
    """Delete what is older than its class allows, chunk by chunk; with `dry_run`, only count it.

    Restarting after a crash repeats nothing and leaves nothing: each chunk and its count are one transaction.
    """
    return [_purge_one(begin, held, dry_run, pause) for held in datamap.purgeable()]


def _purge_one(begin: Begin, held: datamap.Purgeable, dry_run: bool, pause: float) -> Purged:
    with begin() as p:
        days = keep_days(p.policies, held.data_class)
        cutoff = datetime.fromtimestamp(p.now, UTC).date() - timedelta(days=days)
        limit = cutoff if held.clock is Clock.DAY else _instant(cutoff)
        result = Purged(held.table, held.data_class, days, cutoff, 0, held.why)
        if dry_run:
            people = holding.held(p)
            with p.session_of(held.store) as session:
                count = held.overdue(session, limit, people)
                kept = held.overdue(session, limit) - count
            return Purged(held.table, held.data_class, days, cutoff, count, held.why, kept)
        run = purges.begin(p.session, held.table, held.data_class, cutoff, p.now)

    total = 0
    while True:
        with begin() as p:
            people = holding.held(p)
            with p.session_of(held.store) as session:
                count = held.purge_chunk(session, limit, CHUNK, people)
            total += count
            purges.add(p.session, run, count, p.now, finished=count < CHUNK)
        if count < CHUNK:
            return Purged(result.table, result.data_class, days, cutoff, total, held.why)
        time.sleep(pause)  # a withdrawal goes first


def forget_networks(begin: Begin) -> int:
    """Empty the network pseudonyms of hits older than the policy lets them stay (at most 30 days; RT-03)."""
    total = 0
    while True:
        with begin() as p:
            days = min(policy.number("ip_pseudonym_days") for policy in p.policies.by_id.values())
            before = datetime.fromtimestamp(p.now, UTC).date() - timedelta(days=days)
            count = hits.forget_networks(p.session, before, CHUNK)
        total += count
        if count < CHUNK:
            return total


def erase_withdrawn(begin: Begin) -> int:
    """Erase what was measured under consents withdrawn longer ago than the delay (decision 7; GDPR Art. 17(1)(b))."""
    total = 0
    while True:
        with begin() as p:
            due = consent.due_erasures(p.session, p.now, CHUNK, lock=True, but=holding.held(p))
            for one in due:
                counts = datamap.erase_measurements(p.session, one.controller, one.subject, one.purposes)
                if one.purposes & exempting.HYGIENE.bit:
                    counts["last_open"] = exempting.forget(p, one.controller, one.subject)
                consent.set_erase_due(p.session, one.controller, one.subject, None, 0)
                total += sum(counts.values())
        if len(due) < CHUNK:
            return total


def forget_ended_hygiene(begin: Begin) -> int:
    """Delete the last-open day of everybody for whom hygiene has ended (with the mail, at the latest; RT-02)."""
    total, after = 0, (0, 0)
    while True:
        with begin() as p:
            count, last = exempting.forget_ended(p, after)
        total += count
        if last is None:
            return total
        after = last


def destroy_day_keys(begin: Begin, day_keys: DayKeys, node: str) -> list[date]:
    """Destroy the keys of days that are over, and leave evidence of it (storage of day keys; GDPR Art. 5(1)(e))."""
    with begin() as p:
        today = datetime.fromtimestamp(p.now, UTC).date()
        destroyed = day_keys.destroy(today - DAY_KEY_GRACE)
        for day in destroyed:
            key_events.record(p.session, day, node, p.now, "day_key_destroyed")
    return destroyed


@dataclass(frozen=True, slots=True)
class Overdue:
    """One duty that is late: what a readiness check shows, without anything about a person."""

    what: str
    since: int | None


def overdue(p: Processing, spooled: bool) -> Iterator[Overdue]:
    """What is late: purge, drain while something is spooled, erasures after withdrawal, mails, new partitions."""
    last = purges.last_finished(p.session)
    if last is None or p.now - last > PURGE_OVERDUE:
        yield Overdue("purge", last)
    seen = spool.oldest_seen(p.session)
    if spooled and (seen is None or p.now - seen > DRAIN_OVERDUE):
        yield Overdue("drain", seen)
    if consent.due_erasures(p.session, p.now - DAY, 1, but=holding.held(p)):
        yield Overdue("erasure_after_withdrawal", None)
    for what, waiting, bound in (
        ("answers", flows.oldest_unanswered(p.session), ANSWERS_OVERDUE),
        ("outbox", outbox.oldest(p.session), OUTBOX_OVERDUE),
        ("recipients", deliveries.oldest_waiting(p.session), informing.OVERDUE),
    ):
        if waiting is not None and p.now - waiting > bound:
            yield Overdue(what, waiting)
    if partitions.in_default_partition(p.session):
        yield Overdue("hit_partitions", None)


def _instant(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
