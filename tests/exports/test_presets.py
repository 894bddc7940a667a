"""The exports of four tools, as those tools write them: who says what in each line."""

import json
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from consent_track.domain.errors import InputRefused
from consent_track.domain.vocabulary import Purpose
from consent_track.exports import look_through, mapping, rows
from consent_track.exports.presets import Reading
from tests.lists import at

TODAY = date(2026, 11, 23)
BASE = "MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION"

MAILCHIMP_SUBSCRIBED = f"""\
"Email Address","First Name","Last Name",{BASE},LAST_CHANGED,LEID,EUID,NOTES,TAGS
alice@example.org,Alice,A,2,"2024-03-15 14:25:32",198.51.100.7,"2024-03-15 14:30:00",198.51.100.7,47.6,-122.2,-8,-7,America/Los_Angeles,US,WA,"2024-03-15 14:30:00",44877845,c2cb0681af,,"one, two"
charlie@example.org,Charlie,C,2,,,"2015-03-16 14:40:47",,,,,,,,,"2015-03-16 14:40:47",90498395,810826c56e,,
"""  # noqa: E501
MAILCHIMP_UNSUBSCRIBED = f"""\
"Email Address","First Name","Last Name",{BASE},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,LEID,EUID,NOTES,TAGS
bob@example.org,Bob,B,2,"2024-02-01 09:00:00",198.51.100.8,"2024-02-01 09:10:00",198.51.100.8,,,,,,,,"2025-06-07 08:09:10",June,42,"NORMAL (No longer interested)",,1,a,,
dora@example.org,Dora,D,2,"2024-02-01 09:00:00",,,,,,,,,,,"2025-06-07 08:09:10",June,42,"SPAM (Spam content)",,1,a,,
"""  # noqa: E501
MAILCHIMP_CLEANED = f"""\
"Email Address","First Name","Last Name",{BASE},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS
gone@example.org,Gone,G,2,"2024-02-01 09:00:00",,,,,,,,,,,"2025-06-07 08:09:10",June,42,1,a,,
"""
MAILCHIMP_API = json.dumps(
    [
        {"email_address": "alice@example.org", "status": "subscribed", "ip_opt": "198.51.100.7",
         "timestamp_signup": "2024-03-15T14:25:32+00:00", "timestamp_opt": "2024-03-15T14:30:00+00:00",
         "language": "fr"},
        {"email_address": "bob@example.org", "status": "unsubscribed", "unsubscribe_reason": "N/A (by an admin)"},
        {"email_address": "gone@example.org", "status": "cleaned"},
        {"email_address": "charlie@example.org", "status": "pending"},
        {"email_address": "emil@example.org"},
    ]
)  # fmt: skip
BREVO = """\
CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;SMS;LANGUAGE;EMAIL_MARKETING;OPTED_IN_ON;ADDED_TIME;MODIFIED_TIME
1;alice@example.org;Alice;A;;fr;Subscribed;15-03-2024 14:25:32;15-03-2024 14:25:32;16-03-2024 10:00:00
2;bob@example.org;Bob;B;;;Blocklisted;;01-02-2024 09:00:00;07-06-2025 08:09:10
"""
BREVO_API = """\
{"email": "alice@example.org", "id": 1, "emailBlacklisted": false, "smsBlacklisted": true, "createdAt": "2024-03-15T15:25:32.000+01:00", "attributes": {"LANGUAGE": "fr"}}
{"email": "bob@example.org", "id": 2, "emailBlacklisted": true, "smsBlacklisted": false}
"""  # noqa: E501
LISTMONK = """\
uuid,email,name,attributes,status,created_at,updated_at
5f1d,alice@example.org,Alice,"{""language"": ""fr"", ""optin"": ""2024-03-15T14:25:32Z"", ""opens"": true}",enabled,2024-03-15 14:25:32.123456 +0000 UTC,2024-03-16 10:00:00 +0000 UTC
5f1e,bob@example.org,Bob,{},blocklisted,2024-02-01 09:00:00.1 +0000 UTC,2025-06-07 08:09:10 +0000 UTC
5f1f,charlie@example.org,Charlie,not json,enabled,2024-02-01 09:00:00.1 +0000 UTC,2025-06-07 08:09:10 +0000 UTC
5f20,dora@example.org,Dora,{},disabled,2024-02-01 09:00:00.1 +0000 UTC,2025-06-07 08:09:10 +0000 UTC
"""  # noqa: E501
MAUTIC = """\
id,firstname,lastname,email,preferred_locale,dnc_reason
1,Alice,A,alice@example.org,fr_FR,
2,Bob,B,bob@example.org,,1
3,Gone,G,gone@example.org,,2
4,Dora,D,dora@example.org,,3
"""
MAUTIC_API = json.dumps(
    [
        {"id": 1, "doNotContact": [], "fields": {"all": {"email": "alice@example.org", "preferred_locale": "fr_FR"}}},
        {"id": 2, "doNotContact": [{"id": 9, "reason": 1, "comments": "", "channel": "email"}],
         "fields": {"all": {"email": "bob@example.org"}}},
        {"id": 3, "fields": {"all": {"email": "charlie@example.org"}}},
    ]
)  # fmt: skip

EXPORTS = [
    ("mailchimp", MAILCHIMP_SUBSCRIBED, {}, "alice subscribed, charlie subscribed"),
    ("mailchimp", MAILCHIMP_UNSUBSCRIBED, {}, "bob unsubscribed, dora complained"),
    ("mailchimp", MAILCHIMP_CLEANED, {}, "gone bounced"),
    ("mailchimp", MAILCHIMP_API, {}, "alice subscribed, bob unsubscribed, gone bounced, charlie nothing, emil nothing"),
    ("brevo", BREVO, {"asked_at": "OPTED_IN_ON"}, "alice subscribed, bob unsubscribed"),
    ("brevo", BREVO_API, {"email": "email", "asked_at": "createdAt"}, "alice subscribed, bob unsubscribed"),
    ("listmonk", LISTMONK, {"asked_at": "attributes.optin", "open_performance": "attributes.opens"},
     "alice subscribed, bob unsubscribed, charlie subscribed, dora unsubscribed"),
    ("mautic", MAUTIC, {}, "alice subscribed, bob unsubscribed, gone bounced, dora unsubscribed"),
    ("mautic", MAUTIC_API, {}, "alice subscribed, bob unsubscribed, charlie nothing"),
]  # fmt: skip


@pytest.fixture
def understood(tmp_path):
    def read(preset, text, columns=None, **said):
        path = tmp_path / "export"
        path.write_text(text)
        source = look_through(path)
        return list(rows(source, mapping(source, Reading(preset=preset, columns=columns or {}, **said), TODAY)))

    return read


@pytest.mark.parametrize(("preset", "text", "columns", "expected"), EXPORTS)
def test_who_says_what(understood, preset, text, columns, expected):
    found = understood(preset, text, columns)
    assert ", ".join(f"{row.address.partition('@')[0]} {row.said}" for row in found) == expected


@pytest.mark.parametrize(("preset", "text", "columns", "expected"), EXPORTS)
@pytest.mark.law("IP-09")
def test_no_network_address_and_no_place_is_ever_read(understood, preset, text, columns, expected):
    assert "198.51.100" not in repr(understood(preset, text, columns))
    assert "47.6" not in repr(understood(preset, text, columns))


@pytest.mark.parametrize(
    ("preset", "text", "columns"),
    [
        ("mailchimp", MAILCHIMP_SUBSCRIBED, {}),
        ("mailchimp", MAILCHIMP_API, {}),
        ("brevo", BREVO, {"asked_at": "OPTED_IN_ON"}),
        ("listmonk", LISTMONK, {"asked_at": "attributes.optin"}),
    ],
)
def test_when_alice_was_asked(understood, preset, text, columns):
    alice = understood(preset, text, columns)[0]
    assert alice.asked_at == at("2024-03-15T14:25:32")
    assert alice.confirmed_at in (None, at("2024-03-15T14:30:00"))
    assert not alice.time_not_understood


def test_what_else_a_line_says(understood):
    [bob, _] = understood("mailchimp", MAILCHIMP_UNSUBSCRIBED)
    assert bob.ended_at == at("2025-06-07T08:09:10")
    alice, *_ = understood("listmonk", LISTMONK, {"open_performance": "attributes.opens"})
    assert (alice.locale, alice.answers) == ("fr", {Purpose.OPEN_PERFORMANCE: True})
    alice, *_ = understood("mautic", MAUTIC)
    assert alice.locale == "fr-FR"


def refusal(attempt):
    with pytest.raises(InputRefused) as refused:
        attempt()
    return str(refused.value)


def test_a_list_of_refusers_never_passes_for_subscribers(understood):
    assert "--status" in refusal(lambda: understood("mautic", '[{"email": "a@x.org"}]'))
    without = "\n".join(",".join(line.split(",")[:-1]) for line in MAUTIC.splitlines())
    for preset in ("mautic", "brevo", "listmonk", ""):
        with pytest.raises(InputRefused, match="--status: no column says who agreed and who refused"):
            understood(preset, without)
    assert {row.said.value for row in understood("mautic", without, status="Unsubscribed")} == {"unsubscribed"}


def test_a_no_in_a_line_outweighs_what_the_whole_file_is_said_to_be(understood):
    text = "email,status,unsubscribed,objected\na@x.org,,,\nb@x.org,bounced,,\nc@x.org,,2024-01-01,\n"
    text += "d@x.org,pending,no,0\n"
    found = understood("", text + "e@x.org,subscribed,,yes\n", status="subscribed")
    assert [row.said.value for row in found] == ["subscribed", "bounced", "unsubscribed", "nothing", "objected"]
    found = understood("", text, status="unsubscribed")
    assert {row.said.value for row in found} == {"unsubscribed"}


def test_the_columns_of_a_plain_list(understood):
    text = (
        "EMail;Status;collected;told;place;where;form\n"
        "Alice@Example.ORG;subscribed;2020-01-02;2026-06-01;fr;trade fair 2020;popup\n"
        "nobody;subscribed;soon;never;France;;\n"
    )
    columns = {"collected_on": "collected", "notice_on": "told", "jurisdiction": "place", "source": "where"}
    alice, nobody = understood("", text, columns, jurisdiction="IT", notice_on="2026-07-01", source="the old shop")
    assert (alice.address, alice.jurisdiction, alice.source) == ("alice@example.org", "FR", "trade fair 2020")
    assert (alice.collected_on, alice.notice_on, alice.form) == (date(2020, 1, 2), date(2026, 6, 1), "popup")
    assert (nobody.address, nobody.jurisdiction, nobody.source) == (None, "IT", "the old shop")
    assert (nobody.collected_on, nobody.notice_on) == (None, date(2026, 7, 1))


REFUSED = [
    ({"preset": "mailworm"}, "--preset: 'mailworm' is not one of mailchimp, brevo, listmonk, mautic"),
    ({"columns": {"mail": "EMAIL"}}, "--map: 'mail' is not one of email"),
    ({"columns": {"email": "E-Mail"}}, "--map: email: there is no column 'E-Mail'"),
    ({"status": "gold"}, "--status: 'gold' is not a status"),
    ({"notice_on": "June"}, "--notice-on: 'June' is not a day"),
    ({"notice_on": "2026-11-24"}, "--notice-on: is in the future"),
    ({"jurisdiction": "France"}, "--jurisdiction: 'France' is not"),
    ({"time_zone": "Mars/Olympus"}, "--time-zone: 'Mars/Olympus' is not"),
]


@pytest.mark.parametrize(("said", "problem"), REFUSED)
def test_a_reading_that_cannot_be_meant_is_refused(understood, said, problem):
    with pytest.raises(InputRefused, match=problem):
        understood(said.pop("preset", ""), "email,status\na@x.org,subscribed\n", **said)


def test_a_column_that_no_json_object_has_is_refused(understood):
    objects = '{"email": "a@x.org"}\n{"Email": "b@x.org", "Status": "unsubscribed"}\n'
    assert [(row.address, row.said.value) for row in understood("", objects)] == [
        ("a@x.org", "nothing"), ("b@x.org", "unsubscribed")
    ]  # fmt: skip
    assert "there is no column 'opens'" in refusal(lambda: understood("", objects, {"open_performance": "opens"}))


def test_every_problem_is_told_at_once(understood):
    with pytest.raises(InputRefused) as refused:
        understood("mailworm", "name\nAlice\n", {"mail": "x"}, jurisdiction="France", time_zone="?", notice_on="?")
    assert {problem.where for problem in refused.value.problems} == {
        "--preset", "--map", "--status", "--jurisdiction", "--time-zone", "--notice-on"
    }  # fmt: skip


def test_two_columns_of_addresses_are_no_address(understood):
    with pytest.raises(InputRefused, match="email: there are two columns"):
        understood("", "email,email,status\na@x.org,b@x.org,subscribed\n")


def test_how_a_file_is_read_is_part_of_the_name_of_its_run(tmp_path):
    path = tmp_path / "export"
    path.write_text("email,status,when\na@x.org,subscribed,2024-01-01\n")
    source = look_through(path)
    readings = [
        Reading(), Reading(jurisdiction="FR"), Reading(locale="fr"), Reading(status="no"), Reading(source="shop"),
        Reading(time_zone="Europe/Paris"), Reading(notice_on="2026-01-01"), Reading(time_format="%Y"),
        Reading(columns={"asked_at": "when"}), Reading(columns={"confirmed_at": "when"}),
    ]  # fmt: skip
    names = {mapping(source, reading, TODAY).canonical for reading in readings}
    assert len(names) == len(readings)
    assert mapping(source, Reading(), TODAY).zone == ZoneInfo("UTC")
