"""Any person, mail, house and moment a decision can meet: the ground of the property tests."""

from dataclasses import replace
from datetime import date

from hypothesis import strategies as some

from consent_track.domain.consent import UNKNOWN_PERSON, Choice, ConsentState
from consent_track.domain.decision import Message, Recipient
from consent_track.domain.policy import Requirement
from consent_track.domain.vocabulary import INDIVIDUAL, Grade, MailType, Purpose, Status
from consent_track.policy_schema import NUMBERS, RETENTION_CLASSES
from tests.domain.people import DAY, NEWSLETTER, NOW

CODES = ["FR", "IT", "DE", "AT", "NO", "GB", "US-CA", "US-NY", "US", "US-CO", "BR", "CA-QC", "CH", "ZZ", "XX"]

instants = some.integers(NOW - 200 * DAY, NOW + 200 * DAY)
perhaps = some.none() | instants
days = some.dates(date(2025, 1, 1), date(2027, 12, 31))
purposes = some.sampled_from(sorted(INDIVIDUAL)) | some.sampled_from(sorted(Purpose))
scopes = some.frozensets(purposes)
choices = some.builds(
    Choice,
    status=some.sampled_from(Status),
    since=instants,
    grade=some.sampled_from(Grade),
    expires_at=perhaps,
)
# Half of the people are simple: what goes wrong should go wrong for a person who could be measured.
simple = some.builds(ConsentState, choices=some.dictionaries(purposes, choices, min_size=1))
anybody = some.builds(
    ConsentState,
    choices=some.dictionaries(purposes, choices),
    objected_at=perhaps,
    restricted=some.booleans(),
    minor=some.booleans(),
    mail_ended_at=perhaps,
    signal_on=some.none() | days,
    signal_waived_at=perhaps,
    address_collected_on=some.none() | days,
    legacy_notice_on=some.none() | days,
)
consenting = some.builds(
    lambda since, grade: ConsentState(dict.fromkeys(Purpose, Choice(Status.GIVEN, since, grade))),
    some.integers(NOW - 200 * DAY, NOW - 100 * DAY),
    some.sampled_from([Grade.OPERATOR, Grade.MAILBOX_LOOP]),
)
# Around the dates of the French and Italian transitions.
_TURNS = [date(2026, 4, 13), date(2026, 4, 14), date(2026, 7, 14), date(2026, 7, 15), date(2026, 10, 29)]
legacy = some.builds(
    lambda collected, noticed: ConsentState(address_collected_on=collected, legacy_notice_on=noticed),
    some.sampled_from(_TURNS[:2]),
    some.sampled_from(_TURNS[2:]),
)
likely = consenting | legacy | some.just(ConsentState())
unlikely = anybody | simple | some.just(UNKNOWN_PERSON)
states = some.booleans().flatmap(lambda often: likely if often else unlikely)
newsletters = some.sampled_from([*CODES, "FR", "FR", "IT", "US-CA"]).map(
    lambda code: replace(NEWSLETTER, jurisdiction=code)
)
messages = newsletters | some.builds(
    Message,
    mail_type=some.none() | some.sampled_from(MailType) | some.just(MailType.REQUESTED_NEWSLETTER),
    jurisdiction=some.sampled_from(CODES),
    scope=scopes | some.just(frozenset(Purpose)),
    issued_at=some.integers(NOW - 120 * DAY, NOW + 600),
    sensitive=some.booleans(),
    signal=some.booleans(),
)
recipients = some.just(Recipient()) | some.builds(
    Recipient, known=some.booleans(), role_address=some.booleans(), several=some.booleans(), erased=some.booleans()
)
_REGIMES = [Requirement.NOTICE, Requirement.OPT_OUT, Requirement.CONSENT, Requirement.NEVER]
house_choices = some.fixed_dictionaries(
    {
        "individual": some.sampled_from([Requirement.CONSENT, Requirement.NEVER]) | some.just(Requirement.CONSENT),
        "regimes": some.dictionaries(some.sampled_from([*CODES, "US-OTHER", "EU"]), some.sampled_from(_REGIMES)),
        "notices": some.dictionaries(some.sampled_from([*CODES, "US-OTHER", "EU"]), some.just("v1")),
        "legacy_regimes": some.frozensets(some.sampled_from(["FR", "IT", "DE", "ZZ"])),
        "retention": some.dictionaries(some.sampled_from(RETENTION_CLASSES), some.integers(0, 40_000)),
        "parameters": some.dictionaries(some.sampled_from(sorted(NUMBERS)), some.integers(0, 400)),
    }
)


# As far as an operator can go: notice wherever the law leaves it at that, and every transition.
FARTHEST = {
    "regimes": dict.fromkeys(["US-CA", "US-OTHER"], Requirement.NOTICE),
    "notices": dict.fromkeys(["US-CA", "US-OTHER"], "v1"),
    "legacy_regimes": frozenset({"FR", "IT"}),
}


# The loosest house, the shipped one, or any other, as changes of the shipped house policy.
houses = some.booleans().flatmap(lambda often: some.just(FARTHEST) if often else some.just({}) | house_choices)


# What a person, a browser or an authority can say against the measuring. None of them may ever lead to more of it.
NOES = {
    "refuses": lambda state, purpose: _chose(state, purpose, Status.REFUSED),
    "lets the question lapse": lambda state, purpose: _chose(state, purpose, Status.REFUSED_BY_SILENCE),
    "withdraws": lambda state, purpose: _chose(state, purpose, Status.WITHDRAWN),
    "has the consent revoked": lambda state, purpose: _chose(state, purpose, Status.REVOKED),
    "lets the consent expire": lambda state, purpose: _chose(state, purpose, Status.EXPIRED),
    "objects": lambda state, _: replace(state, objected_at=NOW),
    "has it restricted": lambda state, _: replace(state, restricted=True),
    "is a minor": lambda state, _: replace(state, minor=True),
    "unsubscribes": lambda state, _: replace(state, mail_ended_at=NOW),
    "sends Sec-GPC": lambda state, _: replace(state, signal_on=date(2026, 11, 23)),
    "is erased": lambda _, __: UNKNOWN_PERSON,
}


def _chose(state: ConsentState, purpose: Purpose, status: Status) -> ConsentState:
    return replace(state, choices={**state.choices, purpose: Choice(status, NOW, Grade.MESSAGE_LINK)})
