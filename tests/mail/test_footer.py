"""The disclosure as it stands in a mail: in both parts, big enough to read and to press, and cut out again whole."""

import re
from html.parser import HTMLParser

import pytest

from consent_track.mail.footer import HTML_BEGIN, HTML_END, TEXT_RULE, FooterLinks, render_footer, text_footer_span

LABELS = {"preferences": "Stop measuring", "unsubscribe": "Unsubscribe", "privacy": "Privacy"}
LINKS = FooterLinks("https://t.example/p/x?a=1&b=2", "https://acme.example/privacy", "https://t.example/u/y")
SENTENCE = "Acme records which links you click in this email, to improve its newsletter. It does not record opening it."
HOSTS = frozenset({"t.example"})


class Page(HTMLParser):
    """Tags, their styles and the words between them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def footer():
    return render_footer(SENTENCE, LABELS, LINKS, "en", "ltr")


def test_both_forms_say_the_same(footer):
    page = Page(footer.html)
    assert SENTENCE in page.words
    assert SENTENCE in footer.text.replace("\n", " ")
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == [LINKS.preferences, LINKS.unsubscribe, LINKS.privacy]
    assert [line for line in footer.text.splitlines() if line.startswith("https://")] == links


def test_it_is_large_enough_to_read_and_to_press(footer):
    sizes = [int(size) for size in re.findall(r"font-size:(\d+)px", footer.html)]
    assert min(sizes) >= 14
    for tag, attributes in Page(footer.html).tags:
        if tag == "a":
            assert "min-height:44px" in attributes["style"]
            assert "display:block" in attributes["style"]
            assert "underline" in attributes["style"], "a link is not told by its colour alone"
    assert "display:none" not in footer.html


def test_without_an_owner_of_the_unsubscribe_link_there_is_none():
    footer = render_footer(SENTENCE, LABELS, FooterLinks("https://t.example/p/x", "https://a.example"), "en", "ltr")
    assert "Unsubscribe" not in footer.html + footer.text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "Müller & Co", "--"])
def test_a_name_is_text_and_nothing_else(name):
    footer = render_footer(f"{name} records nothing.", LABELS, LINKS, "en", "ltr")
    page = Page(footer.html)
    assert f"{name} records nothing." in page.words
    assert {tag for tag, _ in page.tags} == {"div", "p", "a"}


def test_a_rightward_language_is_aligned_to_the_right():
    html = render_footer("نص", LABELS, LINKS, "ar", "rtl").html
    assert 'lang="ar" dir="rtl"' in html
    assert "text-align:right" in html


def test_the_text_begins_with_an_empty_line_and_keeps_to_72_columns(footer):
    lines = footer.text.split("\n")
    assert lines[0] == ""
    assert lines[1] == TEXT_RULE
    assert all(len(line) <= 72 for line in lines if not line.startswith("https://"))
    assert all(line == line.rstrip() for line in lines), "a line that ends in a space would flow into the next"


def test_what_was_put_in_can_be_cut_out(footer):
    text = ("Hello\n" + footer.text).encode()
    ((start, end),) = text_footer_span(text, HOSTS)
    assert text[:start] + text[end:] == b"Hello\n"
    assert footer.html.strip().startswith(HTML_BEGIN)
    assert footer.html.strip().endswith(HTML_END)


def test_rules_of_somebody_else_are_left_alone():
    text = f"{TEXT_RULE}\nPoem\nhttps://other.example/p/x\n{TEXT_RULE}\n".encode()
    assert list(text_footer_span(text, HOSTS)) == []
    assert list(text_footer_span(TEXT_RULE.encode(), HOSTS)) == []
