"""Evidence from anybody: whatever a file holds, it is refused by name or found not whole, and never believed."""

import base64
import hashlib
import io
import json
import random
import subprocess
import sys
import zipfile

import pytest

from consent_track.activities import auditing, evidencing, knowing, proving, receipting
from consent_track.crypto import evidence
from consent_track.domain.canonical import canonical
from consent_track.domain.errors import InputRefused
from tests import world
from tests.world import ALICE


@pytest.fixture(scope="module")
def alice(tmp_path_factory):
    """Alice's bundle, and the key that signed it."""
    runtime = world.populated(tmp_path_factory.mktemp("alice") / "home")
    with runtime.reading() as p:
        found = evidencing.bundle(p, 1, ALICE)
    yield found, runtime.keys.ledger_public
    runtime.database.close()


def packed(files, *, how=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def check(tmp_path, octets, public=None):
    (tmp_path / "bundle.zip").write_bytes(octets)
    return auditing.check_bundle(tmp_path / "bundle.zip", public)


def believed(check):
    """Whether a check finds something whole; a refusal that names the file is as good as a fault."""
    try:
        return check().whole
    except InputRefused as refused:
        return {problem.where for problem in refused.problems} - {"file", "--public-key"}


def test_one_octet_anywhere_changes_the_verdict(alice, tmp_path):
    bundle, public = alice
    whole, chance = bundle.archive(), random.Random(20_261_123)
    assert check(tmp_path, whole, public).whole
    unseen = 0
    for _ in range(400):
        at = chance.randrange(len(whole))
        changed = bytearray(whole)
        changed[at] ^= 1 << chance.randrange(8)
        try:
            found = check(tmp_path, bytes(changed), public)
        except InputRefused:
            continue
        # Some octets of an archive say nothing about its content: a date, a version, a permission.
        if found.whole:
            with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
                assert {name: archive.read(name) for name in archive.namelist()} == bundle.files
            unseen += 1
    assert unseen < 100


NASTY = [
    b"", b"\0", b"null", b"[]", b"{}", b'{"files": 1}', b'{"files": {"a": 1}}', b"[" * 100_000, b'"\\ud800"',
    b'{"locale": "en", "words": {"a": "\\ud800"}}', b'{"locale": 1, "words": []}', b"\xff\xfe", b"1e999", b"NaN",
    b'{"sequence": "1"}\n[]\n', b'{"sequence": 1, "controller": -1, "subject": 1e9, "previous": "%"}',
    b'{"sequence": [[]], "wording_id": {}, "letter_id": 7}', b'{"entries": true, "files": {}}',
    base64.b64encode(bytes(32)), base64.b64encode(bytes(range(64))),
]  # fmt: skip


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "ledger-key.txt", "events.jsonl", "chain.jsonl",
                                  "checkpoint.json", "wordings/x.json", "wordings/x"])  # fmt: skip
@pytest.mark.parametrize("own_key", [True, False])
def test_no_content_of_any_file_is_believed_or_breaks_the_check(alice, tmp_path, name, own_key):
    bundle, public = alice
    for content in NASTY:
        octets = packed({**bundle.files, name: content})
        assert not believed(lambda octets=octets: check(tmp_path, octets, public if own_key else None))


def bomb(name, unit, octets):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("manifest.json", b'{"files": {}}')
        archive.writestr(name, unit * (octets // len(unit)))
    return held.getvalue()


@pytest.fixture
def forger(tmp_path):
    """Somebody who holds the ledger key itself and signs what never was so."""
    runtime = world.populated(tmp_path / "forger")
    yield runtime
    runtime.database.close()


def signed_anew(runtime, files):
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if "manifest" not in name}
    manifest = canonical(json.loads(files["manifest.json"]) | {"files": hashes})
    signature = evidence.sign_document(runtime.keys.ledger, evidencing.KIND, manifest)
    return files | {"manifest.json": manifest, "manifest.sig": base64.b64encode(signature)}


def test_a_ledger_that_ends_before_the_entries_is_not_theirs(forger, tmp_path):
    with forger.reading() as p:
        files = evidencing.bundle(p, 1, ALICE).files
    assert check(tmp_path, packed(signed_anew(forger, files)), forger.keys.ledger_public).whole
    _, hash_, signature = world.chain(forger)[0]
    first = json.loads(files["checkpoint.json"]) | {"sequence": 1}
    first |= {"hash": base64.b64encode(hash_).decode(), "signature": base64.b64encode(signature).decode()}
    found = check(tmp_path, packed(signed_anew(forger, files | {"checkpoint.json": canonical(first)})))
    assert found.faults == ("checkpoint.json is not the signed end of this ledger",)


@pytest.mark.law("RE-03")
def test_a_signed_receipt_that_lacks_a_field_is_not_whole(forger):
    with forger.reading() as p:
        made = receipting.receipt_of(p, 1, knowing.find(p, 1, ALICE), 1, whole=True)
        signed = receipting.signed(p, made, "https://x.example")
    proof = signed.pop("proof")
    del signed["dpv:hasRecordOfActivity"]["dpv:hasRecipient"]
    anew = evidence.sign_document(forger.keys.ledger, receipting.KIND, canonical(signed))
    proof |= {"signatureValue": base64.b64encode(anew).decode()}
    found = auditing.check_receipt(json.dumps(signed | {"proof": proof}), forger.keys.ledger_public)
    assert found.faults == ("dpv:hasRecordOfActivity/dpv:hasRecipient is missing",)


LIMIT = auditing.LARGEST_FILE
REFUSED = {
    "a file that unpacks too far": bomb("papers/x.pdf", b"\0" * 1_024, LIMIT + 1_024),
    "a JSON that is too long": bomb("wordings/x.json", b"[" * 1_024, auditing.LARGEST_JSON + 1_024),
    "too many entries": bomb("chain.jsonl", b"1\n", 2 * auditing.MOST_ENTRIES + 2),
    "packed otherwise": packed({"manifest.json": b"{}"}, how=zipfile.ZIP_LZMA),
    "another packing": packed({"manifest.json": b"{}"}, how=zipfile.ZIP_BZIP2),
    "too many files": packed({"manifest.json": b"{}"} | {f"x{n}": b"" for n in range(auditing.MOST_FILES)}),
    "no manifest": packed({"x": b""}),
    "a folder": packed({"manifest.json": b"{}", "x/": b""}),
    "a way out": packed({"manifest.json": b"{}", "papers/../../x": b""}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_bomb_is_refused_by_name(tmp_path, what):
    with pytest.raises(InputRefused, match=r"^file: "):
        check(tmp_path, REFUSED[what], b"\1" * 32)


# The peak of this program alone: what getrusage says lives on through exec, and would be that of the tests.
IN_LITTLE_MEMORY = """
import sys
from pathlib import Path
from consent_track.activities import auditing
from consent_track.domain.errors import InputRefused
try:
    auditing.check_bundle(Path(sys.argv[1]), b"\\1" * 32)
except InputRefused:
    pass
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
"""


@pytest.mark.parametrize(
    ("name", "unit"),
    [("papers/x", b"\0" * 1_024), ("events.jsonl", b'{"a":[' + b"[]," * 300_000 + b"[]]}\n"), ("x.json", b"[" * 1_024)],
)
def test_no_archive_fills_the_memory(tmp_path, name, unit):
    """Threat T37: less than 200 MB, whatever is unpacked."""
    (tmp_path / "bomb.zip").write_bytes(bomb(name, unit, LIMIT - 1))
    words = [sys.executable, "-c", IN_LITTLE_MEMORY, str(tmp_path / "bomb.zip")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200_000, f"{done.stdout} KiB"


@pytest.mark.parametrize(
    "content", [*NASTY, b'{"proof": {}}', b'{"proof": {"publicKey": 1}}', b'{"proof": {}, "a": 1.5}']
)
def test_what_is_no_receipt_is_refused_or_not_whole(content):
    for key in (None, bytes(32)):
        assert not believed(lambda key=key: auditing.check_receipt(content.decode("utf-8", "replace"), key))


def test_a_bundle_is_one_persons_and_names_no_other(alice):
    bundle, _ = alice
    events = [json.loads(line) for line in bundle.files["events.jsonl"].splitlines()]
    assert [event["sequence"] for event in events] == [1, 2]
    assert b"bob" not in b"".join(bundle.files.values()).lower()


@pytest.mark.law("RE-02")
def test_the_history_reads_without_a_machine(alice):
    text = alice[0].files["history.txt"].decode()
    assert "1. 2026-11-17 11:06:40  given: open_performance" in text
    assert "by operator, method command_line, evidence operator, law FR" in text


def test_an_entry_of_the_first_version_is_still_read(tmp_path, monkeypatch):
    """Entries written before pages and mails were kept lack four fields, and are proof all the same (style rule 10)."""
    from consent_track.activities import entering

    runtime = world.installation(tmp_path / "old")
    new = ("screen_id", "asked_screen_id", "letter_id", "evidence_id")

    def as_then(event):
        fields = json.loads(entering_bytes(event))
        return json.dumps({name: value for name, value in fields.items() if name not in new} | {"version": 1}).encode()

    entering_bytes = entering.event_bytes
    monkeypatch.setattr(entering, "event_bytes", as_then)
    subject = world.consents(runtime, ALICE)
    monkeypatch.undo()
    with runtime.reading() as p:
        assert [one["version"] for one in proving.history(p, 1, ALICE)] == [1, 1]
        files = evidencing.bundle(p, 1, ALICE)
        receipt = receipting.receipt_of(p, 1, subject, 1, whole=True)
        assert receipting.missing(receipting.signed(p, receipt, "https://x.example")) == []
    assert check(tmp_path, files.archive(), runtime.keys.ledger_public).whole
    runtime.database.close()
