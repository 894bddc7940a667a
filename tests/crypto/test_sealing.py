"""Sealed columns open with the person's own key in their own place; proofs with the offline key alone."""

import hashlib

import by_the_book
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from fixed_keys import fixed
from hypothesis import given
from hypothesis import strategies as st

from consent_track.crypto import evidence, sealing
from consent_track.crypto.keyring import Key, KeyState, Usage
from consent_track.crypto.sealing import SealBroken
from consent_track.crypto.tokens import Tokens
from consent_track.domain.errors import ConsentTrackError, KeyMisuse

ALICE, BOB, ACME, BOLT = 7, 8, 1, 2
ADDRESS = "alice@example.org"
EPOCH = fixed(Usage.EPOCH, 1)
DATA = hashlib.sha512(b"alice's data key").digest()


class TestFrozen:
    """What lies sealed in databases and proofs has to open with every later release."""

    def test_a_wrapped_data_key(self):
        wrapped = sealing.wrap(EPOCH, ACME, ALICE, DATA)
        wide = by_the_book.hkdf(EPOCH.secret, b"consent_track wrap v1", 64)
        whose = b"\0\1" + (7).to_bytes(8, "big")
        assert wrapped == AESSIV(wide).encrypt(DATA, [b"data key", whose])
        assert wrapped.hex()[:32] == "713d3049335ab6c53b7e2a2bd61ef750"

    def test_a_sealed_value(self):
        whose = b"\0\1" + (7).to_bytes(8, "big")
        sealed = sealing.seal(DATA, ACME, ALICE, "subject", b"alice")
        assert sealed == AESSIV(DATA).encrypt(b"alice", [b"subject", whose])
        assert sealed.hex() == "c2f278fcd74a511995fb67a8692917f050f13597fc"

    def test_the_tags_of_an_address(self):
        found = {
            "lookup": sealing.address_lookup(EPOCH, ACME, ADDRESS).hex(),
            "suppression": sealing.suppression_tag(fixed(Usage.SUPPRESSION), ACME, ADDRESS).hex(),
            "proof": sealing.proof_tag(fixed(Usage.PROOF_INDEX), ACME, ADDRESS).hex(),
        }
        assert found == {
            "lookup": "f1c8a1e2704cfe56aafa99b0c2d063ed14b832e37f0cac69f47f246c9c7cf22a",
            "suppression": "0f2e7ab58e1909343cf67ffeaf5d0c53a03bcb4602882cded9794b2ee7ef8825",
            "proof": "4345bfba4b246329d81a40cf5357e7cdaa6b41b2d04e26376146b3260acd0840",
        }

    def test_an_escrowed_proof(self):
        private = hashlib.sha256(b"offline").digest()
        sealed = bytes.fromhex(
            "bc66ea567610c76e745765a371fd05569c574944a946b7a55d1fd21996995632"
            "d5d1e7f170ea6332d99fc177c035e2156b64c4cbcb302486a5976b40f256"
        )
        assert sealing.open_escrow(private, ACME, b"t" * 32, sealed) == b"Alice said yes"


def test_a_value_opens_in_its_own_place_only():
    sealed = sealing.seal(DATA, ACME, ALICE, "subject", b"alice")
    assert sealing.unseal(DATA, ACME, ALICE, "subject", sealed) == b"alice"
    for wrong in (
        (DATA, BOLT, ALICE, "subject"),
        (DATA, ACME, BOB, "subject"),
        (DATA, ACME, ALICE, "event:1"),
        (sealing.new_data_key(), ACME, ALICE, "subject"),
        (DATA[:32], ACME, ALICE, "subject"),
        (b"", ACME, ALICE, "subject"),
    ):
        with pytest.raises(SealBroken):
            sealing.unseal(*wrong, sealed)


@given(st.binary(max_size=200), st.text(max_size=20), st.integers(1, 65_535), st.integers(0, 2**63 - 1))
def test_what_is_sealed_is_what_is_opened(plaintext, label, controller, reference):
    sealed = sealing.seal(DATA, controller, reference, label, plaintext)
    assert sealing.unseal(DATA, controller, reference, label, sealed) == plaintext
    if len(plaintext) >= 8:
        assert plaintext not in sealed


def test_no_changed_octet_opens():
    sealed = sealing.seal(DATA, ACME, ALICE, "subject", b"alice")
    wrapped = sealing.wrap(EPOCH, ACME, ALICE, DATA)
    for place in range(len(wrapped)):
        if place < len(sealed):
            with pytest.raises(SealBroken):
                sealing.unseal(DATA, ACME, ALICE, "subject", _flipped(sealed, place))
        with pytest.raises(SealBroken):
            sealing.unwrap(EPOCH, ACME, ALICE, _flipped(wrapped, place))
    for shorter in (b"", sealed[:15], sealed[:16], sealed[:-1], sealed + b"\0"):
        with pytest.raises(SealBroken):
            sealing.unseal(DATA, ACME, ALICE, "subject", shorter)


def _flipped(octets, place):
    return octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]


def test_a_wrapped_key_needs_its_epoch_and_its_person():
    wrapped = sealing.wrap(EPOCH, ACME, ALICE, DATA)
    assert sealing.unwrap(EPOCH, ACME, ALICE, wrapped) == DATA
    for epoch, controller, reference in ((2, ACME, ALICE), (1, BOLT, ALICE), (1, ACME, BOB)):
        with pytest.raises(SealBroken):
            sealing.unwrap(fixed(Usage.EPOCH, epoch), controller, reference, wrapped)


def test_data_keys_are_random_and_as_long_as_the_cipher_takes():
    keys = {sealing.new_data_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {64}


def test_lookups_and_tags_differ_by_controller_use_and_key():
    found = {
        make(key, controller, ADDRESS)
        for make, usage in (
            (sealing.address_lookup, Usage.EPOCH),
            (sealing.suppression_tag, Usage.SUPPRESSION),
            (sealing.proof_tag, Usage.PROOF_INDEX),
        )
        for key in (fixed(usage, 1), fixed(usage, 2))
        for controller in (ACME, BOLT)
    }
    assert len(found) == 12
    assert {len(tag) for tag in found} == {32}


def test_the_same_octets_make_unlike_values_for_two_uses():
    """Were one secret put under two labels, the look-up still could not be compared with a tag."""
    secret = EPOCH.secret
    suppression = Key(Usage.SUPPRESSION, 1, KeyState.ACTIVE, secret, 1)
    assert sealing.address_lookup(EPOCH, ACME, ADDRESS) != sealing.suppression_tag(suppression, ACME, ADDRESS)


@pytest.mark.law("TI-03")
def test_a_stored_look_up_is_no_hash_that_a_list_of_addresses_could_undo():
    lookup = sealing.address_lookup(EPOCH, ACME, ADDRESS)
    for name in ("md5", "sha1", "sha256"):
        for text in (ADDRESS, f"{ACME}{ADDRESS}", f"\0\1{ADDRESS}"):
            assert not lookup.startswith(hashlib.new(name, text.encode()).digest())


WORK = {
    Usage.TOKEN: lambda key: Tokens([key]),
    Usage.EPOCH: lambda key: sealing.wrap(key, ACME, ALICE, DATA),
    Usage.SUPPRESSION: lambda key: sealing.suppression_tag(key, ACME, ADDRESS),
    Usage.PROOF_INDEX: lambda key: sealing.proof_tag(key, ACME, ADDRESS),
    Usage.LEDGER: lambda key: evidence.sign_head(key, ACME, 1, bytes(32)),
    Usage.ESCROW_PUBLIC: lambda key: sealing.seal_to_escrow(key, ACME, bytes(32), b"proof"),
}


@pytest.mark.law("SE-01")
@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("usage", Usage)
def test_each_work_takes_its_own_key_and_no_other(work, usage):
    key = fixed(usage)
    if usage is work:
        assert WORK[work](key)
    else:
        with pytest.raises(KeyMisuse):
            WORK[work](key)


@pytest.mark.law("SE-01")
@pytest.mark.parametrize("usage", [usage for usage in Usage if usage is not Usage.EPOCH])
def test_only_an_epoch_unwraps_and_looks_up(usage):
    wrapped = sealing.wrap(EPOCH, ACME, ALICE, DATA)
    for wrong in (
        lambda: sealing.unwrap(fixed(usage), ACME, ALICE, wrapped),
        lambda: sealing.address_lookup(fixed(usage), ACME, ADDRESS),
    ):
        with pytest.raises(KeyMisuse):
            wrong()


class TestEscrow:
    private = X25519PrivateKey.generate()
    public = Key(Usage.ESCROW_PUBLIC, 1, KeyState.ACTIVE, private.public_key().public_bytes_raw(), 1)
    tag = b"t" * 32

    def test_a_proof_opens_with_the_offline_key_in_its_own_place_only(self):
        sealed = sealing.seal_to_escrow(self.public, ACME, self.tag, b"proof")
        private = self.private.private_bytes_raw()
        assert sealing.open_escrow(private, ACME, self.tag, sealed) == b"proof"
        for secret, controller, tag in (
            (X25519PrivateKey.generate().private_bytes_raw(), ACME, self.tag),
            (private, BOLT, self.tag),
            (private, ACME, b"u" * 32),
            (private[:31], ACME, self.tag),
        ):
            with pytest.raises(SealBroken):
                sealing.open_escrow(secret, controller, tag, sealed)

    def test_no_changed_or_missing_octet_opens(self):
        sealed = sealing.seal_to_escrow(self.public, ACME, self.tag, b"proof")
        spoiled = [_flipped(sealed, place) for place in range(len(sealed))]
        spoiled += [sealed[:length] for length in range(len(sealed))]
        for octets in spoiled:
            with pytest.raises(SealBroken):
                sealing.open_escrow(self.private.private_bytes_raw(), ACME, self.tag, octets)

    def test_the_same_proof_is_never_sealed_to_the_same_octets(self):
        assert len({sealing.seal_to_escrow(self.public, ACME, self.tag, b"proof") for _ in range(20)}) == 20

    def test_the_public_half_opens_nothing(self):
        sealed = sealing.seal_to_escrow(self.public, ACME, self.tag, b"proof")
        with pytest.raises(SealBroken):
            sealing.open_escrow(self.public.secret, ACME, self.tag, sealed)


def test_a_broken_seal_tells_nothing():
    with pytest.raises(ConsentTrackError) as broken:
        sealing.unseal(DATA, ACME, BOB, "subject", sealing.seal(DATA, ACME, ALICE, "subject", b"alice"))
    assert str(broken.value) == ""
    assert broken.value.__cause__ is None
