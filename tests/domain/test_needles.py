"""In whatever form an address was left behind, one of its needles finds it."""

import base64
import quopri
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from consent_track.domain.needles import needles_of
from consent_track.residue import forms_in

ADDRESS = "alice+news@xn--bcher-kva.example"
WRAPPED = {
    "raw": ADDRESS.encode(),
    "upper": ADDRESS.upper().encode(),
    "percent": quote(ADDRESS, safe="").encode(),
    "unicode domain": "alice+news@bücher.example".encode(),
    "plus stripped": b"alice@xn--bcher-kva.example",
    "utf-16": ADDRESS.encode("utf-16-le"),
    "hex": ADDRESS.encode().hex().upper().encode(),
    "html": ADDRESS.replace("@", "&#64;").encode(),
    "quoted-printable": quopri.encodestring("alice+news@bücher.example".encode()),
}


@pytest.mark.parametrize("form", WRAPPED)
def test_every_form_is_found(form):
    assert forms_in(b"before " + WRAPPED[form] + b" behind", needles_of(ADDRESS))


@given(
    some.binary(max_size=40), some.binary(max_size=40), some.sampled_from([base64.b64encode, base64.urlsafe_b64encode])
)
def test_base64_is_found_at_every_alignment(before, behind, encode):
    assert forms_in(encode(before + ADDRESS.encode() + behind), needles_of(ADDRESS))


@given(some.binary(max_size=4_000))
def test_nothing_is_found_where_nothing_is(octets):
    assert not forms_in(octets, needles_of(ADDRESS))
