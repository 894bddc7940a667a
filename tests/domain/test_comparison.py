"""What differs between two versions of a policy: every difference in words, and none where there is none."""

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.domain.comparison import Area, compare, compare_all
from consent_track.domain.policy import Policies, policy_hash
from consent_track.policy_reading import house_of, pack_of
from tests.domain.people import rows, under


def edited(policy, path, value):
    """The policy with one value of its file changed; `None` takes the key away."""
    content = deepcopy(dict(policy.pack.content))
    *above, last = path.split(".")
    table = content
    for name in above:
        table = table.setdefault(name, {})
    if value is None:
        del table[last]
    else:
        table[last] = value
    return under(pack_of(content), policy.house)


def said(changes):
    return [f"{c.area} | {c.about} | {c.was or '-'} -> {c.becomes or '-'} | {c.direction}" for c in changes]


# Pack, the value of its file that changes, what it becomes, and what is said of it.
ONE_VALUE = """
    US-CA  rules.open_performance.requirement  consent  law | open_performance in every mail | notice -> consent | stricter
    US-CA  rules.open_performance.requirement  opt_out  law | open_performance in every mail | notice -> opt_out | stricter
    IT     rules.open_performance.least_grade  mailbox_loop  evidence | least evidence for open_performance | operator -> mailbox_loop | stricter
    FR     parameters.token_life_days.value    30   parameter | token_life_days | 90 -> 30 | stricter
    FR     parameters.re_ask_cooldown_months.value  3  parameter | re_ask_cooldown_months | 6 -> 3 | looser
    FR     parameters.dnt.value                ignore  parameter | dnt | refusal -> ignore |
    FR     retention.hits.max_days             396  -
    FR     retention.hits.max_days             30   retention | hits | 0 to 396 days -> 0 to 30 days | stricter
    FR     rules.geo.source                    me   text | rules.geo.source | house: no location is derived [AH-09, IP-09] -> me |
    FR     requests.answer_within.value        2    text | requests.answer_within.value | 1 -> 2 |
    KR     parameters.reconfirm_months         -    parameter | reconfirm_months | 24 -> - | looser
"""  # noqa: E501


@pytest.mark.parametrize(("code", "path", "value", "words"), rows(ONE_VALUE))
def test_one_value_is_one_sentence(everything, code, path, value, words):
    old = everything.by_id[code]
    given = int(value) if value.isdigit() else None if value == "-" else value
    changes = [line.strip() for line in said(compare(old, edited(old, path, given))) if not line.startswith("here")]
    gone = [line for line in changes if not line.startswith("text | parameters.reconfirm_months.")]
    assert gone == ([] if words == "-" else [words])


def test_a_cell_names_the_kinds_of_mail_it_is_about(shipped):
    france = shipped.by_id["FR"]
    changed = compare(france, edited(france, "rules.deliverability_hygiene.mail_types", ["transactional"]))
    kinds = "authentication, legally_required, requested_newsletter"
    assert f"law | deliverability_hygiene in {kinds} | exempt -> consent | stricter" in said(changed)
    assert {change.area for change in changed} == {Area.LAW, Area.HERE}, "the list itself is said by its cells"


def test_another_order_of_words_changes_no_cell_but_is_another_version_and_is_said(shipped):
    france = shipped.by_id["FR"]
    kinds = france.pack.content["rules"]["auth_security"]["mail_types"]
    changed = compare(france, edited(france, "rules.auth_security.mail_types", kinds[::-1]))
    assert [(one.area, one.about) for one in changed] == [(Area.TEXT, "rules.auth_security.mail_types")]


def test_the_house_can_keep_a_looser_law_from_changing_anything_here(shipped):
    france = shipped.by_id["FR"]
    looser = compare(france, edited(france, "rules.open_performance.requirement", "notice"))
    assert said(looser) == ["law | open_performance in every mail | consent -> notice | looser"]


def test_a_regime_of_the_operator_changes_what_holds_in_that_state_only(shipped):
    old = shipped.by_id["US-OTHER"]
    content = {**old.house.content, "regimes": {"US-NY": "notice"}, "notices": {"US-NY": "v1"}}
    changed = said(compare(old, under(old.pack, house_of(content))))
    assert "here | open_performance in every mail, US-NY | consent -> notice | looser" in changed
    assert "house | regimes.US-NY | - -> notice | " in changed
    assert not [line for line in changed if line.startswith(("law", "text"))]


def test_a_transition_that_comes_or_goes_is_said(shipped):
    france = shipped.by_id["FR"]
    gone = compare(france, edited(france, "legacy", None))
    assert said(gone)[0] == (
        "transition | addresses held before a date | collected before 2026-04-14, told by 2026-07-14 -> - | stricter"
    )


def test_a_pack_that_comes_is_one_line_and_the_house_is_said_once(shipped, everything):
    changes = compare_all(shipped, everything)
    assert {(change.policy, change.area.value) for change in changes} == {
        *((code, "pack") for code in ("BG", "IN", "JP", "KR")),
        ("house", "house"),
    }
    assert len([change for change in changes if change.policy == "house"]) == 1


def test_nothing_differs_from_itself(everything):
    for policy in everything.by_id.values():
        assert compare(policy, policy) == ()
    assert compare_all(everything, everything) == ()


def leaves(content, above=()):
    for name, value in content.items():
        yield from leaves(value, (*above, name)) if isinstance(value, dict) else [(*above, name)]


@settings(max_examples=150, deadline=None)
@given(data=some.data())
def test_no_change_of_content_goes_unsaid(shipped, data):
    """Whatever makes another version, and so another hash in every token, is said in at least one line."""
    old = shipped.by_id[data.draw(some.sampled_from(sorted(shipped.by_id)))]
    path = data.draw(some.sampled_from(sorted(leaves(old.pack.content))))
    other = shipped.by_id[data.draw(some.sampled_from(sorted(shipped.by_id)))].pack.content
    for name in path:
        other = other.get(name) if isinstance(other, dict) else None
    if other is None or isinstance(other, dict):
        return
    new = edited(old, ".".join(path), other)
    assert bool(compare(old, new)) == (policy_hash(old.pack.content, {}) != policy_hash(new.pack.content, {}))
    apart = Policies({**shipped.by_id, old.id: replace(new, pack=replace(new.pack, id=old.id))}, {}, shipped.house)
    assert len(compare_all(shipped, apart)) >= len(compare(old, new)) - 1
