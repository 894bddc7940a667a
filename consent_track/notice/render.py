"""A notice as text, as HTML and as plain data; the three say the same words in the same order."""

from html import escape
from typing import Any, Final

from .forms import Notice
from .slots import ISOLATE, ISOLATED, Slot

_DOCUMENT: Final = """\
<!doctype html>
<html lang="{lang}" dir="{dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def as_text(notice: Notice) -> str:
    """Plain text: headings, sentences and items, each on a line of its own."""
    lines = [notice.title, "=" * len(notice.title)]
    for slot in notice.slots:
        lines += ["", slot.heading, "-" * len(slot.heading), *slot.sentences]
        lines += [f"({' / '.join(slot.columns)})"] if slot.columns else []
        lines += [f"* {' - '.join(item)}" for item in slot.items]
    return "\n".join([*lines, ""])


def as_html(notice: Notice) -> str:
    """A `<section>` for the page of a privacy policy; a whole document where the law wants it to stand alone."""
    body = "\n".join(_section(slot) for slot in notice.slots)
    lang, title = escape(notice.locale), escape(notice.title)
    if notice.standalone:
        return _DOCUMENT.format(lang=lang, dir=notice.direction, title=title, body=body)
    return f'<section lang="{lang}" dir="{notice.direction}">\n<h2>{title}</h2>\n{body}\n</section>\n'


def _section(slot: Slot) -> str:
    sentences = [f"<p>{_linked(sentence)}</p>" for sentence in slot.sentences]
    return "\n".join([f"<h3>{escape(slot.heading)}</h3>", *sentences, *(_table(slot) if slot.columns else _list(slot))])


def _list(slot: Slot) -> list[str]:
    items = [f"<li><strong>{escape(first)}</strong><br>{_linked(' '.join(rest))}</li>" for first, *rest in slot.items]
    return ["<ul>", *items, "</ul>"] if items else []


def _table(slot: Slot) -> list[str]:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in slot.columns)
    rows = [
        "<tr>"
        + f'<th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{_linked(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in slot.items
    ]
    return ["<table>", f"<thead><tr>{head}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table>"]


def _linked(sentence: str) -> str:
    """The words with each address as a link whose text is the address, so that print and screen say the same."""
    shown = []
    for word in sentence.split(" "):
        url = word.strip(f".,;،。{ISOLATE}{ISOLATED}")
        if url.startswith(("https://", "http://", "mailto:")):
            label, behind = escape(url.removeprefix("mailto:")), word.partition(url)[2].strip(ISOLATED)
            shown.append(f'<bdi><a href="{escape(url)}">{label}</a></bdi>{escape(behind)}')
        else:
            shown.append(escape(word, quote=False))
    return " ".join(shown)


def as_data(notice: Notice) -> dict[str, Any]:
    """Plain data: what was made from what, and each slot."""
    return {
        "locale": notice.locale,
        "jurisdiction": notice.jurisdiction,
        "policy": {
            "id": notice.policy.id,
            "version": notice.policy.hash,
            "law_version": notice.policy.pack.law_version,
        },
        "title": notice.title,
        "standalone": notice.standalone,
        "slots": {
            slot.key: {
                "heading": slot.heading,
                "sentences": list(slot.sentences),
                **({"columns": list(slot.columns)} if slot.columns else {}),
                "items": [list(item) for item in slot.items],
            }
            for slot in notice.slots
        },
    }
