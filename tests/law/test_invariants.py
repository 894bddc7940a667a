"""What holds for every person, mail, jurisdiction, house policy and moment: the invariants and the settled questions.

Numbers are those of the law catalogue's invariants (1 to 10) and of the settled questions ("decision 2").
"""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as some

from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.decision import (
    CARRIERS,
    THE_SUBJECT,
    Allowed,
    Declined,
    Reason,
    Recipient,
    decide,
    message_of_token,
    scope_at_hit,
    scope_of,
)
from consent_track.domain.policy import LONGER_IS_STRICTER, Requirement
from consent_track.domain.vocabulary import (
    EXEMPT_MODES,
    GRANTING,
    RESERVED,
    Grade,
    HitKind,
    MailType,
    Purpose,
    Status,
    from_bits,
    pack_jurisdiction,
    to_bits,
    unpack_jurisdiction,
)
from consent_track.policy_schema import NUMBERS, RETENTION_CLASSES
from tests.domain.people import ALICE, DAY, NEWSLETTER, NOW, housed
from tests.law.cases import CODES, NOES, house_choices, houses, messages, purposes, recipients, scopes, states

PROPERTY = settings(max_examples=150, deadline=None)
kinds = some.sampled_from(HitKind)
moments = some.integers(NOW - 10 * DAY, NOW + 10 * DAY)


def judged(policies, message, purpose, state, recipient=THE_SUBJECT, now=NOW):
    return decide(recipient, message, purpose, state, policies.for_jurisdiction(message.jurisdiction), now)


@pytest.mark.law("WD-08")
@pytest.mark.parametrize("no", NOES)
@given(data=some.data())
@settings(max_examples=40, deadline=None)
def test_1_a_no_never_leads_to_more_measuring(shipped, no, data):
    policies = housed(shipped, **data.draw(houses))
    message, state, purpose = data.draw(messages), data.draw(states), data.draw(purposes)
    after = NOES[no](state, data.draw(purposes))
    if isinstance(judged(policies, message, purpose, after), Allowed):
        assert isinstance(judged(policies, message, purpose, state), Allowed)


@given(data=some.data())
@PROPERTY
def test_1_neither_does_a_signal_on_the_request_nor_a_doubt_about_the_recipient(shipped, data):
    policies, message, state = housed(shipped, **data.draw(houses)), data.draw(messages), data.draw(states)
    purpose = data.draw(purposes)
    plain = judged(policies, replace(message, signal=False), purpose, state)
    signalled = judged(policies, replace(message, signal=True), purpose, state)
    doubted = judged(policies, message, purpose, state, data.draw(recipients))
    assert isinstance(plain, Allowed) or not isinstance(signalled, Allowed)
    assert isinstance(judged(policies, message, purpose, state), Allowed) or not isinstance(doubted, Allowed)


@pytest.mark.law("TI-04")
@given(data=some.data(), kind=kinds, at=moments)
@PROPERTY
def test_2_what_a_hit_may_serve_is_within_what_its_token_was_issued_for(shipped, data, kind, at):
    policies, message, state = housed(shipped, **data.draw(houses)), data.draw(messages), data.draw(states)
    policy = policies.for_jurisdiction(message.jurisdiction)
    at_issue = scope_of(kind, THE_SUBJECT, message, state, policy, message.issued_at).purposes
    token = replace(message, scope=at_issue)
    later = data.draw(states)
    now = scope_at_hit(kind, token, later, policy, at).purposes
    assert now <= at_issue <= message.scope
    allowed_now = {
        purpose for purpose in Purpose if isinstance(decide(THE_SUBJECT, token, purpose, later, policy, at), Allowed)
    }
    assert now <= allowed_now


@given(data=some.data(), kind=kinds)
@PROPERTY
def test_3_the_token_of_a_mail_is_judged_like_the_mail(shipped, data, kind):
    """Through the octets of a token nothing is lost that a decision reads."""
    policies, message, state = housed(shipped, **data.draw(houses)), data.draw(messages), data.draw(states)
    token = message_of_token(
        message.mail_type,
        unpack_jurisdiction(pack_jurisdiction(message.jurisdiction)),
        to_bits(message.scope),
        message.issued_at,
        message.sensitive,
        message.signal,
    )
    policy = policies.for_jurisdiction(message.jurisdiction)
    assert policies.for_jurisdiction(token.jurisdiction) is policy
    at_issue = scope_of(kind, THE_SUBJECT, message, state, policy, NOW)
    assert scope_at_hit(kind, token, state, policy, NOW) == at_issue


@given(data=some.data(), bits=some.integers(0, 2**32 - 1), octets=some.binary(min_size=5, max_size=5))
@PROPERTY
def test_10_what_nobody_knows_is_the_strictest_and_never_allows(shipped, data, bits, octets):
    policies, state = housed(shipped, **data.draw(houses)), data.draw(states)
    code = data.draw(some.just(unpack_jurisdiction(octets)) | some.text(max_size=8))
    if code.partition("-")[0] not in {*(id_.partition("-")[0] for id_ in policies.by_id), *policies.covering}:
        assert policies.for_jurisdiction(code).id in {"ZZ", "EU"}
        assert policies.for_jurisdiction(code).id == "ZZ" or code.startswith("EU")
    message = message_of_token(None, code, bits, NOW, False, False)
    for purpose in from_bits(bits):
        assert judged(policies, message, purpose, state) == Declined(purpose, Reason.POLICY_MISSING)
    assert not from_bits(bits) - set(Purpose)


@pytest.mark.law("CC-01")
@given(data=some.data(), message=messages, purpose=purposes)
@PROPERTY
def test_decision_2_as_shipped_nobody_is_measured_without_a_choice_of_their_own(shipped, data, message, purpose):
    state = data.draw(states)
    choice = state.choices.get(purpose)
    if choice is None or choice.status not in GRANTING:
        assert not isinstance(judged(shipped, message, purpose, state), Allowed)


@given(chosen=house_choices, code=some.sampled_from(CODES), mail_type=some.sampled_from(MailType), purpose=purposes)
@PROPERTY
def test_decision_2_whatever_the_house_says_the_law_holds(shipped, chosen, code, mail_type, purpose):
    policy = housed(shipped, **chosen).for_jurisdiction(code)
    law = policy.pack.rules[purpose].needs(mail_type)
    assert policy.needs(purpose, mail_type, code).strictness >= law.strictness
    for name in NUMBERS:
        said, holds = policy.pack.parameters[name].value, policy.number(name)
        assert holds >= said if name in LONGER_IS_STRICTER else holds <= said
    for name in RETENTION_CLASSES:
        held = policy.pack.retention[name]
        assert held.min_days <= policy.keep_days(name) <= held.max_days


@given(data=some.data(), message=messages, purpose=purposes, state=states)
@PROPERTY
def test_decision_3_where_the_place_is_unknown_nobody_is_measured_whom_europe_protects(
    shipped, data, message, purpose, state
):
    policies = housed(shipped, **{**data.draw(house_choices), "regimes": {}})
    unknown = judged(policies, replace(message, jurisdiction="ZZ"), purpose, state)
    for code in ("FR", "IT", "DE", "AT", "GB", "CH"):
        somewhere = judged(policies, replace(message, jurisdiction=code), purpose, state)
        assert isinstance(somewhere, Allowed) or not isinstance(unknown, Allowed)


@given(data=some.data(), message=messages, purpose=purposes, state=states)
@PROPERTY
def test_decision_5_a_role_address_and_a_mail_to_several_people_are_never_measured(
    shipped, data, message, purpose, state
):
    policies = housed(shipped, **data.draw(houses))
    for recipient in (Recipient(role_address=True), Recipient(several=True), Recipient(known=False)):
        assert not isinstance(judged(policies, message, purpose, state, recipient), Allowed)


@given(data=some.data(), kind=kinds, message=messages, state=states)
@PROPERTY
def test_decision_6_a_no_to_the_measuring_itself_leaves_no_other_purpose_to_fall_back_to(
    shipped, data, kind, message, state
):
    policies = housed(shipped, **data.draw(houses))
    policy = policies.for_jurisdiction(message.jurisdiction)
    scope = scope_of(kind, THE_SUBJECT, message, state, policy, NOW)
    assert isinstance(scope.carrier, Allowed) == scope.open == (CARRIERS[kind] in scope.purposes)
    assert not scope.purposes & (EXEMPT_MODES | RESERVED)


@given(issued=some.integers(0, 89), delay=some.integers(0, 60 * DAY), kind=kinds, code=some.sampled_from(CODES))
@PROPERTY
def test_decision_7_a_withdrawal_silences_mails_already_sent_from_its_second_on(shipped, issued, delay, kind, code):
    sent = replace(NEWSLETTER, jurisdiction=code, issued_at=NOW - issued * DAY)
    withdrawn = replace(ALICE, choices=dict.fromkeys(ALICE.choices, Choice(Status.WITHDRAWN, NOW)))
    policy = shipped.for_jurisdiction(code)
    assert scope_at_hit(kind, sent, ALICE, policy, NOW).open
    assert not scope_at_hit(kind, sent, withdrawn, policy, NOW + delay).open


@pytest.mark.law("OO-10")
@given(data=some.data(), message=messages, purpose=purposes, state=states)
@PROPERTY
def test_decision_8_a_signal_is_a_refusal_and_its_absence_changes_nothing(shipped, data, message, purpose, state):
    policies = housed(shipped, **data.draw(houses))
    policy = policies.for_jurisdiction(message.jurisdiction)
    assume(state.signal_waived_at is None or not policy.number("signal_waiver"))
    remembered = replace(state, signal_on=date(2026, 11, 1))
    answers = [
        judged(policies, replace(message, signal=True), purpose, state),
        judged(policies, replace(message, signal=False), purpose, remembered),
        judged(policies, replace(message, signal=True), purpose, remembered),
    ]
    assert not any(isinstance(one, Allowed) for one in answers)
    assert answers[1] == answers[2]


@pytest.mark.law("CC-07")
@given(message=messages, purpose=purposes, silent=some.sampled_from(["requested", "deferred", "refused_by_silence"]))
@PROPERTY
def test_silence_is_refusal_in_every_mail_and_jurisdiction(shipped, message, purpose, silent):
    asked = ConsentState({purpose: Choice(Status(silent), NOW - DAY, Grade.MAILBOX_LOOP)})
    california = housed(shipped, regimes={"US-CA": Requirement.NOTICE}, notices={"US-CA": "v1"})
    for policies in (shipped, california):
        assert not isinstance(judged(policies, message, purpose, asked), Allowed)


@given(message=messages, state=states, scope=scopes)
@PROPERTY
def test_a_mail_that_asks_for_consent_measures_nobody(shipped, message, state, scope):
    asking = replace(message, mail_type=MailType.CONSENT_REQUEST, scope=scope)
    assert not any(isinstance(judged(shipped, asking, purpose, state), Allowed) for purpose in Purpose)


@pytest.mark.parametrize("reason", [Reason.CONSENT_GIVEN, Reason.NOTICE_GIVEN, Reason.LEGACY_REGIME])
def test_the_cases_do_meet_people_who_may_be_measured(shipped, reason):
    """A property over people of whom nobody is ever measured would prove nothing."""
    found = find(
        some.tuples(houses, messages, purposes, states),
        lambda case: judged(housed(shipped, **case[0]), *case[1:]).reason is reason,
        settings=settings(max_examples=1_000, database=None, phases=[Phase.generate]),
    )
    assert found
