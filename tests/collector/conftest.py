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
