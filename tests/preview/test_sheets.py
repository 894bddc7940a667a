"""The preview shows everything a recipient can meet, as it really is, and nothing in it reaches out."""

import http.client
import re
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import template_rendered

import consent_track.web
from consent_track.cli import main
from consent_track.config import load_config
from consent_track.domain.disclosure import Statement
from consent_track.domain.errors import ConfigurationRefused
from consent_track.preview.rows import SECTIONS
from consent_track.preview.serving import Live, served
from consent_track.preview.sheets import FIRST, VIEWS, sheets
from consent_track.preview.stage import staged
from tests import world

WEB = Path(consent_track.web.__file__).parent
ROWS = {section.key: [row.key for row in section.rows] for section in SECTIONS}


@pytest.fixture(scope="module")
def stage():
    with staged(None, None, world.Clock()) as stage:
        yield stage


@pytest.fixture(scope="module")
def files(stage):
    return {name: content.decode() for name, content in sheets(stage, stage.runtime.wordings.locales).items()}


def test_every_row_is_in_every_overview_in_every_language(files, stage):
    for view in VIEWS:
        frames = re.findall(r'<iframe src="([^"]+)" sandbox=""', files[view.file])
        expected = {
            f"frames/{locale}/{key}-{view.theme}.html"
            for locale in stage.runtime.wordings.locales
            for keys in ROWS.values()
            for key in keys
        }
        assert set(frames) == expected
        assert expected <= set(files)


def test_every_footer_is_shown_with_its_own_words_in_html_and_in_text(files, stage):
    for statement in Statement:
        for locale in stage.runtime.wordings.locales:
            texts = stage.texts(locale)
            said = texts.get(f"footer.{statement}", controller="Acme", purposes=texts.purposes(["open_performance"]))
            assert said in unescape(files[f"frames/{locale}/footer-{statement}-light.html"])
            assert said.split()[-1] in unescape(files[FIRST])


def test_every_page_there_is_has_a_row(stage):
    """The templates are asked: a new page that is in no row is found here; layouts and parts come with pages."""
    drawn = set()

    def note(_sender, template, **_):
        drawn.add(template.name)

    with template_rendered.connected_to(note, stage.app):
        for section in SECTIONS:
            for row in section.rows:
                row.make(stage, "en")
    pages = {path.name for path in WEB.rglob("templates/*.html") if "{% extends" in path.read_text(encoding="utf-8")}
    assert pages <= drawn


def test_the_pages_are_the_real_ones_in_their_states(files):
    seen = {key: files[f"frames/en/{key}-light.html"] for key in ROWS["pages"]}
    assert "Measuring is ON." in seen["choices-on"]
    assert seen["choices-on"].count("<fieldset") >= 4
    assert "Measuring is OFF." in seen["choices-off"]
    assert 'role="status"' in seen["choices-signal"]
    assert "Measuring is off since" in seen["done-all"]
    assert "Off since" in seen["done-one"]
    assert "Stop the emails" in seen["unsubscribe"]
    assert "The emails have stopped since" in seen["done-mail"]
    assert "This link does not work" in seen["dead-link"]
    assert "Please try again" in seen["busy"]


def test_the_mails_are_measured_or_not_as_their_footers_say(files):
    measured, other = (files[f"frames/en/{key}-light.html"] for key in ("mail-measured", "mail-unmeasured"))
    assert "https://mail.acme.example/o/" in measured
    assert "Acme records if you open this email" in measured
    assert "/o/" not in other
    assert "Acme does not record if you open" in other
    assert "This message is about your order" in files["frames/en/mail-order-light.html"]


def test_light_and_dark_are_written_out(files):
    light, dark = (files[f"frames/en/choices-on-{theme}.html"] for theme in ("light", "dark"))
    assert "prefers-color-scheme" not in light + dark
    assert "@media (max-width: 0px)" in light
    assert "@media (min-width: 0px)" in dark
    assert "color-scheme: dark" in dark


def test_no_frame_can_reach_out_and_no_overview_has_a_script(files):
    for name, page in files.items():
        if name.startswith("frames/"):
            assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page.partition("</head>")[0]
            assert '<link rel="stylesheet" href="/' not in page
        else:
            assert "<script" not in page
            assert "script-src 'none'" in page
            assert not re.search(r'\b(?:src|href)="(?:https?:)?//', page)


class TestOwn:
    @pytest.fixture
    def home(self, tmp_path):
        world.installation(tmp_path / "home", controller='default_locale = "fr"').database.close()
        (tmp_path / "home" / "wordings" / "fr").mkdir(parents=True)
        return tmp_path / "home"

    def preview(self, home):
        with staged(load_config({}, home), None, world.Clock()) as stage:
            return {name: page.decode() for name, page in sheets(stage, ["fr"]).items()}

    def test_the_operator_s_words_and_name_are_shown_and_the_stores_are_not_touched(self, home):
        (home / "wordings" / "fr" / "page.measuring_on.txt").write_text("On mesure.\n")
        before = {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}
        found = self.preview(home)
        assert "On mesure." in found["frames/fr/choices-on-light.html"]
        assert "with words of yours" in found[FIRST]
        assert {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()} == before

    def test_bad_words_are_told_in_their_place(self, home):
        (home / "wordings" / "fr" / "page.on.txt").write_text("<b>Oui</b>\n")
        with pytest.raises(ConfigurationRefused):
            self.preview(home)
        live = Live(lambda: {k: v.encode() for k, v in self.preview(home).items()}, lambda: 1)
        live.refresh()
        assert b"page.on.txt: holds markup" in live.get(FIRST)

    def test_a_bad_locale_beside_a_good_one_is_told_above(self, home):
        (home / "wordings" / "de").mkdir()
        (home / "wordings" / "de" / "page.on.txt").write_text("<b>Ja</b>\n")
        assert "de/page.on.txt: holds markup" in self.preview(home)[FIRST]

    def test_files_are_written_and_nothing_is_overwritten(self, home, tmp_path):
        words = ["--home", str(home), "preview", "--locale", "fr", "--out", str(tmp_path / "out")]
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0
        assert (tmp_path / "out" / "index.html").is_file()
        assert len(list((tmp_path / "out" / "frames" / "fr").iterdir())) == 2 * sum(map(len, ROWS.values()))
        again = CliRunner().invoke(main, words, catch_exceptions=False)
        assert again.exit_code == 1
        assert "is not empty; nothing is overwritten" in again.stderr

    @pytest.mark.parametrize(
        ("words", "reason"),
        [(["--locale", "tlh"], "--locale: 'tlh' has no complete"), (["--controller", "9"], "--controller: 9 is not")],
    )
    def test_what_is_not_there_is_not_shown(self, home, tmp_path, words, reason):
        out = ["--out", str(tmp_path / "out"), *words]
        said = CliRunner().invoke(main, ["--home", str(home), "preview", *out], catch_exceptions=False)
        assert said.exit_code == 1
        assert said.stderr.startswith(reason)


class TestServing:
    @pytest.fixture
    def site(self):
        self.words = ["one"]
        live = Live(lambda: {FIRST: self.words[0].encode(), "frames/en/x.html": b"frame"}, lambda: self.words[0])
        with served(live, 0) as site:
            yield site

    def ask(self, site, path, method="GET", host=None):
        connection = http.client.HTTPConnection(site.removeprefix("http://"), timeout=10)
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.headers)

    def test_a_changed_word_is_there_when_the_page_is_loaded_again(self, site):
        assert self.ask(site, "/")[1] == "one"
        self.words[0] = "two"
        assert self.ask(site, "/index.html")[1] == "two"

    def test_a_frame_is_in_a_sandbox_of_its_own(self, site):
        self.ask(site, "/")
        status, body, headers = self.ask(site, "/frames/en/x.html")
        assert (status, body) == (200, "frame")
        assert "sandbox;" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
        assert "script" not in self.ask(site, "/")[2]["Content-Security-Policy"]

    @pytest.mark.parametrize("path", ["/../../etc/passwd", "/frames/../x", "/nothing", "//evil.example/"])
    def test_there_is_nothing_but_the_preview(self, site, path):
        assert self.ask(site, path)[0] == 404

    def test_another_name_for_this_machine_reads_nothing(self, site):
        """A page of somebody else could let its own host name lead to 127.0.0.1 (DNS rebinding)."""
        assert self.ask(site, "/", host="evil.example:80") == (400, "", self.ask(site, "/", host="evil.example:80")[2])
        assert self.ask(site, "/", host=site.removeprefix("http://"))[0] == 200

    def test_only_reading_is_answered(self, site):
        assert self.ask(site, "/", "POST")[0] == 501
        assert self.ask(site, "/", "HEAD")[:2] == (200, "")
