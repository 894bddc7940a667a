"""The certificate of an erasure ripens, says only what is proved, and is withheld while anything is left."""

import gzip
import json
from urllib.parse import quote

import pytest

from consent_track import residue
from consent_track.activities import answering, auditing, certifying, informing, knowing, notifying, rotating, scanning
from consent_track.domain.errors import InputRefused
from consent_track.records import spool
from consent_track.records.database import checkpoint
from tests import world
from tests.world import ALICE, DAY

NODE = "test"


def erase(acme, who=ALICE):
    return answering.erase(acme.processing, 1, who, world.OPERATOR).certificate


def ripen(acme):
    checkpoint(acme.database.engine)
    return certifying.ripen(acme.processing, acme.reading, residue.look_through, acme.places())


def seen(acme, node=NODE):
    with acme.processing() as p:
        spool.seen(p.session, node, p.now, p.now)


def rotate(acme, clock):
    with acme.reading() as p:
        rotating.begin_rotation(p, acme.config.keys_dir)
    clock.move(60)
    rotating.rewrap(acme.processing)
    clock.move(rotating.GRACE)
    rotating.destroy_unneeded(acme.processing, acme.config.keys_dir, NODE)


def open_items(acme, number):
    with acme.reading() as p:
        return [item.what for item in certifying.open_items(p, certifying.find(p, 1, number))]


def paper(acme, number):
    with acme.reading() as p:
        return certifying.paper_of(p, certifying.find(p, 1, number))


@pytest.mark.law("DL-01", "DL-02", "RE-14")
def test_it_ripens_stage_by_stage_and_verifies_on_another_machine(acme, clock):
    world.hits_of(acme, ALICE, 5)
    seen(acme)
    clock.move(10)
    number = erase(acme)
    assert open_items(acme, number)[0] == "machine test has not drained its spool past the erasure"
    assert ripen(acme)["drained"] == 0

    clock.move(10)
    seen(acme)
    assert ripen(acme)["drained"] == 1
    assert ripen(acme)["clean"] == 1
    assert ripen(acme)["final"] == 0
    assert open_items(acme, number) == ["epoch 1, which wrapped the key, is not retired on every machine"]
    with pytest.raises(InputRefused, match="is not retired on every machine"):
        paper(acme, number)

    rotate(acme, clock)
    assert ripen(acme)["final"] == 1
    made = paper(acme, number)
    assert made["deleted"]["hit"] == 5
    assert made["open"] == []
    assert ALICE not in json.dumps(made)
    assert auditing.check_receipt(json.dumps(made), acme.keys.ledger_public).whole
    forged = made | {"deleted": made["deleted"] | {"hit": 0}}
    assert not auditing.check_receipt(json.dumps(forged), acme.keys.ledger_public).whole


def test_a_statement_before_the_end_is_signed_and_says_that_it_is_not_final(acme, clock):
    number = erase(acme)
    with acme.reading() as p:
        interim = certifying.signed(p, certifying.find(p, 1, number), final=False)
    assert interim["open"]
    found = auditing.check_receipt(json.dumps(interim), acme.keys.ledger_public)
    assert found.faults == ("it is not final",)


LEFT = {
    "a line of a log": lambda home: (home / "debug.log").write_text(f"GET /p/x for {ALICE}\n"),
    "an export": lambda home: (home / "export.csv").write_text(f"email\n{ALICE.upper()}\n"),
    "a URL": lambda home: (home / "access.log").write_text(f"GET /?e={quote(ALICE, safe='')}\n"),
    "base64": lambda home: (home / "mail.eml").write_bytes(
        b"eHg" + __import__("base64").b64encode(b"to:" + ALICE.encode())
    ),
    "an unsalted hash": lambda home: (home / "ids.txt").write_text(
        __import__("hashlib").sha256(ALICE.encode()).hexdigest()
    ),
    "a packed backup": lambda home: (home / "old.sql.gz").write_bytes(gzip.compress(b"x" * 9_000 + ALICE.encode())),
    "UTF-16": lambda home: (home / "dump.txt").write_bytes(ALICE.encode("utf-16")),
    "the name of a file": lambda home: (home / f"{ALICE}.pdf").write_bytes(b"%PDF"),
    "across two blocks": lambda home: (home / "big.bin").write_bytes(b"\0" * (residue.BLOCK - 7) + ALICE.encode()),
}


@pytest.mark.law("DL-01")
@pytest.mark.parametrize("left", LEFT)
def test_a_copy_that_nobody_thought_of_withholds_it(acme, clock, left):
    number = erase(acme)
    LEFT[left](acme.config.home)
    clock.move(10)
    seen(acme)
    assert ripen(acme)["drained"] == 1
    assert ripen(acme) == {"drained": 0, "clean": 0, "withheld": 1, "final": 0}
    assert any(item.startswith("found in ") for item in open_items(acme, number))
    assert not any(ALICE in item.lower() for item in open_items(acme, number))
    for path in acme.config.home.iterdir():
        if path.is_file() and path.name in {
            "debug.log", "export.csv", "access.log", "mail.eml", "ids.txt", "old.sql.gz", "dump.txt", "big.bin",
            f"{ALICE}.pdf",
        }:  # fmt: skip
            path.unlink()
    clock.move(2 * 3_600)
    assert ripen(acme)["clean"] == 1


def test_a_scan_before_the_erasure_finds_her_and_after_it_nothing(acme):
    with acme.reading() as p:
        reference = knowing.find(p, 1, ALICE)
        before = scanning.scan(p, 1, ALICE, reference, residue.look_through, acme.places())
    assert {one.place for one in before.found} >= {"database: consent_state.subject", "keyring: subject_key.lookup"}
    erase(acme)
    checkpoint(acme.database.engine)
    with acme.reading() as p:
        after = scanning.scan(p, 1, ALICE, reference, residue.look_through, acme.places())
    assert after.found == ()
    assert after.cells > 50


def test_a_lost_machine_and_a_silent_recipient_are_named_and_can_be_gone_on_without(tmp_path, clock):
    crm = '[{ name = "Old CRM", role = "crm", webhook = "https://old.example/", secret_file = "crm" }]'
    acme = world.populated(tmp_path / "home", clock=clock, controller=f"processors = {crm}")
    seen(acme, "web2")
    clock.move(10)
    number = erase(acme)
    with acme.processing() as p, pytest.raises(InputRefused, match="is not an open item"):
        certifying.accept(p, 1, number, "node web2", "It burned.")
    clock.move(2 * DAY)
    with acme.processing() as p:
        certifying.accept(p, 1, number, "node web2", "It burned on Monday.")
        certifying.accept(p, 1, number, "recipient Old CRM", "It was shut down in May.")
    seen(acme)
    ripen(acme)
    assert ripen(acme)["clean"] == 1
    with acme.reading() as p:
        found = certifying.find(p, 1, number)
    assert found.accepted == {"node web2": "It burned on Monday.", "recipient Old CRM": "It was shut down in May."}
    acme.database.close()


def test_who_comes_back_ends_the_search_and_the_certificate_says_so(acme, clock):
    number = erase(acme)
    clock.move(10)
    seen(acme)
    ripen(acme)
    with acme.processing() as p:
        knowing.obtain(p, 1, ALICE, "en", returning=True)
    assert ripen(acme)["clean"] == 1
    with acme.reading() as p:
        assert certifying.find(p, 1, number).scan["returned"]


def test_two_erasures_at_once_have_one_effect(acme):
    first, second = erase(acme), erase(acme)
    assert first
    assert second == 0
    with acme.reading() as p:
        assert len(certifying.of_address(p, 1, ALICE)) == 1
        assert informing.told(p, 1, certifying.of_address(p, 1, ALICE)[0].subject) == []
        assert notifying.waiting(p) == 0
