"""Finding the parts of a mail: what is a part, what is read, what is left alone, and that no input can hurt."""

import email
import email.policy
from email.message import Message

import pytest
from corpus import BROKEN, CRLF, MAILS, html, mail, multi, part
from hypothesis import given
from hypothesis import strategies as st

from consent_track.mail.leaf import Leaf
from consent_track.mail.mime import Limits, Mail, Part, Unreadable, protection, scan, text_leaves, unfold

# mail | leaves | displayed pages | displayed texts | beside them | why it must not be touched
READ = """
    html 7bit                             | 1 | 1 | 0 |          |
    html no charset                       | 1 | 1 | 0 |          |
    plain without content type            | 1 | 0 | 1 |          |
    alternative quoted-printable          | 2 | 1 | 1 |          |
    alternative bare LF                   | 2 | 1 | 1 |          |
    mixed with attachment                 | 3 | 1 | 1 |          |
    related inside alternative            | 3 | 1 | 1 |          |
    related with start                    | 2 | 1 | 0 |          |
    related with a second page            | 2 | 1 | 0 |          |
    five levels                           | 3 | 1 | 1 |          |
    boundary is prefix of inner           | 2 | 1 | 1 |          |
    inner boundary is prefix of outer     | 2 | 1 | 1 |          |
    lines that almost match               | 2 | 1 | 1 |          |
    boundary with padding                 | 2 | 1 | 1 |          |
    boundary unquoted                     | 2 | 1 | 1 |          |
    boundary with colon and spaces        | 2 | 1 | 1 |          |
    preamble and epilogue                 | 2 | 1 | 1 |          |
    folded content type                   | 2 | 1 | 1 |          |
    comment and case in fields            | 1 | 1 | 0 |          |
    continued parameter                   | 2 | 1 | 1 |          |
    amp                                   | 3 | 1 | 1 | amp      |
    invitation                            | 3 | 1 | 1 | calendar |
    text attachments                      | 4 | 1 | 0 |          |
    two pages inline                      | 3 | 2 | 0 |          |
    list footer                           | 3 | 1 | 2 |          |
    forwarded mail                        | 2 | 0 | 1 |          |
    digest                                | 2 | 0 | 0 |          |
    signed                                | 2 | 1 | 0 |          | signed
    s/mime signed                         | 1 | 0 | 0 |          | signed
    s/mime encrypted                      | 1 | 0 | 0 |          | encrypted
    encrypted                             | 2 | 0 | 0 |          | encrypted
    pgp inline                            | 1 | 0 | 1 |          | pgp_inline
    pgp inline base64                     | 1 | 0 | 1 |          | pgp_inline
    dkim                                  | 1 | 1 | 0 |          | dkim_signed
    arc                                   | 1 | 1 | 0 |          | dkim_signed
    bounce                                | 2 | 0 | 1 |          | delivery_report
    empty body                            | 1 | 0 | 1 |          |
    no body and no empty line             | 1 | 0 | 1 |          |
    no fields                             | 1 | 0 | 1 |          |
    nothing                               | 1 | 0 | 1 |          |
    empty parts                           | 2 | 0 | 2 |          |
    inner part without body               | 2 | 0 | 1 |          |
    no closing delimiter                  | 2 | 1 | 1 |          |
    inner never closed                    | 3 | 1 | 1 |          |
    mixed newlines                        | 2 | 1 | 1 |          |
    lone carriage returns in the body     | 1 | 1 | 0 |          |
"""

LEFT_ALONE = """
    not a field                           | malformed_header
    starts with a fold                    | malformed_header
    lone CR in a field                    | malformed_header
    NUL in a field                        | malformed_header
    two content types                     | duplicate_header
    two encodings                         | duplicate_header
    multipart without boundary            | boundary_missing
    boundary never used                   | boundary_missing
    boundary used again inside            | boundary_ambiguous
    boundary is the closing of another    | boundary_ambiguous
"""


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def read(data: bytes, limits: Limits = Limits()) -> Mail:  # noqa: B008
    found = scan(data, limits)
    assert isinstance(found, Mail), found
    return found


@pytest.mark.parametrize("name, leaves, pages, texts, beside, shield", rows(READ), ids=[r[0] for r in rows(READ)])
def test_what_is_displayed_and_what_is_protected(
    name: str, leaves: str, pages: str, texts: str, beside: str, shield: str
) -> None:
    found = read(MAILS[name])
    bodies = text_leaves(found)
    assert [len(found.leaves), len(bodies.html), len(bodies.plain)] == [int(leaves), int(pages), int(texts)]
    assert (bodies.amp, bodies.calendar) == (beside == "amp", beside == "calendar")
    assert protection(found) == (shield or None)


@pytest.mark.parametrize("name, reason", rows(LEFT_ALONE))
def test_what_mail_programs_read_in_different_ways_is_left_alone(name: str, reason: str) -> None:
    found = scan(BROKEN[name])
    assert isinstance(found, Unreadable)
    assert found.reason == reason


def test_the_parts_of_every_mail_lie_inside_one_another() -> None:
    for data in MAILS.values():
        check_nesting(data, read(data).root, 0, len(data))


def test_the_table_of_broken_mails_is_complete() -> None:
    assert {row[0] for row in rows(LEFT_ALONE)} == set(BROKEN)
    assert all(isinstance(scan(data), Mail) for data in MAILS.values())
    assert len(MAILS) >= 60


def body(found: Mail, leaf: int) -> bytes:
    return found.data[found.leaves[leaf].body_start : found.leaves[leaf].body_end]


def test_the_newline_before_a_delimiter_belongs_to_the_delimiter() -> None:
    for newline in (CRLF, b"\n"):
        found = read(mail(multi("mixed", "b", part("text/plain", "one\n"), part("text/plain", "two")), newline=newline))
        assert body(found, 0) == b"one" + newline
        assert body(found, 1) == b"two"
        assert found.newline == newline


def test_almost_delimiters_are_text() -> None:
    almost = "--\n--c\n--bb\n--b-\n --b\nx--b\n---b\n--B\n"
    assert body(read(MAILS["lines that almost match"]), 0) == almost.replace("\n", "\r\n").encode()


def test_a_part_that_says_nothing_is_text_and_in_a_digest_a_mail() -> None:
    assert [leaf.content_type for leaf in read(MAILS["digest"]).leaves] == ["message/rfc822"] * 2
    (leaf,) = read(MAILS["plain without content type"]).leaves
    assert (leaf.content_type, leaf.charset, leaf.encoding) == ("text/plain", None, "7bit")


TYPES = """
    text/html                 | text/html
    TEXT/HTML (page)          | text/html
    text                      | text/plain
    text/                     | text/plain
    /html                     | text/plain
    text/html/more            | text/plain
    ;charset=utf-8            | text/plain
"""


@pytest.mark.parametrize("said, meant", rows(TYPES))
def test_a_content_type_that_is_none_is_text(said: str, meant: str) -> None:
    assert read(f"Content-Type: {said}\r\n\r\n".encode()).root.content_type == meant


def test_a_delimiter_with_a_colon_is_no_field() -> None:
    found = read(b'Content-Type: multipart/mixed; boundary="a:b"\n\n--a:b\nX: y\n--a:b\n\ntwo\n--a:b--\n')
    assert [len(leaf.headers) for leaf in found.leaves] == [1, 0]
    assert [body(found, 0), body(found, 1)] == [b"", b"two"]


def test_an_outer_delimiter_ends_what_is_open_inside() -> None:
    found = read(MAILS["inner never closed"])
    assert [leaf.path for leaf in found.leaves] == [("multipart/mixed", "multipart/alternative")] * 2 + [
        ("multipart/mixed",)
    ]


def test_an_attached_mail_is_one_part_whatever_it_holds() -> None:
    found = read(MAILS["forwarded mail"])
    assert [leaf.content_type for leaf in found.leaves] == ["text/plain", "message/rfc822"]
    assert b"forwarded" in body(found, 1)


def test_the_way_to_a_part_and_what_its_fields_say() -> None:
    found = read(MAILS["five levels"])
    page = found.leaves[1]
    assert page.path == ("multipart/mixed", "multipart/mixed", "multipart/related", "multipart/alternative")
    assert (page.content_type, page.charset, page.encoding, page.params) == (
        "text/html",
        "utf-8",
        "base64",
        {"charset": "utf-8"},
    )
    attached = found.leaves[2]
    assert (attached.disposition, attached.is_attachment) == ("attachment", True)
    header = read(MAILS["comment and case in fields"]).first("Content-Type")
    assert header is not None
    assert (header.name, header.lower) == ("CONTENT-TYPE", "content-type")


def test_fields_are_found_by_any_spelling_and_keep_their_bytes() -> None:
    data = b"Received: a\r\nSubject: long\r\n\tfolded \xe9\r\nRECEIVED:b\r\n\r\nbody"
    found = read(data)
    assert [header.text for header in found.headers("received")] == ["a", "b"]
    subject = found.first("SUBJECT")
    assert subject is not None
    assert subject.value == b" long\r\n\tfolded \xe9"
    assert data[subject.start : subject.end] == b"Subject: long\r\n\tfolded \xe9\r\n"
    assert unfold(subject.value) == " long\tfolded é"
    assert found.first("To") is None


PARAMETERS = """
    charset=utf-8                              | charset=utf-8
    CharSet = "UTF-8" ; x=y                    | charset=UTF-8, x=y
    name="a;b\\"c"                             | name=a;b"c
    name=a; name=b                             | name=a
    name*=utf-8''n%C3%B6te                     | name=nöte
    name*=iso-8859-1'en'n%F6te                 | name=nöte
    name*0="a b"; name*1=c; name*3=d           | name=a bc
    name*0=a; name*2=b; name*3=c               | name=a
    name*0*=utf-8''%C3%B6; name*1="%41"        | name=ö%41
    name*0*=utf-8''%C3%B6; name*1*=%41         | name=öA
    name="never closed                         | name=never closed
    ; ;; =x; y=                                | y=
    name*x=1; name*99999=2                     |
"""


@pytest.mark.parametrize("said, meant", rows(PARAMETERS))
def test_parameters(said: str, meant: str) -> None:
    data = b"Content-Type: text/plain; " + said.encode() + b"\r\n\r\n"
    params = read(data).root.params
    assert ", ".join(f"{name}={value}" for name, value in params.items()) == meant


DISPOSITIONS = """
    text/plain            | inline                          | no
    text/plain            | attachment                      | yes
    text/plain            | inline; filename=a.txt          | yes
    text/plain; name=a    | inline                          | yes
    text/plain            | inline; filename*0=a            | yes
    text/plain            | nobody-knows                    | yes
    text/plain            | INLINE                          | no
"""


@pytest.mark.parametrize("kind, disposition, attached", rows(DISPOSITIONS))
def test_attachments(kind: str, disposition: str, attached: str) -> None:
    data = f"Content-Type: {kind}\nContent-Disposition: {disposition}\n\n".encode()
    assert read(data).root.is_attachment == (attached == "yes")


def test_a_text_attachment_with_pgp_in_it_protects_nothing() -> None:
    key = part("text/plain", "-----BEGIN PGP PUBLIC KEY BLOCK-----", more="Content-Disposition: attachment")
    assert protection(read(mail(multi("mixed", "b", part("text/html", html()), key)))) is None


def test_pgp_far_down_in_a_text_protects_nothing() -> None:
    assert protection(read(mail(part("text/plain", "a\n" * 1000 + "-----BEGIN PGP MESSAGE-----")))) is None


# Limits of threat T32: the last mail that is read, and the first that is not.


def levels(count: int) -> bytes:
    inner = part("text/plain", "x")
    for level in range(count):
        inner = multi("mixed", f"b{level}", inner)
    return inner


def parts(count: int) -> bytes:
    return multi("mixed", "b", *[b"\r\n"] * (count - 1))


LIMITS = {
    "too_large": (lambda n: b"\r\n" + b"a" * (n - 2), 25 * 1024 * 1024),
    "too_many_parts": (parts, 1_000),
    "too_deep": (levels, 30),
    "header_too_long": (lambda n: b"A: b\r\n c" + b"a" * (n - 2) + b"\r\nB: c\r\n\r\n", 998),
    "too_many_headers": (lambda n: b"A: b\r\n" * n + b"\r\n", 500),
    "header_block_too_large": (lambda n: b"A:" + b"\r\n b" * ((n - 4) // 4) + b"\r\n" + b"\r\nbody", 64 * 1024),
}


@pytest.mark.parametrize("reason", LIMITS)
def test_each_limit_holds_exactly(reason: str) -> None:
    build, limit = LIMITS[reason]
    assert isinstance(scan(build(limit)), Mail)
    refused = scan(build(limit + (4 if reason == "header_block_too_large" else 1)))
    assert isinstance(refused, Unreadable)
    assert refused.reason == reason


def test_limits_hold_for_inner_parts_too() -> None:
    inner = b"A: " + b"a" * 999 + b"\r\n\r\n"
    refused = scan(mail(multi("mixed", "b", inner)))
    assert isinstance(refused, Unreadable)
    assert refused.reason == "header_too_long"


def test_a_thousand_nested_multiparts_and_the_mail_that_hangs_the_standard_library_end_at_once() -> None:
    assert isinstance(scan(levels(1000)), Unreadable)
    scan(b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n" + b"To: " + b"=?utf-8?q?=20?=" * 6 + b"\r\n" * 3)


# Properties.

PIECES = st.sampled_from(
    [
        *(
            f"{dashes}{b}{end}".encode()
            for dashes in ("--", "-")
            for b in ("a", "aa", "a b")
            for end in ("", "--", " ")
        ),
        *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"text", b"=\r\n", b"\0", b"\xff", b"Subject: x", b"boundary"),
        *(
            f'Content-Type: multipart/{kind}; boundary="{b}"'.encode()
            for kind in ("mixed", "digest")
            for b in ("a", "aa")
        ),
        b"Content-Type: text/html",
        b"Content-Type: message/rfc822",
        b"Content-Transfer-Encoding: base64",
    ]
)
HOSTILE = st.one_of(
    st.binary(max_size=200),
    st.lists(PIECES, max_size=40).map(b"".join),
    st.lists(PIECES, max_size=40).map(b"\r\n".join),
    st.lists(PIECES, max_size=40).map(b"\n".join),
)


def check_nesting(data: bytes, part: Part, start: int, end: int) -> int:
    assert start <= part.start <= part.header_end <= part.body_start <= part.body_end <= end
    assert b"".join(data[h.start : h.end] for h in part.headers) == data[part.start : part.header_end]
    assert data[part.header_end : part.body_start] in (b"", b"\n", b"\r\n")
    at = part.body_start
    for child in part.children:
        assert child.path == (*part.path, part.content_type)
        assert data[child.start - 1 : child.start] == b"\n" or child.start == len(data)
        at = check_nesting(data, child, at, part.body_end)
    return part.body_end


@given(HOSTILE)
def test_no_input_makes_it_raise_and_offsets_are_nested(data: bytes) -> None:
    found = scan(data)
    if isinstance(found, Mail):
        check_nesting(data, found.root, 0, len(data))
        assert [leaf for leaf in found.parts() if not leaf.content_type.startswith("multipart/")] == list(found.leaves)
        text_leaves(found)
        protection(found)
        for leaf in found.leaves:
            Leaf.of(found, leaf)


# The standard library as a second opinion, on mails that both of us can read.

PRIVATE_OPINION = {  # read otherwise by the standard library, and why
    "lone carriage returns in the body",  # it takes a lone CR for a line break
    "quoted-printable with stray signs",  # it keeps `= ` before a newline and makes one `=` of two
    "comment and case in fields",  # it takes the comment for a part of the type
    "no closing delimiter",  # it takes the last newline for one that belongs to the delimiter that is not there
    "broken base64",  # it throws away what is not base64
    "digest",  # it reads on inside attached mails, as it does for the next two
    "forwarded mail",
    "bounce",
    "unknown encoding",
}


def their_leaves(message: Message) -> list[Message]:
    return [one for one in message.walk() if not one.is_multipart() and one.get_content_maintype() != "multipart"]


@pytest.mark.parametrize("name", [name for name in MAILS if name not in PRIVATE_OPINION])
def test_the_standard_library_reads_the_same(name: str) -> None:
    found = read(MAILS[name])
    theirs = their_leaves(email.message_from_bytes(MAILS[name], policy=email.policy.compat32))
    assert len(found.leaves) == len(theirs)
    for ours, other in zip(found.leaves, theirs, strict=True):
        assert ours.content_type == other.get_content_type()
        assert ours.charset == other.get_content_charset()
        leaf = Leaf.of(found, ours)
        if isinstance(leaf, Leaf):
            assert leaf.encoded.text == other.get_payload(decode=True)
