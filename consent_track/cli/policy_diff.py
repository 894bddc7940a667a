"""`policy diff`: which cells change between two versions of the policies, in words."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from consent_track.domain.comparison import Area, Change, compare, compare_all
from consent_track.domain.errors import InputRefused
from consent_track.domain.policy import Policies, Policy, policy_hash
from consent_track.policy_files import HOUSE, load_house, load_pack, load_policies, stored_policy
from consent_track.records import policy_versions

from . import Home, pass_home
from .policy_folders import folders_of, read_folder

# Fewer digits would name several versions sooner or later; a token carries eight.
SHORTEST: Final = 8
_HEX: Final = frozenset("0123456789abcdef")
# What a file says about a value, besides the value.
NOTES: Final = frozenset({"source", "confidence", "note", "title", "uncertain", "in_force"})
_AREAS: Final[dict[Area, str]] = {
    Area.PACK: "pack",
    Area.LAW: "the law asks",
    Area.HERE: "here holds",
    Area.EVIDENCE: "evidence",
    Area.PARAMETER: "parameter",
    Area.RETENTION: "retention",
    Area.TRANSITION: "transition",
    Area.HOUSE: "house",
    Area.TEXT: "text",
}


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@pass_home
def diff(home: Home, old: str, new: str | None) -> None:
    """Say what changes from OLD to NEW; exit code 0: nothing, 1: something.

    Each is a policies folder, one pack file, or the hash of a version that was in force here (8 digits or more).
    Without NEW, OLD is held against the policy in force. A folder without a pack for unknown jurisdictions is read on
    top of the shipped one, as an installation would.
    """
    was = _read(home, old, "OLD")
    becomes = _read(home, new, "NEW") if new is not None else _present(home, was)
    if isinstance(was, Policies) and isinstance(becomes, Policies):
        changes = compare_all(was, becomes)
    elif isinstance(was, Policy) and isinstance(becomes, Policy):
        changes = compare(was, becomes)
    else:
        raise InputRefused.one("NEW", "must be of the same kind as OLD: a folder, or one pack or version")
    value = {"differ": bool(changes), "changes": [_plain(one) for one in changes]}
    home.emit(value, _words(changes) or "No difference.")
    if changes:
        raise click.exceptions.Exit(1)


def _read(home: Home, name: str, field: str) -> Policies | Policy:
    """What a word of the command line names. Raises InputRefused (field OLD or NEW), PolicyRefused."""
    path = Path(name)
    if name and path.is_dir():
        return read_folder(path)
    if path.is_file():
        return _under_the_house(home, path)
    if len(name) >= SHORTEST and _HEX.issuperset(name):
        return _version(home, name, field)
    raise InputRefused.one(field, f"{name!r} is neither a folder, nor a file, nor the hash of a version")


def _under_the_house(home: Home, path: Path) -> Policy:
    """One pack, under the house policy that holds here: the same for both sides."""
    pack = load_pack(path)
    houses = [folder / HOUSE for folder in folders_of(home)[0] if (folder / HOUSE).is_file()]
    house = load_house(houses[-1])
    return Policy(pack, house, policy_hash(pack.content, house.content))


def _version(home: Home, beginning: str, field: str) -> Policy:
    with home.runtime().reading() as p:
        found = policy_versions.by_hash(p.session, beginning)
    if len(found) != 1:
        what = "names several versions; give more digits" if found else "was no version in force here"
        raise InputRefused.one(field, f"{beginning!r} {what}")
    return stored_policy(found[0].content)


def _present(home: Home, was: Policies | Policy) -> Policies | Policy:
    """What is in force: all of it, or the pack of the same id."""
    policies = load_policies(folders_of(home)[0])
    if isinstance(was, Policies):
        return policies
    if was.id not in policies.by_id:
        raise InputRefused.one("NEW", f"is needed: no pack {was.id} is in force")
    return policies.by_id[was.id]


def _plain(change: Change) -> dict[str, Any]:
    return asdict(change) | {"was": change.was or None, "becomes": change.becomes or None}


def _words(changes: Iterable[Change]) -> str:
    """A line for each change; changed sources and notes are counted, they stand in the JSON answer."""
    lines, notes = [], 0
    for one in changes:
        if one.area is Area.TEXT and one.about.rpartition(".")[2] in NOTES:
            notes += 1
            continue
        leans = f" ({one.direction})" if one.direction else ""
        lines.append(
            f"{one.policy:<9} {_AREAS[one.area]:<13} {one.about}: {one.was or 'nothing'} -> {one.becomes or 'nothing'}"
            + leans
        )
    if notes:
        lines.append(f"{notes} sources, notes and other words differ, too; --json shows them")
    return "\n".join(lines)
