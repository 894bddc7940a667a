"""A mail of the past: was there a pixel in it, why, under which policy and which choice, and what changed since."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from consent_track.activities import explaining
from consent_track.activities.explaining import Event, PastMail, Said
from consent_track.activities.retaining import keep_days
from consent_track.domain.comparison import Area, compare
from consent_track.domain.decision import DAY
from consent_track.domain.errors import PolicyRefused
from consent_track.domain.policy import Policies, Policy
from consent_track.domain.vocabulary import EXEMPT_MODES, Purpose, from_bits
from consent_track.domain.walk import walk
from consent_track.policy_files import stored_policy

from . import Home
from .policy_words import DRAFT, moment, page, path_of, path_rows

# What a picture in a mail can serve; everything else rides on it, or on a link.
PICTURES: Final = frozenset({Purpose.OPEN_PERFORMANCE}) | EXEMPT_MODES


def answer(
    home: Home, controller: int, address: str, on: date | None, message: int | None, campaign: str | None
) -> None:
    """Answer for every mail that the register has under this address and these words."""
    runtime = home.runtime()
    with runtime.reading() as p:
        found = explaining.past_mails(p, controller, address, on=on, message=message, campaign=campaign)
        known, kept = explaining.person(p, controller, address).recipient, keep_days(p.policies, "mailing_register")
        forgotten = on is not None and (p.now // DAY - kept) * DAY > _seconds(on)
    mails = [_told(runtime.policies, one) for one in found]
    silence = "" if mails else _silence(known.known, known.erased, kept if forgotten else None)
    home.emit({"mails": mails, "none": silence}, "\n\n".join(page(_rows(one)) for one in mails) or silence)


def _seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY


def _silence(known: bool, erased: bool, forgotten: int | None) -> str:
    """Why the register says nothing: an empty answer is an answer, and must not be taken for another."""
    if erased:
        return "This person was erased, and the register with them. `proof open` shows what is kept of their choices."
    if not known:
        return "Nobody is known under this address; no mail of theirs was measured individually."
    if forgotten is not None:
        return f"The register keeps {forgotten} days; that day is over."
    return "No mail was prepared for this person then."


def _told(policies: Policies, mail: PastMail) -> dict[str, Any]:
    """One mail as plain data."""
    row, said = mail.row, explaining.said_of(mail.row)
    served = from_bits(row.purposes)
    then = _policy_of(mail)
    now = policies.for_jurisdiction(row.jurisdiction)
    return {
        "message": row.message,
        "prepared_at": row.prepared_at,
        "campaign": row.campaign,
        "mail_type": row.mail_type,
        "jurisdiction": row.jurisdiction,
        "locale_of_notice": row.locale,
        "outcome": row.outcome,
        "reason": row.reason,
        "pixel": bool(served & PICTURES),
        "links": Purpose.CLICK_PERFORMANCE in served,
        "purposes": sorted(purpose.value for purpose in served),
        "decisions": [_decision(mail, said, purpose, then) for purpose in said.reasons],
        "policy": _version(mail, then),
        "consent_entry": row.consent_sequence,
        "changed_since": {
            "policy": _changes(row.policy_hash, then, now),
            "choice": [dict(event) for event in mail.since],
        },
    }


def _policy_of(mail: PastMail) -> Policy | None:
    try:
        return stored_policy(mail.policy.content) if mail.policy else None
    except PolicyRefused:
        return None


def _version(mail: PastMail, then: Policy | None) -> dict[str, Any]:
    kept = mail.policy
    return {
        "version": mail.row.policy_hash,
        "id": kept.id if kept else None,
        "law_version": then.pack.law_version if then else None,
        "status": then.pack.status if then else None,
        "in_use": [kept.first_used, kept.last_used] if kept else None,
    }


def _decision(mail: PastMail, said: Said, purpose: Purpose, then: Policy | None) -> dict[str, Any]:
    """What the register says of one purpose; and the path, walked again with the policy and the choices of then."""
    reason, choice = said.reasons[purpose], mail.state.choices.get(purpose)
    event = next((one for one in mail.events if choice and one["sequence"] == choice.sequence), None)
    walked = walk(said.recipient, said.message, purpose, mail.state, then, mail.row.prepared_at) if then else None
    return {
        "purpose": purpose.value,
        "reason": reason.value,
        "words": reason.words,
        "event": dict(event) if event else None,
        "path": path_of(walked) if walked else [],
        "walked_again": walked.decision.reason.value if walked else None,
    }


def _changes(version: str, then: Policy | None, now: Policy) -> dict[str, Any]:
    """Whether another policy reads this mail's jurisdiction today, and in what it differs."""
    if version == now.hash:
        return {"changed": False, "cells": []}
    changes = compare(then, now) if then else ()
    cells = [f"{one.area} {one.about}: {one.was or '-'} -> {one.becomes or '-'}" for one in changes
             if one.area is not Area.TEXT]  # fmt: skip
    return {"changed": True, "cells": cells}


def entry_of(event: Event) -> str:
    """One entry of the ledger as a line: its number, when, what, by whom and how well it is proved."""
    about = event["purpose"] or event["act"]
    return (
        f"ledger entry {event['sequence']} of {moment(event['occurred_at'])}: {event['status']} {about} "
        f"by {event['actor']} ({event['method']}, {event['grade']})"
    )


_OUTCOMES: Final = {True: "yes", False: "no"}


def _rows(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    policy, since = one["policy"], one["changed_since"]
    campaign = f", campaign {one['campaign']}" if one["campaign"] else ""
    yield "Mail", f"{moment(one['prepared_at'])}, number {one['message']}{campaign}"
    why = f" ({one['reason']})" if one["reason"] else ""
    yield "", f"{one['mail_type']}, {one['jurisdiction']}: {one['outcome']}{why}"
    yield "Pixel", f"{_OUTCOMES[one['pixel']]}; measured links: {_OUTCOMES[one['links']]}"
    yield "Served", ", ".join(one["purposes"]) or "no purpose"
    yield "Notice", f"in {one['locale_of_notice']}" if one["locale_of_notice"] else "none was put into the mail"
    law = f", law of {policy['law_version']}" if policy["law_version"] else ""
    yield "Policy", f"{policy['id'] or 'no longer kept'} {policy['version']}{law}"
    yield "", f"in use from {moment(policy['in_use'][0])}" if policy["in_use"] else ""
    yield "Draft", DRAFT if policy["status"] == "draft" else ""
    told: list[str] = []
    for decision in one["decisions"]:
        yield "Decision", f"{decision['purpose']}: {decision['reason']}: {decision['words']}"
        yield "Rests on", entry_of(decision["event"]) if decision["event"] else ""
        steps = [asked["step"] for asked in decision["path"]]
        yield from path_rows(decision["path"]) if steps != told else [("Path", f"the same {len(told)} steps")]
        told = steps
        if decision["walked_again"] not in (None, decision["reason"]):
            yield "", f"walked again it comes to {decision['walked_again']}: what has no history here was different"
    yield "Since then", "the policy is the same" if not since["policy"]["changed"] else "the policy has changed:"
    yield from (("", cell) for cell in since["policy"]["cells"])
    yield "", "the choices are the same" if not since["choice"] else "the choices have changed:"
    yield from (("", entry_of(event)) for event in since["choice"])
