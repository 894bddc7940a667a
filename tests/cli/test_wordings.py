"""`wordings` as an operator meets it at a prompt: take the texts out, change one, be told what is wrong, sign."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from consent_track.activities import wording
from consent_track.bootstrap import bootstrap
from consent_track.bundled import bundled
from consent_track.cli import main
from consent_track.config import load_config
from consent_track.i18n import load_wordings
from tests import world

SIGNED = ("--locale", "fr", "--name", "Claire Dubois", "--law-version", "2026-11-23", "--date", "2026-11-10")


@pytest.fixture
def home(tmp_path) -> Path:
    world.installation(tmp_path / "home").database.close()
    (tmp_path / "home" / "wordings" / "fr").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def run(home):
    def invoke(*words: object):
        result = CliRunner().invoke(main, ["--home", str(home), "wordings", *map(str, words)], catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr

    return invoke


def change(home: Path, locale: str, id_: str, text: str) -> None:
    (home / "wordings" / locale).mkdir(exist_ok=True)
    (home / "wordings" / locale / f"{id_}.txt").write_text(f"{text}\n", encoding="utf-8")


def row(run, locale):
    (found,) = json.loads(run("list", "--locale", locale, "--json")[1])["locales"]
    return found


class TestList:
    def test_it_says_whose_each_text_is(self, run, home):
        change(home, "fr", "page.on", "Oui")
        ids = row(run, "fr")["ids"]
        assert {id_ for id_, whose in ids.items() if whose == "operator"} == {"page.on"}
        assert set(row(run, "de")["ids"].values()) == {"shipped"}
        assert "  operator  page.on\n" in run("list")[1]

    @pytest.mark.law("ST-15")
    def test_it_says_who_signed_which_words_for_which_law(self, run, home):
        assert row(run, "fr")["signed"] is None
        assert "signed by nobody" in run("list", "--locale", "fr")[1]
        assert run("sign-off", *SIGNED)[0] == 0
        signed = {"name": "Claire Dubois", "date": "2026-11-10", "law_version": "2026-11-23", "current": True}
        assert row(run, "fr")["signed"] == signed
        assert "signed by Claire Dubois on 2026-11-10, law of 2026-11-23\n" in run("list", "--locale", "fr")[1]
        change(home, "fr", "page.on", "Oui")
        assert row(run, "fr")["signed"] is None

    def test_it_says_what_is_blocked(self, run, home):
        change(home, "fr", "page.on", "<b>Oui</b>")
        code, out, _ = run("list")
        assert code == 0
        assert "page.on.txt: holds markup" in out
        assert "\nfr  " not in out


class TestExport:
    def test_what_is_taken_out_and_put_back_unchanged_is_the_same_text(self, run, home):
        before = load_wordings(bundled("translations")).complete["fr"]
        code, out, _ = run("export", "fr", home / "wordings")
        assert code == 0
        assert out.startswith(f"{len(before.messages)} texts are in {home / 'wordings' / 'fr'}.")
        after = load_wordings(bundled("translations"), home / "wordings").complete["fr"]
        assert after.hash == before.hash
        assert after.own == set(before.messages)

    def test_nothing_is_overwritten(self, run, home):
        change(home, "fr", "page.on", "Oui")
        code, _, err = run("export", "fr", home / "wordings")
        assert code == 1
        assert "page.on.txt: is there already; nothing is overwritten" in err
        assert [path.name for path in (home / "wordings" / "fr").iterdir()] == ["page.on.txt"]

    def test_a_new_language_starts_from_a_shipped_one_and_is_not_used_until_it_is_translated(self, run, home):
        assert run("export", "en", home / "wordings", "--as", "nl")[0] == 0
        code, out, _ = run("check")
        assert code == 1
        assert "nl/done.includes_sent.txt: is not translated yet" in out
        assert "\nnl " not in out

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (("tlh",), "LOCALE: 'tlh' has no shipped texts; there are: "),
            (("en", "--as", "../up"), "--as: must be a language code"),
        ],
    )
    def test_what_cannot_be_written_is_refused(self, run, tmp_path, words, reason):
        code, _, err = run("export", words[0], tmp_path / "out", *words[1:])
        assert code == 1
        assert err.startswith(reason)
        assert not (tmp_path / "out").exists()


class TestCheck:
    def test_every_problem_is_a_line_with_its_file(self, run, home):
        change(home, "fr", "page.on", "<b>Oui</b>")
        change(home, "de", "page.choices_heading", "Ihre Wahl")
        change(home, "en", "footer.not_measured", "%(controller)s. Does. Not. Measure.")
        code, out, _ = run("check")
        assert code == 1
        assert [line.split(": ")[0] for line in out.splitlines() if ".txt" in line] == [
            str(home / "wordings" / name)
            for name in ("de/page.choices_heading.txt", "fr/page.on.txt", "en/footer.not_measured.txt")
        ]

    def test_good_words_are_counted(self, run, home):
        change(home, "fr", "page.on", "Oui")
        code, out, _ = run("check", "--json")
        assert code == 0
        assert json.loads(out)["yours"]["fr"] == 1

    def test_the_shipped_texts_are_right_without_an_installation(self, tmp_path):
        said = CliRunner().invoke(main, ["--home", str(tmp_path / "none"), "wordings", "check"])
        assert said.exit_code == 0


@pytest.mark.law("ST-15")
def test_only_signed_words_may_ask_and_one_changed_character_ends_it(home, run):
    def may_ask(locale):
        runtime = bootstrap(load_config({}, home))
        texts = runtime.wordings.complete[locale]
        with runtime.reading() as p:
            found = wording.may_ask(p, locale, texts.hash)
        runtime.database.close()
        return found

    assert not may_ask("fr")
    assert run("sign-off", *SIGNED)[0] == 0
    assert may_ask("fr")
    assert not may_ask("de")
    change(home, "fr", "page.on", "Oui")
    assert not may_ask("fr")
    (home / "wordings" / "fr" / "page.on.txt").unlink()
    assert may_ask("fr")


def test_signing_under_either_name_is_the_same(home, run):
    assert run("sign-off", *SIGNED)[0] == 0
    first = row(run, "fr")["signed"]
    words = [*SIGNED[:3], "Ada Autre", *SIGNED[4:]]
    said = CliRunner().invoke(main, ["policy", "sign-off", "--home", str(home), *words])
    assert said.exit_code == 0
    assert row(run, "fr")["signed"] == {**first, "name": "Ada Autre"}


def test_a_region_is_signed_as_the_language_whose_words_it_reads(home, run):
    assert run("sign-off", "--locale", "fr-CA", *SIGNED[2:])[0] == 0
    assert row(run, "fr")["signed"]["name"] == "Claire Dubois"
