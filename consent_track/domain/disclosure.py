"""What a mail says about its own measuring: chosen by what was really put into it, never by configuration (DI-08)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .vocabulary import SERVICE_MAIL, MailType, Purpose


class Statement(StrEnum):
    """The first sentence of a footer; the value is the id of its text in the catalogues (decision 29)."""

    OPENS_AND_CLICKS = "opens_and_clicks"
    CLICKS_ONLY = "clicks_only"
    OPENS_ONLY = "opens_only"
    NOT_MEASURED = "not_measured"
    NOT_MEASURED_BY_US = "not_measured_by_us"
    SERVICE_NOT_MEASURED = "service_not_measured"
    NOTICE_OPENS_AND_CLICKS = "notice_opens_and_clicks"
    NOTICE_CLICKS_ONLY = "notice_clicks_only"
    NOTICE_OPENS_ONLY = "notice_opens_only"
    LAST_OPEN_DAY = "last_open_day"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class Instrumented:
    """What was really put into a mail. `foreign` = a measuring of somebody else is left in it.

    `exempt` is the mode of a pixel that measures nobody individually; then there is no other measuring of ours.
    """

    opens: bool
    clicks: bool
    by_notice: bool = False
    foreign: bool = False
    exempt: Purpose | None = None


_MEASURED: Final = {
    (True, True): ("OPENS_AND_CLICKS", "NOTICE_OPENS_AND_CLICKS"),
    (False, True): ("CLICKS_ONLY", "NOTICE_CLICKS_ONLY"),
    (True, False): ("OPENS_ONLY", "NOTICE_OPENS_ONLY"),
}
_EXEMPT: Final = {
    Purpose.DELIVERABILITY_HYGIENE: Statement.LAST_OPEN_DAY,
    Purpose.AGGREGATE_COUNT: Statement.COUNTED,
}


def statement_for(done: Instrumented, mail_type: MailType, *, path_is_clean: bool) -> Statement:
    """The sentence that is true of this mail.

    `path_is_clean`: the operator declared, or probed, that the next hop measures nothing. "Not measured" is printed
    only then and only where nothing else in the mail measures (decision 22); a partial "It does not record …" of a
    mail on an undeclared path speaks of the controller, whose name the text carries.
    """
    measured = _MEASURED.get((done.opens, done.clicks))
    if measured is not None:
        return Statement[measured[1 if done.by_notice else 0]]
    if done.exempt is not None:
        return _EXEMPT[done.exempt]
    if done.foreign or not path_is_clean:
        return Statement.NOT_MEASURED_BY_US
    return Statement.SERVICE_NOT_MEASURED if mail_type in SERVICE_MAIL else Statement.NOT_MEASURED
