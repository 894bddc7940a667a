"""`notice` at a prompt: write it, publish it, and be told when it no longer says what is true."""

import json

import pytest
from click.testing import CliRunner

from consent_track.cli import main
from tests import world

CONTROLLER = """
processors = [{ name = "Mail House Ltd", role = "sending", country = "IE" }]
"""


@pytest.fixture
def home(tmp_path):
    world.installation(tmp_path / "home", controller=CONTROLLER).database.close()
    return tmp_path / "home"


@pytest.fixture
def run(home):
    def invoke(*words):
        result = CliRunner().invoke(main, ["--home", str(home), "notice", *map(str, words)], catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr

    return invoke


FRENCH = ("--locale", "fr", "--jurisdiction", "FR")


def test_it_writes_text_html_and_data(run):
    assert "* Mail House Ltd (Irlande) - envoie les e-mails\n" in run(*FRENCH)[1]
    assert '<section lang="fr" dir="ltr">' in run(*FRENCH, "--html")[1]
    data = json.loads(run(*FRENCH, "--json")[1])
    assert (data["policy"]["id"], data["slots"]["recipients"]["heading"]) == ("FR", "Qui d’autre reçoit les données")


@pytest.mark.parametrize("form", [[], ["--html"]])
def test_a_published_notice_matches_until_something_changes(run, home, tmp_path, form):
    page = tmp_path / "privacy.html"
    page.write_text(f"Acme\n{run(*FRENCH, *form)[1]}\nMerci.", encoding="utf-8")
    assert run(*FRENCH, "--check", page)[:2] == (0, f"{page} says what is true here.\n")

    settings = home / "consent_track.toml"
    settings.write_text(settings.read_text().replace('"Mail House Ltd"', '"Post House Ltd"'))
    code, out, _ = run(*FRENCH, "--check", page)
    assert code == 1
    assert "missing: Post House Ltd (Irlande)\n" in out
    assert "not true, or not ours: mail house ltd irlande\n" in out
    assert json.loads(run(*FRENCH, "--check", page, "--json")[1])["matches"] is False


def test_own_words_stand_in_the_notice(run, home):
    own = home / "wordings" / "fr"
    own.mkdir(parents=True)
    (own / "notice.consequences.txt").write_text("Rien ne change.\n")
    assert "\nRien ne change.\n" in run(*FRENCH)[1]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--locale", "tlh", "--jurisdiction", "FR"), "--locale: 'tlh' has no complete texts here"),
        (("--locale", "fr", "--jurisdiction", "France"), "--jurisdiction: 'France' is not an ISO 3166 code"),
        ((*FRENCH, "--controller", "7"), "--controller: 7 is not configured"),
        (("--locale", "en", "--jurisdiction", "IN"), "controller: complaints: is missing: the notice of IN needs it"),
    ],
)
def test_what_cannot_be_told_is_refused(run, words, reason):
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert err.startswith(reason)
