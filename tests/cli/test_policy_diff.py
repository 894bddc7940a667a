"""`policy diff`: two folders, two packs, or a version of the past held against the present; in words and in JSON."""

import json
import shutil

import pytest

from consent_track.bootstrap import bootstrap
from consent_track.bundled import bundled
from consent_track.config import load_config

SHIPPED = bundled("policies")


@pytest.fixture
def other(tmp_path):
    """A copy of the shipped policies, to be changed."""
    shutil.copytree(SHIPPED, tmp_path / "other")
    return tmp_path / "other"


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_folder_does_not_differ_from_itself(run, other):
    code, out, _ = run("policy", "diff", str(SHIPPED), str(other))
    assert (code, out) == (0, "No difference.\n")
    change(other / "FR.toml", "# France", "# The French")
    assert run("policy", "diff", str(SHIPPED), str(other))[0] == 0, "a comment is no difference"


def test_a_changed_cell_is_said_in_words_and_ends_with_1(run, other):
    change(other / "house.toml", "[regimes]\n", '[regimes]\nUS-NY = "notice"\n')
    change(other / "house.toml", "[notices]\n", '[notices]\nUS-NY = "v1"\n')
    change(other / "FR.toml", "token_life_days = { value = 90,", "token_life_days = { value = 60,")
    code, out, _ = run("policy", "diff", str(SHIPPED), str(other))
    assert code == 1
    assert sorted(" ".join(line.split()) for line in out.splitlines()) == [
        "FR parameter token_life_days: 90 -> 60 (stricter)",
        "US-OTHER here holds aggregate_count in every mail, US-NY: consent -> notice (looser)",
        "US-OTHER here holds auth_security in every mail, US-NY: consent -> notice (looser)",
        "US-OTHER here holds click_performance in every mail, US-NY: consent -> notice (looser)",
        "US-OTHER here holds deliverability_hygiene in every mail, US-NY: consent -> notice (looser)",
        "US-OTHER here holds legal_notice_receipt in every mail, US-NY: consent -> notice (looser)",
        "US-OTHER here holds open_performance in every mail, US-NY: consent -> notice (looser)",
        "house house notices.US-NY: nothing -> v1",
        "house house regimes.US-NY: nothing -> notice",
    ]


def test_in_json_every_change_has_its_area_and_its_direction(run, other):
    change(other / "IT.toml", 'source = "', 'source = "Also: ')
    change(other / "IT.toml", "hits = { min_days = 0, max_days = 396,", "hits = { min_days = 0, max_days = 90,")
    code, out, _ = run("policy", "diff", str(SHIPPED), str(other), "--json")
    value = json.loads(out)
    assert (code, value["differ"]) == (1, True)
    assert value["changes"][0] == {
        "policy": "IT",
        "area": "retention",
        "about": "hits",
        "was": "0 to 396 days",
        "becomes": "0 to 90 days",
        "direction": "stricter",
    }
    assert {one["area"] for one in value["changes"][1:]} == {"text"}
    words = run("policy", "diff", str(SHIPPED), str(other))[1].splitlines()
    assert words[-1] == f"{len(value['changes']) - 1} sources, notes and other words differ, too; --json shows them"


def test_two_packs_are_held_against_each_other_under_one_house(run):
    code, out, _ = run("policy", "diff", str(SHIPPED / "EU.toml"), str(SHIPPED / "FR.toml"))
    assert code == 1
    assert "transition    addresses held before a date: nothing -> collected before 2026-04-14" in out
    assert run("policy", "diff", str(SHIPPED / "FR.toml"), str(SHIPPED / "FR.toml"))[0] == 0


def test_one_pack_is_held_against_the_one_in_force(run, other):
    assert run("policy", "diff", str(other / "FR.toml"))[0] == 0
    change(other / "FR.toml", "token_life_days = { value = 90,", "token_life_days = { value = 60,")
    code, out, _ = run("policy", "diff", str(other / "FR.toml"))
    assert code == 1
    assert out.split() == "FR parameter token_life_days: 60 -> 90 (looser)".split()


def test_an_operators_own_folder_is_read_on_top_of_what_is_shipped(run, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "FR.toml").write_text((SHIPPED / "FR.toml").read_text().replace("value = 90,", "value = 60,"))
    code, out, _ = run("policy", "diff", str(SHIPPED), str(mine))
    assert code == 1
    assert out.split() == "FR parameter token_life_days: 90 -> 60 (stricter)".split()


class TestVersionOfThePast:
    def test_a_version_that_was_in_force_is_held_against_the_present(self, run, installed):
        runtime = bootstrap(load_config({}, installed))
        then = runtime.policies.for_jurisdiction("FR").hash
        runtime.database.close()
        assert run("policy", "diff", then, home=installed)[0] == 0
        assert run("policy", "diff", then[:8], home=installed)[0] == 0

        change(installed / "policies" / "house.toml", "silence_days = 30", "silence_days = 14\ntoken_life_days = 60")
        code, out, _ = run("policy", "diff", then[:12], home=installed)
        assert code == 1
        assert [" ".join(line.split()) for line in out.splitlines()] == [
            "FR house parameters.silence_days: 30 -> 14",
            "FR house parameters.token_life_days: nothing -> 60",
        ]
        runtime = bootstrap(load_config({}, installed))
        now = runtime.policies.for_jurisdiction("FR").hash
        runtime.database.close()
        assert len(json.loads(run("policy", "diff", then, now, "--json", home=installed)[1])["changes"]) == 2

    @pytest.mark.parametrize("name", ["0123456789abcdef", "abc", "nowhere", ""])
    def test_what_names_nothing_is_refused(self, run, installed, name):
        code, _, err = run("policy", "diff", name, home=installed)
        assert code == 1
        assert err.startswith("OLD: ")

    def test_a_folder_is_not_held_against_a_pack(self, run):
        code, _, err = run("policy", "diff", str(SHIPPED), str(SHIPPED / "FR.toml"))
        assert code == 1
        assert err.startswith("NEW: must be of the same kind")

    def test_a_folder_that_does_not_load_is_refused_with_every_problem(self, run, other):
        change(other / "FR.toml", "[rules.geo]", "[rules.place]")
        code, _, err = run("policy", "diff", str(SHIPPED), str(other))
        assert code == 1
        assert "FR.toml: rules.geo: is missing" in err
