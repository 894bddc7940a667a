"""Rule packs and the house policy, from TOML files to `Policies`: all that is wrong at once, or nothing loads."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from consent_track.domain.errors import PolicyRefused, Problem
from consent_track.domain.policy import HousePolicy, Policies, Policy, RulePack, policy_hash
from consent_track.domain.vocabulary import INDIVIDUAL, UNKNOWN_JURISDICTION, Purpose

from .policy_schema import Reader, read_house, read_pack

HOUSE: Final = "house.toml"
# A pack is a few pages; anything larger is a mistake or an attack on the parser (threat T38).
LARGEST: Final = 256 * 1024


@dataclass(slots=True)
class Gathered:
    """What the folders hold. A later folder replaces a pack of the same id; start-up says so."""

    packs: dict[str, tuple[str, RulePack]] = field(default_factory=dict)
    house: HousePolicy | None = None
    replaced: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load_policies(folders: Sequence[Path], *, purpose_texts: Callable[[Purpose], bool] | None = None) -> Policies:
    """Every policy in force. Raises PolicyRefused with every problem as `file: key`.

    `purpose_texts` says whether a purpose has its texts in the default locale: nobody can consent to a purpose without.
    """
    gathered = gather(folders)
    house = gathered.house
    if house is None and not any(HOUSE in problem.where for problem in gathered.problems):
        gathered.problems.append(Problem(HOUSE, "is in none of the policy folders"))
    if purpose_texts is not None:
        _without_texts(gathered, purpose_texts)
    if gathered.problems or house is None:
        raise PolicyRefused(gathered.problems)

    by_id = {identity: _under(pack, house) for identity, (_, pack) in gathered.packs.items()}
    covering = {code: identity for identity, policy in by_id.items() for code in policy.pack.covers}
    _collisions(by_id)
    return Policies(by_id, covering, house)


def replaced_packs(folders: Sequence[Path]) -> tuple[str, ...]:
    """Packs that a later folder replaces, as `id (file)`."""
    return tuple(gather(folders).replaced)


def gather(folders: Sequence[Path]) -> Gathered:
    """Read every file of every folder; what is wrong is collected, not raised."""
    gathered = Gathered()
    drafts: list[tuple[str, RulePack]] = []
    for folder in folders:
        here: dict[str, str] = {}
        for path in sorted(folder.glob("*.toml")):
            content = read_toml(path, gathered.problems)
            if content is None:
                continue
            reader = Reader(path.name)
            if path.name == HOUSE:
                gathered.house = read_house(reader, content)
            else:
                _take(gathered, here, drafts, path.name, read_pack(reader, content), reader)
            gathered.problems += reader.problems
    wanted = frozenset(gathered.house.content.get("drafts", ())) if gathered.house else frozenset()
    gathered.packs.update({pack.id: (name, pack) for name, pack in drafts if pack.id in wanted})
    if UNKNOWN_JURISDICTION not in gathered.packs:
        gathered.problems.append(
            Problem(f"{UNKNOWN_JURISDICTION}.toml", "is missing: unknown people need the strictest policy")
        )
    _twice_covered(gathered)
    return gathered


def _take(
    gathered: Gathered,
    here: dict[str, str],
    drafts: list[tuple[str, RulePack]],
    name: str,
    pack: RulePack,
    reader: Reader,
) -> None:
    if pack.id in here:
        reader.wrong("id", f"{pack.id!r} stands in {here[pack.id]} too")
    here[pack.id] = name
    if pack.status == "draft":
        drafts.append((name, pack))
        return
    if pack.id in gathered.packs:
        gathered.replaced.append(f"{pack.id} ({name})")
    gathered.packs[pack.id] = (name, pack)


def read_toml(path: Path, problems: list[Problem]) -> Mapping[str, Any] | None:
    """The content of a file, or None with a problem that names it."""
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
        if len(octets) > LARGEST:
            problems.append(Problem(path.name, f"is larger than {LARGEST} octets"))
            return None
        return tomllib.loads(octets.decode("utf-8"))
    except OSError as error:
        problems.append(Problem(path.name, f"cannot be read ({error.strerror})"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        problems.append(Problem(path.name, f"is not TOML: {error}"))
    return None


def _without_texts(gathered: Gathered, has_text: Callable[[Purpose], bool]) -> None:
    for purpose in sorted(INDIVIDUAL):
        if not has_text(purpose):
            for name, _pack in gathered.packs.values():
                gathered.problems.append(Problem(f"{name}: rules.{purpose}", "has no text in the default locale"))


def _twice_covered(gathered: Gathered) -> None:
    seen: dict[str, str] = {}
    for name, pack in gathered.packs.values():
        for code in pack.covers:
            if code in seen:
                gathered.problems.append(Problem(f"{name}: covers", f"{code} is covered by {seen[code]} too"))
            seen[code] = name


def _under(pack: RulePack, house: HousePolicy) -> Policy:
    return Policy(pack, house, policy_hash(pack.content, house.content))


def _collisions(by_id: Mapping[str, Policy]) -> None:
    """Tokens name a policy by four octets; two policies must never share them."""
    seen: dict[int, str] = {}
    for policy in by_id.values():
        other = seen.setdefault(policy.prefix, policy.id)
        if other != policy.id:
            raise PolicyRefused.one(
                f"{policy.id}.toml: id", f"its hash begins like that of {other}; change a note in one"
            )
