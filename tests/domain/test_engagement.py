"""Who made a hit? A labelled fixture of user agents and timings, and the confusion matrix they give (T13, AH-06).

Labels are what is known of the request, not what the rules say: `human` a person's program fetched it at a person's
wish, `proxy` a mailbox provider fetched it, `ahead` fetched without a reader, `machine` security software or a script.
"""

from collections import Counter
from pathlib import Path

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

OPEN, CLICK = HitKind.OPEN, HitKind.CLICK
WIN = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
LATER = 3_600

TABLE = Path(__file__).with_name("engagement_requests.txt")


def labelled() -> list[tuple[HitKind, str, int, str, str, str]]:
    """The rows of the table: door, label, seconds since issue, expected class, expected clue, user agent."""
    rows = []
    for line in TABLE.read_text().splitlines():
        if not line.startswith("#"):
            door, label, since, expected, clue, _, agent = (cell.strip() for cell in line.split("|", 6))
            rows.append((HitKind[door.upper()], label, int(since), expected, clue, agent))
    return rows


@pytest.mark.law("AH-06")
@pytest.mark.parametrize(("kind", "label", "since", "expected", "clue", "agent"), labelled())
def test_the_verdict_on_each_labelled_request(kind, label, since, expected, clue, agent):
    verdict = classify(kind, agent, since)
    assert (Engagement(verdict.kind).words, Clue(verdict.reason).name) == (expected, clue)
    assert verdict.rules == RULES_VERSION


@pytest.mark.law("AH-06")
def test_the_confusion_matrix_never_counts_a_named_machine_as_human_and_never_a_human_as_a_machine(capsys):
    matrix = Counter(
        (label, Engagement(classify(kind, agent, since).kind).words) for kind, label, since, _, _, agent in labelled()
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
        assert Engagement(classify(CLICK, self.AGENT, TOO_SOON - 1).kind) is Engagement.SCANNER
        assert Engagement(classify(CLICK, self.AGENT, TOO_SOON).kind) is Engagement.HUMAN_LIKELY

    def test_a_clock_that_runs_behind_counts_as_too_soon(self):
        assert Engagement(classify(CLICK, self.AGENT, -4).kind) is Engagement.SCANNER

    @pytest.mark.law("AH-13")
    def test_all_links_within_seconds_are_a_scanners(self):
        assert Engagement(classify(CLICK, self.AGENT, LATER, links=BURST_LINKS - 1).kind) is Engagement.HUMAN_LIKELY
        burst = classify(CLICK, self.AGENT, LATER, links=BURST_LINKS)
        assert (Engagement(burst.kind), Clue(burst.reason)) == (Engagement.SCANNER, Clue.BURST)


class TestNetworksOfTheOperator:
    AGENT = f"{WIN} Chrome/131.0.0.0 Safari/537.36"

    @pytest.mark.parametrize(
        ("kind", "network", "expected"),
        [
            (OPEN, NetworkClass.SCANNER, "scanner"),
            (CLICK, NetworkClass.SCANNER, "scanner"),
            (OPEN, NetworkClass.SCANNER_CLICKS, "human-likely"),  # Outlook on the web opens from the same addresses
            (CLICK, NetworkClass.SCANNER_CLICKS, "scanner"),
            (OPEN, NetworkClass.PROXY, "proxy-indeterminate"),
            (OPEN, None, "human-likely"),
        ],
    )
    def test_a_configured_range_corrects_the_user_agent(self, kind, network, expected):
        assert Engagement(classify(kind, self.AGENT, LATER, network).kind).words == expected

    def test_a_proxy_range_does_not_excuse_a_script(self):
        assert Engagement(classify(OPEN, "curl/8.5.0", LATER, NetworkClass.PROXY).kind) is Engagement.SCANNER


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
