"""Receiving mail and being measured are two acts, and what a person does with a mail is neither.

On a real installation: mails are prepared, hits are stored, and the person's choices are read from the database.
"""

import random
import secrets
from dataclasses import replace
from datetime import date

import pytest

from consent_track.activities import consenting, knowing, tracking
from consent_track.bundled import bundled
from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.frame import Framed
from consent_track.domain.observation import Observation, Verdict
from consent_track.domain.vocabulary import INDIVIDUAL, HitKind, MailType, Purpose, Status, to_bits
from consent_track.mail.headers import Declared
from consent_track.records import consent
from tests import world


@pytest.fixture
def acme(tmp_path):
    runtime = world.populated(tmp_path / "home")
    yield runtime
    runtime.database.close()


def standing(runtime, address: str) -> ConsentState | None:
    with runtime.reading() as p:
        subject = knowing.find(p, 1, address)
        return consent.find_state(p.session, 1, subject) if subject else None


def tracked(runtime, address: str, said: Declared = world.NEWSLETTER) -> set[str]:
    """Which measuring of ours is in a mail that leaves now: `/o/` a pixel, `/c/` a link."""
    data = world.prepare(runtime, world.mail_to(address), address, said).result.data.decode()
    data = data.replace("=\r\n", "")
    return {kind for kind in ("/o/", "/c/") if f"https://mail.acme.example{kind}" in data}


@pytest.mark.law("CC-02")
def test_whoever_only_asked_for_the_mail_is_not_measured(acme):
    dave = "dave@example.org"
    with acme.processing() as p:
        subject = knowing.obtain(p, 1, dave, "en")
        consenting.welcome(p, 1, subject, world.OPERATOR)
    assert standing(acme, dave).choices == {}
    assert tracked(acme, dave) == set()
    assert tracked(acme, world.ALICE) == {"/o/", "/c/"}


@pytest.mark.law("CC-07")
def test_opening_and_clicking_are_never_consent(acme):
    """Whatever people do with their mails, their choices and the version of their choices stay as they were."""
    people = [world.ALICE, world.BOB, world.CHARLIE, "asked@example.org"]
    question = dict.fromkeys(INDIVIDUAL, Choice(Status.REQUESTED, world.NOW - world.DAY))
    with acme.processing() as p:
        references = {name: knowing.obtain(p, 1, name, "en") for name in people}
        consent.save_state(p.session, 1, references["asked@example.org"], ConsentState(question))
    before = {name: standing(acme, name) for name in people}
    chance = random.Random(20_261_123)
    frames, at = [], 40
    for _ in range(200):
        name = chance.choice(people)
        now = acme.now() - chance.randrange(60, 3_600)
        hit = Observation(
            chance.choice(list(HitKind)), 1, references[name], chance.randrange(1, 9), now, now - 3_600,
            to_bits(INDIVIDUAL), MailType.REQUESTED_NEWSLETTER.number, "FR", 0, 0, 1, Verdict(1, 1, 1),
        )  # fmt: skip
        frames.append(Framed(hit, at, at + 61))
        at += 61
    with acme.processing() as p:
        stored = tracking.store(p, secrets.token_hex(16), "test", frames)
    assert 0 < stored.hits < 200, "Alice's hits are there, so the others' were looked at"
    assert {name: standing(acme, name) for name in people} == before


# An address held before the cut-off, in a house that uses the transitions of France and Italy.
LATE = {
    "FR": ConsentState(address_collected_on=date(2026, 3, 1), legacy_notice_on=date(2026, 6, 1)),
    "IT": ConsentState(address_collected_on=date(2026, 3, 1), legacy_notice_on=date(2026, 11, 1)),
}


@pytest.fixture
def transitional(tmp_path):
    home = tmp_path / "home"
    (home / "policies").mkdir(mode=0o700, parents=True)
    text = (bundled("policies") / "house.toml").read_text()
    chosen = text.replace("legacy_regimes = []", 'legacy_regimes = ["FR", "IT"]')
    (home / "policies" / "house.toml").write_text(chosen)
    runtime = world.populated(home)
    yield runtime
    runtime.database.close()


@pytest.mark.law("CC-12", "CC-13")
@pytest.mark.parametrize("place", ["FR", "IT"])
def test_a_mail_under_a_transition_lets_its_reader_out_for_each_purpose(transitional, place):
    with transitional.processing() as p:
        subject = knowing.obtain(p, 1, "late@example.org", "en")
        consent.save_state(p.session, 1, subject, LATE[place])
    said = replace(world.NEWSLETTER, jurisdiction=place)
    assert tracked(transitional, "late@example.org", said) == {"/o/", "/c/"}
    mail = world.prepare(transitional, world.mail_to("late@example.org"), "late@example.org", said).result.data.decode()
    assert "https://mail.acme.example/p/" in mail, "the link to the person's choices"
    world.withdraws(transitional, "late@example.org")
    assert tracked(transitional, "late@example.org", said) == set()
    assert Purpose.OPEN_PERFORMANCE in standing(transitional, "late@example.org").choices
