"""Changing a leaf: the reader's program shows the old text with the changes, and no other byte is touched."""

import email
import email.policy
from binascii import a2b_qp
from itertools import accumulate

import pytest
from corpus import CRLF, MAILS, mail, multi, part
from hypothesis import given
from hypothesis import strategies as st
from reading import EDITABLE, as_sent, at_end, body, charset_of_text, edited, leaf_of, read, shown

from consent_track.mail.leaf import Edit, Leaf, Splice, apply
from consent_track.mail.mime import Unreadable

# Where the standard library reads the corpus otherwise; test_mime.py says why.
NO_SECOND_OPINION = {
    "lone carriage returns in the body",
    "quoted-printable with stray signs",
    "no closing delimiter",
    "forwarded mail",
    "bounce",
}

WORDS = [
    "",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "=",
    "=3D",
    "=\n",
    ".",
    "> ",
    "From ",
    "a",
    "é",
    "€",
    "ж",
    "あ",
    "🌷",
    "&",
    "<br>",
]
NEW = st.lists(st.sampled_from([*WORDS, "x" * 70, "y" * 400, "a b " * 30, "=" * 40, "й" * 50]), max_size=6).map("".join)


@st.composite
def changes_of(draw: st.DrawFn) -> tuple[str, int, list[tuple[int, int, str]]]:
    """A leaf of the corpus and some changes of it, in characters of what it shows; often near its end."""
    name, index = draw(st.sampled_from(EDITABLE))
    old = shown(leaf_of(MAILS[name], index))
    length = len(old)
    places = draw(st.sampled_from([(0, length), (0, min(length, 12)), (max(length - 12, 0), length)]))
    drawn = draw(st.lists(st.integers(*places), min_size=2, max_size=8).filter(lambda found: len(found) % 2 == 0))
    first = int(old.startswith("\ufeff"))  # nothing comes before a byte order mark
    at = sorted(max(first, place) - (old[place - 1 : place + 1] == "\r\n") for place in drawn)  # CRLF is one line break
    return (
        name,
        index,
        [(a, a if draw(st.booleans()) else b, draw(NEW)) for a, b in zip(at[::2], at[1::2], strict=True)],
    )


@given(changes_of())
def test_a_reader_sees_the_old_text_with_the_changes(case: tuple[str, int, list[tuple[int, int, str]]]) -> None:
    name, index, changes = case
    leaf = leaf_of(MAILS[name], index)
    old = shown(leaf)
    edges = [0, *accumulate(len(sign.encode(charset_of_text(leaf))) for sign in old)]

    splices = leaf.splice(Edit(edges[start], edges[end], new) for start, end, new in changes)

    if isinstance(splices, Unreadable):
        assert (name, splices.reason) == ("lines that almost match", "boundary_collision")
        return
    data = apply(leaf.mail.data, splices)
    after = leaf_of(data, index)
    pieces, done = [], 0
    for start, end, new in changes:
        pieces += (old[done:start], as_sent(leaf, new))
        done = end
    if not leaf.format_flowed:  # its stuffing has its own tests below
        assert shown(after) == "".join(pieces) + old[done:]
    check_only_this_leaf_changed(leaf, index, data)
    check_lines(leaf, after)
    if name not in NO_SECOND_OPINION:
        theirs = [one for one in email.message_from_bytes(data).walk() if not one.is_multipart()]
        assert theirs[index].get_payload(decode=True) == after.encoded.text


def check_only_this_leaf_changed(leaf: Leaf, index: int, data: bytes) -> None:
    old, new = leaf.mail, read(data)
    assert [one.content_type for one in old.parts()] == [one.content_type for one in new.parts()]
    assert data[: leaf.part.start] == old.data[: leaf.part.start]
    assert data.endswith(old.data[leaf.part.body_end :])
    for newline, lone in ((CRLF, b""), (b"\n", b"\r")):
        if old.data.count(b"\n") == old.data.count(newline) and not (lone and lone in old.data):
            assert data.count(b"\n") == data.count(newline)
            assert not (lone and lone in data)
    for place, (one, other) in enumerate(zip(old.leaves, new.leaves, strict=True)):
        if place != index:
            assert old.data[one.start : one.body_end] == data[other.start : other.body_end]


def check_lines(leaf: Leaf, after: Leaf) -> None:
    """No encoded line passes 76 octets, and no other line 998, in a leaf where none did before."""
    most = {"quoted-printable": 76, "base64": 76, "7bit": 998, "8bit": 998}.get(after.part.encoding, 10**9)
    if leaf.part.encoding != after.part.encoding or longest_line(leaf) <= most:
        assert longest_line(after) <= most
    if after.part.encoding == "7bit":
        assert body(after).isascii()


def longest_line(leaf: Leaf) -> int:
    return max(len(line.removesuffix(b"\r")) for line in body(leaf).split(b"\n"))


@pytest.mark.parametrize("name, index", EDITABLE)
def test_without_edits_nothing_changes(name: str, index: int) -> None:
    leaf = leaf_of(MAILS[name], index)
    assert leaf.splice([]) == ()
    assert leaf.splice([Edit(0, 0, "")]) == ()
    assert apply(leaf.mail.data, ()) == leaf.mail.data


@pytest.mark.parametrize("name, index", EDITABLE)
def test_only_the_stretch_of_the_edit_is_written_anew(name: str, index: int) -> None:
    leaf = leaf_of(MAILS[name], index)
    signs = [place for place, octet in enumerate(leaf.text) if octet in b" >," and not leaf.stand_in]
    for place in signs[:: max(len(signs) // 9, 1)]:
        splices = leaf.splice([Edit(place, place + 1, "<b>")])
        assert isinstance(splices, tuple)
        (splice,) = splices
        start, end = splice.start - leaf.part.body_start, splice.end - leaf.part.body_start
        if leaf.part.encoding == "quoted-printable" and "stray" not in name:
            assert len(a2b_qp(body(leaf)[:start])) in (place, place - 1)
            assert len(a2b_qp(body(leaf)[end:])) == len(leaf.text) - place - 1
        elif leaf.part.encoding == "base64":
            before = body(leaf)[:start].translate(None, CRLF + b" ")
            assert len(before) == place // 3 * 4
            assert body(leaf)[end:].strip(CRLF) == b""
        elif leaf.part.encoding != "quoted-printable":
            assert (start, end, splice.data) == (place, place + 1, b"<b>")


# Line breaks and long lines.


def test_new_line_breaks_are_those_of_the_text() -> None:
    assert b"<br>\r\nend" in at_end(leaf_of(MAILS["html 8bit"]), "<br>\nend")
    assert b"<br>\nend" in at_end(leaf_of(MAILS["html LF body under CRLF fields"]), "<br>\r\nend")
    assert leaf_of(at_end(leaf_of(MAILS["html base64"]), "a\nb")).text.endswith(b"a\r\nb")
    assert leaf_of(at_end(leaf_of(MAILS["html base64 with LF inside"]), "a\nb")).text.endswith(b"\na\nb")


def test_a_line_that_would_pass_998_octets_moves_the_leaf_to_quoted_printable() -> None:
    for encoding in ("7bit", "8bit"):
        line = "<p>" + "w" * 990 + "</p>"
        leaf = leaf_of(mail(part("text/html", f"<p>\n{line}\n</p>", charset="utf-8", encoding=encoding)))
        at = leaf.text.index(b"w")
        assert leaf_of(edited(leaf, Edit(at, at, "w"))).part.encoding == encoding
        after = leaf_of(edited(leaf, Edit(at, at, "ww")))
        assert after.part.encoding == "quoted-printable"
        assert after.text == leaf.text.replace(b"w", b"www", 1)
        assert leaf_of(edited(leaf, Edit(at, at, "w\nw"))).part.encoding == encoding


def test_a_text_that_already_had_such_a_line_is_edited_where_it_stands() -> None:
    leaf = leaf_of(MAILS["long lines 8bit"])
    at = leaf.text.index(b"www")
    assert leaf.splice([Edit(at, at, "w")]) == (Splice(at + leaf.part.body_start, at + leaf.part.body_start, b"w"),)


def test_an_empty_part_right_before_a_delimiter_gets_its_text_and_the_delimiter_its_newline() -> None:
    data = at_end(leaf_of(MAILS["empty parts"]), "Hello")
    assert b"Content-Type: text/plain\r\n\r\nHello\r\n--b\r\n" in data
    assert leaf_of(data).text == b"Hello"
    data = at_end(leaf_of(data, 1), "Hello too")
    assert data.endswith(b"--b\r\n\r\nHello too\r\n--b--\r\n")


def test_a_change_that_would_make_a_delimiter_is_not_made() -> None:
    for encoding in ("8bit", "quoted-printable"):
        leaf = leaf_of(
            mail(multi("mixed", "out", multi("mixed", "in", part("text/plain", "-x-out", encoding=encoding))))
        )
        for start, end, new in ((1, 2, ""), (0, 0, "--in\n"), (6, 6, "\n--out--\nmore"), (0, 0, "--in--\n")):
            splices = leaf.splice([Edit(start, end, new)])
            assert isinstance(splices, Unreadable)
            assert splices.reason == "boundary_collision"
        for start, end, new in ((0, 0, "--inn\n"), (0, 0, " --in\n"), (0, 0, "--in---\n"), (0, 0, "--\n")):
            assert isinstance(leaf.splice([Edit(start, end, new)]), tuple)
    first = mail(multi("mixed", "out", multi("mixed", "in", part("text/plain", "x")), part("text/plain", "y")))
    assert isinstance(leaf_of(first).splice([Edit(0, 0, "--in\n")]), Unreadable)
    assert isinstance(leaf_of(first, 1).splice([Edit(0, 0, "--in\n")]), tuple)
    leaf = leaf_of(mail(multi("mixed", "aGVs", part("text/plain", "Hello", encoding="base64"))))
    assert isinstance(leaf.splice([Edit(0, 0, "\n--aGVs\n")]), tuple)


def test_nothing_comes_before_a_byte_order_mark() -> None:
    leaf = leaf_of(MAILS["html utf-16"])
    assert edited(leaf, Edit(0, 0, "<p>")) == edited(leaf, Edit(3, 3, "<p>"))
    assert leaf_of(edited(leaf, Edit(0, 5, ""))).encoded.text.startswith(b"\xff\xfed\0o\0")
    leaf = leaf_of(mail(part("text/html", b"\xef\xbb\xbf<p>", charset="utf-8", encoding="8bit")))
    assert edited(leaf, Edit(0, 0, "x")).endswith(b"\xef\xbb\xbfx<p>")


# format=flowed (RFC 3676).

FLOWED = [
    (0, 0, "From me\n> no quote\n spaced\nplain\n", b" From me\r\n > no quote\r\n  spaced\r\nplain\r\nab >cd\r\n"),
    (2, 2, " >x", b"ab >x >cd\r\n"),
    (3, 3, "\n", b"ab \r\n >cd\r\n"),
    (2, 3, "\nx\n", b"ab\r\nx\r\n >cd\r\n"),
    (6, 6, "\n>", b"ab >cd\r\n >\r\n"),
    (8, 8, "-- \n", b"ab >cd\r\n-- \r\n"),
]


@pytest.mark.parametrize("start, end, new, after", FLOWED)
def test_flowed_text_is_stuffed_with_a_space_where_it_would_be_misread(
    start: int, end: int, new: str, after: bytes
) -> None:
    head = b"Content-Type: text/plain; format=Flowed; charset=utf-8\r\n\r\n"
    assert edited(leaf_of(head + b"ab >cd\r\n"), Edit(start, end, new)) == head + after


def test_a_flowed_line_of_its_author_is_never_stuffed() -> None:
    head = b"Content-Type: text/plain; format=flowed; charset=utf-8\r\n\r\n"
    assert edited(leaf_of(head + b">q\r\n"), Edit(0, 0, "x\n")) == head + b"x\r\n>q\r\n"


def test_flowed_is_known_by_its_parameters() -> None:
    assert [leaf_of(MAILS["plain flowed delsp"]).format_flowed, leaf_of(MAILS["plain flowed delsp"]).delsp] == [
        True
    ] * 2
    assert [leaf_of(MAILS["plain flowed"]).format_flowed, leaf_of(MAILS["plain flowed"]).delsp] == [True, False]
    assert not leaf_of(MAILS["plain 7bit"]).format_flowed


# What callers may not do.


def test_edits_must_fit_and_not_overlap() -> None:
    leaf = leaf_of(MAILS["html 8bit"])
    for edits in (
        [Edit(5, 3, "")],
        [Edit(0, len(leaf.text) + 1, "")],
        [Edit(0, 5, ""), Edit(4, 6, "")],
        [Edit(-1, 0, "x")],
    ):
        with pytest.raises(ValueError, match="edit"):
            leaf.splice(edits)
    with pytest.raises(ValueError, match="surrogate"):
        leaf.splice([Edit(0, 0, "\ud83c")])
    japanese = leaf_of(MAILS["html iso-2022-jp"])
    inside = japanese.text.index("こ".encode()) + 1
    with pytest.raises(ValueError, match="inside a character"):
        japanese.splice([Edit(inside, inside, "x")])


def test_edits_come_in_any_order_and_those_at_one_place_in_theirs() -> None:
    leaf = leaf_of(b"\r\nabc")
    assert edited(leaf, Edit(2, 3, "C"), Edit(0, 0, "1"), Edit(0, 0, "2"), Edit(0, 1, "A")) == b"\r\n12AbC"


def test_splices_must_fit_and_not_overlap() -> None:
    assert apply(b"abc", [Splice(2, 3, b"C"), Splice(0, 0, b"1"), Splice(0, 0, b"2")]) == b"12abC"
    for wrong in (
        [Splice(0, 2, b""), Splice(1, 3, b"")],
        [Splice(0, 4, b"")],
        [Splice(2, 1, b"")],
        [Splice(-1, 0, b"")],
    ):
        with pytest.raises(ValueError, match="splice"):
            apply(b"abc", wrong)
