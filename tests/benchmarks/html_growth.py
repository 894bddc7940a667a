"""How the time of the HTML side grows with the size of hostile input: scanning, judging links, finding trackers.

The exponent of time over size, by least squares over five doubling sizes, best of seven; 1 is linear, 2 is what an
attacker hopes for (threat T33, figure F22). The library's own HTML parser reaches 2 on several of these units.
"""

import gc
import math
import sys
import time
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from figures import must, show  # noqa: E402

from consent_track.domain.vocabulary import MailType  # noqa: E402
from consent_track.mail import html, links, trackers  # noqa: E402

COMMAND = "python tests/benchmarks/html_growth.py"
BOUND: Final = 1.2
OWN: Final = frozenset({"track.acme.example"})

# What stands in front, and what is repeated behind it.
UNITS: Final = {
    "less-than signs": (b"", b"<"),
    "comments never closed": (b"", b"<!--"),
    "dashes in a comment": (b"<!--", b"--!- "),
    "comments closed at once": (b"", b"<!--><!--->"),
    "attribute never closed": (b"", b'<a href="'),
    "quotes by turns": (b"", b'<a b="\'" c=\'"'),
    "tags never closed": (b"", b"<a "),
    "table cells": (b"", b"<td a=b>"),
    "quoted greater-than signs": (b"", b'<td a=">">'),
    "many attributes": (b"<a ", b"a=b c "),
    "attributes without a name": (b"<a ", b"= ='/"),
    "script never closed": (b"", b"<script>"),
    "nearly closed raw text": (b"<style>", b"</styl </stylee"),
    "raw text by turns": (b"", b"<title></title>"),
    "end tags": (b"", b"</body>"),
    "bogus comments": (b"", b"<!><?></3>"),
    "bogus comments never closed": (b"", b"<!x"),
    "CDATA ends": (b"", b"]]>"),
    "NULs": (b"", b"<a\0href=\0>\0"),
    "anchors never closed": (b"", b'<a href="https://a.example/b">'),
    "anchors and words": (b"", b'<a href="https://a.example/bc?d=efg">word (a.example) <b>word</b></a>'),
    "one anchor of many parts": (b"<a href=a>", b"<!--<p><b c='>"),
    "one anchor of many words": (b"<a href='//a'>", b"a.b "),
    "references": (b"<a href='", b"&a&#&#x&amp"),
    "long addresses": (b"", b"<img src='https://a.example/" + b"a" * 4_000 + b"?" * 4_000 + b"'>"),
    "long opaque addresses": (b"", b"<a href='https://a.example/" + b"aB1-" * 480 + b"'>" + b"a." * 900 + b"</a>"),
    "style addresses": (b"<p style='", b"url(//"),
    "backgrounds": (b"", b"<td background=//a.example/b>"),
    "styles of pictures": (b"", b"<img src=//a.example/b style='width:   width : 1'>"),
    "candidates": (b"<img srcset='", b"//a.example/b 1x, ,,"),
    "many srcsets": (b"", b"<img srcset='//a.example/b 1x,, //a.example/c'>"),
    "conditional comments": (b"", b"<!--[if mso]><img src=//a.example/b><![endif]-->"),
}


def growth(smallest: int = 64 * 1024, sizes: int = 5, best_of: int = 7) -> list[dict[str, Any]]:
    """The exponent for each hostile unit; sizes in octets, doubling from `smallest`. The collector is off, as in
    timeit."""
    gc.disable()
    try:
        return [measured(name, smallest, sizes, best_of) for name in UNITS]
    finally:
        gc.enable()


def measured(name: str, smallest: int, sizes: int, best_of: int) -> dict[str, Any]:
    front, unit = UNITS[name]
    points = []
    for step in range(sizes):
        page = front + unit * ((smallest << step) // len(unit))
        points.append((len(page), min(seconds(page) for _ in range(best_of))))
    return {"unit": name, "exponent": round(slope(points), 3), "seconds": points[-1][1], "n": points[-1][0]}


def seconds(data: bytes) -> float:
    start = time.perf_counter()
    page = html.scan(data)
    html.insertion_point(page, data)
    trackers.find(page, data, own_hosts=OWN)
    for anchor in page.anchors:
        links.classify(anchor, mail_type=MailType.TRANSACTIONAL, own_hosts=OWN)
    return time.perf_counter() - start


def slope(points: list[tuple[int, float]]) -> float:
    xs, ys = [math.log(size) for size, _ in points], [math.log(time_) for _, time_ in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)


def main() -> None:
    begun = time.perf_counter()
    found = growth()
    worst = max(found, key=lambda each: float(each["exponent"]))
    slowest = max(found, key=lambda each: float(each["seconds"]) / int(each["n"]))
    for each in found:
        show(f"html_growth: {each['unit']}", each["exponent"], "exponent", n=each["n"], seconds=each["seconds"],
             command=COMMAND)  # fmt: skip
    show("html_slowest", slowest["n"] / slowest["seconds"] / 1e6, f"MB/s on {slowest['unit']}", n=slowest["n"],
         seconds=slowest["seconds"], command=COMMAND)  # fmt: skip
    figure = show("html_growth", worst["exponent"], "exponent", yardstick=f"at most {BOUND}, worst of {len(found)}",
                  seconds=time.perf_counter() - begun, command=COMMAND)  # fmt: skip
    must([figure], "html_growth", BOUND)


if __name__ == "__main__":
    main()
