"""`wordings`: the words recipients read, as plain files of the operator; shown, checked and signed for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from consent_track.activities import wording
from consent_track.bundled import bundled
from consent_track.config import FILE
from consent_track.domain.errors import ConfigurationRefused, InputRefused
from consent_track.i18n import Texts, Wordings, load_wordings
from consent_track.records.sign_offs import SignOff
from consent_track.settings import locale as read_locale
from consent_track.settings import reason
from consent_track.wording_files import path_of

from . import Home, pass_home
from .preview import preview


@click.group()
def wordings() -> None:
    """Change, check, preview and sign off the words recipients read."""


wordings.add_command(preview)


@wordings.command("list")
@click.option("--locale", "locales", multiple=True, help="Only this locale; may be said several times.")
@pass_home
def list_(home: Home, locales: Sequence[str]) -> None:
    """List every text with whose words it has, and every locale with who signed it for which state of the law."""
    runtime = home.runtime()
    shown = [texts for locale, texts in sorted(runtime.wordings.complete.items()) if not locales or locale in locales]
    known = {one.pack.law_version for one in runtime.policies.by_id.values()}
    with runtime.reading() as p:
        rows = [_listed(texts, wording.signature(p, texts.locale, texts.hash), known) for texts in shown]
    blocked = [{"where": one.where, "what": one.what} for one in runtime.wordings.problems()]
    home.emit({"locales": rows, "problems": blocked}, "\n".join([*map(_in_words, rows), *_blocked(runtime.wordings)]))


def _listed(texts: Texts, signed: SignOff | None, known: set[str]) -> dict[str, Any]:
    """One locale as plain data. `current`: the law it was signed for is that of a pack in force here."""
    signature = signed and {
        "name": signed.name,
        "date": signed.on.isoformat(),
        "law_version": signed.law_version,
        "current": signed.law_version in known,
    }
    return {
        "locale": texts.locale,
        "texts": texts.hash,
        "signed": signature,
        "ids": {id_: "operator" if id_ in texts.own else "shipped" for id_ in sorted(texts.messages)},
    }


def _in_words(row: Mapping[str, Any]) -> str:
    signed = row["signed"]
    if signed is None:
        words = "signed by nobody: it can tell people, but not ask them; run: consent-track wordings sign-off"
    else:
        words = f"signed by {signed['name']} on {signed['date']}, law of {signed['law_version']}"
        words += "" if signed["current"] else "; the packs here are of another date, so read them again"
    lines = [f"{row['locale']}  {row['texts'][:12]}  {words}"]
    return "\n".join([*lines, *(f"  {whose:<9} {id_}" for id_, whose in row["ids"].items())])


def _blocked(found: Wordings) -> list[str]:
    return [str(problem) for problem in found.problems()]


@wordings.command()
@click.argument("locale")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--as", "written_as", help="Write them as another locale, to be translated there.")
@pass_home
def export(home: Home, locale: str, folder: Path, written_as: str | None) -> None:
    """Write the shipped texts of LOCALE into FOLDER, one file each, to be edited. Nothing is overwritten."""
    shipped = load_wordings(_folders(home)[0])
    texts = shipped.complete.get(locale)
    if texts is None:
        there = ", ".join(shipped.locales)
        raise InputRefused.one("LOCALE", f"{locale!r} has no shipped texts; there are: {there}")
    try:
        target = read_locale(written_as or locale)
    except ValueError as error:
        raise InputRefused.one("--as", reason(error)) from None
    files = {path_of(folder, target, id_): text for id_, text in sorted(texts.messages.items())}
    there_already = [path for path in files if path.exists()]
    if there_already:
        raise InputRefused.one(str(there_already[0]), "is there already; nothing is overwritten")
    try:
        (folder / target).mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise InputRefused.one(str(folder), f"cannot be written to ({error.strerror})") from None
    home.emit(
        {"locale": target, "folder": str(folder / target), "files": len(files)},
        f"{len(files)} texts are in {folder / target}. Keep what you change and delete the rest: a text\n"
        "without a file has the shipped words. Then: consent-track wordings check",
    )


@wordings.command()
@pass_home
def check(home: Home) -> None:
    """Read every text and print every problem, with its file. Exit code 1 if there is one."""
    translations, own = _folders(home)
    found = load_wordings(translations, own)
    changed = {locale: len(texts.own) for locale, texts in sorted(found.complete.items())}
    problems = [{"where": one.where, "what": one.what} for one in found.problems()]
    lines = [
        f"{locale:<7} {len(found.complete[locale].messages)} texts, {own} yours" for locale, own in changed.items()
    ]
    home.emit({"ok": not problems, "yours": changed, "problems": problems}, "\n".join([*lines, *_blocked(found)]))
    if problems:
        raise click.exceptions.Exit(1)


def _folders(home: Home) -> tuple[Path, Path | None]:
    """Where the texts of this installation are; without an installation, the shipped ones."""
    try:
        config = home.config()
    except ConfigurationRefused:
        if (home.folder() / FILE).exists():
            raise
        return bundled("translations"), None
    return config.translations_dir, config.wordings_dir


@wordings.command("sign-off")
@click.option("--locale", required=True, help="The language whose legal texts were read, such as fr.")
@click.option("--name", required=True, help="Who read them and found them right.")
@click.option("--law-version", required=True, help="The state of the law they were read against, as the packs name it.")
@click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="The day they were read; default: today, UTC.")
@pass_home
def sign_off(home: Home, locale: str, name: str, law_version: str, on: datetime | None) -> None:
    """Record that somebody read the texts of a locale and found them right; any later change needs another sign-off."""
    runtime = home.runtime()
    texts = runtime.wordings.texts(locale)
    if texts is None:
        raise InputRefused.one("--locale", f"{locale!r} has no complete texts here")
    if not name.strip():
        raise InputRefused.one("--name", "is empty; a sign-off is somebody's")
    known = sorted({one.pack.law_version for one in runtime.policies.by_id.values()})
    if law_version not in known:
        raise InputRefused.one("--law-version", f"{law_version!r} is not that of the packs here: {', '.join(known)}")
    today = datetime.fromtimestamp(runtime.now(), UTC).date()
    day: date = on.date() if on else today
    if day > today:
        raise InputRefused.one("--date", f"{day.isoformat()} is still to come")

    signed = SignOff(texts.locale, texts.hash, name.strip(), day, law_version)
    with runtime.processing() as p:
        wording.sign(p, signed)
    home.emit(
        {
            "locale": texts.locale,
            "texts": texts.hash,
            "name": signed.name,
            "date": day.isoformat(),
            "law_version": law_version,
        },
        f"{signed.name} signed the {texts.locale} texts {texts.hash[:12]} on {day.isoformat()}, law of {law_version}.",
    )
