"""How a decision was reached: each step that was asked, in its order, and what it answered, up to the one that decided.

The steps and the answer are those of `decision`; here they only get their questions in words (RE-09, GDPR Art. 5(2)).
"""

from dataclasses import dataclass
from typing import Final

from .consent import ConsentState
from .decision import STEPS, Decision, Message, Reason, Recipient, decide
from .policy import Policy, Requirement
from .vocabulary import Purpose

READABLE: Final = "readable"
RULE: Final = "rule"

QUESTIONS: Final[dict[str, str]] = {
    READABLE: "Is there a policy for this mail, and can the person's choices be read?",
    "scope": "Is the purpose one that can be served, and was it asked for in this mail?",
    "addressee": "Does the mail go to one known person at an address of their own, who was not erased?",
    "age": "Is the mail young enough to record, and is its date not in the future?",
    "person": "Does anything the person said or is stand against it: an objection, a restriction, their age, an "
    "unsubscription, a signal of their browser?",
    "mail": "Does the kind of mail or what it is about stand against it?",
}
RULES: Final[dict[Requirement, str]] = {
    Requirement.EXEMPT: "It is exempt while its conditions hold. Do they, and were people told?",
    Requirement.NOTICE: "It needs a notice. Is one recorded, and has the person said no?",
    Requirement.OPT_OUT: "It is lawful until the person objects, after a notice. Is one recorded, and was there a no?",
    Requirement.CONSENT: "It needs the person's consent. Was it given, does it still count, is it well enough proved?",
    Requirement.NEVER: "The policy allows it to nobody.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One step: its question, and the reason it gave. `answer` is None where nothing stood against the purpose."""

    step: str
    question: str
    answer: Reason | None


@dataclass(frozen=True, slots=True)
class Walk:
    """A decision with its path; the last step is the one that decided."""

    decision: Decision
    path: tuple[Asked, ...]


def walk(
    recipient: Recipient,
    message: Message,
    purpose: Purpose,
    state: ConsentState | None,
    policy: Policy | None,
    now: int,
) -> Walk:
    """Decide, and say how the decision was reached; the arguments are those of `decide`."""
    decision = decide(recipient, message, purpose, state, policy, now)
    if policy is None or message.mail_type is None or state is None:
        return Walk(decision, (Asked(READABLE, QUESTIONS[READABLE], decision.reason),))
    path = [Asked(READABLE, QUESTIONS[READABLE], None)]
    case = (recipient, message, purpose, state, policy, now)
    for name, step in STEPS.items():
        path.append(Asked(name, QUESTIONS[name], step(case)))
        if path[-1].answer:
            return Walk(decision, tuple(path))
    needed = policy.needs(purpose, message.mail_type, message.jurisdiction)
    return Walk(decision, (*path, Asked(RULE, RULES[needed], decision.reason)))
