"""A policy that is wrong does not load, and says which file and which key, everything at once (T38)."""

import hashlib
import json
import shutil
import tomllib
from pathlib import Path

import pytest

from consent_track.bundled import bundled
from consent_track.domain.errors import PolicyRefused
from consent_track.domain.vocabulary import INDIVIDUAL, Purpose
from consent_track.policy_files import load_house, load_pack, load_policies, remarks
from consent_track.policy_reading import LONGEST_FILE
from tests.law.toml_text import written

SHIPPED = {path.name: path.read_text(encoding="utf-8") for path in sorted(bundled("policies").glob("*.toml"))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped folder that a test may spoil."""
    return Path(shutil.copytree(bundled("policies"), tmp_path / "policies"))


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{old!r} is not in {name}"
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def problems(*folders: Path, **more) -> list[str]:
    """What is wrong, as `FR.toml: key: what`; nothing, if the folders load."""
    try:
        load_policies(folders, **more)
    except PolicyRefused as refused:
        found = [str(problem) for problem in refused.problems]
        for place in folders:
            found = [one.replace(f"{place}/", "").replace(str(place), place.name) for one in found]
        return found
    return []


DEFECTS = [
    [cell.replace("⏎", "\n") for cell in line.split(" | ")]
    for line in (Path(__file__).parent / "pack_defects.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_the_shipped_folder_loads_as_it_is(folder):
    assert problems(folder) == []


@pytest.mark.law("RE-10")
@pytest.mark.parametrize(("name", "old", "new", "expected"), DEFECTS)
def test_each_defect_names_file_and_key(folder, name, old, new, expected):
    spoil(folder, name, old, new)
    assert any(one.startswith(expected) for one in problems(folder)), problems(folder)


def test_every_problem_of_every_file_is_told_at_once(folder):
    spoil(folder, "FR.toml", "value = 90,", "value = 0,")
    spoil(folder, "FR.toml", "sign_offs =", "signoffs =")
    spoil(folder, "IT.toml", 'status = "released"', 'status = "maybe"')
    spoil(folder, "house.toml", 'individual = "consent"', 'individual = "notice"')
    assert [": ".join(one.split(": ")[:2]) for one in problems(folder)] == [
        "house.toml: individual",
        "FR.toml: parameters.token_life_days.value",
        "FR.toml: retention.sign_offs",
        "FR.toml: retention.signoffs",
        "IT.toml: status",
    ]


class TestFiles:
    def test_without_a_house_policy_nothing_loads(self, folder):
        (folder / "house.toml").unlink()
        assert problems(folder) == ["house.toml: is in none of the policies folders"]

    def test_a_folder_that_is_not_there_is_a_problem(self, folder, tmp_path):
        assert problems(folder, tmp_path / "mine") == ["mine: is not a folder"]

    def test_a_file_over_256_kb_is_not_read(self, folder):
        (folder / "FR.toml").write_text(SHIPPED["FR.toml"] + "#" * LONGEST_FILE)
        assert problems(folder) == ["FR.toml: file: is larger than 256 kB"]

    @pytest.mark.parametrize(
        "octets",
        [b"\xff\xfe", b"id = \xe9", b"a = " + b"[" * 100_000, b"a = " + b"9" * 5_000, b'id = "FR"\nid = "IT"', b"\x00"],
        ids=["utf-16", "latin-1", "nested", "huge number", "the same key twice", "a zero octet"],
    )
    def test_what_is_not_toml_is_a_problem_and_nothing_worse(self, folder, octets):
        (folder / "FR.toml").write_bytes(octets)
        (only,) = problems(folder)
        assert only.startswith("FR.toml: file: is ")

    def test_one_file_alone_can_be_read(self, folder):
        assert load_pack(folder / "FR.toml").id == "FR"
        assert load_house(folder / "house.toml").individual.value == "consent"
        spoil(folder, "FR.toml", 'id = "FR"', "id = 1")
        spoil(folder, "house.toml", "drafts = []", "drafts = 1")
        for load, name in ((load_pack, "FR.toml"), (load_house, "house.toml")):
            with pytest.raises(PolicyRefused) as refused:
                load(folder / name)
            assert refused.value.problems[0].where.startswith(str(folder / name))


class TestOwnFolder:
    @pytest.fixture
    def own(self, tmp_path) -> Path:
        (tmp_path / "mine").mkdir()
        return tmp_path / "mine"

    def test_the_same_id_replaces_and_is_reported(self, folder, own):
        mine = SHIPPED["FR.toml"].replace("value = 90,", "value = 30,").replace("2026-11-23", "2027-01-01")
        (own / "my-france.toml").write_text(mine)
        policies = load_policies([folder, own])
        assert policies.for_jurisdiction("FR").number("token_life_days") == 30
        assert policies.for_jurisdiction("FR").pack.law_version == "2027-01-01"
        assert remarks([folder, own]).replaced == (f"FR: {own / 'my-france.toml'}",)
        assert remarks([folder]).replaced == ()

    def test_the_last_house_policy_holds(self, folder, own):
        (own / "house.toml").write_text(SHIPPED["house.toml"] + "token_life_days = 7\n")
        assert load_policies([folder, own]).for_jurisdiction("FR").number("token_life_days") == 7

    @pytest.mark.parametrize(("code", "covers"), [("NO", "[]"), ("CH", '["LI-*"]')])
    def test_norway_is_a_country_and_no_truth_value(self, folder, own, code, covers):
        text = SHIPPED["EU.toml"]
        start, end = text.index("covers = ["), text.index("]", text.index("covers = [")) + 1
        text = text[:start] + f"covers = {covers}" + text[end:]
        (own / f"{code}.toml").write_text(text.replace('id = "EU"', f'id = "{code}"'))
        policies = load_policies([folder, own])
        assert policies.for_jurisdiction(code).id == code

    def test_a_draft_loads_only_when_the_operator_names_it(self, folder, own):
        draft = SHIPPED["DE.toml"].replace('id = "DE"', 'id = "BG"').replace('"released"', '"draft"')
        (own / "BG.toml").write_text(draft)
        assert load_policies([folder, own]).for_jurisdiction("BG").id == "EU"
        spoil(folder, "house.toml", "drafts = []", 'drafts = ["BG"]')
        assert load_policies([folder, own]).for_jurisdiction("BG").id == "BG"

    def test_a_draft_never_replaces_a_released_pack_by_itself(self, folder, own):
        (own / "FR.toml").write_text(
            SHIPPED["FR.toml"].replace('"released"', '"draft"').replace("value = 90,", "value = 1,")
        )
        assert load_policies([folder, own]).for_jurisdiction("FR").number("token_life_days") == 90
        assert remarks([folder, own]).replaced == ()

    def test_a_draft_that_nobody_named_is_checked_all_the_same(self, folder, own):
        (own / "BG.toml").write_text(
            SHIPPED["DE.toml"].replace('"released"', '"draft"').replace("value = 90,", "value = 0,")
        )
        assert any(one.startswith("BG.toml: parameters.token_life_days") for one in problems(folder, own))

    def test_further_files_are_read_as_the_last_folder(self, folder, own):
        (own / "x.toml").write_text(SHIPPED["FR.toml"].replace("value = 90,", "value = 30,"))
        assert load_policies([folder], files=[own / "x.toml"]).for_jurisdiction("FR").number("token_life_days") == 30


class TestHouse:
    def test_a_notice_regime_with_its_notice_loads(self, folder):
        spoil(folder, "house.toml", "[regimes]", '[regimes]\nUS-NY = "notice"')
        spoil(folder, "house.toml", "[notices]", '[notices]\nUS-OTHER = "v1 of 2026-11-01"')
        policy = load_policies([folder]).for_jurisdiction("US-NY")
        assert policy.notice_for("US-NY") == "v1 of 2026-11-01"

    def test_a_stricter_regime_needs_no_notice(self, folder):
        spoil(folder, "house.toml", "[regimes]", '[regimes]\nFR = "never"')
        assert problems(folder) == []

    def test_the_transition_of_a_pack_can_be_used(self, folder):
        spoil(folder, "house.toml", "legacy_regimes = []", 'legacy_regimes = ["FR", "IT"]')
        assert load_policies([folder]).house.legacy_regimes == {"FR", "IT"}


class TestTexts:
    def test_a_purpose_without_a_text_in_the_default_locale_does_not_load(self, folder):
        found = problems(folder, purpose_texts=lambda purpose: purpose is not Purpose.PERSONALISATION)
        assert found == ["AU.toml: rules.personalisation: has no text in the default locale"]

    def test_a_purpose_that_is_never_served_needs_none(self, folder):
        asked = set()
        load_policies([folder], purpose_texts=lambda purpose: asked.add(purpose) is None)
        assert asked == set(INDIVIDUAL)


class TestVersion:
    def test_comments_spaces_and_order_do_not_change_it(self, folder):
        before = load_policies([folder]).by_id["FR"].hash
        spoil(folder, "FR.toml", 'id = "FR"', '# a comment\nid   =   "FR"  # another')
        content = tomllib.loads((folder / "FR.toml").read_text())
        (folder / "FR.toml").write_text(written(dict(reversed(content.items()))))
        assert load_policies([folder]).by_id["FR"].hash == before

    def test_any_word_of_the_pack_or_the_house_changes_it(self, folder):
        versions = {load_policies([folder]).by_id["FR"].hash}
        for name, old, new in (
            ("FR.toml", "FAQ Q18", "FAQ Q19"),
            ("FR.toml", "value = 90,", "value = 89,"),
            ("house.toml", '= "strip"', '= "refuse"'),
        ):
            spoil(folder, name, old, new)
            versions.add(load_policies([folder]).by_id["FR"].hash)
        assert len(versions) == 4

    def test_the_house_changes_every_policy_and_a_pack_its_own(self, folder):
        before = load_policies([folder])
        spoil(folder, "FR.toml", "FAQ Q18", "FAQ Q19")
        after = load_policies([folder])
        assert {code for code in before.by_id if before.by_id[code].hash != after.by_id[code].hash} == {"FR"}

    def test_two_policies_whose_versions_begin_alike_do_not_load(self, folder):
        """A token carries four octets of a version; two that share them were found by trying."""
        numbers = colliding(*(tomllib.loads(SHIPPED[name]) for name in ("FR.toml", "IT.toml", "house.toml")))
        for name, number in zip(("FR.toml", "IT.toml"), numbers, strict=True):
            tree = tomllib.loads(SHIPPED[name])
            tree["uncertain"].append(f"pack: {number}")
            (folder / name).write_text(written(tree))
        assert problems(folder) == ["IT: hash: begins like that of FR; change a word of one of them"]


def colliding(one: dict, other: dict, house: dict) -> tuple[int, int]:
    """Two numbers that give both packs a version with the same first four octets (a birthday among 2**32)."""
    seen: dict[bytes, int] = {}
    for number, begins in _beginnings(one, house):
        seen[begins] = number
    for number, begins in _beginnings(other, house):
        if begins in seen:
            return seen[begins], number
    raise AssertionError("no birthday today")


def _beginnings(pack: dict, house: dict):
    pack["uncertain"].append("pack: NUMBER")
    canonical = json.dumps(
        {"house": house, "pack": pack}, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False
    )
    head, tail = canonical.encode().split(b"NUMBER")
    hashed = hashlib.sha256(head)
    for number in range(300_000):
        here = hashed.copy()
        here.update(b"%d%b" % (number, tail))
        yield number, here.digest()[:4]
