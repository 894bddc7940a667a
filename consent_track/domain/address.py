"""E-mail addresses: one written form for one mailbox, and which of them are nobody's in particular."""

import re
import unicodedata
from typing import Final

from .errors import InputRefused

_LONGEST: Final = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\"(),:;<>\[\\\]\u0085\u2028\u2029]")

# RFC 2142 and common practice: mailboxes of a role or a group. They are never individually measured (decision 5).
ROLE_NAMES: Final = frozenset(
    """abuse accounting accounts admin administration administrator all billing booking bookings bureau careers
    contact contato contacto datenschutz dpo einkauf empfang enquiries everyone feedback finance ftp hello help
    helpdesk hostmaster hr info information inquiries it jobs kontakt kundenservice list list-request mail
    mailer-daemon marketing media news newsletter no-reply noc noreply office orders personal postmaster presse press
    privacy reception root sales secretariat security service servicio sekretariat shop staff subscribe support
    systems team tech undisclosed-recipients unsubscribe usenet uucp vente vertrieb webmaster www""".split()
)


def normalise(address: str, field: str = "address") -> str:
    """The one form under which an address is looked up: NFC, case folded, domain in its ASCII form.

    The local part is folded too: no mailbox provider in use tells `Ann` from `ann`, and taking them for two people
    would let a refusal be missed. Plus tags and dots are kept: they are different addresses to their owners.
    Raises InputRefused (field `field`) for anything that is not one plain mailbox.
    """
    text = unicodedata.normalize("NFC", address.strip())
    local, at, domain = text.rpartition("@")
    if not at or not local or "." not in domain.strip(".") or _FORBIDDEN.search(text):
        raise InputRefused.one(field, "is not one plain e-mail address")
    try:
        ascii_domain = domain.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise InputRefused.one(field, "has a domain that cannot exist") from None
    # A full-width @ or a dot leader becomes plain only here, and would name another mailbox than was checked above.
    if "@" in local or "@" in ascii_domain or ".." in ascii_domain or _FORBIDDEN.search(ascii_domain):
        raise InputRefused.one(field, "is not one plain e-mail address")
    normal = f"{unicodedata.normalize('NFC', local.casefold())}@{ascii_domain}"
    if len(normal.encode()) > _LONGEST:
        raise InputRefused.one(field, f"is longer than {_LONGEST} octets")
    return normal


def is_role(address: str) -> bool:
    """Whether an address names a function or a group rather than one person."""
    local = address.rpartition("@")[0].casefold()
    plain = local.partition("+")[0]
    return plain in ROLE_NAMES or plain.replace(".", "-").replace("_", "-") in ROLE_NAMES


def masked(address: str) -> str:
    """`j***@e***`: enough for its owner to know it, too little for anybody else (a mail gets forwarded; CC-15)."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain[:1]}***"
