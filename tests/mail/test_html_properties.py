"""What holds for any page, and where a second reader of HTML agrees with ours."""

import html as entities
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent_track.mail import attribute, html
from consent_track.mail.splice import Splice, apply

CORPUS = sorted((Path(__file__).parent / "html_corpus").glob("*.html"))

# Any bytes, and pages made of the pieces that matter.

PIECES = [
    b"<", b">", b'"', b"'", b"=", b" ", b"/", b"\n", b"\0", b"\xff", b"a", b"x", b"<a href=", b'<a href="b">', b"</a>",
    b"<a", b' href="c"', b"<!--", b"-->", b"--!>", b"-", b"!", b"<!--[if mso]>", b"<![endif]-->", b"<![if !mso]>",
    b"<style>", b"</style>", b"<title>", b"</title", b"<img src=d>", b"<td ", b"<body>", b"</body>", b"</html>", b"<?",
    b"&amp;", b"&lt", b"url(//e", b"background=//f", b"<base href=g>", b"<area href=h>", b" data-no-track",
    b"<p title='",
]  # fmt: skip
pages = st.one_of(st.binary(max_size=80), st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))


@settings(max_examples=400, deadline=None)
@given(pages)
@example(b"<a href='x'></a><a href=\"")
def test_every_place_is_where_it_says(page: bytes) -> None:
    found = html.scan(page)

    for anchor in found.anchors:
        href = anchor.href
        assert 0 <= anchor.start < href.start <= href.value_start <= href.value_end <= found.live_end <= len(page)
        assert attribute.read(page[href.value_start : href.value_end], "utf-8") == href.value
        assert page[href.start : href.start + 4].lower() == b"href"
        if href.quote:
            assert page[href.value_start - 1 : href.value_start] == page[href.value_end : href.value_end + 1]
            assert page[href.value_end : href.value_end + 1] == href.quote.encode()
    for image in found.images:
        assert page[image.start : image.start + 4].lower() == b"<img"
        assert page[image.end - 1 : image.end] == b">"
    for before, after in pairwise(found.comments):
        assert before[1] <= after[0]
    for ref in found.remote:
        assert 0 <= ref.start <= ref.end <= len(page)
    assert not any(html.is_inside(found.comments, anchor.start) for anchor in found.anchors)
    assert found.live_end == len(page) or page[found.live_end : found.live_end + 1] == b"<"


@settings(max_examples=300, deadline=None)
@given(pages)
def test_what_is_put_in_the_place_of_a_link_is_that_link(page: bytes) -> None:
    found = html.scan(page)
    new = [f"https://t.example/{number}" for number in range(len(found.anchors))]
    edited = apply(
        page,
        [
            # An unquoted empty value has no place of its own; whoever writes there brings the quotes.
            Splice(
                anchor.href.value_start,
                anchor.href.value_end,
                url.encode() if anchor.href.quote else f'"{url}"'.encode(),
            )
            for anchor, url in zip(found.anchors, new, strict=True)
            if anchor.href.value
        ],
    )
    expected = [url if anchor.href.value else anchor.url for anchor, url in zip(found.anchors, new, strict=True)]
    assert [anchor.url for anchor in html.scan(edited).anchors] == expected


@settings(max_examples=400, deadline=None)
@given(pages)
def test_what_is_added_at_the_end_stands_in_the_open(page: bytes) -> None:
    """Not in a comment, in raw text or in a tag; and nothing else moves."""
    found = html.scan(page)
    at = html.insertion_point(found, page)
    added = b'<!--ours--><img src="https://t.example/o" width="1" height="1" alt="">'
    again = html.scan(page[:at] + added + page[at:])
    assert (at, at + 11) in again.comments
    assert [image.url for image in again.images if image.start == at + 11] == ["https://t.example/o"]
    assert [anchor.url for anchor in again.anchors] == [anchor.url for anchor in found.anchors]
    assert len(again.images) == len(found.images) + 1
    assert again.live_end == found.live_end + len(added)


class Reader(HTMLParser):
    """The second opinion: the standard library's parser, which is right on honest pages."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: dict[str, str] = {}
        for name, value in attrs:
            found.setdefault(name, value or "")
        if tag in ("a", "area") and "href" in found:
            self.links.append(found["href"])
        if tag == "img" and "src" in found:
            self.pictures.append(found["src"])

    handle_startendtag = handle_starttag


def agrees(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    reader.close()
    found = html.scan(page.encode())
    assert [anchor.url for anchor in found.anchors] == reader.links
    assert [image.url for image in found.images] == reader.pictures


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_on_real_templates_both_readers_agree(path: Path) -> None:
    page = path.read_text("utf-8")
    found = html.scan(page.encode())
    assert found.anchors
    assert found.conditionals or b"[if" not in page.encode()
    agrees(page)
    at = html.insertion_point(found, page.encode())
    assert page.encode()[at:].split() == [b"</body>", b"</html>"]


names = st.sampled_from(["href", "title", "class", "data-x", "src", "alt", "HREF"])
values = st.text(alphabet="abc/?=<> &;'-!", max_size=8)
attributes = st.lists(st.tuples(names, values), max_size=4).map(
    lambda pairs: "".join(f' {name}="{entities.escape(value)}"' for name, value in pairs)
)
honest = st.recursive(
    st.text(alphabet="ab <>&", max_size=6).map(entities.escape) | st.just("<!-- <a href='no'> -->") | st.just("<br/>"),
    lambda inner: st.builds(
        lambda tag, given, parts: f"<{tag}{given}>{''.join(parts)}</{tag}>",
        st.sampled_from(["a", "p", "td", "A", "area", "img", "b"]),
        attributes,
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(honest)
def test_on_honest_pages_both_readers_agree(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert [anchor.href.value for anchor in html.scan(page.encode()).anchors] == reader.links
