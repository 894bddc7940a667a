"""How a figure is printed: one JSON object a line, with the command that makes it again."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def show(
    name: str,
    value: float | int | None,
    unit: str,
    *,
    yardstick: str | None = None,
    ratio: float | None = None,
    n: int | None = None,
    seed: int | None = None,
    seconds: float | None = None,
    command: str,
) -> dict[str, Any]:
    """Print one figure and return it; null where a field does not apply."""
    figure = {
        "name": name,
        "value": _rounded(value),
        "unit": unit,
        "yardstick": yardstick,
        "ratio": _rounded(ratio),
        "n": n,
        "seed": seed,
        "seconds": _rounded(seconds),
        "command": command,
    }
    print(json.dumps(figure, ensure_ascii=False), flush=True)
    return figure


def _rounded(value: float | int | None) -> float | int | None:
    return value if value is None or isinstance(value, int) else float(f"{value:.4g}")


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Seconds of a block, as the one element of a list once the block is left."""
    taken: list[float] = []
    begun = time.perf_counter()
    yield taken
    taken.append(time.perf_counter() - begun)


def must(figures: list[dict[str, Any]], name: str, most: float) -> None:
    """Fail the run if a figure is above its bound."""
    for figure in figures:
        if figure["name"] == name and not figure["value"] <= most:
            sys.exit(f"{name}: {figure['value']} is above {most}")
