"""How a golden table of the law is drawn: rows are purposes, columns are kinds of mail, as a lawyer reads it."""

from consent_track.domain.consent import ConsentState
from consent_track.domain.policy import Policies
from consent_track.domain.vocabulary import RESERVED, MailType, Purpose
from tests.domain.people import answer

PURPOSES = [purpose for purpose in Purpose if purpose not in RESERVED]
COLUMNS = {
    "login": MailType.AUTHENTICATION,  # code, reset, activation
    "order": MailType.TRANSACTIONAL,  # order, invoice, shipping, alert
    "duty": MailType.LEGALLY_REQUIRED,  # breach notice, contract change, fraud warning
    "news": MailType.REQUESTED_NEWSLETTER,  # newsletter the person consented to receive
    "soft": MailType.SOFT_OPT_IN,
    "b2b": MailType.B2B_PROSPECTING,
    "ask": MailType.CONSENT_REQUEST,  # the mail that asks for consent to the measuring
}
Table = dict[str, dict[str, str]]


def read(text: str) -> Table:
    """A text table as row -> column -> cell; its first line names the columns."""
    head, *lines = text.strip().splitlines()
    names = head.split()
    found = {}
    for line in lines:
        name, *cells = line.split()
        found[name] = dict(zip(names, cells, strict=True))
    return found


def law(policies: Policies, code: str) -> Table:
    """What the law asks. `no`: not even with consent, because the mail itself asks for it."""
    pack = policies.for_jurisdiction(code).pack
    return {
        purpose.value: {
            name: "no" if mail_type is MailType.CONSENT_REQUEST else pack.rules[purpose].needs(mail_type).value
            for name, mail_type in COLUMNS.items()
        }
        for purpose in PURPOSES
    }


# Short words for the tables of decisions.
_SHORT = {
    "yes: consent_given": "yes",
    "no: withdrawn": "withdrawn",
    "no: no_consent": "never-said",
    "no: mode_not_available": "off",  # exempt and aggregate modes: not in this version
    "no: consent_request_mail": "asks",
}


def decisions(policies: Policies, code: str, state: ConsentState) -> Table:
    """How it falls for one person, in the short words above."""
    return {
        purpose.value: {
            name: _SHORT[answer(policies, state, purpose, jurisdiction=code, mail_type=mail_type)]
            for name, mail_type in COLUMNS.items()
        }
        for purpose in PURPOSES
    }
