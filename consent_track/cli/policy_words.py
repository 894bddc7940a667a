"""The words in which the commands of `policy` speak of rules, laws and decisions, and how they set out a page."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from consent_track import policy_schema
from consent_track.domain.decision import Decision
from consent_track.domain.policy import Confidence, Policy, Requirement, Rule
from consent_track.domain.vocabulary import RESERVED, UNKNOWN_JURISDICTION, MailType, Purpose
from consent_track.domain.walk import Walk

REQUIREMENTS: Final[dict[Requirement, str]] = {
    Requirement.EXEMPT: "no consent is needed while the conditions hold; people still are told",
    Requirement.NOTICE: "lawful once people are told, until they object",
    Requirement.OPT_OUT: "lawful until people object",
    Requirement.CONSENT: "only after the person's consent",
    Requirement.NEVER: "not at all",
}
CONFIDENCE: Final[dict[Confidence, str]] = {
    Confidence.PRIMARY: "primary text read",
    Confidence.QUOTED: "primary text read as a quotation",
    Confidence.SECONDARY: "secondary source",
    Confidence.MEMORY: "from memory, not checked",
    Confidence.HOUSE: "a rule of the house",
}
DRAFT: Final = "a draft: its law is weakly founded, and it is in force because house.toml names it"

Rows = Iterable[tuple[str, str]]


def page(rows: Rows) -> str:
    """Named lines, the names in a column of their own; empty ones are left out."""
    return "\n".join(f"{name:<10} {words}" for name, words in rows if words)


def moment(at: int) -> str:
    """An instant as people write it, to the second, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def decision_of(decision: Decision) -> dict[str, str]:
    """A decision as plain data."""
    reason = decision.reason
    return {"outcome": type(decision).__name__.lower(), "reason": reason.value, "words": reason.words}


def path_of(walked: Walk) -> list[dict[str, str | None]]:
    """The path of a decision as plain data; `answer` is None where nothing stood against it."""
    return [{"step": one.step, "question": one.question, "answer": one.answer} for one in walked.path]


def path_rows(path: Iterable[Mapping[str, Any]]) -> Rows:
    """The path as lines: each question, and whether it decided."""
    for number, asked in enumerate(path, 1):
        answer = "passed" if asked["answer"] is None else f"decides: {asked['answer']}"
        yield ("Path" if number == 1 else ""), f"{number} {asked['step']}: {asked['question']} -> {answer}"


def pack_of(found: Policy, jurisdiction: str) -> dict[str, Any]:
    """Which pack reads a jurisdiction, and how good it is."""
    return {
        "id": found.id,
        "title": found.pack.title,
        "law_version": found.pack.law_version,
        "status": found.pack.status,
        "version": found.hash,
        "read_as_unknown": found.id == UNKNOWN_JURISDICTION != jurisdiction,
    }


def law_of(rule: Rule, mail_type: MailType) -> dict[str, Any]:
    """What a rule asks in a kind of mail, with its source and how sure we are."""
    requirement = rule.needs(mail_type)
    exempt = requirement is Requirement.EXEMPT
    return {
        "requirement": requirement.value,
        "words": REQUIREMENTS[requirement],
        "conditions": [policy_schema.CONDITIONS[name] for name in rule.conditions] if exempt else [],
        "least_evidence": rule.least_grade.value,
        "source": rule.source,
        "confidence": f"{CONFIDENCE[rule.confidence]} ({rule.confidence.value})",
        "in_force": rule.in_force.isoformat() if rule.in_force else None,
        "note": rule.note,
    }


def house_of(found: Policy, law: Requirement, needed: Requirement, jurisdiction: str) -> dict[str, Any]:
    """What the house policy adds to the law."""
    regime = found.house.regimes.get(jurisdiction) or found.house.regimes.get(found.id)
    if regime is not None:
        words = f"the operator chose {regime.value} here"
    elif needed is law:
        words = "adds nothing to the law here"
    else:
        words = f"asks for more than the law here: {REQUIREMENTS[needed]}"
    return {"requirement": needed.value, "words": words, "notice": found.notice_for(jurisdiction)}


def uncertain_of(found: Policy, purpose: Purpose) -> list[str]:
    """What is uncertain about this purpose; then what is uncertain about the whole pack."""
    about: dict[str, list[str]] = {purpose.value: [], "pack": []}
    for sentence in found.pack.uncertain:
        subject, _, words = sentence.partition(": ")
        if subject in about:
            about[subject].append(words)
    return about[purpose.value] + ([] if purpose in RESERVED else about["pack"])


def rule_rows(value: Mapping[str, Any]) -> Rows:
    """Pack, law and house of one explanation as lines."""
    pack, law, house = value["pack"], value["law"], value["house"]
    yield "Pack", f"{pack['id']} ({pack['status']}, law of {pack['law_version']}): {pack['title']}"
    yield "Draft", DRAFT if pack["status"] == "draft" else ""
    if pack["read_as_unknown"]:
        yield "", f"no pack reads {value['jurisdiction']}; it is read as unknown, the strictest"
    yield "Version", pack["version"]
    yield "The law", f"{law['requirement']}: {law['words']}"
    yield from (("", f"if {condition}") for condition in law["conditions"])
    yield "Source", f"{law['source']} - {law['confidence']}"
    yield "In force", law["in_force"] or ""
    yield "Note", law["note"]
    yield "Evidence", f"at least: {law['least_evidence']}" if house["requirement"] == "consent" else ""
    yield "The house", f"{house['requirement']}: {house['words']}"
    yield "Notice", house["notice"] or ""


def decision_rows(value: Mapping[str, Any]) -> Rows:
    """The decision, the path to it and what is uncertain as lines."""
    decision = value["decision"]
    yield "Decision", f"{decision['outcome']} ({decision['reason']}): {decision['words']}"
    yield from path_rows(value["path"])
    yield from (("Uncertain", sentence) for sentence in value["uncertain"])
