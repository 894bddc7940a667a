"""How the exports of four mailing tools name things. A field has the names it goes by, the first one found counts."""

from dataclasses import dataclass, field
from typing import Final

from consent_track.domain.vocabulary import INDIVIDUAL

# What a line can be asked for. A purpose's own field holds the person's answer to being measured for it.
FIELDS: Final = (
    "email", "status", "status_reason", "contact_ban", "unsubscribed", "bounced", "complained", "objected",
    "asked_at", "confirmed_at", "ended_at", "locale", "source", "form", "jurisdiction", "collected_on", "notice_on",
    *sorted(INDIVIDUAL),
)  # fmt: skip
# Fields that say whether a line is a yes or a no; without one, a list of refusers would pass for subscribers.
TELLING: Final = ("status", "contact_ban", "unsubscribed", "bounced", "complained", "objected", "status_reason")


@dataclass(frozen=True, slots=True)
class Preset:
    """The names of one tool's columns, and how it writes times. `unsaid` is the status where no column tells it."""

    columns: dict[str, tuple[str, ...]]
    time_formats: tuple[str, ...] = ()
    unsaid: str = ""
    hint: str = "name the column with --map status=COLUMN, or say what the whole file is with --status"


PLAIN: Final = Preset({name: (name,) for name in FIELDS})

PRESETS: Final[dict[str, Preset]] = {
    # The audience export is three files, told apart by their columns; the API gives `status` and lower-case names.
    "mailchimp": Preset(
        columns={
            "email": ("Email Address", "email_address"),
            "status": ("Status",),
            "status_reason": ("UNSUB_REASON", "unsubscribe_reason"),
            "unsubscribed": ("UNSUB_TIME",),
            "bounced": ("CLEAN_TIME",),
            "asked_at": ("OPTIN_TIME", "timestamp_signup"),
            "confirmed_at": ("CONFIRM_TIME", "timestamp_opt"),
            "ended_at": ("UNSUB_TIME", "CLEAN_TIME"),
            "locale": ("Language",),
        },
        unsaid="subscribed",
    ),
    "brevo": Preset(
        columns={
            "email": ("EMAIL",),
            "status": ("EMAIL_MARKETING", "Email marketing", "Email marketing status", "email_marketing_status"),
            "contact_ban": ("EMAIL_BLACKLISTED", "emailBlacklisted", "BLACKLISTED", "BLOCKLISTED", "Email blocklisted"),
            "locale": ("LANGUAGE", "attributes.LANGUAGE"),
        },
        time_formats=("%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y"),
        hint="export with the subscription status, or say what the whole file is with --status",
    ),
    # `enabled` is the state of the account there; what a person chose stands in their lists and attributes.
    "listmonk": Preset(
        columns={
            "email": ("email",),
            "status": ("status",),
            "locale": ("attributes.language", "attribs.language", "attributes.lang"),
        },
    ),
    # The plain contact export leaves "do not contact" out; a report, or the API, has it.
    "mautic": Preset(
        columns={
            "email": ("email", "Email", "fields.all.email"),
            "contact_ban": ("doNotContact", "donotcontact", "do_not_contact", "Do Not Contact", "dnc_reason",
                            "DNC reason", "dnc", "reason"),
            "locale": ("preferred_locale", "Preferred Locale", "fields.all.preferred_locale"),
        },
        hint="the contact export leaves 'do not contact' out: export a report with its reason, or say --status",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody says of a file beside its preset."""

    preset: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    status: str = ""
    locale: str = ""
    source: str = ""
    jurisdiction: str = "ZZ"
    notice_on: str = ""
    time_format: str = ""
    time_zone: str = "UTC"
