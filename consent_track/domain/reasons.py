"""Why a decision fell as it did: one word for each reason, and one sentence for people."""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a decision fell as it did. The value stands in registers and counters: append, never rename."""

    CONSENT_GIVEN = "consent_given"
    LEGACY_REGIME = "legacy_regime"
    NOTICE_GIVEN = "notice_given"

    POLICY_MISSING = "policy_missing"
    STATE_UNAVAILABLE = "state_unavailable"
    OUT_OF_SCOPE = "out_of_scope"
    PURPOSE_RESERVED = "purpose_reserved"
    SUBJECT_UNKNOWN = "subject_unknown"
    ERASED = "erased"
    ROLE_ADDRESS = "role_address"
    SEVERAL_RECIPIENTS = "several_recipients"
    CONSENT_REQUEST_MAIL = "consent_request_mail"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    ISSUED_IN_THE_FUTURE = "issued_in_the_future"
    OBJECTED = "objected"
    RESTRICTED = "restricted"
    MINOR = "minor"
    MAIL_ENDED = "mail_ended"
    SIGNAL = "signal"
    MODE_NOT_AVAILABLE = "mode_not_available"
    SENSITIVE_MAIL = "sensitive_mail"
    NEVER_ALLOWED = "never_allowed"
    NO_CONSENT = "no_consent"
    NOT_ANSWERED = "not_answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_REVOKED = "consent_revoked"
    BEFORE_CONSENT = "before_consent"
    EVIDENCE_TOO_WEAK = "evidence_too_weak"
    NOTICE_MISSING = "notice_missing"
    CARRIER_DECLINED = "carrier_declined"
    CONSENT_LAPSED = "consent_lapsed"
    EXEMPT = "exempt"
    AGGREGATE = "aggregate"
    AUDIENCE_TOO_SMALL = "audience_too_small"
    CONDITION_UNMET = "condition_unmet"

    @property
    def words(self) -> str:
        """One English sentence for compliance teams and logs; recipients read the texts of their locale instead."""
        return _WORDS[self]


_WORDS: Final[dict[Reason, str]] = {
    Reason.CONSENT_GIVEN: "The person gave consent for this purpose, and it stands.",
    Reason.LEGACY_REGIME: "The address is older than the cut-off, the person was told in time and did not object.",
    Reason.NOTICE_GIVEN: "This jurisdiction asks for a notice; it is recorded, and the person has not objected.",
    Reason.POLICY_MISSING: "No policy could be read for this jurisdiction.",
    Reason.STATE_UNAVAILABLE: "The state of the person's choices could not be read, or was too old to rely on.",
    Reason.OUT_OF_SCOPE: "The token was not issued for this purpose; a later consent never widens it.",
    Reason.PURPOSE_RESERVED: "This purpose is reserved and always declined.",
    Reason.SUBJECT_UNKNOWN: "Nobody is known under this address.",
    Reason.ERASED: "The person asked for erasure.",
    Reason.ROLE_ADDRESS: "A role or shared address is never measured individually.",
    Reason.SEVERAL_RECIPIENTS: "The mail goes to several people; nobody in it is measured.",
    Reason.CONSENT_REQUEST_MAIL: "A mail that asks for consent carries no measuring itself.",
    Reason.TOKEN_EXPIRED: "The token is older than the policy lets it record.",
    Reason.ISSUED_IN_THE_FUTURE: "The token claims to be issued later than now; a clock is wrong.",
    Reason.OBJECTED: "The person objected (GDPR Art. 21); that overrides every basis.",
    Reason.RESTRICTED: "Processing is restricted (GDPR Art. 18).",
    Reason.MINOR: "The person is a minor.",
    Reason.MAIL_ENDED: "The person unsubscribed; the measuring ended with the mail.",
    Reason.SIGNAL: "The person's browser sent Sec-GPC: 1, which is honoured as a refusal.",
    Reason.MODE_NOT_AVAILABLE: "This mode is off: it is not built, or the operator has recorded no notice for it.",
    Reason.SENSITIVE_MAIL: "The mail is about something sensitive (GDPR Art. 9); its links are not measured.",
    Reason.NEVER_ALLOWED: "The policy does not allow this purpose in this kind of mail.",
    Reason.NO_CONSENT: "The person was never asked; unknown is not consent.",
    Reason.NOT_ANSWERED: "The person was asked and has not answered; silence is refusal.",
    Reason.REFUSED: "The person refused.",
    Reason.WITHDRAWN: "The person withdrew consent; this includes mails already sent.",
    Reason.CONSENT_EXPIRED: "The consent has lapsed.",
    Reason.CONSENT_REVOKED: "The consent was revoked or found invalid.",
    Reason.BEFORE_CONSENT: "This happened before the consent that now stands was given.",
    Reason.EVIDENCE_TOO_WEAK: "The evidence of the consent is of a lower grade than the policy asks for.",
    Reason.NOTICE_MISSING: "This regime needs a notice, and none is recorded.",
    Reason.CARRIER_DECLINED: "The measuring this purpose would ride on is declined.",
    Reason.CONSENT_LAPSED: "The consent is older than the policy lets it count; the person may be asked again.",
    Reason.EXEMPT: "The law asks for no consent; only the last day of an open is kept, and people were told.",
    Reason.AGGREGATE: "The law asks for no consent; opens are counted for everybody together, and people were told.",
    Reason.AUDIENCE_TOO_SMALL: "Too few people get this campaign: a count of it would be about single people.",
    Reason.CONDITION_UNMET: "A condition of the exemption does not hold here, or is not known to.",
}
