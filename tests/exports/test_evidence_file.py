"""What Dana signs for: a form with its words and dates, a screenshot by its hash; and every way to get it wrong."""

import hashlib
import json
from datetime import date

import pytest

from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import Purpose
from consent_track.exports import read_evidence
from tests import lists

TODAY = date(2026, 11, 23)


@pytest.fixture
def path(tmp_path):
    return lists.evidence_file(tmp_path)


def test_a_form_is_read_with_its_words_and_its_screenshot(path):
    [form], (screenshot, stored) = read_evidence(path, TODAY)
    assert (form.name, form.url) == ("spring", "https://acme.example/newsletter")
    assert (form.shown_from, form.shown_to) == (date(2024, 1, 1), date(2024, 12, 31))
    assert [(w.purpose, w.by_submitting) for w in form.wordings] == [
        (None, True), (Purpose.OPEN_PERFORMANCE, False), (Purpose.CLICK_PERFORMANCE, False)
    ]  # fmt: skip
    assert screenshot.content == lists.SCREENSHOT
    assert (screenshot.media_type, screenshot.id) == ("image/png", hashlib.sha256(lists.SCREENSHOT).hexdigest())
    assert form.id == stored.id == hashlib.sha256(stored.content).hexdigest()
    said = json.loads(stored.content)
    assert said["signed_by"] == stored.signed_by == "Dana Okafor"
    assert said["files"] == [{"name": "spring.png", "sha256": screenshot.id}]
    assert said["wordings"][1]["text"].startswith("Acme may record whether I open it.")


def test_any_change_of_what_was_shown_is_another_piece_of_evidence(path):
    ids = {read_evidence(path, TODAY)[0][0].id}
    text = path.read_text()
    changes = [("once a month", "twice a month"), ("2024-12-31", "2024-12-30"), ("Dana Okafor", "Dan Okafor"),
               ("newsletter\"", "news\""), ('locale = "en"', 'locale = "fr"'), ('"spring"', '"autumn"')]  # fmt: skip
    for old, new in changes:
        path.write_text(text.replace(old, new))
        ids.add(read_evidence(path, TODAY)[0][0].id)
    assert len(ids) == 1 + len(changes)
    path.write_text("# a comment\n" + text)
    assert read_evidence(path, TODAY)[0][0].id in ids


DEFECTS = [
    ("[[form]]", "[form]", "write one [[form]] table"),
    ("[[form]]", "=", "cannot be read"),
    ("[[form]]", 'owner = "x"\n[[form]]', "nothing else"),
    ('name = "spring"', "", "form 1: name: is missing"),
    ('name = "spring"', 'name = "  "', "form 1: name: is missing"),
    ('url = "https://acme.example/newsletter"', "", "form 1: url: is missing"),
    ('signed_by = "Dana Okafor"', "", "form 1: signed_by: is missing"),
    ("signed_on = 2026-11-10", "", "form 1: signed_on: is missing"),
    ("signed_on = 2026-11-10", "signed_on = 2026-11-24", "form 1: signed_on: is in the future"),
    ("shown_from = 2024-01-01", 'shown_from = "2024-01-01"', "form 1: shown_from: is missing, or no day"),
    ("shown_from = 2024-01-01", "shown_from = 2024-01-01T00:00:00Z", "form 1: shown_from: is missing, or no day"),
    ("shown_to = 2024-12-31", "shown_to = 2023-12-31", "form 1: shown_to: is before shown_from"),
    ("url =", "uri =", "form 1: uri: is not a key"),
    ('path = "spring.png"', 'path = "summer.png"', "summer.png cannot be read"),
    ('sha256 = "', 'sha256 = "0', "spring.png has another SHA-256"),
    ('path = "spring.png", ', "", "files: needs path and sha256"),
    ('purpose = "open_performance"', 'purpose = "opens"', "wording 2: purpose: 'opens' is not one of mail"),
    ('purpose = "open_performance"', 'purpose = "geo"', "wording 2: purpose: 'geo' is not one of mail"),
    ('purpose = "open_performance"', 'purpose = "click_performance"', "two texts for one purpose in one locale"),
    ('text = "Send me the newsletter once a month."', "", "wording 1: text: is missing"),
    ('purpose = "open_performance"', 'purpose = "open_performance"\nanswer = "maybe"', "answer: is column"),
    ('purpose = "open_performance"', 'purpose = "open_performance"\nanswer = "submit"', "they are several acts"),
]


@pytest.mark.parametrize(("old", "new", "problem"), DEFECTS)
def test_a_defect_is_named(path, old, new, problem):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputRefused) as refused:
        read_evidence(path, TODAY)
    assert problem in str(refused.value)


def test_a_form_without_words_shows_nothing(path):
    path.write_text(path.read_text().partition("[[form.wording]]")[0])
    with pytest.raises(InputRefused, match="wording 1: is missing: what were people told"):
        read_evidence(path, TODAY)


def test_two_forms_need_two_names(path):
    text = path.read_text()
    path.write_text(text + text)
    with pytest.raises(InputRefused, match="form: name: is given twice"):
        read_evidence(path, TODAY)
    path.write_text(text + text.replace('"spring"', '"autumn"'))
    forms, stored = read_evidence(path, TODAY)
    assert (len(forms), len(stored)) == (2, 4)


def test_a_screenshot_that_is_too_large_is_refused(path):
    with (path.parent / "spring.png").open("wb") as file:
        file.truncate(10_000_001)
    with pytest.raises(InputRefused, match="is empty, or larger than"):
        read_evidence(path, TODAY)
