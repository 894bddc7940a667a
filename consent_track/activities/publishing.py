"""Checkpoints of the ledger, written down each day where they can be published and kept: they show a cut-off end later.

A checkpoint is a number, a hash and a signature. It says nothing about a person, so anybody may have it. Before a new
one is written the chain has to pass through the last: a database that was cut short, or put back from an old copy, is
then found here, within a day, and not by an authority (threat T47).
"""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from consent_track.domain.errors import InputRefused
from consent_track.records import ledger

from . import Processing, proving

Begin = Callable[[], AbstractContextManager[Processing]]

A_DAY: Final = 86_400
# The last lines of a file are read, never all of it: a line has some 400 octets, and the file grows for years.
TAIL: Final = 16 << 10


def write_checkpoints(begin: Begin, folder: Path) -> dict[str, int]:
    """Add today's checkpoint of every controller's ledger to its file, once a day.

    `contradicted` counts the ledgers that no longer pass through their last checkpoint; for those nothing is written.
    """
    counts = {"written": 0, "contradicted": 0}
    with begin() as p:
        for controller in p.controllers:
            last = newest(folder, controller)
            if last is not None and contradicts(p, last):
                counts["contradicted"] += 1
            elif last is None or p.now - int(last["at"]) >= A_DAY:
                counts["written"] += _write(p, folder, controller)
    return counts


def contradicts(p: Processing, kept: dict[str, Any]) -> bool:
    """Whether the ledger has another entry, or none, where this checkpoint stood."""
    head, _ = proving.read_checkpoint(json.dumps(kept))
    return ledger.hash_before(p.session, head.controller, head.sequence + 1) != head.hash


def newest(folder: Path, controller: int) -> dict[str, Any] | None:
    """The last checkpoint that was written down whole, or None."""
    try:
        with (folder / f"{controller}.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            tail = file.read(TAIL).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    for line in reversed(tail.splitlines()):
        try:
            found = json.loads(line)
            head, _ = proving.read_checkpoint(line)
        except (ValueError, InputRefused):  # the power went while it was written
            continue
        if head.controller == controller and isinstance(found.get("at"), int):
            return dict(found)
    return None


def _write(p: Processing, folder: Path, controller: int) -> int:
    try:
        found = proving.checkpoint(p, controller)
    except InputRefused:  # nothing was recorded yet
        return 0
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{controller}.jsonl").open("a+b") as file:
        torn = file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
        file.write((b"\n" if torn else b"") + json.dumps(found).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return 1
