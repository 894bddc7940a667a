"""Lawful e-mail open and click measurement."""

__version__ = "0.1.0"
