"""Which requirements of the law catalogue the tests of this release prove, and which they do not.

The data is made from the marks in the tests when a release is made; the package ships it, so that an installation can
answer without the tests.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import Final

SHIPPED: Final = "law_coverage.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement, and the tests that prove it; none, if it belongs to a later release or is not proved yet."""

    id: str
    area: str
    requirement: str
    confidence: str
    tests: tuple[str, ...]
    why_not: str = ""  # where no test proves it: not ours, or not yet, and why


@dataclass(frozen=True, slots=True)
class Area:
    """One area of the law, such as withdrawal."""

    name: str
    rows: tuple[Row, ...]

    @property
    def covered(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.tests)

    @property
    def uncovered(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.tests)


def load_rows() -> tuple[Row, ...]:
    """Every row of the catalogue, in its order."""
    text = files("consent_track").joinpath(SHIPPED).read_text(encoding="utf-8")
    return tuple(Row(**{**row, "tests": tuple(row["tests"])}) for row in json.loads(text)["rows"])


def by_area(rows: Iterable[Row]) -> tuple[Area, ...]:
    """The rows in the areas of the catalogue; its rows stand area by area."""
    return tuple(Area(name, tuple(group)) for name, group in groupby(rows, key=lambda row: row.area))
