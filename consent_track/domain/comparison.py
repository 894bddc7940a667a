"""What differs between two versions of a policy, cell by cell: what the law asks, what holds here, numbers, periods.

For whoever must say what a change of law or of the house policy comes to, before it is in force (GDPR Art. 5(2), 24).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from .policy import LONGER_IS_STRICTER, Legacy, Policies, Policy
from .vocabulary import MailType, Purpose


class Area(StrEnum):
    """What a change is about; the values stand in reports."""

    PACK = "pack"  # a pack came or went
    LAW = "law"  # what the pack asks, by purpose and kind of mail
    HERE = "here"  # what holds under the house policy, by purpose and kind of mail
    EVIDENCE = "evidence"
    PARAMETER = "parameter"
    RETENTION = "retention"
    TRANSITION = "transition"
    HOUSE = "house"
    TEXT = "text"  # everything else that a file says: sources, notes, sections that no decision reads


class Direction(StrEnum):
    """Whom a change serves; empty where neither can be said."""

    STRICTER = "stricter"
    LOOSER = "looser"
    NEITHER = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, in words. `was` or `becomes` is empty where there was or will be nothing."""

    policy: str
    area: Area
    about: str
    was: str
    becomes: str
    direction: Direction = Direction.NEITHER


def compare(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Every difference between two versions of a policy; none exactly where their content is the same."""
    cells = tuple(_cells(old, new))
    moved = {change.about.partition(" ")[0] for change in cells if change.area is Area.LAW}
    return (
        *cells,
        *_evidence(old, new),
        *_parameters(old, new),
        *_retention(old, new),
        *_transition(old, new),
        *_text(new.id, Area.TEXT, _leaves(old.pack.content), _leaves(new.pack.content), moved),
        *_text(new.id, Area.HOUSE, _leaves(old.house.content), _leaves(new.house.content)),
    )


def compare_all(old: Policies, new: Policies) -> tuple[Change, ...]:
    """Every difference between two sets of policies; what the house policy says is compared once."""
    found: list[Change] = []
    for id_ in sorted({*old.by_id, *new.by_id}):
        was, becomes = old.by_id.get(id_), new.by_id.get(id_)
        if was is not None and becomes is not None:
            found += (change for change in compare(was, becomes) if change.area is not Area.HOUSE)
        elif (there := was or becomes) is not None:
            titles = (was.pack.title if was else "", becomes.pack.title if becomes else "")
            found.append(Change(there.id, Area.PACK, "the whole pack", *titles))
    return (*found, *_text("house", Area.HOUSE, _leaves(old.house.content), _leaves(new.house.content)))


def _cells(old: Policy, new: Policy) -> Iterator[Change]:
    for area, code in ((Area.LAW, new.id), *((Area.HERE, code) for code in _read_here(old, new))):
        for purpose in Purpose:
            pairs = {mail: (_asked(old, area, purpose, mail, code), _asked(new, area, purpose, mail, code))
                     for mail in MailType}  # fmt: skip
            changed = sorted((mail for mail in MailType if len(set(pairs[mail])) > 1), key=lambda one: pairs[one])
            for (was, becomes), mails in groupby(changed, key=pairs.__getitem__):
                kinds = list(mails)
                about = f"{purpose} in {'every mail' if len(kinds) == len(MailType) else ', '.join(sorted(kinds))}"
                direction = Direction.STRICTER if becomes > was else Direction.LOOSER
                about += f", {code}" if code != new.id else ""
                yield Change(new.id, area, about, was[1], becomes[1], direction)


def _asked(policy: Policy, area: Area, purpose: Purpose, mail: MailType, code: str) -> tuple[int, str]:
    """How strict, and the word for it, so that pairs of them can be compared and sorted."""
    needed = policy.pack.rules[purpose].needs(mail) if area is Area.LAW else policy.needs(purpose, mail, code)
    return needed.strictness, needed.value


def _read_here(old: Policy, new: Policy) -> list[str]:
    """The pack itself, and what it reads of the jurisdictions for which either house chose a regime."""
    chosen = {*old.house.regimes, *new.house.regimes}
    covers = {*old.pack.covers, *new.pack.covers, new.id}
    mine = {code for code in chosen if {code, code.partition("-")[0], f"{code.partition('-')[0]}-*"} & covers}
    return [new.id, *sorted(mine - {new.id})]


def _evidence(old: Policy, new: Policy) -> Iterator[Change]:
    for purpose in Purpose:
        was, becomes = old.least_grade(purpose), new.least_grade(purpose)
        if was is not becomes:
            direction = Direction.STRICTER if becomes.rank > was.rank else Direction.LOOSER
            yield Change(new.id, Area.EVIDENCE, f"least evidence for {purpose}", was.value, becomes.value, direction)


def _parameters(old: Policy, new: Policy) -> Iterator[Change]:
    for name in sorted({*old.pack.parameters, *new.pack.parameters}):
        was, becomes = (one.pack.parameters[name].value if name in one.pack.parameters else None for one in (old, new))
        if was != becomes:
            yield Change(new.id, Area.PARAMETER, name, _word(was), _word(becomes), _leans(name, was, becomes))


def _leans(name: str, was: Any, becomes: Any) -> Direction:
    if isinstance(was, str) or isinstance(becomes, str):
        return Direction.NEITHER
    if was is None or becomes is None:  # a clock that did not run, or no longer runs
        return Direction.STRICTER if was is None else Direction.LOOSER
    return Direction.STRICTER if (becomes > was) == (name in LONGER_IS_STRICTER) else Direction.LOOSER


def _retention(old: Policy, new: Policy) -> Iterator[Change]:
    for name in sorted({*old.pack.retention, *new.pack.retention}):
        was, becomes = (one.pack.retention.get(name) for one in (old, new))
        said, following = (f"{one.min_days} to {one.max_days} days" if one else "" for one in (was, becomes))
        if said != following:
            direction = Direction.NEITHER
            if was and becomes and was.max_days != becomes.max_days:
                direction = Direction.STRICTER if becomes.max_days < was.max_days else Direction.LOOSER
            yield Change(new.id, Area.RETENTION, name, said, following, direction)


def _transition(old: Policy, new: Policy) -> Iterator[Change]:
    was, becomes = (_dates(one.pack.legacy) for one in (old, new))
    if was != becomes:
        direction = Direction.NEITHER if was and becomes else (Direction.LOOSER if becomes else Direction.STRICTER)
        yield Change(new.id, Area.TRANSITION, "addresses held before a date", was, becomes, direction)


def _dates(legacy: Legacy | None) -> str:
    if legacy is None:
        return ""
    told = f"told by {legacy.noticed_by}" if legacy.noticed_by else "told with the first useful mail"
    return f"collected before {legacy.collected_before}, {told}"


# Leaves that another area says in words of its own; those of a rule, where one of its cells moved.
_CELL: Final = frozenset({"requirement", "otherwise", "mail_types"})
_SAID: Final[dict[str, frozenset[str]]] = {
    "rules": frozenset({"least_grade"}),
    "parameters": frozenset({"value"}),
    "retention": frozenset({"min_days", "max_days"}),
    "legacy": frozenset({"collected_before", "noticed_by"}),
}


def _text(
    policy: str, area: Area, old: Mapping[str, str], new: Mapping[str, str], moved: Collection[str] = ()
) -> Iterator[Change]:
    for path in sorted({*old, *new}):
        parts = path.split(".")
        in_words = parts[-1] in _SAID.get(parts[0], ()) or (parts[-1] in _CELL and parts[1] in moved)
        said = area is Area.TEXT and in_words
        if not said and old.get(path) != new.get(path):
            yield Change(policy, area, path, old.get(path, ""), new.get(path, ""))


def _leaves(content: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Every value of a file by its dotted path."""
    found: dict[str, str] = {}
    for name, value in content.items():
        path = f"{above}{name}"
        found |= _leaves(value, f"{path}.") if isinstance(value, Mapping) else {path: _word(value)}
    return found


def _word(value: Any) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
