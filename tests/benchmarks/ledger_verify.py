"""Attacks on a ledger file that must be found, a chain after many erasures, and how long an auditor waits.

python tests/benchmarks/ledger_verify.py [seed] [attacks] [erased]
"""

import json
import random
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from figures import must, show, stopwatch  # noqa: E402

from consent_track.activities import answering, proving  # noqa: E402
from tests import world  # noqa: E402
from tests.activities.test_proving import attack  # noqa: E402


def main(seed: int = 20_261_123, attacks: int = 1_000, erased: int = 1_000) -> None:
    command = f"python tests/benchmarks/ledger_verify.py {seed} {attacks} {erased}"
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        runtime = world.installation(Path(place) / "home")
        for number in range(erased + 20):  # those who are left show that the chain goes on
            world.consents(runtime, f"reader{number}@example.org")
            if number % 2:
                world.withdraws(runtime, f"reader{number}@example.org")
        public = runtime.keys.ledger_public
        small = exported(runtime)[:41]
        tried, unseen = 0, 0
        while tried < attacks:
            _, _, lines = attack(small, chance)
            if lines != small:
                tried += 1
                unseen += proving.verify(lines, public).whole
        figures = [
            show("ledger_attacks_unseen", unseen, "attacks", n=attacks, seed=seed, command=command),
            show("ledger_attacks_found", tried - unseen, "attacks", n=attacks, seed=seed, command=command),
        ]

        with runtime.reading() as p:
            before, _ = proving.read_checkpoint(json.dumps(proving.checkpoint(p, 1)))
        for number in range(erased):
            answering.erase(runtime.processing, 1, f"reader{number}@example.org", world.OPERATOR)
        lines = exported(runtime)
        with stopwatch() as taken:
            found = proving.verify(lines, public, before)
        figures.append(
            show("ledger_broken_after_erasures", int(not found.whole), "chains", n=erased, seed=seed, command=command)
        )
        rate = found.entries / taken[0]
        show("ledger_verification", rate, "events/s", n=found.entries, seconds=taken[0], command=command)
        runtime.database.close()
    for name in ("ledger_attacks_unseen", "ledger_broken_after_erasures"):
        must(figures, name, 0)


def exported(runtime: world.Runtime) -> list[str]:
    with runtime.reading() as p:
        return list(proving.export(p, 1))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
