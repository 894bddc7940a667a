"""Where the policies that a command speaks about stand: in the installation, else those that are shipped."""

from pathlib import Path

from consent_track.bundled import bundled
from consent_track.config import FILE
from consent_track.domain.errors import ConfigurationRefused
from consent_track.domain.policy import Policies
from consent_track.domain.vocabulary import UNKNOWN_JURISDICTION
from consent_track.policy_files import HOUSE, load_pack, load_policies
from consent_track.rights_files import RIGHTS

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


def read_folder(folder: Path) -> Policies:
    """The policies of a folder that is not this installation's. Raises PolicyRefused.

    Where it has a house policy and a pack for unknown jurisdictions it is read by itself, else on top of what is
    shipped, as an installation would.
    """
    packs = [load_pack(path) for path in sorted(folder.glob("*.toml")) if path.name not in (HOUSE, RIGHTS)]
    alone = UNKNOWN_JURISDICTION in {pack.id for pack in packs} and (folder / HOUSE).is_file()
    return load_policies([folder] if alone else [bundled("policies"), folder])
