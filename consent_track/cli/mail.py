"""`instrument`: a mail goes in, a lawful one comes out."""

import sys
from pathlib import Path
from typing import BinaryIO

import click

from consent_track.activities import mailing
from consent_track.domain import exempt
from consent_track.domain.decision import Allowed
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import MailType, Purpose
from consent_track.mail import headers
from consent_track.mail.instrument import Outcome
from consent_track.mail.mime import scan

from . import Home, pass_home


@click.command()
@click.argument("mail", type=click.File("rb"), default="-")
@click.option("--recipient", help="Address of the one recipient; default: the only address in To and Cc.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the mail here instead of to standard output.",
)
@click.option("--mail-type", help=f"One of {', '.join(MailType)}; missing is read as the strictest.")
@click.option(
    "--jurisdiction", help="ISO 3166 code of the recipient, such as FR or US-CA; missing is read as the strictest."
)
@click.option("--locale", help="Language of the disclosure; default: the recipient's, then the controller's.")
@click.option("--campaign", help="Name of the campaign for the mailing register.")
@click.option("--audience", help="How many people get this campaign; a count of its opens needs many.")
@click.option("--purposes", help=f"Comma-separated; default: every individual purpose. Known: {', '.join(Purpose)}")
@click.option("--controller", help="Number of the controller; default: the first configured.")
@click.option(
    "--sensitive", is_flag=True, help="The mail is about something sensitive (GDPR Art. 9): its links are not measured."
)
@pass_home
def instrument(
    home: Home,
    /,
    mail: BinaryIO,
    recipient: str | None,
    output: Path | None,
    sensitive: bool,
    **options: str | None,
) -> None:
    """Instrument one mail for one recipient: MAIL is a file, or standard input.

    Options stand above the mail's own X-Consent-Track-* headers, which are removed on the way out. The report goes to
    standard error. Exit code 1: the mail is refused, nothing is written.
    """
    data = mail.read()
    said, problems = headers.read(
        {name.replace("_", "-"): value for name, value in options.items() if value is not None}
        | ({"sensitive": "yes"} if sensitive else {}),
        [],
    )
    if problems:
        raise InputRefused(problems)
    runtime = home.runtime()
    with runtime.processing() as p:
        prepared = mailing.prepare(p, runtime.mail_settings(), data, recipient or _only_address(data), said)
        mailing.register(p, [prepared.row])
    report = _report(prepared)
    if prepared.result.outcome is Outcome.REFUSED:
        home.report(report, f"refused: {prepared.result.reason}")
        raise click.exceptions.Exit(1)
    if output is None:
        sys.stdout.buffer.write(prepared.result.data)
    else:
        output.write_bytes(prepared.result.data)
    home.report(report, _words(prepared))


def _only_address(data: bytes) -> str:
    found = headers.addressees(
        value for name, value in headers.fields_of(scan(data)) if name.lower() in ("to", "cc", "bcc")
    )
    if len(found) != 1:
        raise InputRefused.one("--recipient", f"is needed: the mail names {len(found)} addressees")
    return found[0]


def _report(prepared: mailing.Prepared) -> dict[str, object]:
    result = prepared.result
    return {
        "message": prepared.row.message,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "opens_measured": result.done.opens,
        "exempt": result.done.exempt.value if result.done.exempt else None,
        "links_measured": result.links,
        "opens": prepared.opens.reason.value,
        "clicks": prepared.clicks.reason.value,
        "warnings": list(result.warnings),
    }


def _words(prepared: mailing.Prepared) -> str:
    result = prepared.result
    lines = [f"{result.outcome}{': ' + result.reason if result.reason else ''}"]
    for name, decision, amount in (
        ("opens", prepared.opens, result.done.opens),
        ("clicks", prepared.clicks, result.links),
    ):
        if isinstance(decision, Allowed) and not amount:
            lines.append(f"{name}: not measured. It may be, but nothing in this mail can be.")
        else:
            verdict = "measured" if amount else "not measured"
            lines.append(f"{name}: {verdict}. {decision.reason.words}")
    if result.done.exempt:
        lines.append(f"exempt pixel: {result.done.exempt}. {exempt.BASIS[result.done.exempt].words}")
    lines += [f"warning: {warning}" for warning in result.warnings]
    return "\n".join(lines)
