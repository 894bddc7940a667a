"""One fresh world for each test: on SQLite, and on a real PostgreSQL where the test asks for both."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import world


@pytest.fixture
def clock():
    return world.Clock()


@pytest.fixture
def acme(tmp_path, clock):
    """Acme with Alice, who consented, and Bob, who withdrew; Charlie never said."""
    runtime = world.populated(tmp_path / "home", clock=clock)
    yield runtime
    runtime.database.close()
