"""Where a click may lead: what may ever stand in a Location header, and ninety tricks that may not."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_track.mail.links import destination

# What may stand in a Location header (T1, T2), and what may not. `\t`, `\r`, `\n`, `\0` are the characters.
ALLOWED = r"""
https://shop.example
http://shop.example/
https://shop.example/a/b?c=d&e=f#g
https://shop.example?a
https://shop.example#a
https://shop.example/?next=https://other.example/
https://shop.example/@alice
https://shop.example/?a=b@c
https://shop.example#@evil.example
https://shop.example/..;/a//b
https://shop.example/%0d%0aSet-Cookie:%20a
https://shop.example/"<>`{}|^
https://shop.example./
https://shop.example:1/
https://shop.example:65535/
https://my_shop.example/
https://a--b.example/
https://xn--pple-43d.com/
https://localhost/
https://LABEL63.example/
https://HOST253/
https://127.0.0.1/
https://[::1]/
https://[2001:db8::192.0.2.1]:8443/a
hTTpS://shop.example/
"""
REFUSED = r"""

#
/a
//evil.example
///evil.example
\\evil.example
/\evil.example
https:evil.example
https:/evil.example
https:///evil.example
https:\\evil.example
https:/\evil.example
https://
https://?
https://#
https://:80/
https://@/
https://evil.example\@shop.example
https://shop.example\.evil.example
https://shop.example/\evil
https://alice@shop.example/
https://alice:secret@shop.example/
https://@shop.example/
https://shop.example@evil.example/
https://shop.example%40evil.example/
https://shop.example%2eevil.example/
https://shop.example%00.evil.example/
https://shop.example;@evil.example/
https://shop.example,evil.example/
https://shop example/
https://shop.example /
 https://shop.example/
https://shop.example/\x20
\thttps://shop.example/
ht\ttps://shop.example/
https://sh\top.example/
https://shop.example/\t
https://shop.example/\r\nSet-Cookie: a=b
https://shop.example/\r
https://shop.example/\n
https://shop.example/\0
https://shop\0.example/
\x01https://shop.example/
https://shop.example/\x7f
https://shop.example/é
https://shop.example/\u2028
https://аpple.example/
https://ｓhop.example/
https://shop。example/
https://shop.example:0/
https://shop.example:65536/
https://shop.example:99999/
https://shop.example:999999999999/
https://shop.example:/
https://shop.example:-1/
https://shop.example:80:80/
https://shop.example:8o/
https://.shop.example/
https://shop..example/
https://shop.example../
https://./
https://-shop.example/
https://shop-.example/
https://sh!op.example/
https://sh*p.example/
https://<shop.example>/
https://shop.example"/
https://{{host}}/
https://xn--/
https://xn--a/
https://xn--99999999999/
https://2130706433/
https://0x7f000001/
https://0x7f.1/
https://127.1/
https://0177.0.0.1/
https://256.1.1.1/
https://1.2.3.4.5/
https://[::1/
https://::1/
https://[::1]evil.example/
https://[::1%25eth0]/
https://[fe80::1%eth0]/
https://[v1.a]/
https://[]/
https://[::1::1]/
https://[1.2.3.4]/
https://LABEL64.example/
https://HOST254/
https://[shop.example]/
javascript:alert(1)
javascript://shop.example/%0aalert(1)
JaVaScRiPt:alert(1)
 javascript:alert(1)
data:text/html,<script>alert(1)</script>
vbscript:msgbox(1)
file:///etc/passwd
ftp://shop.example/
ws://shop.example/
view-source:https://shop.example/
blob:https://shop.example/1
mailto:alice@example.org
tel:+33123
intent://shop.example/#Intent;end
httpss://shop.example/
xhttps://shop.example/
https//shop.example/
https ://shop.example/
feed:https://shop.example/
"""


CHARACTERS = {
    r"\t": "\t", r"\r": "\r", r"\n": "\n", r"\0": "\0", r"\x01": "\1", r"\x7f": "\x7f", r"\x20": " ",
    r"\u2028": "\u2028", "LABEL63": "a" * 63, "LABEL64": "a" * 64,
    "HOST253": "aa." * 84 + "a", "HOST254": "aa." * 84 + "aa",
}  # fmt: skip


def meant(line: str) -> str:
    for name, character in CHARACTERS.items():
        line = line.replace(name, character)
    return line


@pytest.mark.parametrize("url", ALLOWED.strip("\n").splitlines())
@pytest.mark.law("AH-10", "SE-03")
def test_where_a_click_may_lead(url: str) -> None:
    assert destination(meant(url)) == meant(url)


@pytest.mark.parametrize("line", REFUSED.removeprefix("\n").splitlines())
@pytest.mark.law("AH-10", "SE-03")
def test_where_a_click_may_never_lead(line: str) -> None:
    assert destination(meant(line)) is None


def test_the_list_of_tricks_is_long_enough() -> None:
    assert len(REFUSED.splitlines()) >= 90


tricks = st.sampled_from([meant(line) for line in (ALLOWED + REFUSED).splitlines() if line])


@settings(max_examples=500, deadline=None)
@given(
    tricks,
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["", *"/\\@:?#[]%.\t\r\n\0 \u00e9xX0-_&;"])), max_size=3),
)
def test_what_is_allowed_can_mean_only_one_place(url: str, changes: list[tuple[int, str]]) -> None:
    """Byte-equal, one line of visible ASCII, and every way to cut out the host gives the same one."""
    for at, piece in changes:
        url = url[:at] + piece + url[at + 1 :]
    found = destination(url)
    if found is None:
        return
    assert found == url
    assert all("!" <= character <= "~" for character in found)
    assert "\\" not in found
    scheme, rest = found.split("://", 1)
    assert scheme.lower() in ("http", "https")
    authority = min((rest.partition(end)[0] for end in "/?#"), key=len)
    assert urlsplit(found).netloc == authority
    assert "@" not in authority
    assert authority.strip("[]:.")
