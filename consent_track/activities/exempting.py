"""Measuring that the law exempts from consent: the last day of an open (France), the count of a campaign (Italy).

What is kept goes into a store of its own, for one purpose, and serves no other (AH-14). Whoever writes a date holds the
person's state meanwhile, so that none is written after a no.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from consent_track.domain import exempt as modes
from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.decision import (
    THE_SUBJECT,
    Message,
    Minimal,
    decide,
)
from consent_track.domain.errors import InputRefused, StorageUnavailable
from consent_track.domain.exempt import FEWEST_SHOWN, Opened
from consent_track.domain.vocabulary import MailType, Purpose
from consent_track.records import consent, exempt, mailing
from consent_track.records.database import read, write

from . import Processing, knowing

HYGIENE = Purpose.DELIVERABILITY_HYGIENE
COUNT = Purpose.AGGREGATE_COUNT
# Nobody waits for these jobs; milliseconds.
WAIT_MS = 5_000
CHUNK = 500


def keep_days(p: Processing, days: Mapping[tuple[int, int], Opened]) -> int:
    """Let the date of each (controller, subject) be its last open, unless they said no meanwhile; how many may be kept.

    One idempotent step for each person: the later day stands, the former is gone (CNIL 2026-042; AH-07, RT-02).
    """
    states = consent.share_states(p.session, sorted(days))
    kept = {
        person: opened.day
        for person, opened in days.items()
        if _is_served(p, opened.mail_type, opened.jurisdiction, states.get(person, UNKNOWN_PERSON))
    }
    if kept:
        with write(p.exempt, wait_ms=WAIT_MS) as session:
            exempt.open_on(session, kept)
    return len(kept)


def _is_served(p: Processing, mail_type: MailType, jurisdiction: str, state: ConsentState) -> bool:
    policy = p.policies.for_jurisdiction(jurisdiction)
    message = Message(mail_type, jurisdiction, frozenset({HYGIENE}), p.now)
    return isinstance(decide(THE_SUBJECT, message, HYGIENE, state, policy, p.now), Minimal)


def add_counts(p: Processing, counts: Mapping[tuple[int, int], int]) -> None:
    """Add to the counts of campaigns, by (controller, campaign reference)."""
    if counts:
        with write(p.exempt, wait_ms=WAIT_MS) as session:
            exempt.add(session, counts)


@dataclass(frozen=True, slots=True)
class Hygiene:
    """How list hygiene stands for one person: whether it is in use for them, and the one date held about them."""

    in_use: bool
    last_open: date | None


def hygiene(
    p: Processing,
    controller: int,
    subject: int,
    jurisdiction: str,
    mail_type: MailType = MailType.REQUESTED_NEWSLETTER,
) -> Hygiene:
    """Whether the last day of an open may be kept of a person, and which one is: for their page and their access.

    `jurisdiction` is that of the link the person came by. Where individual opens are allowed, no mail carries it; the
    answer is still what the law and the person allow.
    """
    state = consent.find_state(p.session, controller, subject) or UNKNOWN_PERSON
    return Hygiene(_is_served(p, mail_type, jurisdiction, state), last_open(p, controller, subject))


def last_open(p: Processing, controller: int, subject: int) -> date | None:
    """The date held about a person; None where there is none."""
    with read(p.exempt) as session:
        return exempt.last_open(session, controller, subject)


def may_hold(p: Processing, controller: int, subject: int) -> bool:
    """Whether a date may be held about a person; a store that cannot be read must not stop a withdrawal."""
    try:
        return last_open(p, controller, subject) is not None
    except StorageUnavailable:
        return True


def forget(p: Processing, controller: int, subject: int) -> int:
    """Delete the date held about a person; the caller holds their state. How many rows went: one or none."""
    with write(p.exempt) as session:
        return exempt.forget(session, controller, subject)


def forget_ended(p: Processing, after: tuple[int, int]) -> tuple[int, tuple[int, int] | None]:
    """Delete the dates of people for whom hygiene has ended, however it ended (RT-02); a chunk of those behind `after`.

    Gives how many went, and where to go on (None: this was the end). A date whose erasure is scheduled waits for it
    (decision 7); what is restricted stays as it is (GDPR Art. 18).
    """
    with read(p.exempt) as session:
        people = exempt.people_after(session, after, CHUNK)
    states = consent.share_states(p.session, people)
    scheduled = consent.with_erase_due(p.session, people)
    ended = [one for one in people if one not in scheduled and modes.has_ended(states.get(one, UNKNOWN_PERSON))]
    for controller, subject in ended:
        forget(p, controller, subject)
    return len(ended), people[-1] if len(people) == CHUNK else None


def inactive(p: Processing, controller: int, since: date) -> Iterator[str]:
    """The addresses of people who have opened nothing since a day: the one thing hygiene may be used for (CC-17).

    Somebody is inactive who was mailed with this measuring both before that day and on or after it, has no open on or
    after it, and for whom hygiene is still in use. Raises InputRefused (field `controller`, `since`): also where the
    dates do not reach back that far, because then everybody would look inactive.
    """
    p.controller(controller)
    with read(p.exempt) as session:
        kept = exempt.kept_since(session, controller)
    if kept is None or since < kept:
        said = f"dates are kept since {kept} only" if kept else "no open was ever kept"
        raise InputRefused.one("since", f"{said}: nobody can be called inactive since {since}")
    at = int(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp())
    people = mailing.mailed_around(p.session, controller, HYGIENE.bit, at)
    for start in range(0, len(people), CHUNK):
        some = people[start : start + CHUNK]
        with read(p.exempt) as session:
            active = exempt.opened_since(session, controller, some, since)
        states = consent.find_states(p.session, controller, some)
        for subject in some:
            if subject not in active and not _stopped(states.get(subject, UNKNOWN_PERSON)):
                who = knowing.person(p, controller, subject)
                if who is not None:
                    yield who.address


def _stopped(state: ConsentState) -> bool:
    return modes.has_ended(state) or state.restricted or state.signal_on is not None


def campaign_reference(controller: int, campaign: str) -> int:
    """The number under which a campaign is counted; its name stands in no token and not in the exempt store."""
    digest = hashlib.sha256(f"consent_track campaign\0{controller}\0{campaign}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1 or 1


@dataclass(frozen=True, slots=True)
class Counted:
    """How often a campaign was opened in total. `opens` is None where it is not shown, and `why` says why."""

    opens: int | None
    mails: int
    why: str = ""


def count(p: Processing, controller: int, campaign: str) -> Counted:
    """The count of a campaign, never of few people and never a small one. Raises InputRefused (field `campaign`).

    How many people got the pixel is counted in the register, whatever the sender declared: a campaign of one is
    individual tracking, and stays hidden (decision 13).
    """
    p.controller(controller)
    with read(p.exempt) as session:
        found = exempt.find(session, controller, campaign_reference(controller, campaign))
    if found is None:
        raise InputRefused.one("campaign", "is not counted")
    mails = mailing.people_of_campaign(p.session, controller, campaign, COUNT.bit)
    least = max(modes.least_audience(policy) for policy in p.policies.by_id.values())
    if mails < least:
        return Counted(None, mails, f"fewer than {least} people got it")
    if found.count < FEWEST_SHOWN:
        return Counted(None, mails, f"fewer than {FEWEST_SHOWN}")
    return Counted(found.count, mails)
