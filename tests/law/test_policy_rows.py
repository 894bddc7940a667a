"""Rows of the catalogue that the policies themselves answer: business addresses, hygiene, signals, unsubscribing."""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.domain.consent import ConsentState
from consent_track.domain.decision import Message, Recipient, decide
from consent_track.domain.policy import Requirement
from consent_track.domain.vocabulary import INDIVIDUAL, MailType, Purpose
from tests.domain.people import ALICE, CHARLIE, NEWSLETTER, NOW, answer, housed
from tests.law import cases

MAILS = [mail for mail in MailType if mail is not MailType.CONSENT_REQUEST]


class TestBusinessAddresses:
    """France: addresses of companies are not outside the rule."""

    @pytest.mark.law("CC-11")
    @settings(max_examples=300, deadline=None)
    @given(purpose=some.sampled_from(sorted(INDIVIDUAL)), state=cases.states, recipient=cases.recipients)
    def test_prospecting_a_company_is_measured_exactly_where_a_newsletter_to_a_person_is(
        self, shipped, purpose, state, recipient
    ):
        france = shipped.for_jurisdiction("FR")
        reasons = {
            mail: decide(recipient, replace(NEWSLETTER, mail_type=mail), purpose, state, france, NOW) for mail in MAILS
        }
        assert len(set(reasons.values())) == 1, "the basis of the mail is no basis of the measuring"

    @pytest.mark.law("CC-11")
    def test_a_decision_cannot_even_see_whether_an_address_is_a_companys(self):
        seen = {field.name for kind in (ConsentState, Recipient, Message) for field in fields(kind)}
        assert not [name for name in seen if "business" in name or "company" in name or name == "address"]


class TestHygiene:
    """Stopping mail to people who do not open it: consent in Italy, the contested minimum in France."""

    @pytest.mark.law("CC-17")
    def test_italy_asks_for_consent_and_france_exempts_one_day_of_requested_mail(self, shipped):
        hygiene, news = Purpose.DELIVERABILITY_HYGIENE, MailType.REQUESTED_NEWSLETTER
        italy, france = shipped.for_jurisdiction("IT"), shipped.for_jurisdiction("FR")
        assert italy.needs(hygiene, news, "IT") is Requirement.CONSENT
        assert answer(shipped, CHARLIE, hygiene, jurisdiction="IT").startswith("no")
        assert france.needs(hygiene, news, "FR") is Requirement.EXEMPT
        assert "last_open_day_only" in france.pack.rules[hygiene].conditions
        for unasked in (MailType.SOFT_OPT_IN, MailType.B2B_PROSPECTING):
            assert france.needs(hygiene, unasked, "FR") is Requirement.CONSENT

    @pytest.mark.law("CC-17")
    @pytest.mark.parametrize("code", ["FR", "IT"])
    def test_adapting_how_often_somebody_gets_mail_is_a_purpose_of_its_own_and_served_to_nobody(self, shipped, code):
        for state in (ALICE, CHARLIE):
            assert answer(shipped, state, Purpose.FREQUENCY_ADAPTATION, jurisdiction=code).startswith("no")


class TestSignals:
    """Sec-GPC in the states of the United States: a list in the policy, and more than it is honoured."""

    LISTED = ["CO", "CT", "TX", "MT", "NH", "NJ", "MN", "DE", "OR"]

    @pytest.mark.law("OO-09")
    def test_the_states_that_require_it_stand_in_the_policy_with_date_and_confidence(self, shipped):
        signals = shipped.for_jurisdiction("US-NY").pack.content["signals"]
        assert signals["gpc_states"]["value"] == self.LISTED
        assert signals["gpc_not_required_in"]["value"] == ["MD", "NE"]
        assert {signals[name]["confidence"] for name in ("gpc_states", "gpc_not_required_in")} == {"S"}
        connecticut = shipped.for_jurisdiction("US-CT").pack.content["signals"]
        assert str(connecticut["gpc_in_force"]["value"]) == "2025-01-01"

    @pytest.mark.law("OO-09")
    @pytest.mark.parametrize(
        "code", [*(f"US-{state}" for state in (*LISTED, "CA", "MD", "NE", "NY", "WY")), "US", "ZZ"]
    )
    def test_a_state_that_is_on_no_list_honours_it_too(self, shipped, code):
        as_far_as_can_be = housed(
            shipped,
            regimes={"US-OTHER": Requirement.NOTICE, "US-CA": Requirement.NOTICE},
            notices={"US-OTHER": "v1", "US-CA": "v1"},
        )
        for policies in (shipped, as_far_as_can_be):
            assert answer(policies, ALICE, jurisdiction=code).startswith("yes")
            assert answer(policies, ALICE, jurisdiction=code, signal=True) == "no: signal"


class TestUnsubscribing:
    """How soon an unsubscription must work, how long its link, and that no law is slower than the mailbox providers."""

    @pytest.mark.law("WD-14")
    def test_every_policy_wants_it_done_in_48_hours_and_a_house_can_only_ask_for_less(self, everything):
        for code, policy in everything.by_id.items():
            assert policy.number("unsubscribe_max_hours") <= 48, code
            length = policy.pack.content.get("unsubscribe", {}).get("honour_within")
            if length is not None:  # a law that gives days gives more than the providers
                assert length["value"] * 24 >= policy.number("unsubscribe_max_hours"), code
        slow = housed(everything, parameters={"unsubscribe_max_hours": 240})
        quick = housed(everything, parameters={"unsubscribe_max_hours": 1})
        assert {policy.number("unsubscribe_max_hours") for policy in slow.by_id.values()} == {48}
        assert {policy.number("unsubscribe_max_hours") for policy in quick.by_id.values()} == {1}

    def test_australia_asks_for_five_business_days_thirty_days_of_life_and_no_login(self, shipped):
        australia = shipped.for_jurisdiction("AU").pack.content["unsubscribe"]
        said = {name: (one["value"], one.get("unit")) for name, one in australia.items()}
        assert said == {"honour_within": (5, "bd"), "alive_for": (30, "cd"), "login_allowed": (False, None)}
