"""Where the rule packs and the texts of this release are: inside the wheel, or beside the package in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundled(name: str, package: Path = _PACKAGE) -> Path:
    """The folder `policies` or `translations`. Raises FileNotFoundError naming both places where it could be."""
    places = (package / "_bundled" / name, package.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{name}: neither {places[0]} nor {places[1]} is there; install consent_track again")
