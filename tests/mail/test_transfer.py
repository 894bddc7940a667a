"""Quoted-printable and base64: only the changed stretch is encoded anew, and every line stays a legal line."""

import pytest
from corpus import CRLF, MAILS
from reading import at_end, body, edited, leaf_of, read

from consent_track.mail.leaf import Edit, Leaf
from consent_track.mail.mime import Unreadable

# Quoted-printable, line by line: the body before, what is changed, the body after.

QUOTED = [
    ("at the beginning of a line", b"one\r\ntwo\r\n", 5, 5, "X", b"one\r\nXtwo\r\n"),
    ("an equals sign", b"one\r\n", 1, 2, "=", b"o=3De\r\n"),
    ("inside an escape, before it", b"a=C3=A9b", 1, 1, "X", b"aX=C3=A9b"),
    ("after an escape", b"a=C3=A9b", 3, 3, "X", b"a=C3=A9Xb"),
    ("an escape goes", b"a=C3=A9b", 1, 3, "", b"ab"),
    ("at a soft break", b"ab=\r\ncd", 2, 2, "X", b"ab=\r\nXcd"),
    ("over a soft break", b"ab=\r\ncd", 1, 3, "X", b"aXd"),
    ("at a soft break with LF only", b"ab=\ncd", 2, 2, "X", b"ab=\nXcd"),
    ("before a soft break that nothing follows", b"ab=\r\n", 2, 2, "X", b"abX=\r\n"),
    ("before a lone equals sign at the end", b"ab=", 2, 2, "X", b"abX="),
    ("white space that now ends a line", b"one two\r\n", 4, 7, "", b"one=20\r\n"),
    ("white space that now ends the text", b"one two", 4, 7, "", b"one=20"),
    ("white space before a new line break", b"one two", 4, 4, "\n", b"one=20\r\ntwo"),
    ("new white space at the end of a line", b"one\r\n", 3, 3, " \t", b"one =09\r\n"),
    ("a full line", b"x" * 76 + b"\r\n", 76, 76, "Y", b"x" * 75 + b"=\r\nxY\r\n"),
    ("a full line that ends in an escape", b"x" * 73 + b"=3D\r\n", 74, 74, "Y", b"x" * 73 + b"=\r\n=3DY\r\n"),
    ("a line that becomes too long", b"x" * 76, 70, 70, "YZ", b"x" * 70 + b"YZ=\r\n" + b"x" * 6),
    ("a soft-broken line that becomes too long", b"x" * 75 + b"=\r\ny", 2, 2, "Y", b"xxY=\r\n" + b"x" * 73 + b"=\r\ny"),
    ("a break never falls inside an escape", b"x" * 70, 70, 70, "éé", b"x" * 70 + b"=C3=\r\n=A9=C3=A9"),
    ("a stray sign meets what would make it an escape", b"a=Zb1", 2, 3, "4", b"a=3D4b1"),
    ("a stray sign on another line", b"a=Z\r\nb", 5, 5, "4", b"a=Z\r\n4b"),
    ("lower-case escapes stay as they are", b"=c3=a9 =3d", 2, 3, "X", b"=c3=a9X=3d"),
]


@pytest.mark.parametrize("before, start, end, new, after", [row[1:] for row in QUOTED], ids=[row[0] for row in QUOTED])
def test_quoted_printable(before: bytes, start: int, end: int, new: str, after: bytes) -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    newline = b"\n" if b"\r" not in before and b"\n" in before else CRLF
    head = head.replace(CRLF, newline)
    assert edited(leaf_of(head + before), Edit(start, end, new)) == head + after


def test_two_changes_on_two_lines_are_two_short_lines() -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    leaf = leaf_of(head + b"one\r\ntwo\r\n")
    assert (
        edited(leaf, Edit(3, 3, "x" * 70), Edit(8, 8, "y" * 70))
        == head + b"one" + b"x" * 70 + CRLF + b"two" + b"y" * 70 + CRLF
    )


def test_changes_at_one_place_are_one_change() -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    leaf = leaf_of(head + b"x" * 76)
    assert edited(leaf, Edit(76, 76, "A" * 75), Edit(76, 76, "B")) == (
        head + b"x" * 75 + b"=\r\nx" + b"A" * 74 + b"=\r\nAB"
    )


STRAY = [b"=", b"a=zz", b"==", b"=\rx\n=Z", b"=\r", b"=3", b"=\n=", b"a= \t\r\nb", b"=4=\r\n1"]
READ = [b"", b"a=zz", b"=", b"=\rx\n=Z", b"", b"=3", b"", b"ab", b"=41"]


@pytest.mark.parametrize("raw, text", list(zip(STRAY, READ, strict=True)))
def test_a_sign_that_begins_no_escape_is_read_as_itself(raw: bytes, text: bytes) -> None:
    assert leaf_of(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + raw).text == text


BASE64 = [
    ("from the first touched group on", b"YWJj\r\nZGVm\r\n", 3, 3, "X", b"YWJj\r\nWGRl\r\nZg==\r\n"),
    ("at the end after a whole group", b"YWJj\r\n", 3, 3, "def", b"YWJjZGVm\r\n"),
    ("at the end after padding", b"YWI=\r\n", 2, 2, "c", b"YWJj\r\n"),
    ("no newline at the end", b"YWJj", 0, 1, "X", b"WGJj"),
    ("the end goes, and its line with it", b"YWJj\r\nZGVm\r\n", 3, 6, "", b"YWJj\r\n"),
    (
        "lines that are not of one length",
        b"YWJj\r\nZGVmZ2hp\r\namts\r\n",
        9,
        9,
        "X",
        b"YWJj\r\nZGVmZ2hp\r\nWGpr\r\nbA==\r\n",
    ),
    ("missing padding", b"YWI\r\n", 2, 2, "cd", b"YWJjZA==\r\n"),
    ("an empty text", b"\r\n", 0, 0, "abc", b"YWJj\r\n"),
    ("one line and its end", b"QUJD" * 25, 75, 75, "A", b"QUJD" * 25 + b"\r\nQQ=="),
    ("lines too long for mail", b"YWJj" * 300 + b"\r\nYWJj\r\n", 0, 900, "", b"YWJj\r\n"),
    ("white space around a first change", b"\r\n YWJj \r\n\r\n", 0, 0, "X", b"\r\n WGFiYw== \r\n\r\n"),
    ("white space around", b"\r\n YWJj \r\n\r\n", 3, 3, "def", b"\r\n YWJjZGVm \r\n\r\n"),
]


@pytest.mark.parametrize("before, start, end, new, after", [row[1:] for row in BASE64], ids=[row[0] for row in BASE64])
def test_base64(before: bytes, start: int, end: int, new: str, after: bytes) -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert edited(leaf_of(head + before), Edit(start, end, new)) == head + after


def test_base64_in_lines_too_long_for_mail_goes_on_in_short_ones() -> None:
    head = b"Content-Transfer-Encoding: base64\r\n\r\n"
    data = edited(leaf_of(head + b"YWJj" * 300 + b"\r\nYWJj\r\n"), Edit(0, 0, "abc"))
    assert max(map(len, data.split(CRLF))) == 76


def test_base64_without_line_breaks_gets_them_only_from_the_change_on() -> None:
    leaf = leaf_of(MAILS["base64 in one line"])
    data = at_end(leaf, "x" * 100)
    line, *rest = body(leaf_of(data)).splitlines()
    assert body(leaf).startswith(line[:-3])
    assert max(map(len, rest)) == 76


def test_octets_that_are_not_base64_are_not_edited() -> None:
    for broken in (b"YWJj!", b"YWI=YWJj", b"YWJjZ", b"=YWJ", b"YWJj\r\n____\r\nlist footer"):
        found = read(b"Content-Transfer-Encoding: base64\r\n\r\n" + broken)
        assert Leaf.of(found, found.root) == Unreadable("encoding_malformed"), broken
