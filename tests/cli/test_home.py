"""`init` makes an installation and never overwrites one; `doctor` finds what is wrong with it."""

import json
import os
import sqlite3
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consent_track import bundled
from consent_track.cli import Home, main
from consent_track.cli.checks import Mark
from consent_track.cli.doctor import examine
from consent_track.config import load_config
from consent_track.crypto import keyring
from consent_track.i18n import load_wordings
from consent_track.records import sign_offs
from consent_track.records.database import open_database, write

NOW = 1_800_000_000
ACME = (
    *("--controller-name", "Acme", "--contact", "privacy@acme.example"),
    *("--privacy-policy", "https://acme.example/privacy", "--public-url", "https://mail.acme.example"),
)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CONSENT_TRACK_")]:
        monkeypatch.delenv(name)


def run(*words: object, **environ: str) -> Result:
    settings = {f"CONSENT_TRACK_{name}": value for name, value in environ.items()}
    return CliRunner().invoke(main, [str(word) for word in words], env=settings, catch_exceptions=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    assert run("init", "--home", place, *ACME).exit_code == 0
    return place


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# init


def test_init_makes_everything_an_installation_needs(home: Path) -> None:
    assert {path.name for path in home.iterdir()} == {
        *("consent_track.toml", "consent_track.db", "keyring.db", "exempt.db", "keys", "policies", "spool", "wordings")
    }
    config = load_config({}, home)
    assert config.controllers[0].name == "Acme"
    assert config.public_url == "https://mail.acme.example"
    assert config.node  # written down, so that a renamed machine keeps its spool
    assert keyring.load(config.keys_dir).tokens[0].id == 1
    assert run("--home", home, "db", "check").exit_code == 0
    shipped = bundled.bundled("policies") / "house.toml"
    assert (home / "policies" / "house.toml").read_bytes() == shipped.read_bytes()


def test_keys_are_for_their_own_user_only(home: Path) -> None:
    for path in (home, *home.rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


@pytest.mark.law("SE-01")
def test_two_installations_share_no_key_and_no_two_keys_are_equal(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run("init", "--home", other, *ACME)
    lines = [
        next(line for line in path.read_text().splitlines() if line.startswith("key: "))
        for place in (home, other)
        for path in sorted((place / "keys").rglob("*.key"))
    ]
    assert len(lines) == 16
    assert len(set(lines)) == 16


def test_init_refuses_to_overwrite(home: Path) -> None:
    before = contents(home)
    again = run("init", "--home", home, *ACME)
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == f"{home}: is there already; nothing is overwritten\n"
    assert contents(home) == before
    assert [path.name for path in home.parent.iterdir()] == ["home"]


def test_init_does_not_take_over_somebody_else_s_folder_or_link(tmp_path: Path) -> None:
    folder, link, file = tmp_path / "folder", tmp_path / "link", tmp_path / "file"
    folder.mkdir()
    (folder / "letter").write_text("mine")
    link.symlink_to(tmp_path / "nowhere")
    file.write_text("mine")
    for place in (folder, link, file, file / "below"):
        assert run("init", "--home", place).exit_code == 1
    assert contents(tmp_path) == {"file": b"mine", "folder/letter": b"mine"}


def test_init_fills_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    assert run("init", "--home", tmp_path / "home").exit_code == 0
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--contact", "nobody", "controller 1: contact: is not one plain e-mail address"),
        ("--public-url", "http://mail.acme.example", "public_url: must begin with https://"),
        ("--privacy-policy", "javascript:alert(1)", "controller 1: privacy_policy: must"),
        ("--controller-name", "Acme\n[[controller]]", "controller 1: name: holds a control character"),
    ],
)
def test_a_refused_value_leaves_nothing_behind(tmp_path: Path, option: str, value: str, reason: str) -> None:
    refused = run("init", "--home", tmp_path / "home", *ACME, option, value)
    assert refused.exit_code == 1
    assert reason in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_name_can_be_written_down(tmp_path: Path) -> None:
    name = 'Müller "& Söhne" \\ #العربية'
    run("init", "--home", tmp_path / "home", *ACME, "--controller-name", name)
    assert load_config({}, tmp_path / "home").controllers[0].name == name


def test_new_keys_are_not_put_beside_an_old_database(home: Path, tmp_path: Path) -> None:
    old = load_config({}, home)
    urls = {"DATABASE_URL": old.database_url, "KEYRING_URL": old.keyring_url}
    refused = run("init", "--home", tmp_path / "new", *ACME, **urls)
    assert refused.exit_code == 1
    assert "holds tables already" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_a_database_of_somebody_else_is_left_alone(home: Path, tmp_path: Path) -> None:
    theirs, new = tmp_path / "shop.sqlite", tmp_path / "keyring.sqlite"
    with sqlite3.connect(theirs) as shop:
        shop.execute("CREATE TABLE orders (id INTEGER)")
    urls = {"DATABASE_URL": f"sqlite:///{theirs}", "KEYRING_URL": f"sqlite:///{new}"}
    refused = run("init", "--home", tmp_path / "new", *ACME, **urls)
    assert (refused.exit_code, "holds tables already" in refused.stderr) == (1, True)
    with sqlite3.connect(theirs) as shop:
        assert shop.execute("SELECT name FROM sqlite_master").fetchall() == [("orders",)]


def test_init_says_what_to_do_next(tmp_path: Path) -> None:
    said = run("init", "--home", tmp_path / "a")
    assert "escrow-private.key to a safe place off this machine" in said.stdout
    assert "say there who sends the mails" in said.stdout
    answer = json.loads(run("--json", "init", "--home", tmp_path / "b").stdout)
    assert answer["home"] == str(tmp_path / "b")
    assert Path(answer["escrow_private_key"]).is_file()


# doctor


def findings(home: Path, now: float = NOW, **environ: str) -> dict[str, list[tuple[Mark, str]]]:
    settings = {f"CONSENT_TRACK_{name}": value for name, value in environ.items()}
    found: dict[str, list[tuple[Mark, str]]] = {}
    for finding in examine(Home(home, environ=settings), now):
        found.setdefault(finding.check, []).append((finding.mark, finding.what))
    return found


def test_a_new_home_has_nothing_to_repair(home: Path) -> None:
    said = run("--home", home, "doctor")
    assert said.exit_code == 0, said.stdout
    assert not [line for line in said.stdout.splitlines() if line.startswith("fail")]
    answer = json.loads(run("--home", home, "doctor", "--json").stdout)
    assert answer["healthy"] is True
    assert answer["counts"]["fail"] == 0
    assert {one["mark"] for one in answer["findings"]} <= {"ok", "warn"}


def key_file(home: Path, name: str) -> Path:
    return home / "keys" / "static" / f"{name}.key"


def equal_keys(home: Path) -> None:
    lines = key_file(home, "session").read_text().splitlines()
    value = next(line for line in key_file(home, "suppression").read_text().splitlines() if line.startswith("key: "))
    key_file(home, "session").write_text("\n".join([*lines[:-1], value, ""]))


def known_key(home: Path) -> None:
    lines = key_file(home, "session").read_text().splitlines()
    key_file(home, "session").write_text("\n".join([*lines[:-1], f"key: {'A' * 43}=", ""]))


def append(home: Path, line: str) -> None:
    with (home / "consent_track.toml").open("a") as file:
        file.write(line + "\n")


def set_public(home: Path, line: str) -> None:
    path = home / "consent_track.toml"
    path.write_text(line + "\n" + path.read_text())


def replace_pack(home: Path) -> None:
    shipped = bundled.bundled("policies") / "FR.toml"
    (home / "policies" / "FR.toml").write_bytes(shipped.read_bytes())


def spool_is_a_file(home: Path) -> None:
    (home / "spool").rmdir()
    (home / "spool").write_text("")


def wording(home: Path, locale: str, name: str) -> None:
    (home / "wordings" / locale).mkdir()
    (home / "wordings" / locale / name).write_text("Bonjour")


DEFECTS: list[tuple[str, Callable[[Path], object], str, Mark, str]] = [
    ("open key", lambda h: key_file(h, "session").chmod(0o644), "keys", Mark.FAIL, "can be read by others"),
    ("no key", lambda h: key_file(h, "session").unlink(), "keys", Mark.FAIL, "holds no key for session"),
    ("equal keys", equal_keys, "keys", Mark.FAIL, "is equal to"),
    ("known key", known_key, "keys", Mark.FAIL, "known or guessable"),
    ("wide home", lambda h: h.chmod(0o755), "home folder", Mark.FAIL, "chmod 700"),
    ("open file", lambda h: (h / "keyring.db").chmod(0o640), "home folder", Mark.FAIL, "keyring.db: can be read"),
    ("no locale", lambda h: append(h, 'default_locale = "fi"'), "locales", Mark.FAIL, "fi: a controller's default"),
    ("bad policy", lambda h: (h / "policies" / "XX.toml").write_text("id ="), "policies", Mark.FAIL, "XX.toml"),
    ("bad wording", lambda h: wording(h, "fr", "nothing.txt"), "locales", Mark.WARN, "nothing.txt: is no text of this"),
    ("own pack", replace_pack, "policies", Mark.WARN, "replaces the shipped pack"),
    ("no database", lambda h: (h / "consent_track.db").unlink(), "stores", Mark.FAIL, "consent_track.db is not there"),
    ("no keyring", lambda h: (h / "keyring.db").write_bytes(b""), "stores", Mark.FAIL, "db upgrade"),
    ("no spool", spool_is_a_file, "spool", Mark.FAIL, "is not there"),
    ("full disk", lambda h: set_public(h, "spool_min_free_mib = 1048576"), "spool", Mark.FAIL, "nothing is recorded"),
    ("misspelt", lambda h: set_public(h, "publik = 1"), "configuration", Mark.FAIL, "publik: is not a setting"),
    ("next hop", lambda h: set_public(h, 'next_hop_measures = "yes"'), "next hop", Mark.WARN, "measures by itself"),
    ("untouched", lambda h: None, "escrow key", Mark.WARN, "is still here"),
    ("untouched", lambda h: None, "proxies", Mark.WARN, "none is trusted"),
    ("untouched", lambda h: None, "sign offs", Mark.WARN, "nobody signed these texts"),
]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect[0]}: {defect[2]}")
def test_the_doctor_finds(home: Path, defect: tuple[str, Callable[[Path], object], str, Mark, str]) -> None:
    _, plant, check, mark, words = defect
    plant(home)
    assert any(found is mark and words in what for found, what in findings(home)[check]), findings(home)[check]
    assert run("--home", home, "doctor").exit_code == (mark is Mark.FAIL)


REPAIRED: list[tuple[str, Callable[[Path], object], str]] = [
    ("escrow key", lambda h: (h / "keys" / "escrow-private.key").rename(h.parent / "safe"), "not on this machine"),
    ("proxies", lambda h: set_public(h, 'trusted_proxies = ["127.0.0.1/32"]'), "trusted: 127.0.0.1/32"),
    ("next hop", lambda h: set_public(h, 'next_hop_measures = "no"'), "measure nothing"),
    ("public url", lambda h: None, "https://mail.acme.example is https"),
    ("house regimes", lambda h: None, "consent everywhere"),
]


@pytest.mark.parametrize("repair", REPAIRED, ids=lambda repair: repair[0])
def test_the_doctor_sees_what_is_right(home: Path, repair: tuple[str, Callable[[Path], object], str]) -> None:
    check, act, words = repair
    act(home)
    ((mark, what),) = findings(home)[check]
    assert mark is Mark.OK
    assert words in what


def test_the_doctor_sees_a_signature(home: Path) -> None:
    config = load_config({}, home)
    database = open_database(config.database_url, config.keyring_url, config.exempt_url)
    texts = load_wordings(config.translations_dir).texts("en")
    assert texts is not None
    with write(database.engine) as session:
        signed = sign_offs.SignOff("en", texts.hash, "A. Lawyer", date(2026, 11, 1), "2026-11")
        sign_offs.record(session, signed)
    database.close()
    marks = {what.partition(":")[0]: mark for mark, what in findings(home)["sign offs"]}
    assert marks["signed"] is Mark.OK


def test_a_clock_before_the_release_or_behind_the_databases_is_wrong(home: Path) -> None:
    assert "before the day of this release" in findings(home, now=0.0)["clock"][0][1]
    newest = max(path.stat().st_mtime for path in home.glob("*.db"))
    os.utime(home / "consent_track.db", (newest + 4e8, newest + 4e8))
    assert "before the last change" in findings(home, now=newest + 3e8)["clock"][0][1]
    assert findings(home, now=newest + 5e8)["clock"][0][0] is Mark.OK


def test_without_a_configuration_the_doctor_says_so_and_what_it_could_not_see(tmp_path: Path) -> None:
    said = run("--home", tmp_path / "nowhere", "doctor", "--json")
    assert said.exit_code == 1
    found = {(one["check"], one["mark"]) for one in json.loads(said.stdout)["findings"]}
    assert {("home folder", "fail"), ("configuration", "fail"), ("keys", "fail")} <= found


def test_the_doctor_shows_no_password(home: Path) -> None:
    secret = "hunter2-correct-horse"
    urls = {name: f"postgresql://ann:{secret}@127.0.0.1:1/{name.lower()}" for name in ("DATABASE_URL", "KEYRING_URL")}
    for words in (("doctor",), ("doctor", "--json"), ("db", "check"), ("purge",)):
        said = run("--home", home, *words, **urls)
        assert said.exit_code == 1
        assert secret not in said.stdout + said.stderr
        assert "Traceback" not in said.stderr


def test_doctor_changes_nothing(home: Path) -> None:
    before = contents(home)
    run("--home", home, "doctor")
    assert contents(home) == before
