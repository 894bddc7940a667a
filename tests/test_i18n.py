"""What recipients read: complete in a language or not used in it, short enough to be read, and true."""

import itertools
import re
import shutil
from dataclasses import replace

import pytest

from consent_track.bundled import bundled
from consent_track.domain.disclosure import Statement
from consent_track.domain.vocabulary import INDIVIDUAL, Purpose
from consent_track.i18n import LEGAL, REFERENCE, load_wordings
from consent_track.mail.footer import FooterLinks
from tests import world
from tests.world import ALICE, mail_to, prepare

WORDINGS = load_wordings(bundled("translations"))
LOCALES = WORDINGS.locales
LINKS = FooterLinks("https://t.example/p/x", "https://acme.example/privacy", "https://t.example/u/x")
MEASURING = [
    statement for statement in Statement if "not_measured" not in statement and statement is not Statement.COUNTED
]


def sentences(text):
    return len(re.findall(r"[.!?؟](?=\s|$)", text))


def test_the_shipped_languages_are_complete():
    assert set(LOCALES) >= {"en", "fr", "de", "ar"}
    assert WORDINGS.problems() == ()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("statement", Statement)
def test_every_footer_is_at_most_two_sentences_and_45_words(locale, statement):
    """With every mix of purposes: a disclosure that nobody reads to its end informs nobody (decision 28)."""
    texts = WORDINGS.complete[locale]
    for count in range(1, len(INDIVIDUAL) + 1):
        for purposes in itertools.combinations(sorted(INDIVIDUAL), count):
            if statement is Statement.LAST_OPEN_DAY:
                purposes = (Purpose.DELIVERABILITY_HYGIENE,)  # it never has another
            said = texts.get(f"footer.{statement}", controller="Acme", purposes=texts.purposes(purposes))
            assert len(said.split()) <= 45, said
            assert 1 <= sentences(said) <= 2, said
            assert "%" not in said


@pytest.mark.law("DI-08")
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("statement", MEASURING)
def test_a_footer_names_the_controller_and_what_for_and_never_says_agreed(locale, statement):
    texts = WORDINGS.complete[locale]
    said = texts.footer(statement, "Acme", [Purpose.CLICK_PERFORMANCE], LINKS).text
    assert "Acme" in said
    assert texts.messages["purpose.click_performance.clause"] in said.replace("\n", " ")
    assert not re.search(r"agreed|consented|accepté|zugestimmt|وافقت", said)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_footer_stands_in_its_own_language_and_direction(locale):
    footer = WORDINGS.complete[locale].footer(Statement.NOT_MEASURED, "Acme", [], LINKS)
    assert f'<div lang="{locale}" dir="{"rtl" if locale == "ar" else "ltr"}"' in footer.html


@pytest.mark.parametrize("locale", LOCALES)
def test_no_language_says_measured_and_unmeasured_in_the_same_words(locale):
    said = [WORDINGS.complete[locale].messages[f"footer.{statement}"] for statement in Statement]
    assert len(set(said)) == len(said)


class TestIncomplete:
    """A catalogue that lost one text: its language is not used at all, and no other one stands in for it."""

    @pytest.fixture
    def folder(self, tmp_path):
        shutil.copytree(bundled("translations"), tmp_path / "translations")
        return tmp_path / "translations"

    def change(self, folder, locale, old, new):
        path = folder / locale / "LC_MESSAGES" / "consent_track.po"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        return load_wordings(folder)

    @pytest.mark.parametrize("id_", sorted(i for i in WORDINGS.complete[REFERENCE].messages if i.startswith(LEGAL)))
    def test_any_legal_text_that_is_missing_blocks_its_language(self, folder, id_):
        found = self.change(folder, "de", f'msgid "{id_}"', f'msgid "{id_}.gone"')
        assert found.texts("de") is None
        assert [problem.where for problem in found.problems()] == [f"de: {id_}"]
        assert set(found.locales) == set(LOCALES) - {"de"}

    def test_a_text_with_another_placeholder_blocks_its_language(self, folder):
        found = self.change(folder, "fr", "%(controller)s enregistre", "%(sender)s enregistre")
        assert found.texts("fr") is None
        assert "other placeholders" in str(found.problems()[0])

    def test_a_fuzzy_text_is_not_finished(self, folder):
        found = self.change(folder, "ar", 'msgid "footer.link_stop"', '#, fuzzy\nmsgid "footer.link_stop"')
        assert found.texts("ar") is None

    def test_a_catalogue_that_is_none_blocks_its_language_only(self, folder):
        (folder / "fr" / "LC_MESSAGES" / "consent_track.po").write_bytes(b'msgid "a\nmsgstr \xff')
        found = load_wordings(folder)
        assert found.texts("fr") is None
        assert found.texts("de") is not None

    def test_a_mail_in_a_blocked_language_leaves_unmeasured_and_without_a_footer(self, folder, tmp_path):
        self.change(folder, "fr", 'msgid "footer.link_stop"', 'msgid "footer.link_stopped"')
        runtime = world.installation(tmp_path / "home", extra=f'translations = "{folder}"')
        world.consents(runtime, ALICE)
        done = prepare(runtime, mail_to(ALICE), ALICE, replace(world.NEWSLETTER, locale="fr"))
        assert done.result.data == mail_to(ALICE)
        assert done.result.reason == "locale_unavailable"


class TestWording:
    def test_one_changed_character_is_another_wording(self, tmp_path):
        shutil.copytree(bundled("translations"), tmp_path / "t")
        path = tmp_path / "t" / "fr" / "LC_MESSAGES" / "consent_track.po"
        path.write_text(path.read_text("utf-8").replace("C’est fait.", "C’est fait !"), "utf-8")
        before, after = WORDINGS.complete["fr"], load_wordings(tmp_path / "t").complete["fr"]
        assert before.hash != after.hash
        assert before.shown("done.heading").id != after.shown("done.heading").id
        assert before.shown("page.on").id == after.shown("page.on").id

    def test_the_same_words_in_another_language_are_another_wording(self):
        ids = {WORDINGS.complete[locale].shown("page.on").id for locale in LOCALES}
        assert len(ids) == len(LOCALES)


NEGOTIATED = """
    fr                              fr
    fr-CA, en;q=0.5                 fr
    ja, de;q=0.3, ar;q=0.9          ar
    en;q=0, fr;q=0.1                fr
    ja                              de
    ;;q=x, *                        de
    fr;q=nonsense, ar               ar
"""


@pytest.mark.parametrize(("asked", "given"), [line.rsplit(maxsplit=1) for line in NEGOTIATED.strip().splitlines()])
def test_the_language_of_a_browser_is_served_where_it_is_complete(asked, given):
    assert WORDINGS.negotiate(asked.strip(), "de") == given


def test_a_moment_is_told_with_its_place():
    told = {locale: WORDINGS.complete[locale].moment(world.NOW, "Europe/Paris") for locale in LOCALES}
    assert told["en"] == "12:06, 18 November 2026 (Paris)"
    assert told["de"] == "12:06, 18. November 2026 (Paris)"
    assert told["ar"] == "12:06، 18 نوفمبر 2026 (باريس)"
