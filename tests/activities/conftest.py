"""One fresh world for each test, on SQLite and on a real PostgreSQL alike."""

import pytest

from consent_track.domain.exempt import MODES
from tests import world
from tests.activities import exempt_stage


@pytest.fixture
def clock():
    return world.Clock()


@pytest.fixture
def acme(tmp_path, clock, database_urls):
    """Acme with Alice, who consented, and Bob, who withdrew; Charlie never said."""
    runtime = world.populated(tmp_path / "home", clock=clock, databases=database_urls)
    yield runtime
    runtime.database.close()


@pytest.fixture
def told(tmp_path, clock, database_urls):
    """The same Acme after it recorded the notices of both exempt modes; Charlie is on its list."""
    exempt_stage.tell(tmp_path / "home", *MODES)
    runtime = world.populated(tmp_path / "home", clock=clock, databases=database_urls)
    exempt_stage.on_the_list(runtime, world.CHARLIE)
    yield runtime
    runtime.database.close()
