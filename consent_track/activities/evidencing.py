"""Evidence, not a boolean: everything that proves one person's choices, in one file that anybody can check (RE-02).

The exact words, the page they stood on, the mail that confirmed it, both times, the operator's papers, and the entries
of the ledger with their signatures. Signed as a whole; the public key alone verifies it, on any machine, offline.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from consent_track.crypto import evidence, sealing
from consent_track.crypto.evidence import LedgerEntry
from consent_track.domain.canonical import canonical
from consent_track.domain.errors import InputRefused
from consent_track.records import import_evidence, kept_letters, ledger, screens, wordings
from consent_track.records.ledger import Entry

from . import Processing, knowing
from .proving import in_base64

FORMAT: Final = "consent_track evidence v1"
KIND: Final = "evidence bundle v1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
ABOUT: Final = "README.txt"
# One fixed time in every entry of the archive: the same evidence is the same file (ZIP knows nothing before 1980).
_STAMP: Final = (1980, 1, 1, 0, 0, 0)
_EXTENSIONS: Final = {
    "application/json": "json", "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg",
    "text/html": "html", "text/plain": "txt",
}  # fmt: skip

README: Final = """\
Evidence of one person's choices about e-mail measurement, kept by {controller}.

events.json     every entry of the ledger about this person, oldest first, each with the ids of what it rests on
wordings/       the words that were read; the id is the SHA-256 of language and words
screens/        the pages they stood on, as they looked, without anything personal; the id is the SHA-256 of the page
letters/        the mails that were sent to confirm; the id is the SHA-256 of the mail
papers/         what the operator holds: forms, scans, screenshots, with who signed for them
chain.json      the same entries as they stand in the ledger's chain, sealed, each with its hash and its signature
manifest.json   the SHA-256 of every file here; manifest.sig is the Ed25519 signature over it

To check it, offline: consent-track verify THIS-FILE --public-key KEY
The key is published by the controller. What the entries say is attested by the signature under the manifest; that they
stand in the ledger unchanged is shown by chain.json against a checkpoint of that ledger.
"""


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


def bundle(p: Processing, controller: int, address: str) -> Bundle:
    """Everything that proves the choices of an address. Raises InputRefused (`address`, `controller`)."""
    name = p.controller(controller).name
    reference = knowing.find(p, controller, address)
    who = knowing.person(p, controller, reference) if reference else None
    if who is None:
        raise InputRefused.one("address", "nothing is held about it; after an erasure: consent-track proof open")
    entries = ledger.entries_of_subject(p.session, controller, who.reference)
    events = [_event(who, entry) for entry in entries]
    files = {ABOUT: README.format(controller=name).encode()}
    for event in events:
        files.update(_rests_on(p, who, event))
    files["events.json"] = _pretty(events)
    files["chain.json"] = _pretty([_chained(p, entry) for entry in entries])
    files["ledger-key.txt"] = (in_base64(p.keys.ledger_public) + "\n").encode()
    manifest = {
        "format": FORMAT,
        "controller": {"number": controller, "name": name},
        "address": who.address,
        "made_at": p.now,
        "entries": len(entries),
        "files": {name: hashlib.sha256(octets).hexdigest() for name, octets in sorted(files.items())},
    }
    files[MANIFEST] = canonical(manifest)
    signature = evidence.sign_document(p.keys.ledger, KIND, files[MANIFEST])
    files[SIGNATURE] = (in_base64(signature) + "\n").encode()
    return Bundle(files, len(entries))


def last_entry(p: Processing, controller: int, subject: int) -> int:
    """The number of the last entry about somebody; 0 for none."""
    return max((entry.sequence for entry in ledger.entries_of_subject(p.session, controller, subject)), default=0)


def _event(who: knowing.Person, entry: Entry) -> dict[str, Any]:
    details = sealing.unseal(who.data_key, who.controller, who.reference, f"event:{entry.sequence}", entry.sealed)
    return {"sequence": entry.sequence, **json.loads(details)}


def _rests_on(p: Processing, who: knowing.Person, event: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The files that one entry rests on, by name."""
    if shown := event["wording_id"] and wordings.find(p.session, who.controller, event["wording_id"]):
        words = {"id": shown.id, "locale": shown.locale, "words": dict(shown.words)}
        yield f"wordings/{shown.id}.json", _pretty(words)
    for id_ in filter(None, (event.get("screen_id"), event.get("asked_screen_id"))):
        if screen := screens.find(p.session, who.controller, id_):
            yield f"screens/{screen.id}.html", screen.page.encode()
    if letter := event.get("letter_id"):
        sealed = kept_letters.find(p.session, who.controller, who.reference, letter)
        if sealed is not None:
            label = f"letter:{letter}"
            yield f"letters/{letter}.eml", sealing.unseal(who.data_key, who.controller, who.reference, label, sealed)
    if paper := event.get("evidence_id"):
        yield from _papers(p, who.controller, paper)


def _papers(p: Processing, controller: int, id_: str) -> Iterator[tuple[str, bytes]]:
    """A paper, who signed for it, and the files that a form names."""
    piece = import_evidence.find(p.session, controller, id_)
    if piece is None:
        return
    signed = {"id": piece.id, "kind": piece.kind, "name": piece.name, "media_type": piece.media_type}
    signed |= {"signed_by": piece.signed_by, "signed_on": piece.signed_on.isoformat()}
    yield f"papers/{piece.id}.signed.json", _pretty(signed)
    yield f"papers/{piece.id}.{_EXTENSIONS.get(piece.media_type, 'bin')}", piece.content
    if piece.kind == "form":
        for named in json.loads(piece.content).get("files", ()):
            yield from _papers(p, controller, named["sha256"])


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
