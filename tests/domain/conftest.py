"""What the tests of the domain share: the shipped policies, read once."""

import pytest

from consent_track.bundled import bundled
from consent_track.domain.policy import Policies
from consent_track.policy_files import load_policies
from tests.law.drafts import load_with_drafts


@pytest.fixture(scope="session")
def shipped() -> Policies:
    """The rule packs of this release under the house policy as shipped."""
    return load_policies([bundled("policies")])


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Policies:
    """The rule packs of this release and every draft."""
    return load_with_drafts(tmp_path_factory.mktemp("house"))
