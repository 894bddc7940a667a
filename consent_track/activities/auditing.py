"""Checking evidence that somebody hands over: a bundle or a receipt, offline, with the public key alone.

The file may come from anywhere, so nothing in it is believed before it is measured (threat T37): the archive itself,
names, sizes, and how far it unpacks. What need not be read is only hashed, so that no file can fill the memory.
"""

import base64
import binascii
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from consent_track.crypto import evidence
from consent_track.crypto.evidence import Head
from consent_track.domain.canonical import canonical
from consent_track.domain.consent import Shown
from consent_track.domain.errors import InputRefused

from . import certifying, evidencing, packing, proving, receipting
from .evidencing import CHAIN, EVENTS, HEAD, KEY, MANIFEST, SIGNATURE

LARGEST_ARCHIVE: Final = 256 << 20  # octets of the file itself
LARGEST_FILE: Final = 32 << 20  # octets of one file in it, unpacked
LARGEST_BUNDLE: Final = 512 << 20  # octets of all of them
LARGEST_JSON: Final = 1 << 20  # octets of one JSON value: a line, or a small file
MOST_FILES: Final = 10_000
MOST_ENTRIES: Final = 50_000
# Files whose content is read; of all others the hash is enough, because it is their name.
_READ: Final = frozenset({MANIFEST, SIGNATURE, KEY, EVENTS, CHAIN, HEAD})
_CHUNK: Final = 64 << 10
_HASHED: Final = ("screens/", "letters/", "papers/")
_RESTS_ON: Final = (
    ("wording_id", "wordings/"),
    ("screen_id", "screens/"),
    ("asked_screen_id", "screens/"),
    ("letter_id", "letters/"),
    ("evidence_id", "papers/"),
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


@dataclass(slots=True)
class _Unpacked:
    """An archive after it was measured: the SHA-256 of every file, and the content of those that are read."""

    hashes: dict[str, str] = field(default_factory=dict)
    read: dict[str, bytes] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.read.get(name, b"").decode("ascii", "replace").strip()


def is_bundle(path: Path) -> bool:
    """Whether a file looks like an evidence bundle."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\3\4"


def check_bundle(path: Path, public: bytes | None) -> Checked:
    """Check an evidence bundle. Raises InputRefused (`file`) for what is none, or larger than one can be."""
    files = _unpacked(path)
    key = _key(public if public is not None else _octets(files.text(KEY)))
    manifest = _json(files.read.get(MANIFEST, b""))
    if isinstance(manifest, dict) and manifest.get("format") == packing.FORMAT:
        faults = tuple(_changed(files, key, packing.KIND))
        return Checked("audit pack", faults, evidence.fingerprint(key), len(files.hashes))
    return Checked(
        "evidence bundle", tuple(_faults(files, key)), evidence.fingerprint(key), len(_numbers(files, CHAIN))
    )


def heads_of(path: Path, public: bytes | None) -> tuple[list[Head], bytes]:
    """The entries of a whole bundle as signed heads, which a ledger has to pass through, and the key that signed them.

    Raises InputRefused (field `checkpoint`) for a bundle that is not whole, because it then shows nothing.
    """
    found = check_bundle(path, public)
    if not found.whole:
        raise InputRefused.one("checkpoint", f"is an evidence bundle that is not whole: {found.faults[0]}")
    files = _unpacked(path)
    heads = [_head(one) for one in _lines(files, CHAIN)]
    at, _ = proving.read_checkpoint(files.read[HEAD].decode())
    return [*heads, at], _octets(files.text(KEY))


def check_receipt(text: str, public: bytes | None) -> Checked:
    """Check a signed receipt, or a certificate of erasure: signature and fields. Raises InputRefused (`file`)."""
    found = _json(text.encode("utf-8", "replace"))
    if not isinstance(found, dict) or not isinstance(found.get("proof"), dict):
        raise InputRefused.one("file", "is no receipt of ours")
    proof, receipt = found["proof"], {name: value for name, value in found.items() if name != "proof"}
    key = _key(public if public is not None else _octets(str(proof.get("publicKey", ""))))
    try:
        signed = canonical(receipt)
    except (ValueError, RecursionError):
        return Checked("receipt", ("it holds what no receipt of ours holds",), evidence.fingerprint(key))
    is_certificate = receipt.get("format") == certifying.FORMAT
    what, kind = ("certificate", certifying.KIND) if is_certificate else ("receipt", receipting.KIND)
    whole = _signed(key, kind, signed, _octets(str(proof.get("signatureValue", ""))))
    faults = [] if whole else [f"the signature is not that of this key over this {what}"]
    if is_certificate:
        faults += [] if receipt.get("final") is True and not receipt.get("open") else ["it is not final"]
    else:
        faults += receipting.missing(receipt)
    return Checked(what, tuple(faults), evidence.fingerprint(key), 1)


def _faults(files: _Unpacked, key: bytes) -> Iterator[str]:
    yield from _changed(files, key, evidencing.KIND)
    manifest = _json(files.read.get(MANIFEST, b""))
    if isinstance(manifest, dict) and isinstance(manifest.get("files"), dict):
        yield from _ids(files)
        yield from _chain(files, key)
        yield from _promises(files, manifest)


def _changed(files: _Unpacked, key: bytes, kind: str) -> Iterator[str]:
    """What is not as the signed manifest says."""
    if not _signed(key, kind, files.read.get(MANIFEST, b""), _octets(files.text(SIGNATURE))):
        yield "the signature under the manifest is not that of this key"
    manifest = _json(files.read.get(MANIFEST, b""))
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(manifest, dict) or not isinstance(listed, dict):
        yield "the manifest lists no files"
        return
    for name in sorted({*listed, *files.hashes} - {MANIFEST, SIGNATURE}):
        if name not in files.hashes:
            yield f"{name} is missing"
        elif name not in listed:
            yield f"{name} is not in the manifest"
        elif files.hashes[name] != listed[name]:
            yield f"{name} was changed"


def _ids(files: _Unpacked) -> Iterator[str]:
    """Each piece is named by its own content."""
    for name, hash_ in files.hashes.items():
        id_ = name.partition("/")[2].partition(".")[0]
        if name.startswith("wordings/"):
            if _wording_id(files.read.get(name, b"")) != id_:
                yield f"{name} is not the wording it is named after"
        elif name.startswith(_HASHED) and not name.endswith(".signed.json") and hash_ != id_:
            yield f"{name} is not what it is named after"


def _wording_id(octets: bytes) -> str | None:
    found = _json(octets)
    words = found.get("words") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(words, dict) or not isinstance(found.get("locale"), str):
        return None
    try:
        return Shown(found["locale"], tuple(sorted((id_, str(text)) for id_, text in words.items()))).id
    except UnicodeEncodeError:  # half a surrogate pair: JSON can hold it, no text of ours does
        return None


def _chain(files: _Unpacked, key: bytes) -> Iterator[str]:
    """Each entry carries the controller's signature over its own hash, and the head of the ledger lies behind them."""
    last = 0
    for found in _lines(files, CHAIN):
        if not _entry_whole(found, key):
            yield f"entry {str(found.get('sequence'))[:20]} of the chain is not as it was signed"
        else:
            last = max(last, found["sequence"])
    try:
        head, _ = proving.read_checkpoint(files.text(HEAD))
        signed = evidence.verify_head(key, head.controller, head.sequence, head.hash, head.signature)
    except (InputRefused, ValueError):
        signed = False
    if not signed or head.sequence < last:
        yield f"{HEAD} is not the signed end of this ledger"


def _entry_whole(found: Mapping[str, Any], key: bytes) -> bool:
    try:
        octets = {name: _octets(found[name]) for name in _OCTETS}
        entry = evidencing.chained_entry(dict(found), octets)
        hash_ = evidence.entry_hash(octets["previous"], entry)
        signed = evidence.verify_head(key, entry.controller, entry.sequence, hash_, octets["signature"])
        return hash_ == octets["hash"] and signed
    except Exception:  # whatever a hostile file can do wrong: it is then not the entry that was signed
        return False


def _head(found: Mapping[str, Any]) -> Head:
    return Head(found["controller"], found["sequence"], _octets(found["hash"]), _octets(found["signature"]))


def _promises(files: _Unpacked, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Every entry has its place in the chain, and what it rests on is there."""
    chained = _numbers(files, CHAIN)
    if _numbers(files, EVENTS) != chained or manifest.get("entries") != len(chained):
        yield "events and chain do not hold the same entries"
    there = {name.partition(".")[0] for name in files.hashes}
    for event in _lines(files, EVENTS):
        for name, start in _RESTS_ON:
            id_ = event.get(name)
            if not isinstance(id_, str) or not id_ or _elsewhere(name, event, manifest):
                continue
            if start + id_ not in there:
                yield f"entry {str(event.get('sequence'))[:20]} rests on {start + id_[:64]}, which is missing"


def _elsewhere(name: str, event: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Words of an imported choice stand in the operator's form; a mail went with the key of whoever was erased."""
    imported = name == "wording_id" and event.get("method") == "import"
    return imported or (name == "letter_id" and manifest.get("after_erasure") is True)


def _unpacked(path: Path) -> _Unpacked:
    """The files of an archive, measured before and while they are unpacked."""
    found, left = _Unpacked(), LARGEST_BUNDLE
    try:
        if path.stat().st_size > LARGEST_ARCHIVE:
            raise InputRefused.one("file", f"is larger than {LARGEST_ARCHIVE} octets")
        with zipfile.ZipFile(path) as packed:
            infos = packed.infolist()
            if len(infos) > MOST_FILES:
                raise InputRefused.one("file", f"holds more than {MOST_FILES} files")
            for info in infos:
                if info.filename in found.hashes or info.is_dir() or not _plain(info.filename):
                    raise InputRefused.one("file", "holds a name that no bundle of ours has")
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise InputRefused.one("file", "is packed in a way that no bundle of ours is")
                left -= _measured(packed, info, left, found)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError, ValueError) as error:
        raise InputRefused.one("file", f"is no evidence bundle ({type(error).__name__})") from None
    if MANIFEST not in found.hashes:
        raise InputRefused.one("file", "is no evidence bundle: it has no manifest")
    return found


def _measured(packed: zipfile.ZipFile, info: zipfile.ZipInfo, left: int, found: _Unpacked) -> int:
    """Hash one file, keep it if it is to be read, and say how long it was."""
    name, size, digest, kept = info.filename, 0, hashlib.sha256(), bytearray()
    wanted = name in _READ or name.startswith("wordings/")
    with packed.open(info) as file:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > min(LARGEST_FILE, left):
                raise InputRefused.one("file", "unpacks to more than a bundle can hold")
            digest.update(chunk)
            if wanted:
                kept += chunk
    if wanted and size > LARGEST_JSON and name not in (EVENTS, CHAIN):
        raise InputRefused.one("file", f"holds a {name} of more than {LARGEST_JSON} octets")
    found.hashes[name] = digest.hexdigest()
    if wanted:
        found.read[name] = bytes(kept)
    return size


def _plain(name: str) -> bool:
    return len(name) <= 200 and name.isascii() and ".." not in name and not name.startswith("/") and "\\" not in name


def _signed(key: bytes, kind: str, octets: bytes, signature: bytes) -> bool:
    try:
        return evidence.verify_document(key, kind, octets, signature)
    except ValueError:
        raise InputRefused.one("--public-key", "is no Ed25519 key") from None


def _key(octets: bytes) -> bytes:
    if len(octets) != evidence.PUBLIC_SIZE:
        raise InputRefused.one("file", "names no public key; give one with --public-key")
    return octets


def _lines(files: _Unpacked, name: str) -> Iterator[dict[str, Any]]:
    """The objects of a file, one a line, one after the other; what is no object is an empty one: nothing is true of it.

    Never all at once: a hostile value takes fifty times the memory of its text.
    """
    for number, line in enumerate(io.BytesIO(files.read.get(name, b""))):
        if number == MOST_ENTRIES:
            raise InputRefused.one("file", f"holds more than {MOST_ENTRIES} entries")
        value = _json(line)
        yield value if isinstance(value, dict) else {}


def _numbers(files: _Unpacked, name: str) -> list[int]:
    """The sequence of each entry of a file; 0 for what is none."""
    found = (value.get("sequence") for value in _lines(files, name))
    return [number if isinstance(number, int) else 0 for number in found]


def _json(octets: bytes) -> Any:
    try:
        return json.loads(octets) if len(octets) <= LARGEST_JSON else None
    except (ValueError, RecursionError):
        return None


def _octets(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return b""
