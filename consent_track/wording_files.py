"""The operator's own words: one plain file a text, `<folder>/<locale>/<text id>.txt`, outside the package.

A file is data and never a template: it may hold the placeholders of its text and nothing else that is filled (T21). A
text that cannot be used is refused with its file and the reason, and blocks its locale: the shipped words must not
stand in silence where the operator meant to say something else.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from consent_track import settings
from consent_track.domain.errors import Problem

ENDING: Final = ".txt"
# A disclosure that nobody reads to its end informs nobody (decision 28; GDPR Art. 12(1)).
MOST_SENTENCES: Final = 2
MOST_WORDS: Final = 45
MOST_CHARACTERS: Final = 400  # what 45 words are in scripts that write without spaces, and then some
_LARGEST_FILE: Final = 16 * 1024  # octets; the longest text is a paragraph
_SHORT: Final = 80  # characters that every text may have; else three times what is shipped: a button stays a button

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
_MARKUP: Final = re.compile(r"[<>]|&(#|[A-Za-z][A-Za-z0-9]{1,31};)")
_SENTENCE: Final = re.compile(r"[.!?؟۔।]+(?=[\s\"'”’»)\]]|$)|[。！？]+")
# Marks of direction may stand in a text; what turns a whole stretch of it round can make it say something else (UAX 9).
_TURNS_ROUND: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_UNPRINTED: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What a wordings folder holds: texts by locale and id, and what is wrong. A locale in `refused` is not used."""

    texts: Mapping[str, Mapping[str, str]]
    refused: frozenset[str]
    problems: tuple[Problem, ...]


NO_WORDS: Final = OwnWords(MappingProxyType({}), frozenset(), ())


def path_of(folder: Path, locale: str, id_: str) -> Path:
    """Where the operator's text of this id and locale stands."""
    return folder / locale / f"{id_}{ENDING}"


def placeholders(text: str) -> frozenset[str]:
    """The names that are filled in a text."""
    return frozenset(_PLACEHOLDER.findall(text))


def read_wording_files(folder: Path, reference: Mapping[str, str], language: str) -> OwnWords:
    """Every file below `folder`, judged by the reference texts, which are in `language`. Raises nothing."""
    texts: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    refused = set()
    for place in sorted(path for path in folder.iterdir() if not _is_aside(path)):
        if not place.is_dir():
            problems.append(Problem(str(place), f"is read by nobody; a text stands in <locale>/<text id>{ENDING}"))
            continue
        try:
            locale = settings.locale(place.name)
        except ValueError:
            problems.append(Problem(str(place), "is no folder of a locale, such as fr or pt-BR"))
            continue
        before = len(problems)
        translated = locale.partition("-")[0] != language
        texts[locale] = dict(_read_folder(place, reference, problems, translated=translated))
        if len(problems) > before:
            refused.add(locale)
    return OwnWords(texts, frozenset(refused), tuple(problems))


def _is_aside(path: Path) -> bool:
    return path.name.startswith((".", "README"))


def _read_folder(
    place: Path, reference: Mapping[str, str], problems: list[Problem], *, translated: bool
) -> Iterator[tuple[str, str]]:
    for path in sorted(path for path in place.iterdir() if not _is_aside(path)):
        id_ = path.name.removesuffix(ENDING)
        if path.suffix != ENDING or not path.is_file():
            problems.append(Problem(str(path), f"is read by nobody; a text is a file <text id>{ENDING}"))
        elif id_ not in reference:
            problems.append(Problem(str(path), "is no text of this version; see: consent-track wordings list"))
        else:
            text = _read_file(path, reference[id_])
            what = text if isinstance(text, Problem) else wrong(text, reference[id_], translated=translated)
            if isinstance(what, Problem):
                problems.append(what)
            elif what is not None:
                problems.append(Problem(str(path), what))
            elif isinstance(text, str):
                yield id_, text


def _read_file(path: Path, shipped: str) -> str | Problem:
    """One text without the line end that editors add; spaces around it count only where the shipped text has some."""
    try:
        with path.open("rb") as opened:
            octets = opened.read(_LARGEST_FILE + 1)
        if len(octets) > _LARGEST_FILE:
            return Problem(str(path), f"is larger than {_LARGEST_FILE // 1024} kB")
        text = octets.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        return Problem(str(path), f"cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        return Problem(str(path), "is not UTF-8 text")
    return text.strip() if shipped == shipped.strip() else text.strip("\n")


def wrong(text: str, shipped: str, *, translated: bool = False) -> str | None:
    """What is wrong with a text that is to stand in the place of `shipped`, in words that follow its name, or None.

    `translated`: it is in another language than `shipped`.
    """
    if not text.strip():
        return "is empty"
    if any(unicodedata.category(c) in _UNPRINTED for c in text if c != "\n") or "\ufeff" in text:
        return "holds a control character or one that cannot be printed"
    if "\n" in text and "\n" not in shipped:
        return "has several lines; this text is one line"
    if _TURNS_ROUND.search(text):
        return "holds a character that turns the direction of the text round it"
    if _MARKUP.search(text):
        return "holds markup; a text is plain words"
    named, needed = placeholders(text), placeholders(shipped)
    if "%" in _PLACEHOLDER.sub("", text):
        return "holds a % that begins no placeholder such as %(controller)s; write the word"
    if named != needed:
        shown = ", ".join(f"%({name})s" for name in sorted(needed)) or "none"
        return f"must have exactly the placeholders of this text: {shown}"
    if len(text) > (most := max(_SHORT, 3 * len(shipped))):
        return f"has {len(text)} characters; at most {most} are read here"
    if translated and text == shipped and len(text.split()) > 2:
        return "is not translated yet"
    return None


def too_long_for_a_footer(said: str) -> str | None:
    """What is too long in the sentence of a footer, as a recipient reads it; None if nothing (decision 28)."""
    sentences, words = len(_SENTENCE.findall(said)), len(said.split())
    if sentences > MOST_SENTENCES or words > MOST_WORDS or len(said) > MOST_CHARACTERS:
        return (
            f"makes a footer of {sentences} sentences, {words} words and {len(said)} characters; "
            f"at most {MOST_SENTENCES}, {MOST_WORDS} and {MOST_CHARACTERS} are read"
        )
    return None
