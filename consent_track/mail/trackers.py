"""Measuring of others in a mail: a sending service's pixel, links wrapped by it (decision 22).

In the mail of somebody who said no they are stripped, or the mail is refused; they are never wrapped by us.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from .html import Image, Page
from .links import vetted


@dataclass(frozen=True, slots=True)
class ForeignTracker:
    """One measuring element of somebody else. `replacement` None: it cannot be taken out without breaking the mail."""

    kind: str  # pixel | wrapped_link | remote
    host: str
    start: int
    end: int
    replacement: str | None


# Shapes of wrapped links, as sending services publish them: host, path, and where the destination can be read.
_WRAPPED: Final = tuple(
    (re.compile(host), re.compile(path), readable)
    for host, path, readable in (
        (r".", r"/ls/click", ""),  # SendGrid
        (r"list-manage\d*\.com$", r"/track/click", ""),  # Mailchimp
        (r"mandrillapp\.com$", r"/track/click", ""),  # Mandrill
        (r".", r"/c/eJ[\w-]{20,}", ""),  # Mailgun
        (r".", r"/e3t/C", ""),  # HubSpot
        (r".", r"/f/a/[\w~-]{20,}", ""),  # SparkPost
        (r"sendib\w*\.com$", r"/(?:mk/)?cl/", ""),  # Brevo
        (r".", r"/tr/cl/[\w-]{20,}", ""),  # Brevo
        (r"awstrack\.me$", r"/L0/", "path"),  # Amazon SES
        (r"pstmrk\.it$", r"/", ""),  # Postmark
        (r"klclick\d*\.com$", r"/", ""),  # Klaviyo
        (r".", r"/lt\.php", "l"),  # ActiveCampaign
        (r"rs6\.net$", r"/tn\.jsp", ""),  # Constant Contact
    )
)
_PIXEL_PATH: Final = re.compile(
    r"/(?:wf/open|track/open|open\.(?:gif|php|aspx)|o\.gif|e3t/[OT]o|q/[\w~-]{20,}|tr/op/|mk/op/|pixel\.(?:gif|png)|trk/open)",
    re.IGNORECASE,
)
_HIDDEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:max-)?(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|$|!)", re.IGNORECASE
)


def find(page: Page, html: bytes, *, own_hosts: frozenset[str]) -> tuple[ForeignTracker, ...]:
    """Every recognised tracker of somebody else, in the order of the bytes."""
    found = [tracker for image in page.images if (tracker := _pixel(image, own_hosts))]
    for anchor in page.anchors:
        parts = _split(anchor.url)
        if parts is None or parts[0] in own_hosts:
            continue
        host, path, query = parts
        for host_shape, path_shape, readable in _WRAPPED:
            if path_shape.match(path) and host_shape.search(host):
                start, end = anchor.href.value_start, anchor.href.value_end
                found.append(ForeignTracker("wrapped_link", host, start, end, _behind(path, query, readable)))
                break
    return tuple(sorted(found, key=lambda tracker: tracker.start))


def _split(url: str) -> tuple[str, str, str] | None:
    if not url.lower().startswith(("http://", "https://", "//")):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.netloc.lower(), parts.path, parts.query


def _pixel(image: Image, own_hosts: frozenset[str]) -> ForeignTracker | None:
    """A remote picture too small or too hidden to be seen, or at an address known to count opens."""
    parts = _split(image.url)
    if parts is None or parts[0] in own_hosts:
        return None
    tiny = _pixels(image.width) <= 1 and _pixels(image.height) <= 1
    tiny = tiny or (min(_pixels(image.width), _pixels(image.height)) == 0)
    if tiny or _HIDDEN.search(image.style) or _PIXEL_PATH.search(parts[1]):
        return ForeignTracker("pixel", parts[0], image.start, image.end, "")
    return None


def _pixels(size: str) -> float:
    """A width or height in pixels; what is not said, or said in other units, is not small."""
    digits = size.strip().lower().removesuffix("px").strip()
    return int(digits) if digits.isascii() and digits.isdigit() else float("inf")


def _behind(path: str, query: str, readable: str) -> str | None:
    """The destination, where a wrapped link still shows it; only what may stand as a link of its own."""
    if readable == "path":
        return vetted(unquote(path.removeprefix("/L0/").partition("/")[0]))
    values = parse_qs(query).get(readable, []) if readable else []
    return vetted(values[0]) if values else None
