"""What the ledger, the register and the kept policies say of the past is what was true then. On both databases."""

from dataclasses import replace
from datetime import date

from consent_track.activities import consenting, explaining, knowing, lapsing, proving
from consent_track.activities.entering import How
from consent_track.domain.clocks import months_later
from consent_track.domain.observation import Signal
from consent_track.domain.vocabulary import Grade, Purpose
from consent_track.policy_files import stored_policy
from consent_track.records import consent, mailing, policy_versions
from tests import world
from tests.activities.test_importing import STORY, Mover
from tests.domain.people import housed
from tests.world import ALICE, BOB, CHARLIE, DAY, NOW, OPERATOR

OPEN, CLICK = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE
LOOP = How("mailbox_loop", Grade.MAILBOX_LOOP, "subject", jurisdiction="FR")


def told(runtime, address):
    """The person's state as it stands, and as it follows from the ledger alone."""
    with runtime.reading() as p:
        today = consent.find_state(p.session, 1, knowing.find(p, 1, address))
        return today, explaining.state_after(proving.history(p, 1, address), today, p.now)


def acts(runtime, address, act, *more):
    with runtime.processing() as p:
        act(p, 1, knowing.find(p, 1, address), *more)


def test_the_state_follows_from_the_ledger_after_every_act(acme, clock):
    """What `policy explain` walks again must be what the decision read then, whatever happened to the person."""
    story = [
        (consenting.turn_off, OPERATOR, frozenset({OPEN})),
        (consenting.grant, [OPEN], LOOP),
        (consenting.grant, [OPEN, Purpose.PERSONALISATION], LOOP),
        (consenting.object_to, OPERATOR),
        (consenting.grant, [CLICK], LOOP),
        (consenting.end_mail, OPERATOR),
        (consenting.welcome, OPERATOR),
        (consenting.turn_off, OPERATOR),
    ]
    for act, *more in story:
        clock.move(DAY)
        acts(acme, ALICE, act, *more)
        today, again = told(acme, ALICE)
        assert again == today, act.__name__
    with acme.processing() as p:
        signal = Signal(1, knowing.find(p, 1, BOB), "FR", p.now // DAY)
        consenting.record_signal(p, signal)
    assert told(acme, BOB)[0] == told(acme, BOB)[1]


def test_also_where_the_clock_ended_it(acme, clock):
    ours = replace(acme, policies=housed(acme.policies, parameters={"consent_lapse_months": 24}))
    clock.at = months_later(NOW, 25)
    assert lapsing.lapse(ours.processing).expired == 2
    today, again = told(acme, ALICE)
    assert again == today


def test_also_where_people_were_brought_along_from_another_tool(acme, tmp_path):
    Mover(acme, tmp_path)(STORY.replace(ALICE, "dora@example.org").replace(BOB, "erin@example.org"))
    for address in ("dora@example.org", "erin@example.org", CHARLIE):
        today, again = told(acme, address)
        assert again == replace(today, known=again.known)


def test_the_mails_of_a_day_are_those_from_midnight_to_midnight(acme, clock):
    midnight = NOW // DAY * DAY
    for moment in (midnight - 1, midnight, midnight + DAY - 1, midnight + DAY):
        clock.at = moment
        world.prepare(acme, world.mail_to(ALICE), ALICE)
    with acme.reading() as p:
        found = explaining.past_mails(p, 1, ALICE, on=date(2026, 11, 18))
    assert [one.row.prepared_at for one in found] == [midnight, midnight + DAY - 1]


def test_the_choice_of_then_is_not_the_choice_of_now(acme, clock):
    world.prepare(acme, world.mail_to(ALICE), ALICE)
    clock.move(DAY)
    world.withdraws(acme, ALICE)
    with acme.reading() as p:
        (mail,) = explaining.past_mails(p, 1, ALICE, on=date(2026, 11, 18))
    assert mail.state.choices[OPEN].status.value == "given"
    assert {event["status"] for event in mail.since} == {"refused", "withdrawn"}
    assert {event["status"] for event in mail.events} == {"given"}


def test_every_policy_that_was_in_force_is_read_back_as_it_was(acme):
    with acme.reading() as p:
        for policy in acme.policies.by_id.values():
            (kept,) = policy_versions.by_hash(p.session, policy.hash)
            assert stored_policy(kept.content) == policy
            assert policy_versions.by_hash(p.session, policy.hash[:8]) == [kept]
        assert policy_versions.by_hash(p.session, "%") == []


def test_the_register_is_read_in_pages_without_a_gap(acme):
    for _ in range(5):
        world.prepare(acme, world.mail_to(ALICE), ALICE)
    with acme.reading() as p:
        seen, after = [], None
        while rows := mailing.page(p.session, 1, NOW, 2, after=after):
            seen += [row.message for row in rows]
            after = rows[-1].prepared_at, rows[-1].message
        assert len(seen) == len(set(seen)) == 5
        assert mailing.page(p.session, 1, NOW + 1, 2) == []
        assert mailing.page(p.session, 2, 0, 2) == []
