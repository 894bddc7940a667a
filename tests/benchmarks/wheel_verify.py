"""The built wheel, installed into an empty environment, makes an installation that its own doctor finds healthy.

python tests/benchmarks/wheel_verify.py
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT)]

from figures import must, show, stopwatch  # noqa: E402

from consent_track import __version__  # noqa: E402

COMMAND: Final = "python tests/benchmarks/wheel_verify.py"


def steps(place: Path) -> list[list[str]]:
    """What a stranger does, each a command that must succeed."""
    python, command, home = place / "venv/bin/python", place / "venv/bin/consent-track", str(place / "home")
    wheels = place / "dist"
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT)]
    make = [sys.executable, "-m", "venv", str(place / "venv")]
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        str(ROOT / "constraints.txt"),
    ]
    return [
        build,
        make,
        [*pip, str(wheels / f"consent_track-{__version__}-py3-none-any.whl")],
        [str(command), "--home", home, "init"],
        [str(command), "--home", home, "doctor"],
        [str(command), "--home", home, "policy", "check"],
        [str(command), "demo", "--once", "--json"],
    ]


def main() -> None:
    failed = 0
    place = Path(tempfile.mkdtemp(prefix="consent-track-wheel-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_TRACK_")}
    try:
        with stopwatch() as taken:
            for step in steps(place):
                done = subprocess.run(step, cwd=place, env=environment, capture_output=True, text=True)
                if done.returncode:
                    failed += 1
                    print(f"{' '.join(step)}\n{done.stdout}{done.stderr}", file=sys.stderr)
    finally:
        shutil.rmtree(place)
    figures = [show("wheel_install_failures", failed, "steps", n=len(steps(place)), seconds=taken[0], command=COMMAND)]
    must(figures, "wheel_install_failures", 0)


if __name__ == "__main__":
    main()
