"""One identical pixel for a thousand readers in Italy (Garante 284/2026 para. 5(a))."""

import re

import pytest

from consent_track.activities import exempting, mailing
from consent_track.domain.vocabulary import MailType, Purpose
from consent_track.mail.headers import Declared
from tests import world
from tests.activities.exempt_stage import on_the_list, tell

PEOPLE = [f"reader{number}@example.org" for number in range(1_000)]
SAID = Declared(MailType.REQUESTED_NEWSLETTER, "IT", "en", "novembre", audience=len(PEOPLE))
MEASURING = re.compile(rb"https://mail\.acme\.example/([oc])/([A-Za-z0-9_-]+)")


@pytest.mark.law("TI-06")
def test_a_thousand_recipients_have_one_pixel_url_and_no_measuring_link(tmp_path):
    tell(tmp_path / "home", Purpose.AGGREGATE_COUNT)
    runtime = world.installation(tmp_path / "home")
    on_the_list(runtime, *PEOPLE)
    letters = [mailing.Letter(world.mail_to(address), address, SAID) for address in PEOPLE]
    with runtime.processing() as p:
        prepared = mailing.prepare_many(p, runtime.mail_settings(), letters)
        mailing.register(p, [one.row for one in prepared])
    found = [MEASURING.findall(one.result.data.replace(b"=\r\n", b"")) for one in prepared]
    assert all(len(urls) == 1 for urls in found)
    assert len({url for urls in found for url in urls}) == 1
    assert {urls[0][0] for urls in found} == {b"o"}
    with runtime.reading() as p:
        assert exempting.count(p, 1, "novembre").mails == 1_000
    runtime.database.close()
