"""docs/figures.md from a run: `cat figures.jsonl | python tests/benchmarks/report.py > docs/figures.md`."""

import json
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version

LIBRARIES = ("consent-track", "cryptography", "flask", "granian", "itsdangerous", "pytracking", "sqlalchemy")
HEAD = """\
# Figures of one run

Made by `make figures`. Machines differ and are shared; the ratios, taken in one run on one machine, are what can be
compared. Counts that must be zero make `make verify` fail if they are not.

{when}. {machine}. {programs}
"""


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as facts:
            names = re.findall(r"^model name\s*: (.+)$", facts.read(), re.MULTILINE)
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def said(*command: str) -> str:
    """The first line that a program says of its version."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"no {command[0]}"
    return (done.stdout + done.stderr).strip().splitlines()[0]


def number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:g}"


def main() -> None:
    figures = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    programs = ", ".join(
        [
            f"Python {platform.python_version()}",
            said("nginx", "-v"),
            said("wrk", "-v").partition(" Copyright")[0],
            *(f"{name} {version(name)}" for name in LIBRARIES),
        ]
    )
    print(
        HEAD.format(
            when=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            machine=f"{os.cpu_count()} processors ({processor()}), {platform.system()} {platform.release()}",
            programs=programs + ".",
        )
    )
    print("| figure | value | unit | ratio | yardstick | n | command |\n|---|---:|---|---:|---|---:|---|")
    for one in figures:
        cells = (
            one["name"], number(one["value"]), one["unit"], number(one["ratio"]), one["yardstick"] or "",
            number(one["n"]), f"`{one['command']}`",
        )  # fmt: skip
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
