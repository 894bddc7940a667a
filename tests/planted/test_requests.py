"""Planted: thirty days for a month, a guard that looks at the name only, and a rotation that leaves the old key."""

import sys
from pathlib import Path

import pytest

from consent_track.activities import rotating
from consent_track.crm import transport
from consent_track.crypto import keyring as keyrings
from consent_track.domain import deadlines
from consent_track.domain.deadlines import Span, Unit
from tests import world

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import requests_verify


def test_thirty_days_for_a_month_are_found_by_the_table(monkeypatch):
    assert requests_verify.wrong_dates() == 0
    honest = deadlines.due

    def careless(since, span, zone, working, rollover=deadlines.Rollover.NONE):
        if span.unit is Unit.MONTHS:
            span = Span(30 * span.value, Unit.DAYS)
        return honest(since, span, zone, working, rollover)

    monkeypatch.setattr(sys.modules[requests_verify.worked_out.__module__], "due", careless)
    assert requests_verify.wrong_dates() > 5


@pytest.mark.parametrize("hole", ["::ffff:169.254.169.254", "2002:7f00:1::", "fec0::1", "100.64.0.1", "::1"])
def test_a_guard_with_one_hole_is_found_by_the_ways_inside(monkeypatch, hole):
    assert requests_verify.reached([hole]) == 0
    monkeypatch.setattr(transport, "is_public", lambda address: address == hole)
    monkeypatch.setattr(transport, "TIMEOUT", 0.05)
    assert requests_verify.reached([hole]) == 1


def test_a_rotation_that_leaves_the_old_file_is_never_taken_for_a_retired_epoch(tmp_path, monkeypatch):
    clock = world.Clock()
    acme = world.populated(tmp_path / "home", clock=clock)
    with acme.reading() as p:
        rotating.begin_rotation(p, acme.config.keys_dir)
    clock.move(60)
    rotating.rewrap(acme.processing)
    clock.move(rotating.GRACE)
    monkeypatch.setattr(keyrings, "destroy_epoch", lambda folder, number: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rotating.destroy_unneeded(acme.processing, acme.config.keys_dir, "test")
    with acme.reading() as p:
        assert rotating.retired_at(p, 1) is None
        assert [one.number for one in rotating.standing(p)] == [1, 2]
    acme.database.close()
