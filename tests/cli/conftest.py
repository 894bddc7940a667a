"""Commands as people type them, in a place without an installation or in one."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from consent_track.bundled import bundled
from consent_track.cli import main
from tests import world


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A command in a place without an installation, or in `home`; gives exit code, standard output, standard error."""
    for name in ("CONSENT_TRACK_HOME", "CONSENT_TRACK_PUBLIC_URL", "CONSENT_TRACK_POLICIES"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*words: str, home: Path | None = None):
        result = CliRunner().invoke(main, ["--home", str(home or tmp_path / "none"), *words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return invoke


@pytest.fixture
def installed(tmp_path) -> Path:
    world.installation(tmp_path / "home").database.close()
    shutil.copytree(bundled("policies"), tmp_path / "home" / "policies", ignore=shutil.ignore_patterns("[A-Z]*"))
    return tmp_path / "home"
