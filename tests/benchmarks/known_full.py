"""Can the time of an answer tell whether an address is known? Welch's t over many answers of `/privacy` and `/consent`.

Known and unknown addresses are asked for in random order, by the same process; the slowest twentieth of each is left
out. |t| below 4.5 is what constant-time tests take for "no difference seen" (threat T7). SQLite and PostgreSQL.

python tests/benchmarks/known_full.py [samples of each kind] [seed]
"""

import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from figures import show, stopwatch  # noqa: E402

from consent_track.records import flows  # noqa: E402
from consent_track.web import create_app  # noqa: E402
from tests import world  # noqa: E402
from tests.fixtures_databases import server_for_a_while  # noqa: E402
from tests.web.loop import WORDING, sign  # noqa: E402

MOST = 4.5
PEOPLE = 2_000
EMPTIED_EVERY = 400


def welch(one: list[float], other: list[float]) -> float:
    """Welch's t of two samples, each without its slowest twentieth."""
    kept = [sorted(sample)[: int(len(sample) * 0.95)] for sample in (one, other)]
    means, variances = [statistics.fmean(sample) for sample in kept], [statistics.variance(sample) for sample in kept]
    return (means[0] - means[1]) / math.sqrt(sum(v / len(s) for v, s in zip(variances, kept, strict=True)))


def samples(ask: Callable[[str], None], empty: Callable[[], None], count: int, chance: random.Random) -> float:
    """The t of `count` answers for known people against `count` for unknown ones."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    order = [True, False] * count
    chance.shuffle(order)
    for number, known in enumerate(order):
        address = f"reader{chance.randrange(PEOPLE):05}@example.org" if known else (
            f"nobody{chance.randrange(PEOPLE):05}@example.org"
        )  # fmt: skip
        if number % EMPTIED_EVERY == 0:
            empty()
        begun = time.perf_counter()
        ask(address)
        taken[known].append(time.perf_counter() - begun)
    return welch(taken[True], taken[False])


def measure(home: Path, databases: tuple[str, str] | None, kind: str, count: int, seed: int) -> float:
    runtime = world.installation(home, extra='smtp_url = "smtp://localhost:2525"', databases=databases)
    sign(runtime, "en")
    for number in range(PEOPLE):
        world.consents(runtime, f"reader{number:05}@example.org")
    client = create_app(runtime).test_client()
    site = "https://mail.acme.example"
    wording = WORDING.search(client.get("/consent?locale=en", base_url=site).text)[1]  # type: ignore[index]
    chance, worst = random.Random(seed), 0.0

    def empty() -> None:
        with runtime.processing() as p:
            for flow in flows.unanswered(p.session, EMPTIED_EVERY + 1):
                flows.remove(p.session, flow.controller, flow.id)

    for name, path, form in (
        ("privacy", "/privacy", {"do": "link"}),
        ("consent", "/consent", {"answer": "all", "locale": "en", "wording": wording}),
    ):

        def ask(address: str, path: str = path, form: dict[str, str] = form) -> None:
            # each from another part of the net, so that no limit is met; the same answer is asked for below
            part = f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.1"
            answer = client.post(
                path, base_url=site, data={"email": address, **form}, environ_base={"REMOTE_ADDR": part}
            )
            assert answer.status_code == 200, answer.status_code

        with stopwatch() as seconds:
            found = samples(ask, empty, count, chance)
        command = f"python tests/benchmarks/known_full.py {count} {seed}"
        show(f"known_or_unknown_{name}_{kind}", abs(found), "|t|, bound 4.5", n=2 * count, seed=seed,
             seconds=seconds[0], command=command)  # fmt: skip
        worst = max(worst, abs(found))
    runtime.database.close()
    return worst


def main(count: int = 100_000, seed: int = 20_261_123) -> None:
    with tempfile.TemporaryDirectory() as place:
        worst = measure(Path(place) / "sqlite", None, "sqlite", count, seed)
        with server_for_a_while() as pair:
            worst = max(worst, measure(Path(place) / "postgresql", pair, "postgresql", count, seed))
    if worst >= MOST:
        sys.exit(f"|t| is {worst:.2f}: the time of an answer tells whether an address is known")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
