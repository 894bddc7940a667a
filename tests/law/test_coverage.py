"""What the package says of its own proofs is what stands in the tests: no row more, none less."""

from collections import Counter

import pytest

from consent_track.law_coverage import by_area, load_rows
from tests.law import coverage

ROWS = """
    Consent collection                    20
    Token issue                           15
    Checks at the hit                     14
    Withdrawal                            17
    Disclosure                            13
    IP address and data minimisation      13
    Retention                             13
    Access, correction, portability       14
    Deletion, restriction, objection      13
    Opt-out, GPC and other signals        16
    Verification of requests              12
    Deadlines                             14
    Records and evidence                  14
    Security                               8
    Technical standards                   15
"""


def test_the_catalogue_is_whole():
    counted = Counter(str(row["area"]) for row in coverage.catalogue())
    expected = {line.strip().rsplit(maxsplit=1)[0]: int(line.split()[-1]) for line in ROWS.strip().splitlines()}
    assert counted == expected
    assert counted.total() == 211 == len({row["id"] for row in coverage.catalogue()})


@pytest.mark.parametrize("key", ["id", "jurisdictions", "requirement", "behaviour", "source", "confidence"])
def test_every_row_says_everything(key):
    assert all(row[key] for row in coverage.catalogue())
    assert {row["confidence"] for row in coverage.catalogue()} == set("PQSMH")


def test_a_row_without_a_proof_says_why_and_one_with_a_proof_has_no_excuse():
    proved = coverage.proofs()
    for row in coverage.catalogue():
        assert (str(row["id"]) in proved) != bool(row.get("why_not")), row["id"]


def test_the_shipped_file_is_what_the_tests_prove():
    shipped = coverage.SHIPPED.read_text(encoding="utf-8")
    assert shipped == coverage.rendered(), "stale; run: python tests/law/coverage.py"


def test_the_package_reads_it_area_by_area():
    areas = by_area(load_rows())
    assert [area.name for area in areas] == [line.strip().rsplit(maxsplit=1)[0] for line in ROWS.strip().splitlines()]
    for area in areas:
        assert len(area.covered) + len(area.uncovered) == len(area.rows)
        assert all(row.tests for row in area.covered)


SOURCE = """
import pytest

pytestmark = pytest.mark.law("CC-01")

TABLE = {"TI-01": 1, "TI-02": 2}


@pytest.mark.law("RE-10", "RE-11")
def test_one(): ...


class TestTwo:
    @pytest.mark.law("AH-01")
    def test_in_a_class(self): ...

    @pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.law(row)) for row in TABLE])
    def test_each(self, row): ...
"""


def test_marks_are_found_wherever_they_stand():
    assert sorted(coverage.marks(SOURCE)) == [
        ("", "CC-01"),
        ("::TestTwo::test_each", "TI-01"),
        ("::TestTwo::test_each", "TI-02"),
        ("::TestTwo::test_in_a_class", "AH-01"),
        ("::test_one", "RE-10"),
        ("::test_one", "RE-11"),
    ]


@pytest.mark.parametrize(
    "mark", ["pytest.mark.law(f'CC-{1}')", "pytest.mark.law(row)", "pytest.mark.law(1)", "pytest.mark.law(*ROWS)"]
)
def test_a_mark_that_cannot_be_read_is_refused(mark):
    with pytest.raises(coverage.UnknownRow):
        list(coverage.marks(f"@{mark}\ndef test_one(): ..."))


def test_a_mark_of_a_row_that_is_not_in_the_catalogue_is_refused(tmp_path):
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_x.py").write_text('@pytest.mark.law("CC-99")\ndef test_one(): ...')
    with pytest.raises(coverage.UnknownRow, match="test_one: 'CC-99' is not in"):
        coverage.proofs(tests)
    (tests / "test_x.py").write_text('@pytest.mark.law("CC-01")\ndef test_one(): ...')
    assert coverage.proofs(tests) == {"CC-01": ["tests/test_x.py::test_one"]}
