"""The headers of every page, in one table: nothing is remembered, nothing is loaded from elsewhere, nothing leaks."""

from typing import Final

from flask import Flask, Response

# Source of each: CSP Level 3; RFC 9111 5.2.2.5; Referrer Policy; RFC 6797. A token stands in the address of a page,
# so no other site may learn that address, and no cache may keep the page.
PAGES: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS: Final = "max-age=31536000"


def attach(app: Flask, *, https: bool) -> None:
    """Set the table on every answer that does not say otherwise itself."""

    @app.after_request
    def set_headers(response: Response) -> Response:
        for name, value in PAGES.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers["Strict-Transport-Security"] = HSTS
        return response
