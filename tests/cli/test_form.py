"""The consent form for other people's pages: what the command prints, and that its answer is taken."""

import re

import pytest
from click.testing import CliRunner

from consent_track import worker
from consent_track.activities import notifying
from consent_track.cli import main
from consent_track.web import create_app
from tests import world
from tests.web.loop import Mailboxes, sign


@pytest.fixture
def acme(tmp_path):
    runtime = world.populated(tmp_path / "home", extra='smtp_url = "smtp://localhost:2525"')
    sign(runtime, "fr")
    yield runtime
    runtime.database.close()


def run(runtime, *args):
    return CliRunner().invoke(main, ["--home", str(runtime.config.home), "form", *args])


def test_what_is_pasted_into_a_page_has_no_script_and_comes_back(acme):
    printed = run(acme, "--locale", "fr", "--variant", "mail", "--jurisdiction", "FR")
    assert printed.exit_code == 0, printed.output
    page = printed.output
    assert 'lang="fr"' in page
    assert not re.search(r"<script|style=|checked|onclick|<img|<link", page)
    assert 'action="https://mail.acme.example/consent/1"' in page
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    client = create_app(acme).test_client()
    answer = client.post(
        "/consent/1",
        base_url="https://mail.acme.example",
        data={**fields, "email": "new@example.org", "answer": "all", "mail": "yes"},
        headers={"Origin": "https://shop.example"},
    )
    assert answer.status_code == 200
    worker.run_once(acme, "answer")
    boxes = Mailboxes()
    notifying.deliver(acme.processing, boxes)
    assert [to for to, _ in boxes.mails] == ["new@example.org"]


@pytest.mark.parametrize(
    ("args", "where"),
    [
        (["--locale", "en"], "--locale"),
        (["--locale", "xx"], "--locale"),
        (["--locale", "fr", "--jurisdiction", "Mars"], "--jurisdiction"),
        (["--locale", "fr", "--jurisdiction", "FR", "--variant", "bundled"], "--variant"),
        (["--locale", "fr", "--controller", "9"], "controller"),
    ],
)
def test_what_cannot_be_asked_is_said_by_its_name(acme, args, where):
    refused = run(acme, *args)
    assert refused.exit_code == 1
    assert refused.output.startswith(f"{where}: ")
