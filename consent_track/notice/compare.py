"""Whether a published notice still says what is true: word for word, whatever its mark-up, inside any larger page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Final

from .forms import Notice

_TAG: Final = re.compile(r"<(script|style|title)\b[^>]*>.*?</\1\s*>|<!--.*?-->|<[^<>]*>", re.DOTALL | re.I)
_WORD: Final = re.compile(r"[^\W_]+")
LARGEST: Final = 4 * 1024 * 1024  # octets; a privacy policy is a few pages


@dataclass(frozen=True, slots=True)
class Difference:
    """What the published page lacks, and what it says in between that is not, or no longer, true."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus)


def compare(notice: Notice, published: str) -> Difference:
    """The differences between a notice and a page that should hold it, as text or HTML."""
    page = _words(unescape(_TAG.sub(" ", published)) if re.search(r"<[a-zA-Z!/]", published) else published)
    missing, surplus, at = [], [], None
    for piece in _pieces(notice):
        words = _words(piece)
        found = _find(page, words, at or 0)
        if found is None:
            missing.append(piece)
            continue
        if at is not None and found > at:
            surplus.append(" ".join(page[at:found]))
        at = found + len(words)
    return Difference(tuple(missing), tuple(surplus))


def _pieces(notice: Notice) -> Iterator[str]:
    yield notice.title
    for slot in notice.slots:
        yield slot.heading
        yield from slot.sentences
        yield from slot.columns
        for item in slot.items:
            yield from item


def _words(text: str) -> list[str]:
    """Letters and digits only: line ends, bullets and curly quotes are the page's own business."""
    return _WORD.findall(text.replace("mailto:", " ").casefold())


def _find(page: list[str], words: list[str], start: int) -> int | None:
    size = len(words)
    return next((at for at in range(start, len(page) - size + 1) if page[at : at + size] == words), None)
