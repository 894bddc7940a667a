"""Simulating: what the mails of the last days would have been under other policies, in numbers without a person.

It reads the mailing register and where people's choices stand now, never a hit: a declined hit leaves no trace.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.decision import DAY, Decision, Declined, Reason, decide, scope_of
from consent_track.domain.policy import Policies
from consent_track.domain.vocabulary import INDIVIDUAL, HitKind, Purpose, from_bits
from consent_track.records import consent, mailing

from . import Processing
from .explaining import Said, said_of

PAGE: Final = 500
# A number about fewer people is not shown, nor one from which it could be told.
K: Final = 10
REFUSED: Final = "refused"  # the outcome of a mail that never left

Cell = tuple[str, str, Purpose]  # jurisdiction, kind of mail, purpose


@dataclass(slots=True)
class _Group:
    """Some mails, and the people they went to."""

    mails: int = 0
    people: set[int] = field(default_factory=set)

    def add(self, subject: int) -> None:
        self.mails += 1
        self.people.add(subject)

    @property
    def small(self) -> bool:
        """Whether it is about somebody, but about too few people to be told."""
        return 0 < len(self.people) < K

    def shown(self, rounded: bool = False) -> int | None:
        """The number of mails, where asked to the nearest ten; None where it is about too few people."""
        if self.small:
            return None
        return (self.mails + K // 2) // K * K if rounded else self.mails


@dataclass(slots=True)
class _Tally:
    """One cell while the register is read."""

    all: _Group = field(default_factory=_Group)
    before: _Group = field(default_factory=_Group)
    today: _Group = field(default_factory=_Group)
    under: _Group = field(default_factory=_Group)
    since: _Group = field(default_factory=_Group)  # whose answer moved by their choices, from the register to today
    moved: _Group = field(default_factory=_Group)  # whose answer moves by the policy
    reasons: dict[Reason, _Group] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One cell of the report; a number is None where it is about fewer than `K` people.

    Where one is, the others of the cell are `rounded` to tens: their differences must not tell of a few people either.
    `before`: mails measured as the register says. `today`: as they would be now under the policies in force, with the
    choices of now. `under`: the same under the other policies, with the reasons by number of mails.
    """

    jurisdiction: str
    mail_type: str
    purpose: Purpose
    before: int | None
    today: int | None
    under: int | None
    moved: int | None
    reasons: Mapping[Reason, int | None]
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class Simulated:
    """The whole report. `hidden` are cells that are left out because they are about fewer than `K` people."""

    mails: int | None
    lines: tuple[Line, ...]
    hidden: int


def simulate(p: Processing, controller: int, policies: Policies, days: int) -> Simulated:
    """What the mails of the last `days` would have been under `policies`, if they went out now to the same people.

    A mail whose basis is the same and which carried nothing then (it had no link, or no HTML part) carries nothing
    under the other policies either. Raises InputRefused (field `controller`).
    """
    p.controller(controller)
    cells: dict[Cell, _Tally] = {}
    everything, after, begin = _Group(), None, p.now - days * DAY
    while rows := mailing.page(p.session, controller, begin, PAGE, after=after):
        states = consent.find_states(p.session, controller, {row.subject for row in rows})
        for row in rows:
            if row.outcome != REFUSED:
                everything.add(row.subject)
                _count(p, cells, row, states.get(row.subject, UNKNOWN_PERSON), policies)
        after = rows[-1].prepared_at, rows[-1].message
    shown = [_line(cell, tally) for cell, tally in sorted(cells.items()) if not tally.all.small]
    return Simulated(everything.shown(), tuple(shown), len(cells) - len(shown))


def _count(
    p: Processing, cells: dict[Cell, _Tally], row: mailing.Prepared, state: ConsentState, policies: Policies
) -> None:
    said, served = said_of(row), from_bits(row.purposes)
    today, under = (_decisions(said, state, one, p.now) for one in (p.policies, policies))
    for purpose, reason in said.reasons.items():
        tally = cells.setdefault((row.jurisdiction, row.mail_type, purpose), _Tally())
        then = purpose in served
        now, other = (_measured(one[purpose], reason, then) for one in (today, under))
        groups = [tally.all, tally.reasons.setdefault(under[purpose].reason, _Group())]
        groups += [tally.before] if then else []
        groups += [tally.today] if now else []
        groups += [tally.under] if other else []
        groups += [tally.since] if then != now else []
        groups += [tally.moved] if now != other else []
        for group in groups:
            group.add(row.subject)


def _decisions(said: Said, state: ConsentState, policies: Policies, now: int) -> dict[Purpose, Decision]:
    """The decision for every purpose that the register speaks of, as it falls now."""
    message = replace(said.message, issued_at=now)
    policy = policies.for_jurisdiction(message.jurisdiction)
    scopes = [scope_of(kind, said.recipient, message, state, policy, now) for kind in HitKind]
    found = {decision.purpose: decision for scope in scopes for decision in scope.decisions}
    carried = any(scope.open for scope in scopes)
    for purpose in said.reasons.keys() - found.keys():
        rides = carried or purpose not in INDIVIDUAL
        found[purpose] = (
            decide(said.recipient, message, purpose, state, policy, now)
            if rides
            else Declined(purpose, Reason.CARRIER_DECLINED)
        )
    return found


def _measured(decision: Decision, reason: Reason, then: bool) -> bool:
    """Whether a decision measures; where the same basis carried nothing then, it carries nothing now."""
    return not isinstance(decision, Declined) and (then or decision.reason is not reason)


def _line(cell: Cell, tally: _Tally) -> Line:
    """A cell as it may be shown."""
    groups = (tally.before, tally.today, tally.under, tally.since, tally.moved, *tally.reasons.values())
    rounded = any(group.small for group in groups)
    before, today, under = (group.shown(rounded) for group in (tally.before, tally.today, tally.under))
    reasons = {reason: group.shown(rounded) for reason, group in _ranked(tally.reasons.items())}
    return Line(*cell, before, today, under, tally.moved.shown(rounded), reasons, rounded)


def _ranked(reasons: Iterable[tuple[Reason, _Group]]) -> list[tuple[Reason, _Group]]:
    return sorted(reasons, key=lambda one: (-one[1].mails, one[0]))
