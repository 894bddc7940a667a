"""The command line: every command takes --home and --json, and answers 0 done, 1 refused or found something, 2 usage.

Commands are loaded when they are asked for, so that `--help` costs no database, no web server and no cryptography.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from consent_track import __version__
from consent_track.domain.errors import ConsentTrackError, Refused

if TYPE_CHECKING:  # a command that needs no installation loads none
    from consent_track.bootstrap import Runtime
    from consent_track.config import Config


@dataclass(slots=True)
class Home:
    """The installation a command works on, opened when a command first asks for it, and how the command answers."""

    path: Path | None = None
    as_json: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _config: "Config | None" = field(default=None, repr=False)
    _runtime: "Runtime | None" = field(default=None, repr=False)

    def folder(self) -> Path:
        """The home folder as an absolute path, whether it exists or not."""
        from consent_track.config import home_folder

        return Path(os.path.abspath(self.path or home_folder(self.environ)))

    def config(self) -> "Config":
        """The configuration. Raises ConfigurationRefused with every problem."""
        if self._config is None:
            from consent_track.config import load_config

            self._config = load_config(self.environ, self.folder())
        return self._config

    def runtime(self) -> "Runtime":
        """The running installation. Raises ConfigurationRefused with every problem."""
        if self._runtime is None:
            from consent_track.bootstrap import bootstrap

            self._runtime = bootstrap(self.config())
        return self._runtime

    def emit(self, value: Mapping[str, Any], text: str) -> None:
        """Answer on standard output: one JSON object with --json, else words for a person."""
        self._write(value, text, err=False)

    def report(self, value: Mapping[str, Any], text: str) -> None:
        """Answer on standard error, for commands whose standard output is the work itself, such as a mail."""
        self._write(value, text, err=True)

    def _write(self, value: Mapping[str, Any], text: str, *, err: bool) -> None:
        words = json.dumps(value, ensure_ascii=False) if self.as_json else text
        if words:
            click.echo(words, err=err)


pass_home = click.make_pass_decorator(Home)


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the table: where it is, and what the overview says of it."""

    name: str
    module: str
    attribute: str
    words: str


COMMANDS: Final = (
    Entry("init", "home", "init", "Make a home folder: keys, database, configuration."),
    Entry("doctor", "doctor", "doctor", "Say what is right and wrong with an installation."),
    Entry("demo", "demo", "demo", "Three people, their mails, and what is recorded of them, live."),
    Entry("serve", "serve", "serve", "Serve pixels, links and pages, with a worker beside them."),
    Entry("worker", "serve", "worker", "Run the jobs: drain, day keys, erasure, purge."),
    Entry("instrument", "mail", "instrument", "Instrument one mail for one recipient."),
    Entry("consent", "consent", "consent", "Record and show one person's choices."),
    Entry("import", "importing", "import_", "Take over an existing list, with every no and no unproved yes."),
    Entry("ask", "ask", "ask", "Ask people for consent, once each, and count what came of it."),
    Entry("links", "links", "links", "Take out personal choice links for your mailing tool."),
    Entry("subject", "subject", "subject", "Erase a person, search for what is left, certify it."),
    Entry("request", "request", "request", "Answer people in time: open, verify, extend, fulfil, refuse."),
    Entry("recipients", "recipients", "recipients", "See whether other systems heard of withdrawals and erasures."),
    Entry("audit-pack", "audit_pack", "audit_pack", "Answer an authority in one signed file."),
    Entry("hygiene", "exempt", "hygiene", "Say who has opened nothing since a day (exempt mode, France)."),
    Entry("count", "exempt", "count", "Say how often a campaign was opened in total (exempt mode, Italy)."),
    Entry("keys", "keys", "keys", "Show and rotate the keys of this machine."),
    Entry("hold", "hold", "hold", "Keep what a dispute is about from purge and erasure."),
    Entry("purge", "purge", "purge", "Delete what has outlived its retention class."),
    Entry("ledger", "ledger", "ledger", "Take the ledger of choices out, for anybody to verify."),
    Entry("verify", "ledger", "verify", "Verify a ledger file, offline."),
    Entry("evidence", "evidence", "evidence", "Take out what proves a person's choices."),
    Entry("receipt", "receipt", "receipt", "Write the signed receipt of a choice."),
    Entry("proof", "ledger", "proof", "Open the proof that is kept after an erasure."),
    Entry("form", "form", "form", "Print the consent form as HTML for any page."),
    Entry("policy", "policy", "policy", "Check, explain and sign off the policies and texts."),
    Entry("wordings", "wordings", "wordings", "Change, check, preview and sign off the words recipients read."),
    Entry("preview", "preview", "preview", "Show every footer, mail and page in your browser, with invented people."),
    Entry("notice", "notice", "notice", "Write the paragraph of a privacy notice that matches the policies in force."),
    Entry("law", "law", "law", "Say which rows of the law catalogue the tests prove."),
    Entry("db", "db", "db", "Bring the databases up to date, or check that they are."),
)


def _set_home(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.ensure_object(Home).path = value


def _set_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Home).as_json = True


def _shared_options() -> tuple[click.Option, ...]:
    """The two options that every command takes, at any place of the line."""
    return (
        click.Option(
            ["--home"],
            type=click.Path(path_type=Path),
            expose_value=False,
            is_eager=True,
            callback=_set_home,
            help="Home folder; default: CONSENT_TRACK_HOME, else ~/.consent_track.",
        ),
        click.Option(
            ["--json"], is_flag=True, expose_value=False, is_eager=True, callback=_set_json, help="Answer in JSON."
        ),
    )


def with_shared_options(command: click.Command) -> click.Command:
    """Give `--home` and `--json` to a command and to all below it; what a command has itself stays its own."""
    own = {parameter.name for parameter in command.params}
    command.params.extend(option for option in _shared_options() if option.name not in own)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_shared_options(below)
    return command


class LazyGroup(click.Group):
    """The overview is a table; a command's module is imported when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for entry in COMMANDS:
            if entry.name == cmd_name:
                module = import_module(f"consent_track.cli.{entry.module}")
                return with_shared_options(getattr(module, entry.attribute))
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.words) for entry in COMMANDS])

    def invoke(self, ctx: click.Context) -> Any:
        """Errors of ours are lines, not traces: a trace could show a person's data, and helps nobody at a prompt."""
        try:
            return super().invoke(ctx)
        except ConsentTrackError as error:
            problems = error.problems if isinstance(error, Refused) else ()
            found = [{"where": one.where, "what": one.what} for one in problems] or [{"where": "", "what": str(error)}]
            lines = [str(one) for one in problems] or [str(error) or type(error).__name__]
            ctx.ensure_object(Home).report({"refused": found}, "\n".join(lines))
            raise click.exceptions.Exit(1) from None


@click.group(cls=LazyGroup, params=list(_shared_options()), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="consent-track %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Lawful e-mail open and click measurement.

    Exit code 0: done. 1: refused, or something was found. 2: the command was not understood.
    """
    ctx.ensure_object(Home)
