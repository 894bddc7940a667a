"""Every charset: a page shows every sign, and a text moves to UTF-8 only when it must."""

import base64
import email
import email.policy

import pytest
from corpus import ARABIC, CRLF, EMOJI, GERMAN, GREEK, MAILS, mail, part, text
from reading import EDITABLE, as_sent, at_end, body, edited, leaf_of, read, shown

from consent_track.mail.leaf import Edit, Leaf, Splice
from consent_track.mail.mime import Unreadable

UNREADABLE = """
    no body and no empty line     | body_missing
    nothing                       | body_missing
    unknown charset               | charset_unknown
    unknown encoding              | encoding_unknown
    broken base64                 | encoding_malformed
    utf-7 written in another way  | charset_not_reversible
    utf-16 with half a character  | charset_not_reversible
"""


@pytest.mark.parametrize("name, reason", [[c.strip() for c in r.split("|")] for r in UNREADABLE.strip().splitlines()])
def test_what_cannot_be_read_says_why(name: str, reason: str) -> None:
    found = read(MAILS[name])
    leaf = Leaf.of(found, found.leaves[0])
    assert isinstance(leaf, Unreadable)
    assert leaf.reason == reason


def test_every_other_text_of_the_corpus_can_be_edited() -> None:
    texts = {n for n, d in MAILS.items() for one in read(d).leaves if one.content_type.startswith("text/")}
    unreadable = {row.split("|")[0].strip() for row in UNREADABLE.strip().splitlines()}
    assert texts - {name for name, _ in EDITABLE} == unreadable


def test_a_label_with_a_nul_is_no_charset() -> None:
    found = read(b"Content-Type: text/plain; charset*=''utf-8%00\r\n\r\nbody")
    assert Leaf.of(found, found.root) == Unreadable("charset_unknown")


def test_half_a_surrogate_pair_is_no_text() -> None:
    found = read(b'Content-Type: text/plain; charset="utf-7"\r\n\r\nGr+APwA3tps://shop.example\r\n')
    assert Leaf.of(found, found.root) == Unreadable("charset_not_reversible", "utf-7")


@pytest.mark.parametrize(
    "label", ["idna", "punycode", "rot13", "hex", "zlib", "unicode_escape", "undefined", "utf-8-sig", "a/b"]
)
def test_only_charsets_of_text_are_charsets(label: str) -> None:
    found = read(f'Content-Type: text/plain; charset="{label}"\r\n\r\nbody'.encode())
    assert Leaf.of(found, found.root) == Unreadable("charset_unknown")


SAID = f"{GERMAN} {EMOJI} {ARABIC}"


@pytest.mark.parametrize("name, index", [(name, index) for name, index in EDITABLE if "html" in name])
def test_a_page_shows_every_sign_whatever_its_charset(name: str, index: int) -> None:
    leaf = leaf_of(MAILS[name], index)
    data = edited(leaf, Edit(len(leaf.text), len(leaf.text), SAID))
    after = leaf_of(data)
    assert after.part.headers == leaf.part.headers
    tail = shown(after)[len(shown(leaf)) :]
    assert tail == as_sent(leaf, SAID)
    if leaf.part.encoding == "7bit":
        assert data.isascii()


MOVES = [
    # the mail                         its fields after it had to carry more than its charset can
    ("plain 7bit", 'text/plain; charset="utf-8"', "quoted-printable"),
    ("plain without content type", "text/plain; charset=utf-8", "quoted-printable"),
    ("plain quoted-printable latin-1", 'text/plain; charset="utf-8"', "quoted-printable"),
    ("plain 8bit latin-1", 'text/plain; charset="utf-8"', "8bit"),
    ("plain base64 latin-1", 'text/plain; charset="utf-8"', "base64"),
    ("plain koi8-r", 'text/plain; charset="utf-8"', "8bit"),
    ("plain windows-1251 base64", 'text/plain; charset="utf-8"', "base64"),
    ("plain iso-2022-jp", 'text/plain; charset="utf-8"', "quoted-printable"),
    ("plain iso-2022-jp base64", 'text/plain; charset="utf-8"', "base64"),
    ("plain utf-16be no mark", 'text/plain; charset="utf-16be"', "base64"),
    ("plain utf-7", 'text/plain; charset="utf-7"', "7bit"),
]


@pytest.mark.parametrize("name, kind, encoding", MOVES)
def test_a_text_moves_to_utf8_when_its_charset_cannot_carry_the_notice(name: str, kind: str, encoding: str) -> None:
    leaf = leaf_of(MAILS[name])
    data = at_end(leaf, SAID)
    after = leaf_of(data)
    assert shown(after) == shown(leaf) + SAID
    fields = {header.lower: header.text for header in after.part.headers}
    assert fields["content-type"] == kind
    assert fields["content-transfer-encoding"] == encoding
    if encoding == "base64":
        assert data.endswith(CRLF)
        assert not data.endswith(CRLF * 2)
    others = [h[:3] for h in leaf.part.headers if not h.lower.startswith("content-")]
    assert [h[:3] for h in after.part.headers if not h.lower.startswith("content-")] == others
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert message.get_content().replace("\r\n", "\n").strip() == shown(after).replace("\r\n", "\n").strip()


def test_a_charset_with_states_is_edited_in_one_place_where_it_can_be() -> None:
    leaf = leaf_of(MAILS["html iso-2022-jp"])
    at = leaf.text.index(b"</body>")
    start = leaf.part.body_start + body(leaf).index(b"</body>")
    assert leaf.splice([Edit(at, at, "<b>")]) == (Splice(start, start, b"<b>"),)
    inside = leaf.text.index("んにちは".encode())
    assert leaf_of(edited(leaf, Edit(inside, inside, "<b>"))).text == leaf.text[:inside] + b"<b>" + leaf.text[inside:]


def test_utf16_is_read_by_its_mark_and_without_one_as_big_endian() -> None:
    for name in ("plain utf-16 big-endian", "plain utf-16be no mark"):
        assert GREEK.encode() in leaf_of(MAILS[name]).text
    bare = base64.b64encode(GREEK.encode("utf-16-be"))
    fields = b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert leaf_of(fields + bare).text == GREEK.encode()


def test_a_text_stays_in_its_charset_when_that_carries_the_notice() -> None:
    for name in ("plain 8bit latin-1", "plain quoted-printable latin-1", "plain base64 latin-1"):
        leaf = leaf_of(MAILS[name])
        after = leaf_of(at_end(leaf, "Maß"))
        assert after.part.headers == leaf.part.headers
        assert shown(after).endswith("Maß")


def test_utf8_in_a_7bit_text_moves_to_quoted_printable_and_keeps_its_charset() -> None:
    leaf = leaf_of(mail(part("text/plain", text(), charset="utf-8", encoding="7bit")))
    after = leaf_of(at_end(leaf, GERMAN))
    assert (after.part.encoding, after.charset, shown(after)) == ("quoted-printable", "utf-8", shown(leaf) + GERMAN)
    assert after.part.first("content-type") == leaf.part.first("content-type")


CONTENT_TYPES = [
    ("text/plain", "text/plain; charset=utf-8"),
    ("text/plain; format=fixed", "text/plain; charset=utf-8; format=fixed"),
    ("TEXT/Plain;CHARSET=us-ascii;x=y", "TEXT/Plain;CHARSET=utf-8;x=y"),
    (
        'text/plain;\r\n charset="us-ascii";\r\n x="; charset=no"',
        'text/plain;\r\n charset="utf-8";\r\n x="; charset=no"',
    ),
    ('text/plain; charset="us-ascii"junk', 'text/plain; charset="utf-8"junk'),
    ("text/plain; charset=us-ascii; charset=latin1", "text/plain; charset=utf-8; charset=utf-8"),
]


@pytest.mark.parametrize("before, after", CONTENT_TYPES)
def test_only_the_charset_of_the_content_type_changes(before: str, after: str) -> None:
    data = at_end(leaf_of(f"Content-Type: {before}\r\n\r\nbody".encode()), "é")
    assert data.startswith(f"Content-Type: {after}\r\nMIME-Version: 1.0\r\n".encode())


def test_a_text_that_is_not_what_its_label_says_is_left_alone() -> None:
    for fields, octets in (
        (b"Content-Type: text/plain; charset=us-ascii", b"caf\xe9"),
        (b"Content-Type: text/plain; charset=windows-1252", b"a\x81"),
        (b"Content-Type: text/plain; charset=iso-8859-1", b"\x93quoted\x94"),
        (b"Content-Type: text; charset=us-ascii", b"a"),
        (b"Content-Type: text/plain; charset*0=us-; charset*1=ascii", b"a"),
    ):
        leaf = leaf_of(fields + b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + octets)
        assert isinstance(leaf.splice([Edit(0, 0, EMOJI)]), Unreadable), fields


def test_utf8_that_says_nothing_of_its_charset_is_said_to_be_utf8() -> None:
    leaf = leaf_of(b"Content-Transfer-Encoding: 8bit\r\n\r\n" + GERMAN.encode())
    after = leaf_of(at_end(leaf, EMOJI))
    assert (after.charset, shown(after)) == ("utf-8", GERMAN + EMOJI)
