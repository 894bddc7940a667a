"""What our own mails say, from the texts of the recipient's locale. A locale that is not complete writes no mail."""

import secrets
from collections.abc import Callable, Sequence

from consent_track.activities.asking import Question, Words
from consent_track.activities.confirming import Kind, Wish
from consent_track.activities.corresponding import Said
from consent_track.domain.controller import Controller
from consent_track.domain.vocabulary import Purpose
from consent_track.i18n import Texts, Wordings
from consent_track.mail.letter import Envelope, Letter, compose, render
from consent_track.request_letters import letter_about


class Letters:
    """Writes mails; it neither sends nor keeps them."""

    def __init__(self, wordings: Wordings, clock: Callable[[], float]) -> None:
        self._wordings, self._clock = wordings, clock

    def write(self, controller: Controller, wish: Wish, address: str, link: str, known: bool) -> bytes | None:
        """The mail that answers a form; None where the locale has no texts."""
        texts = self._wordings.texts(wish.locale) or self._wordings.texts(controller.default_locale)
        if texts is None:
            return None
        letter = self.answer(texts, controller, wish, link, known)
        return compose(letter, self.envelope(controller, address))

    def about(self, controller: Controller, said: Said, address: str) -> bytes | None:
        """The mail about a request; None where neither its locale nor the controller's has texts."""
        texts = self._wordings.texts(said.request.locale) or self._wordings.texts(controller.default_locale)
        if texts is None:
            return None
        return compose(letter_about(texts, controller, said), self.envelope(controller, address))

    def page_about(self, controller: Controller, said: Said) -> str:
        """The same as a page to print and post."""
        texts = self._wordings.texts(said.request.locale) or self._wordings.texts(controller.default_locale)
        assert texts is not None
        return render(letter_about(texts, controller, said))[1]

    def envelope(self, controller: Controller, address: str) -> Envelope:
        """From a controller to an address, now."""
        sender = controller.mailbox
        message_id = f"{secrets.token_hex(16)}@{sender.rpartition('@')[2]}"
        return Envelope(controller.name, sender, address, int(self._clock()), message_id)

    def answer(self, texts: Texts, controller: Controller, wish: Wish, link: str, known: bool) -> Letter:
        """What the mail says that answers a form."""
        if wish.kind is Kind.CONSENT:
            return self._confirmation(texts, controller, wish, link)
        name = {"controller": controller.name}
        kind = wish.kind.value if known else "nothing"
        paragraphs = (texts.get(f"mail.{kind}.text", **name),)
        buttons = ((texts.get(f"mail.{kind}.button"), link),) if known else ()
        return self._letter(texts, controller, kind, paragraphs, buttons)

    def words(self, controller: Controller, locale: str, purposes: Sequence[Purpose]) -> Words | None:
        """The words that ask in a locale, or in the controller's for whoever has none; None where there are no texts.

        There is no falling back to another language: a question nobody understands asks nothing (DI-03).
        """
        texts = self._wordings.texts(locale or controller.default_locale)
        if texts is None:
            return None
        ids = [f"mail.request.{part}" for part in ("subject", "yes", "no", "same", "page", "why", "privacy")]
        ids += [f"mail.request.ask.{purpose}" for purpose in purposes]
        ids += [f"purpose.{purpose}.{part}" for purpose in purposes for part in ("title", "text")]
        return Words(texts.shown(*ids, "footer.not_measured_by_us"), texts.hash)

    def request(self, question: Question) -> bytes:
        """The mail that asks one person."""
        return compose(self.question(question), self.envelope(question.controller, question.address))

    def question(self, question: Question) -> Letter:
        """What the mail says that asks: two answers alike, and that a no costs nothing (decision 32)."""
        controller = question.controller
        texts = self._wordings.texts(question.locale)
        assert texts is not None
        name = {"controller": controller.name}
        paragraphs = [texts.get(f"mail.request.ask.{purpose}", **name) for purpose in question.purposes]
        for purpose in question.purposes:
            title, what = (texts.get(f"purpose.{purpose}.{part}", **name) for part in ("title", "text"))
            paragraphs.append(f"{title}. {what}")
        paragraphs.append(texts.get("mail.request.same", months=texts.months(question.months)))
        buttons = ((texts.get("mail.request.yes"), question.yes), (texts.get("mail.request.no"), question.no))
        small = [texts.get("mail.request.page"), texts.get("mail.request.why", **name)]
        small += [texts.get("footer.not_measured_by_us", **name), *_address(controller)]
        links = ((texts.get("mail.request.privacy", **name), controller.privacy_policy),)
        return Letter(
            texts.get("mail.request.subject", **name), tuple(paragraphs), buttons, tuple(small), texts.locale,
            texts.direction, links,
        )  # fmt: skip

    def _confirmation(self, texts: Texts, controller: Controller, wish: Wish, link: str) -> Letter:
        name = {"controller": controller.name}
        paragraphs = [texts.get("mail.consent.text", **name)]
        if wish.mail:
            paragraphs.append(texts.get("mail.consent.mail", **name))
        for purpose in wish.purposes:
            title, what = (texts.get(f"purpose.{purpose}.{part}", **name) for part in ("title", "text"))
            paragraphs.append(f"{title}. {what}")
        paragraphs.append(texts.get("mail.consent.until_then"))
        return self._letter(
            texts, controller, "consent", tuple(paragraphs), ((texts.get("mail.consent.button"), link),)
        )

    def _letter(
        self,
        texts: Texts,
        controller: Controller,
        kind: str,
        paragraphs: tuple[str, ...],
        buttons: tuple[tuple[str, str], ...],
    ) -> Letter:
        name = {"controller": controller.name}
        small = [texts.get("mail.not_you"), texts.get("footer.not_measured_by_us", **name), *_address(controller)]
        return Letter(
            texts.get(f"mail.{kind}.subject", **name), paragraphs, buttons, tuple(small), texts.locale, texts.direction
        )


def _address(controller: Controller) -> list[str]:
    return [f"{controller.name}, {' '.join(controller.postal_address.split())}"] if controller.postal_address else []
