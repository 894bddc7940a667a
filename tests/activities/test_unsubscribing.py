"""An unsubscription works at once, and its link long after the mail: more than any law or mailbox provider asks."""

import re
from dataclasses import replace

import pytest

from consent_track.activities import consenting
from consent_track.activities.entering import How
from consent_track.domain.decision import Reason
from consent_track.domain.vocabulary import Grade, TokenClass
from tests import world
from tests.world import ALICE, DAY, NEWSLETTER

ONE_CLICK = How("one_click", Grade.MESSAGE_LINK, "subject", jurisdiction="AU")


@pytest.mark.law("WD-11", "WD-12", "WD-13", "WD-14", "ST-01")
@pytest.mark.parametrize("days", [0, 31, 60, 400])
def test_the_link_of_an_old_mail_ends_the_mail_and_the_measuring_in_one_transaction(tmp_path, clock, days):
    runtime = world.populated(tmp_path / "home", clock=clock, controller='unsubscribe = "consent_track"\n')
    australia = replace(NEWSLETTER, jurisdiction="AU")
    mail = world.prepare(runtime, world.mail_to(ALICE), ALICE, australia).result.data.decode()
    (link,) = set(re.findall(r"^List-Unsubscribe: <https://[^/]+/u/([^>]+)>", mail, re.M))

    clock.move(days * DAY)
    facts = runtime.tokens.open(TokenClass.UNSUBSCRIBE, link)
    with runtime.processing() as p:
        done = consenting.end_mail(p, facts.controller, facts.subject, ONE_CLICK)

    assert (done.mail_ended, done.at) == (True, clock.at), "no delay, no login, no account"
    late = world.prepare(runtime, world.mail_to(ALICE), ALICE, australia)
    assert late.opens.reason is late.clicks.reason is Reason.MAIL_ENDED
    runtime.database.close()
