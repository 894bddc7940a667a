"""`consent-track ask` and `links`, as an operator types them."""

import csv
import io
import json
import stat
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner

from consent_track.cli import links, main
from consent_track.domain.vocabulary import TokenClass
from consent_track.records import outbox, sign_offs
from tests import world
from tests.world import ALICE, BOB, CHARLIE

DORA = "=dora@example.org"
LIST = f"email,locale,jurisdiction\n{ALICE},,\n{BOB},,FR\n{CHARLIE},fr,FR\n{DORA},en,US-CA\ninfo@example.org,,\n"
SMTP = 'smtp_url = "smtp://localhost:2525"'


@pytest.fixture
def acme(tmp_path):
    """Now, as for whoever types: Bob withdrew a moment ago."""
    runtime = world.populated(tmp_path / "home", clock=time.time, extra=SMTP)
    for locale in ("en", "fr"):
        with runtime.processing() as p:
            texts = runtime.wordings.texts(locale)
            sign_offs.record(p.session, sign_offs.SignOff(locale, texts.hash, "Ada", date(2026, 11, 18), "2026-11"))
    yield runtime
    runtime.database.close()


@pytest.fixture
def run(acme, tmp_path):
    """`consent-track --home HOME ...`, as JSON; with `code`, what was refused."""

    def invoke(*words, code=0, raw=False):
        answer = CliRunner().invoke(
            main, ["--home", str(tmp_path / "home"), *map(str, words), *([] if raw else ["--json"])]
        )
        assert answer.exit_code == code, answer.output
        if raw:
            return answer.stdout
        return json.loads(answer.stderr)["refused"][0] if code else json.loads(answer.stdout)

    return invoke


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    return path


def test_dry_run_then_run_then_links_then_report(run, file, tmp_path, acme):
    words = ("ask", "start", "--wave", "november", "--from", file)
    expected = {
        "wave": "november", "asked": 2, "asked_before": 0, "left_for_later": 0,
        "not_asked": {"grants_already": 1, "role_address": 1, "withdrew": 1},
    }  # fmt: skip
    assert run(*words, "--dry-run") == expected | {"dry_run": True}
    assert run("ask", "report", "november", code=1)["where"] == "wave"
    assert run(*words) == expected | {"dry_run": False}
    assert run(*words) == expected | {"dry_run": False, "asked": 0, "asked_before": 2}

    out = tmp_path / "links.csv"
    assert run("links", "export", "--wave", "november", "--out", out) == {"links": 2, "quoted": 1, "file": str(out)}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert {row["address"] for row in rows} == {CHARLIE, f"'{DORA}"}
    for row in rows:
        base, _, fragment = row["yes_url"].partition("#")
        assert (fragment, row["no_url"]) == ("yes", f"{base}#no")
        assert acme.tokens.open(TokenClass.PREFERENCE, base.rpartition("/")[2])

    found = run("ask", "report", "november")
    assert found["asked"] == found["outcomes"]["open"] == 2
    assert found["not_asked"] == expected["not_asked"]
    table = run("ask", "report", "november", "--format", "csv", raw=True)
    assert "outcome,open,2" in table.splitlines()
    assert json.loads(run("ask", "report", "november", "--format", "json", raw=True)) == found
    words = run("ask", "report", "november", raw=True)
    assert "may still answer" in words
    for text in (table, words):
        assert "@" not in text, "counts, never people"


def test_as_json_the_addresses_are_as_they_are(run, file, tmp_path, acme):
    run("ask", "start", "--wave", "november", "--from", file)
    out = tmp_path / "links.json"
    run("links", "export", "--wave", "november", "--format", "json", "--out", out)
    assert {row["address"] for row in json.loads(out.read_text())} == {CHARLIE, DORA}
    in_thirty_days = datetime.fromtimestamp(acme.now() + 30 * world.DAY, UTC).date()
    assert {row["answer_by"] for row in json.loads(out.read_text())} <= {
        (in_thirty_days - timedelta(days=late)).isoformat() for late in (0, 1)
    }


def test_a_file_is_never_overwritten_and_links_are_never_printed(run, file, tmp_path):
    run("ask", "start", "--wave", "november", "--from", file)
    out = tmp_path / "links.csv"
    out.write_text("mine")
    assert run("links", "export", "--wave", "november", "--out", out, code=1)["where"] == "--out"
    assert out.read_text() == "mine"
    said = run("links", "export", "--wave", "november", "--out", tmp_path / "other.csv", raw=True)
    assert "/p/" not in said
    assert "@" not in said
    assert run("links", "export", "--wave", "december", "--out", tmp_path / "none.csv", code=1)["where"] == "wave"
    assert not (tmp_path / "none.csv").exists()


FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠x", " =1", "\t=1", "\r=1", "\n=1", "\u00a0=1", "\u3000+1",
    "|x", "%x", "\tx", "\rx",
]  # fmt: skip


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_a_formula(cell):
    assert links.harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["a=b@example.org", "https://x/p/a-b#yes", "2026-12-18", "", "o'neil@example.org"])
def test_a_plain_cell_stays(cell):
    assert links.harmless(cell) == cell


def test_send_queues_one_mail_each(run, file, acme):
    assert run("ask", "start", "--wave", "november", "--from", file, "--send")["asked"] == 2
    with acme.reading() as p:
        assert outbox.length(p.session) == 2


def test_everybody(run):
    assert run("ask", "start", "--wave", "all", "--everybody", "--jurisdiction", "FR")["not_asked"] == {
        "grants_already": 1, "withdrew": 1
    }  # fmt: skip


@pytest.mark.parametrize("locale", ["en", "fr", "de", "ar"])
def test_preview_shows_the_mail_and_writes_nothing(run, locale, tmp_path, acme):
    before = len(world.chain(acme))
    html = tmp_path / "mail.html"
    shown = run("ask", "preview", "--purposes", "click_performance", "--locale", locale, "--html", html)
    assert shown["locale"] == locale
    assert "Acme" in shown["subject"]
    assert f'lang="{locale}" dir="{"rtl" if locale == "ar" else "ltr"}"' in html.read_text()
    assert "/p/EXAMPLE#yes" in shown["text"]
    assert "%(" not in shown["text"] + shown["subject"]
    assert len(world.chain(acme)) == before


def test_preview_of_a_wave_is_what_the_wave_asks(run, file):
    run("ask", "start", "--wave", "november", "--from", file, "--purposes", "click_performance")
    text = run("ask", "preview", "november", raw=True)
    assert "May Acme see which links you click?" in text
    assert "open its emails" not in text.partition("Either way")[0]
    assert run("ask", "preview", "december", code=1)["where"] == "wave"


REFUSED = {
    "both lists": (("--wave", "w", "--from", "list.csv", "--everybody"), "--from"),
    "no list": (("--wave", "w"), "--from"),
    "an unknown purpose": (("--wave", "w", "--everybody", "--purposes", "opens"), "--purposes"),
    "a reserved purpose": (("--wave", "w", "--everybody", "--purposes", "geo"), "purpose"),
    "no jurisdiction": (("--wave", "w", "--everybody", "--jurisdiction", "France"), "--jurisdiction"),
    "no controller": (("--wave", "w", "--everybody", "--controller", "7"), "--controller"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_asked_is_refused_by_the_name_of_the_field(run, what, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    words, where = REFUSED[what]
    assert run("ask", "start", *words, code=1)["where"] == where


FILES = {
    "a header that names no address": "name,locale\nx,en\n",
    "no address": f"email\n{CHARLIE}\nnobody\n",
    "two addresses in one": f'email\n"{ALICE}, {BOB}"\n',
    "a line break in an address": 'email\n"a@example.org\nBcc: b@example.org"\n',
    "a jurisdiction that is none": f"email,jurisdiction\n{CHARLIE},France\n",
    "nothing": "",
}


@pytest.mark.parametrize("what", FILES)
def test_a_bad_line_refuses_the_file_before_anybody_is_asked(run, what, file, acme):
    file.write_text(FILES[what])
    before = len(world.chain(acme))
    problem = run("ask", "start", "--wave", "w", "--from", file, code=1)
    assert problem["where"] in ("--from", "file")
    assert "@" not in problem["what"], "no address in an error"
    assert len(world.chain(acme)) == before


def test_one_address_a_line_is_a_list_too(run, file):
    file.write_text(f"{CHARLIE}\n{ALICE}\n")
    assert run("ask", "start", "--wave", "w", "--from", file, "--jurisdiction", "FR")["asked"] == 1


def test_without_a_mail_server_nobody_could_say_yes(tmp_path, file):
    runtime = world.populated(tmp_path / "other")
    runtime.database.close()
    words = ["--home", str(tmp_path / "other"), "ask", "start", "--wave", "w", "--from", str(file), "--json"]
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 1
    assert json.loads(answer.stderr)["refused"][0]["where"] == "smtp_url"
