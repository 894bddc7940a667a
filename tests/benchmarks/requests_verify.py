"""Due dates against the table worked out by hand, and ways into the operator's network that a webhook could take.

python tests/benchmarks/requests_verify.py
"""

import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from figures import must, show, stopwatch  # noqa: E402

from consent_track.crm.transport import NotReached, Transport, is_public  # noqa: E402
from tests.crm.test_transport import INSIDE, OUTSIDE, listening  # noqa: E402
from tests.domain.test_deadlines import table, worked_out  # noqa: E402

COMMAND = "python tests/benchmarks/requests_verify.py"


def wrong_dates():
    """How many rows of the table the engine gets wrong."""
    return sum(worked_out(*row[:5]).day != date.fromisoformat(row[5]) for row in table())


def reached(addresses, transport=Transport):
    """How many of these addresses a message would be sent to; nothing is sent."""
    count = 0
    for address in addresses:
        try:
            transport(resolve=lambda _host, _port, address=address: [address]).post("https://crm.invalid:1/", b"{}", {})
        except NotReached as refused:
            count += not refused.forbidden
    return count


def control():
    """A receiver that the operator allowed by name is reached."""
    with listening(204) as (port, heard):
        Transport(frozenset({f"127.0.0.1:{port}"})).post(f"http://127.0.0.1:{port}/", b"{}", {})
        return len(heard)


def main() -> None:
    with stopwatch() as taken:
        values = (
            ("due_dates_wrong", wrong_dates(), "rows of the table", len(table())),
            ("webhooks_let_inside", reached(INSIDE), "addresses", len(INSIDE)),
            ("webhooks_refused_outside", sum(not is_public(one) for one in OUTSIDE), "addresses", len(OUTSIDE)),
            ("webhook_control_not_reached", 1 - control(), "messages", 1),
        )
    figures = [show(name, value, unit, n=n, seconds=taken[0], command=COMMAND) for name, value, unit, n in values]
    for figure in figures:
        must(figures, figure["name"], 0)


if __name__ == "__main__":
    main()
