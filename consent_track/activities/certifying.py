"""The certificate of an erasure ripens: it says nothing that is not proved, and is withheld while anything remains.

Stages: rows erased, every machine's spool drained past it, the key destroyed, the residue scan clean, the epoch that
wrapped the key retired on every machine, every recipient told. Then it is signed, and verifies offline.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from consent_track.crypto import evidence, sealing
from consent_track.domain.canonical import canonical
from consent_track.domain.errors import InputRefused, KeyMisuse
from consent_track.domain.rights import CODE_BITS, code_of
from consent_track.records import certificates, datamap, erasures, spool
from consent_track.records.certificates import Certificate

from . import Processing, informing, knowing, proving, retaining, rotating, scanning
from .scanning import Look, Places

Begin = Callable[[], AbstractContextManager[Processing]]

KIND: Final = "erasure certificate v1"
FORMAT: Final = "consent_track erasure certificate 1"
LABEL: Final = rotating.CERTIFICATE
SILENT: Final = 86_400  # a machine that was not seen for so long is named; somebody has to say that it is gone
_SCAN_AGAIN: Final = 3_600


@dataclass(frozen=True, slots=True)
class Open:
    """Something a certificate waits for. `key` names it for `accept`; only a lost machine or recipient can be."""

    key: str
    what: str
    acceptable: bool = False


def begin(p: Processing, controller: int, subject: int, normalised: str, counts: dict[str, int]) -> int:
    """Begin the certificate of an erasure, in its transaction; the number."""
    number, epoch = secrets.randbits(CODE_BITS) or 1, p.keys.epoch()
    tag = sealing.proof_tag(p.keys.proof_index, controller, normalised)
    sealed = sealing.seal_until_known(epoch, controller, number, LABEL, normalised.encode())
    certificates.add(
        p.session,
        Certificate(controller, number, subject, tag, epoch.id, sealed, p.now, counts, None, None, {}, {}, None, {}),
    )
    return number


def find(p: Processing, controller: int, number: int) -> Certificate:
    """One certificate. Raises InputRefused (field `number`, `controller`)."""
    p.controller(controller)
    found = certificates.find(p.session, controller, number)
    if found is None:
        raise InputRefused.one("number", f"no certificate has the number {code_of(number)}")
    return found


def of_address(p: Processing, controller: int, normalised: str) -> list[Certificate]:
    """The certificates about an address, the newest first."""
    tag = sealing.proof_tag(p.keys.proof_index, controller, normalised)
    return certificates.of_tag(p.session, controller, tag)


def ripen(begin: Begin, reading: Begin, look: Look, places: Places) -> dict[str, int]:
    """Move every certificate as far as it is proved; how many were drained, found clean, and signed."""
    counts = {"drained": 0, "clean": 0, "withheld": 0, "final": 0}
    with reading() as p:
        waiting = certificates.unripe(p.session)
    for one in waiting:
        if one.drained_at is None:
            with begin() as p:
                if not list(_undrained(p, one)):
                    certificates.change(p.session, one.controller, one.id, drained_at=p.now)
                    counts["drained"] += 1
        elif one.scanned_at is None:
            counts[_scan(begin, reading, one, look, places)] += 1
        else:
            with begin() as p:
                counts["final"] += _finish(p, one)
    return counts


def _scan(begin: Begin, reading: Begin, one: Certificate, look: Look, places: Places) -> str:
    """Look for what is left; clean, or withheld with what was found. Reads without holding anybody up."""
    with reading() as p:
        address = _address(p, one)
        intent = erasures.find(p.session, one.controller, one.subject)
        if address is None or intent is None or intent.done_at is None:
            return "withheld"
        if one.scan and p.now - one.scan["at"] < _SCAN_AGAIN:
            return "withheld"
        if knowing.find(p, one.controller, address) is not None:  # they came back by themselves (decision 11)
            came: dict[str, Any] = {"at": p.now, "returned": True}
            found: tuple[scanning.Found, ...] = ()
        else:
            done = scanning.scan(p, one.controller, address, one.subject, look, places)
            found = done.found
            came = {**asdict(done), "found": [asdict(one) for one in found], "at": p.now}
            came["not_searched"] = list(done.not_searched)
    with begin() as p:
        if found:
            certificates.change(p.session, one.controller, one.id, scan=came)
            return "withheld"
        certificates.change(p.session, one.controller, one.id, scan=came, scanned_at=p.now, sealed=b"", epoch=0)
        return "clean"


def _address(p: Processing, one: Certificate) -> str | None:
    try:
        epoch = p.keys.epoch(one.epoch)
        return sealing.unseal_until_known(epoch, one.controller, one.id, LABEL, one.sealed).decode()
    except (sealing.SealBroken, KeyMisuse):
        return None


def _undrained(p: Processing, one: Certificate) -> Iterator[Open]:
    for node in spool.nodes(p.session):
        if node.drained_through < one.begun_at and f"node {node.node}" not in one.accepted:
            lost = p.now - node.last_seen > SILENT
            what = f"machine {node.node} has not drained its spool past the erasure"
            yield Open(f"node {node.node}", f"{what}; it is silent" if lost else what, acceptable=lost)


def open_items(p: Processing, one: Certificate) -> list[Open]:
    """What a certificate still waits for, in words."""
    found = list(_undrained(p, one)) if one.drained_at is None else []
    intent = erasures.find(p.session, one.controller, one.subject)
    if intent is None or intent.done_at is None:
        found.append(Open("key", "the person's key is not destroyed yet"))
    if one.scanned_at is None:
        left = one.scan.get("found", [])
        found += [Open("scan", f"found in {hit['place']}: {hit['form']}") for hit in left]
        found += [] if left else [Open("scan", "the residue scan has not been made yet")]
    if intent is not None and rotating.retired_at(p, intent.epoch) is None and "epoch" not in one.accepted:
        found.append(Open("epoch", f"epoch {intent.epoch}, which wrapped the key, is not retired on every machine"))
    for told in informing.told(p, one.controller, one.subject):
        key = f"recipient {told.recipient}"
        if told.event == informing.Event.ERASED and told.acknowledged_at is None and key not in one.accepted:
            found.append(Open(key, f"{told.recipient} has not acknowledged the erasure", acceptable=True))
    return found


def accept(p: Processing, controller: int, number: int, key: str, reason: str) -> Certificate:
    """Go on without a lost machine, or a recipient that never answers; it stands on the certificate with the reason.

    Raises InputRefused (field `number`, `open`, `reason`).
    """
    one = find(p, controller, number)
    if not reason.strip():
        raise InputRefused.one("reason", "is needed: it stands on the certificate")
    if key not in {item.key for item in open_items(p, one) if item.acceptable}:
        raise InputRefused.one("open", f"{key!r} is not an open item that can be accepted")
    accepted = one.accepted | {key: reason.strip()[:500]}
    certificates.change(p.session, controller, number, accepted=accepted)
    return find(p, controller, number)


def _finish(p: Processing, one: Certificate) -> int:
    if open_items(p, one):
        return 0
    paper = signed(p, one, final=True)
    certificates.change(p.session, one.controller, one.id, final_at=p.now, paper=paper)
    return 1


def paper_of(p: Processing, one: Certificate) -> dict[str, Any]:
    """The signed certificate. Raises InputRefused (field `certificate`) with what it still waits for."""
    if one.final_at is None:
        raise InputRefused.one("certificate", "; ".join(item.what for item in open_items(p, one)) or "is being made")
    return one.paper


def signed(p: Processing, one: Certificate, *, final: bool) -> dict[str, Any]:
    """A certificate, or the interim statement of one, with the signature of the ledger key over its canonical form."""
    made = _document(p, one, final)
    signature = evidence.sign_document(p.keys.ledger, KIND, canonical(made))
    proof = {
        "type": f"Ed25519 over canonical JSON, prefixed consent_track {KIND}",
        "publicKey": proving.in_base64(p.keys.ledger_public),
        "signatureValue": proving.in_base64(signature),
    }
    return {**made, "proof": proof}


def _document(p: Processing, one: Certificate, final: bool) -> dict[str, Any]:
    controller = p.controller(one.controller)
    intent = erasures.find(p.session, one.controller, one.subject)
    retired = rotating.retired_at(p, intent.epoch) if intent else None
    return {
        "format": FORMAT,
        "number": code_of(one.id),
        "final": final,
        "issued_at": _iso(p.now),
        "controller": {"name": controller.name, "contact": controller.contact},
        "about": {"tag": one.tag.hex(), "how": "HMAC-SHA-256 of the address under a key of the controller's"},
        "deleted": one.counts,
        "kept": [
            {"table": table, "article": article, "days": _days(p, table)}
            for table, article in sorted(datamap.kept().items())
        ],
        "stages": {
            "erased": _iso(one.begun_at),
            "drained": _iso(one.drained_at),
            "key_destroyed": _iso(intent.done_at if intent else None),
            "scanned": _iso(one.scanned_at),
            "epoch_retired": _iso(retired),
        },
        "machines": [node.node for node in spool.nodes(p.session)],
        "scan": one.scan,
        "recipients": [
            {"name": told.recipient, "event": told.event, "acknowledged": _iso(told.acknowledged_at)}
            for told in informing.told(p, one.controller, one.subject)
        ],
        "accepted": one.accepted,
        "open": [item.what for item in open_items(p, one)],
    }


def _days(p: Processing, table: str) -> int | None:
    held = next(held for held in datamap.HOLDINGS.items() if held[0].name == table)[1]
    return retaining.keep_days(p.policies, held.data_class) if held.data_class else None


def _iso(at: int | None) -> str | None:
    return None if at is None else (datetime.fromtimestamp(0, UTC) + timedelta(seconds=at)).isoformat()
