"""What an operator holds that proves a choice, as it comes from the command line: a scan, an extract, the words.

The grade is stamped by what is handed over, never asked for (decision 9): a paper the person signed, or the record of
an account they were logged in to.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from consent_track.activities.entering import How
from consent_track.domain.consent import Shown
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Evidence
from consent_track.domain.vocabulary import Grade

LARGEST_PAPER: Final = 8 << 20  # octets
LARGEST_WORDING: Final = 64 << 10  # octets
WORDS: Final = "paper.words"  # the id under which words that are not of a catalogue are kept
_DAY: Final = 86_400
_KINDS: Final = {
    ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".txt": "text/plain", ".json": "application/json",
}  # fmt: skip
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class HeldEvidence:
    """The evidence options of one command."""

    paper: Path | None
    account: Path | None
    wording: Path | None
    signed_by: str

    def stamped(self, how: How, now: int) -> How:
        """The stamp with the evidence and its grade; as it was where nothing is handed over. Raises InputRefused."""
        if self.paper and self.account:
            raise InputRefused.one("--account", "and --paper are two grades; one act has one")
        path, option = (self.paper, "--paper") if self.paper else (self.account, "--account")
        shown = _words(self.wording, how.locale) if self.wording else how.shown
        if path is None:
            return replace(how, shown=shown)
        if self.account and shown is None:
            raise InputRefused.one("--wording", "is needed with --account: a record of a login shows no words")
        grade = Grade.PAPER if self.paper else Grade.AUTHENTICATED_ACCOUNT
        return replace(how, grade=grade, shown=shown, paper=_scanned(path, option, self.signed_by, now))


def with_evidence(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that hand evidence over; they reach the command as `held`."""

    @wraps(command)
    def with_held(
        *args: Any, paper: Path | None, account: Path | None, wording: Path | None, signed_by: str, **options: Any
    ) -> Any:
        return command(*args, held=HeldEvidence(paper, account, wording, signed_by), **options)

    wrapped: Callable[..., Any] = with_held
    for option in (
        click.option(
            "--signed-by", default="", help="With --paper or --account: who vouches that it is this person's."
        ),
        click.option("--wording", type=_FILE, help="The words the person read, as text, in --locale; nobody's name."),
        click.option("--account", type=_FILE, help="The record of the account in which the person was logged in."),
        click.option("--paper", type=_FILE, help="A scan of what the person signed (PDF, PNG, JPEG, text)."),
    ):
        wrapped = option(wrapped)
    return wrapped


def last_moment(day: str, now: int) -> int | None:
    """The end of a day in UTC as an instant; None for no day. Raises InputRefused (`--until`)."""
    if not day:
        return None
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise InputRefused.one("--until", f"{day!r} is no day such as 2027-06-30") from None
    ends = int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()) + _DAY
    if ends <= now:
        raise InputRefused.one("--until", f"{day} is over")
    return ends


def _scanned(path: Path, option: str, signed_by: str, now: int) -> Evidence:
    if not signed_by.strip():
        raise InputRefused.one("--signed-by", f"is needed with {option}")
    media = _KINDS.get(path.suffix.lower())
    if media is None:
        raise InputRefused.one(option, f"must be one of {', '.join(_KINDS)}")
    content = path.read_bytes() if 0 < path.stat().st_size <= LARGEST_PAPER else b""
    if not content:
        raise InputRefused.one(option, f"must hold 1 to {LARGEST_PAPER} octets")
    today = datetime.fromtimestamp(now, UTC).date()
    return Evidence(hashlib.sha256(content).hexdigest(), "paper", path.name, media, content, signed_by.strip(), today)


def _words(path: Path, locale: str) -> Shown:
    if not locale:
        raise InputRefused.one("--locale", "is needed with --wording: words are of a language")
    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= LARGEST_WORDING else ""
    except UnicodeDecodeError:
        text = ""
    if not text.strip():
        raise InputRefused.one("--wording", f"must be UTF-8 text of at most {LARGEST_WORDING} octets")
    return Shown(locale, ((WORDS, text),))
