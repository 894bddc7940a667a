"""Sealed columns open with the person's own key in their own place; proofs with the offline key alone."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from consent_track.crypto import sealing
from consent_track.crypto.keyring import Key, KeyState, Usage
from consent_track.crypto.sealing import SealBroken
from consent_track.domain.errors import KeyMisuse


def test_a_value_opens_in_its_own_place_only(key):
    data = sealing.new_data_key()
    sealed = sealing.seal(data, 1, 7, "subject", b"alice")
    assert sealing.unseal(data, 1, 7, "subject", sealed) == b"alice"
    stranger = sealing.new_data_key()
    places = ((data, 2, 7, "subject"), (data, 1, 8, "subject"), (data, 1, 7, "event:1"), (stranger, 1, 7, "subject"))
    for wrong in places:
        with pytest.raises(SealBroken):
            sealing.unseal(*wrong, sealed)


def test_a_wrapped_key_needs_its_epoch(key):
    data = sealing.new_data_key()
    wrapped = sealing.wrap(key(Usage.EPOCH, 1), 1, 7, data)
    assert sealing.unwrap(key(Usage.EPOCH, 1), 1, 7, wrapped) == data
    for epoch, controller, reference in ((2, 1, 7), (1, 2, 7), (1, 1, 8)):
        with pytest.raises(SealBroken):
            sealing.unwrap(key(Usage.EPOCH, epoch), controller, reference, wrapped)


def test_lookups_and_tags_differ_by_controller_use_and_key(key):
    address = "alice@example.org"
    found = {
        sealing.address_lookup(key(Usage.EPOCH, 1), 1, address),
        sealing.address_lookup(key(Usage.EPOCH, 1), 2, address),
        sealing.address_lookup(key(Usage.EPOCH, 2), 1, address),
        sealing.suppression_tag(key(Usage.SUPPRESSION), 1, address),
        sealing.proof_tag(key(Usage.PROOF_INDEX), 1, address),
    }
    assert len(found) == 5


@pytest.mark.law("SE-01")
def test_a_key_for_one_tag_does_not_make_another(key):
    with pytest.raises(KeyMisuse):
        sealing.suppression_tag(key(Usage.PROOF_INDEX), 1, "alice@example.org")
    with pytest.raises(KeyMisuse):
        sealing.wrap(key(Usage.TOKEN), 1, 7, bytes(64))


def test_a_proof_opens_with_the_offline_key_and_no_other():
    private = X25519PrivateKey.generate()
    public = Key(Usage.ESCROW_PUBLIC, 1, KeyState.ACTIVE, private.public_key().public_bytes_raw(), 1)
    sealed = sealing.seal_to_escrow(public, 1, b"t" * 32, b"proof")
    assert sealing.open_escrow(private.private_bytes_raw(), 1, b"t" * 32, sealed) == b"proof"
    for secret, controller, tag in (
        (X25519PrivateKey.generate().private_bytes_raw(), 1, b"t" * 32),
        (private.private_bytes_raw(), 2, b"t" * 32),
        (private.private_bytes_raw(), 1, b"u" * 32),
    ):
        with pytest.raises(SealBroken):
            sealing.open_escrow(secret, controller, tag, sealed)
