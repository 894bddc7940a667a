"""`receipt`: a person's choice on paper, for them to keep: signed, in an older form, or to read."""

import json
from pathlib import Path
from typing import Any, Final

import click

from consent_track.activities import Processing, evidencing, knowing, receipting
from consent_track.bootstrap import Runtime
from consent_track.domain.errors import InputRefused
from consent_track.domain.receipt import Receipt
from consent_track.i18n import Texts

from . import Home, pass_home
from .evidence import write_privately

FORMATS: Final = ("dpv", "kantara", "text")


@click.command()
@click.argument("address")
@click.option("--sequence", type=int, default=None, help="The entry of the ledger; default: the person's last.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="dpv", show_default=True,
              help="dpv: signed JSON-LD, ISO/IEC TS 27560. kantara: Consent Receipt 1.1. text: to read.")  # fmt: skip
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@pass_home
def receipt(home: Home, address: str, sequence: int | None, form: str, controller: int, out: Path) -> None:
    """Write the receipt of a choice of ADDRESS."""
    runtime = home.runtime()
    with runtime.reading() as p:
        found = _found(p, controller, address, sequence)
        content = _written(p, found, form, runtime)
    write_privately(out, content.encode())
    home.emit({"written": str(out), "receipt": found.number}, f"Receipt {found.number} written to {out} (0600).")


def _found(p: Processing, controller: int, address: str, sequence: int | None) -> Receipt:
    p.controller(controller)
    subject = knowing.find(p, controller, address)
    if subject is None:
        raise InputRefused.one("address", "nothing is held about it")
    last = evidencing.last_entry(p, controller, subject)
    found = receipting.receipt_of(p, controller, subject, last if sequence is None else sequence, whole=True)
    if found is None:
        raise InputRefused.one("--sequence", "is no entry about this address")
    return found


def _written(p: Processing, found: Receipt, form: str, runtime: Runtime) -> str:
    url = runtime.config.public_url
    if form == "text":
        texts = runtime.wordings.texts(found.locale) or runtime.wordings.texts(found.controller.default_locale)
        assert texts is not None  # start-up proved the default locale
        return readable(found, texts)
    made = receipting.signed(p, found, url) if form == "dpv" else receipting.as_kantara(p, found, url)
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def readable(found: Receipt, texts: Texts) -> str:
    """The receipt as a person reads it, in the words of the pages."""
    name = found.controller.name
    lines = [
        texts.get(f"receipt.{found.kind}.heading"),
        texts.get("page.for_address", masked=found.whose),
        texts.moment(found.at, found.controller.time_zone),
        "",
        *(f"- {_what(event, texts, name)}: {texts.get('me.status.' + event['status'])}" for event in found.events),
    ]
    if found.words:
        lines += [
            "",
            texts.get("receipt.words"),
            *(f"  {texts.filled(text, name)}" for _, text in _sorted(found.words)),
        ]
    who = texts.get("privacy.who", controller=name)
    lines += ["", texts.get("privacy.contact"), f"{who} {found.controller.contact}", texts.get("privacy.complain")]
    return "\n".join(lines) + "\n"


def _sorted(words: Any) -> list[tuple[str, str]]:
    return sorted((id_, text) for id_, text in words.items() if not id_.startswith("form.email"))


def _what(event: Any, texts: Texts, name: str) -> str:
    title = f"purpose.{event['purpose']}.title"
    if event["purpose"] and texts.has(title):
        return texts.get(title, controller=name)
    return texts.get("me.mail" if event["act"] == "mail" else "me.all")
