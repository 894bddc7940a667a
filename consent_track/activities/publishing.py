"""Checkpoints of the ledger, written down each day where they can be published and kept: they show a cut-off end later.

A checkpoint is a number, a hash and a signature. It says nothing about a person, so anybody may have it.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from consent_track.domain.errors import InputRefused

from . import Processing, proving

Begin = Callable[[], AbstractContextManager[Processing]]

A_DAY: Final = 86_400
LARGEST: Final = 64 << 20  # octets of one file: more than four hundred years of days


def write_checkpoints(begin: Begin, folder: Path) -> int:
    """Add today's checkpoint of every controller's ledger to its file, once a day; how many were written."""
    written = 0
    with begin() as p:
        for controller in p.controllers:
            last = newest(folder, controller)
            if last is not None and p.now - int(last["at"]) < A_DAY:
                continue
            try:
                found = proving.checkpoint(p, controller)
            except InputRefused:  # nothing was recorded yet
                continue
            folder.mkdir(mode=0o700, exist_ok=True)
            with (folder / f"{controller}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
            written += 1
    return written


def newest(folder: Path, controller: int) -> dict[str, Any] | None:
    """The last checkpoint that was written down whole, or None."""
    path = folder / f"{controller}.jsonl"
    if not path.exists() or path.stat().st_size > LARGEST:
        return None
    for line in reversed(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        try:
            found = json.loads(line)
            proving.read_checkpoint(line)
        except (ValueError, InputRefused):  # the power went while it was written
            continue
        return dict(found)
    return None
