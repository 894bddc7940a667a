"""The measuring picture: real dimensions, an empty alternative text, and nothing that hides it (TI-13)."""

from html import escape


def pixel_html(url: str) -> str:
    """The image tag for a pixel URL. Screen readers pass over it; the footer says that it is there."""
    return f'<img src="{escape(url)}" width="1" height="1" alt="">'
