"""`keys`: which keys there are, and their rotation. No secret is ever printed."""

from datetime import UTC, datetime

import click

from consent_track.activities import rotating
from consent_track.crypto import keyring
from consent_track.crypto.key import KeyState

from . import Home, pass_home


@click.group()
def keys() -> None:
    """Show and rotate the keys of this machine."""


@keys.command()
@pass_home
def show(home: Home) -> None:
    """Say which token keys and epochs there are, and what still needs an epoch."""
    runtime = home.runtime()
    with runtime.reading() as p:
        epochs = rotating.standing(p)
        current = p.keys.epoch().id
    tokens = [{"number": key.id, "state": key.state, "created_at": _iso(key.created_at)} for key in runtime.keys.tokens]
    value = {
        "tokens": tokens,
        "epochs": [
            {"number": one.number, "seals": one.number == current, "created_at": _iso(one.created_at or 0),
             "needed_by": one.needed_by}
            for one in epochs
        ],
    }  # fmt: skip
    lines = [f"token key {key.id}: {key.state}, of {_iso(key.created_at)[:10]}" for key in runtime.keys.tokens]
    for one in epochs:
        use = "seals" if one.number == current else f"needed by {one.needed_by:,} rows"
        lines.append(f"epoch {one.number}: {use}, of {_iso(one.created_at or 0)[:10]}")
    home.emit(value, "\n".join(lines))


@keys.command("rotate-epoch")
@pass_home
def rotate_epoch(home: Home) -> None:
    """Make the next epoch key. The worker rewraps everybody and then destroys the old one.

    With several machines, copy the new file of keys/epoch to each of them within a minute.
    """
    runtime = home.runtime()
    with runtime.reading() as p:
        number = rotating.begin_rotation(p, runtime.config.keys_dir)
    text = f"Epoch {number} seals in a minute. The worker rewraps everybody and then destroys the earlier key."
    home.emit({"epoch": number}, text)


@keys.command("rotate-token")
@pass_home
def rotate_token(home: Home) -> None:
    """Make the next token key and issue with it; earlier links keep working. Then restart the service."""
    config = home.config()
    key = keyring.rotate_token_key(config.keys_dir, home.runtime().now())
    home.emit({"number": key.id}, f"Token key {key.id} issues from the next start on.")


@keys.command("retire-token")
@click.argument("number", type=int)
@pass_home
def retire_token(home: Home, number: int) -> None:
    """Let a token key record nothing any more; its links lead on for ever. There is no way back."""
    keyring.set_state(home.config().keys_dir, number, KeyState.REDIRECT_ONLY)
    home.emit(
        {"number": number}, f"Token key {number} leads its links on and never records again, from the next start on."
    )


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
