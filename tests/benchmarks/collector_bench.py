"""Pixel hits per second with everything on, beside nginx `empty_gif` and a plain Flask view, in one run.

Everything on: the installation as it is served, on SQLite, with 20,000 people who consented. Token verified and
opened, host checked, consent view asked, decision made, user agent judged, network pseudonym computed, frame appended
to the spool; afterwards the real drain moves the spool into the database, and the rows are counted there.

Every request of a round has its own token (at least 20,000), because one token counts once in a minute and because
opens are mostly distinct. The same wrk script drives all three servers, in turn, several times; a ratio is taken of
two neighbours in time, and the figure is the median. wrk goes away with requests in flight, which may become rows
nobody waited for, so in a last pass each of 20,000 tokens is asked once, awaited, and looked for in the database.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from collector_load import Load, Round, ask_each, granian, need_programs, nginx  # noqa: E402
from figures import show  # noqa: E402
from sqlalchemy import insert, select, text  # noqa: E402

from consent_track import worker  # noqa: E402
from consent_track.bootstrap import bootstrap  # noqa: E402
from consent_track.collector.answers import PIXEL, build_answers  # noqa: E402
from consent_track.collector.app import Collector  # noqa: E402
from consent_track.collector.spool import list_segments  # noqa: E402
from consent_track.config import load_config  # noqa: E402
from consent_track.domain.consent import Choice, ConsentState  # noqa: E402
from consent_track.domain.observation import TokenFacts  # noqa: E402
from consent_track.domain.vocabulary import Grade, HitKind, MailType, Purpose, Status, TokenClass, to_bits  # noqa: E402
from consent_track.records import consent  # noqa: E402
from tests import world  # noqa: E402

SEED = 20_261_123
PEOPLE = 20_000
DAY = 86_400
PER_SECOND = 80_000  # tokens made for each second of a round: more than any round can use up
WARM = 0  # the message number of the hit that shows that a collector has begun to record
MEASURED = (Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE)
GIVEN = ConsentState({purpose: Choice(Status.GIVEN, 1, Grade.MAILBOX_LOOP, sequence=1) for purpose in MEASURED})
COUNT = text("SELECT count(*), count(DISTINCT message) FROM hit WHERE message <> :warm")
CLEAR = text("DELETE FROM hit")
COMMAND = "make bench, or: python tests/benchmarks/collector_bench.py"


@dataclass(frozen=True)
class Way:
    """One way to serve the installation: the name of its figure, and what granian loads."""

    figure: str
    target: tuple[str, ...]


WAYS = (
    Way("collector_pixel_hits", ("consent_track.wsgi:app",)),
    Way("flask_view_same_work", ("--factory", "collector_bench:flask_view")),
)


def flask_view() -> Any:
    """A plain Flask view that does the same work: what the collector would be without its own WSGI callable."""
    from flask import Flask, Response, request

    inner = Collector(lambda environ, start: [], bootstrap(load_config(os.environ)).collector())
    app, headers = Flask("bench"), build_answers(https=False).pixel

    @app.get("/o/<token>")
    def pixel(token: str) -> Response:
        inner._admit(HitKind.OPEN, TokenClass.OPEN, token, request.environ)
        return Response(PIXEL, headers=headers)

    return app


class Installation:
    """A home on SQLite where everybody consented, the tokens sent to them, and the drain that belongs to it."""

    def __init__(self, home: Path) -> None:
        self.runtime = world.installation(home, clock=time.time, url="http://127.0.0.1")
        self.spool = self.runtime.config.spool_dir / self.runtime.config.node
        self.environment = {"CONSENT_TRACK_HOME": str(home)}
        chance = Random(SEED)
        self.people = [chance.getrandbits(63) or 1 for _ in range(PEOPLE)]
        self.drained, self.draining = 0, 0.0
        with self.runtime.processing() as p:
            first, *others = self.people
            consent.save_state(p.session, 1, first, GIVEN)
            connection = p.session.connection()
            row = dict(connection.execute(select(consent.STATES)).one()._mapping)
            connection.execute(insert(consent.STATES), [{**row, "subject": person} for person in others])

    def path(self, message: int) -> str:
        facts = TokenFacts(
            TokenClass.OPEN, 1, self.people[message % PEOPLE], message, self.runtime.now() - DAY,
            to_bits(set(MEASURED)), MailType.REQUESTED_NEWSLETTER, "FR", 1,
        )  # fmt: skip
        return f"/o/{self.runtime.tokens.issue(facts)}"

    def warm(self, port: int) -> None:
        """Ask until the collector of this port has read who consented: until then it answers and records nothing."""
        path, pause = self.path(WARM), threading.Event()
        for _ in range(600):
            ask_each(port, [path])
            if list_segments(self.spool):
                return
            pause.wait(0.05)
        sys.exit("the collector records nothing")

    def drain(self) -> tuple[int, int]:
        """Move everything spooled into the database: how many rows that made, of how many tokens; then forget them."""
        begun = time.perf_counter()
        worker.drain(self.runtime)
        self.draining += time.perf_counter() - begun
        if list_segments(self.spool):
            sys.exit("the drain left a segment behind")
        with self.runtime.processing() as p:
            connection = p.session.connection()
            rows, distinct = connection.execute(COUNT, {"warm": WARM}).one()
            connection.execute(CLEAR)
        self.drained += rows
        return int(rows), int(distinct)


@dataclass(frozen=True)
class Served:
    """One round of a server of ours: what wrk saw, and what was in the database afterwards."""

    load: Round
    rows: int
    distinct: int

    @property
    def missing(self) -> int:
        """Answered hits without a row of their own."""
        return max(0, self.load.answered - self.distinct)


def serve(way: Way, installation: Installation, folder: Path, load: Load) -> Served:
    folder.mkdir()
    with granian(way.target, folder, installation.environment) as port:
        installation.warm(port)
        result = load.on(port)
    return Served(result, *installation.drain())


def yardstick(folder: Path, load: Load) -> Round:
    folder.mkdir()
    with nginx(folder) as port:
        return load.on(port)


def each_once(installation: Installation, folder: Path, paths: Sequence[str]) -> tuple[int, int, int]:
    """Each token asked once and awaited: how many were answered with the pixel, the rows, and their tokens."""
    folder.mkdir()
    with granian(WAYS[0].target, folder, installation.environment) as port:
        installation.warm(port)
        answered = ask_each(port, paths).count((200, PIXEL))
    return answered, *installation.drain()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=3, help="length of a round")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--connections", type=int, default=32)
    chosen = options.parse_args()
    need_programs()
    with tempfile.TemporaryDirectory(prefix="collector-bench-") as place:
        measure(Path(place), chosen.seconds, chosen.rounds, chosen.connections)


def measure(place: Path, seconds: int, rounds: int, connections: int) -> None:
    begun = time.perf_counter()
    installation = Installation(place / "home")
    paths = [installation.path(message) for message in range(1, max(PEOPLE, PER_SECOND * seconds) + 1)]
    load = Load(seconds, connections, place / "paths", place / "load.lua")
    load.paths.write_text("".join(f"{path}\n" for path in paths))

    still: list[Round] = []
    found: dict[Way, list[Served]] = {way: [] for way in WAYS}
    for turn in range(rounds):
        still.append(yardstick(place / f"nginx-{turn}", load))
        for way, served in found.items():
            served.append(serve(way, installation, place / f"{way.figure}-{turn}", load))
    once = each_once(installation, place / "once", paths[:PEOPLE])
    common = {"seed": SEED, "seconds": time.perf_counter() - begun, "command": COMMAND}
    report(still, found, load.line, common)
    show("collector_tokens_a_round", len(paths), "distinct tokens", n=rounds, **common)
    show("collector_asked_once_missing_in_database", PEOPLE - min(once[0], once[2]), "hits", n=PEOPLE, **common)
    show("drain_to_sqlite", installation.drained / installation.draining, "hits/s", n=installation.drained, **common)
    judge(still, found, once, connections)


def report(still: list[Round], found: dict[Way, list[Served]], line: str, common: dict[str, Any]) -> None:
    beside = f"nginx empty_gif, 2 workers, access log off; {line}"
    rate = statistics.median(one.rate for one in still)
    show("nginx_empty_gif", rate, "answers/s", n=sum(one.answered for one in still), **common)
    for way, served in found.items():
        name, n = way.figure, sum(one.load.answered for one in served)
        ratios = sorted(mine.load.rate / its.rate for mine, its in zip(served, still, strict=True))
        rate = statistics.median(one.load.rate for one in served)
        show(name, rate, "hits/s", yardstick=beside, ratio=statistics.median(ratios), n=n, **common)
        for end, ratio in (("lowest", ratios[0]), ("highest", ratios[-1])):
            show(f"{name}_ratio_{end}_round", ratio, "of nginx", n=len(ratios), **common)
        show(f"{name}_p50", statistics.median(one.load.p50 for one in served) / 1000, "ms", n=n, **common)
        show(f"{name}_p99", statistics.median(one.load.p99 for one in served) / 1000, "ms", n=n, **common)
        show(f"{name}_missing_in_database", sum(one.missing for one in served), "hits", n=n, **common)


def judge(still: list[Round], found: dict[Way, list[Served]], once: tuple[int, int, int], connections: int) -> None:
    """Leave with a word about everything that must not be."""
    everything = [one for served in found.values() for one in served]
    answered, rows, distinct = once
    wrong = {
        "answered hits are missing": sum(one.missing for one in everything),
        "hits were stored twice": sum(one.rows - one.distinct for one in everything) + rows - distinct,
        "rows stand for no request": sum(max(0, one.rows - one.load.answered - connections) for one in everything),
        "requests failed": sum(one.failed for one in still) + sum(one.load.failed for one in everything),
        "tokens asked once were not answered": PEOPLE - answered,
        "tokens asked once have no row": PEOPLE - distinct,
    }
    if any(wrong.values()):
        sys.exit("; ".join(f"{count} {what}" for what, count in wrong.items() if count))


if __name__ == "__main__":
    main()
