"""Fields of a mail: added, removed and folded without touching the others, and never two in one."""

import pytest
from corpus import CRLF, EMOJI, html, mail, multi, part
from reading import leaf_of, read

from consent_track.mail.leaf import Edit, Leaf, apply, header_splice


def with_fields(data: bytes, add: list[tuple[str, str]], remove: frozenset[str] = frozenset()) -> bytes:
    found = read(data)
    return apply(data, header_splice(found, found.root, add, remove))


def test_fields_are_added_at_the_end_and_removed_with_their_folds() -> None:
    data = b"A: 1\r\nX-Gone: a\r\n b\r\nB: 2\r\nx-gone: c\r\n\r\nbody"
    assert (
        with_fields(data, [("C", "3"), ("D", "4")], frozenset({"x-gone"}))
        == b"A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\nbody"
    )
    assert with_fields(data, []) == data


def test_fields_can_be_added_where_there_is_no_body_or_no_field_yet() -> None:
    assert with_fields(b"", [("A", "1")]) == b"A: 1\r\n"
    assert with_fields(b"A: 1", [("B", "2")]) == b"A: 1\r\nB: 2\r\n"
    assert with_fields(b"A: 1", [("B", "2")], frozenset({"a"})) == b"B: 2\r\n"
    assert with_fields(b"\nbody", [("A", "1")]) == b"A: 1\n\nbody"


def test_long_values_are_folded_and_read_back_the_same() -> None:
    value = ", ".join(f"<https://acme.example/u/{'x' * n}>" for n in (30, 40, 90, 5, 200)) + "  two  spaces"
    data = with_fields(b"A: 1\r\n\r\n", [("List-Unsubscribe", value)])
    header = read(data).first("list-unsubscribe")
    assert header is not None
    assert header.text == value
    lines = header.value.split(CRLF)
    assert len(lines) > 3
    assert all(len(line) <= 78 or line.count(b" ") <= 1 for line in lines)


@pytest.mark.parametrize("value", ["a\r\nBcc: eve@example.org", "a\nb", "a\rb", "a\0b", "naïve", "x" * 1000])
def test_a_value_that_could_hide_another_field_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match="X-Campaign"):
        with_fields(b"A: 1\r\n\r\n", [("X-Campaign", value)])


def test_a_name_that_is_no_name_is_refused() -> None:
    for name in ("", "A B", "A:", "Ä", "A\r\nB"):
        with pytest.raises(ValueError, match="not a name"):
            with_fields(b"A: 1\r\n\r\n", [(name, "x")])


def test_fields_of_an_inner_part_and_edits_of_its_text_go_together() -> None:
    found = read(mail(multi("mixed", "b", part("text/plain", "Hello\n"), part("text/html", html()))))
    inner = found.leaves[0]
    leaf = Leaf.of(found, inner)
    assert isinstance(leaf, Leaf)
    moved = leaf.splice([Edit(0, 0, EMOJI)])
    assert isinstance(moved, tuple)
    data = apply(found.data, (*moved, *header_splice(found, inner, [("X-New", "1")], frozenset({"x-old"}))))
    assert (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nX-New: 1\r\n\r\n"
        in data
    )
    assert leaf_of(data).text.decode() == EMOJI + "Hello\r\n"
