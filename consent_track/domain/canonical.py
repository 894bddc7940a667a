"""JSON in one written form, so that a signature over it means the same everywhere (the idea of RFC 8785).

Keys are sorted by code point, nothing is indented, text is UTF-8 in NFC as it came; numbers are whole numbers only,
because whole numbers have one written form.
"""

import json
from typing import Any


def canonical(value: Any) -> bytes:
    """The octets that are signed. Raises ValueError for a fraction, and for what JSON cannot hold."""
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _check(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("a signed document holds whole numbers only")
    if isinstance(value, dict):
        for key, one in value.items():
            if not isinstance(key, str):
                raise ValueError("the keys of a signed document are text")
            _check(one)
    elif isinstance(value, list | tuple):
        for one in value:
            _check(one)
