"""Whether a hit was made by a person, a proxy, a prefetch or a scanner, and what makes us think so.

Judged in memory from the user agent, the time since the mail was made and, only where the operator configures them,
networks; nothing else of the request is read (ePrivacy Art. 5(3), EDPB 2/2023). Only class, clue and rule version are
kept. A verdict is an estimate: an open never proves that anybody read anything (AH-06). When in doubt the class is
`unknown`, because dropping a real person is as wrong as counting a machine.
"""

from enum import IntEnum
from typing import Final

from .observation import Verdict
from .vocabulary import HitKind

RULES_VERSION: Final = 1  # raise it with every change of a rule below: stored verdicts name the rules they came from

# Sooner after the making of a mail nobody can have had it delivered, seen it and acted on it. The clock starts before
# delivery, so the window must stay short; 10 s was too tight for people in practice. Seconds.
TOO_SOON: Final = 3
# That many different links of one mail within that many seconds is a scanner at work, not a reader.
BURST_LINKS: Final = 3
BURST_SECONDS: Final = 5
# What follows this many characters of a user agent decides nothing.
_LONGEST: Final = 400


class Engagement(IntEnum):
    """Who probably made a hit. The number is frozen in spool records and in the hits table: append, never renumber."""

    HUMAN_LIKELY = 1
    PROXY_INDETERMINATE = 2  # fetched by a mailbox provider: perhaps at an open, perhaps ahead of one
    PREFETCH = 3  # fetched ahead, or for a preview, without a reader
    SCANNER = 4  # security software, a script, a crawler
    UNKNOWN = 5

    @property
    def words(self) -> str:
        """The name as reports and people write it, e.g. `human-likely`."""
        return self.name.lower().replace("_", "-")


class Clue(IntEnum):
    """What a verdict rests on. The number is frozen, as above."""

    BROWSER = 1
    MAIL_CLIENT = 2
    GOOGLE_PROXY = 3
    GOOGLE_PREFETCH = 4
    APPLE_PRIVACY = 5  # bare `Mozilla/5.0`: Mail Privacy Protection, which fetches whether or not anybody opens
    WEBKIT_ONLY = 6  # Apple Mail and new Outlook send this, and so does Apple's background fetch: nobody can tell
    YAHOO_PROXY = 7
    OUTLOOK_PROXY = 8
    OTHER_PROXY = 9
    LINK_PREVIEW = 10
    OFFICE_DISCOVERY = 11  # Office asking what a link is before it opens a browser
    NAMED_SCANNER = 12
    SCRIPT = 13
    HEADLESS_BROWSER = 14
    CRAWLER = 15
    TOO_SOON = 16
    BURST = 17
    SCANNER_NETWORK = 18
    PROXY_NETWORK = 19
    NO_USER_AGENT = 20
    UNRECOGNISED = 21


class NetworkClass(IntEnum):
    """What an operator may say of a range of addresses. The shipped configuration says nothing of any."""

    SCANNER = 1
    # Outlook on the web proxies images from the addresses its link scanner uses: only a click proves the scanner.
    SCANNER_CLICKS = 2
    PROXY = 3


def _verdict(engagement: Engagement, clue: Clue) -> Verdict:
    return Verdict(engagement.value, clue.value, RULES_VERSION)


_H, _P, _F, _S = (
    Engagement.HUMAN_LIKELY,
    Engagement.PROXY_INDETERMINATE,
    Engagement.PREFETCH,
    Engagement.SCANNER,
)
_GOOGLE_PREFETCH: Final = ("chrome/42.0.2311.135", "edge/12.246")  # both, always: a fixed string, no living browser

# Tried in order on the lower-cased user agent; the first part found decides. No bare "bot", "scan" or "proxy" among
# them: CUBOT makes phones, and a rule that drops every Gmail open drops people.
_PARTS: Final[tuple[tuple[str, Engagement, Clue], ...]] = (
    ("googleimageproxy", _P, Clue.GOOGLE_PROXY),
    ("via ggpht.com", _P, Clue.GOOGLE_PROXY),
    ("yahoomailproxy", _P, Clue.YAHOO_PROXY),
    ("yahoocachesystem", _P, Clue.YAHOO_PROXY),
    ("outlookimageproxy", _P, Clue.OUTLOOK_PROXY),
    ("seznamemailproxy", _P, Clue.OTHER_PROXY),
    ("imageproxy", _P, Clue.OTHER_PROXY),
    ("yandeximageresizer", _P, Clue.OTHER_PROXY),
    ("microsoft office existence discovery", _F, Clue.OFFICE_DISCOVERY),
    ("microsoft office protocol discovery", _F, Clue.OFFICE_DISCOVERY),
    ("bingpreview", _F, Clue.LINK_PREVIEW),
    ("whatsapp/", _F, Clue.LINK_PREVIEW),
    ("facebookexternalhit", _F, Clue.LINK_PREVIEW),
    ("slackbot", _F, Clue.LINK_PREVIEW),
    ("slack-imgproxy", _F, Clue.LINK_PREVIEW),
    ("telegrambot", _F, Clue.LINK_PREVIEW),
    ("twitterbot", _F, Clue.LINK_PREVIEW),
    ("discordbot", _F, Clue.LINK_PREVIEW),
    ("linkedinbot", _F, Clue.LINK_PREVIEW),
    ("skypeuripreview", _F, Clue.LINK_PREVIEW),
    ("google web preview", _F, Clue.LINK_PREVIEW),
    ("barracuda", _S, Clue.NAMED_SCANNER),
    ("proofpoint", _S, Clue.NAMED_SCANNER),
    ("mimecast", _S, Clue.NAMED_SCANNER),
    ("safelinks", _S, Clue.NAMED_SCANNER),
    ("trendmicro", _S, Clue.NAMED_SCANNER),
    ("trend micro", _S, Clue.NAMED_SCANNER),
    ("forcepoint", _S, Clue.NAMED_SCANNER),
    ("messagelabs", _S, Clue.NAMED_SCANNER),
    ("ironport", _S, Clue.NAMED_SCANNER),
    ("fortiguard", _S, Clue.NAMED_SCANNER),
    ("cloudmark", _S, Clue.NAMED_SCANNER),
    ("virustotal", _S, Clue.NAMED_SCANNER),
    ("urlscan", _S, Clue.NAMED_SCANNER),
    ("spfbl", _S, Clue.NAMED_SCANNER),
    ("netcraft", _S, Clue.NAMED_SCANNER),
    ("headlesschrome", _S, Clue.HEADLESS_BROWSER),
    ("phantomjs", _S, Clue.HEADLESS_BROWSER),
    ("playwright", _S, Clue.HEADLESS_BROWSER),
    ("puppeteer", _S, Clue.HEADLESS_BROWSER),
    ("selenium", _S, Clue.HEADLESS_BROWSER),
    ("python-requests", _S, Clue.SCRIPT),
    ("python-urllib", _S, Clue.SCRIPT),
    ("python-httpx", _S, Clue.SCRIPT),
    ("aiohttp/", _S, Clue.SCRIPT),
    ("curl/", _S, Clue.SCRIPT),
    ("wget/", _S, Clue.SCRIPT),
    ("go-http-client", _S, Clue.SCRIPT),
    ("libwww-perl", _S, Clue.SCRIPT),
    ("apache-httpclient", _S, Clue.SCRIPT),
    ("node-fetch", _S, Clue.SCRIPT),
    ("axios/", _S, Clue.SCRIPT),
    ("guzzlehttp", _S, Clue.SCRIPT),
    ("scrapy", _S, Clue.SCRIPT),
    ("googlebot", _S, Clue.CRAWLER),
    ("bingbot", _S, Clue.CRAWLER),
    ("applebot", _S, Clue.CRAWLER),
    ("yandexbot", _S, Clue.CRAWLER),
    ("baiduspider", _S, Clue.CRAWLER),
    ("(+http", _S, Clue.CRAWLER),  # crawlers say where their operator can be reached: "(+https://…)", "; +https://…"
    ("; +http", _S, Clue.CRAWLER),
    ("ms-office", _H, Clue.MAIL_CLIENT),
    ("microsoft outlook", _H, Clue.MAIL_CLIENT),
    ("outlook-ios", _H, Clue.MAIL_CLIENT),
    ("outlook-android", _H, Clue.MAIL_CLIENT),
    ("thunderbird/", _H, Clue.MAIL_CLIENT),
    ("dalvik/", _H, Clue.MAIL_CLIENT),  # what mail apps on Android phones send for an image
)
# A browser says what it is and on which machine. How old it claims to be says nothing: people keep old machines, and
# a list of "stale" versions drops them (a peer's list drops everybody with Chrome 104).
_BROWSERS: Final = ("chrome/", "crios/", "firefox/", "fxios/", "version/", "mobile/", "edg/", "opr/", "trident/")

_NO_AGENT: Final = _verdict(Engagement.UNKNOWN, Clue.NO_USER_AGENT)
_UNRECOGNISED: Final = _verdict(Engagement.UNKNOWN, Clue.UNRECOGNISED)
_BY_PART: Final = tuple((part, _verdict(engagement, clue)) for part, engagement, clue in _PARTS)
_PREFETCHED: Final = _verdict(Engagement.PREFETCH, Clue.GOOGLE_PREFETCH)
_BROWSER: Final = _verdict(Engagement.HUMAN_LIKELY, Clue.BROWSER)
_APPLE: Final = _verdict(Engagement.PROXY_INDETERMINATE, Clue.APPLE_PRIVACY)
_WEBKIT: Final = _verdict(Engagement.PROXY_INDETERMINATE, Clue.WEBKIT_ONLY)


def judge_agent(kind: HitKind, user_agent: str) -> Verdict:
    """What the user agent alone says. Depends on nothing else, so a caller may remember the answer."""
    agent = user_agent[:_LONGEST].strip().lower()
    if not agent:
        return _NO_AGENT
    if all(part in agent for part in _GOOGLE_PREFETCH):
        return _PREFETCHED
    for part, verdict in _BY_PART:
        if part in agent:
            return verdict
    if agent == "mozilla/5.0":
        return _APPLE if kind is HitKind.OPEN else _UNRECOGNISED  # Apple's relay fetches images; it follows no link
    if not agent.startswith("mozilla/5.0 ("):
        return _UNRECOGNISED
    if any(part in agent for part in _BROWSERS):
        return _BROWSER
    if "applewebkit/" in agent and agent.endswith("(khtml, like gecko)"):
        return _WEBKIT if kind is HitKind.OPEN else _UNRECOGNISED
    return _UNRECOGNISED


_SCANNED: Final = _verdict(Engagement.SCANNER, Clue.SCANNER_NETWORK)
_RELAYED: Final = _verdict(Engagement.PROXY_INDETERMINATE, Clue.PROXY_NETWORK)
_BURST: Final = _verdict(Engagement.SCANNER, Clue.BURST)
_SOON: Final = {
    HitKind.CLICK: _verdict(Engagement.SCANNER, Clue.TOO_SOON),
    # A mail pushed to an open screen may be seen at once: too soon to count a person, too little to accuse a machine.
    HitKind.OPEN: _verdict(Engagement.UNKNOWN, Clue.TOO_SOON),
}
_PERHAPS_HUMAN: Final = frozenset({Engagement.HUMAN_LIKELY.value, Engagement.UNKNOWN.value})


def weigh(
    kind: HitKind, by_agent: Verdict, seconds_since_issue: int, network: NetworkClass | None = None, links: int = 1
) -> Verdict:
    """The verdict of the user agent, corrected by network and timing.

    `links` is the number of different links of the same mail followed in the last `BURST_SECONDS`, this one included.
    """
    if network is not None:
        if network is NetworkClass.SCANNER or (network is NetworkClass.SCANNER_CLICKS and kind is HitKind.CLICK):
            return _SCANNED
        if network is NetworkClass.PROXY and by_agent.kind in _PERHAPS_HUMAN:
            return _RELAYED
    if by_agent.kind not in _PERHAPS_HUMAN:
        return by_agent
    if links >= BURST_LINKS:
        return _BURST
    if seconds_since_issue < TOO_SOON:
        return _SOON[kind]
    return by_agent


def classify(
    kind: HitKind, user_agent: str, seconds_since_issue: int, network: NetworkClass | None = None, links: int = 1
) -> Verdict:
    """Class, clue and rule version of one hit (T13, AH-06, AH-13). Never raises, whatever the user agent holds."""
    return weigh(kind, judge_agent(kind, user_agent), seconds_since_issue, network, links)
