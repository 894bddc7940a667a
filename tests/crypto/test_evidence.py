"""The chain: whoever changes, drops, moves or adds an event is found with the public key alone."""

import hashlib
import struct
from dataclasses import fields, replace

import pytest
from chain_of_eight import CHAIN, KEY, PUBLIC, chain, head_of
from fixed_keys import fixed

from consent_track.crypto import evidence
from consent_track.crypto.evidence import LedgerEntry, first_break
from consent_track.crypto.keyring import Usage
from consent_track.domain.errors import KeyMisuse

LENGTH = len(CHAIN)


def test_the_untouched_chain_is_whole():
    assert first_break(CHAIN, PUBLIC) is None
    assert first_break(CHAIN, PUBLIC, upto=[head_of(CHAIN)]) is None
    assert first_break([], PUBLIC) is None


class TestFrozen:
    """An export is verified by other people's programs, years later."""

    def test_the_hash_of_an_entry(self):
        entry = LedgerEntry(1, 2, 3, 4, b"sealed", b"", b"tag")
        octets = b"consent_track ledger entry v1" + bytes(32) + struct.pack(">HQQQ", 1, 2, 3, 4)
        octets += b"\0\0\0\6sealed" + b"\0\0\0\0" + b"\0\0\0\3tag"
        assert evidence.entry_hash(evidence.GENESIS, entry) == hashlib.sha256(octets).digest()
        assert CHAIN[-1][1].hex() == "93a1cd913a67fdc1555ab2eeae4dd3a9e40aa9bfb04971d57a30a80a8ed9e199"

    def test_the_signature_of_a_head(self):
        assert PUBLIC.hex() == "0f8ddb97fa5fdadaefb010fc955227f59d65cecef1699fec91552d19906d8cea"
        assert CHAIN[-1][2].hex() == (
            "71f9009d3509ca221b4cfe40740be4a48e94b6ebd52bea09a6cd5d50b7b3a249"
            "ad655fcce5247f15715b76fce005d11463a7f04c2663c5ea18d72b8a82e10a03"
        )

    def test_the_fields_of_an_entry_are_these(self):
        """A field that were not hashed could be changed at will; a new one is a new version of the hash."""
        names = [field.name for field in fields(LedgerEntry)]
        assert names == ["controller", "sequence", "subject", "recorded_at", "sealed", "proof", "proof_tag"]


def changes(entry, hash_, signature):
    """Every bit of every number and every octet of every value of one event, changed by itself."""
    for name, bits in (("controller", 16), ("sequence", 63), ("subject", 63), ("recorded_at", 40)):
        for bit in range(bits):
            yield replace(entry, **{name: getattr(entry, name) ^ (1 << bit)}), hash_, signature
    for name in ("sealed", "proof", "proof_tag"):
        value = getattr(entry, name)
        for place in range(len(value)):
            yield replace(entry, **{name: flipped(value, place)}), hash_, signature
        for other in (value[:-1], value + b"\0", b""):
            yield replace(entry, **{name: other}), hash_, signature
    for place in range(len(hash_)):
        yield entry, flipped(hash_, place), signature
    for place in range(len(signature)):
        yield entry, hash_, flipped(signature, place)
    for other in (signature[:-1], signature + b"\0", b""):
        yield entry, hash_, other


def flipped(octets, place):
    return octets[:place] + bytes([octets[place] ^ 0x01]) + octets[place + 1 :]


@pytest.mark.parametrize("at", [1, 4, LENGTH])
def test_any_changed_octet_is_found_where_it_was_changed(at):
    spoiled = list(changes(*CHAIN[at - 1]))
    assert len(spoiled) > 350
    for changed in spoiled:
        assert changed != CHAIN[at - 1]
        assert first_break([*CHAIN[: at - 1], changed, *CHAIN[at:]], PUBLIC) == at, changed


def test_octets_cannot_move_from_one_field_to_the_next():
    entry, hash_, signature = CHAIN[3]
    for moved in (
        replace(entry, sealed=entry.sealed[:-1], proof=entry.sealed[-1:] + entry.proof),
        replace(entry, sealed=entry.sealed + entry.proof, proof=b""),
        replace(entry, proof=entry.proof + entry.proof_tag, proof_tag=b""),
    ):
        assert first_break([*CHAIN[:3], (moved, hash_, signature), *CHAIN[4:]], PUBLIC) == 4


@pytest.mark.parametrize("at", range(1, LENGTH + 1))
def test_a_rearranged_chain_breaks_where_it_was_rearranged(at):
    before, one, after = CHAIN[: at - 1], CHAIN[at - 1], CHAIN[at:]
    assert first_break([*before, one, one, *after], PUBLIC) == at + 1, "doubled"
    # What the key once signed as a first event is a beginning by itself; then what follows is what breaks.
    other = chain(salt="other")[at - 1]
    assert first_break([*before, other, one, *after], PUBLIC) == max(at, 2), "inserted"
    if after:
        assert first_break([*before, *after], PUBLIC) == at, "deleted"
        assert first_break([*before, after[0], one, *after[1:]], PUBLIC) == at, "swapped"


@pytest.mark.parametrize("kept", range(LENGTH))
def test_a_chain_that_was_cut_short_is_found_by_a_head_that_was_kept(kept):
    assert first_break(CHAIN[:kept], PUBLIC) is None, "by itself it looks whole: hence the head"
    assert first_break(CHAIN[:kept], PUBLIC, upto=[head_of(CHAIN)]) == kept + 1


def test_a_chain_may_go_on_behind_the_head_that_was_kept():
    for place in range(LENGTH):
        assert first_break(CHAIN, PUBLIC, upto=[head_of(CHAIN, place)]) is None


def test_a_chain_written_anew_does_not_pass_through_the_head_that_was_kept():
    """Whoever has the private key can write another whole chain; not one that leads to a head somebody else keeps."""
    anew = chain(salt="anew")
    assert first_break(anew, PUBLIC) is None
    assert first_break(anew, PUBLIC, upto=[head_of(CHAIN, 4)]) == 5


def test_a_head_that_is_not_signed_proves_nothing_and_is_refused():
    head = head_of(CHAIN)
    for forged in (
        replace(head, sequence=3),
        replace(head, controller=2),
        replace(head, hash=bytes(32)),
        replace(head, signature=bytes(64)),
    ):
        with pytest.raises(ValueError, match="not signed"):
            first_break(CHAIN, PUBLIC, upto=[forged])


def test_one_controllers_chain_does_not_pass_for_anothers():
    other = chain(controller=2)
    assert first_break(other, PUBLIC) is None
    assert first_break([*CHAIN[:3], *other[3:]], PUBLIC) == 4
    assert first_break(other, PUBLIC, upto=[head_of(CHAIN)]) == 1


def test_a_rewritten_end_needs_the_private_key():
    entry = replace(CHAIN[-1][0], subject=99)
    forged = evidence.entry_hash(CHAIN[-2][1], entry)
    assert first_break([*CHAIN[:-1], (entry, forged, CHAIN[-1][2])], PUBLIC) == LENGTH
    stranger = evidence.sign_head(fixed(Usage.LEDGER, 2), 1, LENGTH, forged)
    assert first_break([*CHAIN[:-1], (entry, forged, stranger)], PUBLIC) == LENGTH


def test_a_signature_is_for_one_controller_one_place_and_one_hash():
    hash_, signature = CHAIN[-1][1:]
    assert evidence.verify_head(PUBLIC, 1, LENGTH, hash_, signature)
    for controller, sequence, other in ((2, LENGTH, hash_), (1, LENGTH - 1, hash_), (1, LENGTH, CHAIN[-2][1])):
        assert not evidence.verify_head(PUBLIC, controller, sequence, other, signature)


@pytest.mark.law("SE-01")
@pytest.mark.parametrize("usage", [usage for usage in Usage if usage is not Usage.LEDGER])
def test_another_key_signs_nothing(usage):
    with pytest.raises(KeyMisuse):
        evidence.sign_head(replace(KEY, usage=usage), 1, 1, bytes(32))
