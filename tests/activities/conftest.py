"""One fresh world for each test: on SQLite, and on a real PostgreSQL where the test asks for both."""

import pytest

from tests import world


@pytest.fixture
def clock():
    return world.Clock()


@pytest.fixture
def acme(tmp_path, clock):
    """Acme with Alice, who consented, and Bob, who withdrew; Charlie never said."""
    runtime = world.populated(tmp_path / "home", clock=clock)
    yield runtime
    runtime.database.close()
