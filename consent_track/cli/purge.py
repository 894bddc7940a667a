"""`purge`: what is older than it may be goes; with --dry-run, what would go, and why."""

import click

from consent_track.activities import retaining

from . import Home, pass_home


@click.command()
@click.option("--dry-run", is_flag=True, help="Count only; delete nothing.")
@pass_home
def purge(home: Home, dry_run: bool) -> None:
    """Delete what has outlived its retention class; every run leaves evidence, zero included."""
    runtime = home.runtime()
    done = retaining.purge(runtime.processing, dry_run=dry_run)
    value = {
        "dry_run": dry_run,
        "classes": [
            {
                "table": one.table,
                "class": one.data_class,
                "keep_days": one.keep_days,
                "older_than": one.cutoff.isoformat(),
                "rows": one.count,
                "held": one.held,
                "why": one.why,
            }
            for one in done
        ],
    }
    verb = "would go" if dry_run else "deleted"
    lines = [
        f"{one.table}: {one.count} {verb}, older than {one.cutoff} ({one.data_class}, {one.keep_days} days)"
        f"{f', {one.held} held back' if one.held else ''}. {one.why}"
        for one in done
    ]
    home.emit(value, "\n".join(lines))
