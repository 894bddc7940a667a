"""A built wheel has everything in it, and works without the checkout beside it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("consent_track", "policies", "translations", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is written into the checkout."""
    place = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, place)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place / "dist"), str(place)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = (place / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_policies_and_texts_are_inside(names: set[str]) -> None:
    for folder in ("policies", "translations"):
        shipped = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".toml", ".po")]
        assert shipped
        for path in shipped:
            assert f"consent_track/_bundled/{path.relative_to(ROOT)}" in names


def test_everything_of_the_package_is_inside_and_nothing_else(names: set[str]) -> None:
    package = ROOT / "consent_track"
    ours = {
        str(path.relative_to(ROOT))
        for path in package.rglob("*")
        if path.is_file() and not any(part == "__pycache__" or part[0] == "." for part in path.relative_to(ROOT).parts)
    }
    assert "consent_track/py.typed" in ours
    assert any("/migrations/versions/" in name for name in ours)
    assert any(name.startswith("consent_track/web/templates/") for name in ours)
    inside = {name for name in names if ".dist-info/" not in name and "/_bundled/" not in name}
    assert inside == ours


def test_the_licence_and_the_command_are_inside(names: set[str], wheel: Path) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
    assert "consent-track = consent_track.cli:main" in zipfile.ZipFile(wheel).read(entry_points).decode()


def test_it_makes_a_home_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_TRACK_")}
    environment["PYTHONPATH"] = str(site)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    where = "from consent_track.bundled import bundled; print(bundled('policies'), bundled('translations'))"
    assert run("-c", where).stdout.split() == [
        f"{site}/consent_track/_bundled/{name}" for name in ("policies", "translations")
    ]
    home = str(tmp_path / "home")
    for command in ("init", "doctor"):
        said = run("-m", "consent_track", "--home", home, command)
        assert said.returncode == 0, said.stdout + said.stderr
