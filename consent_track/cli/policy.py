"""`policy`: check the rule packs, explain and compare them, and sign off texts and drafts."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click

from consent_track.domain.errors import InputRefused, PolicyRefused
from consent_track.domain.policy import RulePack
from consent_track.i18n import load_wordings
from consent_track.policy_files import drafts_of, load_policies, remarks
from consent_track.records import sign_offs
from consent_track.records.sign_offs import SignOff

from . import Home, pass_home
from .policy_diff import diff
from .policy_explain import explain
from .policy_folders import folders_of, is_installed
from .policy_simulate import simulation


@click.group()
def policy() -> None:
    """Check, explain and sign off the policies and texts."""


for command in (explain, diff, simulation):
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


@policy.command("sign-off")
@click.option("--locale", help="The language whose legal texts were read, such as fr.")
@click.option("--pack", "pack_id", help="The draft rule pack that was read, such as KR.")
@click.option("--name", required=True, help="Who read it and found it right.")
@click.option("--law-version", required=True, help="The state of the law it was read against, as the packs name it.")
@click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="The day it was read; default: today, UTC.")
@pass_home
def sign_off(
    home: Home, locale: str | None, pack_id: str | None, name: str, law_version: str, on: datetime | None
) -> None:
    """Record that somebody read the texts of a locale, or a draft rule pack, and found them right.

    Any later change of a text or of the pack needs another sign-off.
    """
    if (locale is None) == (pack_id is None):
        raise click.UsageError("Name what was read: --locale or --pack.")
    runtime = home.runtime()
    if not name.strip():
        raise InputRefused.one("--name", "is empty; a sign-off is somebody's")
    today = datetime.fromtimestamp(runtime.now(), UTC).date()
    day: date = on.date() if on else today
    if day > today:
        raise InputRefused.one("--date", f"{day.isoformat()} is still to come")

    if locale is not None:
        texts = runtime.wordings.texts(locale)
        if texts is None:
            raise InputRefused.one("--locale", f"{locale!r} has no complete texts here")
        _known(law_version, {one.pack.law_version for one in runtime.policies.by_id.values()})
        what, key, words = locale, texts.hash, f"the {locale} texts {texts.hash[:12]}"
    else:
        pack = _draft(home, pack_id or "")
        _known(law_version, {pack.law_version})
        what, key = sign_offs.of_pack(pack)
        words = f"the draft {pack.id} {key[:12]}"
    signed = SignOff(what, key, name.strip(), day, law_version)
    with runtime.processing() as p:
        sign_offs.record(p.session, signed)
    value = {"name": signed.name, "date": day.isoformat(), "law_version": law_version}
    value |= {"locale": locale, "texts": key} if locale else {"pack": pack_id or "", "content": key}
    home.emit(value, f"{signed.name} signed {words} on {day.isoformat()}, law of {law_version}.")


def _known(law_version: str, known: set[str]) -> None:
    if law_version not in known:
        there = ", ".join(sorted(known))
        raise InputRefused.one("--law-version", f"{law_version!r} is not that of the packs here: {there}")


def _draft(home: Home, id_: str) -> RulePack:
    """The draft of this id as the installation would load it, whether it is in force yet or not."""
    drafts = drafts_of(folders_of(home)[0])
    if id_ not in drafts:
        raise InputRefused.one("--pack", f"{id_!r} is no draft here: {', '.join(sorted(drafts)) or 'there is none'}")
    return drafts[id_]
