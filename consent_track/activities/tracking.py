"""Hits, from the spool into the database: decided again under the lock, stored once, or dropped without a trace.

A hit is stored only if consent stands in the very transaction that stores it. Its place in the spool is its identity:
the cursor moves in the same transaction, so a crash between commit and deletion repeats nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.decision import CLOCK_MARGIN, DAY, Scope, message_of_token, scope_at_hit
from consent_track.domain.frame import Framed
from consent_track.domain.observation import Observation, Signal, TokenFlag
from consent_track.domain.vocabulary import MAIL_TYPES, to_bits
from consent_track.records import consent, declines, hits, spool

from . import Processing

# Older frames are dropped and counted: a spool is a passage, not a store (storage rules of the README). Seconds.
OLDEST_FRAME: Final = 72 * 3_600
TOO_OLD: Final = "spooled_too_long"


@dataclass(frozen=True, slots=True)
class Stored:
    """What one batch came to."""

    hits: int
    dropped: int
    upto: int


def signals(frames: Sequence[Framed]) -> list[Signal]:
    """The opt-outs of a batch: recorded before its hits, each in a transaction of its own, any number of times."""
    return [framed.record for framed in frames if isinstance(framed.record, Signal)]


def position(p: Processing, segment_id: str) -> int:
    """Where the drain of a segment stands."""
    return spool.position(p.session, segment_id)


def store(p: Processing, segment_id: str, node: str, frames: Sequence[Framed]) -> Stored:
    """Store the hits of one batch that may be kept, and move the cursor behind it, in one transaction."""
    cursor = spool.cursor(p.session, segment_id, node, p.now)
    fresh = [framed for framed in frames if framed.offset >= cursor.offset]
    if not fresh:
        return Stored(0, 0, cursor.offset)
    observed = [(framed.offset, framed.record) for framed in fresh if isinstance(framed.record, Observation)]
    states = consent.share_states(p.session, sorted({(hit.controller, hit.subject) for _, hit in observed}))

    rows, dropped = [], Counter[tuple[int, str]]()
    for offset, hit in observed:
        scope = rejudge(p, hit, states.get((hit.controller, hit.subject), UNKNOWN_PERSON))
        if isinstance(scope, str):
            dropped[hit.controller, scope] += 1
        else:
            rows.append(_row(cursor.number, offset, hit, scope))

    hits.insert_many(p.session, rows)
    if dropped:
        declines.add(p.session, datetime.fromtimestamp(p.now, UTC).date(), dropped)
    spool.advance(p.session, cursor.number, fresh[-1].end)
    return Stored(len(rows), dropped.total(), fresh[-1].end)


def rejudge(p: Processing, hit: Observation, state: ConsentState) -> Scope | str:
    """The scope a spooled hit still has, or why it has none."""
    if p.now - hit.at > OLDEST_FRAME:
        return TOO_OLD
    sensitive = bool(hit.flags & TokenFlag.SENSITIVE)
    mail_type = MAIL_TYPES.get(hit.mail_type)
    message = message_of_token(mail_type, hit.jurisdiction, hit.purposes, hit.issued_at, sensitive, signal=False)
    policy = p.policies.for_jurisdiction(hit.jurisdiction)
    scope = scope_at_hit(hit.kind, message, state, policy, hit.at, margin=CLOCK_MARGIN)
    return scope if scope.open else scope.carrier.reason.value


def _row(segment: int, offset: int, hit: Observation, scope: Scope) -> hits.NewHit:
    return hits.NewHit(
        day=datetime.fromtimestamp(hit.at // DAY * DAY, UTC).date(),
        segment=segment,
        offset=offset,
        controller_id=hit.controller,
        subject=hit.subject,
        message=hit.message,
        kind=hit.kind.value,
        link=hit.link,
        at=hit.at,
        purposes=to_bits(scope.purposes),
        policy_prefix=hit.policy_prefix,
        engagement=hit.verdict.kind,
        reason=hit.verdict.reason,
        rules=hit.verdict.rules,
        network=hit.network or None,
    )
