"""Files as they really are: every dialect is read alike, and whatever cannot be read is named by its line."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.domain.errors import InputRefused
from consent_track.exports.records import look_through

PEOPLE = [
    {"email": "alice@example.org", "note": "says: yes, thanks"},
    {"email": "bob@example.org", "note": "wrote\ntwo lines"},
    {"email": "zoë@example.org", "note": 'said "no"'},
]


def read(path, **how):
    return list(look_through(path, **how).records())


@pytest.fixture
def file(tmp_path):
    def write(content, name="list.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def lines(*written):
    return "\n".join(written) + "\n"


COMMAS = lines(
    "email,note",
    'alice@example.org,"says: yes, thanks"',
    'bob@example.org,"wrote\ntwo lines"',
    'zoë@example.org,"said ""no"""',
)
SEMICOLONS = lines(
    "email;note",
    "alice@example.org;says: yes, thanks",
    'bob@example.org;"wrote\ntwo lines"',
    'zoë@example.org;"said ""no"""',
)
SINGLE_QUOTES = lines(
    "'email','note'",
    "'alice@example.org','says: yes, thanks'",
    "'bob@example.org','wrote\ntwo lines'",
    "'zoë@example.org','said \"no\"'",
)
BACKSLASHES = lines(
    '"email","note"',
    '"alice@example.org","says: yes, thanks"',
    '"bob@example.org","wrote\ntwo lines"',
    r'"zoë@example.org","said \"no\""',
)
ARRAY = lines(
    '[{"email": "alice@example.org", "note": "says: yes, thanks"},',
    r' {"email": "bob@example.org", "note": "wrote\ntwo lines"},',
    r' {"email": "zo\u00eb@example.org", "note": "said \"no\""}]',
)
OBJECTS = lines(
    '{"email": "alice@example.org", "note": "says: yes, thanks"}',
    r'{"email": "bob@example.org", "note": "wrote\ntwo lines"}',
    "",
    r'{"email": "zo\u00eb@example.org", "note": "said \"no\""}',
)
DIALECTS = {
    "commas": COMMAS,
    "a byte order mark": "\ufeff" + COMMAS,
    "lines as on Windows": COMMAS.replace("\n", "\r\n").replace("wrote\r\ntwo", "wrote\ntwo"),
    "spaces after commas": COMMAS.replace(",", ", ").replace("yes,  ", "yes, "),
    "semicolons": SEMICOLONS,
    "semicolons, as a spreadsheet says": "sep=;\n" + SEMICOLONS,
    "tabs": SEMICOLONS.replace(";", "\t"),
    "bars": SEMICOLONS.replace(";", "|"),
    "single quotes": SINGLE_QUOTES,
    "backslashes": BACKSLASHES,
    "empty lines, no last end": "\n\n" + COMMAS.replace("note\n", "note\n\n").rstrip("\n"),
    "an array": ARRAY,
    "one object a line": OBJECTS.rstrip("\n"),
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "utf-8-sig"])
def test_every_dialect_says_the_same(file, name, encoding):
    path = file(DIALECTS[name].encode(encoding))
    assert [dict(fields) for _, fields in read(path, encoding=encoding)] == PEOPLE


def test_other_encodings_are_read_when_they_are_named(file):
    path = file(COMMAS.encode("cp1252"))
    assert [fields["email"] for _, fields in read(path, encoding="windows-1252")][2] == "zoë@example.org"


def test_a_record_has_the_number_of_the_line_it_begins_at(file):
    assert [line for line, _ in read(file(COMMAS))] == [2, 3, 5]
    assert [line for line, _ in read(file("sep=,\n" + COMMAS))] == [3, 4, 6]
    assert [line for line, _ in read(file(ARRAY))] == [1, 2, 3]
    assert [line for line, _ in read(file(OBJECTS))] == [1, 2, 4]


def test_old_lines_end_with_a_return_only(file):
    assert [line for line, _ in read(file("email,note\ra@example.org,x\rb@example.org,y\r"))] == [2, 3]


def test_a_column_that_is_there_twice_says_what_either_says(file):
    [(_, fields)] = read(file("email,reason,reason\nbob@example.org,,spam\n"))
    assert fields["reason"] == "spam"


BAD = {
    b"email,note\nalice@example.org,x\nbob@ex\xffample.org,y\n": "line 3 is not utf-8",
    b"email\n" + b"a@example.org\n" * 90_000 + b"\xe9@example.org\n": "line 90002 is not utf-8",
    b"email\r" + b"a@example.org\r" * 9 + b"\xe9@example.org\r": "line 11 is not utf-8",
    "email\nalice@example.org\n".encode("utf-16"): "line 1 is not utf-8",
    b"": "is empty",
    b"\n \n": "is empty",
    b"email,note\nalice@example.org,x\nbob@example.org\n": "line 3 has 1 cells, and there are 2 columns",
    b"email,note\nalice@example.org,x\n\nbob@example.org,y,z\n": "line 4 has 3 cells, and there are 2 columns",
    b'email,note\nalice@example.org,"x\nbob@example.org,unsubscribed\n': "line 2: a quote is not closed",
    b'email,note\nalice@example.org,"x" y\n': "line 2: the quotes are not in order",
    b'email,note\na@example.org,"' + b"x" * 140_000 + b'"\n': "line 2: a cell is longer",
    b'[{"email": "a@example.org"}': "line 1: ']' is missing",
    b'[{"email": "a@example.org"}\n{"email": "b@example.org"}]': "line 2: ',' is missing",
    b'[{"email": "a@example.org"},\n]': "line 2: an object is missing",
    b'[{"email": "a@example.org"}]\n[]': "line 2: there is more after the end",
    b'{"email": "a@example.org"}\n{"email": "b@example.org", }\n': "line 2: this is no JSON",
    b'{"email": "a@example.org"}\n{"status": "no",\n"status": "yes"}\n': "line 2: a name is said twice",
    b'{"email": "a@example.org"}\n["b@example.org"]\n': "line 2: an object is missing",
    b'{"email": ' + b"[" * 100_000: "line 1",
    b'{"email": 1' + b"0" * 5_000 + b"}": "line 1: a value is too large, or too deep",
    b'{"email": "' + b"x" * 1_200_000 + b'"}': "line 1: this is no JSON, or longer",
}


@pytest.mark.parametrize("content", BAD, ids=BAD.values())
def test_what_cannot_be_read_is_named_by_its_line(file, content):
    with pytest.raises(InputRefused) as refused:
        look_through(file(content))
    [problem] = refused.value.problems
    assert problem.where == "file"
    assert BAD[content] in problem.what
    assert "@" not in problem.what, "no address of anybody"


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", "hex"])
def test_what_is_no_encoding_is_refused(file, encoding):
    with pytest.raises(InputRefused, match="--encoding"):
        look_through(file(COMMAS), encoding)


@given(some.binary(max_size=200) | some.text(alphabet="a@.,;\"\n\r\\'{}[]:", max_size=80).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_no_file_breaks_the_reading(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(content)
    with contextlib.suppress(InputRefused):
        read(path)
