"""Asking for consent: who is asked, once and in which words.

A question is an entry in the ledger and nothing more: it allows nothing (CC-07). Who may not be asked is passed over,
with a reason. The mail that asks measures nothing (CC-05); it leaves by the outbox, or another tool carries a link.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from typing import Final, Protocol

from consent_track.domain import asking
from consent_track.domain import consent as consents
from consent_track.domain.address import is_role
from consent_track.domain.asking import Ask, Facts
from consent_track.domain.consent import UNKNOWN_PERSON, Choice, ConsentEvent, ConsentState, Shown
from consent_track.domain.controller import Controller
from consent_track.domain.errors import InputRefused
from consent_track.domain.observation import TokenFacts
from consent_track.domain.policy import Policy
from consent_track.domain.vocabulary import UNKNOWN_JURISDICTION, Act, Grade, Purpose, Status, TokenClass
from consent_track.mail.letter import may_stand
from consent_track.records import consent, ledger, people, waves, wordings
from consent_track.records.ledger import Appended
from consent_track.records.waves import Asked, Wave

from . import Processing, consenting, entering, knowing, notifying, wording

Begin = Callable[[], AbstractContextManager[Processing]]

BATCH: Final = 100  # as in importing: a withdrawal beside it waits for a tenth of a second
MAILED: Final = 20  # a mail takes 4 ms to write and seal (measured), and pages wait for a lock at most 250
PAUSE: Final = 0.005
METHOD: Final = "request_mail"
# Both answers lead to the same page; what stands behind # never reaches a server, and picks nothing there.
YES, NO = "#yes", "#no"
# What happens to an address besides being asked, and to one that stood twice in the list.
ASKED, ASKED_BEFORE, LEFT, TWICE = "asked", "asked_before", "left_for_later", "twice"


@dataclass(frozen=True, slots=True)
class Addressee:
    """One normalised address; what is said about its language and law stands above what is known."""

    address: str
    locale: str = ""
    jurisdiction: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """The words that ask, and the hash of all texts of their locale, which is what a sign-off signs."""

    shown: Shown
    texts_hash: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question to one person, as a letter needs it. `yes` and `no` are URLs of the same page."""

    controller: Controller
    address: str
    locale: str
    purposes: tuple[Purpose, ...]
    months: int
    yes: str
    no: str


class Writer(Protocol):
    """Knows the words and writes the mail; the door hands it in, because texts are not ours."""

    def words(self, controller: Controller, locale: str, purposes: Sequence[Purpose]) -> Words | None: ...
    def request(self, question: Question) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a wave asks for. `send`: one mail to each through the outbox; else the sender's tool carries the links."""

    controller: int
    name: str
    purposes: tuple[Purpose, ...]
    jurisdiction: str = UNKNOWN_JURISDICTION
    send: bool = False
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run came to: counts by what happened, and by the reason of those who were not asked."""

    asked: int
    asked_before: int
    left_for_later: int
    not_asked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _One:
    """One person who may be asked. `who` is None in a first look at somebody unknown."""

    addressee: Addressee
    who: knowing.Known | None
    state: ConsentState
    ask: Ask
    law: Policy
    locale: str


@dataclass(slots=True)
class _Look:
    """A batch, looked at: who may be asked, and what happens to the others."""

    wave: Wave | None
    may: list[_One]
    others: Counter[str]


def start(begin: Begin, reading: Begin, plan: Plan, addressees: Iterable[Addressee], writer: Writer, *,
          limit: int | None = None, pause: float = PAUSE) -> Done:  # fmt: skip
    """Ask everybody who may be asked, once; run again, it asks whoever was left and nobody twice.

    Raises InputRefused (field `wave` where its purposes or words are other ones than before; `purposes`) and
    StorageUnavailable; who was asked by then stays asked, and running it again goes on.
    """
    with begin() as p:
        _check(p, plan)
        new = Wave(
            plan.controller, plan.name, knowing.new_reference(), frozenset(plan.purposes), plan.jurisdiction, p.now
        )
        wave = waves.begin(p.session, new)
        if (wave.purposes, wave.jurisdiction) != (frozenset(plan.purposes), plan.jurisdiction):
            raise InputRefused.one("wave", f"{plan.name!r} was begun for other purposes or under another law")
    found: Counter[str] = Counter()
    for batch in _batches(addressees, found, MAILED if plan.send else BATCH):
        room = None if limit is None else max(0, limit - found[ASKED])
        found += _ask(begin, reading, plan, batch, writer, room)
        time.sleep(pause)
    done = _done(found)
    with begin() as p:
        waves.change(p.session, wave, not_asked=dict(done.not_asked))
    return done


def rehearse(reading: Begin, plan: Plan, addressees: Iterable[Addressee], writer: Writer, *,
             limit: int | None = None) -> Done:  # fmt: skip
    """Say what `start` would come to, and write nothing. Raises InputRefused as `start` does."""
    with reading() as p:
        _check(p, plan)
    found: Counter[str] = Counter()
    for batch in _batches(addressees, found):
        with reading() as p:
            look = _look(p, plan, batch, writer)
        room = len(look.may) if limit is None else max(0, limit - found[ASKED])
        found += look.others + Counter({ASKED: len(look.may[:room]), LEFT: len(look.may[room:])})
    return _done(found)


def everybody(reading: Begin, controller: int) -> Iterator[Addressee]:
    """Everybody of whom something is held, in the order of their references."""
    last = 0
    while True:
        with reading() as p:
            p.controller(controller)
            references = people.after(p.session, controller, last, BATCH)
            found = [knowing.person(p, controller, reference) for reference in references]
        yield from (Addressee(one.address) for one in found if one is not None)
        if not references:
            return
        last = references[-1]


def _check(p: Processing, plan: Plan) -> None:
    p.controller(plan.controller)
    if not plan.name.strip() or len(plan.name) > 80 or not plan.name.isprintable():
        raise InputRefused.one("wave", "needs a name of at most 80 printable characters")
    if not plan.purposes:
        raise InputRefused.one("purposes", "are needed")
    for purpose in plan.purposes:
        consents.check_grantable(purpose)


def _batches(addressees: Iterable[Addressee], found: Counter[str], size: int = BATCH) -> Iterator[list[Addressee]]:
    """Batches without those that stood in the list before; eight octets of a hash are kept of each."""
    seen: set[bytes] = set()

    def once() -> Iterator[Addressee]:
        for one in addressees:
            mark = blake2b(one.address.encode(), digest_size=8).digest()
            if mark in seen:
                found[TWICE] += 1
            else:
                seen.add(mark)
                yield one

    left = once()
    while batch := list(islice(left, size)):
        yield batch


def _look(p: Processing, plan: Plan, batch: Sequence[Addressee], writer: Writer, *, hold: bool = False) -> _Look:
    """Decide for each of a batch; with `hold`, their states stay as they are until the transaction ends."""
    controller, addresses = p.controller(plan.controller), [one.address for one in batch]
    known = knowing.find_many(p, plan.controller, addresses)
    references = [one.reference for one in known.values()]
    states = (consent.lock_states if hold else consent.find_states)(p.session, plan.controller, references)
    wave = waves.find(p.session, plan.controller, plan.name)
    before = waves.asked_among(p.session, wave, references) if wave else set()
    erased = knowing.suppressed_among(p, plan.controller, addresses)
    spoken = {address: who.locale for address, who in knowing.recognise_many(p, plan.controller, addresses).items()}
    look, signed = _Look(wave, [], Counter()), dict[str, bool]()
    for one in batch:
        who = known.get(one.address)
        if who is not None and who.reference in before:
            look.others[ASKED_BEFORE] += 1
            continue
        state = states.get(who.reference, UNKNOWN_PERSON) if who else UNKNOWN_PERSON
        law = p.policies.for_jurisdiction(one.jurisdiction or plan.jurisdiction)
        words = writer.words(controller, one.locale or spoken.get(one.address, ""), plan.purposes)
        locale, texts = (words.shown.locale, words.texts_hash) if words else ("", "")
        if texts not in signed:
            signed[texts] = words is not None and wording.may_ask(p, locale, texts)
        mailable = not plan.send or may_stand(one.address)
        facts = Facts(is_role(one.address), one.address in erased, signed[texts], mailable)
        answer = asking.may_ask(state, (law,), facts, plan.purposes, p.now)
        if isinstance(answer, Ask):
            look.may.append(_One(one, who, state, answer, law, locale))
        else:
            look.others[answer.reason] += 1
    return look


def _ask(
    begin: Begin, reading: Begin, plan: Plan, batch: Sequence[Addressee], writer: Writer, room: int | None
) -> Counter[str]:
    """Ask one batch in one transaction. Who may be asked is decided before, and again while their states are held."""
    with reading() as p:
        look = _look(p, plan, batch, writer)
        wanted = [one.addressee for one in look.may[:room]]
        knowing.keys_for(p, plan.controller, [one.address for one in wanted])
    counts = look.others + Counter({LEFT: len(look.may) - len(wanted)})
    if wanted:
        with begin() as p:
            held = _look(p, plan, wanted, writer, hold=True)
            if held.may and held.wave:
                _record(p, plan, held.wave, held.may, writer)
        counts += held.others + Counter({ASKED: len(held.may)})
    return counts


def _record(p: Processing, plan: Plan, wave: Wave, may: Sequence[_One], writer: Writer) -> None:
    """The entries, in one piece of the chain; the states they lead to; who was asked; and the mails."""
    words = _words(p, plan, wave, may, writer)
    pairs = [(one, _asked(p, plan, wave, one)) for one in may]
    known = {one.addressee.address: one.who for one in may if one.who}
    knowing.complete_many(p, plan.controller, known, {one.addressee.address: one.addressee.locale for one in may})

    steps = [
        (one, row, step) for one, row in pairs for step in asking.steps_to_ask(one.state, one.ask, (one.law,), p.now)
    ]
    links = [_link(p, one, row, *step, words[one.locale, one.ask.purposes]) for one, row, step in steps]
    states = {row.subject: one.state for one, row in pairs}
    for (_, row, (purpose, status)), sequence in zip(
        steps, ledger.append_many(p.session, plan.controller, p.now, links), strict=True
    ):
        before = states[row.subject]
        choices = {**before.choices, purpose: Choice(status, p.now, Grade.OPERATOR, None, sequence)}
        states[row.subject] = replace(before, choices=choices, sequence=sequence, known=True)
    consent.save_states(p.session, plan.controller, states)
    for _, row, (purpose, status) in steps:
        if status is not Status.REQUESTED:  # a yes that ended: what was measured under it goes (GDPR Art. 17(1)(b))
            consenting.note_erasure(p, plan.controller, row.subject, row.jurisdiction, purpose.bit)
    for shown in words.values():
        wordings.keep(p.session, plan.controller, shown, p.now)

    waves.add(p.session, wave, [row for _, row in pairs])
    if plan.send:
        for one, row in pairs:
            _send(p, plan, one, row, writer)


def _words(
    p: Processing, plan: Plan, wave: Wave, may: Sequence[_One], writer: Writer
) -> dict[tuple[str, tuple[Purpose, ...]], Shown]:
    """The words of this batch, by locale and purposes. A wave asks everybody of one language in the same words."""
    controller, found, ids = p.controller(plan.controller), {}, dict(wave.wordings)
    for locale in sorted({one.locale for one in may}):
        whole = writer.words(controller, locale, plan.purposes)
        if whole is not None and ids.setdefault(locale, whole.shown.id) != whole.shown.id:
            raise InputRefused.one("wave", f"{plan.name!r} was begun in other words ({locale}); begin another wave")
    for locale, purposes in {(one.locale, one.ask.purposes) for one in may}:
        said = writer.words(controller, locale, purposes)
        assert said is not None
        found[locale, purposes] = said.shown
    if ids != wave.wordings:
        waves.change(p.session, wave, wordings=ids)
    return found


def _asked(p: Processing, plan: Plan, wave: Wave, one: _One) -> Asked:
    assert one.who is not None
    return Asked(
        plan.controller, wave.id, one.who.reference, knowing.new_reference(), p.now, frozenset(one.ask.purposes),
        one.addressee.jurisdiction or plan.jurisdiction, waves.QUEUED if plan.send else waves.ELSEWHERE,
    )  # fmt: skip


def _link(
    p: Processing, one: _One, row: Asked, purpose: Purpose, status: Status, shown: Shown
) -> tuple[int, Callable[[int, bytes], Appended]]:
    event = ConsentEvent(
        act=Act.TRACKING,
        purpose=purpose,
        status=status,
        occurred_at=p.now,
        recorded_at=p.now,
        method=METHOD,
        grade=Grade.OPERATOR,
        actor="operator",
        wording_id=shown.id,
        locale=shown.locale,
        policy_hash=one.law.hash,
        jurisdiction=row.jurisdiction,
        flow_id=f"{row.flow:x}",
        asked_at=p.now,
    )
    assert one.who is not None
    return row.subject, entering.link_of(p, row.controller, row.subject, one.who.data_key, one.addressee.address, event)


def choice_link(p: Processing, public_url: str, row: Asked) -> str:
    """The page where this person answers; looking at it changes nothing, and the link itself asks for no yes or no."""
    facts = TokenFacts(
        TokenClass.PREFERENCE, row.controller, row.subject, row.flow, row.asked_at, jurisdiction=row.jurisdiction
    )
    return f"{public_url}/p/{p.tokens.issue(facts)}"


def _send(p: Processing, plan: Plan, one: _One, row: Asked, writer: Writer) -> None:
    link, address = choice_link(p, plan.public_url, row), one.addressee.address
    question = Question(
        p.controller(plan.controller), address, one.locale, one.ask.purposes,
        one.law.number("re_ask_cooldown_months"), f"{link}{YES}", f"{link}{NO}",
    )  # fmt: skip
    letter = writer.request(question)
    notifying.queue(p, plan.controller, row.subject, address, letter, notifying.REQUEST, flow=row.flow)


def _done(found: Counter[str]) -> Done:
    happened = (ASKED, ASKED_BEFORE, LEFT)
    not_asked = {reason: count for reason, count in sorted(found.items()) if reason not in happened and count}
    return Done(found[ASKED], found[ASKED_BEFORE], found[LEFT], not_asked)
