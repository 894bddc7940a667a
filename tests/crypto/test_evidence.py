"""The chain: whoever changes, drops, moves or adds an event is found with the public key alone."""

from dataclasses import replace

import pytest
from chain_of_eight import CHAIN, PUBLIC

from consent_track.crypto import evidence


def test_the_untouched_chain_is_whole():
    assert evidence.first_break(CHAIN, PUBLIC) is None


FIELDS = ("controller", "sequence", "subject", "recorded_at", "sealed", "proof", "proof_tag")


@pytest.mark.parametrize("field", FIELDS)
def test_any_changed_field_breaks_it_where_it_was_changed(field):
    entry, hash_, signature = CHAIN[3]
    value = getattr(entry, field)
    changed = replace(entry, **{field: value + b"x" if isinstance(value, bytes) else value + 1})
    assert evidence.first_break([*CHAIN[:3], (changed, hash_, signature), *CHAIN[4:]], PUBLIC) == 4


def test_octets_cannot_move_from_one_field_to_the_next():
    entry, hash_, signature = CHAIN[3]
    moved = replace(entry, sealed=entry.sealed[:-1], proof=entry.sealed[-1:] + entry.proof)
    assert evidence.first_break([*CHAIN[:3], (moved, hash_, signature), *CHAIN[4:]], PUBLIC) == 4


@pytest.mark.parametrize(
    ("how", "chain", "at"),
    [
        ("deleted", [*CHAIN[:2], *CHAIN[3:]], 3),
        ("first deleted", CHAIN[1:], 1),
        ("reordered", [*CHAIN[:2], CHAIN[3], CHAIN[2], *CHAIN[4:]], 3),
        ("inserted", [*CHAIN[:2], CHAIN[1], *CHAIN[2:]], 3),
    ],
)
def test_a_rearranged_chain_breaks(how, chain, at):
    assert evidence.first_break(chain, PUBLIC) == at, how


def test_a_rewritten_chain_needs_the_private_key():
    entry = replace(CHAIN[-1][0], subject=99)
    forged = evidence.entry_hash(CHAIN[-2][1], entry)
    assert evidence.first_break([*CHAIN[:-1], (entry, forged, CHAIN[-1][2])], PUBLIC) == len(CHAIN)


def test_a_truncated_chain_does_not_reach_a_head_that_was_kept_elsewhere():
    last, hash_, signature = CHAIN[-1]
    assert evidence.verify_head(PUBLIC, 1, last.sequence, hash_, signature)
    shorter = CHAIN[-2]
    assert not evidence.verify_head(PUBLIC, 1, last.sequence, shorter[1], signature)
