"""`policy`: check the rule packs, explain and compare them, and sign off texts and drafts."""

from collections.abc import Sequence
from pathlib import Path

import click

from consent_track.domain.errors import PolicyRefused
from consent_track.domain.policy import RulePack
from consent_track.i18n import load_wordings
from consent_track.policy_files import load_policies, remarks
from consent_track.records import sign_offs

from . import Home, pass_home
from .policy_diff import diff
from .policy_explain import explain
from .policy_folders import folders_of, is_installed
from .policy_sign_off import sign_off
from .policy_simulate import simulation


@click.group()
def policy() -> None:
    """Check, explain and sign off the policies and texts."""


for command in (explain, diff, simulation, sign_off):
    policy.add_command(command)


@policy.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@pass_home
def check(home: Home, files: Sequence[Path]) -> None:
    """Load every rule pack and the house policy, and FILES as if they stood in a last folder; print every problem."""
    folders, translations = folders_of(home)
    has_text = load_wordings(translations).has_purpose
    try:
        loaded = load_policies(folders, purpose_texts=has_text, files=files)
        said = remarks(folders, files=files)
    except PolicyRefused as refused:
        problems = [{"where": one.where, "what": one.what} for one in refused.problems]
        home.emit({"ok": False, "problems": problems}, "\n".join(str(one) for one in refused.problems))
        raise click.exceptions.Exit(1) from None
    signed = _signatures(home, [loaded.by_id[id_].pack for id_ in said.drafts])
    lines = [f"{id_:<9} {one.hash[:12]}  {one.pack.title}" for id_, one in sorted(loaded.by_id.items())]
    lines += [f"draft: {id_} is in force because house.toml names it; {signed[id_]}" for id_ in said.drafts]
    if said.waiting:
        lines.append(f"drafts that are not in force: {', '.join(said.waiting)}; house.toml would name them as drafts")
    lines += [f"replaced: {one}" for one in said.replaced]
    lines += [f"edited: {one}" for one in said.edited]
    value = {
        "ok": True,
        "versions": {id_: one.hash for id_, one in sorted(loaded.by_id.items())},
        "drafts": {id_: signed[id_] for id_ in said.drafts},
        "drafts_not_in_force": list(said.waiting),
        "replaced": list(said.replaced),
        "edited": list(said.edited),
        "problems": [],
    }
    home.emit(value, "\n".join(lines))


def _signatures(home: Home, packs: Sequence[RulePack]) -> dict[str, str]:
    """Who read each of these drafts, in words; without an installation there is nowhere to have signed."""
    if not packs or not is_installed(home):
        return {pack.id: "nobody signed it off" for pack in packs}
    with home.runtime().reading() as p:
        found = {pack.id: sign_offs.find(p.session, *sign_offs.of_pack(pack)) for pack in packs}
    return {
        id_: f"signed off by {one.name} on {one.on.isoformat()}" if one else "nobody signed it off"
        for id_, one in found.items()
    }
