"""Mails instrumented per second on one core, everything on, against an HTML rewriter that only swaps links.

Ours: MIME and HTML scanning, decisions, tokens, splicing, footers in both parts, the mailing register in batches.
Yardstick: `pytracking.html.adapt_html` on the bare HTML of the same mails, in the same process and run.
"""

import sys
import tempfile
import time
from email.message import EmailMessage
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1]))

from figures import show  # noqa: E402

COMMAND = "python tests/benchmarks/instrument_bench.py"
CORPUS = HERE.parent / "mail" / "html_corpus"
ROUNDS = 7
BATCH = 10  # times the samples: a campaign is prepared and registered in batches of some hundred mails


def mails() -> list[tuple[str, bytes]]:
    """The sample templates as a sender's system would hand them over: multipart/alternative, UTF-8."""
    found = []
    for path in sorted(CORPUS.glob("*.html")):
        page = path.read_text("utf-8").replace("{{", "").replace("}}", "")
        page = page.replace('href=" ', 'href="https://shop.example/')
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "Acme <hello@acme.example>", "alice@example.org", path.stem
        mail.set_content(path.with_suffix(".txt").read_text("utf-8") if path.with_suffix(".txt").exists() else "Hello")
        mail.add_alternative(page, subtype="html")
        found.append((page, mail.as_bytes()))
    return found


def main() -> None:
    from consent_track.activities import mailing
    from consent_track.domain.vocabulary import MailType
    from consent_track.mail.headers import Declared
    from tests.world import consenting_installation

    samples = mails()
    with tempfile.TemporaryDirectory() as folder:
        runtime = consenting_installation(Path(folder), ["alice@example.org"])
        said = Declared(MailType.REQUESTED_NEWSLETTER, "FR", "en")

        def ours() -> None:
            with runtime.processing() as p:
                settings = runtime.mail_settings()
                letters = [mailing.Letter(raw, "alice@example.org", said) for _, raw in samples * BATCH]
                mailing.register(p, [one.row for one in mailing.prepare_many(p, settings, letters)])

        yard = _yardstick([page for page, _ in samples])
        best_ours = best_yard = float("inf")
        for _ in range(ROUNDS):  # one after the other in every round, so that a busy machine slows both
            best_ours = min(best_ours, _seconds(ours))
            best_yard = min(best_yard, _seconds(yard))
    rate, other = BATCH * len(samples) / best_ours, len(samples) / best_yard
    show("mails_instrumented", rate, "1/s/core", yardstick=f"pytracking adapt_html {other:.0f}/s", ratio=rate / other,
         n=BATCH * len(samples) * ROUNDS, seconds=best_ours, command=COMMAND)  # fmt: skip


def _yardstick(pages: list[str]):
    from pytracking import Configuration
    from pytracking.html import adapt_html

    configuration = Configuration(
        base_open_tracking_url="https://track.example/open/", base_click_tracking_url="https://track.example/click/"
    )

    def run() -> None:
        for page in pages:
            adapt_html(page, extra_metadata={"subject": 1}, configuration=configuration)

    return run


def _seconds(work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
