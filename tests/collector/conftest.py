"""The stage for every test of this folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from collector_stage import Stage


@pytest.fixture
def stage(tmp_path):
    staged = Stage(tmp_path / "spool")
    yield staged
    staged.collector.close()


@pytest.fixture(scope="module")
def one_stage(tmp_path_factory):
    """One stage for a whole module, for the properties that ask it hundreds of questions."""
    staged = Stage(tmp_path_factory.mktemp("one") / "spool")
    yield staged
    staged.collector.close()
