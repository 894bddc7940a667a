"""The answers of the collector: constants, so that nothing about a person or a token can show in them (AH-02).

No cookie, no ETag, no Last-Modified: each of them would be an identifier (RFC 9110 8.8; ePrivacy Art. 5(3)).
"""

from dataclasses import dataclass
from typing import Final

Headers = list[tuple[str, str]]

# The smallest image that every mail client takes: a GIF, because a 204 or an empty body shows a broken picture.
PIXEL: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    b"!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
NOT_OURS: Final = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    b"<title>This link does not work</title><h1>This link does not work</h1>"
    b"<p>It was changed or cut on its way. Nothing was recorded. Please open it from the original email.</p></html>"
)

OK: Final = "200 OK"
FOUND: Final = "302 Found"
NOT_FOUND: Final = "404 Not Found"

# An intermediary must not keep the answer (RFC 9111 5.2.2.5); the page behind a link must not learn the token (TI-08).
_ALWAYS: Final = (
    ("Cache-Control", "private, no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'"),
)
_HSTS: Final = ("Strict-Transport-Security", "max-age=31536000")


@dataclass(frozen=True, slots=True)
class Answers:
    """The header lists, built once. Hand out copies: the WSGI standard lets a server change the list it is given."""

    pixel: Headers
    redirect: Headers
    not_ours: Headers


def build_answers(https: bool) -> Answers:
    """The answers of an installation; `https` says that it is reached over TLS only (RFC 6797 7.2 forbids it else)."""
    always = [*_ALWAYS, _HSTS] if https else [*_ALWAYS]
    return Answers(
        pixel=[("Content-Type", "image/gif"), ("Content-Length", str(len(PIXEL))), *always],
        redirect=[("Content-Length", "0"), *always],
        not_ours=[("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(NOT_OURS))), *always],
    )
