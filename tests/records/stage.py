"""The people of these tests, and the little it takes to put them on stage."""

from datetime import date

from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.vocabulary import Grade, Purpose, Status
from consent_track.records import hits
from consent_track.records.ledger import Appended

ACME, OTHER = 1, 2
ALICE, BOB, CHARLIE = 7_000_000_000_000_000_001, 7_000_000_000_000_000_002, 7_000_000_000_000_000_003
DAY = date(2026, 11, 23)
NOW = 1_795_435_200  # noon of that day

OPENS, CLICKS = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE


def given(*purposes: Purpose, since: int = NOW) -> ConsentState:
    choices = {purpose: Choice(Status.GIVEN, since, Grade.MAILBOX_LOOP) for purpose in purposes or (OPENS,)}
    return ConsentState(choices=choices)


def withdrawn(*purposes: Purpose, since: int = NOW) -> ConsentState:
    choices = {purpose: Choice(Status.WITHDRAWN, since, Grade.MESSAGE_LINK) for purpose in purposes or (OPENS,)}
    return ConsentState(choices=choices)


def hit(
    subject: int = ALICE,
    offset: int = 0,
    *,
    controller: int = ACME,
    day: date = DAY,
    segment: int = 1,
    purposes: int = OPENS.bit,
    network: bytes | None = None,
) -> hits.NewHit:
    return hits.NewHit(
        day=day,
        segment=segment,
        offset=offset,
        controller_id=controller,
        subject=subject,
        message=9,
        kind=1,
        link=0,
        at=NOW,
        purposes=purposes,
        policy_prefix=0xFFFFFFFF,
        engagement=1,
        reason=2,
        rules=3,
        network=network,
    )


def link(sequence: int, previous: bytes) -> Appended:
    """A link of a chain that is easy to check: it repeats what it follows."""
    return Appended(b"sealed", b"proof", b"tag", sequence.to_bytes(8, "big") + previous[:8], b"signature")
