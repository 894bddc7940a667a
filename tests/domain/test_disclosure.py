"""What a mail says of its own measuring follows what was put into it, in every combination."""

import itertools

import pytest

from consent_track.domain.disclosure import Instrumented, Statement, statement_for
from consent_track.domain.vocabulary import MailType, Purpose
from tests.domain.people import rows

# opens, clicks measured? by notice? something of others left? next hop declared clean? -> newsletter, order mail
SAYS = """
    opens  clicks  consent  any   any    opens_and_clicks         opens_and_clicks
    opens -       consent  any   any    opens_only               opens_only
    -     clicks  consent  any   any    clicks_only              clicks_only
    opens clicks  notice   any   any    notice_opens_and_clicks  notice_opens_and_clicks
    opens -       notice   any   any    notice_opens_only        notice_opens_only
    -     clicks  notice   any   any    notice_clicks_only       notice_clicks_only
    -     -       any      none  clean  not_measured             service_not_measured
    -     -       any      none  ?      not_measured_by_us       not_measured_by_us
    -     -       any      left  any    not_measured_by_us       not_measured_by_us
"""


def expected(opens: bool, clicks: bool, by_notice: bool, foreign: bool, clean: bool) -> tuple[str, str]:
    case = {
        "opens": "opens" if opens else "-",
        "clicks": "clicks" if clicks else "-",
        "basis": "notice" if by_notice else "consent",
        "foreign": "left" if foreign else "none",
        "hop": "clean" if clean else "?",
    }
    for line in SAYS.strip().split("\n"):
        *conditions, newsletter, order = line.split()
        if all(wanted in (is_, "any") for wanted, is_ in zip(conditions, case.values(), strict=True)):
            return newsletter, order
    raise AssertionError(f"the table does not say {case}")


@pytest.mark.parametrize("truth", [*itertools.product([False, True], repeat=5)])
def test_the_sentence_is_true_of_the_mail(truth):
    opens, clicks, by_notice, foreign, clean = truth
    done = Instrumented(opens, clicks, by_notice, foreign)
    newsletter, order = expected(*truth)
    service = {MailType.AUTHENTICATION, MailType.TRANSACTIONAL, MailType.LEGALLY_REQUIRED}
    for mail_type in MailType:
        said = statement_for(done, mail_type, path_is_clean=clean)
        assert said == (order if mail_type in service else newsletter)


EXEMPT = """
    deliverability_hygiene  last_open_day
    aggregate_count         counted
"""


@pytest.mark.law("DI-08")
@pytest.mark.parametrize(("mode", "statement"), rows(EXEMPT))
def test_an_exempt_pixel_is_spoken_of_in_every_kind_of_mail(mode, statement):
    done = Instrumented(opens=False, clicks=False, exempt=Purpose(mode))
    assert {statement_for(done, mail_type, path_is_clean=True) for mail_type in MailType} == {statement}


def test_every_statement_is_said_of_some_mail():
    said = {name for row in rows(SAYS) for name in row[-2:]} | {row[-1] for row in rows(EXEMPT)}
    assert said == {statement.value for statement in Statement}
