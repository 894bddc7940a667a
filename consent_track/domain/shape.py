"""Whether a document has the shape that a JSON schema asks for; the part of JSON Schema 2020-12 that our schemas use.

A keyword that is not read here is an error, not a keyword without effect: a schema must never look stricter than it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}
_KNOWN: Final = frozenset(
    """$schema $id $defs $ref title description type const enum required properties items minItems minLength pattern
    minimum""".split()
)


def faults(schema: Mapping[str, Any], value: Any) -> list[str]:
    """What is wrong with a document, each by its path; empty where nothing is. Raises ValueError for the schema."""
    return list(_faults(schema, schema, value, ""))


def _faults(root: Mapping[str, Any], schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    if unknown := sorted(set(schema) - _KNOWN):
        raise ValueError(f"{path or 'schema'}: {unknown[0]!r} is not a keyword that is read here")
    if "$ref" in schema:
        yield from _faults(root, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, path)
        return
    where = path or "document"
    if "type" in schema and not _is(schema["type"], value):
        yield f"{where} is not of type {schema['type']}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is none of the words it may be"
    yield from _measures(schema, value, where)
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{path}/{name} is missing".lstrip("/")
        for name, below in schema.get("properties", {}).items():
            if name in value:
                yield from _faults(root, below, value[name], f"{path}/{name}".lstrip("/"))
    if isinstance(value, list) and "items" in schema:
        for number, one in enumerate(value):
            yield from _faults(root, schema["items"], one, f"{path}/{number}")


def _is(name: str, value: Any) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _measures(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0) if isinstance(value, str) else False:
        yield f"{where} is empty"
    if len(value) < schema.get("minItems", 0) if isinstance(value, list) else False:
        yield f"{where} is empty"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} is not written as it should be"
    if isinstance(value, int) and "minimum" in schema and value < schema["minimum"]:
        yield f"{where} is too small"
