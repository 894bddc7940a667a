"""What may stand in a rule pack and in the house policy: every key, its kind of value and its bounds.

A key that is not here is a load error: a misspelt rule must not quietly do nothing. Nothing here reads a file.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from consent_track.domain.policy import Confidence, Requirement
from consent_track.domain.vocabulary import Grade, MailType

# What is wrong with a value, in words that follow its key; None where nothing is.
Check = Callable[[Any], str | None]


def whole(least: int, most: int) -> Check:
    """A whole number within bounds; `true` is none."""

    def check(value: Any) -> str | None:
        right = type(value) is int and least <= value <= most
        return None if right else f"must be a whole number from {least} to {most}, not {value!r}"

    return check


def word(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: Any) -> str | None:
        right = isinstance(value, str) and value in allowed
        return None if right else f"must be one of {', '.join(allowed)}, not {value!r}"

    return check


def words(*allowed: str) -> Check:
    """A list of words without repetition; any words, where none are named."""

    def check(value: Any) -> str | None:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            return f"must be a list of words, not {value!r}"
        if len(set(value)) < len(value):
            return "names a word twice"
        unknown = sorted(set(value) - set(allowed)) if allowed else []
        return f"{unknown[0]!r} is not one of {', '.join(allowed)}" if unknown else None

    return check


def text(value: Any) -> str | None:
    """Some text that is not blank."""
    return None if isinstance(value, str) and value.strip() else f"must be a text, not {value!r}"


def yes_no(value: Any) -> str | None:
    """`true` or `false`, unquoted."""
    return None if isinstance(value, bool) else f"must be true or false, not {value!r}"


def day(value: Any) -> str | None:
    """A date without a time, unquoted: 2026-07-14."""
    right = isinstance(value, date) and not isinstance(value, datetime)
    return None if right else f"must be a date such as 2026-07-14, not {value!r}"


LONGEST_KEPT: Final = 36_525  # a hundred years: "as long as the controller sends mail". Days.

# Read by the decision, the collector, the worker and the pages: `Policy.number`.
PARAMETERS: Final[dict[str, Check]] = {
    "token_life_days": whole(1, 396),  # TI-09: at most 13 months
    "signal_waiver": whole(0, 1),
    "erase_after_withdrawal_days": whole(0, 31),
    "ip_pseudonym_days": whole(0, 30),  # RT-03
    "re_ask_cooldown_months": whole(0, 120),
    "unsubscribe_max_hours": whole(0, 240),
    "dnt": word("refusal", "ignore"),
}
# Clocks and limits that a pack may add; where one is silent, nothing runs. Read by `Policy.limit`.
OPTIONAL_PARAMETERS: Final[dict[str, Check]] = {
    "consent_lapse_months": whole(1, 120),  # an older consent no longer counts
    "reconfirm_months": whole(1, 120),  # CC-19: ask the person again whether it still stands
    "result_notice_days": whole(1, 366),  # CC-19: tell the person what became of their choice
    "silence_days": whole(1, 366),  # CC-07: a question nobody answered for so long is a refusal
    "sensitive_opens": whole(0, 1),  # TI-15: 0 declines opens of a sensitive mail, too
    "aggregate_min_audience": whole(50, 10_000_000),  # TI-06: fewer people than this, and no opens are counted
}
NUMBERS: Final = frozenset(PARAMETERS) - {"dnt"}
HOUSE_NUMBERS: Final = NUMBERS | frozenset(OPTIONAL_PARAMETERS)

RETENTION_CLASSES: Final = tuple(
    """hits mailing_register consent_proof suppression request_log purge_evidence key_evidence decline_counts
    policy_versions spool_cursors sign_offs""".split()
)

# What must hold for an exemption to hold. A condition without words here is a load error.
CONDITIONS: Final[dict[str, str]] = {
    "exclusive_purpose": "the measurement serves this purpose and no other",
    "user_centred": "it protects the person's own account, not the sender's interests",
    "requested_mail": "the mail was requested or consented to; prospecting is not",
    "last_open_day_only": "only the last day of an open is kept, overwritten each time: no time, address or count",
    "authentication_flow": "the mail is a step of logging in, activating or changing a password",
    "legal_duty_to_send": "the controller has a legal duty to send the mail",
    "actual_knowledge_matters": "it matters that the person really learns of it",
    "same_pixel_for_all_recipients_of_campaign": "every recipient of the campaign gets the same pixel",
    "ip_and_client_anonymised": "network address and client data are anonymised before any use",
}

_UNITS: Final = {"mo": "calendar months", "cd": "calendar days", "bd": "business days", "hours": "hours"}
_LENGTH: Final = whole(0, 3_660)

# Parameters of the law that no code reads yet; they stand here so that there is never a second source of them.
# Section -> key -> (kind of value, whether it is a length of time and so has a unit).
SECTIONS: Final[dict[str, dict[str, tuple[Check, bool]]]] = {
    "consent": {
        "bundled_with_mail_consent": (yes_no, False),
        "legal_bases": (words(), False),
        "proof": (text, False),
        "refusal": (text, False),
        "withdrawal_effect": (text, False),
        "withdrawal_link_in_every_mail": (yes_no, False),
        "withdrawal_link_apart_from_unsubscribe": (yes_no, False),
        "withdrawal_login": (yes_no, False),
        "withdrawal_clicks_at_most": (whole(1, 10), False),
        "token_rule": (text, False),
        "child_below_years": (whole(1, 25), False),
        "consent_manager_from": (day, False),
        "proof_after_last_mail": (_LENGTH, True),
        "risk_assessment_if": (words(), False),
    },
    "requests": {
        "acknowledge_within": (_LENGTH, True),
        "answer_within": (_LENGTH, True),
        "extension": (_LENGTH, True),
        "clock": (word("receipt", "receipt_even_if_unverified"), False),
        "rollover": (word("reg_1182_71", "none"), False),
        "pause": (words("identity", "clarification"), False),
        "search": (text, False),
        "answer_rule": (text, False),
        "opt_out_within": (_LENGTH, True),
        "opt_out_rule": (text, False),
        "opt_out_verification": (yes_no, False),
        "opt_out_confirmed": (yes_no, False),
        "opt_out_first_when_combined": (yes_no, False),
        "limit_within": (_LENGTH, True),
        "appeal_within": (_LENGTH, True),
        "complaint_acknowledge_within": (_LENGTH, True),
        "complaint_electronic_form": (yes_no, False),
        "know_back_to": (day, False),
        "yearly_numbers_from_consumers": (whole(0, 10**9), False),
    },
    "signals": {
        "gpc": (word("must", "must_in_listed_states", "honour_as_refusal"), False),
        "gpc_in_force": (day, False),
        "gpc_states": (words(), False),
        "gpc_not_required_in": (words(), False),
        "gpc_confirmation_display": (word("must", "offered"), False),
        "gpc_prompt_to_verify": (word("forbidden", "not_used"), False),
    },
    "unsubscribe": {
        "honour_within": (_LENGTH, True),
        "alive_for": (_LENGTH, True),
        "login_allowed": (yes_no, False),
    },
    "network": {
        "key_rotation": (_LENGTH, True),
    },
    "breach": {
        "authority_within": (_LENGTH, True),
        "record_for": (_LENGTH, True),
    },
    "purge": {
        "destroy_within": (_LENGTH, True),
    },
}
# Of these, what every pack must say.
REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "consent": ("bundled_with_mail_consent", "legal_bases", "withdrawal_effect"),
    "requests": ("acknowledge_within", "answer_within", "extension", "clock", "opt_out_within"),
    "signals": ("gpc",),
    "network": ("key_rotation",),
}

CONFIDENCES: Final = tuple(confidence.value for confidence in Confidence)
# How a figure is founded; every figure of a pack has these keys, and no other.
_FOUNDATION: Final[dict[str, Check]] = {"source": text, "confidence": word(*CONFIDENCES)}
_FOUNDATION_OPTIONAL: Final[dict[str, Check]] = {"in_force": day, "note": text}

Shape = tuple[Mapping[str, Check], Mapping[str, Check]]  # keys that must be there, keys that may be

PACK: Final[Shape] = (
    {"id": text, "title": text, "status": word("released", "draft"), "law_version": text, "covers": words()},
    {"uncertain": words()},
)
RULE: Final[Shape] = (
    {
        "requirement": word(*(requirement.value for requirement in Requirement)),
        "least_grade": word(*(grade.value for grade in Grade)),
        **_FOUNDATION,
    },
    {
        "mail_types": words(*MailType),
        "otherwise": word(*(requirement.value for requirement in Requirement)),
        "conditions": words(*CONDITIONS),
        "may_store": words(),
        "may_not_store": words(),
        "admt": yes_no,  # it feeds automated decisions about people (GDPR Art. 22; CCPA regulations on ADMT)
        "assessment": text,  # the reference of their assessment, which people are told
        **_FOUNDATION_OPTIONAL,
    },
)
RETENTION: Final[Shape] = (
    {"min_days": whole(0, LONGEST_KEPT), "max_days": whole(0, LONGEST_KEPT), **_FOUNDATION},
    _FOUNDATION_OPTIONAL,
)
LEGACY: Final[Shape] = (
    {"collected_before": day, "need": text, "mode": word("opt_out"), **_FOUNDATION},
    {"noticed_by": day, "note": text},
)


def figure(value: Check, *, length: bool = False) -> Shape:
    """A value with its foundation; a length of time names its unit, too."""
    unit: dict[str, Check] = {"unit": word(*_UNITS)} if length else {}
    return {"value": value, **unit, **_FOUNDATION}, _FOUNDATION_OPTIONAL


# A choice of the operator. `regimes` may loosen what the house asks by default, never what the law asks.
HOUSE: Final[Shape] = (
    {
        "individual": word("consent", "never"),
        "foreign_trackers": word("strip", "refuse"),
        "signed_foreign_trackers": word("refuse", "pass"),
    },
    {"drafts": words(), "legacy_regimes": words(), "proof_on_erasure": word("keep", "erase")},
)
REGIME: Final = word("notice", "opt_out", "consent", "never")
