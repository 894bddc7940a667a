"""The people of the domain tests, and the two questions a test asks about them.

Alice consented, Bob withdrew, Charlie never said; Dora objected, Erin was erased, Grace's browser sent Sec-GPC.
"""

import re
from dataclasses import replace
from datetime import date

from consent_track.domain.consent import UNKNOWN_PERSON, Choice, ConsentState
from consent_track.domain.decision import THE_SUBJECT, Allowed, Decision, Message, decide
from consent_track.domain.policy import HousePolicy, Policies, Policy, RulePack, policy_hash
from consent_track.domain.vocabulary import INDIVIDUAL, Grade, MailType, Purpose, Status

NOW = 1_795_435_200  # Monday 23 November 2026, 12:00 UTC
DAY = 86_400
ALL = frozenset(Purpose)


def chose(status: Status, *, since: int = NOW - 30 * DAY, **more) -> ConsentState:
    """Somebody who made the same choice for every individual purpose, a month ago."""
    choice = Choice(status, since, more.pop("grade", Grade.OPERATOR), **more)
    return ConsentState(dict.fromkeys(INDIVIDUAL, choice))


ALICE = chose(Status.GIVEN)
BOB = chose(Status.WITHDRAWN, since=NOW - 60)
CHARLIE = ConsentState()
PEOPLE = {
    "Alice": ALICE,
    "Bob": BOB,
    "Charlie": CHARLIE,
    "Dora": replace(ALICE, objected_at=NOW - DAY),
    "Erin": UNKNOWN_PERSON,
    "Grace": replace(ALICE, signal_on=date(2026, 11, 1)),
}


def rows(table: str) -> list[tuple[str, ...]]:
    """A text table: one row a line, cells apart by two spaces or more."""
    return [tuple(re.split(r"\s{2,}", line.strip())) for line in table.strip().splitlines()]


NEWSLETTER = Message(MailType.REQUESTED_NEWSLETTER, "FR", ALL, NOW - 3_600)


def answer(
    policies: Policies,
    state: ConsentState | None,
    purpose: Purpose = Purpose.OPEN_PERFORMANCE,
    message: Message = NEWSLETTER,
    *,
    recipient=THE_SUBJECT,
    now: int = NOW,
    **changes,
) -> str:
    """`yes: consent_given` or `no: withdrawn`, under the policy that reads the mail's jurisdiction."""
    message = replace(message, **changes)
    return in_words(decide(recipient, message, purpose, state, policies.for_jurisdiction(message.jurisdiction), now))


def in_words(decision: Decision) -> str:
    return f"{'yes' if isinstance(decision, Allowed) else 'no'}: {decision.reason.value}"


def under(pack: RulePack, house: HousePolicy) -> Policy:
    return Policy(pack, house, policy_hash(pack.content, house.content))


def housed(policies: Policies, **changes) -> Policies:
    """The same packs under a house policy with some other choices."""
    house = replace(policies.house, **changes)
    by_id = {id_: under(policy.pack, house) for id_, policy in policies.by_id.items()}
    return Policies(by_id, policies.covering, house)
