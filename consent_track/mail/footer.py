"""The disclosure at the end of a mail, in HTML and in text: one or two sentences, then links one below the other.

The HTML uses inline styles only, because mail programs keep little else; no colour carries a meaning. Markers around
it let a later pass find it and cut it out whole.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from textwrap import wrap
from typing import Final

HTML_BEGIN: Final = "<!--consent-track-footer-->"
HTML_END: Final = "<!--/consent-track-footer-->"
# A line no author writes by accident, plain ASCII so that every charset carries it.
TEXT_RULE: Final = "-- -- -- -- -- --"
_WIDTH: Final = 72  # RFC 3676 section 4.2: below 78, with room for a quote mark

_BOX: Final = (
    "clear:both;max-width:600px;margin:24px auto 0;padding:16px;border-top:1px solid #8a8f94;"
    "font-family:Helvetica,Arial,sans-serif;font-size:14px;line-height:1.5;color:#4a4f54;background-color:#ffffff;text-align:%s"
)
# 44 px rows: large enough for a thumb (WCAG 2.5.5).
_LINK: Final = "display:block;line-height:44px;min-height:44px;color:#1a4f8b;text-decoration:underline;font-size:14px"


@dataclass(frozen=True, slots=True)
class FooterLinks:
    """Where the links of a footer lead; `unsubscribe` only where it is ours to offer (decision 21)."""

    preferences: str
    privacy: str
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class Footer:
    """One disclosure in both forms. Lines are separated by \\n; the caller uses the newline of the mail."""

    html: str
    text: str


def render_footer(sentence: str, labels: Mapping[str, str], links: FooterLinks, locale: str, direction: str) -> Footer:
    """The footer of one mail; `labels` names the links `preferences`, `unsubscribe` and `privacy`."""
    rows = [(labels["preferences"], links.preferences)]
    if links.unsubscribe:
        rows.append((labels["unsubscribe"], links.unsubscribe))
    rows.append((labels["privacy"], links.privacy))
    return Footer(_html(sentence, rows, locale, direction), _text(sentence, rows))


def _html(sentence: str, rows: list[tuple[str, str]], locale: str, direction: str) -> str:
    box = _BOX % ("right" if direction == "rtl" else "left")
    links = "\n".join(f'<a href="{escape(url)}" style="{_LINK}">{escape(label)}</a>' for label, url in rows)
    return (
        f"\n{HTML_BEGIN}\n"
        f'<div lang="{escape(locale)}" dir="{direction}" style="{box}">\n'
        f'<p style="margin:0 0 4px;font-size:14px;line-height:1.5;color:#4a4f54">{escape(sentence, quote=False)}</p>\n'
        f"{links}\n</div>\n{HTML_END}\n"
    )


# A campaign says the same few sentences in all its mails.
@lru_cache(maxsize=256)
def _wrapped(sentence: str) -> tuple[str, ...]:
    return tuple(wrap(sentence, _WIDTH, break_on_hyphens=False))


def _text(sentence: str, rows: list[tuple[str, str]]) -> str:
    lines = ["", TEXT_RULE, *_wrapped(sentence)]
    for label, url in rows:
        lines += [f"{label}:", url]  # a URL stands alone on its line, so that no program cuts it
    return "\n".join([*lines, TEXT_RULE, ""])


@lru_cache(maxsize=64)
def _ours(hosts: frozenset[str]) -> re.Pattern[bytes]:
    names = b"|".join(re.escape(host.encode()) for host in sorted(hosts))
    return re.compile(rb"https?://(?:" + names + rb")/(?:p/|privacy)")


def text_footer_span(text: bytes, hosts: frozenset[str]) -> Iterable[tuple[int, int]]:
    """Where footers of ours stand in a text: from rule to rule, and only if a link of ours is between them.

    The spans take the line before and the newline behind with them, so that cutting one out leaves what was there.
    """
    rule = TEXT_RULE.encode()
    position = 0
    while (start := text.find(rule, position)) >= 0:
        end = text.find(rule, start + len(rule))
        if end < 0:
            return
        if not _ours(hosts).search(text, start, end):
            position = end
            continue
        begin, end = with_newlines(text, start, end + len(rule))
        yield begin, end
        position = end


def with_newlines(text: bytes, start: int, end: int) -> tuple[int, int]:
    """A span and one newline on either side of it, in whichever form it is written."""
    if text.endswith(b"\r\n", 0, start):
        start -= 2
    elif text.endswith(b"\n", 0, start):
        start -= 1
    if text.startswith(b"\r\n", end):
        end += 2
    elif text.startswith(b"\n", end):
        end += 1
    return start, end
