"""Who made a hit? A labelled fixture of user agents and timings, and the confusion matrix they give (T13, AH-06).

Labels are what is known of the request, not what the rules say: `human` a person's program fetched it at a person's
wish, `proxy` a mailbox provider fetched it, `ahead` fetched without a reader, `machine` security software or a script.
"""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_track.domain.engagement import (
    BURST_LINKS,
    RULES_VERSION,
    TOO_SOON,
    Clue,
    Engagement,
    NetworkClass,
    classify,
)
from consent_track.domain.vocabulary import HitKind

O, C = HitKind.OPEN, HitKind.CLICK
WIN = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
LATER, NEVER_SO_SOON = 3_600, 1

# kind, label, what it is, user agent, seconds since issue, expected class, expected clue
FIXTURE = [
    # people, with browsers young and old
    (C, "human", "Chrome", f"{WIN} Chrome/131.0.0.0 Safari/537.36", LATER, "human-likely", "BROWSER"),
    (C, "human", "Chrome 104, old and human", f"{WIN} Chrome/104.0.0.0 Safari/537.36", LATER, "human-likely", "BROWSER"),
    (C, "human", "Chrome 80, very old", f"{WIN} Chrome/80.0.3987.149 Safari/537.36", LATER, "human-likely", "BROWSER"),
    (C, "human", "Edge", f"{WIN} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", LATER, "human-likely", "BROWSER"),
    (C, "human", "old Edge, not Google's", f"{WIN} Chrome/64.0.3282.140 Safari/537.36 Edge/17.17134", LATER, "human-likely", "BROWSER"),
    (C, "human", "Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", LATER, "human-likely", "BROWSER"),
    (C, "human", "Safari", f"{MAC} Version/18.1 Safari/605.1.15", LATER, "human-likely", "BROWSER"),
    (C, "human", "Safari on iPhone", f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1", LATER, "human-likely", "BROWSER"),
    (C, "human", "Chrome on iPhone", f"{IPHONE} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1", LATER, "human-likely", "BROWSER"),
    (C, "human", "app with a web view", f"{IPHONE} Mobile/15E148", LATER, "human-likely", "BROWSER"),
    (C, "human", "CUBOT phone", "Mozilla/5.0 (Linux; Android 9; CUBOT_X19 Build/PPR1.180610.011) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile Safari/537.36", LATER, "human-likely", "BROWSER"),
    (O, "human", "CUBOT phone", "Mozilla/5.0 (Linux; Android 11; CUBOT KINGKONG 5 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/114.0 Mobile Safari/537.36", LATER, "human-likely", "BROWSER"),
    (C, "human", "Opera", f"{WIN} Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0", LATER, "human-likely", "BROWSER"),
    (C, "human", "Internet Explorer 11", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", LATER, "human-likely", "BROWSER"),
    (O, "human", "webmail in Firefox", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0", LATER, "human-likely", "BROWSER"),
    (O, "human", "Thunderbird", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0", LATER, "human-likely", "MAIL_CLIENT"),
    (O, "human", "Outlook on Windows", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)", LATER, "human-likely", "MAIL_CLIENT"),
    (O, "human", "Outlook, longer", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/8.0; Microsoft Outlook 16.0.17928; ms-office)", LATER, "human-likely", "MAIL_CLIENT"),
    (O, "human", "Outlook on iOS", "Outlook-iOS/723.4027091.prod.iphone (3.24.1)", LATER, "human-likely", "MAIL_CLIENT"),
    (O, "human", "mail app on Android", "Dalvik/2.1.0 (Linux; U; Android 13; SM-G991B Build/TP1A.220624.014)", LATER, "human-likely", "MAIL_CLIENT"),
    # mailbox providers
    (O, "proxy", "Gmail, at an open", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", LATER, "proxy-indeterminate", "GOOGLE_PROXY"),
    (O, "proxy", "Gmail, within seconds", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", NEVER_SO_SOON, "proxy-indeterminate", "GOOGLE_PROXY"),
    (O, "proxy", "Apple privacy protection", "Mozilla/5.0", LATER, "proxy-indeterminate", "APPLE_PRIVACY"),
    (O, "proxy", "Apple Mail or its relay", MAC, LATER, "proxy-indeterminate", "WEBKIT_ONLY"),
    (O, "proxy", "Yahoo", "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", LATER, "proxy-indeterminate", "YAHOO_PROXY"),
    (O, "proxy", "Outlook on the web", "OutlookImageProxy", LATER, "proxy-indeterminate", "OUTLOOK_PROXY"),
    (O, "proxy", "Seznam", "Mozilla/5.0 (compatible; SeznamEmailProxy/2.0.85; +https://napoveda.seznam.cz/)", LATER, "proxy-indeterminate", "OTHER_PROXY"),
    # fetched ahead, or to show a preview
    (O, "ahead", "Gmail prefetch", f"{WIN} Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0", LATER, "prefetch", "GOOGLE_PREFETCH"),
    (C, "ahead", "Office asking what a link is", "Microsoft Office Existence Discovery", LATER, "prefetch", "OFFICE_DISCOVERY"),
    (C, "ahead", "link pasted into WhatsApp", "WhatsApp/2.24.9.78 A", LATER, "prefetch", "LINK_PREVIEW"),
    (C, "ahead", "link pasted into Slack", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", LATER, "prefetch", "LINK_PREVIEW"),
    (C, "ahead", "link in a social network", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", LATER, "prefetch", "LINK_PREVIEW"),
    (C, "ahead", "link in Teams", f"{WIN} SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com", LATER, "prefetch", "LINK_PREVIEW"),
    # machines
    (C, "machine", "Barracuda by name", "Barracuda Sentinel (EE)", LATER, "scanner", "NAMED_SCANNER"),
    (C, "machine", "Proofpoint by name", "Mozilla/5.0 (compatible; Proofpoint URL Defense)", LATER, "scanner", "NAMED_SCANNER"),
    (C, "machine", "python-requests", "python-requests/2.32.3", LATER, "scanner", "SCRIPT"),
    (C, "machine", "curl", "curl/8.5.0", LATER, "scanner", "SCRIPT"),
    (C, "machine", "Go", "Go-http-client/2.0", LATER, "scanner", "SCRIPT"),
    (C, "machine", "Java", "Apache-HttpClient/4.5.1 (Java/1.8.0_172)", LATER, "scanner", "SCRIPT"),
    (C, "machine", "headless browser", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36", LATER, "scanner", "HEADLESS_BROWSER"),
    (C, "machine", "PhantomJS", "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1", LATER, "scanner", "HEADLESS_BROWSER"),
    (C, "machine", "Googlebot", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", LATER, "scanner", "CRAWLER"),
    (C, "machine", "crawler of a later day", "Mozilla/5.0 (compatible; SomeNewBot/1.0; +https://crawler.example/)", LATER, "scanner", "CRAWLER"),
    (C, "machine", "detonation posing as Chrome, at once", f"{WIN} Chrome/131.0.0.0 Safari/537.36", NEVER_SO_SOON, "scanner", "TOO_SOON"),
    # a scanner that poses as Chrome and waits is not told apart: published, not hidden
    (C, "machine", "detonation posing as Chrome, later", f"{WIN} Chrome/131.0.0.0 Safari/537.36", LATER, "human-likely", "BROWSER"),
    # not knowable
    (O, "human", "an open in the first seconds", f"{WIN} Chrome/131.0.0.0 Safari/537.36", NEVER_SO_SOON, "unknown", "TOO_SOON"),
    (O, "human", "no user agent", "", LATER, "unknown", "NO_USER_AGENT"),
    (C, "machine", "bare, on a click", "Mozilla/5.0", LATER, "unknown", "UNRECOGNISED"),
    (C, "human", "web view of a Mac program", MAC, LATER, "unknown", "UNRECOGNISED"),
    (O, "human", "unheard-of mail program", "Postkutsche 3.1", LATER, "unknown", "UNRECOGNISED"),
]  # fmt: skip


@pytest.mark.law("AH-06")
@pytest.mark.parametrize(("kind", "label", "what", "agent", "since", "expected", "clue"), FIXTURE)
def test_the_verdict_on_each_labelled_request(kind, label, what, agent, since, expected, clue):
    verdict = classify(kind, agent, since)
    assert (Engagement(verdict.kind).words, Clue(verdict.reason).name) == (expected, clue)
    assert verdict.rules == RULES_VERSION


@pytest.mark.law("AH-06")
def test_the_confusion_matrix_never_counts_a_named_machine_as_human_and_never_a_human_as_a_machine(capsys):
    matrix = Counter(
        (label, Engagement(classify(kind, agent, since).kind).words) for kind, label, _, agent, since, _, _ in FIXTURE
    )
    classes = [member.words for member in Engagement]
    with capsys.disabled():
        print("\n" + "label".ljust(9) + "".join(name.rjust(21) for name in classes))
        for label in ("human", "proxy", "ahead", "machine"):
            print(label.ljust(9) + "".join(str(matrix[label, name]).rjust(21) for name in classes))
    humans_taken_for_machines = matrix["human", "scanner"] + matrix["human", "prefetch"]
    assert humans_taken_for_machines == 0
    assert matrix["proxy", "human-likely"] == 0
    assert matrix["ahead", "human-likely"] == 0
    assert matrix["machine", "human-likely"] == 1  # the patient one that poses as Chrome, and only that one


class TestTiming:
    AGENT = f"{WIN} Chrome/131.0.0.0 Safari/537.36"

    def test_a_click_is_too_soon_up_to_the_window_and_a_persons_from_then_on(self):
        assert Engagement(classify(C, self.AGENT, TOO_SOON - 1).kind) is Engagement.SCANNER
        assert Engagement(classify(C, self.AGENT, TOO_SOON).kind) is Engagement.HUMAN_LIKELY

    def test_a_clock_that_runs_behind_counts_as_too_soon(self):
        assert Engagement(classify(C, self.AGENT, -4).kind) is Engagement.SCANNER

    @pytest.mark.law("AH-13")
    def test_all_links_within_seconds_are_a_scanners(self):
        assert Engagement(classify(C, self.AGENT, LATER, links=BURST_LINKS - 1).kind) is Engagement.HUMAN_LIKELY
        burst = classify(C, self.AGENT, LATER, links=BURST_LINKS)
        assert (Engagement(burst.kind), Clue(burst.reason)) == (Engagement.SCANNER, Clue.BURST)


class TestNetworksOfTheOperator:
    AGENT = f"{WIN} Chrome/131.0.0.0 Safari/537.36"

    @pytest.mark.parametrize(
        ("kind", "network", "expected"),
        [
            (O, NetworkClass.SCANNER, "scanner"),
            (C, NetworkClass.SCANNER, "scanner"),
            (O, NetworkClass.SCANNER_CLICKS, "human-likely"),  # Outlook on the web opens from the same addresses
            (C, NetworkClass.SCANNER_CLICKS, "scanner"),
            (O, NetworkClass.PROXY, "proxy-indeterminate"),
            (O, None, "human-likely"),
        ],
    )
    def test_a_configured_range_corrects_the_user_agent(self, kind, network, expected):
        assert Engagement(classify(kind, self.AGENT, LATER, network).kind).words == expected

    def test_a_proxy_range_does_not_excuse_a_script(self):
        assert Engagement(classify(O, "curl/8.5.0", LATER, NetworkClass.PROXY).kind) is Engagement.SCANNER


def test_the_numbers_are_frozen():
    assert {member.name: member.value for member in Engagement} == {
        "HUMAN_LIKELY": 1, "PROXY_INDETERMINATE": 2, "PREFETCH": 3, "SCANNER": 4, "UNKNOWN": 5,
    }  # fmt: skip
    assert [clue.name for clue in sorted(Clue)] == (
        "BROWSER MAIL_CLIENT GOOGLE_PROXY GOOGLE_PREFETCH APPLE_PRIVACY WEBKIT_ONLY YAHOO_PROXY OUTLOOK_PROXY "
        "OTHER_PROXY LINK_PREVIEW OFFICE_DISCOVERY NAMED_SCANNER SCRIPT HEADLESS_BROWSER CRAWLER TOO_SOON BURST "
        "SCANNER_NETWORK PROXY_NETWORK NO_USER_AGENT UNRECOGNISED"
    ).split()
    assert [clue.value for clue in sorted(Clue)] == list(range(1, 22))


@given(st.sampled_from(list(HitKind)), st.text(max_size=600), st.integers(-10, 10**9), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_no_user_agent_makes_it_stumble(kind, agent, since, links):
    verdict = classify(kind, agent, since, None, links)
    assert verdict.kind in {member.value for member in Engagement}
    assert verdict.reason in {clue.value for clue in Clue}
