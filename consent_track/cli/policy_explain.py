"""`policy explain`: the path of one decision in words, for anybody, for one person today, or for a mail of the past."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import click

from consent_track.activities import explaining
from consent_track.domain.composition import Composition, Conflict, Law, compose, decide_under
from consent_track.domain.consent import Choice, ConsentState
from consent_track.domain.decision import THE_SUBJECT, Message, Recipient
from consent_track.domain.errors import InputRefused
from consent_track.domain.policy import Policies
from consent_track.domain.vocabulary import UNKNOWN_JURISDICTION, Grade, MailType, Purpose, Status, is_jurisdiction
from consent_track.domain.walk import walk
from consent_track.policy_files import load_policies

from . import Home, pass_home, policy_past
from .policy_folders import folders_of
from .policy_words import (
    decision_of,
    decision_rows,
    house_of,
    law_of,
    pack_of,
    page,
    path_of,
    rule_rows,
    uncertain_of,
)

# An explanation is about no particular person or day; this instant stands for "now".
_NOW: Final = 1


@click.command()
@click.option(
    "--jurisdiction",
    "jurisdictions",
    multiple=True,
    help="ISO 3166 code; unknown is the strictest. Given several times: several laws on one person.",
)
@click.option("--purpose", type=click.Choice([purpose.value for purpose in Purpose]))
@click.option("--mail-type", type=click.Choice([mail_type.value for mail_type in MailType]))
@click.option(
    "--status",
    type=click.Choice([status.value for status in Status]),
    help="Where a person's choice for this purpose would stand; default: unknown.",
)
@click.option("--address", help="One person: as they stand today, or with --as-of their mails of that day.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day a mail was prepared, UTC.")
@click.option("--message", type=int, help="One mail by its number in the register.")
@click.option("--campaign", help="The mails of one campaign.")
@click.option("--controller", type=int, default=1, show_default=True, help="Number of the controller.")
@pass_home
def explain(
    home: Home,
    jurisdictions: tuple[str, ...],
    purpose: str | None,
    mail_type: str | None,
    status: str | None,
    address: str | None,
    as_of: datetime | None,
    message: int | None,
    campaign: str | None,
    controller: int,
) -> None:
    """Say what the law asks, what the house policy adds, and how the decision falls, step by step.

    For anybody: --purpose and --mail-type. For a mail of the past: --address with --as-of, --message or --campaign.
    """
    past = as_of is not None or message is not None or campaign is not None
    if past:
        if address is None or purpose or mail_type or status or jurisdictions:
            raise click.UsageError("A mail of the past is named by --address with --as-of, --message or --campaign.")
        policy_past.answer(home, controller, address, as_of.date() if as_of else None, message, campaign)
        return
    if purpose is None or mail_type is None:
        raise click.UsageError("--purpose and --mail-type are needed; for a mail of the past: --address and --as-of.")
    if address is not None and status is not None:
        raise click.UsageError("--status is for nobody in particular; with --address it is read.")
    codes = jurisdictions or (UNKNOWN_JURISDICTION,)
    for code in codes:
        if not is_jurisdiction(code):
            raise InputRefused.one("--jurisdiction", f"{code!r} is not an ISO 3166 code such as FR or US-CA")
    policies = load_policies(folders_of(home)[0])
    who = _person(home, controller, address, Purpose(purpose)) if address else _anybody(Purpose(purpose), status)
    value, text = _explained(policies, codes, Purpose(purpose), MailType(mail_type), who)
    home.emit(value, text)


@dataclass(frozen=True, slots=True)
class Who:
    """Whom an explanation is about: what a decision reads of them, at which moment; `event` is their ledger entry."""

    recipient: Recipient
    state: ConsentState
    now: int
    status: Status
    event: Mapping[str, Any] | None = None


def _anybody(purpose: Purpose, status: str | None) -> Who:
    """Somebody whose choice stands like this, and of whom nothing else is known."""
    stands = Status(status or Status.UNKNOWN)
    choices = {} if stands is Status.UNKNOWN else {purpose: Choice(stands, _NOW, Grade.MAILBOX_LOOP)}
    return Who(THE_SUBJECT, ConsentState(choices), _NOW, stands)


def _person(home: Home, controller: int, address: str, purpose: Purpose) -> Who:
    """One person as they stand now, with the entry of the ledger that their choice rests on."""
    with home.runtime().reading() as p:
        found = explaining.person(p, controller, address)
        now = p.now
    choice = found.state.choices.get(purpose)
    event = next((one for one in found.events if choice and one["sequence"] == choice.sequence), None)
    return Who(found.recipient, found.state, now, choice.status if choice else Status.UNKNOWN, event)


def explained(
    policies: Policies, jurisdiction: str, purpose: Purpose, mail_type: MailType, status: Status
) -> dict[str, Any]:
    """The path of one decision as plain data: pack, law, house, decision, and what is uncertain about it (RE-09)."""
    return _one(policies, jurisdiction, purpose, mail_type, _anybody(purpose, status))


def _one(policies: Policies, jurisdiction: str, purpose: Purpose, mail_type: MailType, who: Who) -> dict[str, Any]:
    found = policies.for_jurisdiction(jurisdiction)
    rule = found.pack.rules[purpose]
    needed = found.needs(purpose, mail_type, jurisdiction)
    message = Message(mail_type, jurisdiction, frozenset({purpose}), who.now)
    walked = walk(who.recipient, message, purpose, who.state, found, who.now)
    return {
        "jurisdiction": jurisdiction,
        "purpose": purpose.value,
        "mail_type": mail_type.value,
        "status": who.status.value,
        "pack": pack_of(found, jurisdiction),
        "law": law_of(rule, mail_type),
        "house": house_of(found, rule.needs(mail_type), needed, jurisdiction),
        "decision": decision_of(walked.decision),
        "path": path_of(walked),
        "event": dict(who.event) if who.event else None,
        "uncertain": uncertain_of(found, purpose),
    }


def _explained(
    policies: Policies, codes: Sequence[str], purpose: Purpose, mail_type: MailType, who: Who
) -> tuple[dict[str, Any], str]:
    """Plain data and words, for one law or for several on one person."""
    each = [_one(policies, code, purpose, mail_type, who) for code in dict.fromkeys(codes)]
    question = f"{purpose} in {mail_type}, {', '.join(dict.fromkeys(codes))}, consent {who.status}"
    rows = [("Question", question), ("Rests on", policy_past.entry_of(who.event) if who.event else "")]
    if len(each) == 1:
        return each[0], page([*rows, *rule_rows(each[0]), *decision_rows(each[0])])
    laws = [Law(code, policies.for_jurisdiction(code)) for code in dict.fromkeys(codes)]
    message = Message(mail_type, laws[0].jurisdiction, frozenset({purpose}), who.now)
    decision = decision_of(decide_under(laws, who.recipient, message, purpose, who.state, who.now))
    together = compose(laws)
    value = {
        "jurisdictions": [law.jurisdiction for law in laws],
        "purpose": purpose.value,
        "mail_type": mail_type.value,
        "status": who.status.value,
        "laws": each,
        "requirement": together.requirements[purpose, mail_type].value,
        "least_evidence": together.least_grades[purpose].value,
        "decision": decision,
        "conflicts": [_conflict(one) for one in together.conflicts],
        "kept": {name: asdict(one) for name, one in together.retention.items() if one.min_days},
    }
    for one in each:
        rows += [("", " "), ("Under", one["jurisdiction"]), *rule_rows(one), *decision_rows(one)]
    return value, page([*rows, ("", " "), *_together_rows(value, together, purpose)])


def _conflict(one: Conflict) -> dict[str, Any]:
    said = dict(one.said)
    return {"about": one.about, "said": said, "holds": one.holds, "why": one.why, "contradiction": one.contradiction}


def _together_rows(value: Mapping[str, Any], together: Composition, purpose: Purpose) -> Iterator[tuple[str, str]]:
    """What holds under all the laws: the answer, then what they say differently, then what has to be kept."""
    decision = value["decision"]
    yield "Together", f"{value['requirement']}: the strictest holds; evidence at least: {value['least_evidence']}"
    yield "Decision", f"{decision['outcome']} ({decision['reason']}): {decision['words']}"
    others = {str(other) for other in Purpose} - {purpose.value}
    for one in together.conflicts:
        if not others.intersection(one.about.split()):
            said = ", ".join(f"{code} {words}" for code, words in one.said)
            kind = "contradiction: " if one.contradiction else ""
            yield "Conflict", f"{one.about}: {said} -> {kind}{one.holds} ({one.why})"
    for name, kept in sorted(together.retention.items()):
        if kept.min_days:
            yield "Kept", f"{name}: at least {kept.min_days} days, at most {kept.max_days}; the purge uses {kept.days}"
