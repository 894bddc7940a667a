"""The words recipients read, from the catalogues of each locale. The only place that speaks to Babel.

A locale in which any text that the law asks for is missing is not used at all: a notice in a language somebody did not
ask for informs nobody, and a proof would hold the wrong words (DI-03, DI-04). There is no falling back.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta, get_timezone_location
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal

from consent_track.domain.consent import Shown
from consent_track.domain.disclosure import Statement
from consent_track.domain.errors import Problem
from consent_track.domain.vocabulary import INDIVIDUAL, Purpose
from consent_track.mail.footer import Footer, FooterLinks, render_footer
from consent_track.wording_files import (
    NO_WORDS,
    path_of,
    placeholders,
    read_wording_files,
    too_long_for_a_footer,
)

DOMAIN: Final = "consent_track"
# Everything a recipient reads is legal text here: it says what is measured, or what a button does.
LEGAL: Final = tuple(
    f"{name}." for name in "purpose footer page done privacy mail form verify me receipt notice".split()
)
REFERENCE: Final = "en"
MONTH: Final = 30.4368  # days of a mean month: the library counts in days
# Nothing in such a mail measures its reader, so there is nothing to stop by its link.
_UNMEASURED: Final = frozenset(
    {
        Statement.NOT_MEASURED,
        Statement.NOT_MEASURED_BY_US,
        Statement.SERVICE_NOT_MEASURED,
        Statement.COUNTED,
    }
)


@dataclass(frozen=True, slots=True)
class Texts:
    """The complete texts of one locale. `hash` is what a sign-off signs (decision 27)."""

    locale: str
    direction: str  # ltr | rtl
    messages: Mapping[str, str]
    hash: str
    own: frozenset[str] = frozenset()  # ids whose words are the operator's; the rest are the shipped ones

    def get(self, id_: str, **values: str) -> str:
        """One text with its values filled in. Raises KeyError for an id or a value that is not there."""
        return self.messages[id_] % values if values else self.messages[id_]

    def has(self, id_: str) -> bool:
        return id_ in self.messages

    def filled(self, text: str, controller: str) -> str:
        """Words that were kept, as they were read: with the controller's name in them."""
        return text.replace("%(controller)s", controller)

    def shown(self, *ids: str) -> Shown:
        """What somebody reads who is shown these texts."""
        return Shown(self.locale, tuple(sorted((id_, self.messages[id_]) for id_ in set(ids))))

    @property
    def name(self) -> str:
        """What this language calls itself."""
        return _babel(self.locale).get_display_name() or self.locale

    def day(self, day: date) -> str:
        # Plain English has no one order of day and month; this one cannot be misread.
        return format_date(day, "d MMMM y" if self.locale == "en" else "long", locale=_babel(self.locale))

    def moment(self, at: int, time_zone: str) -> str:
        """`14:32, 23 November 2026 (Paris)`: a time means nothing without its place."""
        zone = ZoneInfo(time_zone)
        when = datetime.fromtimestamp(at, UTC).astimezone(zone)
        place = (
            "UTC" if time_zone == "UTC" else get_timezone_location(zone, locale=_babel(self.locale), return_city=True)
        )
        comma = "، " if self.direction == "rtl" else ", "
        return f"{format_time(when, 'HH:mm', locale=_babel(self.locale))}{comma}{self.day(when.date())} ({place})"

    def months(self, number: int) -> str:
        """`6 months`, in the plural of the language."""
        months = timedelta(days=MONTH * number)
        return str(format_timedelta(months, granularity="month", threshold=99, locale=_babel(self.locale)))

    def number(self, number: int) -> str:
        return str(format_decimal(number, locale=_babel(self.locale)))

    def period(self, days: int) -> str:
        """`396 days (about 13 months)`: as exact as the policy, and as people speak."""

        def units(unit: Literal["day", "month", "year"]) -> str:
            length = timedelta(days=days)
            return format_timedelta(length, granularity=unit, threshold=math.inf, locale=_babel(self.locale))

        if days < 60:
            return units("day")
        return self.get("notice.about", exact=units("day"), rough=units("month" if days < 700 else "year"))

    def territory(self, code: str) -> str:
        """The name of a country in this language; its code where nobody here knows it."""
        return str(_babel(self.locale).territories.get(code, code))

    def purposes(self, purposes: Iterable[Purpose]) -> str:
        """What it is measured for, in the purposes' own words; each clause once."""
        clauses = list(dict.fromkeys(self.messages[f"purpose.{purpose}.clause"] for purpose in purposes))
        return self.messages["footer.list_and"].join(clauses)

    def footer(self, statement: Statement, controller: str, purposes: Iterable[Purpose], links: FooterLinks) -> Footer:
        """The disclosure of one mail, in at most two sentences (decisions 28 and 29)."""
        sentence = self.get(f"footer.{statement}", controller=controller, purposes=self.purposes(purposes))
        labels = {
            "preferences": self.messages[_preference_label(statement, links)],
            "unsubscribe": self.messages["footer.link_unsubscribe"],
            "privacy": self.messages["footer.link_privacy"],
        }
        return render_footer(sentence, labels, links, self.locale, self.direction)


def _preference_label(statement: Statement, links: FooterLinks) -> str:
    if statement in _UNMEASURED:
        return "footer.link_choices"
    if statement is Statement.LAST_OPEN_DAY:
        return "footer.link_stop_last_open_day"
    return "footer.link_stop_notice" if statement.startswith("notice") else "footer.link_stop"


@dataclass(frozen=True, slots=True)
class Wordings:
    """Every locale that has texts; only complete ones can be used."""

    complete: Mapping[str, Texts]
    found: tuple[Problem, ...]
    reference: Mapping[str, str]  # the shipped texts of the reference locale: every id there is, and its placeholders

    @property
    def locales(self) -> tuple[str, ...]:
        return tuple(sorted(self.complete))

    def texts(self, locale: str) -> Texts | None:
        """The texts of a locale, or of its language (`de-AT` reads `de`); None where they are not complete."""
        return self.complete.get(locale) or self.complete.get(locale.partition("-")[0])

    def problems(self) -> tuple[Problem, ...]:
        return self.found

    def has_purpose(self, purpose: Purpose) -> bool:
        """Whether a purpose has its texts in the reference locale."""
        return all(f"purpose.{purpose}.{part}" in self.reference for part in ("title", "text", "clause"))

    def negotiate(self, accept_language: str, default: str) -> str:
        """The best complete locale for an Accept-Language field (RFC 9110 12.5.4), else `default`."""
        wanted = []
        for position, part in enumerate(accept_language.split(",")[:20]):
            tag, _, weight = part.strip().partition(";q=")
            try:
                quality = float(weight or 1)
            except ValueError:
                continue
            wanted.append((-quality, position, tag))
        for quality, _, tag in sorted(wanted):
            texts = self.texts(tag) if quality < 0 else None
            if texts is not None:
                return texts.locale
        return default


def load_wordings(folder: Path, own: Path | None = None) -> Wordings:
    """Read every catalogue below `folder`, and the operator's texts in `own`, which stand above them.

    A bad one raises nothing: its locale is blocked and `problems` says why.
    """
    problems: list[Problem] = []
    shipped = {path.parts[-3]: _read(path, problems) for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))}
    reference = shipped.get(REFERENCE, {})
    mine = read_wording_files(own, reference, REFERENCE) if own and reference else NO_WORDS
    problems.extend(mine.problems)
    complete = {}
    for locale in sorted({*shipped, *mine.texts}):
        changed = mine.texts.get(locale, {})
        messages = {**shipped.get(locale, {}), **changed}
        wrong = [*_unknown(locale), *_incomplete(locale, messages, reference)]
        if not wrong and reference:
            direction = "rtl" if _babel(locale).text_direction == "rtl" else "ltr"
            hash_ = Shown(locale, tuple(sorted(messages.items()))).id
            texts = Texts(locale, direction, messages, hash_, frozenset(changed))
            wrong += _unreadable(texts, own)
            if not wrong and locale not in mine.refused:
                complete[locale] = texts
        problems.extend(wrong)
    return Wordings(complete, tuple(problems), reference)


def _unknown(locale: str) -> Iterable[Problem]:
    try:
        _babel(locale)
    except (UnknownLocaleError, ValueError):
        yield Problem(locale, "is a locale whose dates and numbers nobody here can write")


def _unreadable(texts: Texts, own: Path | None) -> Iterable[Problem]:
    """Footers that are too long to be read, with every purpose in them that a mail can serve (decision 28)."""
    longest = texts.purposes(sorted(INDIVIDUAL))
    for id_ in (f"footer.{statement}" for statement in Statement):
        needed = placeholders(texts.messages[id_])
        said = texts.get(id_, **{name: longest if name == "purposes" else "Acme" for name in needed})
        if what := too_long_for_a_footer(said):
            where = str(path_of(own, texts.locale, id_)) if own and id_ in texts.own else f"{texts.locale}: {id_}"
            yield Problem(where, f"{what}; the locale is blocked")


def _read(path: Path, problems: list[Problem]) -> dict[str, str]:
    """The finished texts of a catalogue: what is fuzzy is not finished."""
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
    except (PoFileError, UnicodeDecodeError, ValueError) as error:
        problems.append(Problem(str(path), f"cannot be read ({type(error).__name__})"))
        return {}
    return {str(m.id): str(m.string) for m in catalogue if m.id and m.string and not m.fuzzy}


def _incomplete(locale: str, messages: Mapping[str, str], reference: Mapping[str, str]) -> Iterable[Problem]:
    for id_, text in reference.items():
        if not id_.startswith(LEGAL):
            continue
        if id_ not in messages:
            yield Problem(f"{locale}: {id_}", "is missing; the locale is blocked")
        elif placeholders(messages[id_]) != placeholders(text):
            yield Problem(f"{locale}: {id_}", "has other placeholders than the reference; the locale is blocked")
    needed = [f"footer.{statement}" for statement in Statement]
    needed += [f"purpose.{purpose}.{part}" for purpose in sorted(INDIVIDUAL) for part in ("title", "text", "clause")]
    for id_ in needed:
        if id_ not in reference:
            yield Problem(f"{REFERENCE}: {id_}", "is missing; no locale can be checked against it")


def _babel(locale: str) -> Locale:
    return Locale.parse(locale, sep="-")
