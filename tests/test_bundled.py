"""Policies and texts are found in a wheel and in a checkout, and nowhere by chance."""

from pathlib import Path

import pytest

from consent_track.bundled import bundled


def test_the_copy_inside_the_package_is_preferred(tmp_path: Path) -> None:
    package = tmp_path / "site" / "consent_track"
    inside, beside = package / "_bundled" / "policies", tmp_path / "site" / "policies"
    beside.mkdir(parents=True)
    assert bundled("policies", package) == beside
    inside.mkdir(parents=True)
    assert bundled("policies", package) == inside


def test_a_broken_installation_names_both_places(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        bundled("translations", tmp_path / "consent_track")
    assert str(tmp_path / "consent_track" / "_bundled" / "translations") in str(error.value)
    assert str(tmp_path / "translations") in str(error.value)


def test_this_checkout_has_them() -> None:
    assert (bundled("policies") / "house.toml").is_file()
    assert bundled("translations").is_dir()
