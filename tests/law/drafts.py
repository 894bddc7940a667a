"""How a test loads the drafts: as an operator does who names them in the house policy (decision 4)."""

import json
from pathlib import Path

from consent_track.bundled import bundled
from consent_track.domain.policy import Policies
from consent_track.policy_files import load_policies

DRAFTS = ("BG", "IN", "JP", "KR")


def house_with_drafts(folder: Path, *ids: str) -> Path:
    """The shipped house policy of an operator who chose to load these drafts, written into `folder`."""
    text = (bundled("policies") / "house.toml").read_text(encoding="utf-8")
    assert "drafts = []" in text
    path = folder / "house.toml"
    path.write_text(text.replace("drafts = []", f"drafts = {json.dumps(ids)}"), encoding="utf-8")
    return path


def load_with_drafts(folder: Path) -> Policies:
    """The rule packs of this release and every draft."""
    return load_policies([bundled("policies")], files=[house_with_drafts(folder, *DRAFTS)])
