"""The pixel of an exempt mode: for a mail in which nobody is measured individually, and never beside such measuring."""

from dataclasses import dataclass
from datetime import UTC, datetime

from consent_track.domain import exempt as modes
from consent_track.domain.consent import ConsentState
from consent_track.domain.decision import DAY, Decision, Declined, Message, Minimal, Reason, Recipient, decide
from consent_track.domain.errors import ForgedToken, StorageUnavailable
from consent_track.domain.observation import TokenFacts, TokenFlag
from consent_track.domain.policy import Policy
from consent_track.domain.vocabulary import MailType, Purpose, TokenClass
from consent_track.records import exempt
from consent_track.records.database import read, write

from . import Processing
from .exempting import COUNT, HYGIENE, WAIT_MS, campaign_reference


@dataclass(frozen=True, slots=True)
class Placed:
    """The exempt pixel of one mail: its mode and its token, and what was decided on the way."""

    mode: Purpose | None
    token: str
    decisions: tuple[Decision, ...]


NOTHING_PLACED = Placed(None, "", ())


class Pixels:
    """The exempt pixels of one batch of mails; a campaign's one token is looked up once."""

    def __init__(self, p: Processing, *, path_is_clean: bool) -> None:
        self._p = p
        self._exclusive = path_is_clean  # where the next hop may measure, "only the day" would not be true
        self._tokens: dict[tuple[int, str, MailType | None, str], str | None] = {}

    def of(
        self,
        controller: int,
        subject: int,
        campaign: str,
        recipient: Recipient,
        message: Message,
        state: ConsentState,
        policy: Policy,
    ) -> Placed:
        """The pixel for somebody whose opens and clicks are not measured: of the first mode that serves them."""
        decisions: list[Decision] = []
        for mode in modes.MODES:
            if not modes.is_on(mode, policy):
                continue
            decision = decide(recipient, message, mode, state, policy, self._p.now)
            if isinstance(decision, Minimal):
                token = self._token(mode, controller, subject, campaign, message, policy) if self._exclusive else None
                if token is not None:
                    return Placed(mode, token, (*decisions, decision))
                decision = Declined(mode, Reason.CONDITION_UNMET)
            decisions.append(decision)
        return Placed(None, "", tuple(decisions))

    def _token(
        self, mode: Purpose, controller: int, subject: int, campaign: str, message: Message, policy: Policy
    ) -> str | None:
        if mode is HYGIENE:  # no message in it: which mail was opened is nobody's business
            return self._issue(mode, controller, subject, 0, message, policy, TokenFlag.NONE)
        key = (controller, campaign, message.mail_type, message.jurisdiction)
        if key not in self._tokens:
            try:
                self._tokens[key] = self._of_campaign(controller, campaign, message, policy)
            except StorageUnavailable:
                self._tokens[key] = None  # the mail leaves, uncounted
        return self._tokens[key]

    def _of_campaign(self, controller: int, campaign: str, message: Message, policy: Policy) -> str | None:
        """The one token of a campaign, octet for octet the same for everybody (Garante 284/2026 para. 5(a); TI-06).

        None for a mail of another kind or jurisdiction than the first: it cannot have the same pixel. None as well
        once the token no longer counts.
        """
        reference = campaign_reference(controller, campaign)
        with read(self._p.exempt) as session:
            found = exempt.find(session, controller, reference)
        if found is None:
            token = self._issue(COUNT, controller, 0, reference, message, policy, TokenFlag.AGGREGATE)
            with write(self._p.exempt, wait_ms=WAIT_MS) as session:
                exempt.place(session, controller, reference, token, datetime.fromtimestamp(self._p.now, UTC).date())
                found = exempt.find(session, controller, reference)
        try:
            facts = self._p.tokens.open(TokenClass.OPEN, found.token) if found else None
        except ForgedToken:
            return None
        if found is None or facts is None or not facts.records:
            return None
        alike = (facts.mail_type, facts.jurisdiction) == (message.mail_type, message.jurisdiction)
        young = self._p.now - facts.issued_at <= policy.number("token_life_days") * DAY
        return found.token if alike and young else None

    def _issue(
        self,
        mode: Purpose,
        controller: int,
        subject: int,
        reference: int,
        message: Message,
        policy: Policy,
        flags: TokenFlag,
    ) -> str:
        return self._p.tokens.issue(
            TokenFacts(
                TokenClass.OPEN,
                controller,
                subject,
                reference,
                self._p.now,
                mode.bit,
                message.mail_type,
                message.jurisdiction,
                policy.prefix,
                flags,
            )
        )
