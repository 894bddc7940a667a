"""The text part: nobody's links are rewritten there for measuring, and nobody else's measuring leaves to a refuser."""

import pytest

from consent_track.activities import mailing
from consent_track.domain.errors import InputRefused
from consent_track.mail.headers import Declared
from consent_track.mail.instrument import Outcome
from tests.world import ALICE, BOB, CHARLIE, NEWSLETTER, mail_to, prepare

UNDONE = "Read https://click.esp.example/CL0/https:%2F%2Fshop.example%2Fa/1/0100/x=4 today\n"
NOT_UNDONE = "Read https://u1.ct.esp.example/ls/click?upn=u001.abc today\n"
DKIM = "DKIM-Signature: v=1; a=rsa-sha256; b=abc\r\n"


def test_a_strangers_link_in_a_refusers_text_is_undone(acme):
    result = prepare(acme, mail_to(BOB, text=UNDONE), BOB).result
    assert b"Read https://shop.example/a today\r\n" in result.data
    assert b"esp.example" not in result.data
    assert result.data.count(b"Acme does not record") == 2


def test_a_strangers_link_that_cannot_be_undone_refuses_the_mail(acme):
    result = prepare(acme, mail_to(BOB, text=NOT_UNDONE), BOB).result
    assert (result.outcome, result.reason, result.data) == (Outcome.REFUSED, "foreign_tracker", b"")


def test_a_signed_mail_with_one_is_refused_for_a_refuser(acme):
    result = prepare(acme, mail_to(BOB, text=NOT_UNDONE, fields=DKIM), BOB).result
    assert (result.outcome, result.reason) == (Outcome.REFUSED, "foreign_tracker_signed")


def test_alice_keeps_her_text_as_it_was_written(acme):
    result = prepare(acme, mail_to(ALICE, text=UNDONE), ALICE).result
    assert UNDONE.strip().encode() in result.data
    assert result.done.foreign


def test_a_text_in_an_unknown_charset_stays_as_it_is_and_nothing_is_claimed_of_it(acme):
    raw = mail_to(ALICE).replace(b"charset=utf-8\r\n\r\nHello", b"charset=x-nothing\r\n\r\n\xc8\xe9llo", 1)
    result = prepare(acme, raw, ALICE).result
    assert "charset_unknown" in result.warnings
    assert b"charset=x-nothing\r\n\r\n\xc8\xe9llo\r\n\r\n--b1" in result.data
    assert result.done.foreign


class TestBatches:
    def test_a_batch_is_what_each_mail_alone_would_be(self, acme):
        letters = [mailing.Letter(mail_to(who), who, NEWSLETTER) for who in (ALICE, BOB, CHARLIE, ALICE)]
        with acme.processing() as p:
            together = mailing.prepare_many(p, acme.mail_settings(), letters)
        alone = [prepare(acme, letter.data, letter.recipient) for letter in letters]
        assert [(d.opens, d.clicks, d.row.decisions, d.row.subject) for d in together] == [
            (d.opens, d.clicks, d.row.decisions, d.row.subject) for d in alone
        ]
        assert [len(d.result.data) for d in together] == [len(d.result.data) for d in alone]
        assert len({d.row.message for d in together}) == 4

    def test_more_people_than_one_statement_takes(self, acme):
        many = [mailing.Letter(mail_to(f"p{n}@example.org"), f"p{n}@example.org", NEWSLETTER) for n in range(1_100)]
        with acme.processing() as p:
            done = mailing.prepare_many(p, acme.mail_settings(), [*many, mailing.Letter(mail_to(ALICE), ALICE)])
        assert {d.opens.reason.value for d in done[:-1]} == {"subject_unknown"}
        assert done[-1].row.subject

    @pytest.mark.parametrize(
        ("recipient", "said", "field"),
        [("nobody", None, "recipient"), (ALICE, Declared(controller=9), "controller")],
    )
    def test_a_letter_at_fault_is_named_by_its_field(self, acme, recipient, said, field):
        with pytest.raises(InputRefused) as refused, acme.processing() as p:
            mailing.prepare_many(p, acme.mail_settings(), [mailing.Letter(mail_to(ALICE), recipient, said)])
        assert [problem.where for problem in refused.value.problems] == [field]
