"""The ledger leaves as a file: anybody verifies it with the public key alone, and no change of it goes unseen."""

import json
import random

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from consent_track.activities import answering, consenting, knowing, proving
from consent_track.activities.entering import How
from consent_track.crypto import keyring
from consent_track.crypto.key_files import read_key
from consent_track.domain.consent import Shown
from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import Grade
from tests import world
from tests.world import ALICE, BOB, CHARLIE


@pytest.fixture
def file(acme):
    """The ledger of a few days: Alice and Bob, and a dozen others who said yes and then no."""
    for number in range(6):
        world.consents(acme, f"reader{number}@example.org")
        world.withdraws(acme, f"reader{number}@example.org")
    with acme.reading() as p:
        return list(proving.export(p, 1))


def checkpoint(acme):
    with acme.reading() as p:
        return proving.read_checkpoint(json.dumps(proving.checkpoint(p, 1)))


@pytest.mark.law("RE-14")
def test_a_whole_ledger_is_whole_by_the_public_key_alone(acme, file):
    found = proving.verify(file, acme.keys.ledger_public, checkpoint(acme)[0])
    assert found.whole
    assert found.entries == len(file) - 1 >= 28
    assert found.upto == found.entries


def test_the_file_says_nothing_about_anybody(file):
    text = "".join(file)
    for word in ("alice", "reader", "example.org", "click_performance", "withdrawn", "command_line"):
        assert word not in text


def changed(entry, name, chance):
    value = entry[name]
    if isinstance(value, int):
        return value ^ (1 << chance.randrange(40))
    place = chance.randrange(len(value.rstrip("=")))
    return value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]


def attack(lines, chance):
    """One change somebody might make to hide what they did, anywhere in the file."""
    lines, kind = list(lines), chance.choice(["change", "delete", "swap", "insert", "repeat"])
    place = chance.randrange(1, len(lines) - 1)
    if kind == "change":
        entry = json.loads(lines[place])
        name = chance.choice(sorted(entry))
        lines[place] = json.dumps({**entry, name: changed(entry, name, chance)})
    elif kind == "delete":
        del lines[place]
    elif kind == "swap":
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
    elif kind == "insert":
        lines.insert(place, chance.choice([line for line in lines[1:] if line != lines[place]]))
    else:
        lines.append(lines[-1])
    return kind, place, lines


def test_no_attack_goes_unseen(acme, file):
    chance = random.Random(20_261_123)
    for _ in range(150):
        kind, place, lines = attack(file, chance)
        if lines == file:
            continue
        found = proving.verify(lines, acme.keys.ledger_public)
        assert not found.whole, kind
        assert found.broken_at == (len(file) if kind == "repeat" else place), kind


@pytest.mark.parametrize("gone", [1, 5, 20])
def test_a_cut_end_shows_against_a_checkpoint_and_only_there(acme, file, gone):
    upto, public = checkpoint(acme)
    assert proving.verify(file[:-gone], public).whole
    assert proving.verify(file[:-gone], public, upto).broken_at == len(file) - gone


def test_a_ledger_written_anew_with_another_key_is_not_this_one(acme, file, tmp_path):
    forged = world.populated(tmp_path / "forger")
    with forged.reading() as p:
        lines = list(proving.export(p, 1))
    assert proving.verify(lines).whole, "in itself it is: that is why a key is published"
    assert proving.verify(lines, acme.keys.ledger_public).broken_at == 1
    with forged.reading() as p:
        theirs = proving.read_checkpoint(json.dumps(proving.checkpoint(p, 1)))[0]
    with pytest.raises(InputRefused, match="ledger key"):
        proving.verify(file, acme.keys.ledger_public, theirs)


@pytest.mark.law("RE-14")
def test_the_chain_is_whole_after_an_erasure_and_after_what_came_then(acme, file):
    upto, public = checkpoint(acme)
    answering.erase(acme.processing, 1, ALICE, world.OPERATOR)
    world.consents(acme, CHARLIE)
    with acme.reading() as p:
        lines = list(proving.export(p, 1))
    assert proving.verify(lines, public, upto).whole
    assert lines[1 : len(file)] == file[1:], "nothing that was written was touched"


NO_FILES = [
    (0, "", "line 1"),
    (0, "nonsense\n", "line 1"),
    (0, '{"format":"something else"}\n', "line 1"),
    (0, '{"format":"consent_track ledger v1","controller":true,"public_key":""}\n', "line 1"),
    (0, '{"format":"consent_track ledger v1","controller":65536,"public_key":""}\n', "line 1"),
    (3, "[]\n", "line 4"),
    (3, "[" * 100_000 + "\n", "line 4"),
    (3, '{"sequence":3}\n', "line 4"),
    (3, '{"sequence":"3","sealed":1}\n', "line 4"),
]


@pytest.mark.parametrize(("place", "line", "where"), NO_FILES)
def test_what_is_no_ledger_file_is_refused_by_its_line(acme, file, place, line, where):
    with pytest.raises(InputRefused) as refused:
        proving.verify([*file[:place], line, *file[place + 1 :]], acme.keys.ledger_public)
    assert refused.value.problems[0].where == where


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format":"consent_track ledger checkpoint v1","sequence":-1}'])
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(InputRefused) as refused:
        proving.read_checkpoint(text)
    assert refused.value.problems[0].where == "checkpoint"


def test_an_empty_ledger_has_no_checkpoint(tmp_path):
    runtime = world.installation(tmp_path / "empty")
    with runtime.reading() as p:
        assert proving.verify(proving.export(p, 1)).entries == 0
        with pytest.raises(InputRefused, match="empty ledger"):
            proving.checkpoint(p, 1)


class TestProof:
    """A complaint after an erasure: the address in it and the offline key, together, and nothing less."""

    @pytest.fixture
    def private(self, acme):
        folder = acme.config.keys_dir
        return read_key(folder, folder / "escrow-private.key", []).secret

    @pytest.mark.law("RT-04")
    def test_the_proof_is_readable_after_the_erasure(self, acme, private):
        answering.erase(acme.processing, 1, BOB, world.OPERATOR)
        with acme.reading() as p:
            found = proving.open_proofs(p, 1, "BOB@Example.org", private)
        said = [(one["purpose"], one["status"]) for one in found]
        assert said[:2] == [("open_performance", "given"), ("click_performance", "given")]
        assert {("click_performance", "withdrawn"), ("open_performance", "withdrawn")} < set(said[2:])

    def test_another_address_finds_nothing(self, acme, private):
        with acme.reading() as p:
            assert proving.open_proofs(p, 1, CHARLIE, private) == []

    def test_another_key_opens_nothing(self, acme, tmp_path):
        keyring.create(tmp_path / "other", world.NOW)
        other = read_key(tmp_path / "other", tmp_path / "other" / "escrow-private.key", []).secret
        with acme.reading() as p, pytest.raises(InputRefused, match="another installation"):
            proving.open_proofs(p, 1, ALICE, other)


class TestWords:
    """What somebody saw when they chose is kept as it was, also when the catalogue says something else by now."""

    SHOWN = Shown("en", (("page.turn_all_off", "Turn all measuring off"),))

    def choose(self, runtime, who, shown):
        with runtime.processing() as p:
            how = How("preference_page", Grade.MESSAGE_LINK, "subject", locale="en", shown=shown)
            consenting.turn_off(p, 1, knowing.find(p, 1, who), how)

    def history(self, runtime, who):
        with runtime.reading() as p:
            return proving.history(p, 1, who)

    @pytest.mark.law("DI-04")
    def test_a_choice_shows_the_very_words(self, acme):
        self.choose(acme, ALICE, self.SHOWN)
        self.choose(acme, world_reader(acme), Shown("en", (("page.turn_all_off", "Stop all of it"),)))
        told = [(one["status"], one["words"]) for one in self.history(acme, ALICE)]
        assert told[0] == ("given", None)
        assert told[-1] == ("refused", {"page.turn_all_off": "Turn all measuring off"})

    def test_the_words_cannot_be_changed_afterwards(self, acme):
        self.choose(acme, ALICE, self.SHOWN)
        for statement in ("UPDATE wording SET locale = 'fr'", "DELETE FROM wording"):
            with pytest.raises(DatabaseError), acme.processing() as p:
                p.session.connection().execute(text(statement))

    def test_the_same_words_are_kept_once(self, acme):
        for who in (ALICE, world_reader(acme)):
            self.choose(acme, who, self.SHOWN)
        with acme.reading() as p:
            assert p.session.connection().execute(text("SELECT count(*) FROM wording")).scalar_one() == 1

    def test_an_erased_person_has_no_history_and_the_complaint_still_finds_the_words(self, acme):
        self.choose(acme, ALICE, self.SHOWN)
        answering.erase(acme.processing, 1, ALICE, world.OPERATOR)
        assert self.history(acme, ALICE) == []
        folder = acme.config.keys_dir
        private = read_key(folder, folder / "escrow-private.key", []).secret
        with acme.reading() as p:
            found = proving.open_proofs(p, 1, ALICE, private)
        assert {"page.turn_all_off": "Turn all measuring off"} in [one["words"] for one in found]


def world_reader(acme):
    world.consents(acme, "reader@example.org")
    return "reader@example.org"
