"""Markup, templates and line breaks in every field that is stored or sent: shown to the letter, executed nowhere."""

import re

import pytest

from consent_track.bootstrap import bootstrap
from consent_track.config import load_config
from consent_track.web import create_app
from tests.web.conftest import Site
from tests.web.loop import fill, link_in, mails, press, sign
from tests.world import ALICE

NAMES = (
    '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
    "</title><svg onload=alert(1)>",
    "{{7*7}}", "{% for x in [] %}", "${7*7}", "<%= 7*7 %>", "#{7*7}", "%(controller)s", "&lt;b&gt;", "\u202egnp.exe",
    "javascript:alert(1)", "<style>*{display:none}</style>", "--><script>alert(1)</script><!--",
)  # fmt: skip
ALIVE = re.compile(r"<script|<svg|<img|<style>\*|\b49\b")


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.law("SE-06")
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_to_the_letter_on_every_page_and_in_every_mail(tmp_path, clock, name):
    controller = f'postal_address = {quoted(name)}\nunsubscribe = "consent_track"'
    extra = 'smtp_url = "smtp://localhost:2525"'
    site = Site(tmp_path / "home", clock, controller=controller, extra=extra)
    config = site.runtime.config.home / "consent_track.toml"
    config.write_text(config.read_text().replace('name = "Acme"', f"name = {quoted(name)}"))
    site.runtime.database.close()
    site.runtime = bootstrap(load_config({}, site.runtime.config.home), clock=clock)
    site.app = create_app(site.runtime)
    site.browser = site.app.test_client()
    sign(site.runtime)
    choices = site.link(ALICE)
    pages = [site.ask(path).text for path in (choices, site.link(ALICE, "u"), "/privacy", "/consent?locale=en")]
    pages.append(fill(site, "new@example.org", source=name).text)
    [(_, mail)] = mails(site)
    pages += [site.ask(link_in(mail)).text, press(site, link_in(mail)).text]
    pages.append(site.ask(choices, "POST", data={"off": "all"}).text)
    for page in pages:
        head, _, body = page.partition("<body>")
        assert not ALIVE.search(body), body
        assert not re.search(r"<script|<svg", head)
    assert b"\r\nBcc:" not in mail
    site.runtime.database.close()


@pytest.mark.parametrize("email", [*NAMES, "a@b.example\r\nBcc: x@y.example", "a@b.example\0", "=?x?q?x?=@b.example"])
def test_what_is_typed_as_an_address_is_shown_to_the_letter_or_not_at_all(acme, email):
    for path, data in (("/privacy", {"do": "link"}), ("/consent", {"answer": "none"})):
        page = acme.ask(path, "POST", data={"email": email, **data}).text
        assert not ALIVE.search(page.partition("<body>")[2]), page
    assert mails(acme) == []


@pytest.mark.parametrize("field", ["locale", "jurisdiction", "variant", "wording", "purpose", "mail"])
def test_hidden_fields_that_were_changed_break_nothing(acme, field):
    for value in (*NAMES, "x" * 5_000, "\0", "é", "../../etc/passwd"):
        answer = acme.ask("/consent", "POST", data={"email": "a@example.org", "answer": "all", field: value})
        assert answer.status_code in (400, 409, 413, 422, 429)
        assert not ALIVE.search(answer.text.partition("<body>")[2])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_page_fails_on_a_query_or_a_path_of_nonsense(acme, method):
    for path in (
        "/consent?locale=%00&variant=<x>", "/consent/0", "/consent/99999999999", "/v/", "/v/%00", "/privacy?x=%ff",
        "/p/x/confirmation/1", "/look/1.css?x", "/look/99999.css", "/v/x/receipt/-1",
    ):  # fmt: skip
        answer = acme.ask(path, method, data={"email": "x", "do": "link"} if method == "POST" else None)
        assert answer.status_code < 500, path


@pytest.mark.parametrize("email", ["=?x?q?x?=@b.example", "jürgen@example.org", "用户@example.org"])
def test_an_address_that_no_mail_can_carry_holds_up_nobody(acme, email):
    acme.ask("/privacy", "POST", data={"email": email, "do": "link"})
    acme.ask("/privacy", "POST", data={"email": ALICE, "do": "link"})
    assert ALICE in [to for to, _ in mails(acme)]
    assert mails(acme) == []
