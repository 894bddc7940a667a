"""From the files of the policies folders to the policies in force, or to every problem at once, each as `file: key`.

A later folder replaces a pack, or the house policy, of an earlier one. Drafts are checked, and load only where the
house policy lists them (decision 4).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from consent_track.bundled import bundled
from consent_track.domain.errors import PolicyRefused, Problem
from consent_track.domain.policy import (
    HousePolicy,
    Policies,
    Policy,
    Requirement,
    RulePack,
    policy_hash,
)
from consent_track.domain.vocabulary import INDIVIDUAL, UNKNOWN_JURISDICTION, Purpose
from consent_track.policy_reading import Reading, house_of, pack_of, read_house, read_pack, revived
from consent_track.rights_files import RIGHTS

HOUSE: Final = "house.toml"
RELEASED: Final = "released.txt"


@dataclass(frozen=True, slots=True)
class _Found:
    """A pack and the file it stands in."""

    path: Path
    pack: RulePack


def load_pack(path: Path) -> RulePack:
    """One rule pack. Raises PolicyRefused with every problem of the file."""
    reading = Reading(path)
    pack = read_pack(reading)
    if pack is None:
        raise PolicyRefused(reading.problems)
    return pack


def load_house(path: Path) -> HousePolicy:
    """The house policy. Raises PolicyRefused with every problem of the file."""
    reading = Reading(path)
    house = read_house(reading)
    if house is None:
        raise PolicyRefused(reading.problems)
    return house


def load_policies(
    folders: Sequence[Path],
    *,
    purpose_texts: Callable[[Purpose], bool] | None = None,
    files: Sequence[Path] = (),
) -> Policies:
    """Every policy in force here. Raises PolicyRefused with every problem of every file.

    `purpose_texts` says whether a purpose has its text in the default locale: nobody can consent to what is not
    explained (GDPR Art. 4(11)). `files` are read as if they stood in one more folder, the last.
    """
    problems: list[Problem] = []
    layers = [*(_files(folder, problems) for folder in folders), list(files)]
    house_path, house = _read_houses(layers, problems)
    everything = _read_packs(layers, problems)
    wanted = frozenset(house.content.get("drafts", ())) if house else frozenset()
    found = _in_force(everything, wanted)
    if house is not None and house_path is not None and not problems:
        problems += _lost_drafts(house_path, wanted, everything)
        problems += _conflicts(found.values())
        problems += _house_problems(house_path, house, found)
        problems += _without_text(found.values(), purpose_texts)
        policies = {id_: _policy(one.pack, house) for id_, one in sorted(found.items())}
        problems += _collisions(policies.values())
        if not problems:
            return Policies(MappingProxyType(policies), MappingProxyType(_covering(found.values())), house)
    raise PolicyRefused(problems)


@dataclass(frozen=True, slots=True)
class Remarks:
    """What loads, but somebody should know of; each begins with the id of a pack."""

    replaced: tuple[str, ...]  # a later folder stands in the place of an earlier one
    edited: tuple[str, ...]  # not the content that was released under this law version
    drafts: tuple[str, ...]  # ids in force that are drafts
    waiting: tuple[str, ...]  # drafts that nobody asked for


def remarks(folders: Sequence[Path], *, files: Sequence[Path] = ()) -> Remarks:
    """What to say about the packs at start-up and in a check. Raises PolicyRefused like `load_policies`."""
    problems: list[Problem] = []
    layers = [*(_files(folder, problems) for folder in folders), list(files)]
    _, house = _read_houses(layers, problems)
    everything = _read_packs(layers, problems)
    if problems or house is None:
        raise PolicyRefused(problems)
    wanted = frozenset(house.content.get("drafts", ()))
    ids = [one.pack.id for one in everything if _loads(one.pack, wanted)]
    in_force = _in_force(everything, wanted)
    pinned = released()
    edited = [
        f"{id_}: {one.path} is not the pack that was released as law version {one.pack.law_version}; "
        "a change needs a law version of its own"
        for id_, one in sorted(in_force.items())
        if pinned.get((id_, one.pack.law_version), content := policy_hash(one.pack.content, {})) != content
    ]
    return Remarks(
        replaced=tuple(f"{id_}: {in_force[id_].path}" for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1})),
        edited=tuple(edited),
        drafts=tuple(id_ for id_, one in sorted(in_force.items()) if one.pack.status == "draft"),
        waiting=tuple(sorted({one.pack.id for one in everything} - set(in_force))),
    )


def drafts_of(folders: Sequence[Path]) -> dict[str, RulePack]:
    """Every draft by its id, in force or not, each from the last folder that has it. Raises PolicyRefused."""
    problems: list[Problem] = []
    everything = _read_packs([_files(folder, problems) for folder in folders], problems)
    if problems:
        raise PolicyRefused(problems)
    last = {one.pack.id: one.pack for one in everything}
    return {id_: pack for id_, pack in last.items() if pack.status == "draft"}


def released() -> dict[tuple[str, str], str]:
    """The content hash of every pack that was ever released, by its id and law version."""
    lines = (bundled("policies") / RELEASED).read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {(id_, law_version): content for id_, law_version, content in rows}


def stored_policy(content: str) -> Policy:
    """A policy as `policy_version` keeps it, JSON of pack and house, with the hash it had then.

    Raises PolicyRefused for what another version of this program wrote in a form that this one cannot read.
    """
    try:
        kept = json.loads(content)
        pack, house = pack_of(revived(kept["pack"])), house_of(revived(kept["house"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyRefused.one("policy_version", f"cannot be read by this version ({type(error).__name__})") from None
    return _policy(pack, house)


def _files(folder: Path, problems: list[Problem]) -> list[Path]:
    if not folder.is_dir():
        problems.append(Problem(str(folder), "is not a folder"))
    return sorted(path for path in folder.glob("*.toml") if path.name != RIGHTS)


def _read_houses(layers: Sequence[Sequence[Path]], problems: list[Problem]) -> tuple[Path | None, HousePolicy | None]:
    """Every house policy is checked; the last one holds."""
    last: tuple[Path | None, HousePolicy | None] = (None, None)
    paths = [path for layer in layers for path in layer if path.name == HOUSE]
    for path in paths:
        reading = Reading(path)
        last = path, read_house(reading)
        problems += reading.problems
    if not paths:
        problems.append(Problem(HOUSE, "is in none of the policies folders"))
    return last


def _read_packs(layers: Sequence[Sequence[Path]], problems: list[Problem]) -> list[_Found]:
    """Every pack of every folder, checked; two of one id in one folder are a problem."""
    everything: list[_Found] = []
    for layer in layers:
        first: dict[str, Path] = {}
        for path in layer:
            if path.name == HOUSE:
                continue
            reading = Reading(path)
            pack = read_pack(reading)
            if pack is not None:
                if pack.id in first:
                    reading.wrong("id", f"{pack.id!r} stands in {first[pack.id]}, too")
                first.setdefault(pack.id, path)
                everything.append(_Found(path, pack))
            problems += reading.problems
    return everything


def _loads(pack: RulePack, wanted: frozenset[str]) -> bool:
    return pack.status == "released" or pack.id in wanted


def _in_force(everything: Iterable[_Found], wanted: frozenset[str]) -> dict[str, _Found]:
    return {one.pack.id: one for one in everything if _loads(one.pack, wanted)}


def _lost_drafts(house_path: Path, wanted: frozenset[str], everything: Iterable[_Found]) -> Iterator[Problem]:
    for id_ in sorted(wanted - {one.pack.id for one in everything}):
        yield Problem(f"{house_path}: drafts", f"{id_!r} is the id of no pack")


def _policy(pack: RulePack, house: HousePolicy) -> Policy:
    return Policy(pack, house, policy_hash(pack.content, house.content))


def _covering(found: Iterable[_Found]) -> dict[str, str]:
    return {code: one.pack.id for one in found for code in one.pack.covers}


def _conflicts(found: Iterable[_Found]) -> Iterator[Problem]:
    """What no single file can be wrong about: the same jurisdiction twice, minimum above another's maximum (RT-06)."""
    packs = sorted(found, key=lambda one: one.pack.id)
    if UNKNOWN_JURISDICTION not in {one.pack.id for one in packs}:
        yield Problem(UNKNOWN_JURISDICTION, "has no pack: an unknown jurisdiction needs the strictest (decision 3)")
    covered: dict[str, str] = {}
    for one in packs:
        for code in one.pack.covers:
            if covered.setdefault(code, one.pack.id) != one.pack.id:
                yield Problem(f"{one.path}: covers", f"{code!r} is covered by {covered[code]}, too")
        for name, held in one.pack.retention.items():
            for other in packs:
                most = other.pack.retention[name].max_days
                if held.min_days > most:
                    what = f"is {held.min_days}, above the max_days of {other.pack.id}, which is {most}"
                    yield Problem(f"{one.path}: retention.{name}.min_days", what)


def _house_problems(path: Path, house: HousePolicy, found: Mapping[str, _Found]) -> Iterator[Problem]:
    """A choice that does nothing, or that lacks what makes it lawful. The house can only tighten (decision 2)."""
    read_by = Policies({id_: _policy(one.pack, house) for id_, one in found.items()}, _covering(found.values()), house)
    if UNKNOWN_JURISDICTION not in found:
        return
    for code, regime in sorted(house.regimes.items()):
        policy, key = read_by.for_jurisdiction(code), f"{path}: regimes.{code}"
        if policy.id == UNKNOWN_JURISDICTION:
            yield Problem(key, "is read by no pack; an unknown jurisdiction has no regime")
        elif regime.strictness < Requirement.CONSENT.strictness:
            if not _allows_without_consent(policy.pack):
                yield Problem(key, f"loosens nothing: the law of {policy.id} asks for consent")
            if policy.notice_for(code) is None:
                yield Problem(key, f"needs the reference of the notice that people were given, as notices.{code}")
    for code in sorted(house.legacy_regimes):
        known = code in read_by.by_id or code in read_by.covering
        if not known or read_by.for_jurisdiction(code).pack.legacy is None:
            yield Problem(f"{path}: legacy_regimes", f"no pack has a transition for {code!r}")
    packs = [one.pack for one in found.values()]
    for name, days in sorted(house.retention.items()):
        if days > (longest := max(pack.retention[name].max_days for pack in packs)):
            yield Problem(
                f"{path}: retention.{name}", f"tightens nothing: no pack lets it stay {days} days ({longest})"
            )
    for name in sorted(house.parameters):
        laws = [pack.parameters[name].value if name in pack.parameters else None for pack in packs]
        held = [policy.limit(name) for policy in read_by.by_id.values()]
        if held == laws and house.parameters[name] not in laws:
            yield Problem(f"{path}: parameters.{name}", f"{house.parameters[name]} tightens nothing in any pack")


def _allows_without_consent(pack: RulePack) -> bool:
    rules = (pack.rules[purpose] for purpose in INDIVIDUAL)
    return any(
        requirement.strictness < Requirement.CONSENT.strictness
        for rule in rules
        for requirement in (rule.requirement, rule.otherwise)
    )


def _without_text(found: Iterable[_Found], has_text: Callable[[Purpose], bool] | None) -> Iterator[Problem]:
    if has_text is None:
        return
    packs = sorted(found, key=lambda one: one.pack.id)
    for purpose in sorted(INDIVIDUAL):
        rules = [(one, one.pack.rules[purpose]) for one in packs]
        served = [one for one, rule in rules if {rule.requirement, rule.otherwise} != {Requirement.NEVER}]
        if served and not has_text(purpose):
            yield Problem(f"{served[0].path}: rules.{purpose}", "has no text in the default locale")


def _collisions(policies: Iterable[Policy]) -> Iterator[Problem]:
    """Tokens name a policy by the first four octets of its hash, so no two may begin alike."""
    first: dict[int, str] = {}
    for policy in policies:
        if (other := first.setdefault(policy.prefix, policy.id)) != policy.id:
            yield Problem(f"{policy.id}: hash", f"begins like that of {other}; change a word of one of them")
