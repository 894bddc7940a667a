"""Several laws on one person: the strictest holds, minimum periods stay, what differs is listed and resolved."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.domain.composition import Composition, Law, compose, decide_under
from consent_track.domain.decision import THE_SUBJECT, Allowed, Declined, Reason, decide
from consent_track.domain.policy import LONGER_IS_STRICTER, Requirement, Retention
from consent_track.domain.vocabulary import MailType, Purpose
from tests.domain.people import ALICE, BOB, CHARLIE, NEWSLETTER, NOW, housed, in_words, rows, under
from tests.law.cases import CODES, houses, messages, purposes, recipients, states
from tests.law.golden import COLUMNS, PURPOSES, read

PROPERTY = settings(max_examples=60, deadline=None)
codes = some.lists(some.sampled_from(CODES), min_size=1, max_size=4)


def laws(policies, *names: str) -> list[Law]:
    return [Law(name, policies.for_jurisdiction(name)) for name in names]


def drawn(composition: Composition) -> dict[str, dict[str, str]]:
    return {
        purpose.value: {name: composition.requirements[purpose, mail].value for name, mail in COLUMNS.items()}
        for purpose in PURPOSES
    }


# A reader in France, a sender in Italy: France exempts hygiene, Italy the count; together neither is exempt. What
# stays exempt is what both exempt: the security of logging in, and only under the conditions of both.
FRANCE_AND_ITALY = """
                         login    order    duty     news     soft     b2b      ask
auth_security            exempt   consent  consent  consent  consent  consent  consent
deliverability_hygiene   consent  consent  consent  consent  consent  consent  consent
legal_notice_receipt     consent  consent  consent  consent  consent  consent  consent
aggregate_count          consent  consent  consent  consent  consent  consent  consent
open_performance         consent  consent  consent  consent  consent  consent  consent
click_performance        consent  consent  consent  consent  consent  consent  consent
personalisation          consent  consent  consent  consent  consent  consent  consent
sales_followup           consent  consent  consent  consent  consent  consent  consent
"""


def test_france_and_italy_together_exempt_only_what_both_exempt(shipped):
    assert drawn(compose(laws(shipped, "FR", "IT"))) == read(FRANCE_AND_ITALY)


def test_what_stays_exempt_keeps_the_conditions_of_both(shipped):
    both = compose(laws(shipped, "FR", "IT"))
    kept = {cell: names for cell, names in both.conditions.items() if names}
    login = (Purpose.AUTH_SECURITY, MailType.AUTHENTICATION)
    assert kept == {login: ("authentication_flow", "exclusive_purpose", "user_centred")}


def test_an_exemption_beside_a_notice_regime_keeps_its_conditions(shipped):
    """France exempts, California asks for a notice: a notice is given, and only the last day is kept all the same."""
    chosen = housed(shipped, regimes={"US-CA": Requirement.NOTICE}, notices={"US-CA": "v1"})
    both = compose(laws(chosen, "FR", "US-CA"))
    news = (Purpose.DELIVERABILITY_HYGIENE, MailType.REQUESTED_NEWSLETTER)
    assert both.requirements[news] is Requirement.NOTICE
    assert "last_open_day_only" in both.conditions[news]


FALLS = """
    FR US-CA  Alice    yes: consent_given
    FR US-CA  Bob      no: withdrawn
    FR US-CA  Charlie  no: no_consent
    US-CA     Charlie  yes: notice_given
    US-CA CH  Charlie  no: no_consent
    ZZ US-CA  Charlie  no: no_consent
"""
PEOPLE = {"Alice": ALICE, "Bob": BOB, "Charlie": CHARLIE}


@pytest.mark.parametrize(("names", "person", "expected"), rows(FALLS))
def test_one_law_that_asks_for_consent_is_enough(shipped, names, person, expected):
    chosen = housed(shipped, regimes={"US-CA": Requirement.NOTICE}, notices={"US-CA": "v1"})
    for order in permutations(names.split()):
        found = decide_under(
            laws(chosen, *order), THE_SUBJECT, NEWSLETTER, Purpose.OPEN_PERFORMANCE, PEOPLE[person], NOW
        )
        assert in_words(found) == expected


def test_without_any_law_nothing_is_measured(shipped):
    found = decide_under([], THE_SUBJECT, NEWSLETTER, Purpose.OPEN_PERFORMANCE, ALICE, NOW)
    assert found == Declined(Purpose.OPEN_PERFORMANCE, Reason.POLICY_MISSING)
    with pytest.raises(ValueError, match="no law"):
        compose([])


# France, California and Australia: the value that protects most, and every deadline.
TOGETHER = """
    re_ask_cooldown_months  12
    signal_waiver           0
    token_life_days         90
"""


def test_the_numbers_that_protect_most_hold(shipped):
    three = compose(laws(shipped, "FR", "US-CA", "AU"))
    assert {name: str(three.limits[name]) for name, _ in rows(TOGETHER)} == dict(rows(TOGETHER))
    assert not three.bundled_with_mail_consent
    assert three.honours_dnt


LENGTHS = """
    FR US-CA  requests.answer_within       45 cd and 1 mo, whichever ends first
    FR US-CA  requests.acknowledge_within  3 bd
    FR US-CA  requests.extension           45 cd and 2 mo, whichever ends first
    FR CH     requests.answer_within       30 cd and 1 mo, whichever ends first
    FR CH     requests.extension           0 cd
    EU FR     requests.acknowledge_within  3 bd
    AU CA     unsubscribe.honour_within    5 bd
    AU CA     unsubscribe.alive_for        60 cd
    FR CA     breach.record_for            24 mo
"""


@pytest.mark.parametrize(("names", "about", "expected"), rows(LENGTHS))
def test_every_deadline_is_kept(shipped, names, about, expected):
    """A month may be shorter or longer than 30 days, so neither is dropped."""
    assert compose(laws(shipped, *names.split())).deadlines[about] == expected


class TestConflicts:
    def test_what_differs_is_listed_with_what_each_says_and_what_holds(self, shipped):
        both = compose(laws(shipped, "FR", "IT"))
        said = {one.about: (dict(one.said), one.holds) for one in both.conflicts}
        assert said[
            "deliverability_hygiene in authentication, legally_required, requested_newsletter, transactional"
        ] == (
            {"FR": "exempt", "IT": "consent"},
            "consent",
        )
        assert said["consent.bundled_with_mail_consent"] == (
            {"FR": "each is asked for apart", "IT": "one request may ask for both"},
            "each is asked for apart",
        )
        assert not any(one.contradiction for one in both.conflicts)
        assert not any("open_performance" in about for about in said), "where they agree there is nothing to resolve"

    def test_one_law_alone_has_none(self, shipped):
        assert not compose(laws(shipped, "FR", "FR")).conflicts

    @pytest.mark.law("RT-06")
    def test_a_minimum_above_anothers_maximum_is_a_contradiction_and_the_duty_to_keep_wins(self, everything):
        """India asks for a year of logs at least; a law that allowed half a year at most cannot be kept beside it."""
        india, germany = everything.for_jurisdiction("IN"), everything.for_jurisdiction("DE")
        hits = Retention(0, 180, "a law of half a year", germany.pack.retention["hits"].confidence)
        short = under(replace(germany.pack, retention={**germany.pack.retention, "hits": hits}), germany.house)
        both = compose([Law("IN", india), Law("DE", short)])
        kept = both.retention["hits"]
        assert (kept.min_days, kept.max_days, kept.days) == (365, 365, 365)
        (found,) = [one for one in both.conflicts if one.contradiction]
        assert found.about == "retention.hits"
        assert dict(found.said) == {"DE": "0 to 180 days", "IN": "365 to 396 days"}
        assert found.holds == "365 days"
        assert "duty to keep" in found.why

    @pytest.mark.law("RT-06")
    def test_a_european_and_an_indian_law_agree_on_a_year_and_say_so(self, everything):
        both = compose(laws(everything, "FR", "IN"))
        assert (both.retention["hits"].min_days, both.retention["hits"].days) == (365, 396)
        hits = [one for one in both.conflicts if one.about == "retention.hits"]
        assert [(one.contradiction, one.holds) for one in hits] == [(False, "396 days")]


@given(names=codes, chosen=houses, data=some.data())
@PROPERTY
def test_order_and_repetition_change_nothing(shipped, names, chosen, data):
    policies = housed(shipped, **chosen)
    whole = compose(laws(policies, *names))
    assert compose(laws(policies, *data.draw(some.permutations(names)))) == whole
    assert compose(laws(policies, *names, *names)) == whole
    assert compose([*whole.laws, data.draw(some.sampled_from(whole.laws))]) == whole


@given(names=codes, chosen=houses)
@PROPERTY
def test_nothing_is_looser_than_in_any_one_law(shipped, names, chosen):
    policies = housed(shipped, **chosen)
    whole = compose(laws(policies, *names))
    for law in laws(policies, *names):
        policy = law.policy
        for (purpose, mail), holds in whole.requirements.items():
            assert holds.strictness >= policy.needs(purpose, mail, law.jurisdiction).strictness
            assert whole.least_grades[purpose].rank >= policy.least_grade(purpose).rank
        for name in policy.pack.parameters:
            if name != "dnt":
                holds, alone = whole.limits[name], policy.number(name)
                assert holds >= alone if name in LONGER_IS_STRICTER else holds <= alone
        for name, held in policy.pack.retention.items():
            kept = whole.retention[name]
            assert kept.min_days <= kept.days <= kept.max_days
            assert kept.days >= held.min_days
            assert kept.days <= policy.keep_days(name) or kept.days == kept.min_days
        assert policy.pack.bundled_with_mail_consent or not whole.bundled_with_mail_consent


@given(names=codes, chosen=houses, message=messages, purpose=purposes, state=states, who=recipients)
@PROPERTY
def test_what_all_allow_together_each_allows_alone(shipped, names, chosen, message, purpose, state, who):
    policies = housed(shipped, **chosen)
    each = laws(policies, *names)
    together = decide_under(each, who, message, purpose, state, NOW)
    alone = [
        decide(who, replace(message, jurisdiction=law.jurisdiction), purpose, state, law.policy, NOW) for law in each
    ]
    assert isinstance(together, Allowed) == all(isinstance(one, Allowed) for one in alone)
    assert together in alone
    assert decide_under(reversed(each), who, message, purpose, state, NOW) == together
    assert decide_under([*each, *each], who, message, purpose, state, NOW) == together
