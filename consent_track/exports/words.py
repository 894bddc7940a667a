"""What the words, numbers and times of an export mean. A word nobody knows is never a yes; a hint of a no is a no."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent_track.domain.imported import Said

_STATUS: Final[dict[str, Said]] = {
    word: said
    for said, words in {
        Said.SUBSCRIBED: "subscribed enabled active yes y true 1 on confirmed optin opt-in opted-in given",
        Said.UNSUBSCRIBED: "unsubscribed disabled inactive blocklisted blacklisted blocked suppressed no n false 0 off"
        " optout opt-out opted-out removed deleted cancelled canceled donotcontact do-not-contact dnc",
        Said.BOUNCED: "bounced bounce cleaned hardbounced hard-bounce hardbounce invalid undeliverable",
        Said.COMPLAINED: "complained complaint spam abuse junk",
        Said.OBJECTED: "objected objection",
        Said.REFUSED: "refused declined denied",
        Said.NOTHING: "pending unconfirmed transactional nonsubscribed non-subscribed unknown none null",
    }.items()
    for word in words.split()
}
# Parts of words that nobody uses for a yes.
_HINTS: Final = (
    (re.compile("spam|abuse|complain|junk"), Said.COMPLAINED),
    (re.compile("bounc|undeliver|invalid"), Said.BOUNCED),
    (re.compile("objec"), Said.OBJECTED),
    (re.compile("unsub|block|black|suppress|opt.?out|opted.?out|remov|reject|declin|refus|delet|cancel|stop|\\bnot\\b"),
     Said.UNSUBSCRIBED),
)  # fmt: skip
_FALSE: Final = frozenset("0 no n false off none null never - [] {} nein non".split()) | {""}
_TRUE: Final = frozenset("1 yes y true on x subscribed given allowed ja oui si sí optin opt-in opted-in".split())
_GO_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})(?: [A-Z]+)?(?: m=.*)?")
_EPOCH: Final = re.compile(r"\d{9,10}(\d{3})?")
_EARLIEST: Final = 631_152_000  # 1990: before that nobody asked anybody by e-mail


def said(value: Any) -> Said:
    """What a status says; an empty one says nothing."""
    text = plain(value).casefold()
    if not text:
        return Said.NOTHING
    known = _STATUS.get(re.sub(r"[\s_]+", "-", text)) or _STATUS.get(text)
    if known is not None:
        return known
    return next((meaning for hint, meaning in _HINTS if hint.search(text)), Said.NOT_UNDERSTOOD)


def contact_ban(value: Any) -> Said | None:
    """What a "do not contact" says: reason 2 is a bounce, any other reason or yes is a no, an empty one nothing."""
    entries = value if isinstance(value, list) else [value]
    found = None
    for entry in entries:
        if isinstance(entry, dict):
            if plain(entry.get("channel", "email")).casefold() not in ("email", ""):
                continue
            entry = entry.get("reason", 1)
        text = plain(entry).casefold()
        if text == "2" or "bounc" in text:
            found = found or Said.BOUNCED
        elif text not in _FALSE:
            found = Said.UNSUBSCRIBED
    return found


def holds(value: Any) -> bool:
    """Whether a column such as `unsubscribed at` says that it happened: anything but empty and no."""
    return plain(value).casefold() not in _FALSE


def answer(value: Any) -> bool | None:
    """What a person answered: yes, no, or neither. Only a plain yes is one; an empty cell is no answer."""
    text = plain(value).casefold()
    if not text:
        return None
    if text in _TRUE:
        return True
    return False if text in _FALSE or said(value) not in (Said.NOTHING, Said.NOT_UNDERSTOOD, Said.SUBSCRIBED) else None


def instant(value: Any, formats: Sequence[str], zone: ZoneInfo) -> int | None:
    """Seconds since the epoch; a time without a zone is one of `zone`. None for what cannot be read."""
    text = plain(value)
    if _EPOCH.fullmatch(text):
        at = int(text) // (1_000 if len(text) > 10 else 1)
        return at if at >= _EARLIEST else None
    if whole := _GO_TIME.fullmatch(text):
        text = f"{whole[1]}{whole[2]}"
    moment = _moment(text, formats)
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    try:
        at = int(moment.timestamp())
    except (OverflowError, ValueError):
        return None
    return at if at >= _EARLIEST else None


def day(value: Any, formats: Sequence[str], zone: ZoneInfo) -> date | None:
    """A day; of a time, its day in UTC."""
    at = instant(value, formats, zone)
    return None if at is None else datetime.fromtimestamp(at, UTC).date()


def _moment(text: str, formats: Sequence[str]) -> datetime | None:
    for one in formats:
        try:
            return datetime.strptime(text, one)  # noqa: DTZ007
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def plain(value: Any) -> str:
    """A value as text: JSON's true is `true`; half a surrogate pair, which no address and no word has, is replaced."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip().encode("utf-8", "replace").decode()
