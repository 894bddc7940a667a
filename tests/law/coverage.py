"""Which rows of the law catalogue which tests prove: read from the marks in the tests, written for the package.

Run `python tests/law/coverage.py` after adding or removing a mark; a test fails while the file is stale.
"""

import ast
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
CATALOGUE = TESTS / "law" / "catalogue.toml"
SHIPPED = TESTS.parent / "consent_track" / "law_coverage.json"


class UnknownRow(Exception):
    """Raised when a mark names a row that is not in the catalogue, or names it by anything but a plain text."""


def catalogue() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["row"]
    return rows


def marks(source: str) -> Iterator[tuple[str, str]]:
    """Each (name of the test, row id) of one file; a mark on a module or a class counts as one of its own name."""
    tree = ast.parse(source)
    tables = {
        target.id: [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    yield from _marks_below(tree, "", tables, {})


def _marks_below(
    node: ast.AST, inside: str, tables: dict[str, list[str]], bound: dict[str, list[str]]
) -> Iterator[tuple[str, str]]:
    """`bound`: what a name stands for in `[... law(row) ... for row in TABLE]`, a table of the module with row ids."""
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        loops = [(ast.unparse(loop.target), ast.unparse(loop.iter)) for loop in node.generators]
        bound = {**bound, **{name: tables[table] for name, table in loops if table in tables}}
    for child in ast.iter_child_nodes(node):
        name = inside
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{inside}::{child.name}"
        if isinstance(child, ast.Call) and ast.unparse(child.func) == "pytest.mark.law":
            for argument in child.args:
                yield from ((inside, row) for row in _named(argument, bound, inside))
        yield from _marks_below(child, name, tables, bound)


def _named(argument: ast.expr, bound: dict[str, list[str]], inside: str) -> list[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return [argument.value]
    if isinstance(argument, ast.Name) and argument.id in bound:
        return bound[argument.id]
    raise UnknownRow(f"{inside or 'module'}: a law mark names its rows by plain texts")


def proofs(tests: Path = TESTS) -> dict[str, list[str]]:
    """Row id -> the tests that prove it, sorted. Raises UnknownRow."""
    known = {str(row["id"]) for row in catalogue()}
    found: dict[str, set[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for name, row in marks(path.read_text(encoding="utf-8")):
            test = f"{path.relative_to(tests.parent).as_posix()}{name}"
            if row not in known:
                raise UnknownRow(f"{test}: {row!r} is not in {CATALOGUE.name}")
            found.setdefault(row, set()).add(test)
    return {row: sorted(names) for row, names in sorted(found.items())}


def rendered() -> str:
    """The file as it must be: the rows in the order of the catalogue, every test by name."""
    proved = proofs()
    rows = [
        {
            "id": row["id"],
            "area": row["area"],
            "requirement": row["requirement"],
            "confidence": row["confidence"],
            "tests": proved.get(str(row["id"]), []),
            "why_not": row.get("why_not", ""),
        }
        for row in catalogue()
    ]
    return json.dumps({"rows": rows}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SHIPPED.write_text(rendered(), encoding="utf-8")
    print(f"{SHIPPED.name}: {sum(1 for _ in proofs())} rows proved")
