"""Moving in: Alice consented there and can prove it, Bob unsubscribed there, Charlie never said. On both databases."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from consent_track import exports
from consent_track.activities import answering, importing, knowing, mailing
from consent_track.activities.importing import Run
from consent_track.crypto import sealing
from consent_track.crypto.evidence import first_break
from consent_track.domain.decision import THE_SUBJECT, Message, Reason, decide
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Outcome, Why
from consent_track.domain.vocabulary import GRANTING, Grade, MailType, Purpose, Status
from consent_track.exports.presets import Reading
from consent_track.records import consent, import_evidence, import_runs, ledger
from consent_track.records.database import write
from tests import lists, world
from tests.world import ALICE, BOB, CHARLIE, DAY

OPENS, CLICKS = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE
FIELDS = dict(one.split("=") for one in lists.COLUMNS)
STORY = f"""{lists.HEADER}\
{ALICE},subscribed,2024-03-15 14:25:32,198.51.100.7,,yes,no,,
{BOB},unsubscribed,2024-03-15 14:25:32,198.51.100.8,2025-06-07 08:09:10,yes,yes,,
{CHARLIE},subscribed,,,,,,,
not an address,subscribed,2024-03-15 14:25:32,,,yes,,,
"""


@pytest.fixture
def acme(tmp_path, clock, database_urls):
    """Acme on its first day: nobody is known yet."""
    runtime = world.installation(tmp_path / "home", clock=clock, databases=database_urls)
    yield runtime
    runtime.database.close()


class Mover:
    """Moves lists into one installation, as the command does."""

    def __init__(self, runtime, folder):
        self.runtime, self.folder, self.judged = runtime, folder, []
        self.evidence = lists.evidence_file(folder)

    def read(self, content, *, evidence=True, columns=FIELDS, **said):
        path = self.folder / "list.csv"
        path.write_text(content)
        source = exports.look_through(path)
        today = datetime.fromtimestamp(self.runtime.now(), UTC).date()
        how = exports.mapping(source, Reading(columns=dict(columns), **said), today)
        forms, pieces = exports.read_evidence(self.evidence, today) if evidence else ((), ())
        name = hashlib.sha256((source.sha256 + how.canonical).encode()).hexdigest()
        return Run(name, source.sha256, 1, forms, pieces), lambda skip: exports.rows(source, how, skip)

    def report(self, judged):
        self.judged += [(line, found.outcome, found.why) for line, found in judged]
        return len(self.judged)

    def __call__(self, content, **said):
        self.judged = []
        run, rows = self.read(content, **said)
        return importing.move_in(self.runtime.processing, self.runtime.reading, run, rows, self.report, pause=0)

    def rehearse(self, content, **said):
        self.judged = []
        return importing.rehearse(self.runtime.reading, *self.read(content, **said), self.report)


@pytest.fixture
def move_in(acme, tmp_path):
    return Mover(acme, tmp_path)


def state_of(runtime, address):
    with runtime.reading() as p:
        subject = knowing.find(p, 1, address)
        return consent.find_state(p.session, 1, subject) if subject else None


def events(runtime, address):
    """The entries about one person, opened with their key."""
    with runtime.reading() as p:
        who = knowing.recognise_many(p, 1, [address]).get(address)
        found = [e for e in ledger.entries(p.session, 1, 0, 10_000) if e.subject == who.reference]
    return [
        json.loads(sealing.unseal(who.data_key, 1, who.reference, f"event:{entry.sequence}", entry.sealed))
        for entry in found
    ]


def entries(runtime):
    with runtime.reading() as p:
        return ledger.entries(p.session, 1, 0, 100_000)


@pytest.mark.law("RE-12", "CC-02")
def test_alice_agreed_and_proves_it_bob_left_and_charlie_never_said(acme, move_in):
    move_in(STORY, locale="en", jurisdiction="FR")
    assert move_in.judged == [
        (2, Outcome.GIVEN, Why.IN_PART),
        (3, Outcome.NO_KEPT, Why.UNSUBSCRIBED),
        (4, Outcome.UNKNOWN, Why.NO_TIME),
        (5, Outcome.NOT_AN_ADDRESS, Why.ADDRESS),
    ]
    alice = state_of(acme, ALICE)
    assert alice.choices[OPENS].status is Status.GIVEN
    assert alice.choices[OPENS].grade is Grade.IMPORTED
    assert alice.choices[OPENS].since == lists.at("2024-03-15T14:25:32")
    assert alice.choices[CLICKS].status is Status.REFUSED
    bob = state_of(acme, BOB)
    assert bob.mail_ended_at == lists.at("2025-06-07T08:09:10")
    assert {choice.status for choice in bob.choices.values()} == {Status.REFUSED}
    charlie = state_of(acme, CHARLIE)
    assert (charlie.known, charlie.choices, charlie.mail_ended_at) == (True, {}, None)


def test_the_ledger_says_which_words_alice_was_shown_and_keeps_them(acme, move_in):
    move_in(STORY, locale="en", jurisdiction="FR")
    mail, refused, given = events(acme, ALICE)
    assert (refused["purpose"], refused["status"]) == ("click_performance", "refused")
    assert (mail["act"], mail["purpose"], mail["status"]) == ("mail", None, "given")
    assert (given["purpose"], given["status"], given["method"]) == ("open_performance", "given", "import")
    assert (given["occurred_at"], given["recorded_at"]) == (lists.at("2024-03-15T14:25:32"), acme.now())
    assert given["source"] == "https://acme.example/newsletter"
    with acme.reading() as p:
        form = import_evidence.find(p.session, 1, given["evidence_id"])
        screenshot = import_evidence.find(p.session, 1, json.loads(form.content)["files"][0]["sha256"])
        assert import_evidence.find(p.session, 2, given["evidence_id"]) is None, "another controller has none of it"
    words = {one["id"]: one for one in json.loads(form.content)["wordings"]}
    assert words[given["wording_id"]]["text"].startswith("Acme may record whether I open it.")
    assert (form.signed_by, form.signed_on) == ("Dana Okafor", date(2026, 11, 10))
    assert screenshot.content == lists.SCREENSHOT


@pytest.mark.law("IP-08", "IP-09")
def test_no_network_address_reaches_the_ledger(acme, move_in):
    move_in(STORY, locale="en")
    assert "198.51.100" not in json.dumps([events(acme, ALICE), events(acme, BOB), events(acme, CHARLIE)])


@pytest.mark.parametrize("statement", ["UPDATE import_evidence SET name = 'x'", "DELETE FROM import_evidence"])
def test_evidence_is_never_changed(acme, move_in, statement):
    move_in(STORY, locale="en")
    with pytest.raises(DBAPIError, match="append-only"), write(acme.database.engine) as session:
        session.connection().execute(text(statement))


def test_the_chain_has_no_seam(acme, move_in):
    world.consents(acme, "eve@example.org")
    move_in(STORY, locale="en")
    world.consents(acme, "frank@example.org")
    assert first_break(world.chain(acme), acme.keys.ledger_public) is None
    assert [entry.sequence for entry in entries(acme)] == list(range(1, len(entries(acme)) + 1))


def test_a_collector_learns_of_everybody_who_moved_in(acme, move_in):
    move_in(STORY, locale="en")
    with acme.reading() as p:
        changes = ledger.changes_since(p.session, 1, 0, 100)
    assert {subject for _, subject, _ in changes} == {entry.subject for entry in entries(acme)}
    assert [state.mail_ended_at is not None for _, _, state in changes].count(True) == 2, "Bob's two entries"


def test_run_again_changes_nothing(acme, move_in):
    first = move_in(STORY, locale="en")
    before = entries(acme)
    again = move_in(STORY, locale="en")
    assert (again, entries(acme)) == (first, before)
    assert first.phase == import_runs.DONE
    assert move_in.judged == [], "a run that is done looks at no line"


def test_a_longer_list_of_the_same_people_adds_only_what_is_new(acme, move_in):
    move_in(STORY, locale="en")
    before = entries(acme)
    done = move_in(STORY + "emil@example.org,subscribed,,,,,,,\n", locale="en")
    assert len(entries(acme)) == len(before) + 1
    assert done.entries == 1


def test_a_no_counts_also_after_a_yes_that_is_proved(acme, move_in):
    yes = f"{ALICE},subscribed,2024-03-15 14:25:32,,,yes,yes,,\n"
    no = f"{ALICE},unsubscribed,2023-01-01 00:00:00,,2023-01-01 00:00:00,,,,\n"
    for number, list_ in enumerate((lists.HEADER + yes + no, lists.HEADER + no + yes)):
        address = f"alice{number}@example.org"
        move_in(list_.replace(ALICE, address), locale="en")
        assert {why for _, _, why in move_in.judged} == {Why.UNSUBSCRIBED, Why.MAIL_ENDED}
        state = state_of(acme, address)
        assert state.mail_ended_at is not None
        assert not GRANTING & {choice.status for choice in state.choices.values()}
        assert all(event["status"] != "given" for event in events(acme, address)), "at no moment taken for a yes"


def test_a_no_from_there_ends_a_yes_from_here_and_what_was_measured_goes(acme, move_in):
    world.consents(acme, ALICE)
    move_in(f"{lists.HEADER}{ALICE},spam,,,,,,,\n", jurisdiction="FR")
    state = state_of(acme, ALICE)
    assert state.objected_at == state.mail_ended_at == acme.now()
    assert state.choices[OPENS].status is state.choices[CLICKS].status is Status.WITHDRAWN
    with acme.reading() as p:
        subject = knowing.find(p, 1, ALICE)
        assert consent.erase_due(p.session, 1, subject) == (acme.now() + 7 * DAY, OPENS.bit | CLICKS.bit)


def test_what_is_to_be_erased_of_bob_stays_to_be_erased(acme, move_in, clock):
    world.consents(acme, BOB)
    world.withdraws(acme, BOB)
    with acme.reading() as p:
        subject = knowing.find(p, 1, BOB)
        due = consent.erase_due(p.session, 1, subject)
    clock.move(DAY)
    move_in(f"{lists.HEADER}{BOB},unsubscribed,,,,,,,\n", jurisdiction="FR")
    with acme.reading() as p:
        assert consent.erase_due(p.session, 1, subject) == due != (None, 0)


def test_a_yes_from_there_leaves_a_choice_from_here_alone(acme, move_in):
    world.consents(acme, ALICE)
    world.consents(acme, BOB)
    world.withdraws(acme, BOB)
    before = {name: state_of(acme, name) for name in (ALICE, BOB)}
    move_in(lists.HEADER + "".join(f"{name},subscribed,2024-03-15,,,yes,,,\n" for name in (ALICE, BOB)), locale="en")
    assert move_in.judged == [(2, Outcome.UNCHANGED, Why.ALREADY_GIVEN), (3, Outcome.NO_STANDS, Why.REFUSED)]
    assert {name: state_of(acme, name) for name in (ALICE, BOB)} == before


@pytest.mark.law("DL-07")
def test_the_erased_stay_erased(acme, move_in):
    world.consents(acme, ALICE)
    answering.erase(acme.processing, 1, ALICE, world.OPERATOR)
    before = entries(acme)
    rows = [f"{ALICE},{status},2024-03-15,,,yes,yes,," for status in ("subscribed", "unsubscribed", "bounced")]
    done = move_in(lists.HEADER + "\n".join(rows), locale="en")
    assert move_in.judged == [(line, Outcome.ERASED, Why.SUPPRESSED) for line in (2, 3, 4)]
    assert (state_of(acme, ALICE), entries(acme), done.entries) == (None, before, 0)


def test_whoever_is_erased_between_the_key_and_the_row_stays_erased(acme, move_in):
    run, rows = move_in.read(f"{lists.HEADER}{ALICE},unsubscribed,,,,,,,\n")

    def erased_meanwhile():
        with acme.processing() as p:
            if knowing.find(p, 1, ALICE) and not knowing.is_suppressed(p, 1, ALICE):
                knowing.obtain(p, 1, ALICE)
        answering.erase(acme.processing, 1, ALICE, world.OPERATOR)
        return acme.processing()

    importing.move_in(erased_meanwhile, acme.reading, run, rows, move_in.report, pause=0)
    assert move_in.judged == [(2, Outcome.ERASED, Why.SUPPRESSED)]
    with acme.reading() as p:
        held = [p.session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for table in ("subject", "consent_state")]  # fmt: skip
    assert held == [0, 0]


@pytest.mark.law("CC-12", "CC-13")
@pytest.mark.parametrize(
    ("place", "collected", "told", "reason"),
    [
        ("FR", "2026-04-13", "2026-07-14", Reason.LEGACY_REGIME),
        ("FR", "2026-04-14", "2026-07-14", Reason.NO_CONSENT),
        ("FR", "2026-04-13", "2026-07-15", Reason.NO_CONSENT),
        ("FR", "", "2026-07-14", Reason.NO_CONSENT),
        ("FR", "2026-04-13", "", Reason.NO_CONSENT),
        ("IT", "2026-04-13", "2026-11-01", Reason.LEGACY_REGIME),
        ("DE", "2020-01-01", "2020-01-01", Reason.NO_CONSENT),
    ],
)
def test_a_transition_rests_on_the_dates_a_list_brings(acme, move_in, place, collected, told, reason):
    list_ = f"email,status,since\n{CHARLIE},subscribed,{collected}\n"
    move_in(list_, columns={"collected_on": "since"}, notice_on=told, jurisdiction=place)
    state = state_of(acme, CHARLIE)
    assert state.address_collected_on == (date.fromisoformat(collected) if collected else None)
    policy = acme.policies.for_jurisdiction(place)
    used = replace(policy, house=replace(policy.house, legacy_regimes=frozenset({"FR", "IT", "DE"})))
    message = Message(MailType.REQUESTED_NEWSLETTER, place, frozenset(Purpose), acme.now())
    assert decide(THE_SUBJECT, message, OPENS, state, used, acme.now()).reason is reason
    assert (move_in.judged[0][2] is Why.LEGACY_REGIME) == (reason is Reason.LEGACY_REGIME)


def test_a_mail_to_somebody_who_moved_in_measures_nothing_on_weak_evidence(acme, move_in):
    move_in(STORY, locale="en", jurisdiction="FR")
    prepared: mailing.Prepared = world.prepare(acme, world.mail_to(ALICE), ALICE)
    assert b"/o/" not in prepared.result.data, "the French pack asks for more than an imported yes"


def test_a_rehearsal_says_what_the_run_says_and_writes_nothing(acme, move_in):
    truth = lists.mixed_list(move_in.folder / "mixed.csv", 600, 7)
    content = (move_in.folder / "mixed.csv").read_text()
    world.consents(acme, "person3@example.org")
    answering.erase(acme.processing, 1, "person3@example.org", world.OPERATOR)
    world.consents(acme, "person5@example.org")
    before = entries(acme)
    said = move_in.rehearse(content), move_in.judged
    assert entries(acme) == before
    assert sum(state_of(acme, address) is not None for address in truth.people) == 1
    with acme.reading() as p:
        assert importing.position(p, move_in.read(content)[0]) is None
    done = move_in(content), move_in.judged
    assert done == said


@pytest.mark.law("RE-12")
def test_a_large_mixed_list_grants_nothing_unproved_and_loses_no_refusal(acme, move_in):
    truth = lists.mixed_list(move_in.folder / "mixed.csv", 2_000, 20_261_123)
    done = move_in((move_in.folder / "mixed.csv").read_text(), jurisdiction="FR")
    found = lists.standings(acme, truth.people)
    assert set(found) == truth.people
    assert len(truth.grants()) > 100
    assert len(truth.silenced) > 400
    assert lists.grants_without_evidence(truth, found) == 0
    assert lists.grants_missing(truth, found) == 0
    assert lists.negatives_lost(truth, found) == 0
    assert sum(done.counts.values()) == len(move_in.judged) == 2_000
    assert len(entries(acme)) == done.entries
    assert [line for line, _, _ in move_in.judged] == list(range(2, 2_002)), "every line once, in order"


class Crash(Exception):
    pass


def test_a_run_that_broke_off_anywhere_goes_on_and_comes_to_the_same(acme, move_in):
    lists.mixed_list(move_in.folder / "mixed.csv", 1_000, 3)
    content = (move_in.folder / "mixed.csv").read_text()
    expected = move_in.rehearse(content), move_in.judged
    run, rows = move_in.read(content)
    move_in.judged, attempts, left = [], 0, 0

    def begin():
        nonlocal left
        if left == 0:
            raise Crash
        left -= 1
        return acme.processing()

    while True:
        attempts, left = attempts + 1, 3  # each attempt gets two batches further
        try:
            done = importing.move_in(begin, acme.reading, run, rows, move_in.report, pause=0)
            break
        except Crash:
            continue
    assert attempts > 3
    assert (done, move_in.judged) == expected
    assert first_break(world.chain(acme), acme.keys.ledger_public) is None


def test_what_fails_while_it_is_stored_leaves_nothing_of_its_batch(acme, move_in):
    def broken(judged):
        raise Crash

    run, rows = move_in.read(STORY, locale="en")
    with pytest.raises(Crash):
        importing.move_in(acme.processing, acme.reading, run, rows, broken, pause=0)
    assert state_of(acme, CHARLIE) is None, "the batch of lines is gone"
    assert state_of(acme, BOB).mail_ended_at, "the batch of refusals stands"
    move_in(STORY, locale="en")
    assert state_of(acme, CHARLIE).known


def test_two_that_move_the_same_file_in_do_not_mix(acme, move_in):
    run, rows = move_in.read(STORY, locale="en")

    def another_meanwhile(skip):
        for row in rows(skip):
            move_in.judged or importing.move_in(acme.processing, acme.reading, run, rows, move_in.report, pause=0)
            yield row

    with pytest.raises(InputRefused, match="file: is being moved in by another process"):
        importing.move_in(acme.processing, acme.reading, run, another_meanwhile, move_in.report, pause=0)
    assert len(move_in.judged) == 4


def test_a_controller_that_is_not_there_is_refused(acme, move_in):
    run, rows = move_in.read(STORY)
    for attempt in (
        lambda: importing.move_in(acme.processing, acme.reading, replace(run, controller=7), rows, move_in.report),
        lambda: importing.rehearse(acme.reading, replace(run, controller=7), rows, move_in.report),
    ):
        with pytest.raises(InputRefused, match="controller: 7 is not configured"):
            attempt()


def test_who_moved_in_can_agree_here(acme, move_in):
    move_in(STORY, locale="en")
    world.consents(acme, CHARLIE, ago=0)
    assert state_of(acme, CHARLIE).choices[OPENS].grade is Grade.OPERATOR
