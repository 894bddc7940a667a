"""Telling a history in plain words, for whoever reads evidence without a machine: an authority, or a court."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from consent_track.domain.consent import Shown


def told(controller: str, address: str, events: Sequence[Mapping[str, Any]], words: Mapping[str, Shown | None]) -> str:
    """Every entry of the ledger about one person, oldest first, with the words on which each choice was made."""
    lines = [f"Choices about e-mail measurement, as {controller} recorded them for {address}. All times are UTC.", ""]
    for event in events:
        lines += _entry(event, words.get(event["wording_id"]))
    return "\n".join(lines) + "\n"


def _entry(event: Mapping[str, Any], shown: Shown | None) -> Iterator[str]:
    what = event["purpose"] or ("receiving the mail" if event["act"] == "mail" else "all measuring")
    yield f"{event['sequence']}. {_moment(event['occurred_at'])}  {event['status']}: {what}"
    yield f"   by {event['actor']}, method {event['method']}, evidence {event['grade']}, law {event['jurisdiction']}"
    if event["asked_at"]:
        yield f"   asked {_moment(event['asked_at'])}"
    if event["expires_at"]:
        yield f"   holds until {_moment(event['expires_at'])}"
    if event["corrects"]:
        yield f"   corrects entry {event['corrects']}"
    if event["source"]:
        yield f"   source: {event['source']}"
    if shown:
        yield f"   words ({shown.locale}):"
        yield from (f"     {line}" for _, text in shown.words for line in text.splitlines())
    yield ""


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
