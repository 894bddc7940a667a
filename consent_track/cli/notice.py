"""`notice`: the paragraph of a privacy notice that matches the policies in force, and whether a published one does."""

import json
from pathlib import Path

import click

from consent_track.config import Config
from consent_track.domain.controller import Controller
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import is_jurisdiction
from consent_track.i18n import load_wordings
from consent_track.notice.compare import LARGEST, compare
from consent_track.notice.forms import Notice, compose
from consent_track.notice.render import as_data, as_html, as_text
from consent_track.policy_files import load_policies

from . import Home, pass_home


@click.command()
@click.option("--locale", required=True, help="The language it is written in, such as fr.")
@click.option("--jurisdiction", required=True, help="ISO 3166 code of where it is for, such as FR or US-CA.")
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@click.option("--html", "as_page", is_flag=True, help="Write HTML instead of text.")
@click.option(
    "--check",
    "published",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Say whether this published page, text or HTML, still matches; exit code 1 if it does not.",
)
@pass_home
def notice(home: Home, locale: str, jurisdiction: str, controller: int, as_page: bool, published: Path | None) -> None:
    """Write what people must be told about the measuring, from the policies in force and the configuration."""
    if not is_jurisdiction(jurisdiction):
        raise InputRefused.one("--jurisdiction", f"{jurisdiction!r} is not an ISO 3166 code such as FR or US-CA")
    made = _made(home.config(), locale, jurisdiction, controller)
    if published is not None:
        _compared(home, made, published)
        return
    home.emit(as_data(made), (as_html(made) if as_page else as_text(made)).rstrip("\n"))


def _made(config: Config, locale: str, jurisdiction: str, number: int) -> Notice:
    wordings = load_wordings(config.translations_dir, config.wordings_dir)
    texts = wordings.texts(locale)
    if texts is None:
        raise InputRefused.one("--locale", f"{locale!r} has no complete texts here; see: consent-track wordings check")
    policies = load_policies(config.policies_dirs, purpose_texts=wordings.has_purpose)
    policy = policies.for_jurisdiction(jurisdiction)
    return compose(texts, policy, _controller(config, number), jurisdiction, config.public_url)


def _controller(config: Config, number: int) -> Controller:
    for one in config.controllers:
        if one.number == number:
            return one
    raise InputRefused.one("--controller", f"{number} is not configured")


def _compared(home: Home, made: Notice, path: Path) -> None:
    octets = path.read_bytes()
    if len(octets) > LARGEST:
        raise InputRefused.one(str(path), f"is larger than {LARGEST // 1024 // 1024} MB")
    found = compare(made, octets.decode("utf-8", "replace"))
    lines = [f"missing: {piece}" for piece in found.missing] + [
        f"not true, or not ours: {one}" for one in found.surplus
    ]
    value = {"matches": not found, "missing": found.missing, "surplus": found.surplus}
    home.emit(json.loads(json.dumps(value)), "\n".join(lines) or f"{path} says what is true here.")
    if found:
        raise click.exceptions.Exit(1)
