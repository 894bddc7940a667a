"""Attacks on a ledger file that must be found, and how long an auditor waits: verification of many events.

python tests/benchmarks/ledger_verify.py [seed] [attacks] [events]
"""

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

PEOPLE = 400


def main(seed: int = 20_261_123, attacks: int = 1_000, erased: int = 100) -> None:
    command = f"python tests/benchmarks/ledger_verify.py {seed} {attacks} {erased}"
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        runtime = world.installation(Path(place) / "home")
        for number in range(PEOPLE):
            world.consents(runtime, f"reader{number}@example.org")
            if number % 2:
                world.withdraws(runtime, f"reader{number}@example.org")
        public = runtime.keys.ledger_public
        small = exported(runtime)[:41]
        unseen = 0
        for _ in range(attacks):
            _, _, lines = attack(small, chance)
            unseen += lines != small and proving.verify(lines, public).whole
        figures = [show("ledger_attacks_unseen", unseen, "attacks", n=attacks, seed=seed, command=command)]

        for number in range(erased):
            answering.erase(runtime.processing, 1, f"reader{number}@example.org", world.OPERATOR)
        lines = exported(runtime)
        with stopwatch() as taken:
            found = proving.verify(lines, public)
        figures.append(
            show("ledger_broken_after_erasures", int(not found.whole), "chains", n=erased, seed=seed, command=command)
        )
        rate = found.entries / taken[0]
        show("ledger_verification", rate, "events/s", n=found.entries, seconds=taken[0], command=command)
        show("ledger_verification_of_a_million", 1_000_000 / rate, "s, from the rate", n=found.entries, command=command)
        runtime.database.close()
    for name in ("ledger_attacks_unseen", "ledger_broken_after_erasures"):
        must(figures, name, 0)


def exported(runtime: world.Runtime) -> list[str]:
    with runtime.reading() as p:
        return list(proving.export(p, 1))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
