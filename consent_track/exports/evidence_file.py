"""The evidence of a list: a TOML file with the forms that people were shown, their words, dates, files and signature.

Every file is named with its SHA-256, and somebody signs by name that this is what was shown (GDPR Art. 7(1)).
"""

import hashlib
import json
import mimetypes
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from consent_track.domain.errors import InputRefused, Problem
from consent_track.domain.imported import Evidence, Form, Wording
from consent_track.domain.vocabulary import INDIVIDUAL, Purpose

LARGEST_FILE: Final = 10_000_000
MAIL: Final = "mail"
_FORM_KEYS: Final = frozenset("name url shown_from shown_to signed_by signed_on files wording".split())
_FILE_KEYS: Final = frozenset({"path", "sha256"})
_WORDING_KEYS: Final = frozenset({"purpose", "locale", "text", "answer"})


class _Problems(list[Problem]):
    """Everything that is wrong with one evidence file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.name

    def note(self, where: str, what: str) -> None:
        self.append(Problem(f"{self._file}: {where}", what))


def read_evidence(path: Path, today: date) -> tuple[tuple[Form, ...], tuple[Evidence, ...]]:
    """The forms of an evidence file and all that is to be stored of it. Raises InputRefused with every problem."""
    problems = _Problems(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputRefused.one("--evidence", f"{path.name} cannot be read ({error})") from None
    tables = content.get("form")
    if not isinstance(tables, list) or set(content) - {"form"}:
        raise InputRefused.one("--evidence", f"{path.name}: write one [[form]] table for each version, nothing else")
    forms, pieces = list[Form](), list[Evidence]()
    for number, table in enumerate(tables, 1):
        form, stored = _form(path, table if isinstance(table, Mapping) else {}, f"form {number}", today, problems)
        forms += form
        pieces += stored
    if len({form.name for form in forms}) < len(forms):
        problems.note("form: name", "is given twice")
    if problems:
        raise InputRefused(problems)
    return tuple(forms), tuple(pieces)


def _form(
    path: Path, table: Mapping[str, Any], where: str, today: date, problems: _Problems
) -> tuple[list[Form], list[Evidence]]:
    before = len(problems)
    _unknown(table, _FORM_KEYS, where, problems)
    texts = {key: _text(table, key, where, problems) for key in ("name", "url", "signed_by")}
    days = {key: _day(table, key, where, problems) for key in ("shown_from", "shown_to", "signed_on")}
    if days["shown_from"] > days["shown_to"]:
        problems.note(f"{where}: shown_to", "is before shown_from")
    for key in ("shown_from", "signed_on"):
        if days[key] > today:
            problems.note(f"{where}: {key}", "is in the future")
    signed = (texts["signed_by"], days["signed_on"])
    files = _files(path, table, where, signed, problems)
    wordings = _wordings(table, where, problems)
    if len(problems) > before:
        return [], []
    content = _canonical(texts, days, files, wordings)
    id_ = hashlib.sha256(content).hexdigest()
    form = Form(id_, texts["name"], texts["url"], days["shown_from"], days["shown_to"], wordings)
    return [form], [*files, Evidence(id_, "form", texts["name"], "application/json", content, *signed)]


def _canonical(
    texts: Mapping[str, str], days: Mapping[str, date], files: list[Evidence], wordings: tuple[Wording, ...]
) -> bytes:
    """A form as it is stored: the same content is the same bytes, whatever the file it came from looks like."""
    said = {
        "version": 1,
        **texts,
        **{key: value.isoformat() for key, value in days.items()},
        "files": [{"name": piece.name, "sha256": piece.id} for piece in files],
        "wordings": [
            {
                "id": one.id,
                "purpose": one.purpose or MAIL,
                "locale": one.locale,
                "text": one.text,
                "answer": "submit" if one.by_submitting else "column",
            }
            for one in wordings
        ],
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _files(
    path: Path, table: Mapping[str, Any], where: str, signed: tuple[str, date], problems: _Problems
) -> list[Evidence]:
    pieces = []
    named = table.get("files", [])
    for one in named if isinstance(named, list) else [None]:
        if not isinstance(one, Mapping) or set(one) != _FILE_KEYS:
            problems.note(f"{where}: files", "needs path and sha256 for each")
            continue
        file = path.parent / str(one["path"])
        try:
            octets = file.read_bytes() if file.stat().st_size <= LARGEST_FILE else b""
        except OSError as error:
            problems.note(f"{where}: files", f"{file.name} cannot be read ({error.strerror})")
            continue
        digest = hashlib.sha256(octets).hexdigest()
        if not octets:
            problems.note(f"{where}: files", f"{file.name} is empty, or larger than {LARGEST_FILE} octets")
        elif digest != str(one["sha256"]).lower():
            problems.note(f"{where}: files", f"{file.name} has another SHA-256: it is not the file that was signed for")
        else:
            media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            pieces.append(Evidence(digest, "file", file.name, media_type, octets, *signed))
    return pieces


def _wordings(table: Mapping[str, Any], where: str, problems: _Problems) -> tuple[Wording, ...]:
    found = list[Wording]()
    named = table.get("wording")
    for number, one in enumerate(named if isinstance(named, list) and named else [None], 1):
        place = f"{where}: wording {number}"
        if not isinstance(one, Mapping):
            problems.note(place, "is missing: what were people told?")
            continue
        _unknown(one, _WORDING_KEYS, place, problems)
        texts = {key: _text(one, key, place, problems) for key in ("purpose", "locale", "text")}
        purpose = None if texts["purpose"] == MAIL else next((p for p in INDIVIDUAL if p == texts["purpose"]), None)
        if purpose is None and texts["purpose"] not in ("", MAIL):
            known = ", ".join((MAIL, *sorted(INDIVIDUAL)))
            problems.note(f"{place}: purpose", f"{texts['purpose']!r} is not one of {known}")
        answer = one.get("answer", "column" if purpose else "submit")
        if answer not in ("column", "submit"):
            problems.note(f"{place}: answer", "is column (the line says it) or submit (sending the form was the yes)")
        found.append(_wording(purpose, texts["locale"], texts["text"], answer == "submit"))
    _not_bundled(found, where, problems)
    if len({(one.purpose, one.locale) for one in found}) < len(found):
        problems.note(f"{where}: wording", "has two texts for one purpose in one locale")
    return tuple(found)


def _wording(purpose: Purpose | None, locale: str, text: str, by_submitting: bool) -> Wording:
    words = json.dumps([purpose or MAIL, locale, text], ensure_ascii=False).encode()
    return Wording(hashlib.sha256(words).hexdigest(), purpose, locale, text, by_submitting)


def _not_bundled(wordings: list[Wording], where: str, problems: _Problems) -> None:
    """Asking for the mail and for being measured are two acts; one press of one button is no answer to both (CC-02)."""
    pressed = {one.purpose for one in wordings if one.by_submitting}
    if len(pressed) > 1:
        problems.note(f"{where}: wording", "takes sending the form for a yes to several things; they are several acts")


def _unknown(table: Mapping[str, Any], known: frozenset[str], where: str, problems: _Problems) -> None:
    for key in sorted(set(table) - known):
        problems.note(f"{where}: {key}", "is not a key of this table")


def _text(table: Mapping[str, Any], key: str, where: str, problems: _Problems) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        problems.note(f"{where}: {key}", "is missing")
        return ""
    return value.strip()


def _day(table: Mapping[str, Any], key: str, where: str, problems: _Problems) -> date:
    value = table.get(key)
    if not isinstance(value, date) or isinstance(value, datetime):
        problems.note(f"{where}: {key}", "is missing, or no day such as 2024-03-01")
        return date.min
    return value
