"""Exempt modes as a story: the French minimum and the Italian count, whom they serve, and what ends them."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consent_track.domain.consent import UNKNOWN_PERSON, Choice
from consent_track.domain.decision import THE_SUBJECT, Allowed, Declined, Message, Minimal, Reason, Recipient, decide
from consent_track.domain.exempt import LEAST_AUDIENCE, MODES
from consent_track.domain.policy import Requirement
from consent_track.domain.vocabulary import EXEMPT_MODES, Grade, MailType, Purpose, Status
from tests.domain.people import ALICE, BOB, CHARLIE, NOW, housed, rows, under
from tests.law.cases import CODES, NOES, purposes, states

HYGIENE, COUNT = Purpose.DELIVERABILITY_HYGIENE, Purpose.AGGREGATE_COUNT
NOTICES = {HYGIENE: "notice 7", COUNT: "notice 8"}
MAIL = Message(MailType.REQUESTED_NEWSLETTER, "FR", frozenset(MODES), NOW - 3_600)


@pytest.fixture(scope="module")
def told(shipped):
    """The shipped packs after the operator recorded both notices."""
    return housed(shipped, notices=NOTICES)


def judged(policies, mode, state=CHARLIE, recipient=THE_SUBJECT, **changes):
    message = replace(MAIL, **changes)
    return decide(recipient, message, mode, state, policies.for_jurisdiction(message.jurisdiction), NOW)


def said(*args, **changes) -> str:
    decision = judged(*args, **changes)
    return f"{'minimal' if isinstance(decision, Minimal) else 'no'}: {decision.reason.value}"


# France exempts hygiene in requested mail, Italy the count, nobody else anything.
WHERE = """
    FR     requested_newsletter  minimal: exempt        no: no_consent
    FR     transactional         minimal: exempt        no: no_consent
    FR     authentication        minimal: exempt        no: no_consent
    FR     soft_opt_in           no: no_consent         no: no_consent
    FR     b2b_prospecting       no: no_consent         no: no_consent
    FR     consent_request       no: consent_request_mail  no: consent_request_mail
    IT     requested_newsletter  no: no_consent         minimal: aggregate
    IT     soft_opt_in           no: no_consent         minimal: aggregate
    IT     consent_request       no: consent_request_mail  no: consent_request_mail
    DE     requested_newsletter  no: no_consent         no: no_consent
    GB     requested_newsletter  no: no_consent         no: no_consent
    US-CA  requested_newsletter  no: no_consent         no: no_consent
    ZZ     requested_newsletter  no: no_consent         no: no_consent
"""


@pytest.mark.law("CC-17", "TI-07")
@pytest.mark.parametrize(("place", "mail_type", "hygiene", "count"), rows(WHERE))
def test_where_a_mode_serves_charlie_who_never_said(told, place, mail_type, hygiene, count):
    mail = {"jurisdiction": place, "mail_type": MailType(mail_type)}
    assert said(told, HYGIENE, **mail) == hygiene
    assert said(told, COUNT, **mail) == count


@pytest.mark.law("DI-01")
def test_without_a_recorded_notice_a_mode_is_off(shipped):
    assert judged(shipped, HYGIENE) == Declined(HYGIENE, Reason.MODE_NOT_AVAILABLE)
    assert judged(shipped, COUNT, jurisdiction="IT") == Declined(COUNT, Reason.MODE_NOT_AVAILABLE)
    only_hygiene = housed(shipped, notices={HYGIENE: "notice 7", "IT": "of another kind"})
    assert said(only_hygiene, HYGIENE) == "minimal: exempt"
    assert said(only_hygiene, COUNT, jurisdiction="IT") == "no: mode_not_available"


def test_modes_that_are_not_built_stay_off_whatever_is_recorded(shipped):
    noted = housed(shipped, notices=dict.fromkeys(EXEMPT_MODES, "a notice"))
    for mode in EXEMPT_MODES - set(MODES):
        mail = replace(MAIL, scope=frozenset(EXEMPT_MODES), mail_type=MailType.AUTHENTICATION)
        assert said(noted, mode, mail_type=mail.mail_type, scope=mail.scope) == "no: mode_not_available"


RECIPIENTS = [
    (Recipient(erased=True), "erased"),
    (Recipient(several=True), "several_recipients"),
    (Recipient(role_address=True), "role_address"),
    (Recipient(known=False), "subject_unknown"),
]


@pytest.mark.parametrize(("recipient", "reason"), RECIPIENTS, ids=[reason for _, reason in RECIPIENTS])
@pytest.mark.parametrize(("mode", "place"), [(HYGIENE, "FR"), (COUNT, "IT")])
def test_what_stands_against_measuring_a_recipient_stands_against_the_minimum(told, mode, place, recipient, reason):
    assert said(told, mode, CHARLIE, recipient, jurisdiction=place) == f"no: {reason}"


def test_a_sensitive_mail_and_an_old_token_keep_nothing(told):
    for mode, place in ((HYGIENE, "FR"), (COUNT, "IT")):
        assert said(told, mode, jurisdiction=place, sensitive=True) == "no: sensitive_mail"
        assert said(told, mode, jurisdiction=place, issued_at=NOW - 91 * 86_400) == "no: token_expired"
        assert said(told, mode, jurisdiction=place, scope=frozenset({Purpose.OPEN_PERFORMANCE})) == "no: out_of_scope"


@pytest.mark.law("AH-11")
def test_nobody_keeps_a_date_of_somebody_who_is_gone(told):
    assert said(told, HYGIENE, UNKNOWN_PERSON) == "no: subject_unknown"
    assert judged(told, HYGIENE, None) == Declined(HYGIENE, Reason.STATE_UNAVAILABLE)


def test_a_consent_for_a_mode_changes_nothing(told):
    given_ = replace(CHARLIE, choices=dict.fromkeys(MODES, Choice(Status.GIVEN, 0, Grade.MAILBOX_LOOP)))
    for mode in MODES:
        for place in CODES:
            assert said(told, mode, given_, jurisdiction=place) == said(told, mode, jurisdiction=place)


AUDIENCES = """
    as shipped  0     no: audience_too_small
    as shipped  1     no: audience_too_small
    as shipped  49    no: audience_too_small
    as shipped  50    minimal: aggregate
    200         199   no: audience_too_small
    200         200   minimal: aggregate
    10          49    no: audience_too_small
"""


@pytest.mark.law("TI-06")
@pytest.mark.parametrize(("house", "people", "expected"), rows(AUDIENCES))
def test_a_campaign_of_few_is_individual_tracking(shipped, house, people, expected):
    figures = {} if house == "as shipped" else {"aggregate_min_audience": int(house)}
    policies = housed(shipped, notices=NOTICES, parameters=figures)
    assert said(policies, COUNT, recipient=Recipient(audience=int(people)), jurisdiction="IT") == expected
    assert said(policies, COUNT, recipient=Recipient(), jurisdiction="IT") == "no: audience_too_small", "nobody said"
    assert LEAST_AUDIENCE == 50


def test_a_condition_that_nobody_can_show_to_hold_does_not_hold(told):
    policy = told.for_jurisdiction("FR")
    rule = replace(policy.pack.rules[HYGIENE], conditions=("last_open_day_only", "user_centred"))
    strict = under(replace(policy.pack, rules={**policy.pack.rules, HYGIENE: rule}), policy.house)
    assert decide(THE_SUBJECT, MAIL, HYGIENE, CHARLIE, strict, NOW) == Declined(HYGIENE, Reason.CONDITION_UNMET)


def test_a_pack_that_forgets_which_mail_is_requested_does_not_open_prospecting(told):
    policy = told.for_jurisdiction("FR")
    rule = replace(policy.pack.rules[HYGIENE], mail_types=frozenset())
    loose = under(replace(policy.pack, rules={**policy.pack.rules, HYGIENE: rule}), policy.house)
    mail = replace(MAIL, mail_type=MailType.B2B_PROSPECTING)
    assert decide(THE_SUBJECT, mail, HYGIENE, CHARLIE, loose, NOW) == Declined(HYGIENE, Reason.CONDITION_UNMET)


def test_a_house_that_measures_nobody_individually_keeps_no_date_either(shipped):
    never = housed(shipped, notices=NOTICES, individual=Requirement.NEVER)
    assert said(never, HYGIENE) == "no: never_allowed"
    assert said(never, COUNT, jurisdiction="IT") == "minimal: aggregate", "it measures nobody"


@pytest.mark.parametrize("state", [ALICE, CHARLIE], ids=["Alice consented", "Charlie never said"])
@pytest.mark.parametrize("no", NOES)
@pytest.mark.parametrize(("mode", "place"), [(HYGIENE, "FR"), (COUNT, "IT")])
def test_any_no_turns_the_minimum_into_nothing(told, no, state, mode, place):
    """Decision 6: for whichever purpose it was said. An erased person is known by their tombstone, or by nothing."""
    for purpose in sorted(Purpose):
        if no == "is erased" and mode is COUNT:
            continue  # no subject stands behind a count; at issue the recipient is `erased`
        assert isinstance(judged(told, mode, NOES[no](state, purpose), jurisdiction=place), Declined)


def test_bob_withdrew_and_dora_sent_a_signal_with_this_very_request(told):
    assert said(told, HYGIENE, BOB) == "no: refused"
    assert said(told, HYGIENE, signal=True) == "no: signal"
    assert said(told, COUNT, signal=True, jurisdiction="IT") == "no: signal"
    assert said(told, HYGIENE, replace(CHARLIE, signal_on=date(2026, 11, 1))) == "no: signal"


messages = some.builds(
    Message,
    mail_type=some.none() | some.sampled_from(MailType),
    jurisdiction=some.sampled_from(CODES),
    scope=some.just(frozenset(MODES)) | some.frozensets(some.sampled_from(sorted(Purpose))),
    issued_at=some.integers(NOW - 100 * 86_400, NOW + 600),
    sensitive=some.booleans(),
    signal=some.booleans(),
)


@given(data=some.data(), message=messages | some.just(MAIL), mode=some.sampled_from(MODES), state=states)
@settings(max_examples=200, deadline=None)
def test_adding_a_refusal_never_leads_to_more(told, data, message, mode, state):
    policy = told.for_jurisdiction(message.jurisdiction)
    recipient = data.draw(some.just(THE_SUBJECT) | some.builds(Recipient, audience=some.integers(0, 200)))
    before = decide(recipient, message, mode, state, policy, NOW)
    no = data.draw(some.sampled_from(sorted(NOES)))
    after = decide(recipient, message, mode, NOES[no](state, data.draw(purposes)), policy, NOW)
    assert not isinstance(before, Allowed), "an exempt mode never allows more than its minimum"
    if isinstance(after, Minimal):
        assert isinstance(before, Minimal)
