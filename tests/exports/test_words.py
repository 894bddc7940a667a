"""What words and times mean, as tables."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from consent_track.exports import words
from tests.lists import at

STATUS = """
subscribed       subscribed Subscribed ENABLED active yes 1 true opt-in Opt_In confirmed
unsubscribed     unsubscribed UNSUBSCRIBED disabled blocklisted blacklisted no 0 false opt_out opted-out
unsubscribed     dnc do_not_contact suppressed
unsubscribed     unsubscribed-by-phone globally_unsubscribed email-blocklisted optedout rejected deleted-by-user
bounced          cleaned bounced bounce hard_bounce hardbounce soft-bounced undeliverable invalid
complained       complained complaint spam abuse spam-complaint abuse-report junk
objected         objected objection objected_art_21
refused          refused declined denied
nothing          pending unconfirmed transactional nonsubscribed unknown none null
not_understood   gold vip Alice 7 maybe clean
"""


def table(text):
    found = [line.split() for line in text.strip().splitlines()]
    return [(word, meaning) for meaning, *said in found for word in said]


@pytest.mark.parametrize(("word", "meaning"), table(STATUS))
def test_what_a_status_says(word, meaning):
    assert words.said(word) == meaning
    assert words.said(f" {word.title()} ") == meaning


def test_what_is_empty_says_nothing():
    assert words.said("") == words.said(None) == words.said("  ") == "nothing"
    assert words.said(True) == "subscribed"
    assert words.said(False) == "unsubscribed"


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("", None), (None, None), ("0", None), ("false", None), ([], None), (0, None),
        ("1", "unsubscribed"), ("3", "unsubscribed"), ("TRUE", "unsubscribed"), ("manual", "unsubscribed"),
        ("2", "bounced"), ("Bounced", "bounced"),
        ([{"reason": 2, "channel": "email"}], "bounced"),
        ([{"reason": 2, "channel": "email"}, {"reason": 1, "channel": "email"}], "unsubscribed"),
        ([{"reason": 1, "channel": "sms"}], None),
        ([{"channel": "email"}], "unsubscribed"),
    ],
)  # fmt: skip
def test_what_a_contact_ban_says(value, meaning):
    assert words.contact_ban(value) == meaning


ANSWERS = """
True   yes Yes y 1 true on x given ja oui si sí
False  no No n 0 false off refused unsubscribed declined nein
None   maybe later vip 2 pending
"""


@pytest.mark.parametrize(("word", "meaning"), table(ANSWERS))
def test_only_a_plain_yes_is_one(word, meaning):
    assert str(words.answer(word)) == meaning


def test_an_empty_cell_is_no_answer():
    assert words.answer("") is words.answer(None) is None


TIMES = [
    ("2024-03-15 14:25:32", "2024-03-15T14:25:32"),
    ("2024-03-15T14:25:32Z", "2024-03-15T14:25:32"),
    ("2024-03-15T16:25:32+02:00", "2024-03-15T14:25:32"),
    ("2024-03-15 14:25:32.123456 +0000 UTC", "2024-03-15T14:25:32"),
    ("2024-03-15 16:25:32.123456789 +0200 CEST", "2024-03-15T14:25:32"),
    ("2024-03-15 14:25:32.1 +0000 UTC m=+0.1", "2024-03-15T14:25:32"),
    ("2024-03-15", "2024-03-15T00:00"),
    ("1710512732", "2024-03-15T14:25:32"),
    ("1710512732000", "2024-03-15T14:25:32"),
    ("15-03-2024 14:25:32", None),
    ("15/03/2024", None),
    ("0000-00-00 00:00:00", None),
    ("1969-12-31", None),
    ("soon", None),
    ("", None),
    ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59-23:59"),
]


@pytest.mark.parametrize(("text", "meant"), TIMES)
def test_when_a_time_is(text, meant):
    found = words.instant(text, (), ZoneInfo("UTC"))
    if meant is None:
        assert found is None
    elif "9999" not in meant:
        assert found == at(meant)


def test_a_named_format_comes_first_and_a_time_zone_counts_where_none_is_said():
    formats, paris = ("%d-%m-%Y %H:%M:%S",), ZoneInfo("Europe/Paris")
    assert words.instant("03-05-2024 14:25:32", formats, ZoneInfo("UTC")) == at("2024-05-03T14:25:32")
    assert words.instant("2024-03-15 15:25:32", (), paris) == at("2024-03-15T14:25:32")
    assert words.instant("2024-03-15T14:25:32Z", (), paris) == at("2024-03-15T14:25:32")
    assert words.day("2024-03-15T23:30:00-02:00", (), paris) == date(2024, 3, 16)


@given(some.text(max_size=40) | some.none() | some.integers() | some.booleans() | some.floats())
def test_nothing_said_breaks_the_reading(value):
    words.said(value), words.answer(value), words.contact_ban(value), words.holds(value)
    words.instant(value, ("%d-%m-%Y",), ZoneInfo("UTC"))
    words.day(value, (), ZoneInfo("UTC"))
