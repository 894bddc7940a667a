"""Which text of a mail its reader sees, and whether the mail may be touched at all."""

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .part import Mail, Part

_DKIM: Final = frozenset({"dkim-signature", "arc-seal", "arc-message-signature"})
_BY_TYPE: Final = {
    "multipart/signed": "signed",
    "application/pkcs7-mime": "signed",
    "application/x-pkcs7-mime": "signed",
    "multipart/encrypted": "encrypted",
    "multipart/report": "delivery_report",
}
_PGP: Final = b"-----BEGIN PGP"


def protection(mail: Mail) -> str | None:
    """Why this mail must not be touched, or None: a change would break its signature or its meaning (threat T34).

    One of dkim_signed, signed, encrypted, delivery_report, pgp_inline.
    """
    if not _DKIM.isdisjoint({header.lower for header in mail.root.headers}):
        return "dkim_signed"
    for part in mail.parts():
        if "smime-type" in part.params:
            return "encrypted" if "enveloped" in part.params["smime-type"].lower() else "signed"
        if part.content_type in _BY_TYPE:
            return _BY_TYPE[part.content_type]
        if part.content_type.startswith("text/") and not part.is_attachment and _PGP in _beginning(mail.data, part):
            return "pgp_inline"
    return None


def _beginning(data: bytes, part: Part) -> bytes:
    """The first 1,024 octets of a text, or a little more, roughly decoded: enough to know PGP by its first line."""
    raw = data[part.body_start : min(part.body_end, part.body_start + 1_500)]
    if part.encoding != "base64":
        return raw
    try:
        letters = raw.translate(None, b"\r\n\t ")
        return binascii.a2b_base64(letters[: len(letters) & ~3])
    except binascii.Error:
        return b""


@dataclass(frozen=True, slots=True)
class Bodies:
    """The leaves a reader sees, in order, and whether there are parts beside them that we recognise and leave alone."""

    html: tuple[Part, ...]
    plain: tuple[Part, ...]
    amp: bool
    calendar: bool


def text_leaves(mail: Mail) -> Bodies:
    """The displayed text: no attachments, no AMP, no calendar, and of multipart/related only the root (RFC 2387)."""
    kinds = {leaf.content_type for leaf in mail.leaves}
    shown = [leaf for leaf in _displayed(mail.root) if not leaf.is_attachment]
    return Bodies(
        tuple(leaf for leaf in shown if leaf.content_type == "text/html"),
        tuple(leaf for leaf in shown if leaf.content_type == "text/plain"),
        "text/x-amp-html" in kinds,
        "text/calendar" in kinds,
    )


def _displayed(part: Part) -> Iterator[Part]:
    """Depth is bounded by the scan, so this may recurse."""
    children = part.children
    if not part.content_type.startswith("multipart/"):
        yield part
    elif part.content_type == "multipart/related":
        start = part.params.get("start", "").strip()
        named = [c for c in children if start and (h := c.first("content-id")) is not None and h.text == start]
        for child in (named or children)[:1]:
            yield from _displayed(child)
    else:
        for child in children:
            yield from _displayed(child)
