"""A checkpoint a day, written down outside the database: what was cut off, or put back, is found within a day."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from consent_track import worker
from consent_track.activities import proving, publishing
from consent_track.cli import Home, doctor
from consent_track.domain.errors import InputRefused
from tests import world
from tests.world import CHARLIE


def run(runtime):
    return worker.run_once(runtime, "checkpoints")


def lines(runtime):
    return (runtime.config.checkpoints_dir / "1.jsonl").read_text().splitlines()


def test_one_a_day(acme):
    assert [run(acme)["written"], run(acme)["written"]] == [1, 0]
    acme.clock.move(world.DAY)
    assert run(acme) == {"written": 1, "contradicted": 0}
    assert len(lines(acme)) == 2


def test_an_empty_ledger_has_none(tmp_path):
    runtime = world.installation(tmp_path / "home")
    assert run(runtime) == {"written": 0, "contradicted": 0}
    runtime.database.close()


@pytest.mark.law("RE-14")
def test_a_ledger_that_was_cut_short_is_found_and_its_new_end_is_not_signed_for(acme, caplog):
    run(acme)
    acme.clock.move(world.DAY)
    cut(acme)  # as after a database was put back from an old copy
    assert run(acme) == {"written": 0, "contradicted": 1}
    assert "do not pass through their last checkpoint" in caplog.text
    assert len(lines(acme)) == 1, "the good checkpoint stays the newest"
    world.consents(acme, CHARLIE)
    assert run(acme)["contradicted"] == 1, "another entry in the same place is no remedy"


@pytest.mark.parametrize(("happened", "mark", "said"), [
    (lambda a: None, "warn", "controller 1 has none yet"),
    (run, "ok", "passes through entry 9 of 9"),
    (lambda a: (run(a), cut(a)), "fail", "is not the one signed at entry 9"),
])  # fmt: skip
def test_the_doctor_says_so(tmp_path, happened, mark, said):
    runtime = world.populated(tmp_path / "home")
    happened(runtime)
    runtime.database.close()
    found = [
        one for one in doctor.examine(Home(runtime.config.home, environ={}), world.NOW) if one.check == "checkpoints"
    ]
    assert [(one.mark.value, said in one.what) for one in found] == [(mark, True)]


def cut(runtime):
    with runtime.processing() as p:
        cut_end(p.session.connection())


def cut_end(connection):
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM consent_event WHERE sequence > 4"))
    else:
        connection.execute(text("DROP TRIGGER consent_event_no_delete"))
        connection.execute(text("DELETE FROM consent_event WHERE sequence > 4"))
    connection.execute(
        text("UPDATE chain_head SET sequence = 4, hash = (SELECT hash FROM consent_event WHERE sequence = 4)")
    )


def test_a_line_torn_by_a_power_cut_is_passed_over_and_does_not_spoil_the_next(acme):
    run(acme)
    with (acme.config.checkpoints_dir / "1.jsonl").open("a") as file:
        file.write('{"format": "consent_track led')
    acme.clock.move(world.DAY)
    assert run(acme)["written"] == 1
    newest = publishing.newest(acme.config.checkpoints_dir, 1)
    assert newest["at"] == acme.now()
    assert json.loads(lines(acme)[-1]) == newest


def test_only_the_end_of_a_long_file_is_read(acme):
    run(acme)
    [line] = lines(acme)
    path = acme.config.checkpoints_dir / "1.jsonl"
    path.write_text("x" * publishing.TAIL * 3 + "\n" + line + "\n")
    assert publishing.newest(acme.config.checkpoints_dir, 1) == json.loads(line)


def test_every_day_of_a_file_holds_a_ledger_to_it(acme):
    for _ in range(3):
        run(acme)
        acme.clock.move(world.DAY)
        world.consents(acme, f"reader{acme.now()}@example.org")
    kept = proving.read_checkpoints(line + "\n" for line in lines(acme))
    assert len(kept) == 3
    heads = [head for head, _ in kept]
    with acme.reading() as p:
        file = list(proving.export(p, 1))
    public = acme.keys.ledger_public
    assert proving.verify(file, public, *heads).whole
    assert proving.verify(file[: heads[1].sequence], public, *heads).broken_at == heads[1].sequence
    forged = replace(heads[1], hash=bytes(32))
    with pytest.raises(InputRefused, match="not signed with the ledger key"):
        proving.verify(file, public, heads[0], forged)


@pytest.mark.parametrize("text", ["", "\n\n", "hello", '{"format": 1}\n{"format": 2}'])
def test_what_is_no_file_of_checkpoints_is_refused(text):
    with pytest.raises(InputRefused) as refused:
        proving.read_checkpoints(text.splitlines(keepends=True))
    assert refused.value.problems[0].where == "checkpoint"
