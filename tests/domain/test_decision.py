"""The one decision, as a story: who may be measured, when, for what, and in which words a no is given."""

from dataclasses import replace
from datetime import date

import pytest

from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.decision import (
    CLOCK_MARGIN,
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
from consent_track.domain.policy import Confidence, Parameter, Requirement
from consent_track.domain.vocabulary import (
    EXEMPT_MODES,
    INDIVIDUAL,
    RESERVED,
    Grade,
    HitKind,
    MailType,
    Purpose,
    Status,
    to_bits,
)
from tests.domain.people import (
    ALICE,
    ALL,
    BOB,
    CHARLIE,
    DAY,
    NEWSLETTER,
    NOW,
    PEOPLE,
    answer,
    chose,
    housed,
    in_words,
    rows,
    under,
)

OPEN, CLICK = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE

STORY = """
    Alice    yes: consent_given
    Bob      no: withdrawn
    Charlie  no: no_consent
    Dora     no: objected
    Erin     no: no_consent
    Grace    no: signal
"""


@pytest.mark.parametrize(("person", "expected"), rows(STORY))
@pytest.mark.parametrize("purpose", sorted(INDIVIDUAL))
@pytest.mark.law("CC-01")
def test_each_person_gets_the_answer_they_gave(shipped, person, expected, purpose):
    assert answer(shipped, PEOPLE[person], purpose) == expected


STATUSES = """
    unknown             no: no_consent
    requested           no: not_answered
    deferred            no: not_answered
    given               yes: consent_given
    renewed             yes: consent_given
    refused             no: refused
    refused_by_silence  no: refused
    withdrawn           no: withdrawn
    objected            no: objected
    expired             no: consent_expired
    revoked             no: consent_revoked
    invalidated         no: consent_revoked
"""


@pytest.mark.law("WD-09")
def test_only_given_and_renewed_allow(shipped):
    assert {status.value: answer(shipped, chose(status)) for status in Status} == dict(rows(STATUSES))


# Each line: what is true of an otherwise allowed case, and the answer. The order is the order of the steps.
ROLE, SEVERAL = Recipient(role_address=True), Recipient(several=True)
ERASED, NOBODY = Recipient(erased=True), Recipient(known=False)
CASES = [
    ("the token was not issued for it", {"scope": frozenset({CLICK})}, {}, "out_of_scope"),
    ("the person is erased", {}, {"recipient": ERASED}, "erased"),
    ("the mail goes to several people", {}, {"recipient": SEVERAL}, "several_recipients"),
    ("the address is info@", {}, {"recipient": ROLE}, "role_address"),
    ("nobody knows the address", {}, {"recipient": NOBODY}, "subject_unknown"),
    ("a clock is wrong", {"issued_at": NOW + 301}, {}, "issued_in_the_future"),
    ("the token is old", {"issued_at": NOW - 90 * DAY - 1}, {}, "token_expired"),
    ("the request carries Sec-GPC", {"signal": True}, {}, "signal"),
    ("the mail asks for consent", {"mail_type": MailType.CONSENT_REQUEST}, {}, "consent_request_mail"),
    ("no kind of mail is declared", {"mail_type": None}, {}, "policy_missing"),
]


@pytest.mark.parametrize(("truth", "changes", "more", "reason"), CASES, ids=[case[0] for case in CASES])
def test_alice_is_declined_where_something_else_stands_against_it(shipped, truth, changes, more, reason):
    assert answer(shipped, ALICE, **changes, **more) == f"no: {reason}"


STATES = [
    ("she objected", {"objected_at": NOW}, "objected"),
    ("her data is restricted", {"restricted": True}, "restricted"),
    ("she is a minor", {"minor": True}, "minor"),
    ("she unsubscribed", {"mail_ended_at": NOW}, "mail_ended"),
    ("her browser sent Sec-GPC", {"signal_on": date(2026, 11, 1)}, "signal"),
]


@pytest.mark.parametrize(("truth", "changes", "reason"), STATES, ids=[state[0] for state in STATES])
def test_her_consent_does_not_outweigh_what_she_said_or_is(shipped, truth, changes, reason):
    assert answer(shipped, replace(ALICE, **changes)) == f"no: {reason}"


def test_what_cannot_be_read_is_a_no(shipped):
    policy = shipped.for_jurisdiction("FR")
    assert decide(THE_SUBJECT, NEWSLETTER, OPEN, None, policy, NOW) == Declined(OPEN, Reason.STATE_UNAVAILABLE)
    assert decide(THE_SUBJECT, NEWSLETTER, OPEN, ALICE, None, NOW) == Declined(OPEN, Reason.POLICY_MISSING)


@pytest.mark.law("WD-08")
def test_an_objection_overrides_a_notice_and_a_consent(shipped):
    california = housed(shipped, regimes={"US-CA": Requirement.NOTICE}, notices={"US-CA": "v1"})
    for state in (ALICE, CHARLIE):
        assert answer(california, state, jurisdiction="US-CA").startswith("yes")
        objected = replace(state, objected_at=NOW)
        assert answer(california, objected, jurisdiction="US-CA") == "no: objected"


@pytest.mark.law("CC-16")
@pytest.mark.parametrize("purpose", sorted(ALL))
def test_a_minor_is_measured_for_nothing(shipped, purpose):
    minor = replace(ALICE, minor=True)
    assert answer(shipped, minor, purpose).startswith("no")
    if purpose in INDIVIDUAL:
        assert answer(shipped, minor, purpose) == "no: minor"
        assert answer(shipped, ALICE, purpose).startswith("yes")
    if purpose is Purpose.AUTH_SECURITY:
        assert answer(shipped, minor, purpose) != "no: minor", "their account may be protected"


@pytest.mark.law("TI-15")
def test_in_a_sensitive_mail_links_tell_what_an_open_does_not(shipped):
    answers = {purpose: answer(shipped, ALICE, purpose, sensitive=True) for purpose in sorted(INDIVIDUAL)}
    assert answers == {
        Purpose.CLICK_PERFORMANCE: "no: sensitive_mail",
        Purpose.OPEN_PERFORMANCE: "yes: consent_given",
        Purpose.PERSONALISATION: "no: sensitive_mail",
        Purpose.SALES_FOLLOWUP: "no: sensitive_mail",
    }


SENSITIVE = """
    the law's           as shipped  yes: consent_given
    the law's           0           no: sensitive_mail
    0                   as shipped  no: sensitive_mail
    0                   1           no: sensitive_mail
    1                   0           no: sensitive_mail
    1                   as shipped  yes: consent_given
"""


@pytest.mark.law("TI-15")
@pytest.mark.parametrize(("law", "house", "expected"), rows(SENSITIVE))
def test_a_policy_may_close_the_opens_of_a_sensitive_mail_and_never_opens_its_links(shipped, law, house, expected):
    """`sensitive_opens`: silent, 0 or 1 in the pack, or in the house policy; the stricter holds."""
    policy = shipped.for_jurisdiction("FR")
    figures = dict(policy.pack.parameters)
    if law != "the law's":
        figures["sensitive_opens"] = Parameter(int(law), "a pack", Confidence.SECONDARY)
    chosen = {} if house == "as shipped" else {"sensitive_opens": int(house)}
    strict = under(replace(policy.pack, parameters=figures), replace(policy.house, parameters=chosen))
    mail = replace(NEWSLETTER, sensitive=True)
    assert in_words(decide(THE_SUBJECT, mail, OPEN, ALICE, strict, NOW)) == expected
    assert in_words(decide(THE_SUBJECT, NEWSLETTER, OPEN, ALICE, strict, NOW)) == "yes: consent_given"
    for purpose in INDIVIDUAL - {OPEN}:
        assert in_words(decide(THE_SUBJECT, mail, purpose, ALICE, strict, NOW)) == "no: sensitive_mail"


def test_reserved_purposes_and_exempt_modes_are_declined_for_everybody(shipped):
    everything = replace(ALICE, choices=dict.fromkeys(Purpose, Choice(Status.GIVEN, 0, Grade.MAILBOX_LOOP)))
    for purpose in RESERVED:
        assert answer(shipped, everything, purpose) == "no: purpose_reserved"
    for purpose in EXEMPT_MODES:
        assert answer(shipped, everything, purpose, jurisdiction="IT") == "no: mode_not_available"


TIMES = """
    token 90 days old             -7776000  yes: consent_given
    token 90 days and a second    -7776001  no: token_expired
    token of a clock 5 min ahead       300  yes: consent_given
    token of a clock worse off         301  no: issued_in_the_future
"""


@pytest.mark.law("TI-09")
@pytest.mark.parametrize(("truth", "seconds", "expected"), rows(TIMES))
def test_a_token_records_for_ninety_days(shipped, truth, seconds, expected):
    assert answer(shipped, ALICE, issued_at=NOW + int(seconds)) == expected


def test_consent_counts_from_the_second_it_is_given_until_the_second_it_lapses(shipped):
    state = chose(Status.GIVEN, since=NOW, expires_at=NOW + 10)
    moments = {at: answer(shipped, state, now=NOW + at, issued_at=NOW - 60) for at in (-1, 0, 9, 10)}
    assert moments == {
        -1: "no: before_consent",
        0: "yes: consent_given",
        9: "yes: consent_given",
        10: "no: consent_expired",
    }


@pytest.mark.parametrize("grade", list(Grade))
def test_evidence_weaker_than_the_policy_asks_for_does_not_count(shipped, grade):
    policy = shipped.for_jurisdiction("FR")
    rule = replace(policy.pack.rules[OPEN], least_grade=Grade.PAPER)
    strict = under(replace(policy.pack, rules={**policy.pack.rules, OPEN: rule}), policy.house)
    given = in_words(decide(THE_SUBJECT, NEWSLETTER, OPEN, chose(Status.GIVEN, grade=grade), strict, NOW))
    enough = {Grade.PAPER, Grade.AUTHENTICATED_ACCOUNT, Grade.MAILBOX_LOOP}
    assert given == ("yes: consent_given" if grade in enough else "no: evidence_too_weak")


WAIVERS = """
    FR     never asked about it   no: signal
    FR     allowed for Acme only  no: signal
    ZZ     allowed for Acme only  no: signal
    US-CA  never asked about it   no: signal
    US-CA  allowed for Acme only  yes: consent_given
"""


@pytest.mark.law("OO-10")
@pytest.mark.parametrize(("jurisdiction", "asked", "expected"), rows(WAIVERS))
def test_a_consent_after_notice_of_the_conflict_prevails_where_the_pack_says_so(shipped, jurisdiction, asked, expected):
    waived = NOW - DAY if asked == "allowed for Acme only" else None
    grace = replace(ALICE, signal_on=date(2026, 11, 1), signal_waived_at=waived)
    assert answer(shipped, grace, jurisdiction=jurisdiction) == expected
    assert answer(shipped, grace, jurisdiction=jurisdiction, signal=True) == expected


class TestNotice:
    """California after the operator chose the notice regime and recorded a notice (decision 2)."""

    EXPECTED = """
        Alice    yes: notice_given
        Bob      no: withdrawn
        Charlie  yes: notice_given
        Dora     no: objected
        Erin     no: subject_unknown
        Grace    no: signal
    """

    @pytest.mark.parametrize(("person", "expected"), rows(EXPECTED))
    def test_people_are_measured_until_they_say_no(self, shipped, person, expected):
        california = housed(shipped, regimes={"US-CA": Requirement.NOTICE}, notices={"US-CA": "v1"})
        assert answer(california, PEOPLE[person], jurisdiction="US-CA") == expected

    def test_without_a_recorded_notice_nobody_is(self, shipped):
        careless = housed(shipped, regimes={"US-CA": Requirement.NOTICE})
        assert answer(careless, CHARLIE, jurisdiction="US-CA") == "no: notice_missing"

    def test_as_shipped_consent_is_needed(self, shipped):
        assert answer(shipped, CHARLIE, jurisdiction="US-CA") == "no: no_consent"

    def test_the_choice_is_for_that_jurisdiction_only(self, shipped):
        california = housed(shipped, regimes={"US-CA": Requirement.NOTICE}, notices={"US-CA": "v1"})
        for elsewhere in ("FR", "DE", "GB", "US-NY", "US", "BR", "ZZ"):
            assert answer(california, CHARLIE, jurisdiction=elsewhere) == "no: no_consent"


class TestScope:
    def test_what_rides_on_a_hit_never_carries_it_alone(self, shipped):
        policy = shipped.for_jurisdiction("FR")
        only_riders = {
            purpose: choice for purpose, choice in ALICE.choices.items() if purpose is not OPEN and purpose is not CLICK
        }
        scope = scope_of(HitKind.OPEN, THE_SUBJECT, NEWSLETTER, ConsentState(only_riders), policy, NOW)
        assert not scope.open
        assert scope.carrier == Declined(OPEN, Reason.NO_CONSENT)

    @pytest.mark.parametrize(("kind", "carrier"), [(HitKind.OPEN, OPEN), (HitKind.CLICK, CLICK)])
    def test_a_hit_serves_its_carrier_and_the_riders_that_are_allowed(self, shipped, kind, carrier):
        policy = shipped.for_jurisdiction("FR")
        choices = {**ALICE.choices, Purpose.SALES_FOLLOWUP: Choice(Status.REFUSED, NOW - DAY)}
        scope = scope_of(kind, THE_SUBJECT, NEWSLETTER, ConsentState(choices), policy, NOW)
        assert scope.purposes == {carrier, Purpose.PERSONALISATION}
        assert scope.carrier == Allowed(carrier, Reason.CONSENT_GIVEN)
        assert Declined(Purpose.SALES_FOLLOWUP, Reason.REFUSED) in scope.decisions

    @pytest.mark.law("TI-04")
    def test_a_later_wider_consent_never_widens_an_old_token(self, shipped):
        policy = shipped.for_jurisdiction("FR")
        token = message_of_token(MailType.REQUESTED_NEWSLETTER, "FR", to_bits({OPEN}), NOW - DAY, False, False)
        only_opens = ConsentState({OPEN: ALICE.choices[OPEN]})
        for state in (only_opens, ALICE):
            scope = scope_at_hit(HitKind.OPEN, token, state, policy, NOW)
            assert scope.purposes == {OPEN}
            assert scope.decisions == (scope.carrier,), "what was not asked for is not decided"
            assert not scope_at_hit(HitKind.CLICK, token, state, policy, NOW).open

    def test_a_hit_spooled_before_a_new_consent_is_not_counted_under_it(self, shipped):
        policy = shipped.for_jurisdiction("FR")
        again = chose(Status.GIVEN, since=NOW)
        hits = {
            after: scope_at_hit(HitKind.OPEN, NEWSLETTER, again, policy, NOW + after, margin=CLOCK_MARGIN).open
            for after in (0, CLOCK_MARGIN - 1, CLOCK_MARGIN)
        }
        assert hits == {0: False, CLOCK_MARGIN - 1: False, CLOCK_MARGIN: True}

    def test_bob_is_not_measured_in_the_second_of_his_withdrawal(self, shipped):
        policy = shipped.for_jurisdiction("FR")
        for at in (NOW - 60, NOW, NOW + 80 * DAY):
            assert not scope_at_hit(HitKind.OPEN, NEWSLETTER, BOB, policy, at).open


# Frozen: registers and counters hold these words. Append, never rename.
REASONS = """
    consent_given legacy_regime notice_given
    policy_missing state_unavailable out_of_scope purpose_reserved subject_unknown erased role_address
    several_recipients consent_request_mail token_expired issued_in_the_future objected restricted minor mail_ended
    signal mode_not_available sensitive_mail never_allowed no_consent not_answered refused withdrawn consent_expired
    consent_revoked before_consent evidence_too_weak notice_missing carrier_declined
    consent_lapsed
    exempt aggregate audience_too_small condition_unmet
"""


def test_the_words_of_the_reasons_are_frozen_and_each_is_explained():
    assert [reason.value for reason in Reason] == REASONS.split()
    assert all(reason.words.endswith(".") for reason in Reason)


def test_a_purpose_the_pack_does_not_know_is_never_served(shipped):
    policy = shipped.for_jurisdiction("FR")
    rules = {purpose: rule for purpose, rule in policy.pack.rules.items() if purpose is not OPEN}
    poorer = under(replace(policy.pack, rules=rules), policy.house)
    assert in_words(decide(THE_SUBJECT, NEWSLETTER, OPEN, ALICE, poorer, NOW)) == "no: never_allowed"
