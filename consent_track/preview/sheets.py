"""From the table of rows to files: four overviews (light and dark, narrow and wide) and a frame for each thing to see.

Nothing in them needs a script, and nothing in them can reach a network: a frame is sandboxed, and its policy lets in
its own styles only. The colour scheme of a frame is chosen by writing it, so that files on a disk show it, too.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Final

from consent_track.domain.errors import Problem
from consent_track.i18n import Texts

from .rows import SECTIONS, Row, Section
from .stage import Shown, Stage

THEMES: Final = ("light", "dark")
NARROW, WIDE = 320, 1000  # CSS pixels: WCAG 2.2, 1.4.10, and a reading window
SCALE: Final = 0.55  # of a wide frame; the same in the stylesheet
FIRST: Final = "index.html"
_SHEET: Final = re.compile(r'<link rel="stylesheet" href="(/[^"]+)">')
_SCHEME: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)")
_FRAME_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# `target`: a link in a frame asks for a window, which the sandbox does not give; so no link leads anywhere.
_FRAME_HEAD: Final = (
    f'<meta http-equiv="Content-Security-Policy" content="{_FRAME_POLICY}"><base target="_blank">'
    '<meta name="color-scheme" content="%s">'
)
_STYLE: Final = (resources.files(__package__) / "pages" / "preview.css").read_text("utf-8")
STYLE_HASH: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# What a file on a disk can say for itself; the server says more (serving.py).
_POLICY: Final = (
    f"script-src 'none'; object-src 'none'; img-src 'none'; form-action 'none'; style-src 'sha256-{STYLE_HASH}'"
)


@dataclass(frozen=True, slots=True)
class View:
    """One of the four overviews."""

    theme: str
    wide: bool

    @property
    def file(self) -> str:
        first = self.theme == THEMES[0] and not self.wide
        return FIRST if first else f"{self.theme}-{'wide' if self.wide else 'narrow'}.html"


VIEWS: Final = tuple(View(theme, wide) for theme in THEMES for wide in (False, True))


def sheets(stage: Stage, locales: Iterable[str]) -> dict[str, bytes]:
    """Every file by its relative name."""
    shown = {
        (row.key, locale): row.make(stage, locale) for locale in locales for section in SECTIONS for row in section.rows
    }
    files = {}
    for (key, locale), one in shown.items():
        for theme in THEMES:
            files[_frame_file(key, locale, theme)] = _framed(stage, one.html, theme).encode()
    first = stage.controller.default_locale
    order = sorted({locale for _, locale in shown}, key=lambda locale: (locale != first, locale))
    for view in VIEWS:
        files[view.file] = _overview(stage, view, order, shown).encode()
    return files


def problem_page(problems: Iterable[Problem]) -> bytes:
    """What is shown in place of an overview when the words or the settings cannot be used."""
    items = "".join(f"<li>{escape(str(problem))}</li>" for problem in problems)
    return _page("light", "Nothing to show yet", f"<main><h1>Nothing to show yet</h1><ul>{items}</ul></main>").encode()


def _frame_file(key: str, locale: str, theme: str) -> str:
    return f"frames/{locale}/{key}-{theme}.html"


def _framed(stage: Stage, html: str, theme: str) -> str:
    """A page or a mail as it is, with its stylesheet inside, in one colour scheme, and without a way out."""
    whole = _SHEET.sub(lambda found: f"<style>{stage.stylesheet(found[1])}</style>", html)
    whole = _SCHEME.sub(lambda found: "(min-width: 0px)" if found[1] == theme else "(max-width: 0px)", whole)
    whole = whole.replace('<meta name="color-scheme" content="light dark">', "")
    whole = whole.replace("color-scheme: light dark", f"color-scheme: {theme}")
    head = _FRAME_HEAD % theme
    return whole.replace("<head>", f"<head>{head}", 1) if "<head>" in whole else head + whole


def _overview(stage: Stage, view: View, locales: list[str], shown: dict[tuple[str, str], Shown]) -> str:
    name = escape(stage.controller.name)
    body = "\n".join(_section(stage, section, view, locales, shown) for section in SECTIONS)
    page = f"""<header>
<p class="brand">consent_track <span>preview</span></p>
<h1>What recipients of {name} read</h1>
<p class="lead">Every footer, mail and page, in {len(locales)} languages, with invented people. Nothing here is sent,
stored or measured, and no link leads anywhere.</p>
<nav class="views" aria-label="Views">{"".join(_switches(view))}</nav>
<nav aria-label="Sections">{"".join(f'<a href="#{one.key}">{escape(one.title)}</a>' for one in SECTIONS)}</nav>
{_problems(stage)}</header>
<main>
{body}
</main>"""
    return _page(view.theme, f"What recipients of {stage.controller.name} read", page)


def _page(theme: str, title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en" class="{theme}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _switches(view: View) -> Iterator[str]:
    """Where one is, and the ways to the other three."""
    for words, other in (
        ("Light", View("light", view.wide)),
        ("Dark", View("dark", view.wide)),
        (f"Narrow, {NARROW} px", View(view.theme, False)),
        (f"Wide, {WIDE} px", View(view.theme, True)),
    ):
        here = ' aria-current="page"' if other == view else ""
        yield f'<a href="{other.file}"{here}>{words}</a>'


def _problems(stage: Stage) -> str:
    found = stage.runtime.wordings.problems()
    if not found:
        return ""
    items = "".join(f"<li>{escape(str(problem))}</li>" for problem in found)
    return f'<section class="problems"><h2>Words that cannot be used</h2><ul>{items}</ul></section>\n'


def _section(
    stage: Stage, section: Section, view: View, locales: list[str], shown: dict[tuple[str, str], Shown]
) -> str:
    rows = "\n".join(_row(stage, section, row, view, locales, shown) for row in section.rows)
    return f'<section id="{section.key}"><h2>{escape(section.title)}</h2>\n{rows}\n</section>'


def _row(
    stage: Stage, section: Section, row: Row, view: View, locales: list[str], shown: dict[tuple[str, str], Shown]
) -> str:
    cells = "\n".join(_cell(stage, section, row, view, locale, shown[row.key, locale]) for locale in locales)
    size = "wide" if view.wide else "narrow"
    title = escape(row.title)
    # What scrolls sideways must be reachable by keyboard (WCAG 2.1.1).
    region = f'<div class="cells {size}" tabindex="0" role="group" aria-label="{title}">'
    return f'<article id="{row.key}"><h3>{title}</h3>\n{region}\n{cells}\n</div></article>'


def _cell(stage: Stage, section: Section, row: Row, view: View, locale: str, one: Shown) -> str:
    width, height = (WIDE, round(section.heights[1] / SCALE)) if view.wide else (NARROW, section.heights[0])
    source, texts = _frame_file(row.key, locale, view.theme), stage.texts(locale)
    own = " · with words of yours" if texts.own else ""
    name = f'<p class="locale"><b lang="{locale}">{escape(texts.name)}</b> {locale}{own}</p>'
    frame = (
        f'<iframe src="{source}" sandbox="" loading="lazy" width="{width}" height="{height}" '
        f'title="{escape(row.title)}, {locale}"></iframe>'
    )
    text = _text(texts, one.text, opened=section.key == "footers") if one.text else ""
    return f'<div class="cell {section.key}">{name}<div class="screen">{frame}</div>{text}</div>'


def _text(texts: Texts, text: str, *, opened: bool) -> str:
    words = f'<pre lang="{texts.locale}" dir="{texts.direction}">{escape(text)}</pre>'
    return f"<details{' open' if opened else ''}><summary>As text</summary>{words}</details>"
