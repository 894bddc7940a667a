"""The rules of the house, held by machine: imports, sizes, names, words that must not leave, what a table promises."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from consent_track.cli import COMMANDS, main
from consent_track.config import Config

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "consent_track"
CACHES = {"__pycache__", "_bundled", "node_modules"}


def files(*folders: str) -> Iterator[Path]:
    """Every file of ours below these folders of the checkout; caches are nobody's."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and not CACHES.intersection(parts) and not any(part.startswith(".") for part in parts):
                yield path


OURS = ("consent_track", "policies", "translations", "tests", "docs")
TEXTS = [*files(*OURS), *(path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name[0] != ".")]
TEXTS.append(ROOT / ".ci" / "run")


# Imports


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run([*command, "--no-cache"], cwd=checkout, env=environment, capture_output=True, text=True)


def test_the_import_contracts_hold() -> None:
    checked = lint_imports(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


PLANTED = """
domain/planted.py             | import flask                                     | The domain is plain Python
mail/planted.py               | import consent_track.crypto.tokens               | Rings
activities/planted.py         | import consent_track.bootstrap                   | Rings
collector/planted.py          | import consent_track.records.hits                | The collector knows domain and crypto
web/wellknown.py              | import consent_track.web.portal                  | Blueprints never import one another
bootstrap.py                  | import apscheduler                               | Only worker imports apscheduler
newcomer.py                   | import json                                      | Rings
"""


def test_the_import_contracts_catch_planted_defects(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "consent_track", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    rows = [[cell.strip() for cell in line.split("|")] for line in PLANTED.strip().splitlines()]
    for place, line, _ in rows:
        with (tmp_path / "consent_track" / place).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")

    checked = lint_imports(tmp_path)

    assert checked.returncode == 1
    for place, _, contract in rows:
        name = f"consent_track.{place.removesuffix('.py').replace('/', '.')}"
        assert re.search(rf"^{contract}.*BROKEN$", checked.stdout, re.M), contract
        assert name in checked.stdout, checked.stdout


# Sizes, names and words


@pytest.mark.parametrize(
    "path", [path for path in TEXTS if path.suffix == ".py"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_no_file_is_over_400_lines_and_none_has_a_soup_name(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert path.stem not in {"utils", "util", "helpers", "common", "misc", "base", "manager", "service", "services"}


# Written in two pieces, so that this file is not what it looks for.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.-])/(?:wor" + r"k|roo" + r"t|Use" + r"rs)/\w",
    "a path of somebody's plans": r"\.\./sha" + r"red/|/tmp/pl" + r"an",
    "a package registry": r"(?:py" + r"pi\.org|pythonhosted\." + r"org|registry\.npm" + r"js)",
    "unfinished work": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
    "a stub": r"NotImplemented" + r"Error",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in TEXTS:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_every_module_begins_with_a_sentence() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in files("consent_track")
        if path.suffix == ".py" and not re.match(r'(#.*\n)*"""\S', path.read_text(encoding="utf-8"))
    ]
    assert silent == []


def test_every_setting_is_used() -> None:
    """A setting that changes nothing is a lie of the configuration file."""
    outside = [path for path in files("consent_track") if path.suffix == ".py" and path.name != "config.py"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in outside)
    unused = [
        name for name in Config.__slots__ if not re.search(rf"(?:config|settings|seen\.settings)\.{name}\b", code)
    ]
    assert unused == []


# Commands


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_every_command_has_help_home_and_json() -> None:
    names = list(commands(main))
    assert {name for name, *_ in names} == {entry.name for entry in COMMANDS}
    for name in names:
        said = CliRunner().invoke(main, [*name, "--help"])
        assert said.exit_code == 0, name
        assert "--json" in said.output, name
        assert "--home" in said.output, name


def test_json_and_home_are_taken_at_any_place_of_the_line(tmp_path: Path) -> None:
    home = str(tmp_path / "nowhere")
    for words in (
        ["--home", home, "--json", "db", "check"],
        ["db", "--home", home, "--json", "check"],
        ["db", "check", "--home", home, "--json"],
    ):
        said = CliRunner().invoke(main, words)
        assert (said.exit_code, said.stdout) == (1, "")
        assert home in json.loads(said.stderr)["refused"][0]["what"]


def test_a_command_nobody_knows_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["consnet"]).exit_code == 2
    assert CliRunner().invoke(main, ["db", "check", "--frobnicate"]).exit_code == 2


def test_the_overview_loads_no_database_no_web_server_and_no_cryptography() -> None:
    heavy = ["flask", "sqlmodel", "sqlalchemy", "cryptography", "babel", "apscheduler", "granian"]
    code = (
        "import sys\nfrom consent_track.cli import main\nmain(['--help'], standalone_mode=False)\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(entry.name in said.stdout for entry in COMMANDS)
    assert said.stdout.splitlines()[-1] == "[]"


def test_the_readme_names_only_commands_that_exist() -> None:
    known = set(commands(main))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"(?:^|[`\s])consent-track((?: --home \S+)?(?: [a-z-]+){1,2})", text, re.M)
    words = [tuple(re.sub(r" --home \S+", "", name).split()) for name in named]
    assert words
    assert [word for word in words if word[:1] not in known] == []
    groups = {name[0] for name in known if len(name) == 2}
    assert [word for word in words if word[0] in groups and len(word) == 2 and word not in known] == []


# Packaging


def test_every_requirement_has_a_pinned_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {re.split(r"[\[<>=!~; ]", one)[0].lower().replace("_", "-") for one in wanted} - {"consent-track"}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
    assert names - {pin.partition("==")[0].lower().replace("_", "-") for pin in pins} == set()


def test_the_two_commands_are_there() -> None:
    rules = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert {"demo", "test", "bench", "verify", "lint", "clean"} <= rules
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
