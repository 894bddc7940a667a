"""What each line of a file became, and why: line numbers only, so that the report is no second list of people."""

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Judgement
from consent_track.records.import_runs import Position

_NAMES: Final = ("line", "outcome", "reason")


class ReportFile:
    """A report that grows with the run: cut back to what is certain when a run goes on. None writes nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._as_csv = path is not None and path.suffix.lower() == ".csv"
        self._file: BinaryIO | None = None

    @contextmanager
    def continued(self, before: Position | None) -> Iterator[None]:
        """Open the report where the run stands. Raises InputRefused (field `--report`)."""
        length = before.report_bytes if before else 0
        if self._path is None:
            if length:
                raise InputRefused.one("--report", "was begun by the earlier run; name the same file to go on")
            yield
            return
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputRefused.one("--report", f"cannot be written ({error.strerror})") from None
        with os.fdopen(descriptor, "r+b") as self._file:
            if os.fstat(descriptor).st_size < length:
                raise InputRefused.one("--report", "does not hold what the earlier run wrote; name the same file")
            self._file.truncate(length)
            self._file.seek(length)
            yield
        self._file = None

    def write(self, judged: Sequence[tuple[int, Judgement]]) -> int:
        """Write these lines, on disk when this returns; the length of the report then, in octets."""
        if self._file is None:
            return 0
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        if self._as_csv and self._file.tell() == 0:
            table.writerow(_NAMES)
        for line, found in judged:
            cells = (line, found.outcome.value, found.why.value)
            if self._as_csv:
                table.writerow(cells)
            else:
                text.write(json.dumps(dict(zip(_NAMES, cells, strict=True))) + "\n")
        self._file.write(text.getvalue().encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()
