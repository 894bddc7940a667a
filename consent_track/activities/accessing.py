"""Answering "what do you hold about me?" from the data map (GDPR Art. 15, 20; CCPA 1798.110).

The answer is a loop over the tables that are about people, so a table or a column nobody thought of is in it by itself.
What is sealed is opened; what stays back says why.
"""

import base64
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from consent_track.crypto import sealing
from consent_track.domain.controller import Controller
from consent_track.domain.engagement import Clue, Engagement
from consent_track.domain.errors import KeyMisuse
from consent_track.domain.policy import Requirement
from consent_track.domain.rights import Right, code_of
from consent_track.domain.spreadsheet import harmless
from consent_track.domain.vocabulary import HitKind, from_bits
from consent_track.records import datamap
from consent_track.records.database import read
from consent_track.records.requests import Request
from consent_track.records.tables import Store

from . import Processing, confirming, knowing, notifying, papers, requesting, retaining

Value = dict[str, Any]

_TECHNICAL: Final = "a key, a hash or a signature that protects the data beside it; it says nothing about a person"
_NETWORK: Final = (
    "a keyed pseudonym of part of a network address. The key of that day is destroyed within 48 hours, so nobody can "
    "tell whose it is; in a forwarded mail it would be somebody else's (GDPR Art. 11, 15(4))"
)
# What is held and not shown, and why. Every column of octets stands here or in _OPENED; a test sees to it.
WITHHELD: Final[Mapping[tuple[str, str], str]] = {
    ("consent_event", "proof"): "the same as `sealed`, for the offline key of the controller; it is shown opened there",
    ("consent_event", "proof_tag"): _TECHNICAL,
    ("consent_event", "hash"): _TECHNICAL,
    ("consent_event", "signature"): _TECHNICAL,
    ("kept_paper", "proof"): "the same as `sealed`, for the offline key of the controller; it is shown opened there",
    ("erasure_certificate", "tag"): _TECHNICAL,
    ("erasure_certificate", "sealed"): "the address, for the search for what is left; nobody who is known has one",
    ("delivery", "sealed"): "the message itself, until it is acknowledged; to whom and why stands beside it",
    ("flow", "tag"): _TECHNICAL,
    ("flow", "session_hash"): _TECHNICAL,
    ("hit", "network"): _NETWORK,
    ("kept_answer", "sealed"): "an answer like this one, made earlier; it can be fetched as it is",
    ("request_address", "tag"): _TECHNICAL,
    ("subject_key", "lookup"): _TECHNICAL,
    ("subject_key", "wrapped"): _TECHNICAL,
}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who asks for a row to be opened: one person in one processing."""

    p: Processing
    who: knowing.Person

    def own(self, label: str, sealed: bytes) -> bytes | None:
        """Open what is sealed under the person's own key."""
        try:
            return sealing.unseal(self.who.data_key, self.who.controller, self.who.reference, label, sealed)
        except sealing.SealBroken:
            return None

    def early(self, number: int, label: str, epoch: int, sealed: bytes) -> bytes | None:
        """Open what was sealed before anybody was known."""
        try:
            return sealing.unseal_until_known(self.p.keys.epoch(epoch), self.who.controller, number, label, sealed)
        except (sealing.SealBroken, KeyMisuse):
            return None


_Opener = Callable[[_Reader, Value], Any]


def _letter(octets: bytes | None) -> str | None:
    return None if octets is None else octets.decode("utf-8", "replace")


def _document(octets: bytes | None) -> Any:
    return None if octets is None else json.loads(octets)


def _paper(reader: _Reader, row: Value) -> Value | None:
    paper = papers.find(reader.p, reader.who, row["id"])
    if paper is None:
        return None
    said = {"kind": paper.kind, "name": paper.name, "media_type": paper.media_type, "signed_by": paper.signed_by}
    return said | {"signed_on": paper.signed_on.isoformat(), "content": base64.b64encode(paper.content).decode()}


def _asked_address(reader: _Reader, row: Value) -> str | None:
    label = requesting.address_label(row["request"], row["number"])
    return _letter(reader.early(*label, row["epoch"], row["sealed"]))


def _waiting_mail(reader: _Reader, row: Value) -> str | None:
    return _letter(
        notifying.unseal_for(
            reader.p, reader.who.controller, row["subject"], row["id"], notifying.LABEL, row["epoch"], row["sealed"]
        )
    )


_OPENED: Final[Mapping[tuple[str, str], _Opener]] = {
    ("consent_event", "sealed"): lambda r, row: _document(r.own(f"event:{row['sequence']}", row["sealed"])),
    ("flow", "sealed"): lambda r, row: _document(r.early(row["id"], confirming.LABEL, row["epoch"], row["sealed"])),
    ("flow", "letter"): lambda r, row: _letter(r.early(row["id"], confirming.LETTER, row["epoch"], row["letter"])),
    ("kept_letter", "sealed"): lambda r, row: _letter(r.own(f"letter:{row['id']}", row["sealed"])),
    ("kept_paper", "sealed"): _paper,
    ("outbox", "sealed"): _waiting_mail,
    ("request_address", "sealed"): _asked_address,
    ("rights_request", "sealed"): lambda r, row: _document(
        r.early(row["id"], requesting.LABEL, row["epoch"], row["sealed"])
    ),
    ("subject", "sealed"): lambda r, row: _document(r.own(knowing.LABEL, row["sealed"])),
}

# Codes as the words they stand for, by table and column.
_WORDS: Final[Mapping[tuple[str, str], Callable[[Any], Any]]] = {
    ("hit", "kind"): lambda code: HitKind(code).name.lower(),
    ("hit", "engagement"): lambda code: Engagement(code).name.lower(),
    ("hit", "reason"): lambda code: Clue(code).name.lower() if code else "",
    ("mailing", "decisions"): json.loads,
}
_BITS: Final = frozenset({"purposes", "erase_purposes"})
_INSTANTS: Final = ("_at", "_until", "_by")
_NAMED_INSTANTS: Final = frozenset({"at", "erase_due"})
_OURS: Final = frozenset({"controller_id"})


@dataclass(frozen=True, slots=True)
class Part:
    """What is held about the person behind one address: rows by table, and what stays back with the reason."""

    address: str
    locale: str
    rows: Mapping[str, list[Value]]

    def as_json(self) -> Value:
        """The part as it stands in the file."""
        return {"address": self.address, "locale": self.locale, "held": dict(self.rows)}

    def by_kind(self) -> Value:
        """Which kinds of data are held, and none of them (CCPA 1798.110(a)(1))."""
        why = {held.table: held.why for held in datamap.about_people()}
        kinds = [{"table": table, "why": why[table]} for table, rows in self.rows.items() if rows and table in why]
        return {"address": self.address, "locale": self.locale, "held": {}, "kinds": kinds}


def part_of(p: Processing, controller: int, subject: int) -> Part | None:
    """Everything that is held about one person in every store, opened; None for the unknown and the erased."""
    who = knowing.person(p, controller, subject)
    if who is None:
        return None
    reader, rows = _Reader(p, who), {}
    for table, found in _everything(p, controller, subject):
        rows[table] = [_readable(reader, table, row) for row in found]
    return Part(who.address, who.locale, rows)


def _everything(p: Processing, controller: int, subject: int) -> Iterator[tuple[str, list[Value]]]:
    found = datamap.collect(p.session, controller, subject)
    for store, engine in ((Store.EXEMPT, p.exempt), (Store.KEYRING, p.keyring)):
        with read(engine) as session:
            found |= datamap.collect(session, controller, subject, store)
    return iter(sorted(found.items()))


def _readable(reader: _Reader, table: str, row: Value) -> Value:
    """One row as its owner may read it."""
    shown = {}
    for column, value in row.items():
        place = (table, column)
        if place in WITHHELD or column in _OURS:
            continue
        if place in _OPENED:
            shown[column] = _OPENED[place](reader, row) if value else None
        elif value is not None and place in _WORDS:
            shown[column] = _WORDS[place](value)
        else:
            shown[column] = _plain(column, value)
    return shown


def _plain(column: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, str, dict, list)):
        return value
    if column in _BITS:
        return sorted(purpose.value for purpose in from_bits(value))
    if column in _NAMED_INSTANTS or column.endswith(_INSTANTS):
        return datetime.fromtimestamp(value, UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)  # RFC 8259 section 6: a reader may round what is larger
    raise TypeError(f"{column}: {type(value).__name__} has no readable form")


def undeclared() -> list[str]:
    """Columns of octets, in tables about people, that are neither opened nor withheld with a reason."""
    return [
        f"{table}.{column}"
        for table, column in datamap.octet_columns()
        if (table, column) not in WITHHELD and (table, column) not in _OPENED
    ]


@dataclass(frozen=True, slots=True)
class Short:
    """The short answer (decision 33): what the opens and clicks come to, in numbers, days as dates."""

    opens: int
    clicks: int
    mails: int
    first: date | None
    last: date | None
    machine: int
    uncertain: int


_MACHINE: Final = frozenset({Engagement.SCANNER.name.lower(), Engagement.PREFETCH.name.lower()})
_HUMAN: Final = Engagement.HUMAN_LIKELY.name.lower()


def short(parts: list[Part]) -> Short:
    """Count what is held: made by a person, by a machine, and by nobody knows whom."""
    hits = [row for part in parts for row in part.rows.get("hit", [])]
    human = [row for row in hits if row["engagement"] == _HUMAN]
    days = sorted(row["day"] for row in hits)
    machine = sum(row["engagement"] in _MACHINE for row in hits)
    return Short(
        opens=sum(row["kind"] == "open" for row in human),
        clicks=sum(row["kind"] == "click" for row in human),
        mails=len({row["message"] for row in human}),
        first=date.fromisoformat(days[0]) if days else None,
        last=date.fromisoformat(days[-1]) if days else None,
        machine=machine,
        uncertain=len(hits) - len(human) - machine,
    )


FORMAT: Final = "consent_track access answer 1"
COVERS: Final = (
    "What this installation holds for the measuring of e-mails and for the choices about it. Other data that the "
    "controller holds is not part of it."
)


def document(p: Processing, request: Request, parts: list[Value]) -> Value:
    """The whole answer for machines: what is held, and the eight items of GDPR Art. 15(1). Docs: `docs/access.md`."""
    controller = p.controller(request.controller)
    return {
        "format": FORMAT,
        "request": code_of(request.id),
        "asked": request.asked.value,
        "received_at": _plain("received_at", request.received_at),
        "controller": {
            "name": controller.name,
            "contact": controller.contact,
            "privacy_policy": controller.privacy_policy,
        },
        "covers": COVERS,
        "about": _about(p, controller, request.jurisdictions),
        "persons": parts,
        "withheld": [
            {"where": f"{table}.{column}", "why": why}
            for (table, column), why in sorted(WITHHELD.items())
            if any(part["held"].get(table) for part in parts)
        ],
    }


def _about(p: Processing, controller: Controller, jurisdictions: tuple[str, ...]) -> Value:
    """The eight items of GDPR Art. 15(1)(a) to (h), from the policies in force and the data map."""
    policies = [p.policies.for_jurisdiction(one) for one in jurisdictions]
    rules = {purpose: rule for policy in policies for purpose, rule in policy.pack.rules.items()}
    served = {purpose: rule for purpose, rule in rules.items() if rule.requirement is not Requirement.NEVER}
    return {
        "purposes": [
            {"purpose": purpose.value, "basis": rule.requirement.value, "source": rule.source}
            for purpose, rule in sorted(served.items())
        ],
        "categories": [{"table": held.table, "why": held.why} for held in datamap.about_people()],
        "recipients": [
            {"name": one.name, "role": one.role.value, "country": one.country} for one in controller.processors
        ],
        "periods": [
            {"table": held.table, "days": retaining.keep_days(p.policies, held.data_class)}
            if held.data_class
            else {"table": held.table, "until": held.bounded_by}
            for held in datamap.about_people()
        ],
        "rights": [{"right": right.value, "articles": right.articles} for right in Right],
        "complaint": controller.complaints or "the data protection authority of the place where the person lives",
        "source": "the person, by choosing, opening and clicking; the address came from the person or the controller",
        "automated_decisions": [
            {"purpose": purpose.value, "how": rule.admt} for purpose, rule in sorted(served.items()) if rule.admt
        ],
    }


def csv_files(parts: list[Value]) -> Iterator[tuple[str, str]]:
    """The same as tables: a file name and the text of each, safe to open in a spreadsheet."""
    for number, part in enumerate(parts, 1):
        for table, rows in part["held"].items():
            if rows:
                names = list(dict.fromkeys(name for row in rows for name in row))
                text = io.StringIO()
                writer = csv.writer(text, lineterminator="\r\n")
                writer.writerow(names)
                writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
                yield f"{number}-{table}.csv", text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
