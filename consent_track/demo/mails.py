"""The demo's mails: real templates, merged with values, as a sender's system would hand them to us."""

import html
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from importlib import resources
from typing import Any, Final

_EACH: Final = re.compile(r"{{#each (\w+)}}\n?(.*?){{/each}}\n?", re.DOTALL)
_VALUE: Final = re.compile(r"{{\s*(\w+)\s*}}")

SHOP: Final = "The Reading Room"


def merge(template: str, values: dict[str, Any], *, escape: bool) -> str:
    """Fill `{{name}}` and `{{#each names}}…{{/each}}`. Raises KeyError for a value that nobody gave."""

    def repeat(found: re.Match[str]) -> str:
        return "".join(merge(found[2], values | item, escape=escape) for item in values[found[1]])

    def fill(found: re.Match[str]) -> str:
        text = str(values[found[1]])
        return html.escape(text) if escape else text

    return _VALUE.sub(fill, _EACH.sub(repeat, template))


def _values(base: str, name: str, site: str) -> dict[str, Any]:
    def page(slug: str) -> str:
        return f"{site}/demo/shop/{slug}"

    return {
        "name": name,
        "issue": "No. 12 · November 2026",
        "headline": "Books for long evenings",
        "preheader": "Three novels, one walk, and a lamp that does not flicker.",
        "lead": "The clocks have gone back, the kettle is on. Here is what our readers could not put down this month.",
        "lead_url": page("long-evenings"),
        "lead_button": "See all twelve books",
        "articles": [
            {"title": "The Lighthouse at Low Tide", "summary": "A novel in four storms.", "url": page("lighthouse")},
            {"title": "A Walk Around the Reservoir", "summary": "Six miles, two bakeries.", "url": page("reservoir")},
            {
                "title": "How to Read in Bed",
                "summary": "Lamps, tested by people who fall asleep.",
                "url": page("lamps"),
            },
        ],
        "sender_address": f"{SHOP}, 4 Orchard Row, Lewes BN7 1AA",
        "unsubscribe_url": page("unsubscribe"),
        "purchase_date": "21 November 2026",
        "credit_card_brand": "Visa",
        "credit_card_last_four": "4242",
        "billing_url": page("billing"),
        "expiration_date": "31 December 2026",
        "receipt_id": "RR-2026-1187",
        "date": "21 November 2026",
        "receipt_details": [
            {"description": "The Lighthouse at Low Tide", "amount": "£14.99"},
            {"description": "Reading lamp, brass", "amount": "£39.00"},
        ],
        "total": "£53.99",
        "support_url": page("help"),
        "action_url": page("receipt.pdf"),
    }


_BRAND: Final = {"[Product Name]": SHOP, "[Company Name, LLC]": SHOP, "[Credit Card Statement Name]": "READING ROOM"}
_SUBJECTS: Final = {"newsletter": "Books for long evenings", "receipt": "Your receipt RR-2026-1187"}


def compose(kind: str, name: str, address: str, site: str, sent_at: int) -> bytes:
    """One mail of the shop to one person: multipart/alternative, from the templates shipped with the project."""
    values = _values(kind, name, site)
    texts = {}
    for ending in ("txt", "html"):
        template = resources.files(__package__).joinpath("templates", f"{kind}.{ending}").read_text("utf-8")
        for placeholder, brand in _BRAND.items():
            template = template.replace(placeholder, brand)
        texts[ending] = merge(template, values, escape=ending == "html")

    mail = EmailMessage()
    mail["From"] = f"{SHOP} <hello@reading-room.example>"
    mail["To"] = f"{name} <{address}>"
    mail["Subject"] = _SUBJECTS[kind]
    mail["Date"] = format_datetime(datetime.fromtimestamp(sent_at, UTC))
    mail["Message-ID"] = f"<{kind}.{name.lower()}@reading-room.example>"
    mail.set_content(texts["txt"])
    mail.add_alternative(texts["html"], subtype="html")
    return mail.as_bytes()
