"""One fresh world for each test, on SQLite and on a real PostgreSQL alike."""

import pytest

from tests import world


@pytest.fixture
def clock():
    return world.Clock()


@pytest.fixture
def acme(tmp_path, clock, database_urls):
    """Acme with Alice, who consented, and Bob, who withdrew; Charlie never said."""
    runtime = world.populated(tmp_path / "home", clock=clock, databases=database_urls)
    yield runtime
    runtime.database.close()
