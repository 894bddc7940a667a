"""The worker: jobs as a table, run by APScheduler in a process of its own, never inside a web server.

Node-local jobs touch this machine's spool and day keys; global jobs touch the database. A lock file for each kind
keeps two workers of one home from running them at once.
"""

import fcntl
import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from apscheduler.schedulers.blocking import BlockingScheduler

from consent_track import residue
from consent_track.activities import (
    Processing,
    answering,
    awaiting,
    certifying,
    confirming,
    consenting,
    fulfilling,
    identifying,
    informing,
    lapsing,
    notifying,
    publishing,
    requesting,
    retaining,
    rotating,
    tracking,
)
from consent_track.activities.confirming import Wish
from consent_track.bootstrap import Runtime
from consent_track.collector.segment import Segment, list_segments
from consent_track.domain.errors import ConsentTrackError
from consent_track.records import hits, spool
from consent_track.records.database import checkpoint
from consent_track.records.flows import Flow

log = logging.getLogger("consent_track.worker")

BATCH: Final = 500
# Between two batches the write lock is free, so that a withdrawal waits for one batch at most. Seconds; measured.
PAUSE: Final = 0.005


class Reach(StrEnum):
    NODE = "node"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Job:
    """One duty: how often, in seconds, and what it does. It returns numbers, never anything about a person."""

    name: str
    reach: Reach
    every: float
    run: Callable[[Runtime], dict[str, Any]]


def drain(runtime: Runtime, *, limit: int | None = None) -> dict[str, Any]:
    """Move what is spooled on this node into the database; `limit` bounds the batches of one run."""
    node, total = runtime.config.node, {"hits": 0, "dropped": 0, "signals": 0, "torn": 0, "batches": 0}
    for segment in list_segments(runtime.config.spool_dir / node):
        segment.sync()
        _drain_segment(runtime, segment, total, limit)
    with runtime.processing() as p:
        spool.seen(p.session, node, p.now, p.now)
    return total


def _drain_segment(runtime: Runtime, segment: Segment, total: dict[str, int], limit: int | None) -> None:
    node = runtime.config.node
    with runtime.reading() as p:
        position = tracking.position(p, segment.id)
    closed = segment.owner_gone()  # asked before reading: what is read after it is all there will ever be
    while limit is None or total["batches"] < limit:
        frames = segment.read(position, BATCH)
        if not frames:
            break
        for signal in tracking.signals(frames):
            with runtime.processing() as p:
                consenting.record_signal(p, signal)
                total["signals"] += 1
        with runtime.processing() as p:
            stored = tracking.store(p, segment.id, node, frames)
        position = stored.upto
        total["hits"] += stored.hits
        total["dropped"] += stored.dropped
        total["batches"] += 1
        time.sleep(PAUSE)
    else:
        return
    if closed:
        total["torn"] += segment.torn(position)
        with runtime.processing() as p:
            spool.close(p.session, segment.id, p.now)
        segment.delete()


def _day_keys(runtime: Runtime) -> dict[str, Any]:
    return {"destroyed": len(retaining.destroy_day_keys(runtime.processing, runtime.day_keys, runtime.config.node))}


def _rotate(runtime: Runtime) -> dict[str, Any]:
    """Begin a rotation that is due, where one machine holds all the keys, and go on with the one under way."""
    begun = 0
    with runtime.reading() as p:
        alone = len(spool.nodes(p.session)) <= 1
        if alone and rotating.is_due(p):
            begun = rotating.begin_rotation(p, runtime.config.keys_dir)
    return {"begun": begun, "rewrapped": rotating.rewrap(runtime.processing)}


def _destroy_epochs(runtime: Runtime) -> dict[str, Any]:
    config = runtime.config
    return {"destroyed": len(rotating.destroy_unneeded(runtime.processing, config.keys_dir, config.node))}


def _certify(runtime: Runtime) -> dict[str, Any]:
    checkpoint(runtime.database.engine)  # what was deleted still stands in SQLite's write-ahead log
    return certifying.ripen(runtime.processing, runtime.reading, residue.look_through, runtime.places())


def _erase_withdrawn(runtime: Runtime) -> dict[str, Any]:
    rows = retaining.erase_withdrawn(runtime.processing)
    if rows:
        checkpoint(runtime.database.engine)
    return {"rows": rows}


def _forget_ended_hygiene(runtime: Runtime) -> dict[str, Any]:
    return {"rows": retaining.forget_ended_hygiene(runtime.processing)}


def _finish_erasures(runtime: Runtime) -> dict[str, Any]:
    return {"keys": answering.finish(runtime.processing)}


def _purge(runtime: Runtime) -> dict[str, Any]:
    networks = retaining.forget_networks(runtime.processing)
    purged = retaining.purge(runtime.processing)
    checkpoint(runtime.database.engine)  # until then SQLite's write-ahead log keeps what was deleted
    return {"networks": networks, **{one.table: one.count for one in purged}}


def _clocks(runtime: Runtime) -> dict[str, Any]:
    lapsed = lapsing.lapse(runtime.processing)
    with runtime.reading() as p:
        counts = Counter(one.what for one in lapsing.due(p))
    return {"expired": lapsed.expired, "silent": lapsed.silent, **{what.value: counts[what] for what in lapsing.What}}


def _partitions(runtime: Runtime) -> dict[str, Any]:
    # Attaching a partition needs a strong lock, and the next try is a day away.
    with runtime.processing(wait_ms=5_000) as p:
        hits.ensure_partitions(p.session, datetime.fromtimestamp(p.now, UTC).date())
    return {}


def _checkpoints(runtime: Runtime) -> dict[str, Any]:
    counts = publishing.write_checkpoints(runtime.reading, runtime.config.checkpoints_dir)
    if counts["contradicted"]:
        log.error("job checkpoints: %d ledgers do not pass through their last checkpoint", counts["contradicted"])
    return counts


def _answer_flows(runtime: Runtime) -> dict[str, Any]:
    forgotten = confirming.forget_over(runtime.processing)
    letters, url = runtime.letters(), runtime.config.public_url

    def of_request(p: Processing, flow: Flow, address: str, wish: Wish) -> str:
        return identifying.answer(p, flow, address, wish, letters, url)

    return {**confirming.answer(runtime.processing, letters, url, of_request=of_request), "over": forgotten}


def _requests(runtime: Runtime) -> dict[str, Any]:
    counts: dict[str, Any] = dict(identifying.keep_going(runtime.processing, runtime.letters()))
    counts["answers_over"] = fulfilling.forget_answers(runtime.processing)
    counts["forgotten"] = requesting.forget_writing(runtime.processing)
    if counts["carried_out"]:
        checkpoint(runtime.database.engine)  # an erasure may be among them
    return counts


def _send(runtime: Runtime) -> dict[str, Any]:
    server = runtime.mail_server()
    return notifying.deliver(runtime.processing, server) if server else {"no_mail_server": 1}


def _inform(runtime: Runtime) -> dict[str, Any]:
    return informing.deliver(runtime.processing, runtime.transport(), runtime.secrets_of)


def _waves(runtime: Runtime) -> dict[str, Any]:
    return dict(awaiting.close_over(runtime.processing))


JOBS: Final = (
    Job("drain", Reach.NODE, 0.1, drain),
    Job("answer", Reach.GLOBAL, 1, _answer_flows),
    Job("send", Reach.GLOBAL, 2, _send),
    Job("inform", Reach.GLOBAL, 2, _inform),
    Job("requests", Reach.GLOBAL, 30, _requests),
    Job("waves", Reach.GLOBAL, 3_600, _waves),
    Job("day-keys", Reach.NODE, 900, _day_keys),
    Job("rotate", Reach.GLOBAL, 3_600, _rotate),
    Job("destroy-epochs", Reach.NODE, 3_600, _destroy_epochs),
    Job("partitions", Reach.GLOBAL, 86_400, _partitions),
    Job("finish-erasures", Reach.GLOBAL, 60, _finish_erasures),
    Job("certify", Reach.GLOBAL, 300, _certify),
    Job("erase-withdrawn", Reach.GLOBAL, 600, _erase_withdrawn),
    Job("clocks", Reach.GLOBAL, 21_600, _clocks),
    Job("purge", Reach.GLOBAL, 3_600, _purge),
    Job("checkpoints", Reach.GLOBAL, 3_600, _checkpoints),
    Job("end-hygiene", Reach.GLOBAL, 86_400, _forget_ended_hygiene),
)


def run_once(runtime: Runtime, name: str) -> dict[str, Any]:
    """Run one job now. Raises KeyError for a name that is not in the table."""
    return {job.name: job for job in JOBS}[name].run(runtime)


def run(runtime: Runtime, reaches: frozenset[Reach]) -> None:
    """Run the jobs of these reaches until the process is told to stop."""
    locks = [_lock(runtime.config.home / f"worker-{reach}.lock") for reach in sorted(reaches)]
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler = BlockingScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    for job in JOBS:
        if job.reach in reaches:
            scheduler.add_job(
                _guarded,
                "interval",
                seconds=job.every,
                args=(runtime, job),
                next_run_time=datetime.now(UTC),
                id=job.name,
            )
    try:
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        for lock in locks:
            os.close(lock)


def _guarded(runtime: Runtime, job: Job) -> None:
    """A job that fails is logged by its name and tried again; it never takes the others with it."""
    try:
        job.run(runtime)
    except ConsentTrackError as error:
        log.warning("job %s: %s", job.name, type(error).__name__)
    except Exception as error:  # the text of an unforeseen error may hold a row, so only its type is written down
        log.error("job %s: %s", job.name, type(error).__name__)


def _lock(path: Path) -> int:
    """Hold a lock file, or say plainly that another worker of this home has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConsentTrackError(f"another worker of this home is running ({path.name})") from None
    return handle
