"""Papers of one person: the scan they signed, the record of their account. Sealed twice, like the choice they prove."""

import json
from datetime import date
from typing import Any

from consent_track.crypto import sealing
from consent_track.domain.canonical import canonical
from consent_track.domain.errors import InputRefused
from consent_track.domain.imported import Evidence
from consent_track.records import kept_papers
from consent_track.records.kept_papers import KeptPaper

from . import Processing
from .knowing import Person


def keep(p: Processing, who: Person, paper: Evidence) -> None:
    """Keep what the operator holds of one person: a scan names them, so it is sealed like the choice it proves."""
    packed = _packed(paper)
    sealed = sealing.seal(who.data_key, who.controller, who.reference, _label(paper.id), packed)
    tag = sealing.proof_tag(p.keys.proof_index, who.controller, who.address)
    escrow = p.keys.escrow_public if p.policies.house.keeps_proof else None
    proof = sealing.seal_to_escrow(escrow, who.controller, tag, packed) if escrow else b""
    kept_papers.keep(p.session, KeptPaper(who.controller, who.reference, paper.id, sealed, proof), p.now)


def find(p: Processing, who: Person, id_: str) -> Evidence | None:
    """A paper of somebody who is known, or None."""
    kept = kept_papers.find(p.session, who.controller, who.reference, id_)
    if kept is None:
        return None
    return _unpacked(id_, sealing.unseal(who.data_key, who.controller, who.reference, _label(id_), kept.sealed))


def escrowed(p: Processing, controller: int, subject: int, id_: str, tag: bytes, private: bytes) -> Evidence | None:
    """A paper as the offline key opens it, also after an erasure, or None. Raises InputRefused (`--escrow-key`)."""
    kept = kept_papers.find(p.session, controller, subject, id_)
    if kept is None or not kept.proof:
        return None
    try:
        return _unpacked(id_, sealing.open_escrow(private, controller, tag, kept.proof))
    except sealing.SealBroken:
        raise InputRefused.one("--escrow-key", "does not open a paper: it is another installation's") from None


def _label(id_: str) -> str:
    return f"paper:{id_}"


def _packed(paper: Evidence) -> bytes:
    """Who signs for it in the first line, the paper itself below."""
    said: dict[str, Any] = {"kind": paper.kind, "name": paper.name, "media_type": paper.media_type}
    said |= {"signed_by": paper.signed_by, "signed_on": paper.signed_on.isoformat()}
    return canonical(said) + b"\n" + paper.content


def _unpacked(id_: str, packed: bytes) -> Evidence:
    first, _, content = packed.partition(b"\n")
    said = json.loads(first)
    return Evidence(
        id_, said["kind"], said["name"], said["media_type"], content, said["signed_by"],
        date.fromisoformat(said["signed_on"]),
    )  # fmt: skip
