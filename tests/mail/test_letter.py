"""Our own mails: whole, calm, alike in both parts, and with no way to smuggle in a header."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from consent_track.bundled import bundled
from consent_track.domain.errors import InputRefused
from consent_track.i18n import load_wordings
from consent_track.mail.letter import Envelope, Letter, compose, render

URL = "https://mail.acme.example/p/abc"
LETTER = Letter(
    "A question", ("May Acme see which links you click?",), (("Yes", f"{URL}#yes"), ("No", f"{URL}#no")),
    ("Small & <b>print</b>.",), "en", "ltr", (("Privacy", "https://acme.example/privacy?a=1&b=2"),),
)  # fmt: skip
ENVELOPE = Envelope("Acme", "hello@acme.example", "charlie@example.org", 1_795_000_000, "1@acme.example")

# What begins another line or field: as it is, folded, in a row, and what some programs take for it (threat T29).
BREAKS = [
    "\r\nBcc: eve@example.org", "\nBcc: eve@example.org", "\rBcc: eve@example.org", "\r\n\r\n<h1>Body</h1>",
    "\r\n Bcc: eve@example.org", "=?utf-8?q?x=0D=0ABcc=3A_eve=40example=2Eorg?=",
    "\0", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029",
]  # fmt: skip
WHERE = {
    "subject": lambda said: (replace(LETTER, subject=said), ENVELOPE),
    "sender_name": lambda said: (LETTER, replace(ENVELOPE, sender_name=said)),
    "sender": lambda said: (LETTER, replace(ENVELOPE, sender=said)),
    "recipient": lambda said: (LETTER, replace(ENVELOPE, recipient=said)),
    "message_id": lambda said: (LETTER, replace(ENVELOPE, message_id=said)),
}


@pytest.mark.parametrize("attack", BREAKS)
@pytest.mark.parametrize("where", WHERE)
def test_nothing_begins_another_field(where, attack):
    for said in (f"charlie@example.org{attack}", f"{attack}charlie@example.org"):
        with pytest.raises(InputRefused) as refused:
            compose(*WHERE[where](said))
        assert refused.value.problems[0].where == where


WORDS = [
    "Acme <eve@example.org>, Bob",
    'He said "Bcc: eve@example.org"',
    "الاسم — Größe",
    "a" * 300,
]


@pytest.mark.parametrize("words", WORDS)
def test_odd_words_stay_one_field_and_one_person(words):
    parsed = message_from_bytes(
        compose(replace(LETTER, subject=words), replace(ENVELOPE, sender_name=words)), policy=default
    )
    assert parsed["Bcc"] is None
    assert [one.addr_spec for one in parsed["From"].addresses] == ["hello@acme.example"]
    assert [one.addr_spec for one in parsed["To"].addresses] == ["charlie@example.org"]
    names = [name.lower() for name in parsed]
    assert len(names) == len(set(names))
    assert "\n" not in parsed["Subject"]


@pytest.mark.parametrize("address", ["jörg@example.org", "a b@example.org", "a@b@c.example", "a.@example.org", ""])
def test_what_a_header_cannot_name_is_refused(address):
    with pytest.raises(InputRefused):
        compose(LETTER, replace(ENVELOPE, recipient=address))


def test_the_mail_as_it_leaves():
    mail = compose(LETTER, ENVELOPE)
    assert b"\n" not in mail.replace(b"\r\n", b"")
    assert max(len(line) for line in mail.split(b"\r\n")) <= 78
    assert mail.isascii()
    parsed = message_from_bytes(mail, policy=default)
    assert parsed["Message-ID"] == "<1@acme.example>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert parsed["List-Unsubscribe"] is None


def test_both_parts_say_the_same_in_the_same_order():
    text, page = render(LETTER)
    words = ["May Acme", "Yes", f"{URL}#yes", "No", f"{URL}#no", "Small & <b>print</b>.", "Privacy"]
    assert [text.index(word) for word in words] == sorted(text.index(word) for word in words)
    assert "Small &amp; &lt;b&gt;print&lt;/b&gt;." in page
    assert 'href="https://acme.example/privacy?a=1&amp;b=2"' in page


@pytest.mark.law("WD-15")
def test_the_answers_are_of_one_size_and_nothing_is_loaded():
    _, page = render(LETTER)
    styles = re.findall(r'<a href="[^"]*#(yes|no)" style="([^"]+)">', page)
    assert [name for name, _ in styles] == ["yes", "no"]
    assert styles[0][1] == styles[1][1]
    height = {name: int(found) for name, found in re.findall(r"(padding|line-height):(\d+)px", styles[0][1])}
    assert height["line-height"] + 2 * height["padding"] >= 44
    assert not re.search(r"<(img|link|script|iframe|style)\b|url\(|@import", page)


@pytest.mark.parametrize(("locale", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_language_and_direction_are_said(locale, direction):
    _, page = render(replace(LETTER, locale=locale, direction=direction))
    assert f'<html lang="{locale}" dir="{direction}">' in page
    assert f"text-align:{'right' if direction == 'rtl' else 'left'}" in page
    assert (
        message_from_bytes(compose(replace(LETTER, locale=locale), ENVELOPE), policy=default)["Content-Language"]
        == locale
    )


# What would shame somebody into a yes, hurry them, or promise them something (EDPB 03/2022; 11 CCR 7004(a)(4)).
SHAMING = {
    "en": "miss|sorry|unfortunately|only today|hurry|last chance|best experience|recommended|better|free|please",
    "fr": "dommage|malheureusement|manqu|dépêchez|dernière chance|meilleur|recommand|gratuit|veuillez|svp",
    "de": "schade|leider|verpass|beeil|letzte chance|beste|empfohlen|besser|gratis|bitte",
    "ar": "للأسف|تفوّت|تفوت|أسرع|آخر فرصة|أفضل|موصى|مجاناً|نرجو|رجاء",
}


@pytest.mark.law("WD-15")
@pytest.mark.parametrize("locale", SHAMING)
def test_no_question_shames_hurries_or_promises(locale):
    texts = load_wordings(bundled("translations")).texts(locale)
    asked = {id_: text for id_, text in texts.messages.items() if id_.startswith("mail.request.")}
    assert len(asked) == 11
    guilty = {id_: text for id_, text in asked.items() if re.search(SHAMING[locale], text, re.IGNORECASE)}
    assert guilty == {}
    assert abs(len(asked["mail.request.yes"]) - len(asked["mail.request.no"])) <= 5
