"""What a law says about answering people: how soon, how sure one has to be, what may stop the clock."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from .deadlines import Calendar, Rollover, Span
from .policy import Confidence
from .rights import PROTECTING, Level, Right

# Keys of a table in policies/rights.toml, by what their value is.
SPANS: Final = frozenset(
    """acknowledge response extension protection limit complaint_acknowledge complaint appeal appeal_extension
    breach""".split()
)
LEVELS: Final = frozenset({"access_level", "categories_level", "erasure_level", "change_level"})
NUMBERS: Final = frozenset({"log_months"})
NEEDED: Final = (
    frozenset({"acknowledge", "response", "protection", "limit", "breach", "log_months", "rollover", "calendar"})
    | LEVELS
)


@dataclass(frozen=True, slots=True)
class Said:
    """Where one value comes from, and how sure we are of it."""

    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Procedure:
    """One jurisdiction's rules for requests; `said` names the source of every value by its key."""

    jurisdiction: str
    spans: Mapping[str, Span]
    levels: Mapping[str, Level]
    rollover: Rollover
    calendar: str  # ISO 3166-1 or 3166-2, whose public holidays count; empty: weekends only
    pauses: frozenset[str]
    look_back_from: date | None
    log_months: int
    said: Mapping[str, Said]

    def response(self, right: Right) -> Span:
        """How soon a request has to be answered."""
        if right is Right.LIMIT:
            return self.spans["limit"]
        if right in PROTECTING:
            return self.spans["protection"]
        if right in (Right.COMPLAINT, Right.APPEAL):
            return self.spans.get(right, self.spans["response"])
        return self.spans["response"]

    def acknowledgement(self, right: Right) -> Span:
        """How soon its receipt has to be confirmed."""
        own = self.spans.get("complaint_acknowledge") if right is Right.COMPLAINT else None
        return own or self.spans["acknowledge"]

    def extension(self, right: Right) -> Span | None:
        """By how much the answer may be later, with a reason told in time; None where it may not."""
        if right in PROTECTING:
            return None
        span = self.spans.get("appeal_extension" if right is Right.APPEAL else "extension")
        return span if span and span.value else None

    @property
    def appeal(self) -> Span | None:
        """How soon an appeal has to be answered; None where the law knows none."""
        return self.spans.get("appeal")

    def level(self, right: Right) -> Level:
        """How sure we have to be that the person asks (11 CCR 7060(b), 7062; GDPR Art. 12(6))."""
        if right in PROTECTING or right in (Right.COMPLAINT, Right.APPEAL):
            return Level.NONE
        return self.levels[_LEVEL_OF.get(right, "change_level")]


_LEVEL_OF: Final[Mapping[Right, str]] = {
    Right.ACCESS: "access_level",
    Right.PORTABILITY: "access_level",
    Right.ACCESS_CATEGORIES: "categories_level",
    Right.ERASURE: "erasure_level",
}


@dataclass(frozen=True, slots=True)
class Procedures:
    """The procedures of all jurisdictions, and the working days of each."""

    by_jurisdiction: Mapping[str, Procedure]
    calendar_of: Callable[[str], Calendar]

    def for_jurisdiction(self, code: str) -> Procedure:
        """The procedure of a jurisdiction; of a part of a country its country's, of an EEA state `EU`, else `ZZ`."""
        for one in (code, code.partition("-")[0], "EU" if code in EEA else ""):
            if one in self.by_jurisdiction:
                return self.by_jurisdiction[one]
        if code.startswith("US"):
            return self.by_jurisdiction["US-OTHER"]
        return self.by_jurisdiction["ZZ"]

    def calendar(self, procedure: Procedure) -> Calendar:
        """The working days of a procedure."""
        return self.calendar_of(procedure.calendar)

    def all_of(self, codes: Iterable[str]) -> tuple[Procedure, ...]:
        """The procedures that apply together, each once."""
        return tuple({one.jurisdiction: one for one in map(self.for_jurisdiction, codes)}.values())


EEA: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()
)


def conflicts(found: Iterable[Procedure]) -> Iterator[str]:
    """Where laws that apply together differ, and which of them is kept (DD-10)."""
    laws = tuple(found)
    for name in sorted(SPANS):
        told = {one.jurisdiction: one.spans[name] for one in laws if name in one.spans}
        if len(set(told.values())) > 1:
            yield f"{name}: {', '.join(f'{law} {span}' for law, span in told.items())}; the earliest due date is kept"
    months = {one.jurisdiction: one.log_months for one in laws}
    if len(set(months.values())) > 1:
        told_months = ", ".join(f"{law} {count}" for law, count in months.items())
        yield f"log_months: {told_months}; the longest is kept"
