"""DNT has no legal force in our rows; by policy it is read as a refusal of that one hit, and nobody remembers it."""

import pytest
from collector_stage import ALICE, link, pixel


@pytest.mark.law("AH-12")
def test_do_not_track_refuses_this_hit_and_changes_no_choice(stage):
    stage.ask(pixel(ALICE), HTTP_DNT="1")
    answer = stage.ask(link(ALICE), HTTP_DNT="1")
    assert answer.status.startswith("302")
    assert stage.hits() == []
    assert stage.signals() == []
    stage.ask(pixel(ALICE))
    assert len(stage.hits()) == 1, "the next hit without the header is judged by the consent alone"


@pytest.mark.parametrize("value", ["0", "", "yes", "1, 1"])
def test_anything_but_one_says_nothing(stage, value):
    stage.ask(pixel(ALICE), HTTP_DNT=value)
    assert len(stage.hits()) == 1
