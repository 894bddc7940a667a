"""`recipients`: the systems that are told of withdrawals and erasures, and whether they have heard."""

import click

from consent_track.activities import informing
from consent_track.crm.transport import NotReached
from consent_track.crm.webhook import signed
from consent_track.domain.errors import InputRefused

from . import Home, pass_home

_controller = click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")


@click.group()
def recipients() -> None:
    """See who was told of withdrawals and erasures, and who has not answered."""


@recipients.command()
@_controller
@pass_home
def status(home: Home, controller: int) -> None:
    """Say how many messages each recipient acknowledged. Exit code 1 if one is late, gone or was given up."""
    with home.runtime().reading() as p:
        found = informing.standing(p, controller)
    bad = [one for one in found if one.disabled or one.overdue or one.failed]
    lines = [
        f"{one.name}: {one.acknowledged:,} acknowledged, {one.waiting:,} waiting, {one.overdue:,} overdue, "
        f"{one.failed:,} given up{'; it said it is gone (410)' if one.disabled else ''}"
        for one in found
    ] or ["No processor of this controller has a webhook."]
    value = [{name: getattr(one, name) for name in informing.Standing.__slots__} for one in found]
    home.emit({"recipients": value}, "\n".join(lines))
    if bad:
        raise click.exceptions.Exit(1)


@recipients.command()
@click.argument("name")
@_controller
@pass_home
def replay(home: Home, name: str, controller: int) -> None:
    """Send again what NAME did not take, also after it said that it is gone."""
    with home.runtime().processing() as p:
        count = informing.replay(p, controller, name)
    home.emit({"messages": count}, f"{count:,} messages will be tried again now.")


@recipients.command()
@click.argument("name")
@_controller
@pass_home
def test(home: Home, name: str, controller: int) -> None:
    """Send NAME a signed message that names nobody, and say what it answers."""
    runtime = home.runtime()
    with runtime.reading() as p:
        known = {one.name: one for one in p.controller(controller).processors if one.webhook}
        now = p.now
    if name not in known:
        raise InputRefused.one("recipient", f"{name!r} is not configured with a webhook")
    body = b'{"type":"test"}'
    try:
        fields = signed("msg_test", now, body, runtime.secrets_of(known[name]))
        code = runtime.transport().post(known[name].webhook, body, fields)
    except NotReached as error:
        raise InputRefused.one("recipient", str(error)) from None
    home.emit({"status": code}, f"{name} answered {code}.")
    if not 200 <= code < 300:
        raise click.exceptions.Exit(1)
