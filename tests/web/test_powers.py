"""Each URL has one power: the holder of a link can do what that link is for, and nothing else, at any door."""

import pytest

from tests.web.conftest import Site
from tests.web.loop import sign
from tests.web.powers import DOORS, KINDS, TRIES, expected, try_it, urls
from tests.world import Clock


@pytest.mark.law("CC-15", "TI-10")
@pytest.mark.parametrize("kind", KINDS)
def test_a_url_does_what_it_is_for_and_nothing_else(tmp_path, kind):
    site, number = None, 0
    for door in DOORS:
        for attempt in TRIES:
            if site is None:  # something changed: a fresh world
                number += 1
                site = Site(tmp_path / str(number), Clock(), extra='smtp_url = "smtp://localhost:2525"')
                sign(site.runtime, "en")
                mine = urls(site)
            did = try_it(site, mine[kind], door, attempt)
            assert did == expected().get((kind, door, attempt), ""), f"{kind} at /{door}/: {attempt}"
            if did:
                site.runtime.database.close()
                site = None
