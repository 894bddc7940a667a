"""Instrumenting one mail: bytes in, bytes out. Everything was decided before; here it is carried out, by splicing.

Order: may it be touched at all; what is ours and old goes; trackers of others; links; footer; pixel; header fields.
The footer is chosen last, because it says what was really done (DI-08).
"""

import html as entities
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from consent_track.domain.disclosure import Instrumented
from consent_track.domain.vocabulary import MailType, Purpose

from . import html, links, trackers
from .footer import Footer
from .headers import PREFIX, UNSUBSCRIBE_FIELDS
from .leaf import Edit, Leaf, Splice, apply, header_splice
from .mime import Bodies, Mail, Unreadable, protection, text_leaves
from .own import Own, remove
from .pixel import pixel_html

# Gmail shows the first 102 kB of a message's HTML and hides the rest behind a link. Octets.
CLIPPED_AT: Final = 102 * 1024


NOTHING: Final = Instrumented(opens=False, clicks=False)


class Outcome(StrEnum):
    """What became of a mail; the value stands in the mailing register."""

    PREPARED = "prepared"
    UNTOUCHED = "untouched"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be done to one mail for one recipient. `open_url` and `click_url` are None where it may not."""

    own: Own
    mail_type: MailType
    open_url: str | None
    click_url: Callable[[int, str], str] | None
    footer: Callable[[Instrumented], Footer] | None
    exempt: Purpose | None = None  # the mode of `exempt_url`: a pixel that measures nobody individually
    exempt_url: str = ""
    by_notice: bool = False
    unsubscribe: tuple[tuple[str, str], ...] = ()
    refuse_foreign: bool = False  # refuse a mail with a foreign tracker for a refuser, rather than strip it
    pass_signed_foreign: bool = False

    @property
    def measures(self) -> bool:
        """Whether somebody is measured individually: only then may a tracker of somebody else stay (decision 22)."""
        return self.open_url is not None or self.click_url is not None


@dataclass(frozen=True, slots=True)
class Result:
    """The mail to send on (empty if refused), and what was done."""

    data: bytes
    outcome: Outcome
    reason: str = ""
    done: Instrumented = NOTHING
    links: int = 0
    warnings: tuple[str, ...] = ()


def left_alone(data: bytes, why: Unreadable) -> Result:
    """A mail that cannot be read passes as it is, and unmeasured."""
    return Result(data, Outcome.UNTOUCHED, why.reason)


def instrument(mail: Mail, plan: Plan) -> Result:
    """Carry out `plan` on one mail. Never raises for what the mail contains; never changes a byte it need not."""
    if shield := protection(mail):
        return _protected(mail, plan, shield)
    read: dict[int, Leaf | Unreadable] = {}
    cleaned = remove(mail, plan.own, read)
    if isinstance(cleaned, Unreadable):
        # Somebody's token is in there and cannot be taken out: it must not leave in another person's mail.
        return Result(b"", Outcome.REFUSED, cleaned.reason)

    work = _Work(cleaned, plan, read if cleaned is mail else {})
    if work.refusal:
        return Result(b"", Outcome.REFUSED, work.refusal)
    return work.finish()


def _protected(mail: Mail, plan: Plan, shield: str) -> Result:
    """A signed or encrypted mail passes as it is, unless it would measure somebody who said no (decision 22)."""
    if not plan.measures and _has_foreign(mail, plan):
        reason = "foreign_tracker_signed"
        if plan.pass_signed_foreign:
            return Result(mail.data, Outcome.UNTOUCHED, reason, Instrumented(False, False, foreign=True))
        return Result(b"", Outcome.REFUSED, reason)
    return Result(mail.data, Outcome.UNTOUCHED, shield)


def _has_foreign(mail: Mail, plan: Plan) -> bool:
    bodies, hosts = text_leaves(mail), plan.own.hosts
    for part in (*bodies.html, *bodies.plain):
        leaf = Leaf.of(mail, part)
        if isinstance(leaf, Unreadable):
            continue
        if leaf.is_html:
            found = trackers.find(html.scan(leaf.text, leaf.text_charset), leaf.text, own_hosts=hosts)
        else:
            found = trackers.find_in_text(leaf.text, own_hosts=hosts)
        if found:
            return True
    return False


class _Work:
    """The edits of one mail, leaf by leaf; nothing is applied before all of them are known."""

    def __init__(self, mail: Mail, plan: Plan, read: dict[int, Leaf | Unreadable]) -> None:
        self.mail, self.plan, self.read = mail, plan, read
        self.bodies: Bodies = text_leaves(mail)
        self.leaves: dict[int, Leaf] = {}
        self.edits: dict[int, list[Edit]] = {}
        self.pages: dict[int, html.Page] = {}
        self.refusal = ""
        self.warnings: list[str] = []
        self.links = 0
        self.foreign = self.stripped = False
        for part in (*self.bodies.html, *self.bodies.plain):
            leaf = read.get(part.body_start) or Leaf.of(mail, part)
            if isinstance(leaf, Unreadable):
                self.warnings.append(leaf.reason)
                self.foreign = True  # what cannot be read may measure; the footer must not say otherwise
                continue
            self.leaves[part.body_start], self.edits[part.body_start] = leaf, []
            if leaf.is_html:
                self._read_html(part.body_start, leaf)
            else:
                self._meet(part.body_start, trackers.find_in_text(leaf.text, own_hosts=plan.own.hosts))

    def _read_html(self, key: int, leaf: Leaf) -> None:
        page = self.pages[key] = html.scan(leaf.text, leaf.text_charset)
        strangers = trackers.find(page, leaf.text, own_hosts=self.plan.own.hosts)
        self._meet(key, strangers)
        if self.plan.click_url is not None:
            # A stranger's wrapped link is never wrapped again: two redirects, and the second one not ours to know.
            self._rewrite(key, page, {(stranger.start, stranger.end) for stranger in strangers})

    def _meet(self, key: int, strangers: tuple[trackers.ForeignTracker, ...]) -> None:
        """Trackers of somebody else: known of in a mail that is measured, sent away from one that is not."""
        if self.plan.measures:
            self.foreign = self.foreign or bool(strangers)
            return
        for stranger in strangers:
            if self.plan.refuse_foreign or stranger.replacement is None:
                self.refusal = "foreign_tracker"
                return
            self.edits[key].append(Edit(stranger.start, stranger.end, stranger.replacement))
            self.stripped = True

    def _rewrite(self, key: int, page: html.Page, kept: set[tuple[int, int]]) -> None:
        assert self.plan.click_url is not None
        for anchor in page.anchors:
            span = (anchor.href.value_start, anchor.href.value_end)
            if span in kept:
                continue
            verdict = links.classify(anchor, mail_type=self.plan.mail_type, own_hosts=self.plan.own.hosts)
            if isinstance(verdict, links.Rewrite):
                self.links += 1
                url = self.plan.click_url(self.links, verdict.destination)
                self.edits[key].append(Edit(*span, entities.escape(url)))

    def finish(self) -> Result:
        """Footer, pixel, header fields; then one application of all splices."""
        last = max(self.pages, default=None)
        # An exemption holds for its purpose alone, so not beside anything that may measure somebody (AH-14).
        exempt = None if self.plan.measures or self.foreign or last is None else self.plan.exempt
        opens = self.plan.open_url is not None and last is not None
        done = Instrumented(opens, self.links > 0, self.plan.by_notice, self.foreign, exempt)
        footer = self.plan.footer(done) if self.plan.footer else None
        if last is not None:
            self._close_html(last, footer, self.plan.exempt_url if exempt else self.plan.open_url)
        if footer is not None:
            self._close_text(footer)

        splices: list[Splice] = []
        for key, leaf in self.leaves.items():
            changed = leaf.splice(self.edits[key])
            if not isinstance(changed, Unreadable):
                splices.extend(changed)
            elif key in self.pages or self.stripped:
                return self._left_alone(changed.reason)
            else:
                self.warnings.append(changed.reason)  # a text part without the notice that the HTML part has
        splices.extend(self._fields())
        data = apply(self.mail.data, splices)
        return Result(data, Outcome.PREPARED, "", done, self.links, tuple(dict.fromkeys(self.warnings)))

    def _left_alone(self, reason: str) -> Result:
        """A mail that cannot be edited passes as it is, unless a stranger's tracker would leave with it."""
        if self.stripped:
            return Result(b"", Outcome.REFUSED, "foreign_tracker")
        return Result(self.mail.data, Outcome.UNTOUCHED, reason)

    def _close_html(self, key: int, footer: Footer | None, url: str | None) -> None:
        page, text = self.pages[key], self.leaves[key].text
        at = html.insertion_point(page, text)
        image = pixel_html(url) if url else ""
        tail = footer.html if footer else ""
        grown = len(text) + len(tail) + len(image) + sum(len(edit.text) for edit in self.edits[key])
        if grown > CLIPPED_AT:
            self.warnings.append("clipped")
            if image and page.body_open_end is not None and page.body_open_end < at:
                self.edits[key].append(Edit(page.body_open_end, page.body_open_end, image))
                image = ""
        if tail or image:
            self.edits[key].append(Edit(at, at, tail + image))

    def _close_text(self, footer: Footer) -> None:
        """The same notice for people who read the text part (DI-09), after the last displayed one."""
        texts = [part.body_start for part in self.bodies.plain if part.body_start in self.leaves]
        if texts:
            text = self.leaves[texts[-1]].text
            start = "" if not text or text.endswith(b"\n") else "\n"
            self.edits[texts[-1]].append(Edit(len(text), len(text), start + footer.text))

    def _fields(self) -> tuple[Splice, ...]:
        names = {header.lower for header in self.mail.root.headers}
        gone = {name for name in names if name.startswith(PREFIX)}
        if self.plan.unsubscribe:
            gone |= names & UNSUBSCRIBE_FIELDS
        return header_splice(self.mail, self.mail.root, add=list(self.plan.unsubscribe), remove=gone)
