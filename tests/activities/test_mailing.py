"""A real mail goes in, a lawful one comes out: what leaves for Alice, for Bob, for Charlie, and what never does."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent_track.domain.errors import ForgedToken, InputRefused
from consent_track.domain.vocabulary import MailType, Purpose, TokenClass
from consent_track.mail.headers import Declared
from consent_track.mail.instrument import Outcome
from consent_track.records import mailing
from tests import world
from tests.world import ALICE, BOB, CHARLIE, NEWSLETTER, mail_to, prepare

HOST = b"https://mail.acme.example/"
TOKEN = re.compile(rb"https://mail\.acme\.example/([ocpu])/([A-Za-z0-9_-]+)")


def powers(data: bytes) -> dict[str, int]:
    """How many URLs of each power stand in a mail (quoted-printable line breaks undone)."""
    found = [match[1].decode() for match in TOKEN.finditer(data.replace(b"=\r\n", b""))]
    return {power: found.count(power) for power in sorted(set(found))}


def tokens(data: bytes, power: str) -> list[str]:
    return [match[2].decode() for match in TOKEN.finditer(data) if match[1].decode() == power]


def without_ours(data: bytes) -> bytes:
    """The mail with our footer, pixel and links taken back out."""
    data = re.sub(rb"\r?\n<!--consent-track-footer-->.*?<!--/consent-track-footer-->\r?\n", b"", data, flags=re.DOTALL)
    data = re.sub(rb"\r\n-- -- -- -- -- --\r\n.*?-- -- -- -- -- --\r\n", b"", data, flags=re.DOTALL)
    return re.sub(rb'<img src="https://mail\.acme\.example/o/[^>]*>', b"", data)


def test_alice_is_measured_and_told(acme):
    done = prepare(acme, mail_to(ALICE), ALICE)
    assert powers(done.result.data) == {"c": 1, "o": 1, "p": 2}
    text = done.result.data.decode()
    assert text.count("Acme records if you open this email and which links you click, to improve its newsletter.") == 1
    assert "Acme records if you open this email and which links you click" in text.split("--b1\r\n")[1].replace(
        "\r\n", " "
    )


@pytest.mark.law("TI-01", "CC-01", "CC-08", "DI-08", "DI-09", "OO-13")
@pytest.mark.parametrize("who", [BOB, CHARLIE])
def test_no_measuring_url_leaves_for_who_did_not_say_yes(acme, who):
    raw = mail_to(who)
    done = prepare(acme, raw, who)
    assert set(powers(done.result.data)) <= {"p"}
    assert b"/o/" not in done.result.data
    assert b"/c/" not in done.result.data
    assert done.result.data.count(b"Acme does not record if you open this email or what you click.") == 2
    assert without_ours(done.result.data) == raw, "nothing else was touched"


def test_charlie_whom_nobody_knows_gets_no_personal_link(acme):
    data = prepare(acme, mail_to(CHARLIE), CHARLIE).result.data
    assert powers(data) == {}
    assert data.count(HOST + b"privacy") == 2


def test_everything_outside_the_splices_is_byte_identical(acme):
    raw = mail_to(ALICE)
    data = prepare(acme, raw, ALICE).result.data
    link = TOKEN.search(data)
    clicked = b"https://mail.acme.example/c/" + tokens(data, "c")[0].encode()
    assert link
    assert without_ours(data).replace(clicked, b"https://shop.example/a?b=1&amp;c=2") == raw


def test_a_click_leads_to_the_byte_equal_destination(acme):
    data = prepare(acme, mail_to(ALICE), ALICE).result.data
    facts = acme.tokens.open(TokenClass.CLICK, tokens(data, "c")[0])
    assert facts.destination == "https://shop.example/a?b=1&c=2"
    assert facts.jurisdiction == "FR"
    assert facts.policy_prefix == acme.policies.for_jurisdiction("FR").prefix


@pytest.mark.law("TI-04")
def test_a_token_carries_what_was_allowed_and_nothing_more(acme):
    data = prepare(acme, mail_to(ALICE), ALICE).result.data
    assert acme.tokens.open(TokenClass.OPEN, tokens(data, "o")[0]).purposes == Purpose.OPEN_PERFORMANCE.bit


def test_instrumenting_twice_is_instrumenting_once(acme):
    raw = mail_to(ALICE)
    once = prepare(acme, raw, ALICE).result.data
    twice = prepare(acme, once, ALICE).result.data
    assert powers(twice) == powers(once)
    assert len(twice) == len(once)
    assert without_ours(twice).count(b"https://mail.acme.example") == 1


def test_a_withdrawal_between_two_passes_takes_everything_out_again(acme):
    raw = mail_to(ALICE)
    once = prepare(acme, raw, ALICE).result.data
    world.withdraws(acme, ALICE)
    again = prepare(acme, once, ALICE).result
    assert set(powers(again.data)) == {"p"}
    assert without_ours(again.data) == raw.replace(b"&amp;c", b"&amp;c")


def test_a_quoted_token_of_somebody_else_never_leaves(acme):
    """Bob's mail quotes Alice's: her pixel goes, her link leads straight on, her choices are out of his reach."""
    hers = prepare(acme, mail_to(ALICE), ALICE).result.data
    pixel, click, choices = (f"https://mail.acme.example/{power}/{tokens(hers, power)[0]}" for power in "ocp")
    page = f'<blockquote><img src="{pixel}"><a href="{click}">shop</a><a href="{choices}">c</a></blockquote>'
    data = prepare(acme, mail_to(BOB, html=page, text=f"> {click}\n> {choices}\n"), BOB).result.data
    for foreign in (pixel, click, choices):
        assert foreign.encode() not in data
    assert data.count(b"https://shop.example/a?b=1&") == 2
    assert b"<img" not in data


@pytest.mark.parametrize(
    ("why", "fields", "html"),
    [
        ("Cc", "Cc: <dora@example.org>\r\n", ""),
        ("two in To", "", ""),
    ],
)
def test_mail_for_several_people_carries_nothing_personal(acme, why, fields, html):
    to = ALICE if fields else f"{ALICE}>, <dora@example.org"
    data = prepare(acme, mail_to(to, fields=fields, html=html), ALICE).result.data
    assert powers(data) == {}, why


def test_a_role_address_is_never_measured(acme):
    world.consents(acme, "info@example.org")
    assert "o" not in powers(prepare(acme, mail_to("info@example.org"), "info@example.org").result.data)


UNTOUCHED = {
    "dkim_signed": ("DKIM-Signature: v=1; a=rsa-sha256; b=abc\r\n", None),
    "signed": (
        "",
        b'Content-Type: multipart/signed; boundary="b1"; micalg=sha-256; protocol="application/pgp-signature"',
    ),
    "encrypted": ("", b'Content-Type: multipart/encrypted; boundary="b1"; protocol="application/pgp-encrypted"'),
}


@pytest.mark.parametrize("reason", UNTOUCHED)
def test_protected_mail_passes_untouched_with_a_reason(acme, reason):
    fields, content_type = UNTOUCHED[reason]
    raw = mail_to(ALICE, fields=fields)
    if content_type:
        raw = raw.replace(b'Content-Type: multipart/alternative; boundary="b1"', content_type)
    result = prepare(acme, raw, ALICE).result
    assert (result.outcome, result.reason, result.data) == (Outcome.UNTOUCHED, reason, raw)


FOREIGN = '<html><body><p>Hi</p><img src="https://t.esp.example/wf/open?u=1" width="1" height="1"></body></html>'


@pytest.mark.law("OO-16")
def test_a_strangers_pixel_is_stripped_from_a_refusers_mail(acme):
    result = prepare(acme, mail_to(BOB, html=FOREIGN), BOB).result
    assert b"esp.example" not in result.data
    assert b"Acme does not record" in result.data


def test_a_strangers_wrapped_link_that_cannot_be_undone_refuses_the_mail(acme):
    page = '<a href="https://u1.ct.sendgrid.net/ls/click?upn=abc">read</a>'
    result = prepare(acme, mail_to(BOB, html=page), BOB).result
    assert (result.outcome, result.reason, result.data) == (Outcome.REFUSED, "foreign_tracker", b"")


def test_a_signed_mail_with_a_strangers_tracker_is_refused_for_a_refuser(acme):
    raw = mail_to(BOB, html=FOREIGN, fields="DKIM-Signature: v=1; a=rsa-sha256; b=abc\r\n")
    assert prepare(acme, raw, BOB).result.reason == "foreign_tracker_signed"


LINKS = """
    mailto:hello@acme.example             write
    tel:+4912345                          call
    #top                                  up
    https://acme.example/unsubscribe?x=1  leave
    https://acme.example/a                Unsubscribe
    https://acme.example/reset/abc        new password
    https://acme.example/pay/1            to pay
    https://acme.example/privacy          how
    https://user:pw@acme.example/a        odd
    https://acme.example/shop             www.acme.example/shop
    https://acme.example/shop             https://acme.example/shop
    javascript:alert(1)                   odd
"""


@pytest.mark.parametrize("line", [line.strip() for line in LINKS.strip().splitlines()])
def test_links_that_stay_as_they_are(acme, line):
    url, text = line.split(None, 1)
    data = prepare(acme, mail_to(ALICE, html=f'<body><a href="{url}">{text}</a></body>'), ALICE).result.data
    assert f'<a href="{url}">{text}</a>'.encode() in data


def test_one_link_can_be_left_out_by_its_author(acme):
    page = '<a href="https://acme.example/a" data-no-track>a</a><a href="https://acme.example/b">b</a>'
    assert powers(prepare(acme, mail_to(ALICE, html=page), ALICE).result.data)["c"] == 1


def test_links_of_the_text_part_are_never_rewritten(acme):
    data = prepare(acme, mail_to(ALICE, text="Look: https://shop.example/x\n"), ALICE).result.data
    assert b"Look: https://shop.example/x\r\n" in data


def test_clicks_only_and_opens_only_say_so(acme):
    only = replace(NEWSLETTER, purposes=frozenset({Purpose.CLICK_PERFORMANCE}))
    data = prepare(acme, mail_to(ALICE), ALICE, only).result.data
    assert "o" not in powers(data)
    assert b"It does not record opening it." in data
    only = replace(NEWSLETTER, purposes=frozenset({Purpose.OPEN_PERFORMANCE}))
    data = prepare(acme, mail_to(ALICE), ALICE, only).result.data
    assert "c" not in powers(data)
    assert b"It does not record what you click." in data


def test_a_mail_without_a_link_does_not_claim_to_record_clicks(acme):
    data = prepare(acme, mail_to(ALICE, html="<body><p>Hello</p></body>"), ALICE).result.data
    assert b"It does not record what you click." in data


def test_consent_requests_carry_no_measuring(acme):
    data = prepare(acme, mail_to(ALICE), ALICE, replace(NEWSLETTER, mail_type=MailType.CONSENT_REQUEST)).result.data
    assert set(powers(data)) == {"p"}


@pytest.mark.law("TI-15")
def test_links_of_sensitive_mail_are_not_measured(acme):
    data = prepare(acme, mail_to(ALICE), ALICE, replace(NEWSLETTER, sensitive=True)).result.data
    assert "c" not in powers(data)


def test_input_headers_speak_and_are_removed(acme):
    fields = (
        "X-Consent-Track-Mail-Type: requested_newsletter\r\nX-Consent-Track-Jurisdiction: FR\r\n"
        "X-Consent-Track-Locale: fr\r\nX-Consent-Track-Campaign: novembre\r\n"
    )
    done = prepare(acme, mail_to(ALICE, fields=fields), ALICE, Declared())
    assert b"X-Consent-Track" not in done.result.data
    assert b"Acme enregistre si vous ouvrez cet e-mail" in done.result.data
    assert (done.row.campaign, done.row.jurisdiction, done.row.locale) == ("novembre", "FR", "fr")


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("X-Consent-Track-Mail-Type: newsleter", "X-Consent-Track-Mail-Type"),
        ("X-Consent-Track-Jurisdiction: France", "X-Consent-Track-Jurisdiction"),
        ("X-Consent-Track-Purposes: opens", "X-Consent-Track-Purposes"),
        ("X-Consent-Track-Colour: red", "X-Consent-Track-Colour"),
    ],
)
def test_a_header_that_cannot_be_read_is_named(acme, field, named):
    with pytest.raises(InputRefused) as refused:
        prepare(acme, mail_to(ALICE, fields=field + "\r\n"), ALICE, Declared())
    assert refused.value.problems[0].where == named


@pytest.mark.law("DI-03")
def test_a_locale_without_texts_leaves_unmeasured_and_without_our_footer(acme):
    raw = mail_to(ALICE)
    done = prepare(acme, raw, ALICE, replace(NEWSLETTER, locale="fi"))
    assert done.result.data == raw
    assert done.result.reason == "locale_unavailable"


def test_the_unknown_way_behind_us_makes_the_footer_say_less(tmp_path, clock):
    runtime = world.installation(tmp_path / "other", clock=clock, extra="")
    config = replace(runtime.config, next_hop_measures=None)
    runtime = replace(runtime, config=config)
    assert b"Acme itself does not record" in prepare(runtime, mail_to(CHARLIE), CHARLIE).result.data


def test_order_mail_says_what_it_is(acme):
    said = Declared(MailType.TRANSACTIONAL, "FR", "en", "orders", frozenset())
    data = prepare(acme, mail_to(ALICE), ALICE, said).result.data
    assert b"This message is about your order or account. It is not measured." in data
    assert b"/u/" not in data


def test_unsubscribe_belongs_to_the_sender_unless_they_say_otherwise(acme, tmp_path, clock):
    theirs = "List-Unsubscribe: <https://acme.example/leave>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    data = prepare(acme, mail_to(ALICE, fields=theirs), ALICE).result.data
    assert theirs.encode() in data
    assert b"/u/" not in data

    ours = world.populated(tmp_path / "ours", clock=clock, controller='unsubscribe = "consent_track"')
    data = prepare(ours, mail_to(ALICE, fields=theirs), ALICE).result.data
    assert b"https://acme.example/leave" not in data
    assert data.count(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click") == 1
    assert powers(data)["u"] == 3
    ours.database.close()


def test_the_register_knows_every_mail_and_why(acme):
    rows = [prepare(acme, mail_to(who), who).row for who in (ALICE, BOB, CHARLIE)]
    with acme.reading() as p:
        found = [mailing.find(p.session, 1, row.message) for row in rows]
    assert [row.outcome for row in found] == ["prepared"] * 3
    why = [json.loads(row.decisions)["open_performance"] for row in found]
    assert why == ["consent_given", "withdrawn", "subject_unknown"]
    assert found[2].subject == 0
    assert found[0].policy_hash == acme.policies.for_jurisdiction("FR").hash


def test_a_mail_that_would_be_clipped_keeps_its_pixel_in_sight(acme):
    page = "<html><body>" + "<p>long</p>" * 11_000 + "</body></html>"
    result = prepare(acme, mail_to(ALICE, html=page), ALICE).result
    assert "clipped" in result.warnings
    assert result.data.index(b"/o/") < 102 * 1024


@pytest.mark.law("TI-13")
def test_the_pixel_has_real_dimensions_and_hides_nowhere(acme):
    data = prepare(acme, mail_to(ALICE), ALICE).result.data
    (tag,) = re.findall(rb"<img[^>]*>", data)
    assert b'width="1" height="1" alt=""' in tag
    assert b"style" not in tag


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), who=st.sampled_from([ALICE, BOB, CHARLIE]))
def test_any_octets_pass_without_an_error_and_without_a_tracker_for_refusers(acme, data, who):
    done = prepare(acme, mail_to(who)[:200] + data, who)
    if who != ALICE:
        assert b"/o/" not in done.result.data
        assert b"acme.example/c/" not in done.result.data


@pytest.mark.law("TI-10")
def test_rights_links_are_of_classes_that_record_nothing(acme):
    (choices, *_) = tokens(prepare(acme, mail_to(ALICE), ALICE).result.data, "p")
    assert acme.tokens.open(TokenClass.PREFERENCE, choices).purposes == 0
    for wrong in (TokenClass.OPEN, TokenClass.CLICK, TokenClass.UNSUBSCRIBE, TokenClass.VERIFICATION):
        with pytest.raises(ForgedToken):
            acme.tokens.open(wrong, choices)
