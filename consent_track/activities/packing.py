"""The letter from the authority: what answers it, in one signed file that verifies on another machine (GDPR Art. 31).

For a person: evidence, every mail's decision as of its day, requests, who was told, certificates. For a mailing or a
period: the decisions without names. With each: the record of processing, the policies that were in force, the runs of
the purge, the keys that were destroyed, the yearly numbers, and an index in plain language.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final

from consent_track.crypto import evidence
from consent_track.domain.address import normalise
from consent_track.domain.canonical import canonical
from consent_track.domain.errors import InputRefused
from consent_track.domain.rights import code_of
from consent_track.domain.vocabulary import from_bits
from consent_track.records import key_events, mailing, policy_versions, purges
from consent_track.records.mailing import Prepared
from consent_track.records.policy_versions import PolicyVersion

from . import Processing, certifying, describing, evidencing, informing, knowing, proving, requesting, tallying
from .evidencing import HEAD, KEY, MANIFEST, SIGNATURE, Bundle
from .proving import in_base64

FORMAT: Final = "consent_track audit pack v1"
KIND: Final = "audit pack v1"
INDEX: Final = "README.txt"
EVIDENCE: Final = "evidence.zip"
PAGE: Final = 1_000

_WHAT: Final = {
    EVIDENCE: "everything that proves the person's choices; verify it by itself, too",
    "register.jsonl": "every mail that was prepared: decision, reason, policy, and the purposes really served",
    "totals.json": "how many mails were measured and how many were not, by reason",
    "requests.json": "what the person asked for, when, and how it was answered",
    "recipients.json": "which other systems were told of the person's decisions, and when they acknowledged it",
    "certificates.json": "the certificates of erasure, or how far they are",
    "record-of-processing.json": "the record of processing activities (GDPR Art. 30)",
    "policies.jsonl": "every policy that was ever in force here, under the hash that the register names",
    "purges.jsonl": "the latest runs of the purge: what, how old, how many",
    "keys.jsonl": "the keys that were destroyed, on which machine and when",
    "numbers.json": "the year's requests in numbers (11 CCR 7102)",
    HEAD: "where the ledger of choices stood when this was made, signed",
    KEY: "the public key of the signatures; compare it with the published one",
}
_INTRODUCTION: Final = """\
{controller}: {subject}
Made {made} UTC. All times are UTC.

{files}

The SHA-256 of every file stands in manifest.json, and manifest.sig is the Ed25519 signature over it. To check it on any
machine, without the database:

    consent-track verify THIS-FILE --public-key KEY
"""


def for_person(p: Processing, controller: int, address: str, private: bytes | None = None) -> Bundle:
    """What answers a question about one person; after an erasure, with the offline escrow key (decision 16).

    Raises InputRefused (fields `address`, `controller`, `--escrow-key`).
    """
    normal = normalise(address)
    reference = knowing.find(p, controller, normal)
    asked = requesting.of_address(p, controller, normal)
    certificates = certifying.of_address(p, controller, normal)
    files: dict[str, bytes] = {}
    if reference is not None:
        files[EVIDENCE] = evidencing.bundle(p, controller, normal).archive()
    elif private is not None:
        files[EVIDENCE] = evidencing.bundle_for_complaint(p, controller, normal, private).archive()
    elif not asked and not certificates:
        raise InputRefused.one("address", "nothing is held about it; after an erasure, name the --escrow-key")
    subjects = {one for one in (reference, *(one.subject for one in certificates)) if one}
    register = [row for one in sorted(subjects) for row in mailing.of_subject(p.session, controller, one)]
    files["register.jsonl"] = _lines(map(_mail, register))
    files["requests.json"] = _json([_request(p, one) for one in asked])
    files["recipients.json"] = _json(
        [asdict(told) for one in sorted(subjects) for told in informing.told(p, controller, one)]
    )
    files["certificates.json"] = _json(
        [certifying.signed(p, one, final=False) if one.final_at is None else one.paper for one in certificates]
    )
    return _packed(p, controller, f"what is held about {normal}, and what was done", files)


def for_period(p: Processing, controller: int, since: date, until: date, campaign: str | None = None) -> Bundle:
    """What answers a question about the mails of a period, `until` included, or of one campaign in it; without names.

    Raises InputRefused (fields `controller`, `until`).
    """
    p.controller(controller)
    if until < since:
        raise InputRefused.one("until", "lies before the first day")
    begin, end = _instant(since), _instant(until) + 86_400
    rows = [row for row in _pages(p, controller, begin) if row.prepared_at < end]
    rows = [row for row in rows if campaign is None or row.campaign == campaign]
    totals: dict[str, int] = {}
    for row in rows:
        what = "measured" if row.purposes else f"not measured: {row.reason}"
        totals[what] = totals.get(what, 0) + 1
    files = {
        "register.jsonl": _lines({key: value for key, value in _mail(row).items() if key != "subject"} for row in rows),
        "totals.json": _json(totals),
    }
    what = f"the mails of {since} to {until}" + (f", campaign {campaign}" if campaign else "")
    return _packed(p, controller, what, files)


def _pages(p: Processing, controller: int, begin: int) -> Iterable[Prepared]:
    after = None
    while page := mailing.page(p.session, controller, begin, PAGE, after=after):
        yield from page
        after = (page[-1].prepared_at, page[-1].message)


def _mail(row: Prepared) -> dict[str, Any]:
    """One mail of the register; numbers beyond 2^53 as text, as everywhere in our JSON."""
    found = asdict(row)
    found |= {"message": str(row.message), "subject": str(row.subject), "decisions": json.loads(row.decisions)}
    return found | {"purposes": sorted(purpose.value for purpose in from_bits(row.purposes))}


def _request(p: Processing, one: requesting.Request) -> dict[str, Any]:
    steps = [{"at": taken.at, "step": taken.step, "by": taken.actor} for taken in requesting.steps(p, one)]
    return {
        "number": code_of(one.id), "asked": one.asked, "channel": one.channel, "stage": one.stage,
        "received_at": one.received_at, "due_on": one.due_on.isoformat(), "closed_at": one.closed_at,
        "ground": one.ground, "jurisdictions": list(one.jurisdictions), "steps": steps,
    }  # fmt: skip


def _packed(p: Processing, controller: int, subject: str, files: dict[str, bytes]) -> Bundle:
    owner, year = p.controller(controller), datetime.fromtimestamp(p.now, UTC).year
    numbers = tallying.tally(p, controller, date(year, 1, 1), date(year + 1, 1, 1))
    files |= {
        "record-of-processing.json": _json(describing.record(p, controller)),
        "policies.jsonl": _lines(_policy(one) for one in policy_versions.by_hash(p.session, "")),
        "purges.jsonl": _lines(_plain(asdict(one)) for one in purges.latest(p.session)),
        "keys.jsonl": _lines(_plain(asdict(one)) for one in key_events.latest(p.session)),
        "numbers.json": _json([asdict(one) for one in numbers]),
        HEAD: canonical(proving.checkpoint(p, controller)) + b"\n",
        KEY: (in_base64(p.keys.ledger_public) + "\n").encode(),
    }
    lines = "\n".join(f"{name:26} {_WHAT[name]}" for name in sorted(files))
    made = datetime.fromtimestamp(p.now, UTC).strftime("%Y-%m-%d %H:%M")
    files[INDEX] = _INTRODUCTION.format(controller=owner.name, subject=subject, made=made, files=lines).encode()
    manifest = {
        "format": FORMAT,
        "controller": {"number": controller, "name": owner.name},
        "about": subject,
        "made_at": p.now,
        "files": {name: hashlib.sha256(octets).hexdigest() for name, octets in sorted(files.items())},
    }
    files[MANIFEST] = canonical(manifest)
    signature = evidence.sign_document(p.keys.ledger, KIND, files[MANIFEST])
    files[SIGNATURE] = (in_base64(signature) + "\n").encode()
    return Bundle(files, 0)


def _policy(one: PolicyVersion) -> dict[str, Any]:
    used = {"first_used": one.first_used, "last_used": one.last_used}
    return {"id": one.id, "hash": one.hash, **used, "content": one.content}


def _instant(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _json(value: Any) -> bytes:
    return canonical(value) + b"\n"


def _lines(values: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(canonical(value) + b"\n" for value in values)
