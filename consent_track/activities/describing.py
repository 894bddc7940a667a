"""The record of processing activities (GDPR Art. 30(1)), from the code, the policies in force and the configuration.

Nobody writes it by hand: the activities are the modules of this folder, the data is the data map, the periods are those
the purge reads, and who gets the data is who is configured to.
"""

import pkgutil
from importlib import import_module
from typing import Any, Final

from consent_track.domain.policy import Requirement
from consent_track.records import datamap

from . import Processing, retaining

_NOT_AN_ACTIVITY: Final = frozenset({"entering", "scheduling", "telling", "papers", "wording", "packing", "describing"})
SECURITY: Final = (
    "Addresses, choices and letters are sealed with AES-SIV under a key of each person, which an erasure destroys.",
    "Those keys stand in a store of their own, wrapped by an epoch key that is rotated and destroyed every 30 days.",
    "The ledger of choices is a signed chain (SHA-256, Ed25519) that shows every change.",
    "Network addresses are kept as keyed pseudonyms of a prefix; the key of a day is destroyed within 48 hours.",
    "Tokens in mails are sealed and signed, with one power each; logs hold neither tokens nor addresses.",
)


def record(p: Processing, controller: int) -> dict[str, Any]:
    """The record of one controller, with the letters of Art. 30(1). Raises InputRefused (field `controller`)."""
    owner = p.controller(controller)
    return {
        "format": "consent_track record of processing activities 1",
        "a_controller": {
            "name": owner.name, "contact": owner.contact, "address": owner.postal_address,
            "joint_controllers": [one.name for one in owner.joint_controllers],
        },
        "b_purposes": _purposes(p),
        "b_activities": _activities(),
        "c_people": ["people who get mails of the controller, or asked for them"],
        "c_data": [{"table": held.table, "why": held.why} for held in datamap.about_people()],
        "d_recipients": [
            {"name": one.name, "role": one.role.value, "told_of_withdrawals": bool(one.webhook)}
            for one in owner.processors
        ],
        "e_transfers": sorted({one.country for one in owner.processors if one.country}),
        "f_periods": [
            {"table": held.table, "days": retaining.keep_days(p.policies, held.data_class)}
            if held.data_class
            else {"table": held.table, "until": held.bounded_by}
            for held in datamap.about_people()
        ],
        "g_security": list(SECURITY),
        "policies": {id_: policy.hash for id_, policy in sorted(p.policies.by_id.items())},
    }  # fmt: skip


def _purposes(p: Processing) -> list[dict[str, Any]]:
    """Every purpose that any law here allows, with what it needs where."""
    found: dict[str, dict[str, str]] = {}
    for id_, policy in sorted(p.policies.by_id.items()):
        for purpose, rule in policy.pack.rules.items():
            if rule.requirement is not Requirement.NEVER:
                found.setdefault(purpose.value, {})[id_] = rule.requirement.value
    return [{"purpose": purpose, "needs": needs} for purpose, needs in sorted(found.items())]


def _activities() -> list[dict[str, str]]:
    """The modules of this folder, each with the first sentence it says of itself."""
    package = __package__ or ""
    names = sorted(one.name for one in pkgutil.iter_modules(import_module(package).__path__))
    return [
        {"activity": name, "what": _first(import_module(f"{package}.{name}").__doc__ or "")}
        for name in names
        if name not in _NOT_AN_ACTIVITY
    ]


def _first(words: str) -> str:
    """The first paragraph of what a module says of itself, on one line."""
    return " ".join(words.split("\n\n")[0].split())
