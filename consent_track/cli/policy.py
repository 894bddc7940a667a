"""`policy`: check the rule packs, explain a decision to the person who must answer for it, sign off the texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from consent_track import policy_schema
from consent_track.bundled import bundled
from consent_track.config import FILE
from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.decision import THE_SUBJECT, Decision, Message, decide
from consent_track.domain.errors import ConfigurationRefused, InputRefused, PolicyRefused
from consent_track.domain.policy import Confidence, Policies, Policy, Requirement, Rule
from consent_track.domain.vocabulary import (
    RESERVED,
    UNKNOWN_JURISDICTION,
    Grade,
    MailType,
    Purpose,
    Status,
    is_jurisdiction,
)
from consent_track.i18n import load_wordings
from consent_track.policy_files import load_policies, replaced_packs

from . import Home, pass_home
from .wordings import sign_off

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
# An explanation is about no particular person or day; this instant stands for "now".
_NOW: Final = 1


@click.group()
def policy() -> None:
    """Check, explain and sign off the policies and texts."""


policy.add_command(sign_off)


def _folders(home: Home) -> tuple[tuple[Path, ...], Path]:
    """The installation's policies folders and its translations; without an installation, the shipped ones."""
    try:
        config = home.config()
    except ConfigurationRefused:
        if (home.folder() / FILE).exists():
            raise
        return (bundled("policies"),), bundled("translations")
    return config.policies_dirs, config.translations_dir


@policy.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@pass_home
def check(home: Home, files: Sequence[Path]) -> None:
    """Load every rule pack and the house policy, and FILES as if they stood in a last folder; print every problem."""
    folders, translations = _folders(home)
    has_text = load_wordings(translations).has_purpose
    try:
        loaded = load_policies(folders, purpose_texts=has_text, files=files)
        replaced = replaced_packs(folders, files=files)
    except PolicyRefused as refused:
        problems = [{"where": one.where, "what": one.what} for one in refused.problems]
        home.emit({"ok": False, "problems": problems}, "\n".join(str(one) for one in refused.problems))
        raise click.exceptions.Exit(1) from None
    versions = {id_: one.hash for id_, one in sorted(loaded.by_id.items())}
    lines = [f"{id_:<9} {version[:12]}  {loaded.by_id[id_].pack.title}" for id_, version in versions.items()]
    lines += [f"replaced: {one}" for one in replaced]
    home.emit({"ok": True, "versions": versions, "replaced": list(replaced), "problems": []}, "\n".join(lines))


@policy.command()
@click.option("--jurisdiction", default=UNKNOWN_JURISDICTION, help="ISO 3166 code; unknown is the strictest.")
@click.option("--purpose", required=True, type=click.Choice([purpose.value for purpose in Purpose]))
@click.option("--mail-type", required=True, type=click.Choice([mail_type.value for mail_type in MailType]))
@click.option(
    "--status",
    default=Status.UNKNOWN.value,
    show_default=True,
    type=click.Choice([status.value for status in Status]),
    help="Where the person's choice for this purpose stands.",
)
@pass_home
def explain(home: Home, jurisdiction: str, purpose: str, mail_type: str, status: str) -> None:
    """Say what the law asks, what the house policy adds, and how the decision falls."""
    if not is_jurisdiction(jurisdiction):
        raise InputRefused.one("--jurisdiction", f"{jurisdiction!r} is not an ISO 3166 code such as FR or US-CA")
    policies = load_policies(_folders(home)[0])
    value = explained(policies, jurisdiction, Purpose(purpose), MailType(mail_type), Status(status))
    home.emit(value, _in_words(value))


def explained(
    policies: Policies, jurisdiction: str, purpose: Purpose, mail_type: MailType, status: Status
) -> dict[str, Any]:
    """The path of one decision as plain data: pack, law, house, decision, and what is uncertain about it (RE-09)."""
    found = policies.for_jurisdiction(jurisdiction)
    rule = found.pack.rules[purpose]
    needed = found.needs(purpose, mail_type, jurisdiction)
    decision = _decide(found, jurisdiction, purpose, mail_type, status)
    return {
        "jurisdiction": jurisdiction,
        "purpose": purpose.value,
        "mail_type": mail_type.value,
        "status": status.value,
        "pack": {
            "id": found.id,
            "title": found.pack.title,
            "law_version": found.pack.law_version,
            "status": found.pack.status,
            "version": found.hash,
            "read_as_unknown": found.id == UNKNOWN_JURISDICTION != jurisdiction,
        },
        "law": _law(rule, mail_type),
        "house": _house(found, rule.needs(mail_type), needed, jurisdiction),
        "decision": {
            "outcome": type(decision).__name__.lower(),
            "reason": decision.reason.value,
            "words": decision.reason.words,
        },
        "uncertain": _uncertain(found, purpose),
    }


def _decide(found: Policy, jurisdiction: str, purpose: Purpose, mail_type: MailType, status: Status) -> Decision:
    choices = {} if status is Status.UNKNOWN else {purpose: Choice(status, _NOW, Grade.MAILBOX_LOOP)}
    message = Message(mail_type, jurisdiction, frozenset({purpose}), _NOW)
    return decide(THE_SUBJECT, message, purpose, ConsentState(choices), found, _NOW)


def _law(rule: Rule, mail_type: MailType) -> dict[str, Any]:
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


def _house(found: Policy, law: Requirement, needed: Requirement, jurisdiction: str) -> dict[str, Any]:
    regime = found.house.regimes.get(jurisdiction) or found.house.regimes.get(found.id)
    if regime is not None:
        words = f"the operator chose {regime.value} here"
    elif needed is law:
        words = "adds nothing to the law here"
    else:
        words = f"asks for more than the law here: {REQUIREMENTS[needed]}"
    return {"requirement": needed.value, "words": words, "notice": found.notice_for(jurisdiction)}


def _uncertain(found: Policy, purpose: Purpose) -> list[str]:
    """What is uncertain about this purpose; then what is uncertain about the whole pack."""
    about: dict[str, list[str]] = {purpose.value: [], "pack": []}
    for sentence in found.pack.uncertain:
        subject, _, words = sentence.partition(": ")
        if subject in about:
            about[subject].append(words)
    return about[purpose.value] + ([] if purpose in RESERVED else about["pack"])


def _in_words(value: Mapping[str, Any]) -> str:
    pack, law, house, decision = value["pack"], value["law"], value["house"], value["decision"]
    unknown = (
        f"no pack reads {value['jurisdiction']}; it is read as unknown, the strictest"
        if pack["read_as_unknown"]
        else ""
    )
    rows = [
        ("Question", f"{value['purpose']} in {value['mail_type']}, {value['jurisdiction']}, consent {value['status']}"),
        ("Pack", f"{pack['id']} ({pack['status']}, law of {pack['law_version']}): {pack['title']}"),
        ("", unknown),
        ("Version", pack["version"]),
        ("The law", f"{law['requirement']}: {law['words']}"),
        *(("", f"if {condition}") for condition in law["conditions"]),
        ("Source", f"{law['source']} - {law['confidence']}"),
        ("In force", law["in_force"] or ""),
        ("Note", law["note"]),
        ("Evidence", f"at least: {law['least_evidence']}" if house["requirement"] == "consent" else ""),
        ("The house", f"{house['requirement']}: {house['words']}"),
        ("Notice", house["notice"] or ""),
        ("Decision", f"{decision['outcome']} ({decision['reason']}): {decision['words']}"),
        *(("Uncertain", sentence) for sentence in value["uncertain"]),
    ]
    return "\n".join(f"{name:<10} {words}" for name, words in rows if words)
