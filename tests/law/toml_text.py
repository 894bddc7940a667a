"""TOML written by hand for the tests: the standard library reads it and does not write it."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any


def written(content: Mapping[str, Any]) -> str:
    """A document with one line for each top-level key; tables stand inline."""
    return "".join(f"{_string(key)} = {_value(value)}\n" for key, value in content.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_string(key)} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return _string(value)
    return value.isoformat() if isinstance(value, date) else repr(value)


def _string(text: str) -> str:
    return json.dumps(text).replace("\x7f", "\\u007f")
