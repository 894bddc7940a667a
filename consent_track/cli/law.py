"""`law`: what of the law this release proves by tests, said honestly."""

import click

from consent_track.law_coverage import by_area, load_rows

from . import Home, pass_home


@click.group()
def law() -> None:
    """Say which rows of the law catalogue the tests prove."""


@law.command()
@pass_home
def coverage(home: Home) -> None:
    """For each area of the law: how many requirements, which tests prove them, which are not proved here."""
    rows = load_rows()
    areas = by_area(rows)
    covered = sum(1 for row in rows if row.tests)
    value = {
        "rows": len(rows),
        "covered": covered,
        "areas": [
            {
                "area": area.name,
                "rows": len(area.rows),
                "covered": {row.id: list(row.tests) for row in area.covered},
                "not_covered": {row.id: row.why_not or row.requirement for row in area.uncovered},
            }
            for area in areas
        ],
    }
    lines = [f"{covered} of {len(rows)} requirements are proved by tests; the others are not, or not yet."]
    for area in areas:
        lines += ["", f"{area.name}: {len(area.covered)} of {len(area.rows)}"]
        lines += [f"  {row.id}  {test}" for row in area.covered for test in row.tests]
        lines += [f"  {row.id}  not covered: {row.why_not or row.requirement}" for row in area.uncovered]
    home.emit(value, "\n".join(lines))
