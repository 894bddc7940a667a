"""What the law tests share: the shipped policies, read once."""

import json
from pathlib import Path

import pytest

from consent_track.bundled import bundled
from consent_track.domain.policy import Policies
from consent_track.policy_files import load_policies


@pytest.fixture(scope="session")
def shipped() -> Policies:
    """The rule packs of this release under the house policy as shipped."""
    return load_policies([bundled("policies")])


def house_with_drafts(folder: Path, *ids: str) -> Path:
    """The shipped house policy of an operator who chose to load these drafts (decision 4), written into `folder`."""
    text = (bundled("policies") / "house.toml").read_text(encoding="utf-8")
    assert "drafts = []" in text
    path = folder / "house.toml"
    path.write_text(text.replace("drafts = []", f"drafts = {json.dumps(ids)}"), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Policies:
    """The rule packs of this release and every draft."""
    house = house_with_drafts(tmp_path_factory.mktemp("house"), "BG", "IN", "JP", "KR")
    return load_policies([bundled("policies")], files=[house])
