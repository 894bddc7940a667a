"""Proving: the ledger on paper, so to say. It leaves as a file that anybody can verify with the public key alone.

The file holds nothing readable about a person: what was chosen is sealed. It proves that nothing was changed, deleted,
reordered or inserted since; a checkpoint kept elsewhere proves that its end was not cut off either (GDPR Art. 5(2)).
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from consent_track.crypto import evidence, sealing
from consent_track.crypto.evidence import Head, LedgerEntry
from consent_track.domain.address import normalise
from consent_track.domain.errors import InputRefused
from consent_track.records import ledger, wordings
from consent_track.records.ledger import Entry

from . import Processing, knowing

LEDGER: Final = "consent_track ledger v1"
CHECKPOINT: Final = "consent_track ledger checkpoint v1"
AT_ONCE: Final = 1_000
# The longest line of a file: an entry has some 1,500 octets. A bound, so that a hostile file cannot fill the memory.
LONGEST_LINE: Final = 1 << 20
MOST_CHECKPOINTS: Final = 40_000  # one a day: a hundred years
SEALED: Final = ("sealed", "proof", "proof_tag", "hash", "signature")

Signed = tuple[LedgerEntry, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of a verification. `broken_at` is the first sequence that is not as it was written."""

    controller: int
    entries: int
    broken_at: int | None
    upto: int | None  # the sequence of the checkpoint it was held against
    key: str  # fingerprint of the public key used

    @property
    def whole(self) -> bool:
        return self.broken_at is None


def checkpoint(p: Processing, controller: int) -> dict[str, Any]:
    """The signed end of a controller's ledger as of now: publish it, or keep it where this machine cannot reach.

    Raises InputRefused (field `controller`): unknown, or nothing was recorded yet.
    """
    p.controller(controller)
    sequence, hash_ = ledger.head(p.session, controller)
    if not sequence:
        raise InputRefused.one("controller", f"{controller} has an empty ledger")
    return {
        "format": CHECKPOINT,
        "controller": controller,
        "sequence": sequence,
        "hash": in_base64(hash_),
        "signature": in_base64(evidence.sign_head(p.keys.ledger, controller, sequence, hash_)),
        "public_key": in_base64(p.keys.ledger_public),
        "at": p.now,
    }


def export(p: Processing, controller: int) -> Iterator[str]:
    """The lines of the ledger file: a head, then one JSON object for each entry. Raises InputRefused (`controller`)."""
    name = p.controller(controller).name
    head = {"format": LEDGER, "controller": controller, "name": name, "public_key": in_base64(p.keys.ledger_public)}
    yield _line({**head, "exported_at": p.now})
    after = 0
    while entries := ledger.entries(p.session, controller, after, AT_ONCE):
        for entry in entries:
            plain = {"sequence": entry.sequence, "subject": entry.subject, "recorded_at": entry.recorded_at}
            yield _line({**plain, **{name: in_base64(getattr(entry, name)) for name in SEALED}})
        after = entries[-1].sequence


def is_ledger(first: str) -> bool:
    """Whether a first line is that of a ledger file."""
    try:
        found = json.loads(first) if len(first) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("format") == LEDGER


def verify(lines: Iterable[str], public: bytes | None = None, *upto: Head) -> Verified:
    """Verify a ledger file, line by line; no database and no secret is needed.

    `public` is the ledger's public key, 32 octets; without it the file's own is used, which proves only that the file
    is whole in itself. `upto` are heads that were kept elsewhere: the chain has to pass through all of them. Raises
    InputRefused naming the line that is not one of a ledger file, or `--public-key`.
    """
    reading = iter(lines)
    head = _parsed(next(reading, ""), 1)
    if head.get("format") != LEDGER:
        raise InputRefused.one("line 1", f"is not the head of a {LEDGER!r} file")
    key = public if public is not None else _octets(head, "public_key", 1)
    seen = _Seen(_number(head, "controller", 1, below=1 << 16))
    try:
        broken = evidence.first_break(seen.follow(reading), key, upto=upto)
    except ValueError as error:
        raise InputRefused.one("--public-key", str(error) or "is no Ed25519 key") from None
    if broken is None and any(one.controller != seen.controller for one in upto):
        broken = 1
    held_against = max((one.sequence for one in upto), default=None)
    return Verified(seen.controller, seen.entries, broken, held_against, evidence.fingerprint(key))


def in_base64(octets: bytes) -> str:
    """Octets as they stand in these files."""
    return base64.b64encode(octets).decode("ascii")


def read_checkpoint(text: str) -> tuple[Head, bytes]:
    """A checkpoint and the key it names. Raises InputRefused (field `checkpoint`) for anything else."""
    try:
        found = _parsed(text, 0)
        if found.get("format") != CHECKPOINT:
            raise InputRefused.one("checkpoint", f"is not a {CHECKPOINT!r} file")
        head = Head(
            _number(found, "controller", 0, below=1 << 16), _number(found, "sequence", 0), _octets(found, "hash", 0),
            _octets(found, "signature", 0),
        )  # fmt: skip
        return head, _octets(found, "public_key", 0)
    except InputRefused as refused:
        raise InputRefused.one("checkpoint", refused.problems[0].what) from None


def read_checkpoints(lines: Iterable[str]) -> list[tuple[Head, bytes]]:
    """Every checkpoint of a file, one a line, as `checkpoints/` keeps them; a single one may stand on several lines.

    Raises InputRefused (field `checkpoint`) for anything else, and for a file without any.
    """
    text = "".join(islice(lines, MOST_CHECKPOINTS))
    written = text.splitlines() if text.lstrip().startswith('{"') else [text]
    found = [read_checkpoint(line) for line in written if line.strip()]
    if not found:
        raise InputRefused.one("checkpoint", "is empty")
    return found


def read_key(text: str) -> bytes:
    """A public key as `ledger public-key` prints it. Raises InputRefused (field `--public-key`)."""
    try:
        octets = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if len(octets) != evidence.PUBLIC_SIZE:
        raise InputRefused.one("--public-key", "is not an Ed25519 public key in base64 (44 characters)")
    return octets


def open_proofs(p: Processing, controller: int, address: str, private: bytes) -> list[dict[str, Any]]:
    """What the ledger holds about an address, opened with the offline escrow key, also after an erasure.

    For a complaint (decision 16): the address in it finds the proof, and nothing else does. Raises InputRefused
    (fields `address`, `controller`, `--escrow-key`).
    """
    p.controller(controller)
    tag = sealing.proof_tag(p.keys.proof_index, controller, normalise(address))
    return [_with_words(p, controller, event) for _, event in escrowed(p, controller, tag, private)]


def escrowed(p: Processing, controller: int, tag: bytes, private: bytes) -> list[tuple[Entry, dict[str, Any]]]:
    """The entries that a proof tag finds, each as the offline key opens it. Raises InputRefused (`--escrow-key`)."""
    opened = []
    for entry in ledger.entries_of_tag(p.session, controller, tag):
        if entry.proof:
            try:
                event = json.loads(sealing.open_escrow(private, controller, tag, entry.proof))
            except sealing.SealBroken:
                what = f"does not open entry {entry.sequence}: it is another installation's"
                raise InputRefused.one("--escrow-key", what) from None
            opened.append((entry, {"sequence": entry.sequence, **event}))
    return opened


def history(p: Processing, controller: int, address: str) -> list[dict[str, Any]]:
    """Everything the ledger says about somebody, oldest first, each choice with the words on which it was made.

    Empty for the unknown and the erased. Raises InputRefused (fields `address`, `controller`).
    """
    p.controller(controller)
    reference = knowing.find(p, controller, address)
    data_key = knowing.key_of(p, controller, reference) if reference else None
    if reference is None or data_key is None:
        return []
    found = []
    for entry in ledger.entries_of_subject(p.session, controller, reference):
        details = sealing.unseal(data_key, controller, reference, f"event:{entry.sequence}", entry.sealed)
        found.append(_with_words(p, controller, {"sequence": entry.sequence, **json.loads(details)}))
    return found


def _with_words(p: Processing, controller: int, event: dict[str, Any]) -> dict[str, Any]:
    shown = wordings.find(p.session, controller, event["wording_id"]) if event["wording_id"] else None
    return event | {"words": dict(shown.words) if shown else None}


@dataclass(slots=True)
class _Seen:
    """What was read so far, while the entries pass through to be verified."""

    controller: int
    entries: int = 0

    def follow(self, lines: Iterable[str]) -> Iterator[Signed]:
        for number, text in enumerate(lines, 2):
            found = _parsed(text, number)
            sealed = {name: _octets(found, name, number) for name in SEALED}
            entry = LedgerEntry(
                self.controller, _number(found, "sequence", number), _number(found, "subject", number),
                _number(found, "recorded_at", number), sealed["sealed"], sealed["proof"], sealed["proof_tag"],
            )  # fmt: skip
            yield entry, sealed["hash"], sealed["signature"]
            self.entries += 1


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


def _parsed(text: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(text) if len(text) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InputRefused.one(f"line {number}", "is not a JSON object of a ledger file")
    return value


def _number(found: Mapping[str, Any], name: str, number: int, below: int = 1 << 64) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise InputRefused.one(f"line {number}", f"{name} is not a whole number")
    return value


def _octets(found: Mapping[str, Any], name: str, number: int) -> bytes:
    try:
        return base64.b64decode(found.get(name, 0), validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise InputRefused.one(f"line {number}", f"{name} is not base64") from None
