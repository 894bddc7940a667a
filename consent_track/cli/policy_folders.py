"""Where the policies that a command speaks about stand: in the installation, else those that are shipped."""

from pathlib import Path

from consent_track.bundled import bundled
from consent_track.config import FILE
from consent_track.domain.errors import ConfigurationRefused

from . import Home


def is_installed(home: Home) -> bool:
    """Whether there is an installation. Raises ConfigurationRefused for one that does not load: it is not none."""
    try:
        home.config()
    except ConfigurationRefused:
        if (home.folder() / FILE).exists():
            raise
        return False
    return True


def folders_of(home: Home) -> tuple[tuple[Path, ...], Path]:
    """The installation's policies folders and its translations; without an installation, the shipped ones."""
    if not is_installed(home):
        return (bundled("policies"),), bundled("translations")
    config = home.config()
    return config.policies_dirs, config.translations_dir
