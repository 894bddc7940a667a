"""`policy sign-off`: who read a draft rule pack, or the texts of a locale, and found them right."""

from datetime import UTC, date, datetime

import click

from consent_track.domain.errors import InputRefused
from consent_track.domain.policy import RulePack
from consent_track.policy_files import drafts_of
from consent_track.records import sign_offs
from consent_track.records.sign_offs import SignOff

from . import Home, pass_home, wordings
from .policy_folders import folders_of


@click.command("sign-off")
@click.option("--locale", help="The language whose legal texts were read, such as fr.")
@click.option("--pack", "pack_id", help="The draft rule pack that was read, such as KR.")
@click.option("--name", required=True, help="Who read it and found it right.")
@click.option("--law-version", required=True, help="The state of the law it was read against, as the packs name it.")
@click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="The day it was read; default: today, UTC.")
@click.pass_context
def sign_off(
    context: click.Context, locale: str | None, pack_id: str | None, name: str, law_version: str, on: datetime | None
) -> None:
    """Record that somebody read the texts of a locale, or a draft rule pack, and found them right.

    Any later change of a text or of the pack needs another sign-off.
    """
    if (locale is None) == (pack_id is None):
        raise click.UsageError("Name what was read: --locale or --pack.")
    if locale is not None:
        context.invoke(wordings.sign_off, locale=locale, name=name, law_version=law_version, on=on)
    else:
        context.invoke(_sign_pack, pack_id=pack_id, name=name, law_version=law_version, on=on)


@pass_home
def _sign_pack(home: Home, pack_id: str, name: str, law_version: str, on: datetime | None) -> None:
    runtime = home.runtime()
    pack = _draft(home, pack_id)
    if not name.strip():
        raise InputRefused.one("--name", "is empty; a sign-off is somebody's")
    if law_version != pack.law_version:
        raise InputRefused.one("--law-version", f"{law_version!r} is not that of the packs here: {pack.law_version}")
    today = datetime.fromtimestamp(runtime.now(), UTC).date()
    day: date = on.date() if on else today
    if day > today:
        raise InputRefused.one("--date", f"{day.isoformat()} is still to come")

    what, content = sign_offs.of_pack(pack)
    with runtime.processing() as p:
        sign_offs.record(p.session, SignOff(what, content, name.strip(), day, law_version))
    home.emit(
        {
            "pack": pack.id,
            "content": content,
            "name": name.strip(),
            "date": day.isoformat(),
            "law_version": law_version,
        },
        f"{name.strip()} signed the draft {pack.id} {content[:12]} on {day.isoformat()}, law of {law_version}.",
    )


def _draft(home: Home, id_: str) -> RulePack:
    """The draft of this id as the installation would load it, whether it is in force yet or not."""
    drafts = drafts_of(folders_of(home)[0])
    if id_ not in drafts:
        raise InputRefused.one("--pack", f"{id_!r} is no draft here: {', '.join(sorted(drafts)) or 'there is none'}")
    return drafts[id_]
