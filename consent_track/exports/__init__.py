"""Files that other tools export: read line by line, in any dialect, and understood by a preset or a mapping.

Nothing of a file is kept but what a choice needs. Network addresses, locations and names are never read.
"""

from .evidence_file import read_evidence
from .mapping import Understanding, mapping, rows
from .records import Source, look_through

__all__ = ["Source", "Understanding", "look_through", "mapping", "read_evidence", "rows"]
