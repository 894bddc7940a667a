"""The look of a controller: its colour on its pages, readable in the light and in the dark, and nothing else."""

import re

import pytest

from consent_track.settings import READABLE, colour, contrast
from consent_track.web.colours import DARK_CARD, tint
from tests.world import ALICE


def test_a_controllers_pages_carry_its_colour(another):
    site = another(controller='accent = "#7a1f5c"')
    page = site.ask(site.link(ALICE)).text
    assert '<link rel="stylesheet" href="/look/1.css">' in page
    sheet = site.ask("/look/1.css")
    assert sheet.mimetype == "text/css"
    assert "--act: #7a1f5c" in sheet.text
    assert set(re.findall(r"--[\w-]+", sheet.text)) == {"--act", "--on-act"}


def test_without_a_colour_there_is_no_sheet(site):
    assert "/look/" not in site.ask(site.link(ALICE)).text
    assert site.ask("/look/1.css").status_code == 404
    assert site.ask("/look/2.css").status_code == 404


@pytest.mark.parametrize("accent", ["#000000", "#14524e", "#7a1f5c", "#0000ff", "#8a2be2", "#b00020", "#767676"])
def test_it_can_be_read_in_the_dark(accent):
    assert colour(accent) == accent
    assert contrast(tint(accent), DARK_CARD) >= READABLE


@pytest.mark.parametrize("accent", ["#ffffff", "#00ff00", "#ffcc00", "red", "#12345", "#14524e; }", "url(x)"])
def test_a_colour_that_hides_words_or_is_none_is_refused(accent):
    with pytest.raises(ValueError, match="must be"):
        colour(accent)
