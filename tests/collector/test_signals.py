"""Sec-GPC: 1 is a refusal for this hit, and one opt-out for the person (OO-03, AH-05, decision 8)."""

import pytest
from collector_stage import ACME, ALICE, CHARLIE, DAY, GRACE, NOW, RETIRED, WAIVED, flipped, link, pixel

from consent_track.domain.observation import Signal


class TestSignal:
    VALUES = """
        1           on
        '0,1'       on
        '1,0'       on
        '1, 1'      on
        ' 1\t'      on
        '0 , 1 '    on
        'x,1'       on
        0           off
        ''          off
        ','         off
        true        off
        '"1"'       off
        '1;x'       off
        '1;1'       off
        '1 1'       off
        11          off
        '01'        off
        '1.0'       off
        +1          off
        ?1          off
        '0,"1"'     off
        '１'        off
    """

    @pytest.mark.law("OO-03", "AH-05")
    @pytest.mark.parametrize("line", [line.strip() for line in VALUES.strip("\n").splitlines() if line.strip()])
    def test_exactly_1_in_any_field_is_a_no_and_nothing_else_is(self, stage, line):
        value, expected = line.rsplit(None, 1)
        stage.ask(pixel(ALICE), HTTP_SEC_GPC=value.strip("'"))
        if expected == "on":
            assert stage.frames() == [Signal(ACME, ALICE, "FR", NOW // DAY)]
            assert stage.declined() == {"signal": 1}
        else:
            assert stage.signals() == []
            assert len(stage.hits()) == 1

    @pytest.mark.law("OO-03", "AH-05")
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
    @pytest.mark.parametrize("path", [pixel(ALICE), link(ALICE)])
    def test_it_is_heard_on_any_method(self, stage, method, path):
        stage.ask(path, method, HTTP_SEC_GPC="1")
        assert stage.frames() == [Signal(ACME, ALICE, "FR", NOW // DAY)]

    def test_it_is_heard_on_a_prefetch_and_with_a_retired_key(self, stage):
        stage.ask(pixel(ALICE), HTTP_SEC_GPC="1", HTTP_SEC_PURPOSE="prefetch")
        stage.rebuild(tokens=RETIRED).ask(pixel(CHARLIE), HTTP_SEC_GPC="1")
        assert {signal.subject for signal in stage.signals()} == {ALICE, CHARLIE}  # two segments of one second

    def test_one_person_is_queued_once_and_a_person_who_said_so_before_not_at_all(self, stage):
        for message in range(1, 9):
            stage.ask(pixel(ALICE, message=message), HTTP_SEC_GPC="1")
            stage.ask(pixel(GRACE, message=message), HTTP_SEC_GPC="1")
        assert [signal.subject for signal in stage.signals()] == [ALICE]

    def test_another_controllers_person_of_the_same_number_is_another_person(self, stage):
        stage.ask(pixel(ALICE), HTTP_SEC_GPC="1")
        stage.ask(pixel(ALICE, controller=2), HTTP_SEC_GPC="1", host="t.other.example")
        assert [signal.controller for signal in stage.signals()] == [1, 2]

    def test_it_is_queued_also_while_the_view_cannot_be_trusted(self, stage):
        stage.now += 10_000
        stage.ask(pixel(ALICE), HTTP_SEC_GPC="1")
        assert len(stage.signals()) == 1

    def test_a_signal_the_spool_did_not_take_is_offered_again(self, stage, tmp_path):
        (tmp_path / "spool").write_text("in the way")
        stage.ask(pixel(ALICE), HTTP_SEC_GPC="1")
        (tmp_path / "spool").unlink()
        stage.now += 1
        stage.ask(pixel(ALICE), HTTP_SEC_GPC="1")
        assert len(stage.signals()) == 1

    @pytest.mark.parametrize("path", ["/o/nonsense", flipped(pixel(ALICE)), "/o/" + link(ALICE)[3:], pixel(0)])
    def test_only_a_genuine_token_speaks_for_a_person(self, stage, path):
        stage.ask(path, HTTP_SEC_GPC="1")
        stage.ask(pixel(ALICE), HTTP_SEC_GPC="1", host="evil.example")
        assert not stage.folder.exists()

    def test_a_consent_given_after_notice_of_the_conflict_prevails(self, stage):
        stage.ask(pixel(WAIVED), HTTP_SEC_GPC="1")
        assert [hit.subject for hit in stage.hits()] == [WAIVED]
        assert stage.signals() == []
