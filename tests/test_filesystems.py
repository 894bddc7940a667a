"""Which file system a path lies on is read from the mounts, the closest and last one first."""

from pathlib import Path

import pytest

from consent_track.filesystems import IN_MEMORY, ON_A_NETWORK, kind_of

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /mnt/memory tmpfs rw 0 0
server:/share /mnt/memory/share nfs4 rw 0 0
tmpfs /mnt/old tmpfs rw 0 0
/dev/sdb1 /mnt/old xfs rw 0 0
//server/docs /mnt/My\\040Documents cifs rw 0 0
"""

PLACES = """
/                          | ext4
/srv/consent_track         | ext4
/mnt/memory/keys           | tmpfs
/mnt/memoryless            | ext4
/mnt/memory/share/a/b      | nfs4
/mnt/old/spool             | xfs
/mnt/My Documents/spool    | cifs
"""


@pytest.mark.parametrize("line", PLACES.strip().splitlines())
def test_the_kind_of_a_place(line: str) -> None:
    path, kind = (part.strip() for part in line.split("|"))
    assert kind_of(Path(path), MOUNTS) == kind


def test_nobody_can_say_without_mounts() -> None:
    assert kind_of(Path("/srv"), "") == ""


def test_memory_is_no_network() -> None:
    assert not IN_MEMORY & ON_A_NETWORK
