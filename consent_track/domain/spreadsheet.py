"""Cells that a spreadsheet shows and does not carry out (threat T36; RFC 4180)."""

from typing import Final

# What a spreadsheet takes for a formula, also in the full-width forms that it folds, and behind white space.
_FORMULA: Final = frozenset("=+-@＝＋－＠|%")


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: a ' in front of what it might."""
    begins = cell.startswith(("\t", "\r", "\n")) or cell.lstrip()[:1] in _FORMULA
    return f"'{cell}" if begins else cell
