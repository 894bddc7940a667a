"""Our own mails: a few sentences, buttons that look alike, nothing that measures, nothing loaded from elsewhere.

Made with the standard library, which is fit for making a mail and not for changing one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from textwrap import wrap
from typing import Final

from consent_track.domain.errors import InputRefused

_WIDTH: Final = 72  # RFC 3676 section 4.2
# What would begin another line, or another field, in a header (threat T29); the last three do in some programs.
_BREAKS: Final = frozenset("\r\n\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")

_BODY: Final = "margin:0;padding:24px 12px;background-color:#f5f3ee"
_CARD: Final = (
    "max-width:520px;margin:0 auto;padding:28px;background-color:#ffffff;border:1px solid #cfc9bd;border-radius:12px;"
    "font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:1.6;color:#1b2327;text-align:%s"
)
# One style for all buttons of a letter: yes and no look alike (11 CCR 7004(a)(2)). 48 px: larger than a thumb needs.
_BUTTON: Final = (
    "display:block;margin:12px 0;padding:12px 16px;line-height:24px;min-height:24px;border:2px solid #14524e;"
    "border-radius:8px;color:#14524e;background-color:#ffffff;text-align:center;text-decoration:none;font-weight:bold"
)
_SMALL: Final = "margin:20px 0 0;font-size:14px;color:#4f5b62"
# A row of 44 px: line and padding (WCAG 2.2, 2.5.5).
_LINK: Final = "display:block;margin:8px 0 0;padding:11px 0;line-height:22px;font-size:14px;color:#14524e"


@dataclass(frozen=True, slots=True)
class Letter:
    """What one of our mails says. `buttons` are pairs of label and URL; `small` is what stands below them."""

    subject: str
    paragraphs: tuple[str, ...]
    buttons: tuple[tuple[str, str], ...]
    small: tuple[str, ...]
    locale: str
    direction: str  # ltr | rtl
    links: tuple[tuple[str, str], ...] = ()  # label and URL of what can be read besides, below all else


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom to whom, when, and under which Message-ID (without angle brackets)."""

    sender_name: str
    sender: str
    recipient: str
    at: int
    message_id: str


def compose(letter: Letter, envelope: Envelope) -> bytes:
    """The mail as it goes to a mail server, lines ended by CRLF.

    Raises InputRefused (field `subject`, `sender_name`, `sender`, `recipient`, `message_id`) for what could begin
    another header field.
    """
    for field, value in (
        ("subject", letter.subject), ("sender_name", envelope.sender_name), ("sender", envelope.sender),
        ("recipient", envelope.recipient), ("message_id", envelope.message_id),
    ):  # fmt: skip
        if not is_plain(value):
            raise InputRefused.one(field, "holds a line break, a control character or an encoded word")
    for field, address in (("sender", envelope.sender), ("recipient", envelope.recipient)):
        if not may_stand(address):
            raise InputRefused.one(field, "cannot stand in a header of a mail")
    text, html = render(letter)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(envelope.sender_name, addr_spec=envelope.sender)
    mail["To"] = Address(addr_spec=envelope.recipient)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(datetime.fromtimestamp(envelope.at, UTC))
    mail["Message-ID"] = f"<{envelope.message_id}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = letter.locale  # last: the library moves Content- fields into the first part
    return mail.as_bytes()


def is_plain(value: str) -> bool:
    """Whether nothing in a value could begin another field.

    The library decodes an encoded word (RFC 2047) that is given to it, and writes out the line breaks found inside.
    """
    return _BREAKS.isdisjoint(value) and "=?" not in value


def may_stand(address: str) -> bool:
    """Whether a mail of ours can be written to an address; a local part beyond ASCII needs SMTPUTF8, which few take."""
    try:
        Address(addr_spec=address)
    except (ValueError, IndexError, MessageError):  # the library indexes into what is empty
        return False
    return is_plain(address)


def render(letter: Letter) -> tuple[str, str]:
    """The letter as text and as HTML; both say the same in the same order."""
    return _text(letter), _html(letter)


def _text(letter: Letter) -> str:
    blocks = ["\n".join(wrap(paragraph, _WIDTH, break_long_words=False)) for paragraph in letter.paragraphs]
    # A URL on a line of its own is not cut by mail programs.
    blocks += [f"{label}:\n{url}" for label, url in letter.buttons]
    blocks += ["\n".join(wrap(paragraph, _WIDTH, break_long_words=False)) for paragraph in letter.small]
    blocks += [f"{label}:\n{url}" for label, url in letter.links]
    return "\n\n".join(blocks) + "\n"


def _html(letter: Letter) -> str:
    side = "right" if letter.direction == "rtl" else "left"
    spoken = f'lang="{escape(letter.locale)}" dir="{letter.direction}"'
    rows = [f'<p style="margin:0 0 14px">{escape(paragraph)}</p>' for paragraph in letter.paragraphs]
    rows += [f'<a href="{escape(url)}" style="{_BUTTON}">{escape(label)}</a>' for label, url in letter.buttons]
    rows += [f'<p style="{_SMALL}">{escape(paragraph)}</p>' for paragraph in letter.small]
    rows += [f'<a href="{escape(url)}" style="{_LINK}">{escape(label)}</a>' for label, url in letter.links]
    content = "\n".join(rows)
    return (
        f"<!doctype html>\n<html {spoken}>\n<head>\n"
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(letter.subject)}</title>\n</head>\n"
        f'<body style="{_BODY}">\n<div style="{_CARD % side}" {spoken}>\n'
        f"{content}\n</div>\n</body>\n</html>\n"
    )
