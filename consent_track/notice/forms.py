"""Which slots a jurisdiction asks for, in which order; a slot it asks for and that would be empty is an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consent_track.domain.controller import Controller
from consent_track.domain.errors import InputRefused, Problem
from consent_track.domain.policy import Policy
from consent_track.i18n import Texts

from .facts import facts_of
from .slots import SLOTS, Slot, Words


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of notice. `standalone`: it must be a document of its own, not a part of another."""

    title: str
    slots: tuple[str, ...]
    needed: frozenset[str]
    standalone: bool = False


# GDPR Art. 13(1)-(2); Garante 284/2026; PECR reg. 6. The order: what happens, what you can do, whom you can ask.
GENERAL: Final = Form(
    "notice.title",
    ("who", "purposes", "data", "kept", "recipients", "refuse", "signals", "decisions", "consequences", "complain"),
    frozenset({"who", "purposes", "data", "kept", "recipients", "refuse", "signals", "consequences", "complain"}),
)
FORMS: Final[Mapping[str, Form]] = {
    # Cal. Civ. Code 1798.100(a); 11 CCR 7012; Bus. and Prof. Code 22575(b)(5) for the signals.
    "US-CA": Form(
        "notice.ca_title",
        ("who", "categories", "purposes", "recipients", "opt_out", "signals", "decisions", "consequences", "policy"),
        frozenset({"who", "categories", "purposes", "recipients", "opt_out", "signals", "policy"}),
    ),
    # DPDP Rules 2025, Rule 3: alone, itemised, with three links. Its five slots are the first five (CC-20).
    "IN": Form(
        "notice.title",
        ("data", "purposes", "withdraw", "rights", "complaint", "who", "kept", "recipients", "signals", "consequences"),
        frozenset({"data", "purposes", "withdraw", "rights", "complaint"}),
        standalone=True,
    ),
}
_SETTING: Final = {"complaint": "controller: complaints"}


@dataclass(frozen=True, slots=True)
class Notice:
    """A whole notice in one locale, and from which policy it was made."""

    locale: str
    direction: str
    jurisdiction: str
    policy: Policy
    title: str
    slots: tuple[Slot, ...]
    standalone: bool


def compose(texts: Texts, policy: Policy, controller: Controller, jurisdiction: str, public_url: str) -> Notice:
    """The notice that is true here and now. Raises InputRefused naming what it needs and does not have."""
    facts = facts_of(policy, controller, jurisdiction, public_url)
    if not facts.purposes:
        raise InputRefused.one("policies", f"let nobody be measured in {jurisdiction}: there is nothing to tell")
    form = FORMS.get(jurisdiction, GENERAL)
    say = Words(texts, facts)
    slots = [SLOTS[key](say) for key in form.slots]
    missing = [slot.key for slot in slots if slot.empty and slot.key in form.needed]
    if missing:
        what = f"is missing: the notice of {jurisdiction} needs it"
        raise InputRefused([Problem(_SETTING.get(key, key), what) for key in missing])
    title = texts.get(form.title, controller=say.name)
    told = tuple(slot for slot in slots if not slot.empty)
    return Notice(texts.locale, texts.direction, jurisdiction, policy, title, told, form.standalone)
