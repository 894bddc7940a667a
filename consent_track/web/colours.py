"""The style sheet of one colour: what a controller may change about its pages.

The operator names one colour on which white letters can be read; what stands on dark paper is made from it here.
"""

from typing import Final

from consent_track.settings import READABLE, contrast

DARK_CARD: Final = "#1d2427"  # of consent_track.css
_STEPS: Final = 20


def sheet(accent: str) -> str:
    """The style sheet of one colour."""
    return (
        f":root {{ --act: {accent}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --act: {tint(accent)}; --on-act: #0d1214; }} }}\n"
        "@media print { :root { --act: #000; } }\n"
    )


def tint(accent: str) -> str:
    """The colour, as much lighter as it has to be on dark paper (WCAG 1.4.3)."""
    red, green, blue = (int(accent[place : place + 2], 16) for place in (1, 3, 5))
    for step in range(_STEPS + 1):
        share = step / _STEPS
        mixed = "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in (red, green, blue))
        if min(contrast(mixed, DARK_CARD), contrast(mixed, "#0d1214")) >= READABLE:
            return mixed
    return "#ffffff"
