"""Evidence, not a boolean: what Charlie read, saw and confirmed, as a file that shows every change."""

import hashlib
import io
import json
import re
import zipfile

import pytest

from consent_track import worker
from consent_track.activities import answering, auditing, evidencing, proving, receipting
from consent_track.domain.errors import InputRefused
from tests import world
from tests.web.loop import fill, link_in, mails, press
from tests.world import ALICE, CHARLIE


@pytest.fixture
def charlie(acme):
    """Charlie said yes on the form and confirmed by his mail; the site, and that mail."""
    fill(acme, CHARLIE, answer="ticked", purposes=["open_performance"])
    [(_, mail)] = mails(acme)
    press(acme, link_in(mail))
    acme.mail = mail
    return acme


def bundle(site, address=CHARLIE):
    with site.runtime.reading() as p:
        return evidencing.bundle(p, 1, address)


def checked(tmp_path, octets, public=None):
    path = tmp_path / "bundle.zip"
    path.write_bytes(octets)
    return auditing.check_bundle(path, public)


def repacked(octets, change):
    """The bundle after somebody changed its files."""
    with zipfile.ZipFile(io.BytesIO(octets)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    change(files)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return held.getvalue()


@pytest.mark.law("RE-02", "RE-01")
def test_a_bundle_rebuilds_the_exact_words_the_page_and_the_mail(charlie):
    files = bundle(charlie).files
    [event] = map(json.loads, files["events.jsonl"].splitlines())
    words = json.loads(files[f"wordings/{event['wording_id']}.json"])["words"]
    assert words["purpose.open_performance.text"] == (
        "A small picture tells %(controller)s when you open one of its emails."
    )
    page = files[f"screens/{event['screen_id']}.html"].decode()
    asked = files[f"screens/{event['asked_screen_id']}.html"].decode()
    assert "Is this what you want?" in page
    assert "May Acme measure this in its emails?" in asked
    assert "<style>" in page
    assert "<link" not in page
    assert files[f"letters/{event['letter_id']}.eml"] == charlie.mail
    assert event["asked_at"] == world.NOW
    assert event["occurred_at"] == world.NOW + 10
    assert (event["method"], event["grade"], event["actor"]) == ("mailbox_loop", "mailbox_loop", "subject")


def test_a_page_that_is_kept_says_nothing_about_one_person(charlie):
    for name, octets in bundle(charlie).files.items():
        if name.startswith(("screens/", "wordings/")):
            assert b"charlie" not in octets.lower()
            assert b"c***" not in octets


def test_it_is_whole_on_another_machine_with_the_public_key_alone(charlie, tmp_path):
    octets = bundle(charlie).archive()
    found = checked(tmp_path, octets, charlie.runtime.keys.ledger_public)
    assert found.whole, found.faults
    assert found.entries == 1
    assert bundle(charlie).archive() == octets, "the same evidence is the same file"


CHANGES = {
    "a word": lambda files: change(files, "wordings/", b"A small picture", b"A large picture"),
    "the page": lambda files: change(files, "screens/", b"Is this", b"Was that"),
    "the mail": lambda files: change(files, "letters/", b"Subject", b"subject"),
    "a time": lambda files: change(files, "events.jsonl", b'"asked_at":17', b'"asked_at":16'),
    "the chain": lambda files: change(files, "chain.jsonl", b'"recorded_at":17', b'"recorded_at":16'),
    "the manifest": lambda files: change(files, "manifest.json", b"Acme", b"Evil"),
    "a file gone": lambda files: files.pop(next(name for name in files if name.startswith("screens/"))),
    "a file more": lambda files: files.update({"papers/x.txt": b"I agree to everything"}),
    "the signature": lambda files: files.update({"manifest.sig": b"AAAA"}),
    "no signature": lambda files: files.pop("manifest.sig"),
}


def change(files, start, old, new):
    name = next(name for name in files if name.startswith(start) and old in files[name])
    files[name] = files[name].replace(old, new, 1)


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_shows(charlie, tmp_path, what):
    octets = repacked(bundle(charlie).archive(), CHANGES[what])
    assert not checked(tmp_path, octets, charlie.runtime.keys.ledger_public).whole


def test_a_change_with_a_new_manifest_shows_too(charlie, tmp_path):
    def change_both(files):
        change(files, "events.jsonl", b'"given"', b'"renewed"')
        manifest = json.loads(files["manifest.json"])
        manifest["files"]["events.jsonl"] = hashlib.sha256(files["events.jsonl"]).hexdigest()
        files["manifest.json"] = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()

    octets = repacked(bundle(charlie).archive(), change_both)
    found = checked(tmp_path, octets, charlie.runtime.keys.ledger_public)
    assert found.faults == ("the signature under the manifest is not that of this key",)


def test_anothers_key_proves_nothing(charlie, another, tmp_path):
    other = another()
    assert not checked(tmp_path, bundle(charlie).archive(), other.runtime.keys.ledger_public).whole


def bomb():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("manifest.json", b"{}")
        packed.writestr("events.jsonl", b"\0" * (auditing.LARGEST_FILE + 1))
    return held.getvalue()


def named(name):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("manifest.json", b"{}")
        packed.writestr(name, b"x")
    return held.getvalue()


@pytest.mark.parametrize(
    "octets",
    [b"PK\3\4", b"PK\3\4" + b"\0" * 100, bomb(), named("../x"), named("/etc/passwd"), named("a\\b"), named("x" * 300)],
    ids=["cut", "empty", "bomb", "up", "root", "backslash", "long"],
)
def test_a_hostile_file_is_refused_by_name(tmp_path, octets):
    with pytest.raises(InputRefused, match=r"^file: "):
        checked(tmp_path, octets, b"\1" * 32)


def test_an_erasure_leaves_no_mail_and_the_chain_whole(charlie):
    letter = json.loads(bundle(charlie).files["events.jsonl"].splitlines()[0])["letter_id"]
    answering.erase(charlie.runtime.processing, 1, CHARLIE, world.OPERATOR)
    with pytest.raises(InputRefused, match="nothing is held"):
        bundle(charlie)
    with charlie.runtime.reading() as p:
        lines = list(proving.export(p, 1))
        key = (charlie.runtime.config.keys_dir / "escrow" / "x").parent
        private = next(charlie.runtime.config.keys_dir.rglob("*escrow-private*"), key)
        from consent_track.crypto import key_files

        problems = []
        opened = proving.open_proofs(p, 1, CHARLIE, key_files.read_key(private.parent, private, problems).secret)
    assert proving.verify(lines, charlie.runtime.keys.ledger_public).whole
    assert opened[0]["letter_id"] == letter, "the proof still names the mail, and whoever has it can show it"
    assert opened[0]["words"]["purpose.open_performance.title"] == "See if an email is opened"


def session(site, who):
    site.ask(site.link(who), "POST", data={"see": "all"})
    mine = link_in(mails(site)[0][1], "v")
    press(site, mine, "show")
    return mine


@pytest.mark.law("RE-03", "RE-04")
def test_charlie_keeps_a_receipt_that_holds_without_us(charlie):
    mine = session(charlie, CHARLIE)
    page = charlie.ask(mine).text
    [path] = re.findall(r'href="(/v/[^"]+/receipt/\d+)"', page)
    paper = charlie.ask(path)
    assert paper.headers["Content-Disposition"].startswith("attachment")
    assert "Receipt of your choice" in paper.text
    assert CHARLIE in paper.text
    assert "A small picture tells Acme when you open one of its emails." in paper.text
    assert not re.search(r"<img|<script|<link|https?://(?!acme|w3id|www\.w3|purl|schema|mail\.acme)", paper.text)
    signed = charlie.ask(f"{path}?as=json")
    found = json.loads(signed.data)
    assert auditing.check_receipt(signed.text, charlie.runtime.keys.ledger_public).whole
    assert receipting.missing(found) == []
    record = found["dpv:hasRecordOfActivity"]
    assert record["dpv:hasDataSubject"] == CHARLIE
    [process] = record["dpv:hasProcess"]
    assert [state["@type"] for state in process["dpv:hasConsentStatus"]] == ["dpv:ConsentGiven"]
    assert process["dpv:hasLegalBasis"] == "eu-gdpr:A6-1-a"
    record["dpv:hasDataSubject"] = "somebody@example.org"
    assert not auditing.check_receipt(json.dumps(found), charlie.runtime.keys.ledger_public).whole


@pytest.mark.law("RE-04")
def test_alice_saves_the_confirmation_of_her_withdrawal(acme):
    done = acme.ask(acme.link(ALICE), "POST", data={"off": "all"}).text
    path = re.search(r'href="(/p/[^"]+/confirmation/[^"]+)"', done)[1].replace("&amp;", "&")
    paper = acme.ask(path)
    assert "Confirmation: turned off" in paper.text
    assert "a***@e***" in paper.text
    assert ALICE not in paper.text
    found = auditing.check_receipt(acme.ask(f"{path}&as=json").text, acme.runtime.keys.ledger_public)
    assert found.whole
    acme.runtime.clock.move(3_601)
    assert acme.ask(path).status_code == 404


def test_whoever_holds_a_forwarded_link_sees_no_confirmation_of_what_others_did(acme):
    link = acme.link(ALICE)
    acme.ask(link, "POST", data={"off": "all"})
    for number in range(1, 8):
        assert acme.ask(f"{link}/confirmation/{number}").status_code == 404
        assert acme.ask(f"{link}/confirmation/{number}?page=0.x").status_code == 404


def test_receipts_are_for_the_browser_that_was_let_in(charlie):
    mine = session(charlie, CHARLIE)
    stranger = charlie.app.test_client()
    for number in range(1, 20):
        assert stranger.get(f"{mine}/receipt/{number}", base_url="https://mail.acme.example").status_code == 404
    others = [number for number in range(1, 20) if charlie.ask(f"{mine}/receipt/{number}").status_code == 200]
    with charlie.runtime.reading() as p:
        assert others == [event["sequence"] for event in proving.history(p, 1, CHARLIE)]


def test_a_checkpoint_a_day_is_published_and_shows_a_cut_off_end(acme):
    where = "/.well-known/consent-track/checkpoints/1"
    assert acme.ask(where).status_code == 404
    for hours in (0, 1, 24):
        acme.runtime.clock.move(hours * world.HOUR)
        worker.run_once(acme.runtime, "checkpoints")
    kept = (acme.runtime.config.checkpoints_dir / "1.jsonl").read_text().splitlines()
    assert len(kept) == 2
    found = acme.ask(where)
    assert json.loads(found.data) == json.loads(kept[-1])
    assert set(json.loads(found.data)) == {
        "format", "controller", "sequence", "hash", "signature", "public_key", "at",
    }  # fmt: skip
    assert acme.ask("/.well-known/consent-track/checkpoints/2").status_code == 404
    head, key = proving.read_checkpoint(found.text)
    with acme.runtime.reading() as p:
        lines = list(proving.export(p, 1))
    assert proving.verify(lines, key, head).whole
    assert not proving.verify(lines[:-1], key, head).whole


def test_a_checkpoint_that_was_written_half_is_passed_over(acme):
    worker.run_once(acme.runtime, "checkpoints")
    path = acme.runtime.config.checkpoints_dir / "1.jsonl"
    with path.open("a") as file:
        file.write('{"format": "consent_track led')
    assert acme.ask("/.well-known/consent-track/checkpoints/1").status_code == 200
