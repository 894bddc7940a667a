"""`policy simulate`: what another policy would change about the mails of the last days, as the operator reads it."""

import json
import shutil

import pytest

from consent_track.bundled import bundled
from tests import world

DAYS = ["--days", "3660"]


@pytest.fixture
def sent(tmp_path):
    """Twelve people who consented got the November newsletter; one of them another mail."""
    runtime = world.installation(tmp_path / "home")
    for number in range(12):
        world.consents(runtime, f"yes{number}@example.org")
        world.prepare(runtime, world.mail_to(f"yes{number}@example.org"), f"yes{number}@example.org")
    yield runtime.config.home
    runtime.database.close()


@pytest.fixture
def never(tmp_path):
    """A policies folder that measures nobody."""
    shutil.copytree(bundled("policies"), tmp_path / "never")
    house = tmp_path / "never" / "house.toml"
    house.write_text(house.read_text().replace('individual = "consent"', 'individual = "never"'))
    return str(tmp_path / "never")


def test_in_words(run, sent, never):
    code, out, err = run("policy", "simulate", *DAYS, "--policies", never, home=sent)
    assert code == 0, err
    assert out.splitlines()[0] == "12 mails were prepared in the last 3660 days."
    assert (
        "FR requested_newsletter open_performance: measured 12, with the choices of today 12 -> 0\n"
        "    never_allowed: 12. The policy does not allow this purpose in this kind of mail.\n"
    ) in out
    assert "example.org" not in out


def test_in_json(run, sent, never):
    _, out, _ = run("policy", "simulate", *DAYS, "--policies", never, "--json", home=sent)
    value = json.loads(out)
    assert (value["mails"], value["hidden_below"], value["cells_hidden"]) == (12, 10, 0)
    opens = next(one for one in value["cells"] if one["purpose"] == "open_performance")
    assert opens == {
        "jurisdiction": "FR",
        "mail_type": "requested_newsletter",
        "purpose": "open_performance",
        "before": 12,
        "today": 12,
        "under": 0,
        "moved": 12,
        "reasons": {"never_allowed": 12},
        "rounded": False,
    }


def test_it_changes_nothing(run, sent, never):
    before = (sent / "consent_track.db").stat().st_size
    run("policy", "simulate", *DAYS, "--policies", never, home=sent)
    assert (sent / "consent_track.db").stat().st_size == before


def test_a_folder_that_does_not_load_is_refused(run, sent, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "house.toml").write_text('individual = "maybe"\n')
    code, _, err = run("policy", "simulate", *DAYS, "--policies", str(tmp_path / "broken"), home=sent)
    assert code == 1
    assert "individual" in err


def test_days_and_folder_are_checked(run, sent, never, tmp_path):
    assert run("policy", "simulate", "--days", "0", "--policies", never, home=sent)[0] == 2
    assert run("policy", "simulate", *DAYS, "--policies", str(tmp_path / "nowhere"), home=sent)[0] == 2
    assert run("policy", "simulate", *DAYS, home=sent)[0] == 2
