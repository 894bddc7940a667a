"""`form`: the consent form as HTML, to be pasted into any page."""

from pathlib import Path

import click

from consent_track.activities import wording
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import is_jurisdiction

from . import Home, pass_home


@click.command()
@click.option("--locale", required=True, help="The language of the form, such as fr; its texts must be signed off.")
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@click.option("--jurisdiction", default="", help="Whose law the form is under; default: that of the controller.")
@click.option(
    "--variant",
    type=click.Choice(["mail", "bundled"]),
    default=None,
    help="mail: the newsletter can be ticked too. bundled: one answer for both, where the law allows it (IT).",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@pass_home
def form(home: Home, locale: str, controller: int, jurisdiction: str, variant: str | None, out: Path | None) -> None:
    """Print the consent form as HTML without script; what people answer comes to this installation.

    Its answers are taken as long as the words are the present ones: after a change of the texts, print it again.
    """
    from consent_track.web.snippet import snippet

    runtime = home.runtime()
    texts = runtime.wordings.texts(locale)
    if texts is None:
        raise InputRefused.one("--locale", f"{locale!r} has no complete texts here")
    with runtime.reading() as p:
        whose = p.controller(controller)
        if not wording.may_ask(p, texts.locale, texts.hash):
            raise InputRefused.one("--locale", f"nobody signed the {locale} texts; run: consent-track policy sign-off")
    law = jurisdiction or whose.jurisdiction
    if not is_jurisdiction(law):
        raise InputRefused.one("--jurisdiction", f"{law!r} is not an ISO 3166 code such as FR or US-CA")
    if variant == "bundled" and not runtime.policies.for_jurisdiction(law).pack.bundled_with_mail_consent:
        raise InputRefused.one("--variant", f"mail and measuring must be asked for apart under {law}")
    page = snippet(runtime, whose, texts, law, variant or "")
    if out:
        out.write_text(page, encoding="utf-8")
        home.emit({"written": str(out)}, f"Written to {out}.")
    else:
        home.emit({"html": page}, page.rstrip("\n"))
