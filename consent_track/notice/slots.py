"""The slots of a notice: each says one thing the law asks for, in the texts of a locale, or is empty."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from consent_track.domain.policy import Requirement
from consent_track.domain.vocabulary import Purpose
from consent_track.i18n import Texts

from .facts import ACTIVITY, OF_MEASURING, Facts

_BASIS: Final = {
    Requirement.EXEMPT: "basis_exempt",
    Requirement.NOTICE: "basis_notice",
    Requirement.OPT_OUT: "basis_notice",
    Requirement.CONSENT: "basis_consent",
}
# Every other purpose uses these data and collects none of its own.
_DATA: Final = {Purpose.OPEN_PERFORMANCE: "data_open", Purpose.CLICK_PERFORMANCE: "data_click"}


# Around what is in no language, such as an address, so that a line from right to left does not turn it round (UAX 9).
ISOLATE: Final = "\u2068"
ISOLATED: Final = "\u2069"


@dataclass(frozen=True, slots=True)
class Slot:
    """One section: a heading, sentences, then items or, where `columns` names them, the rows of a table."""

    key: str
    heading: str
    sentences: tuple[str, ...] = ()
    items: tuple[tuple[str, ...], ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.sentences and not self.items


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a locale, with the controller's name filled in."""

    texts: Texts
    facts: Facts

    @property
    def name(self) -> str:
        names = dict(self.facts.controller.name_by_locale)
        return names.get(self.texts.locale, self.facts.controller.name)

    def __call__(self, id_: str, **values: str) -> str:
        return self.texts.get(f"notice.{id_}", controller=self.name, **values)

    def plain(self, value: str) -> str:
        """A name, a link or an address as it stands in a line of this language."""
        return f"{ISOLATE}{value}{ISOLATED}" if self.texts.direction == "rtl" else value

    def purpose(self, purpose: Purpose, part: str) -> str:
        return self.texts.get(f"purpose.{purpose}.{part}", controller=self.name)


def _who(say: Words) -> Iterable[str]:
    controller = say.facts.controller
    yield say("who", contact=say.plain(controller.contact))
    if controller.postal_address:
        yield say("address", address=say.plain(" ".join(controller.postal_address.split())))
    for joint in controller.joint_controllers:
        yield say("joint", joint=say.plain(joint.name), url=say.plain(joint.essence))


def _purposes(say: Words) -> Iterable[tuple[str, ...]]:
    for one in say.facts.purposes:
        title, text = (say.purpose(one.purpose, part) for part in ("title", "text"))
        yield title, f"{text} {say(_BASIS[one.requirement])}"


def _data(say: Words) -> Iterable[str]:
    enabled = {one.purpose for one in say.facts.purposes}
    for purpose, id_ in _DATA.items():
        if purpose in enabled:
            yield say(id_)
    yield say("data_not")
    yield say("data_choice")


def _kept(say: Words) -> Iterable[tuple[str, ...]]:
    for name, days in say.facts.kept:
        yield say(f"kept.{name}"), say("at_most", period=say.texts.period(days))
    yield say("kept.address"), say("until_erased")


def _categories(say: Words) -> Iterable[tuple[str, ...]]:
    """One row for each category with its period (Cal. Civ. Code 1798.100(a); 11 CCR 7012)."""
    titles = "; ".join(say.purpose(one.purpose, "title") for one in say.facts.purposes)
    for name, days in say.facts.kept:
        kind = "ca_activity" if name in ACTIVITY else "ca_identifiers"
        why = titles if name in OF_MEASURING else say("ca_to_comply")
        category = f"{say(kind)}: {say(f'kept.{name}')}"
        yield category, why, say("at_most", period=say.texts.period(days)), say("ca_no")
    yield f"{say('ca_identifiers')}: {say('kept.address')}", say("ca_to_comply"), say("until_erased"), say("ca_no")


def _recipients(say: Words) -> Iterable[tuple[str, ...]]:
    for one in say.facts.controller.processors:
        where = f" ({say.texts.territory(one.country)})" if one.country else ""
        yield f"{say.plain(one.name)}{where}", say(f"role.{one.role}")


def _refuse(say: Words) -> Iterable[str]:
    asked = any(one.requirement is Requirement.CONSENT for one in say.facts.purposes)
    yield say("refuse" if asked else "refuse_notice")
    yield say("erased_after", period=say.texts.period(say.facts.erased_after_withdrawal))
    yield say("without_link", url=say.plain(say.facts.privacy_page), contact=say.plain(say.facts.controller.contact))


def _decisions(say: Words) -> Iterable[tuple[str, ...]]:
    for one in say.facts.purposes:
        if one.assessment:
            yield say.purpose(one.purpose, "title"), say("decisions", reference=say.plain(one.assessment))


def _complain(say: Words) -> Iterable[str]:
    yield say("complain")
    if say.facts.controller.complaints:
        yield say("complain_at", url=say.plain(say.facts.controller.complaints))


def _signals(say: Words) -> Iterable[str]:
    yield say("gpc")
    yield say("dnt_refusal" if say.facts.honours_dnt else "dnt_ignored")


def _sentences(key: str, make: Callable[[Words], Iterable[str]]) -> Callable[[Words], Slot]:
    return lambda say: Slot(key, say(f"{key}_heading"), sentences=tuple(make(say)))


def _items(key: str, make: Callable[[Words], Iterable[tuple[str, ...]]], none: str = "") -> Callable[[Words], Slot]:
    def slot(say: Words) -> Slot:
        items = tuple(make(say))
        return Slot(key, say(f"{key}_heading"), (say(none),) if none and not items else (), items)

    return slot


def _table(say: Words) -> Slot:
    columns = tuple(say(id_) for id_ in ("ca_category", "ca_purposes", "ca_kept", "ca_sold"))
    return Slot("categories", say("categories_heading"), items=tuple(_categories(say)), columns=columns)


def _in_india(key: str, url: Callable[[Facts], str]) -> Callable[[Words], Slot]:
    def slot(say: Words) -> Slot:
        found = url(say.facts)
        return Slot(key, say(f"{key}_heading"), (say(f"in_{key}", url=say.plain(found)),) if found else ())

    return slot


# One row for each slot. The key is what a form asks for, and the id of its heading.
SLOTS: Final[Mapping[str, Callable[[Words], Slot]]] = {
    "who": _sentences("who", _who),
    "purposes": _items("purposes", _purposes),
    "data": _sentences("data", _data),
    "kept": _items("kept", _kept),
    "categories": _table,
    "recipients": _items("recipients", _recipients, none="recipients_none"),
    "refuse": _sentences("refuse", _refuse),
    "withdraw": _in_india("withdraw", lambda facts: facts.privacy_page),
    "rights": _in_india("rights", lambda facts: f"mailto:{facts.controller.contact}"),
    "complaint": _in_india("complaint", lambda facts: facts.controller.complaints),
    "signals": _sentences("signals", _signals),
    "decisions": _items("decisions", _decisions),
    "consequences": _sentences("consequences", lambda say: (say("consequences"),)),
    "opt_out": _sentences("opt_out", lambda say: (say("ca_opt_out", url=say.plain(say.facts.privacy_page)),)),
    "policy": _sentences("policy", lambda say: (say("policy", url=say.plain(say.facts.controller.privacy_policy)),)),
    "complain": _sentences("complain", _complain),
}  # fmt: skip
