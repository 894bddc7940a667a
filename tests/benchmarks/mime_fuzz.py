"""Hostile mail in numbers: crashes, bytes changed outside splices, growth of the work (T32, T33, F20-F22).

python tests/benchmarks/mime_fuzz.py [seed] [count]
"""

import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "mail"), str(HERE.parent.parent)]

from corpus import BROKEN, MAILS  # noqa: E402
from figures import must, show, stopwatch  # noqa: E402
from reading import as_sent, charset_of_text  # noqa: E402

from consent_track.mail.leaf import Edit, Leaf, apply  # noqa: E402
from consent_track.mail.mime import Limits, Mail, Part, Unreadable, protection, scan, text_leaves  # noqa: E402

MOST: Final = 1.2
SEEDS: Final = [*MAILS.values(), *BROKEN.values()]
MARKERS: Final = ("[mark]", "[mark]\n", "\n[mark é]", "<b>🌷</b>", "= [mark] =")


def flipped(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncated(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def doubled(rng: random.Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.randint(1, 300)]
    at = rng.randrange(len(data))
    return data[:at] + piece * rng.randint(1, 3) + data[at:]


def divided(rng: random.Random, data: bytes) -> bytes:
    """A delimiter, or what looks like one, at the beginning of some line or in the midst of one."""
    boundary = rng.choice([b"b", b"=_pair", b"=_Part_1", b"m", b"out", b"in", b""])
    line = rng.choice([b"\r\n", b"\n", b""]) + b"--" + boundary + rng.choice([b"", b"--", b" ", b"x"]) + b"\r\n"
    at = rng.choice([data.find(b"\n", rng.randrange(len(data))) + 1, rng.randrange(len(data))])
    return data[:at] + line + data[at:]


def renewed(rng: random.Random, data: bytes) -> bytes:
    old, new = rng.sample([b"\r\n", b"\n", b"\r", b"=\r\n", b" \r\n", b"=", b"\r\n\r\n"], 2)
    return data.replace(old, new, rng.choice([-1, 1, 3]))


def crossed(rng: random.Random, data: bytes) -> bytes:
    other = rng.choice(SEEDS)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other) + 1) :]


MUTATIONS: Final[tuple[Callable[[random.Random, bytes], bytes], ...]] = (
    *(flipped, truncated, doubled, divided, renewed, crossed),
)


def mutated(rng: random.Random, data: bytes) -> bytes:
    """One mutation, in half of the cases below the mail's own fields, because most damage there ends the reading."""
    top, line, rest = data.partition(b"\r\n\r\n") if rng.random() < 0.5 else (b"", b"", data)
    return top + line + (rng.choice(MUTATIONS)(rng, rest) if rest else rest)


def run(seed: int, count: int) -> dict[str, Any]:
    """Mutate, scan, put a marker into every displayed text, and compare. Only `inputs` and `edited` may be above 0."""
    rng = random.Random(seed)
    found: Counter[str] = Counter(inputs=count, edited=0, crashes=0, changed_outside=0, wrong_text=0)
    reasons: Counter[str] = Counter()
    first = ""
    for _ in range(count):
        data = rng.choice(SEEDS)
        for _ in range(rng.randint(1, 3)):
            data = mutated(rng, data)
        try:
            one(rng, data, found, reasons)
        except Exception as error:
            found["crashes"] += 1
            first = first or f"{error!r} on {data!r}"
    return {**found, "left_alone": dict(reasons), "first_crash": first}


def one(rng: random.Random, data: bytes, found: Counter[str], reasons: Counter[str]) -> None:
    mail = scan(data)
    if isinstance(mail, Unreadable):
        reasons[mail.reason] += 1
        return
    protection(mail)
    bodies = text_leaves(mail)
    for part in (*bodies.html, *bodies.plain):
        leaf = Leaf.of(mail, part)
        if isinstance(leaf, Unreadable):
            reasons[leaf.reason] += 1
            continue
        at, marker = place(rng, leaf), rng.choice(MARKERS)
        splices = leaf.splice([Edit(at, at, marker)])
        if isinstance(splices, Unreadable):
            reasons[splices.reason] += 1
            continue
        found["edited"] += 1
        check(mail, part, leaf, at, marker, apply(data, splices), found)


def place(rng: random.Random, leaf: Leaf) -> int:
    """Somewhere between two characters: after an octet of ASCII, or at either end."""
    at = rng.choice([0, len(leaf.text), rng.randrange(len(leaf.text) + 1)])
    while 0 < at < len(leaf.text) and (leaf.text[at - 1] > 127 or leaf.text[at] > 127 or leaf.text[at - 1] == 13):
        at -= 1
    return at


def check(mail: Mail, part: Part, leaf: Leaf, at: int, marker: str, data: bytes, found: Counter[str]) -> None:
    """What is outside the part is the same, byte for byte, and the part says what it said, and the marker."""
    after = scan(data)
    index = mail.leaves.index(part)
    if isinstance(after, Unreadable) or len(after.leaves) != len(mail.leaves):
        found["changed_outside"] += 1
        return
    new = after.leaves[index]
    same = data[: part.start] == mail.data[: part.start]
    same = same and data[new.body_end :].removeprefix(mail.newline) in (
        mail.data[part.body_end :],
        mail.data[part.body_end :].removeprefix(mail.newline),
    )
    kept = [h[:3] for h in part.headers if not h.lower.startswith("content-t")]
    same = same and [h[:3] for h in new.headers if not h.lower.startswith("content-t")][: len(kept)] == kept
    found["changed_outside"] += not same
    again = Leaf.of(after, new)
    found["wrong_text"] += isinstance(again, Unreadable) or not says(leaf, again, at, marker)


def says(leaf: Leaf, again: Leaf, at: int, marker: str) -> bool:
    if leaf.format_flowed:
        return marker.strip().encode("utf-8") in again.text
    if again.charset == leaf.charset:
        new = as_sent(leaf, marker).encode(charset_of_text(leaf))
        if at == 0 and leaf.text.startswith("\ufeff".encode()) and leaf.charset.startswith("utf"):
            at = 3  # nothing comes before a byte order mark
        return again.text == leaf.text[:at] + new + leaf.text[at:]
    old = charset_of_text(leaf) if leaf.charset != "ascii" else "utf-8"
    return again.text.decode() == leaf.text[:at].decode(old) + as_sent(leaf, marker) + leaf.text[at:].decode(old)


WIDE: Final = Limits(message=1 << 30, parts=1 << 30, header_line=1 << 30, headers=1 << 30, header_block=1 << 30)
TOP: Final = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
NESTED: Final = b"".join(
    b'Content-Type: multipart/mixed; boundary="b%s"\r\n\r\n--b%s\r\n' % (b"x" * n, b"x" * n) for n in range(30)
)
QUOTED: Final = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
BASE64: Final = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
EIGHT: Final = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
FLOWED: Final = b"Content-Type: text/plain; format=flowed; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"

# What stands in front, what is repeated, and whether the first text is edited every 320 octets or only scanned.
UNITS: Final = {
    "lines of two hyphens": (TOP + b"--b\r\n\r\n", b"--\n", False),
    "lines that almost are delimiters": (TOP + b"--b\r\n\r\n", b"--bx\r\n--b-\r\n--b -\r\n", False),
    "thirty boundaries, each the beginning of the next": (NESTED + b"\r\n", b"--b" + b"x" * 40 + b"\r\n", False),
    "delimiters and nothing else": (TOP, b"--b\r\n", False),
    "parts that end with their multipart": (
        TOP,
        b'--b\r\nContent-Type: multipart/mixed; boundary="c"\r\n\r\n--c\r\n\r\n--c--\r\n',
        False,
    ),
    "one field of many folds": (b"Subject: a", b"\r\n b", False),
    "many fields": (b"", b"a:\r\n", False),
    "half-quoted parameters": (b"Content-Type: text/plain", b';a="', False),
    "parameters without a value": (b"Content-Type: text/plain", b"; a ", False),
    "white space behind a delimiter": (TOP + b"--b", b" \t", False),
    "lone carriage returns": (TOP + b"--b\r\n\r\n", b"\r--b", False),
    "quoted-printable of stray signs": (QUOTED, b"= =", True),
    "quoted-printable of soft breaks": (QUOTED + b"a", b"=\r\n", True),
    "quoted-printable in one line": (QUOTED, b"=3Da", True),
    "base64 of one letter a line": (BASE64, b"Q\r\nU\r\nF\r\nB\r\n", True),
    "one long line": (EIGHT, b"<a>", True),
    "flowed quotations": (FLOWED, b">\n", True),
}


def growth(smallest: int = 64 * 1024, sizes: int = 5, best_of: int = 7) -> list[dict[str, Any]]:
    """The exponent of time over size for each hostile unit, by least squares over doubling sizes; 1 is linear."""
    return [measured(name, smallest, sizes, best_of) for name in UNITS]


def measured(name: str, smallest: int, sizes: int, best_of: int) -> dict[str, Any]:
    front, unit, edits = UNITS[name]
    points = []
    for step in range(sizes):
        data = front + unit * ((smallest << step) // len(unit)) + b"\r\n"
        points.append((len(data), min(seconds(data, edits) for _ in range(best_of))))
    return {"unit": name, "exponent": round(slope(points), 3), "seconds": round(points[-1][1], 5), "n": points[-1][0]}


def seconds(data: bytes, edits: bool) -> float:
    start = time.perf_counter()
    mail = scan(data, WIDE)
    if edits:
        assert isinstance(mail, Mail)
        leaf = Leaf.of(mail, mail.leaves[0])
        assert isinstance(leaf, Leaf)
        leaf.splice(Edit(at, at, "<b>=é") for at in range(0, len(leaf.text), 320))
    return time.perf_counter() - start


def slope(points: list[tuple[int, float]]) -> float:
    xs, ys = [math.log(size) for size, _ in points], [math.log(time_) for _, time_ in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)


def main(seed: int = 1, count: int = 20_000) -> None:
    command = f"python tests/benchmarks/mime_fuzz.py {seed} {count}"
    with stopwatch() as taken:
        done = run(seed, count)
    if done["first_crash"]:
        print(done["first_crash"], file=sys.stderr)
    figures = [
        show(f"mail_fuzz_{what}", done[what], "mails", n=count, seed=seed, seconds=taken[0], command=command)
        for what in ("edited", "crashes", "changed_outside", "wrong_text")
    ]
    for one in growth():
        show(f"mime_growth: {one['unit']}", one["exponent"], "exponent", n=one["n"], seconds=one["seconds"],
             command=command)  # fmt: skip
        figures.append({"name": "mime_growth", "value": one["exponent"]})
    worst = max(one["value"] for one in figures if one["name"] == "mime_growth")
    show("mime_growth", worst, "exponent", yardstick=f"at most {MOST}, worst of {len(UNITS)}", command=command)
    for name in ("mail_fuzz_crashes", "mail_fuzz_changed_outside", "mail_fuzz_wrong_text"):
        must(figures, name, 0)
    must(figures, "mime_growth", MOST)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
