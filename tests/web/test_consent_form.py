"""The consent form and the page without a link: what is asked, what is taken, and what strangers learn."""

import re

import pytest

from consent_track.activities import confirming
from tests.web.loop import BOTH, fill, link_in, mails, on, press, sign
from tests.world import ALICE, BOB, CHARLIE


@pytest.mark.law("CC-04")
def test_the_form_asks_for_each_purpose_ticks_nothing_and_both_answers_are_alike(acme):
    page = acme.ask("/consent?locale=en&variant=mail").text
    assert "checked" not in page
    assert page.count('type="checkbox"') == 3
    buttons = re.findall(r"<button([^>]*)>([^<]*)", page)
    assert [words for _, words in buttons] == ["Allow what I ticked", "Yes, allow all", "No, thanks"]
    assert {re.sub(r'value="\w+"', "", attributes).strip() for attributes, _ in buttons} == {'name="answer"'}
    assert "After a no we ask again in 6 months at the earliest." in page


def test_only_what_was_ticked_is_asked_for(acme):
    fill(acme, CHARLIE, answer="ticked", purposes=["click_performance"])
    press(acme, link_in(mails(acme)[0][1]))
    assert on(acme, CHARLIE) == {"click_performance"}


def test_a_form_nobody_ticked_anything_on_is_no_yes(acme):
    answer = fill(acme, CHARLIE, answer="ticked")
    assert answer.status_code == 400
    assert "Nothing is ticked" in answer.text
    assert mails(acme) == []


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.org", "x@example.org\r\nBcc: y@example.org"])
def test_what_is_no_address_is_said_and_kept_nowhere(acme, email):
    answer = fill(acme, email)
    assert answer.status_code == 400
    assert "not an email address" in answer.text
    assert mails(acme) == []


@pytest.mark.law("DI-04")
def test_a_form_with_other_words_than_ours_is_shown_again(acme):
    answer = acme.ask("/consent", "POST", data={"email": CHARLIE, "answer": "all", "locale": "en", "wording": "0" * 64})
    assert answer.status_code == 409
    assert "words of this form have changed" in answer.text
    assert mails(acme) == []


@pytest.mark.law("CC-03")
def test_one_answer_for_mail_and_measuring_is_good_in_italy_only(acme):
    refused = fill(acme, CHARLIE, variant="bundled", jurisdiction="FR")
    assert refused.status_code == 422
    fill(acme, CHARLIE, variant="bundled", jurisdiction="IT")
    press(acme, link_in(mails(acme)[0][1]))
    assert on(acme, CHARLIE) == BOTH
    acme.ask(acme.link(CHARLIE), "POST", data={"off": "all"})
    assert on(acme, CHARLIE) == set()
    assert acme.state(CHARLIE).state.mail_ended_at is None


@pytest.mark.law("ST-15")
def test_texts_that_nobody_signed_ask_for_nothing(another):
    site = another(extra='smtp_url = "smtp://localhost:2525"')
    assert site.ask("/consent?locale=en").status_code == 404
    assert "Yes, allow" not in site.ask(site.link(BOB)).text
    sign(site.runtime, "fr")
    assert site.ask("/consent?locale=en").status_code == 404
    assert site.ask("/consent?locale=fr").status_code == 200


def test_nobody_can_say_yes_for_a_role(acme):
    fill(acme, "info@example.org")
    assert mails(acme) == []
    fill(acme, "info@example.org", variant="mail", mail="yes")
    press(acme, link_in(mails(acme)[0][1]))
    assert on(acme, "info@example.org") == set()


@pytest.mark.law("VF-07")
def test_privacy_answers_the_same_for_everybody(acme):
    answers = {
        who: acme.ask("/privacy", "POST", data={"email": who, "do": do})
        for who in (ALICE, BOB, CHARLIE)
        for do in ("link", "refusal")
    }
    seen = {(a.status_code, a.data, str(sorted(a.headers.items()))) for a in answers.values()}
    assert len(seen) == 1


@pytest.mark.law("OO-06")
def test_a_no_without_a_link_needs_no_proof(acme):
    acme.ask("/privacy", "POST", data={"email": ALICE, "do": "refusal"})
    assert mails(acme) == []
    assert on(acme, ALICE) == set()
    acme.ask("/privacy", "POST", data={"email": CHARLIE, "do": "refusal"})
    assert mails(acme) == []
    assert on(acme, CHARLIE) is None


def test_the_link_to_the_choices_goes_to_the_address_only(acme):
    acme.ask("/privacy", "POST", data={"email": ALICE, "do": "link"})
    [(to, mail)] = mails(acme)
    assert to == ALICE
    assert "Measuring is ON." in acme.ask(link_in(mail, "p")).text
    acme.ask("/privacy", "POST", data={"email": CHARLIE, "do": "link"})
    [(to, mail)] = mails(acme)
    assert b"Nothing is held about this address" in mail.replace(b"=\r\n", b"")


def test_a_mailbox_cannot_be_flooded_through_our_forms(acme):
    clock = acme.runtime.clock
    arrived = 0
    for _ in range(60):
        fill(acme, ALICE)
        acme.ask("/privacy", "POST", data={"email": ALICE, "do": "link"})
        arrived += len(mails(acme))
        clock.move(20)
    assert arrived <= confirming.MAILS_A_DAY


def test_one_part_of_the_net_is_slowed_down_and_told_so(acme):
    answers = [
        acme.ask("/privacy", "POST", data={"email": f"p{n}@example.org", "do": "link"}).status_code for n in range(20)
    ]
    assert answers[:8] == [200] * 8
    assert set(answers[8:]) == {429}
    elsewhere = acme.ask(
        "/privacy", "POST", data={"email": ALICE, "do": "link"}, environ_overrides={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert elsewhere.status_code == 200
