"""Lists that somebody brings along: small ones written by hand, and large mixed ones with a truth beside them.

The truth is noted while a list is written, not read back from it: what it says of a person is not our reader's word.
"""

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from consent_track.activities import knowing
from consent_track.domain.consent import UNKNOWN_PERSON, ConsentState
from consent_track.domain.vocabulary import GRANTING, Purpose
from consent_track.records import consent

OPENS, CLICKS = Purpose.OPEN_PERFORMANCE, Purpose.CLICK_PERFORMANCE
EVIDENCE = """
[[form]]
name = "spring"
url = "https://acme.example/newsletter"
shown_from = 2024-01-01
shown_to = 2024-12-31
signed_by = "Dana Okafor"
signed_on = 2026-11-10
files = [{{ path = "spring.png", sha256 = "{digest}" }}]

[[form.wording]]
purpose = "mail"
locale = "en"
text = "Send me the newsletter once a month."

[[form.wording]]
purpose = "open_performance"
locale = "en"
text = "Acme may record whether I open it. I get the same newsletter either way."

[[form.wording]]
purpose = "click_performance"
locale = "en"
text = "Acme may record which links I click. I get the same newsletter either way."
"""
SCREENSHOT = b"\x89PNG what people saw"
HEADER = "email,status,optin_time,optin_ip,ended,opens,clicks,spam,objected\n"
COLUMNS = ("asked_at=optin_time", "ended_at=ended", "open_performance=opens", "click_performance=clicks",
           "complained=spam")  # fmt: skip


def evidence_file(folder: Path) -> Path:
    """A form of 2024 with words for the mail, opens and clicks, a screenshot, and Dana's signature."""
    (folder / "spring.png").write_bytes(SCREENSHOT)
    path = folder / "evidence.toml"
    path.write_text(EVIDENCE.format(digest=hashlib.sha256(SCREENSHOT).hexdigest()))
    return path


@dataclass(slots=True)
class Truth:
    """What a list says of everybody, by address: who said no to what, and which yes has evidence."""

    silenced: set[str] = field(default_factory=set)  # the mail ended, or an objection
    refused: set[tuple[str, Purpose]] = field(default_factory=set)
    proved: set[tuple[str, Purpose]] = field(default_factory=set)
    people: set[str] = field(default_factory=set)

    def grants(self) -> set[tuple[str, Purpose]]:
        """Who may stand as given: proved, and neither silenced nor refused anywhere in the list."""
        return {one for one in self.proved - self.refused if one[0] not in self.silenced}


def mixed_list(path: Path, lines: int, seed: int) -> Truth:
    """Write a list of so many lines; one in twelve is about somebody who is in it already, with another answer."""
    dice, truth = random.Random(seed), Truth()
    with path.open("w") as file:
        file.write(HEADER)
        for number in range(lines):
            person = dice.randrange(number) if number and dice.random() < 0.08 else number
            file.write(_line(dice, truth, f"person{person}@example.org"))
    return truth


def _line(dice: random.Random, truth: Truth, address: str) -> str:
    kind = dice.random()
    written = dice.choice((address, address.upper(), f" {address} "))
    inside = f"2024-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02} 10:00:00"
    outside = dice.choice(("", "2023-12-31 23:59:59", "2025-01-01 00:00:00", "soon", "2031-01-01 00:00:00"))
    ended = dice.choice(("", "2025-02-03 04:05:06"))
    if kind < 0.03:
        return f"not an address {dice.randrange(9)},subscribed,{inside},,,yes,yes,,\n"
    truth.people.add(address)
    if kind < 0.30:  # agreed, with evidence
        answers = {purpose: dice.choice(("yes", "no", "")) for purpose in (OPENS, CLICKS)}
        truth.proved |= {(address, purpose) for purpose, said in answers.items() if said == "yes"}
        truth.refused |= {(address, purpose) for purpose, said in answers.items() if said == "no"}
        return f"{written},subscribed,{inside},198.51.100.7,,{answers[OPENS]},{answers[CLICKS]},,\n"
    if kind < 0.55:  # says yes and proves nothing
        return f"{written},subscribed,{outside},198.51.100.7,,yes,yes,,\n"
    if kind < 0.70:
        return f"{written},{dice.choice(('subscribed', 'pending', '', 'gold'))},{outside},,,,,,\n"
    truth.silenced.add(address)
    if kind < 0.90:
        status = dice.choice(("unsubscribed", "cleaned", "blocklisted", "spam", "objected", "Opted out by phone"))
        return f"{written},{status},{inside},,{ended},yes,yes,,\n"
    flag = dice.choice(("1,", ",2025-05-05"))  # complained, objected: also where the status says otherwise
    return f"{written},subscribed,{inside},,,yes,yes,{flag}\n"


Standing = tuple[tuple[tuple[str, str], ...], bool, bool]


def standings(runtime, people: set[str]) -> dict[str, Standing]:
    """Where everybody stands, by address: status by purpose, whether the mail ended, whether they objected."""
    found, waiting = {}, sorted(people)
    while waiting:
        some, waiting = waiting[:500], waiting[500:]
        with runtime.reading() as p:
            known = knowing.find_many(p, 1, some)
            states = consent.find_states(p.session, 1, [one.reference for one in known.values()])
        for address, one in known.items():
            found[address] = _standing(states.get(one.reference, UNKNOWN_PERSON))
    return found


def _standing(state: ConsentState) -> Standing:
    choices = tuple(sorted((purpose.value, choice.status.value) for purpose, choice in state.choices.items()))
    return choices, state.mail_ended_at is not None, state.objected_at is not None


def grants_without_evidence(truth: Truth, found: dict[str, Standing]) -> int:
    """How many people stand as having given what they have not, or not provably."""
    may = truth.grants()
    return sum((address, Purpose(name)) not in may for address, name in _given(found))


def grants_missing(truth: Truth, found: dict[str, Standing]) -> int:
    """How many proved answers are not there."""
    return len(truth.grants() - {(address, Purpose(name)) for address, name in _given(found)})


def negatives_lost(truth: Truth, found: dict[str, Standing]) -> int:
    """How many people who said no are not silenced, or stand as not having refused what they refused."""
    lost = sum(address not in found or not any(found[address][1:]) for address in truth.silenced)
    for address, purpose in truth.refused:
        status = dict(found[address][0]).get(purpose.value) if address in found else None
        lost += status in (None, "unknown", *GRANTING)
    return lost


def _given(found: dict[str, Standing]) -> set[tuple[str, str]]:
    return {
        (address, name)
        for address, (choices, ended, objected) in found.items()
        for name, status in choices
        if status in GRANTING and not ended and not objected
    }


def at(text: str) -> int:
    """An instant from ISO 8601, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
