"""Preparing a mail for one recipient: who it is for, what may be measured, what it then says, and the register's row.

The same decision is taken again for every hit. What a token carries here is the most it will ever be worth.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

from consent_track.crypto.tokens import Tokens
from consent_track.domain import disclosure
from consent_track.domain.address import is_role, normalise
from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.controller import Controller, UnsubscribeOwner
from consent_track.domain.decision import Decision, Message, Recipient, Scope, scope_of
from consent_track.domain.decision import Reason as Why
from consent_track.domain.disclosure import Instrumented
from consent_track.domain.errors import ForgedToken, InputRefused
from consent_track.domain.exempt import MODES
from consent_track.domain.observation import TokenFacts, TokenFlag
from consent_track.domain.policy import Policy
from consent_track.domain.vocabulary import (
    INDIVIDUAL,
    SERVICE_MAIL,
    UNKNOWN_JURISDICTION,
    HitKind,
    MailType,
    Purpose,
    TokenClass,
    to_bits,
)
from consent_track.mail import headers
from consent_track.mail.footer import Footer, FooterLinks
from consent_track.mail.headers import Declared
from consent_track.mail.instrument import Outcome, Plan, Result, instrument, left_alone
from consent_track.mail.mime import Mail, Unreadable, scan
from consent_track.mail.own import Own
from consent_track.records import consent, mailing

from . import Processing, knowing
from .exempt_pixels import NOTHING_PLACED, Pixels, Placed

# No type declared: every exemption and every regime is narrowest for prospecting without consent (decision 25).
STRICTEST_MAIL: Final = MailType.B2B_PROSPECTING
# What is measured without anybody having agreed: the footer must not say that somebody did (decision 2).
BY_NOTICE: Final = frozenset({Why.NOTICE_GIVEN, Why.LEGACY_REGIME})
LOCALE_UNAVAILABLE: Final = "locale_unavailable"


class Wording(Protocol):
    """The texts of one complete locale."""

    def footer(
        self, statement: disclosure.Statement, controller: str, purposes: Iterable[Purpose], links: FooterLinks
    ) -> Footer: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What the installation says about its own addresses and the way its mail takes."""

    public_url: str
    tracking_url: str
    own_hosts: frozenset[str]
    path_is_clean: bool  # the next hop is declared to measure nothing (decision 22)
    wording: Callable[[str], Wording | None]  # a locale, or None where its texts are not complete


@dataclass(frozen=True, slots=True)
class Prepared:
    """One mail as it may leave, why, and its row for the mailing register."""

    result: Result
    row: mailing.Prepared
    opens: Decision
    clicks: Decision
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail for one recipient. `said` overrides what the mail's own input headers declare."""

    data: bytes
    recipient: str
    said: Declared | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A letter that was read: its mail, what it declares, and for whom of whose people it is."""

    letter: Letter
    mail: Mail | Unreadable
    declared: Declared
    controller: Controller
    address: str
    several: bool


@dataclass(frozen=True, slots=True)
class _Addressee:
    subject: int
    facts: Recipient
    state: ConsentState
    locale: str


_Addressees = dict[tuple[int, str], _Addressee]


def prepare(p: Processing, settings: Settings, data: bytes, recipient: str, said: Declared | None = None) -> Prepared:
    """Prepare one mail for one recipient; see `prepare_many`."""
    return prepare_many(p, settings, [Letter(data, recipient, said)])[0]


def prepare_many(p: Processing, settings: Settings, letters: Iterable[Letter]) -> list[Prepared]:
    """Prepare mails, in their order. The people of a batch are looked up together; a few hundred letters are good.

    Raises InputRefused (field `recipient`, `controller`, or the header that cannot be read) for the first letter at
    fault, and then nothing was written. Rows are returned, not written: `register` writes them.
    """
    read = [_read(p, letter) for letter in letters]
    addressees = _addressees(p, read)
    pixels = Pixels(p, path_is_clean=settings.path_is_clean)
    return [_prepared(p, settings, pixels, one, addressees[one.controller.number, one.address]) for one in read]


def _prepared(p: Processing, settings: Settings, pixels: Pixels, one: _Read, who: _Addressee) -> Prepared:
    declared, controller = one.declared, one.controller
    who = replace(who, facts=replace(who.facts, several=one.several)) if one.several else who
    jurisdiction = declared.jurisdiction or UNKNOWN_JURISDICTION
    policy = p.policies.for_jurisdiction(jurisdiction)
    locale = declared.locale or who.locale or controller.default_locale
    wording = settings.wording(locale)

    message = Message(
        declared.mail_type or STRICTEST_MAIL,
        jurisdiction,
        (INDIVIDUAL if declared.purposes is None else declared.purposes) if wording else frozenset(),
        p.now,
        declared.sensitive,
    )
    opens, clicks = (scope_of(kind, who.facts, message, who.state, policy, p.now) for kind in HitKind)
    placed = NOTHING_PLACED
    if wording and not opens.open and not clicks.open:  # never beside an individual measuring
        # A campaign without a name is nobody's to count.
        facts = replace(who.facts, audience=declared.audience if declared.campaign else 0)
        exempted = _in_exempt_modes(message, declared)
        placed = pixels.of(controller.number, who.subject, declared.campaign, facts, exempted, who.state, policy)
    job = _Job(p, settings, controller, who, message, policy, opens, clicks, placed, knowing.new_reference())

    mail = one.mail
    result = instrument(mail, job.plan(wording)) if isinstance(mail, Mail) else left_alone(one.letter.data, mail)
    if wording is None and result.outcome is Outcome.PREPARED:
        result = replace(result, reason=LOCALE_UNAVAILABLE)
    return Prepared(result, job.row(result, declared, locale if wording else ""), opens.carrier, clicks.carrier)


def _in_exempt_modes(message: Message, declared: Declared) -> Message:
    """The mail as an exempt mode sees it: in scope, unless its sender names other purposes."""
    return replace(message, scope=frozenset(MODES) if declared.purposes is None else declared.purposes)


def register(p: Processing, rows: Sequence[mailing.Prepared]) -> None:
    """Write the register's rows of mails that were prepared (decision 14)."""
    mailing.add_many(p.session, rows)


def _read(p: Processing, letter: Letter) -> _Read:
    mail = scan(letter.data)
    fields = headers.fields_of(mail)
    own = [(name, value) for name, value in fields if name.lower().startswith(headers.PREFIX)]
    to = headers.addressees(value for name, value in fields if name.lower() in ("to", "cc", "bcc"))
    declared, problems = headers.declared(own)
    if problems:
        raise InputRefused(problems)
    if letter.said:
        declared = headers.override(declared, letter.said)
    controller = p.controller(declared.controller or min(p.controllers))
    return _Read(letter, mail, declared, controller, normalise(letter.recipient, "recipient"), len(to) > 1)


def _addressees(p: Processing, read: Sequence[_Read]) -> _Addressees:
    """Who the mails are for. A role address and an erased person are never measured (decisions 5, 23)."""
    found: _Addressees = {}
    for number in {one.controller.number for one in read}:
        addresses = {one.address for one in read if one.controller.number == number}
        people = knowing.recognise_many(p, number, addresses)
        states = consent.find_states(p.session, number, [person.reference for person in people.values()])
        erased = knowing.suppressed_among(p, number, addresses - people.keys())
        for address in addresses:
            person = people.get(address)
            facts = Recipient(person is not None, is_role(address), erased=address in erased)
            found[number, address] = (
                _Addressee(person.reference, facts, states.get(person.reference, UNKNOWN_PERSON), person.locale)
                if person
                else _Addressee(0, facts, UNKNOWN_PERSON, "")
            )
    return found


@dataclass(frozen=True, slots=True)
class _Job:
    """One mail on its way to one recipient."""

    p: Processing
    settings: Settings
    controller: Controller
    who: _Addressee
    message: Message
    policy: Policy
    opens: Scope
    clicks: Scope
    placed: Placed
    reference: int

    @property
    def personal(self) -> bool:
        """Whether links that act for this person may stand in the mail at all (decision 23)."""
        return self.who.facts.known and not self.who.facts.several and not self.who.facts.erased

    def token(self, token_class: TokenClass, scope: Scope | None = None, link: int = 0, destination: str = "") -> str:
        flags = TokenFlag.SENSITIVE if self.message.sensitive else TokenFlag.NONE
        return self.p.tokens.issue(
            TokenFacts(
                token_class,
                self.controller.number,
                self.who.subject,
                self.reference,
                self.p.now,
                to_bits(scope.purposes) if scope else 0,
                self.message.mail_type,
                self.message.jurisdiction,
                self.policy.prefix,
                flags,
                link,
                destination,
            )
        )

    def plan(self, wording: Wording | None) -> Plan:
        """What may be done to this mail; a URL of ours exists only where the decision allowed it (TI-01)."""
        base, privacy = self.settings.tracking_url, f"{self.settings.public_url}/privacy"
        links = self._footer_links(privacy)
        own = Own(self.settings.own_hosts, partial(destination_behind, self.p.tokens), privacy, self._is_the_question)
        unsubscribe = headers.unsubscribe_pair(links.unsubscribe) if links.unsubscribe else ()
        house = self.p.policies.house
        return Plan(
            own=own,
            mail_type=self.message.mail_type or STRICTEST_MAIL,
            open_url=f"{base}/o/{self.token(TokenClass.OPEN, self.opens)}" if self.opens.open else None,
            click_url=self._click_url if self.clicks.open else None,
            footer=partial(self._footer, wording, links) if wording else None,
            exempt=self.placed.mode,
            exempt_url=f"{base}/o/{self.placed.token}",
            by_notice=not BY_NOTICE.isdisjoint((self.opens.carrier.reason, self.clicks.carrier.reason)),
            unsubscribe=unsubscribe,
            refuse_foreign=house.foreign_trackers == "refuse",
            pass_signed_foreign=house.signed_foreign_trackers == "pass",
        )

    def _is_the_question(self, power: str, token: str) -> bool:
        """Whether a link is the choice link that a mail asking for consent brings to this very person (CC-05)."""
        if self.message.mail_type is not MailType.CONSENT_REQUEST or power != "p" or not self.personal:
            return False
        try:
            facts = self.p.tokens.open(TokenClass.PREFERENCE, token)
        except ForgedToken:
            return False
        return (facts.controller, facts.subject) == (self.controller.number, self.who.subject)

    def _click_url(self, number: int, destination: str) -> str:
        return f"{self.settings.tracking_url}/c/{self.token(TokenClass.CLICK, self.clicks, number, destination)}"

    def _footer_links(self, privacy: str) -> FooterLinks:
        if not self.personal:
            return FooterLinks(preferences=privacy, privacy=self.controller.privacy_policy, unsubscribe=None)
        public = self.settings.public_url
        ours = (
            self.controller.unsubscribe is UnsubscribeOwner.CONSENT_TRACK and self.message.mail_type not in SERVICE_MAIL
        )
        return FooterLinks(
            preferences=f"{public}/p/{self.token(TokenClass.PREFERENCE)}",
            privacy=self.controller.privacy_policy,
            unsubscribe=f"{public}/u/{self.token(TokenClass.UNSUBSCRIBE)}" if ours else None,
        )

    def _footer(self, wording: Wording, links: FooterLinks, done: Instrumented) -> Footer:
        mail_type = self.message.mail_type or STRICTEST_MAIL
        statement = disclosure.statement_for(done, mail_type, path_is_clean=self.settings.path_is_clean)
        return wording.footer(statement, self.controller.name, sorted(self._served(done)), links)

    def _served(self, done: Instrumented) -> frozenset[Purpose]:
        """The purposes of what was really put into the mail."""
        opens = self.opens.purposes if done.opens else frozenset()
        clicks = self.clicks.purposes if done.clicks else frozenset()
        return opens | clicks | ({done.exempt} if done.exempt else frozenset())

    def row(self, result: Result, declared: Declared, locale: str) -> mailing.Prepared:
        """The register's row: what was decided and what was really put into the mail (decision 14, RE-09)."""
        decisions = {
            decision.purpose.value: decision.reason.value
            for decision in (*self.opens.decisions, *self.clicks.decisions, *self.placed.decisions)
        }
        return mailing.Prepared(
            controller_id=self.controller.number,
            message=self.reference,
            subject=self.who.subject,
            prepared_at=self.p.now,
            mail_type=(self.message.mail_type or STRICTEST_MAIL).value,
            jurisdiction=self.message.jurisdiction,
            locale=locale,
            policy_hash=self.policy.hash,
            campaign=declared.campaign,
            purposes=to_bits(self._served(result.done)),
            decisions=json.dumps(decisions, sort_keys=True),
            reason=result.reason,
            consent_sequence=self.who.state.sequence,
            outcome=result.outcome.value,
        )


def destination_behind(tokens: Tokens, token: str) -> str | None:
    """Where a click token of ours leads, or None for anything that is not one."""
    try:
        return tokens.open(TokenClass.CLICK, token).destination
    except ForgedToken:
        return None
