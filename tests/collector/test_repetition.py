"""The same token again, and every link of a mail at once."""

import pytest
from collector_stage import ALICE, link, pixel

from consent_track.domain.engagement import BURST_LINKS, BURST_SECONDS, Clue


class TestReplays:
    def test_one_token_counts_once_in_a_minute_and_again_in_the_next(self, stage):
        for _ in range(50):
            stage.ask(pixel(ALICE))
        assert len(stage.hits()) == 1
        stage.now += 60
        stage.ask(pixel(ALICE))
        assert len(stage.hits()) == 2

    def test_ten_thousand_replays_are_one_frame(self, stage):
        path = pixel(ALICE)
        for _ in range(10_000):
            stage.ask(path)
        assert len(stage.hits()) == 1

    def test_other_tokens_count_for_themselves(self, stage):
        for message in range(1, 21):
            stage.ask(pixel(ALICE, message=message))
        assert [hit.message for hit in stage.hits()] == list(range(1, 21))

    def test_a_hit_the_spool_did_not_take_may_come_again(self, stage, tmp_path):
        (tmp_path / "spool").write_text("in the way")
        stage.ask(pixel(ALICE))
        (tmp_path / "spool").unlink()
        stage.now += 1
        stage.ask(pixel(ALICE))
        assert len(stage.hits()) == 1


class TestBursts:
    @pytest.mark.law("AH-13")
    def test_a_scanner_that_follows_every_link_at_once_is_told_from_a_reader(self, stage):
        for number in range(1, BURST_LINKS + 2):
            stage.ask(link(ALICE, link=number))
        kinds = [Clue(hit.verdict.reason) for hit in stage.hits()]
        assert kinds == [Clue.BROWSER] * (BURST_LINKS - 1) + [Clue.BURST] * 2

    @pytest.mark.law("AH-13")
    def test_a_reader_who_takes_a_while_or_reads_two_mails_is_none(self, stage):
        for number in range(1, 6):
            stage.ask(link(ALICE, link=number))
            stage.ask(link(ALICE, link=number, message=77))
            stage.now += BURST_SECONDS
        assert {Clue(hit.verdict.reason) for hit in stage.hits()} == {Clue.BROWSER}

    def test_the_same_link_again_is_no_burst(self, stage):
        for _ in range(6):
            stage.ask(link(ALICE))
            stage.now += 60
        assert {Clue(hit.verdict.reason) for hit in stage.hits()} == {Clue.BROWSER}
