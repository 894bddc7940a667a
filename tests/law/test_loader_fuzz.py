"""The loader under strain: any value, any octets, any part missing. It loads a whole pack or refuses it by name."""

import tomllib
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from consent_track.bundled import bundled
from consent_track.domain.errors import PolicyRefused
from consent_track.domain.policy import policy_hash
from consent_track.policy_files import load_house, load_pack
from consent_track.policy_schema import OPTIONAL_PARAMETERS
from tests.law.toml_text import written

SHIPPED = {path.name: path.read_text(encoding="utf-8") for path in sorted(bundled("policies").glob("*.toml"))}

_TREE = {name: tomllib.loads(text) for name, text in SHIPPED.items()}
_junk = some.recursive(
    some.none().map(lambda _: "")
    | some.booleans()
    | some.integers(-(10**6), 10**6)
    | some.text(max_size=8)
    | some.sampled_from(["consent", "never", "exempt", "notice", "NO", "FR", "H"])
    | some.dates(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _load(path):
    """The content of a file that loads, or its problems. Any other error is the test's to see."""
    load = load_house if path.name == "house.toml" else load_pack
    try:
        return load(path).content, ()
    except PolicyRefused as refused:
        return None, refused.problems


def _places(tree, path=()):
    yield from ((*path, key) for key in tree)
    for key, below in tree.items():
        if isinstance(below, dict):
            yield from _places(below, (*path, key))


@given(name=some.sampled_from(sorted(SHIPPED)), data=some.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.law("RE-10")
def test_a_pack_with_one_strange_value_loads_with_another_version_or_is_refused_by_name(tmp_path, name, data):
    tree = deepcopy(_TREE[name])
    *path, key = data.draw(some.sampled_from(list(_places(tree))))
    place = tree
    for step in path:
        place = place[step]
    junk = data.draw(_junk)
    deed = data.draw(some.sampled_from(["replace", "remove", "add"]))
    if deed == "remove":
        del place[key]
    else:
        place[key if deed == "replace" else data.draw(some.text(max_size=6))] = junk
    path = tmp_path / name
    path.write_text(written(tree), encoding="utf-8")
    content, wrong = _load(path)
    if content is None:
        assert wrong
        assert all(problem.where.startswith(f"{path}: ") for problem in wrong)
    else:
        assert (policy_hash(content, {}) == policy_hash(_TREE[name], {})) is (tree == _TREE[name])


@given(name=some.sampled_from(sorted(SHIPPED)), data=some.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_octets_load_or_are_refused(tmp_path, name, data):
    octets = bytearray(SHIPPED[name].encode())
    for _ in range(data.draw(some.integers(1, 4))):
        at = data.draw(some.integers(0, len(octets)))
        octets[at : at + data.draw(some.integers(0, 3))] = data.draw(some.binary(max_size=3))
    path = tmp_path / name
    path.write_bytes(octets)
    content, wrong = _load(path)
    assert bool(wrong) is (content is None)


MISSED = {"source", "confidence", "requirement", "least_grade", "value", "min_days", "max_days"}


@pytest.mark.parametrize("name", [name for name in sorted(SHIPPED) if name not in ("house.toml", "rights.toml")])
def test_no_part_of_a_pack_can_be_missing(tmp_path, name):
    """Whatever is taken out of rules, parameters and retention is missed by name."""
    for table in ("rules", "parameters", "retention"):
        for entry, keys in _TREE[name][table].items():
            whole = [] if entry in OPTIONAL_PARAMETERS else [None]
            for key in [*whole, *(key for key in keys if key in MISSED)]:
                tree = deepcopy(_TREE[name])
                gone = tree[table].pop(entry) if key is None else tree[table][entry].pop(key)
                assert gone is not None
                (tmp_path / name).write_text(written(tree), encoding="utf-8")
                with pytest.raises(PolicyRefused) as refused:
                    load_pack(tmp_path / name)
                where = f"{table}.{entry}" + (f".{key}" if key else "")
                assert any(problem.where.endswith(f": {where}") for problem in refused.value.problems)
