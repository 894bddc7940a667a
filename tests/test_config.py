"""The configuration reports every problem at once, by the setting's name, and never shows a secret."""

from pathlib import Path

import pytest

from consent_track import config as configuration
from consent_track.config import Config, load_config
from consent_track.domain.controller import UnsubscribeOwner
from consent_track.domain.errors import ConfigurationRefused

CONTROLLER = """
[[controller]]
number = 1
name = "Acme"
contact = "privacy@acme.example"
privacy_policy = "https://acme.example/privacy"
"""
PUBLIC = 'public_url = "https://mail.acme.example"\n'


def load(folder: Path, text: str = PUBLIC + CONTROLLER, **environ: str) -> Config:
    (folder / "consent_track.toml").write_text(text, encoding="utf-8")
    return load_config({f"CONSENT_TRACK_{name}": value for name, value in environ.items()}, folder)


def problems(folder: Path, text: str = PUBLIC + CONTROLLER, **environ: str) -> list[str]:
    with pytest.raises(ConfigurationRefused) as refused:
        load(folder, text, **environ)
    return [str(problem) for problem in refused.value.problems]


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    config = load(tmp_path)

    assert config.tracking_url == config.public_url == "https://mail.acme.example"
    assert config.database_url == f"sqlite:///{tmp_path}/consent_track.db"
    assert config.keyring_url == f"sqlite:///{tmp_path}/keyring.db"
    assert (config.keys_dir, config.spool_dir) == (tmp_path / "keys", tmp_path / "spool")
    assert config.trusted_hosts == {"mail.acme.example"}
    assert config.trusted_proxies == ()
    assert config.next_hop_measures is None  # nobody said, so nothing is promised
    assert config.controllers[0].unsubscribe is UnsubscribeOwner.SENDER
    assert config.policies_dirs[0].name == "policies"


def test_it_is_frozen(tmp_path: Path) -> None:
    config = load(tmp_path)
    with pytest.raises(AttributeError):
        config.public_url = "https://evil.example"  # type: ignore[misc]
    with pytest.raises(TypeError):
        config.scanner_networks["any"] = ("0.0.0.0/1",)  # type: ignore[index]


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    text = PUBLIC + 'bind_port = 1\nnext_hop_measures = "yes"\ntrusted_proxies = ["10.0.0.0/8"]\n' + CONTROLLER
    said = load(tmp_path, text, BIND_PORT="9000", NEXT_HOP_MEASURES="no", TRUSTED_PROXIES="127.0.0.1/32, ::1/128")
    assert (said.bind_port, said.next_hop_measures) == (9000, False)
    assert said.trusted_proxies == ("127.0.0.1/32", "::1/128")
    assert load(tmp_path, text).next_hop_measures is True


def test_hosts_are_those_of_our_urls_our_controllers_and_those_named(tmp_path: Path) -> None:
    text = PUBLIC + 'tracking_url = "https://T.acme.example:8443/"\n' + CONTROLLER + 'hosts = ["old.acme.example"]\n'
    config = load(tmp_path, text, TRUSTED_HOSTS="former.example")
    assert config.trusted_hosts == {"mail.acme.example", "t.acme.example", "old.acme.example", "former.example"}
    assert config.tracking_url == "https://t.acme.example:8443"


WRONG = """
PUBLIC_URL=http://mail.acme.example            | must begin with https://
PUBLIC_URL=https://mail.acme.example/track     | must not have a path
PUBLIC_URL=https://mail.acme.example?x=1       | must not have a path
PUBLIC_URL=https://mail.acme.example#          | must not have a path
PUBLIC_URL=https://me:pw@mail.acme.example     | must not hold a user name
PUBLIC_URL=https://                            | must have a plain host name
PUBLIC_URL=https://münchen.example             | must have a plain host name
PUBLIC_URL=https://mail.acme.example:99999     | cannot be read
PUBLIC_URL=ftp://localhost                     | must begin with https://
PUBLIC_URL=https://mail.acme.example\\@evil.org | holds a space or a backslash
TRACKING_URL=http://10.0.0.1                   | must begin with https://
TRACKING_URL=                                  | is empty
TRUSTED_PROXIES=                               | is empty
BIND_HOST=example.org                          | must be an IP address
BIND_PORT=0                                    | whole number from 1 to 65535
BIND_PORT=eighty                               | whole number from 1 to 65535
WEB_THREADS=0                                  | whole number from 1 to 64
NODE=../other                                  | may have letters
TRUSTED_PROXIES=0.0.0.0/0                      | every address there is
TRUSTED_PROXIES=::/0                           | every address there is
TRUSTED_PROXIES=10.0.0.1/8                     | no host bits set
TRUSTED_PROXIES=proxy.example                  | must be address ranges
TRUSTED_HOSTS=.acme.example                    | must be a plain host name
TRUSTED_HOSTS=https://acme.example             | must be a plain host name
NEXT_HOP_MEASURES=perhaps                      | must be "yes" or "no"
DATABASE_URL=mysql://db/consent                | must begin with sqlite:/// or postgresql://
DATABASE_URL=sqlite:///relative.db             | by its absolute path
DATABASE_URL=sqlite://                         | by its absolute path
SPOOL_MAX_MIB=0                                | whole number from 1 to 1048576
POLICIES=no-such-folder                        | is not a folder
ROLE=everything                                | must be one of all, collector, web
PUBLIC_ULR=https://mail.acme.example           | is not a setting
SCANNER_NETWORKS=10.0.0.0/8                    | stands in consent_track.toml only
"""


@pytest.mark.parametrize("line", WRONG.strip().splitlines(), ids=lambda line: line.partition("|")[0].strip())
def test_a_bad_setting_is_refused_by_its_name(tmp_path: Path, line: str) -> None:
    setting, reason = (part.strip() for part in line.split("|"))
    name, _, value = setting.partition("=")
    (problem,) = problems(tmp_path, **{name: value})
    assert name.lower() in problem.lower()
    assert reason in problem


def test_http_is_for_this_machine_only(tmp_path: Path) -> None:
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080"):
        assert load(tmp_path, PUBLIC_URL=f"http://{host}").public_url == f"http://{host}"


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    text = """
    public_url = "http://mail.acme.example"
    colour = "red"
    bind_port = true
    trusted_proxies = "everybody"
    [scanner_networks]
    gateway = ["192.0.2.1/24"]
    [[controller]]
    number = 0
    name = ""
    contact = "nobody"
    time_zone = "Europe/Atlantis"
    unsubscribe = "forward"
    default_locale = "klingon"
    shoe_size = 43
    [[controller]]
    number = 7
    name = "Other"
    contact = "privacy@other.example"
    privacy_policy = "javascript:alert(1)"
    """
    found = problems(tmp_path, text, WEB_THREADS="many", SMTP="x")
    expected = """
    consent_track.toml: public_url: must begin with https://
    consent_track.toml: colour: is not a setting
    consent_track.toml: bind_port: must be a whole number
    consent_track.toml: trusted_proxies: must be address ranges
    consent_track.toml: scanner_networks: must be address ranges
    CONSENT_TRACK_SMTP: is not a setting
    CONSENT_TRACK_WEB_THREADS: must be a whole number
    controller 1: number: must be a whole number
    controller 1: name: is empty
    controller 1: contact: is not one plain e-mail address
    controller 1: time_zone: is no time zone
    controller 1: unsubscribe: forward is not available yet
    controller 1: default_locale: must be a language code
    controller 1: shoe_size: is not a setting
    controller 1: privacy_policy: is missing
    controller 2: privacy_policy: must have a plain host name
    """
    lines = [line.strip() for line in expected.strip().splitlines()]
    for line, problem in zip(lines, found, strict=True):
        assert problem.startswith(line)


PROCESSORS = [
    ('processors = "Mail House"', "processors: must be a list of tables such as"),
    ('processors = [{ name = "Mail House" }]', "processors: must have tables such as"),
    ('processors = [{ name = "Mail House", role = "sending", vat = "1" }]', "processors: must have tables such as"),
    (
        'processors = [{ name = "Mail House", role = "everything" }]',
        "processors: must have a role that is one of sending",
    ),
    ('processors = [{ name = "A", role = "crm", country = "Eire" }]', "processors: must have a country that is an ISO"),
    ('processors = [{ name = "", role = "crm" }]', "processors: is empty"),
    ('joint_controllers = [{ name = "A", essence = "javascript:1" }]', "joint_controllers: must have a plain host"),
    ('complaints = "http://board.example"', "complaints: must begin with https://"),
]


@pytest.mark.parametrize(("line", "reason"), PROCESSORS)
def test_whoever_else_is_named_must_be_named_rightly(tmp_path: Path, line: str, reason: str) -> None:
    (problem,) = problems(tmp_path, f"{PUBLIC}{CONTROLLER}\n{line}\n")
    assert problem.startswith(f"controller 1: {reason}")


def test_processors_and_joint_controllers_are_read(tmp_path: Path) -> None:
    lines = """
    processors = [{ name = "Mail House", role = "sending", country = "IE" }, { name = "Racks", role = "hosting" }]
    joint_controllers = [{ name = "Acme Shop", essence = "https://acme.example/joint" }]
    """
    (acme,) = load(tmp_path, PUBLIC + CONTROLLER + lines).controllers
    assert [(one.name, one.role, one.country) for one in acme.processors] == [
        *(("Mail House", "sending", "IE"), ("Racks", "hosting", ""))
    ]
    assert acme.joint_controllers[0].essence == "https://acme.example/joint"


def test_a_controller_number_is_given_once(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, PUBLIC + CONTROLLER + CONTROLLER)
    assert problem == "controller: number: 1 is given twice; it names one controller for ever"


def test_without_a_controller_nobody_may_measure(tmp_path: Path) -> None:
    assert problems(tmp_path, PUBLIC) == ["controller: is missing: write one [[controller]] table for each controller"]


def test_the_name_that_init_wrote_never_reaches_a_recipient(tmp_path: Path) -> None:
    text = CONTROLLER.replace("Acme", "Your company")
    assert load(tmp_path, 'public_url = "http://localhost:8080"\n' + text).controllers[0].name == "Your company"
    (problem,) = problems(tmp_path, PUBLIC + text)
    assert problem.startswith("controller 1: name: is still 'Your company'")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"public_url = ", b"public_url = 1\npublic_url = 2", b"#" * 300_000])
def test_a_file_that_is_no_toml_is_one_problem_not_a_crash(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "consent_track.toml").write_bytes(content)
    with pytest.raises(ConfigurationRefused, match=r"consent_track\.toml: is (not|larger)"):
        load_config({"CONSENT_TRACK_PUBLIC_URL": "https://mail.acme.example"}, tmp_path)


def test_no_home_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationRefused, match="make a home folder with: consent-track init"):
        load_config({}, tmp_path / "nowhere")


def test_the_home_is_the_one_asked_for_then_the_environment_s_then_the_user_s(tmp_path: Path) -> None:
    environ = {"HOME": "/home/ann", "CONSENT_TRACK_HOME": str(tmp_path)}
    assert configuration.home_folder({"HOME": "/home/ann"}) == Path("/home/ann/.consent_track")
    assert configuration.home_folder(environ) == tmp_path
    other = tmp_path / "other"
    other.mkdir()
    assert load(other).home == other
    assert load_config(environ, other).home == other


# Secrets: a database URL may hold a password.

SECRET = "hunter2-correct-horse"
URL = f"postgresql://ann:{SECRET}@db.example/consent"
KEYS_URL = f"postgresql://keys:{SECRET}@db.example/keys"


def test_a_secret_is_in_no_repr(tmp_path: Path) -> None:
    config = load(tmp_path, DATABASE_URL=URL, KEYRING_URL=KEYS_URL)
    assert (config.database_url, config.keyring_url) == (URL, KEYS_URL)
    assert SECRET not in repr(config)
    assert SECRET not in str(config)


@pytest.mark.parametrize(
    "environ",
    [
        {"DATABASE_URL": URL},  # a keyring is missing
        {"DATABASE_URL": URL, "KEYRING_URL": URL},
        {"DATABASE_URL": URL.replace("postgresql", "mysql")},
        {"DATABASE_URL": URL.replace("/consent", "")},
        {"DATABASE_URL": URL.replace("db.example", "db.example:port"), "KEYRING_URL": KEYS_URL},
        {"DATABASE_URL": URL.replace("db.example", "[db.example"), "KEYRING_URL": KEYS_URL},
        {"DATABASE_URL": URL + "\n", "KEYRING_URL": URL + "\x00"},
        {"PUBLIC_URL": f"https://ann:{SECRET}@mail.acme.example"},
        {"PUBLIC_URL": f"https://mail.acme.example:{SECRET}"},
        {"BIND_PORT": SECRET, "NODE": f"{SECRET}/", "TRUSTED_PROXIES": SECRET, "NEXT_HOP_MEASURES": SECRET},
        {"DATABASE_URL_FILE": f"/{SECRET}/{SECRET}\x00"},
    ],
)
def test_a_secret_is_in_no_problem(tmp_path: Path, environ: dict[str, str]) -> None:
    for problem in problems(tmp_path, **environ):
        assert SECRET not in problem


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file, keys_file = tmp_path / "url", tmp_path / "keys_url"
    file.write_text(URL + "\n")
    keys_file.write_text(KEYS_URL)
    config = load(tmp_path, DATABASE_URL_FILE=str(file), KEYRING_URL_FILE=str(keys_file))
    assert (config.database_url, config.keyring_url) == (URL, KEYS_URL)


def test_a_secret_s_file_must_be_there_and_not_be_empty_or_contradicted(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    assert problems(tmp_path, DATABASE_URL_FILE=str(tmp_path / "gone")) == [
        "CONSENT_TRACK_DATABASE_URL_FILE: names a file that cannot be read (FileNotFoundError)"
    ]
    assert "is empty" in problems(tmp_path, DATABASE_URL_FILE=str(empty))[0]
    (both,) = problems(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/a.db", DATABASE_URL_FILE=str(empty))
    assert both == "CONSENT_TRACK_DATABASE_URL_FILE: and CONSENT_TRACK_DATABASE_URL are both set"


def test_postgresql_needs_a_second_database_for_the_keys(tmp_path: Path) -> None:
    assert problems(tmp_path, DATABASE_URL=URL)[0].startswith("keyring_url: is missing")
    same = URL.replace("ann", "keys") + "?sslmode=require"
    assert problems(tmp_path, DATABASE_URL=URL, KEYRING_URL=same) == [
        "keyring_url: is the same database as database_url"
    ]


def test_day_keys_lie_in_memory_apart_for_each_home(tmp_path: Path) -> None:
    homes = [tmp_path / "a", tmp_path / "b"]
    for home in homes:
        home.mkdir()
    folders = {load(home).day_keys_dir for home in homes}
    assert len(folders) == 2
    chosen = load(homes[0], DAY_KEYS_DIR="/run/consent_track")
    assert chosen.day_keys_dir == Path("/run/consent_track")


def test_the_operator_s_own_folders(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "more").mkdir()
    assert load(tmp_path).policies_dirs[1:] == (tmp_path / "policies",)
    assert load(tmp_path, POLICIES="more").policies_dirs[1:] == (tmp_path / "more",)
    assert load(tmp_path, TRANSLATIONS="texts").translations_dir == tmp_path / "texts"
    assert load(tmp_path).wordings_dir is None
    assert load(tmp_path, WORDINGS="more").wordings_dir == tmp_path / "more"
    (tmp_path / "wordings").mkdir()
    assert load(tmp_path).wordings_dir == tmp_path / "wordings"
    assert problems(tmp_path, WORDINGS="gone") == [f"wordings: {tmp_path / 'gone'} is not a folder"]


def test_every_field_is_described_by_a_setting_or_derived() -> None:
    derived = {"home", "trusted_hosts", "controllers", "policies_dirs", "translations_dir", "wordings_dir"}
    renamed = {"spool_max_bytes": "spool_max_mib", "spool_min_free_bytes": "spool_min_free_mib"}
    for name in Config.__slots__:
        assert name in derived or renamed.get(name, name) in configuration.READERS, name
