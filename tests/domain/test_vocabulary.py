"""Numbers and words that stand in tokens, spools and tables for years: pinned. Append, never renumber."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from consent_track.domain.vocabulary import (
    EXEMPT_MODES,
    INDIVIDUAL,
    MAIL_TYPES,
    PURPOSE_BITS,
    RESERVED,
    UNKNOWN_JURISDICTION,
    Grade,
    HitKind,
    MailType,
    Purpose,
    TokenClass,
    from_bits,
    is_jurisdiction,
    pack_jurisdiction,
    to_bits,
    unpack_jurisdiction,
)
from tests.domain.people import rows

BITS = """
    auth_security              1  exempt
    deliverability_hygiene     2  exempt
    legal_notice_receipt       4  exempt
    aggregate_count            8  exempt
    open_performance          16  individual
    click_performance         32  individual
    personalisation           64  individual
    sales_followup           128  individual
    cross_channel_profile    256  reserved
    crm_attribution          512  reserved
    fraud_analysis          1024  reserved
    frequency_adaptation    2048  reserved
    geo                     4096  reserved
"""


def test_the_bits_of_the_purposes_are_frozen():
    kinds = {"exempt": EXEMPT_MODES, "individual": INDIVIDUAL, "reserved": RESERVED}
    drawn = [
        (purpose.value, str(bit), next(kind for kind, members in kinds.items() if purpose in members))
        for purpose, bit in PURPOSE_BITS.items()
    ]
    assert drawn == rows(BITS)


def test_the_numbers_of_mail_types_hits_and_token_classes_are_frozen():
    assert {number: mail_type.value for number, mail_type in MAIL_TYPES.items()} == {
        1: "authentication",
        2: "transactional",
        3: "legally_required",
        4: "requested_newsletter",
        5: "soft_opt_in",
        6: "b2b_prospecting",
        7: "consent_request",
    }
    assert {kind.name: kind.value for kind in HitKind} == {"OPEN": 1, "CLICK": 2}
    assert {one.value for one in TokenClass} == {"open", "click", "preference", "unsubscribe", "verification"}
    assert all(mail_type.number in MAIL_TYPES for mail_type in MailType)


def test_grades_of_evidence_stand_from_weakest_to_best():
    ranked = [grade.value for grade in sorted(Grade, key=lambda grade: grade.rank)]
    assert ranked == "imported message_link operator paper authenticated_account mailbox_loop".split()


@given(some.sets(some.sampled_from(Purpose)))
def test_bits_say_exactly_the_purposes(purposes):
    assert from_bits(to_bits(purposes)) == purposes


@given(some.integers(0, 2**32 - 1))
def test_a_bit_nobody_knows_is_dropped(bits):
    known = from_bits(bits)
    assert to_bits(known) == bits & to_bits(set(Purpose))


CODES = """
    FR        46 52 00 00 00
    US-CA     55 53 43 41 00
    US-OTHER  55 53 2a 00 00
    CA-QC     43 41 51 43 00
    GB-ENG    47 42 45 4e 47
    ES-M      45 53 4d 00 00
    ZZ        5a 5a 00 00 00
    NO        4e 4f 00 00 00
"""


@pytest.mark.parametrize(("code", "octets"), rows(CODES))
def test_the_octets_of_a_jurisdiction_are_frozen(code, octets):
    assert pack_jurisdiction(code) == bytes.fromhex(octets)
    assert unpack_jurisdiction(bytes.fromhex(octets)) == code


@given(some.from_regex(r"[A-Z]{2}(-([A-Z0-9]{1,3}|OTHER))?", fullmatch=True))
def test_every_code_survives_its_octets(code):
    octets = pack_jurisdiction(code)
    assert len(octets) == 5
    assert unpack_jurisdiction(octets) == code


@given(some.binary(min_size=5, max_size=5))
def test_any_five_octets_are_a_jurisdiction_or_the_strictest(octets):
    code = unpack_jurisdiction(octets)
    assert is_jurisdiction(code)
    assert code == UNKNOWN_JURISDICTION or pack_jurisdiction(code) == octets


@pytest.mark.parametrize("text", ["", "fr", "FRA", "F", "FR-", "FR-ABCD", "US-other", "FR\n", "F1", "ÉE", "FR CA"])
def test_what_is_no_code_is_refused(text):
    assert not is_jurisdiction(text)
    with pytest.raises(ValueError, match="jurisdiction"):
        pack_jurisdiction(text)
