"""The operator's own words: they replace the shipped ones, are data and never a template; a bad one is refused."""

from dataclasses import replace
from html import unescape

import pytest

from consent_track.bootstrap import bootstrap
from consent_track.bundled import bundled
from consent_track.domain.consent import Shown
from consent_track.domain.disclosure import Statement
from consent_track.domain.errors import ConfigurationRefused
from consent_track.domain.vocabulary import Purpose
from consent_track.i18n import load_wordings
from consent_track.mail.footer import FooterLinks
from consent_track.records import wordings as kept
from consent_track.records.database import read
from consent_track.web import create_app
from consent_track.wording_files import MOST_WORDS, too_long_for_a_footer, wrong
from tests import world
from tests.world import ALICE

SHIPPED = load_wordings(bundled("translations"))
LINKS = FooterLinks("https://t.example/p/x", "https://acme.example/privacy", "https://t.example/u/x")
CLAUSE, HEADING = "purpose.open_performance.clause", "page.choices_heading"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "wordings"


@pytest.fixture
def write(folder):
    """Write texts, as `fr/page.on`: their words or octets; give back what is read."""

    def write(**texts: str | bytes):
        for name, words in texts.items():
            path = folder / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(words if isinstance(words, bytes) else words.encode())
        return load_wordings(bundled("translations"), folder)

    return write


class TestOwnWords:
    def test_a_file_replaces_the_shipped_text_of_its_id_and_locale_and_no_other(self, write):
        found = write(**{f"fr/{CLAUSE}": "pour mieux écrire ses lettres\n"})
        assert found.problems() == ()
        changed = {
            (locale, id_)
            for locale in SHIPPED.locales
            for id_, text in found.complete[locale].messages.items()
            if text != SHIPPED.complete[locale].messages[id_]
        }
        assert changed == {("fr", CLAUSE)}
        assert found.complete["fr"].own == {CLAUSE}
        footer = found.complete["fr"].footer(Statement.OPENS_ONLY, "Acme", [Purpose.OPEN_PERFORMANCE], LINKS)
        assert "pour mieux écrire ses lettres" in footer.html

    @pytest.mark.law("DI-04")
    def test_one_character_changes_what_a_sign_off_signs_and_the_wording_of_a_choice(self, write):
        before = write(**{f"fr/{HEADING}": "Vos choix chez %(controller)s"}).complete["fr"]
        after = write(**{f"fr/{HEADING}": "Vos choix chez %(controller)s."}).complete["fr"]
        assert len({before.hash, after.hash, SHIPPED.complete["fr"].hash}) == 3
        assert before.shown(HEADING).id != after.shown(HEADING).id
        assert before.shown("page.on").id == after.shown("page.on").id

    def test_what_editors_add_is_not_part_of_the_words(self, write):
        plain = write(**{f"fr/{CLAUSE}": "pour écrire mieux"}).complete["fr"].hash
        for octets in ("pour écrire mieux\n", "\ufeffpour écrire mieux \r\n", "  pour écrire mieux\n\n"):
            assert write(**{f"fr/{CLAUSE}": octets}).complete["fr"].hash == plain

    def test_the_spaces_of_a_joint_are_kept(self, write):
        assert write(**{"fr/footer.list_and": " et puis \n"}).complete["fr"].messages["footer.list_and"] == " et puis "

    def test_readme_and_hidden_files_are_passed_over(self, write, folder):
        write(**{"fr/README": "mine"})
        (folder / "README").write_text("mine")
        (folder / "fr" / ".page.on.txt.swp").write_text("x")
        assert load_wordings(bundled("translations"), folder).problems() == ()

    def test_a_new_locale_may_come_wholly_from_files(self, write):
        texts = {f"it/{id_}": f"È {text}" for id_, text in SHIPPED.complete["fr"].messages.items()}
        found = write(**texts)
        assert found.problems() == ()
        assert found.texts("it-CH").locale == "it"
        assert found.complete["it"].own == set(SHIPPED.complete["fr"].messages)

    def test_a_new_locale_that_is_not_whole_or_not_translated_is_not_used(self, write):
        english = SHIPPED.complete["en"].messages
        found = write(**{"fi/page.on": "Päällä", "fi/done.includes_sent": english["done.includes_sent"]})
        assert found.texts("fi") is None
        said = [str(problem) for problem in found.problems()]
        assert any("fi/done.includes_sent.txt: is not translated yet" in line for line in said)
        assert any(line.startswith("fi: page.off: is missing") for line in said)


@pytest.mark.law("DI-04", "ST-15")
def test_the_old_words_of_an_old_choice_stay_after_the_operator_changed_them(tmp_path):
    runtime = world.installation(tmp_path / "home")
    shown = SHIPPED.complete["en"].shown("page.turn_all_off")
    with runtime.processing() as p:
        kept.keep(p.session, 1, shown, p.now)
    runtime.database.close()
    mine = tmp_path / "home" / "wordings" / "en"
    mine.mkdir(parents=True)
    (mine / "page.turn_all_off.txt").write_text("Stop all measuring\n")

    again = bootstrap(replace(runtime.config, wordings_dir=mine.parent), clock=world.Clock())
    new = again.wordings.complete["en"].shown("page.turn_all_off")
    with read(again.database.engine) as session:
        found = kept.find(session, 1, shown.id)
    again.database.close()
    assert new.words != shown.words
    assert new.id != shown.id
    assert found == Shown("en", (("page.turn_all_off", "Turn all measuring off"),))


REFUSED = [
    ("page.onn", "On", "is no text of this version"),
    (HEADING, "Your choices", "must have exactly the placeholders of this text: %(controller)s"),
    (HEADING, "%(controller)s knows %(address)s", "must have exactly the placeholders"),
    (HEADING, "%(controller)s %(controller)9999999s", "holds a % that begins no placeholder"),
    (HEADING, "%(controller)s 100 %", "holds a % that begins no placeholder"),
    ("page.on", "<b>On</b>", "holds markup"),
    ("page.on", "&lt;On&gt;", "holds markup"),
    ("page.on", "O\x07n", "holds a control character"),
    ("page.on", "O\x00n", "holds a control character"),
    ("page.on", "O\u2028n", "holds a control character"),
    ("page.on", "On\nand on", "has several lines"),
    ("page.on", "\u202enO", "turns the direction of the text round"),
    ("page.on", " \n", "is empty"),
    ("page.on", "On and " * 40, "characters; at most 80"),
    ("page.on", b"\xff\xfeO\x00n\x00", "is not UTF-8 text"),
    ("page.on", "x" * 20_000, "is larger than 16 kB"),
]


@pytest.mark.parametrize(("id_", "words", "reason"), REFUSED)
def test_a_bad_text_is_refused_with_its_file_and_blocks_its_locale(write, folder, id_, words, reason):
    found = write(**{f"fr/{id_}": words})
    (problem,) = found.problems()
    assert problem.where == str(folder / "fr" / f"{id_}.txt")
    assert reason in problem.what
    assert found.texts("fr") is None
    assert set(found.locales) == set(SHIPPED.locales) - {"fr"}


def test_files_that_nobody_reads_are_said(write, folder):
    write(**{"fr/page.on": "Oui"})
    for name in ("note.txt", "klingon/page.on.txt", "fr/page.on.txt~", "en_US/page.on.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("On")
    found = load_wordings(bundled("translations"), folder)
    assert [problem.where.removeprefix(f"{folder}/") for problem in found.problems()] == [
        *("en_US", "fr/page.on.txt~", "klingon", "note.txt")
    ]


def test_an_installation_whose_own_words_are_bad_says_which_and_does_not_start(tmp_path):
    mine = tmp_path / "home" / "wordings" / "en"
    mine.mkdir(parents=True)
    (mine / "page.on.txt").write_text("<i>On</i>")
    with pytest.raises(ConfigurationRefused, match=r"page\.on\.txt: holds markup"):
        world.installation(tmp_path / "home")


@pytest.mark.law("DI-13")
class TestLength:
    """Decision 28: at most two sentences and 45 words, with every purpose in them that a mail can serve."""

    def test_a_footer_of_three_sentences_is_refused(self, write):
        found = write(**{"de/footer.not_measured": "%(controller)s misst nicht. Nie. Wirklich."})
        assert "makes a footer of 3 sentences" in found.problems()[0].what
        assert found.texts("de") is None

    def test_clauses_that_make_a_footer_too_long_together_are_refused(self, write):
        words = "to see which of its many stories people like to read"
        ids = [f"purpose.{purpose}.clause" for purpose in ("open_performance", "personalisation", "sales_followup")]
        assert write(**{f"en/{ids[0]}": words}).problems() == ()
        found = write(**{f"en/{id_}": f"{words} {number}" for number, id_ in enumerate(ids)})
        assert f"{MOST_WORDS}" in found.problems()[0].what
        assert found.texts("en") is None

    @pytest.mark.parametrize("said", ["一。二。三。", "نعم؟ لا. ربما.", "word " * 46, "字" * 401])
    def test_every_script_is_measured(self, said):
        assert too_long_for_a_footer(said)

    def test_a_point_inside_a_word_ends_no_sentence(self):
        assert too_long_for_a_footer("Acme.example 2.0 records opens. Turn it off.") is None


# What template engines of many kinds would run, and what a format string could reach (threat T21).
INJECTIONS = """
    {{7*7}}    ${7*7}    #{7*7}    {7*7}    {{config}}    {{''.__class__.__mro__}}    {% raw %}    ${{7*7}}    @(7*7)
    {{range.constructor('return')()}}    [[${7*7}]]    {{env 'HOME'}}    {0.__class__}    {controller.__init__}    $(id)
    {{cycler.__init__.__globals__}}    *{7*7}    ~{7*7}    #set($x=7)    {php}echo 1{/php}    \\x3cscript\\x3e
    AT&T & Co.    `id`    <%= 7*7 %>    %(controller)s    %s    %n
"""


@pytest.mark.parametrize("injected", [one.strip() for one in INJECTIONS.split("    ") if one.strip()])
def test_a_text_is_shown_to_the_letter_or_refused(injected, tmp_path):
    """Rendered by the real page: output equals input, or the file is refused."""
    text = f"Yes {injected}"
    if wrong(text, SHIPPED.complete["en"].messages["page.measuring_on"]):
        assert "%" in injected or "<" in injected
        return
    mine = tmp_path / "home" / "wordings" / "en"
    mine.mkdir(parents=True)
    (mine / "page.measuring_on.txt").write_text(text)
    runtime = world.installation(tmp_path / "home")
    world.consents(runtime, ALICE)
    data = world.prepare(runtime, world.mail_to(ALICE), ALICE).result.data.decode()
    link = data.partition("https://mail.acme.example/p/")[2].split()[0].strip('"')
    page = create_app(runtime).test_client().get(f"/p/{link}", base_url="https://mail.acme.example").text
    runtime.database.close()
    assert text in unescape(page)
    assert "<script" not in page


def test_the_filled_in_value_is_not_filled_again(write):
    texts = write(**{f"en/{HEADING}": "Choices for %(controller)s"}).complete["en"]
    assert texts.get(HEADING, controller="%(masked)s {{7*7}}") == "Choices for %(masked)s {{7*7}}"


def test_a_copy_of_the_shipped_texts_changes_nothing(write):
    found = write(**{f"{locale}/{id_}": f"{text}\n" for locale in SHIPPED.locales
                     for id_, text in SHIPPED.complete[locale].messages.items()})  # fmt: skip
    assert found.problems() == ()
    assert {locale: texts.hash for locale, texts in found.complete.items()} == {
        locale: texts.hash for locale, texts in SHIPPED.complete.items()
    }
