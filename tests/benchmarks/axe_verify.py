"""Every page of a recipient, in every language, in the light and in the dark, on a phone: what axe finds wrong with it.

python tests/benchmarks/axe_verify.py
"""

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from figures import must, show, stopwatch  # noqa: E402

from tests.browsing import NARROW, browser, reading, served  # noqa: E402
from tests.web.test_browser import PAGES, Acme  # noqa: E402

COMMAND = "python tests/benchmarks/axe_verify.py"


def main() -> None:
    axe, looked, violations, sideways, small = Axe(), 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as place, stopwatch() as taken:
        acme = Acme(Path(place) / "home")
        with served(acme.app, acme.port), browser() as chromium:
            for locale in acme.runtime.wordings.locales:
                for dark in (False, True):
                    with reading(chromium, acme.url, width=NARROW, dark=dark, locale=locale) as visit:
                        for number, name in enumerate(PAGES):
                            acme.show(visit.page, locale, name, number + 100 * dark)
                            found = axe.run(visit.page)
                            if found.violations_count:
                                print(f"{name} in {locale}\n{found.generate_report()}", file=sys.stderr)
                            looked += 1
                            violations += found.violations_count
                            sideways += visit.scrolls_sideways()
                            small += len(visit.small_targets())
        acme.runtime.database.close()
    figures = [
        show(name, value, unit, n=looked, seconds=taken[0], command=COMMAND)
        for name, value, unit in (
            ("axe_violations", violations, "violations on pages x locales x themes"),
            ("pages_that_scroll_sideways", sideways, "pages at 320 px"),
            ("targets_below_44_px", small, "targets"),
        )
    ]
    for figure in figures:
        must(figures, figure["name"], 0)


if __name__ == "__main__":
    main()
