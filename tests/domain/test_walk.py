"""The path of a decision: the same steps, in the same order, up to the one that decided."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings

from consent_track.domain.decision import STEPS, THE_SUBJECT, Recipient, decide
from consent_track.domain.policy import Requirement
from consent_track.domain.vocabulary import MailType, Purpose
from consent_track.domain.walk import QUESTIONS, READABLE, RULE, RULES, walk
from tests.domain.people import ALICE, BOB, CHARLIE, NEWSLETTER, NOW, housed, rows
from tests.law import cases

OPEN = Purpose.OPEN_PERFORMANCE


def test_every_step_and_every_requirement_has_its_question():
    assert set(QUESTIONS) == {READABLE, *STEPS}
    assert set(RULES) == set(Requirement)


# Who, in what mail, and the path; the last word is what decided, and everything before it stood not against it.
PATHS = """
    Alice                        readable scope addressee age person mail rule       consent_given
    Bob                          readable scope addressee age person mail rule       withdrawn
    Charlie                      readable scope addressee age person mail rule       no_consent
    Alice at info@               readable scope addressee                            role_address
    Alice, whose mail is old     readable scope addressee age                        token_expired
    Alice, who sent Sec-GPC      readable scope addressee age person                 signal
    Alice, asked for consent     readable scope addressee age person mail            consent_request_mail
    Alice, of whom nothing reads  readable                                           state_unavailable
"""
CASES = {
    "Alice": (THE_SUBJECT, NEWSLETTER, ALICE),
    "Bob": (THE_SUBJECT, NEWSLETTER, BOB),
    "Charlie": (THE_SUBJECT, NEWSLETTER, CHARLIE),
    "Alice at info@": (Recipient(role_address=True), NEWSLETTER, ALICE),
    "Alice, whose mail is old": (THE_SUBJECT, replace(NEWSLETTER, issued_at=NOW - 400 * 86_400), ALICE),
    "Alice, who sent Sec-GPC": (THE_SUBJECT, NEWSLETTER, replace(ALICE, signal_on=date(2026, 11, 1))),
    "Alice, asked for consent": (THE_SUBJECT, replace(NEWSLETTER, mail_type=MailType.CONSENT_REQUEST), ALICE),
    "Alice, of whom nothing reads": (THE_SUBJECT, NEWSLETTER, None),
}


@pytest.mark.law("RE-09")
@pytest.mark.parametrize(("who", "steps", "reason"), rows(PATHS), ids=[row[0] for row in rows(PATHS)])
def test_the_path_ends_with_the_step_that_decided(shipped, who, steps, reason):
    recipient, message, state = CASES[who]
    walked = walk(recipient, message, OPEN, state, shipped.for_jurisdiction("FR"), NOW)
    assert [asked.step for asked in walked.path] == steps.split()
    assert walked.path[-1].answer == walked.decision.reason == reason
    assert {asked.answer for asked in walked.path[:-1]} <= {None}


@pytest.mark.parametrize("needed", [Requirement.NOTICE, Requirement.OPT_OUT, Requirement.CONSENT, Requirement.NEVER])
def test_the_last_question_is_that_of_the_rule(shipped, needed):
    ours = housed(shipped, regimes={"US-CA": needed}, notices={"US-CA": "v1"}).for_jurisdiction("US-CA")
    walked = walk(THE_SUBJECT, replace(NEWSLETTER, jurisdiction="US-CA"), OPEN, CHARLIE, ours, NOW)
    assert (walked.path[-1].step, walked.path[-1].question) == (RULE, RULES[needed])


@settings(max_examples=300, deadline=None)
@given(cases.recipients, cases.messages, cases.purposes, cases.states, cases.houses)
def test_a_walk_comes_to_what_the_decision_comes_to(shipped, recipient, message, purpose, state, house):
    policy = housed(shipped, **house).for_jurisdiction(message.jurisdiction)
    walked = walk(recipient, message, purpose, state, policy, NOW)
    assert walked.decision == decide(recipient, message, purpose, state, policy, NOW)
    assert walked.path[-1].answer == walked.decision.reason
    assert all(asked.answer is None for asked in walked.path[:-1])
