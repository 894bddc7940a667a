"""Evidence, not a boolean: everything that proves one person's choices, in one file that anybody can check (RE-02).

The exact words, the page they stood on, the mail that confirmed it, both times, the operator's papers, and the entries
of the ledger with their signatures. Signed as a whole; the public key alone verifies it, on any machine, offline.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consent_track.crypto import evidence, sealing
from consent_track.crypto.evidence import LedgerEntry
from consent_track.domain.address import normalise
from consent_track.domain.canonical import canonical
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Evidence
from consent_track.records import import_evidence, kept_letters, ledger, screens, wordings
from consent_track.records.ledger import Entry

from . import Processing, knowing, papers, proving, telling
from .proving import in_base64

FORMAT: Final = "consent_track evidence v1"
KIND: Final = "evidence bundle v1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
ABOUT: Final = "README.txt"
KEY: Final = "ledger-key.txt"
EVENTS: Final = "events.jsonl"
CHAIN: Final = "chain.jsonl"
HEAD: Final = "checkpoint.json"
HISTORY: Final = "history.txt"
# One fixed time in every entry of the archive: the same evidence is the same file (ZIP knows nothing before 1980).
_STAMP: Final = (1980, 1, 1, 0, 0, 0)
_EXTENSIONS: Final = {
    "application/json": "json", "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg",
    "text/html": "html", "text/plain": "txt",
}  # fmt: skip

README: Final = """\
Evidence of one person's choices about e-mail measurement, kept by {controller}.

history.txt     the choices in words, oldest first
events.jsonl    every entry of the ledger about them, one a line, each with the ids of what it rests on
wordings/       the words that were read; the id is the SHA-256 of language and words
screens/        the pages they stood on, as they looked, without anything personal; the id is the SHA-256 of the page
letters/        the mails that were sent to confirm; the id is the SHA-256 of the mail
papers/         what the operator holds: forms, scans, extracts, with who signed for them; the id is their SHA-256
chain.jsonl     the same entries as they stand in the ledger's chain, sealed, each with its hash and its signature
checkpoint.json where the ledger stood when this was made, signed
manifest.json   the SHA-256 of every file here; manifest.sig is the Ed25519 signature over it

To check it, offline:                consent-track verify THIS-FILE --public-key KEY
That its entries stand in a ledger:  consent-track verify LEDGER --public-key KEY --checkpoint THIS-FILE

The key is published by the controller. What the entries say is attested by the signature under the manifest; that
entries with these numbers were written, and when, is attested by the signature of each in chain.jsonl.
"""

# A kept mail, or a paper, by its id; None where it is not there or cannot be opened any more.
OpenLetter = Callable[[str], bytes | None]
OpenPaper = Callable[[str], Evidence | None]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of one bundle, by name, and how many entries of the ledger it proves."""

    files: dict[str, bytes]
    entries: int

    def archive(self) -> bytes:
        """The bundle as a ZIP file; the same evidence gives the same octets."""
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in sorted(self.files):
                info = zipfile.ZipInfo(name, _STAMP)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o600 << 16
                packed.writestr(info, self.files[name])
        return held.getvalue()


@dataclass(frozen=True, slots=True)
class _About:
    """Whose evidence it is, and how what is sealed for them opens. `erased`: with the offline key, after an erasure."""

    controller: int
    address: str
    letter: OpenLetter
    paper: OpenPaper
    erased: bool = False


def bundle(p: Processing, controller: int, address: str, sequence: int | None = None) -> Bundle:
    """Everything that proves the choices of an address, or the one act that entry `sequence` belongs to.

    Raises InputRefused (`address`, `controller`, `--sequence`).
    """
    p.controller(controller)
    reference = knowing.find(p, controller, address)
    who = knowing.person(p, controller, reference) if reference else None
    if who is None:
        raise InputRefused.one("address", "nothing is held about it; after an erasure: consent-track proof open --out")
    entries = ledger.entries_of_subject(p.session, controller, who.reference)
    found = [(entry, _event(who, entry)) for entry in entries]
    if sequence is not None:
        found = _act_of(found, sequence)

    def letter(id_: str) -> bytes | None:
        sealed = kept_letters.find(p.session, controller, who.reference, id_)
        return sealed and sealing.unseal(who.data_key, controller, who.reference, f"letter:{id_}", sealed)

    return _assembled(p, _About(controller, who.address, letter, lambda id_: papers.find(p, who, id_)), found)


def bundle_for_complaint(p: Processing, controller: int, address: str, private: bytes) -> Bundle:
    """The same from the proof that is kept after an erasure, with the offline escrow key (decision 16).

    The mails are gone with the person's key; their hashes are named. Raises InputRefused (fields `address`,
    `controller`, `--escrow-key`).
    """
    p.controller(controller)
    normal = normalise(address)
    tag = sealing.proof_tag(p.keys.proof_index, controller, normal)
    found = proving.escrowed(p, controller, tag, private)
    if not found:
        raise InputRefused.one("address", "nothing is kept that belongs to it")
    subjects = {entry.subject for entry, _ in found}

    def paper(id_: str) -> Evidence | None:
        opened = (papers.escrowed(p, controller, one, id_, tag, private) for one in sorted(subjects))
        return next((one for one in opened if one), None)

    return _assembled(p, _About(controller, normal, lambda _id: None, paper, erased=True), found)


def last_entry(p: Processing, controller: int, subject: int) -> int:
    """The number of the last entry about somebody; 0 for none."""
    return max((entry.sequence for entry in ledger.entries_of_subject(p.session, controller, subject)), default=0)


def _act_of(found: list[tuple[Entry, dict[str, Any]]], sequence: int) -> list[tuple[Entry, dict[str, Any]]]:
    """The entries that share their flow with this one, and what corrects them."""
    flows = {event["flow_id"] for entry, event in found if entry.sequence == sequence}
    if not flows:
        raise InputRefused.one("--sequence", "is no entry about this address")
    act = {entry.sequence for entry, event in found if event["flow_id"] in flows or entry.sequence == sequence}
    return [(entry, event) for entry, event in found if entry.sequence in act or event["corrects"] in act]


def _assembled(p: Processing, about: _About, found: Sequence[tuple[Entry, dict[str, Any]]]) -> Bundle:
    name = p.controller(about.controller).name
    events = [event for _, event in found]
    files = {ABOUT: README.format(controller=name).encode()}
    for event in events:
        files.update(_rests_on(p, about, event))
    words = {event["wording_id"]: wordings.find(p.session, about.controller, event["wording_id"]) for event in events}
    files[HISTORY] = telling.told(name, about.address, events, words).encode()
    files[EVENTS] = _lines(events)
    files[CHAIN] = _lines([_chained(p, entry) for entry, _ in found])
    files[HEAD] = canonical(proving.checkpoint(p, about.controller)) + b"\n"
    files[KEY] = (in_base64(p.keys.ledger_public) + "\n").encode()
    manifest = {
        "format": FORMAT,
        "controller": {"number": about.controller, "name": name},
        "address": about.address,
        "made_at": p.now,
        "after_erasure": about.erased,
        "entries": len(found),
        "files": {name: hashlib.sha256(octets).hexdigest() for name, octets in sorted(files.items())},
    }
    files[MANIFEST] = canonical(manifest)
    signature = evidence.sign_document(p.keys.ledger, KIND, files[MANIFEST])
    files[SIGNATURE] = (in_base64(signature) + "\n").encode()
    return Bundle(files, len(found))


def _event(who: knowing.Person, entry: Entry) -> dict[str, Any]:
    details = sealing.unseal(who.data_key, who.controller, who.reference, f"event:{entry.sequence}", entry.sealed)
    return {"sequence": entry.sequence, **json.loads(details)}


def _rests_on(p: Processing, about: _About, event: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The files that one entry rests on, by name."""
    if shown := event["wording_id"] and wordings.find(p.session, about.controller, event["wording_id"]):
        words = {"id": shown.id, "locale": shown.locale, "words": dict(shown.words)}
        yield f"wordings/{shown.id}.json", _pretty(words)
    for id_ in filter(None, (event.get("screen_id"), event.get("asked_screen_id"))):
        if screen := screens.find(p.session, about.controller, id_):
            yield f"screens/{screen.id}.html", screen.page.encode()
    if letter := event.get("letter_id"):
        sent = about.letter(letter)
        if sent is not None:
            yield f"letters/{letter}.eml", sent
    if paper := event.get("evidence_id"):
        yield from _papers(p, about, paper)


def _papers(p: Processing, about: _About, id_: str) -> Iterator[tuple[str, bytes]]:
    """A paper of this person, or a form of a whole list with the files it names, and who signed for each."""
    piece = about.paper(id_) or import_evidence.find(p.session, about.controller, id_)
    if piece is None:
        return
    signed = {"id": piece.id, "kind": piece.kind, "name": piece.name, "media_type": piece.media_type}
    signed |= {"signed_by": piece.signed_by, "signed_on": piece.signed_on.isoformat()}
    yield f"papers/{piece.id}.signed.json", _pretty(signed)
    yield f"papers/{piece.id}.{_EXTENSIONS.get(piece.media_type, 'bin')}", piece.content
    if piece.kind == "form":
        for named in json.loads(piece.content).get("files", ()):
            yield from _papers(p, about, named["sha256"])


def _chained(p: Processing, entry: Entry) -> dict[str, Any]:
    """One entry with the hash before it: enough to verify it against its own signature."""
    previous = ledger.hash_before(p.session, entry.controller, entry.sequence)
    octets = {name: in_base64(getattr(entry, name)) for name in ("sealed", "proof", "proof_tag", "hash", "signature")}
    plain = {"controller": entry.controller, "sequence": entry.sequence, "subject": entry.subject}
    return plain | {"recorded_at": entry.recorded_at, "previous": in_base64(previous)} | octets


def chained_entry(found: dict[str, Any], octets: dict[str, bytes]) -> LedgerEntry:
    """An entry as `_chained` wrote it."""
    return LedgerEntry(
        found["controller"], found["sequence"], found["subject"], found["recorded_at"],
        octets["sealed"], octets["proof"], octets["proof_tag"],
    )  # fmt: skip


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _lines(values: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(canonical(value) + b"\n" for value in values)
