"""What kind of file system a path lies on: day keys belong in memory, a spool on a local disk, neither on a network."""

import os
from pathlib import Path
from typing import Final

# proc(5): space, tab, newline and backslash of a mount point are written as three octal digits.
_ESCAPES: Final = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}

IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
# Locks and rename are not to be relied on here, so neither SQLite nor the spool may lie on one (storage protocol).
ON_A_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs"}
)


def kind_of(path: Path, mounts: str | None = None) -> str:
    """The type of the file system that holds `path` or will hold it, such as `ext4`; "" where nobody can say.

    `mounts` is the text of /proc/self/mounts. The last mount of the longest matching point wins, as in the kernel.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return ""
    real, found, longest = Path(os.path.realpath(path)), "", -1
    for line in mounts.splitlines():
        _, _, rest = line.partition(" ")
        point, _, rest = rest.partition(" ")
        for escape, character in _ESCAPES.items():
            point = point.replace(escape, character)
        if len(point) >= longest and real.is_relative_to(point):
            found, longest = rest.partition(" ")[0], len(point)
    return found


def is_in_memory(folder: Path) -> bool:
    """Whether `folder` is a writable folder of a file system that a power cut empties."""
    return kind_of(folder) in IN_MEMORY and os.access(folder, os.W_OK | os.X_OK)
