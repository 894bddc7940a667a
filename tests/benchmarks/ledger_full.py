"""A ledger of a million events, as `ledger export` writes it, verified line by line: time and memory of an auditor.

Every entry is sealed for the person and for the escrow, chained and signed by the code that enters a choice; only the
database is left out, because an auditor has none.

python tests/benchmarks/ledger_full.py [events] [people]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from figures import must, show, stopwatch  # noqa: E402

from consent_track.activities import entering, proving  # noqa: E402
from consent_track.crypto import evidence, sealing  # noqa: E402
from consent_track.domain.consent import ConsentEvent  # noqa: E402
from consent_track.domain.vocabulary import Act, Grade, Purpose, Status  # noqa: E402
from tests import world  # noqa: E402

# The peak of this program alone: what getrusage says lives on through exec, and would be that of the writer.
VERIFY = """
import sys, time
from consent_track.activities import proving
begun = time.perf_counter()
with open(sys.argv[1], encoding="utf-8") as file:
    found = proving.verify(file, proving.read_key(sys.argv[2]))
seconds = time.perf_counter() - begun
with open("/proc/self/status") as status:
    most = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
print(int(found.whole), found.entries, seconds, most)
"""


def main(events: int = 1_000_000, people: int = 1_000) -> None:
    command = f"python tests/benchmarks/ledger_full.py {events} {people}"
    with tempfile.TemporaryDirectory() as place:
        runtime = world.installation(Path(place) / "home")
        public, file = runtime.keys.ledger_public, Path(place) / "ledger.jsonl"
        with stopwatch() as taken:
            write(runtime, file, events, people)
        show("ledger_written_for_this", events / taken[0], "events/s", n=events, seconds=taken[0], command=command)
        whole, entries, seconds, most = verified(file, public)
        show("ledger_verification_of_a_million", seconds, "s", n=entries, seconds=seconds, command=command)
        show("ledger_verification_memory", most / 1_024, "MiB", n=entries, command=command)
        show("ledger_file", file.stat().st_size / (1 << 20), "MiB", n=entries, command=command)
        figures = [show("ledger_of_a_million_broken", int(not whole), "chains", n=entries, command=command)]
        change_the_last(file)
        whole, *_ = verified(file, public)
        figures.append(show("ledger_change_at_the_end_unseen", int(whole), "changes", n=1, command=command))
        runtime.database.close()
    must(figures, "ledger_of_a_million_broken", 0)
    must(figures, "ledger_change_at_the_end_unseen", 0)


def write(runtime: world.Runtime, file: Path, events: int, people: int) -> None:
    keys = [sealing.new_data_key() for _ in range(people)]
    head = {"format": proving.LEDGER, "controller": 1, "name": "Acme", "exported_at": world.NOW}
    previous = evidence.GENESIS
    with runtime.reading() as p, file.open("w", encoding="utf-8") as out:
        out.write(json.dumps({**head, "public_key": proving.in_base64(p.keys.ledger_public)}) + "\n")
        for sequence in range(1, events + 1):
            who = sequence % people
            event = ConsentEvent(
                Act.TRACKING, Purpose.CLICK_PERFORMANCE, Status.WITHDRAWN if sequence // people % 2 else Status.GIVEN,
                p.now, p.now, "mailbox_loop", Grade.MAILBOX_LOOP, "subject", locale="en", policy_hash="0" * 64,
                wording_id="1" * 64, screen_id="2" * 64, jurisdiction="FR", flow_id=f"{sequence:016x}", asked_at=p.now,
            )  # fmt: skip
            make = entering.link_of(p, 1, who + 1, keys[who], f"reader{who}@example.org", event)
            link = make(sequence, previous)
            previous = link.hash
            plain = {"sequence": sequence, "subject": who + 1, "recorded_at": p.now}
            sealed = {name: proving.in_base64(getattr(link, name)) for name in proving.SEALED}
            out.write(json.dumps({**plain, **sealed}, separators=(",", ":")) + "\n")


def verified(file: Path, public: bytes) -> tuple[bool, int, float, int]:
    """In a process of its own, so that its memory is the auditor's alone."""
    words = [sys.executable, "-c", VERIFY, str(file), proving.in_base64(public)]
    whole, entries, seconds, most = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return whole == "1", int(entries), float(seconds), int(most)


def change_the_last(file: Path) -> None:
    """One octet of the last entry's sealed value."""
    with file.open("r+b") as out:
        out.seek(-4_096, 2)
        tail = out.read()
        at = tail.rindex(b'"sealed":"') + 12
        out.seek(at - len(tail), 2)
        out.write(b"A" if tail[at : at + 1] != b"A" else b"B")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
