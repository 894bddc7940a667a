"""Checking evidence that somebody hands over: a bundle or a receipt, offline, with the public key alone.

The file may come from anywhere, so nothing in it is believed before it is measured (threat T37): sizes, names, and how
far it unpacks.
"""

import base64
import binascii
import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consent_track.crypto import evidence
from consent_track.domain.canonical import canonical
from consent_track.domain.consent import Screen, Shown
from consent_track.domain.errors import InputRefused

from . import evidencing, receipting
from .evidencing import MANIFEST, SIGNATURE

LARGEST_FILE: Final = 32 << 20  # octets, unpacked
LARGEST_BUNDLE: Final = 256 << 20
MOST_FILES: Final = 10_000
_RESTS_ON: Final = (
    ("wording_id", "wordings/{}.json"),
    ("screen_id", "screens/{}.html"),
    ("asked_screen_id", "screens/{}.html"),
    ("letter_id", "letters/{}.eml"),
)
_OCTETS: Final = ("previous", "sealed", "proof", "proof_tag", "hash", "signature")


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: every fault in words; none means that it is as it was signed."""

    what: str
    faults: tuple[str, ...]
    key: str  # fingerprint of the key used
    entries: int = 0

    @property
    def whole(self) -> bool:
        return not self.faults


def is_bundle(path: Path) -> bool:
    """Whether a file looks like an evidence bundle."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\3\4"


def check_bundle(path: Path, public: bytes | None) -> Checked:
    """Check an evidence bundle. Raises InputRefused (`file`) for what is none, or larger than one can be."""
    files = _unpacked(path)
    key = public if public is not None else _octets(files.get("ledger-key.txt", b"").decode("ascii", "replace").strip())
    if len(key) != evidence.PUBLIC_SIZE:
        raise InputRefused.one("file", "names no public key; give one with --public-key")
    faults = list(_faults(files, key))
    manifest = _json(files.get(MANIFEST, b""))
    entries = manifest.get("entries", 0) if isinstance(manifest, dict) else 0
    return Checked("evidence bundle", tuple(faults), evidence.fingerprint(key), entries)


def check_receipt(text: str, public: bytes | None) -> Checked:
    """Check a signed receipt. Raises InputRefused (`file`) for what is none."""
    found = _json(text.encode())
    if not isinstance(found, dict) or not isinstance(found.get("proof"), dict):
        raise InputRefused.one("file", "is no receipt of ours")
    proof, receipt = found["proof"], {name: value for name, value in found.items() if name != "proof"}
    key = public if public is not None else _octets(str(proof.get("publicKey", "")))
    if len(key) != evidence.PUBLIC_SIZE:
        raise InputRefused.one("file", "names no public key; give one with --public-key")
    try:
        signed = canonical(receipt)
    except ValueError:
        return Checked("receipt", ("it holds what no receipt of ours holds",), evidence.fingerprint(key))
    whole = evidence.verify_document(key, receipting.KIND, signed, _octets(str(proof.get("signatureValue", ""))))
    faults = () if whole else ("the signature is not that of this key over this receipt",)
    return Checked("receipt", faults, evidence.fingerprint(key), 1)


def _faults(files: dict[str, bytes], key: bytes) -> Iterator[str]:
    signature = _octets(files.get(SIGNATURE, b"").decode("ascii", "replace").strip())
    if not evidence.verify_document(key, evidencing.KIND, files.get(MANIFEST, b""), signature):
        yield "the signature under the manifest is not that of this key"
    manifest = _json(files.get(MANIFEST, b""))
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict):
        yield "the manifest lists no files"
        return
    for name in sorted({*listed, *files} - {MANIFEST, SIGNATURE}):
        if name not in files:
            yield f"{name} is missing"
        elif name not in listed:
            yield f"{name} is not in the manifest"
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            yield f"{name} was changed"
    yield from _ids(files)
    yield from _chain(files, key)
    yield from _promises(files)


def _ids(files: dict[str, bytes]) -> Iterator[str]:
    """Each piece is named by its own content."""
    for name, octets in files.items():
        folder, _, rest = name.partition("/")
        id_ = rest.partition(".")[0]
        if folder == "wordings":
            found = _json(octets)
            words = found.get("words") if isinstance(found, dict) else None
            if not isinstance(words, dict) or Shown(str(found["locale"]), tuple(sorted(words.items()))).id != id_:
                yield f"{name} is not the wording it is named after"
        elif folder == "screens" and Screen(octets.decode("utf-8", "replace")).id != id_:
            yield f"{name} is not the page it is named after"
        elif folder == "letters" and hashlib.sha256(octets).hexdigest() != id_:
            yield f"{name} is not the mail it is named after"


def _chain(files: dict[str, bytes], key: bytes) -> Iterator[str]:
    """Each entry carries the controller's signature over its own hash."""
    for found in _list(files, "chain.json"):
        sequence = found.get("sequence")
        try:
            octets = {name: _octets(found[name]) for name in _OCTETS}
            entry = evidencing.chained_entry(found, octets)
            hash_ = evidence.entry_hash(octets["previous"], entry)
            whole = hash_ == octets["hash"]
            whole = whole and evidence.verify_head(key, entry.controller, entry.sequence, hash_, octets["signature"])
        except Exception:  # whatever a hostile file can do wrong: it is then not the entry that was signed
            whole = False
        if not whole:
            yield f"entry {sequence} of the chain is not as it was signed"


def _promises(files: dict[str, bytes]) -> Iterator[str]:
    """Every entry has its place in the chain, and what it rests on is there."""
    chained = [found.get("sequence") for found in _list(files, "chain.json")]
    events = _list(files, "events.json")
    if [event.get("sequence") for event in events] != chained:
        yield "events.json and chain.json do not hold the same entries"
    for event in events:
        for field, name in _RESTS_ON:
            id_ = event.get(field)
            imported = field == "wording_id" and event.get("evidence_id")  # its words stand in the operator's paper
            if id_ and not imported and name.format(id_) not in files:
                yield f"entry {event.get('sequence')} rests on {name.format(id_)}, which is missing"


def _unpacked(path: Path) -> dict[str, bytes]:
    """The files of an archive, measured before and while they are unpacked."""
    files: dict[str, bytes] = {}
    left = LARGEST_BUNDLE
    try:
        with zipfile.ZipFile(path) as packed:
            infos = packed.infolist()
            if len(infos) > MOST_FILES:
                raise InputRefused.one("file", f"holds more than {MOST_FILES} files")
            for info in infos:
                if info.filename in files or info.is_dir() or not _plain(info.filename):
                    raise InputRefused.one("file", "holds a name that no bundle of ours has")
                with packed.open(info) as file:
                    octets = file.read(min(LARGEST_FILE, left) + 1)
                if len(octets) > min(LARGEST_FILE, left):
                    raise InputRefused.one("file", "unpacks to more than a bundle can hold")
                left -= len(octets)
                files[info.filename] = octets
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError, ValueError) as error:
        raise InputRefused.one("file", f"is no evidence bundle ({type(error).__name__})") from None
    if MANIFEST not in files:
        raise InputRefused.one("file", "is no evidence bundle: it has no manifest")
    return files


def _plain(name: str) -> bool:
    return len(name) <= 200 and name.isascii() and ".." not in name and not name.startswith("/") and "\\" not in name


def _list(files: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    found = _json(files.get(name, b""))
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _json(octets: bytes) -> Any:
    try:
        return json.loads(octets)
    except (ValueError, RecursionError):
        return None


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
