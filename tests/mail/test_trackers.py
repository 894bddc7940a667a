"""What measures in a mail and is not ours: pixels, wrapped links, backgrounds. And what only looks like it."""

from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent_track.mail.html import scan
from consent_track.mail.splice import Splice, apply
from consent_track.mail.trackers import Confidence, ForeignTracker, Kind, find, find_in_text
from consent_track.mail.trackershapes import LINKS, PIXELS

OWN = frozenset({"track.acme.example"})
CORPUS = sorted((Path(__file__).parent / "html_corpus").glob("*.html"))
UUID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
ID = "9f86d081884c7d659a2feaa0c55ad015"


def strangers(page: bytes) -> tuple[ForeignTracker, ...]:
    return find(scan(page), page, own_hosts=OWN)


def without(page: bytes) -> bytes:
    """The page as a refuser gets it; every tracker must have a replacement."""
    return apply(page, [Splice(each.start, each.end, (each.replacement or "").encode()) for each in strangers(page)])


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split(" | ")]
        for line in text.replace("UUID", UUID).replace("ID", ID).strip().splitlines()
    ]


# A picture, and whether somebody else counts opens with it.
PICTURES = r"""
<img src="https://esp.example/a.gif?u=ID" width="1" height="1" alt="">                | certain
<img src="https://esp.example/a.gif" width=1 height=1>                                | probable
<img src="https://esp.example/a.gif" width="1px" height=" 1PX ">                        | probable
<img src="https://esp.example/a.gif" width="0" height="20">                           | probable
<img src="https://esp.example/a.gif" width="1">                                       | probable
<img src="https://esp.example/a.gif" style="width:1px; height:1px">                   | probable
<img src="https://esp.example/a.gif" style="max-height:0;overflow:hidden">            | probable
<img src="https://esp.example/a.gif" width="600" height="400" style="width:1px;height:1px"> | probable
<img src="https://esp.example/a.gif" style="DISPLAY : none">                          | probable
<img src="https://esp.example/a.gif" style="visibility:hidden">                       | probable
<img src="https://esp.example/a.gif" style="opacity:0">                               | probable
<img src="https://esp.example/a.gif" hidden>                                          | probable
<img src="https://esp.example/a/ID" style="display:none!important">                   | certain
<img src="https://esp.example/a?to=alice%40example.org" width=1 height=1>             | certain
<img src="https://esp.example/a?uid=7" width=1 height=1>                              | certain
<img src="//esp.example/a.gif" width=1 height=1>                                      | probable
<img src=" https://esp.example/a.gif" width=1 height=1>                               | probable
<img src="https:\\esp.example\a.gif" width=1 height=1>                                | probable
<img src="\\esp.example\a.gif" width=1 height=1>                                      | probable
<img src="ht&#10;tps://esp.example/a.gif" width=1 height=1>                           | probable
<img src="https://u1.ct.esp.example/wf/open?upn=u001.a">                              | certain
<img src="https://links.esp.example/ss/o/u001.ID/4lq/ID/ho.gif">                           | certain
<img src="https://email.esp.example/o/eJwFwVkOgCAMBdDTyCfpBsUPjmIoVGlCJCGu">          | certain
<img src="https://d1.na1.esp.example/e3t/Cto/ON+23284/abc">                           | certain
<img src="https://post.esp.example/q/abcdefghijklmnopqrst~~/AAR/RgR">                 | certain
<img src="https://r.esp.example/tr/op/ID">                                           | certain
<img src="https://mandrill.esp.example/track/open.php?u=1&id=2">                      | certain
<img src="https://abc.r.us-east-1.awstrack.me/I0/010001840b8a690a-a98182e0-166f/x=29"> | certain
<img src="https://r20.rs6.net/on.jsp?ca=1&a=2">                                       | certain
<img src="https://esp.example/e/o/eyJlbWFpbF9pZCI6ImRnVHEifQ">                        | certain
<img src="https://esp.example/lt.php?x=3DZy&l=open">                                  | certain
<img src="https://esp.example/t/j-o-abcdefg-hij/a.gif">                               | certain
<img src="https://esp.example/a/b/o.gif">                                             | certain
<img src="https://esp.example/open.aspx?ffcb=1">                                      | certain
<img src="https://esp.example/campaign/UUID/UUID/px.png"> | certain
<img src="https://esp.example/pixel/ID">                                              | certain
<img src="https://esp.example/wf/open?upn=a" width=600 height=400>                    | certain
<img src="https://cdn.example/banner.jpg" width="600" height="200">                   | -
<img src="https://cdn.example/banner.jpg">                                            | -
<img src="https://cdn.example/ID/banner.jpg?v=ID" width="600">                        | -
<img src="https://cdn.example/line.gif" width="600" height="1">                       | -
<img src="https://cdn.example/space.gif" width="1" height="20">                       | -
<img src="https://cdn.example/phone.jpg" width="320" height="80" style="display:none"> | -
<img src="https://cdn.example/a.jpg" style="width:100%;height:auto;line-height:1px">  | -
<img src="https://cdn.example/a.jpg" width="100%" style="min-width:1px">              | -
<img src="https://cdn.example/a.jpg" style="opacity:0.9">                             | -
<img src="https://cdn.example/a.jpg" style="width:1em;height:2em">                    | -
<img src="https://cdn.example/o/ejemplos-de-decoracion.jpg">                          | -
<img src="https://cdn.example/pixel-art.jpg">                                         | -
<img src="https://cdn.example/soundtrack/ID.jpg">                                     | -
<img src="https://cdn.example/opening/o.gift.png">                                    | -
<img src="https://track.acme.example/o/ID" width=1 height=1>                          | -
<img src="//TRACK.acme.example/o/ID" width=1 height=1>                                | -
<img src="cid:pixel" width=1 height=1>                                                | -
<img src="data:image/gif;base64,R0lGOD" width=1 height=1>                             | -
<img src="a.gif" width=1 height=1>                                                    | -
<img width=1 height=1>                                                                | -
<!-- <img src="https://esp.example/a.gif" width=1 height=1> -->                       | -
"""


OPEN = "https://mandrill.esp.example/track/open.php?u=1&amp;id=2"
SRCSETS = f"""
<img src="//c.example/a.jpg" srcset="{OPEN} 2x">                                 | data:, 2x
<img src="//c.example/a.jpg" srcset="{OPEN}">                                    | data:,
<img src="//c.example/a.jpg" srcset="//c.example/b.jpg 1x, {OPEN} 2x">   | //c.example/b.jpg 1x, data:, 2x
<img src="//c.example/a.jpg" srcset="//c.example/b,c.jpg,{OPEN} 2x, d.jpg"> | -
<img src="//c.example/a.jpg" srcset="{OPEN}, //c.example/b.jpg 2x">      | data:,, //c.example/b.jpg 2x
<picture><source srcset="{OPEN} 100w"><img src="//c.example/a.jpg"></picture>    | data:, 100w
<img src="//c.example/a.jpg" srcset="//c.example/b.jpg 2x, , ">          | -
<img src="//c.example/a.jpg" srcset="">                                          | -
"""


@pytest.mark.parametrize(("picture", "left"), rows(SRCSETS))
def test_a_picture_for_finer_screens_may_measure_too(picture: str, left: str) -> None:
    page = picture.encode()
    expected = page if left == "-" else page.replace(page.split(b'srcset="')[1].split(b'"')[0], left.encode())
    assert without(page) == expected


@pytest.mark.parametrize(("picture", "confidence"), rows(PICTURES))
def test_a_picture_that_measures_is_cut_out_whole(picture: str, confidence: str) -> None:
    page = f"<p>before</p>{picture}<p>after</p>".encode()
    found = strangers(page)
    assert [each.confidence.value for each in found] == ([] if confidence == "-" else [confidence])
    for each in found:
        assert (each.kind, page[each.start : each.end]) == (Kind.PIXEL, picture.encode())
        assert each.host.endswith((".example", "esp.example", "awstrack.me", "rs6.net"))
        assert each.why
        assert without(page) == b"<p>before</p><p>after</p>"


# A link, and what its address becomes; "refuse" where the mail would be broken without it.
WRAPPED = r"""
https://u1.ct.esp.example/ls/click?upn=u001.abc                  | refuse
https://u1.ct.esp.example/wf/click?upn=abc                       | refuse
https://links.esp.example/ss/c/u001.ID/4lq                       | refuse
https://acme.us1.list-manage.com/track/click?u=1&amp;id=2&amp;e=3 | refuse
https://mandrillapp.com/track/click/30/shop.example?p=eyJzIjoi   | refuse
https://email.esp.example/c/eJwFwVkOgCAMBdDTyCfpBsUPjmIoVGlC     | refuse
https://d1.na1.hubspotlinks.com/Ctc/ON+23284/abc                 | refuse
https://d1.esp.example/e3t/Ctc/ON+23284/abc                      | refuse
https://go.esp.example/f/a/abcdefghijklmnopqrstuv~~/AAR          | refuse
https://r.esp.example/tr/cl/ID                                   | refuse
https://x.r.a.d.sendibm1.com/mk/cl/f/sh/SMK1E8tHeG13DkCb/THL       | refuse
https://click.pstmrk.it/3s/shop.example%2Fa/abc                  | refuse
https://ctrk.klclick.com/l/abc                                   | refuse
https://trk.klclick3.com/ls/click?upn=a                          | refuse
https://acme.esp.example/lt.php?x=3DZy                           | refuse
https://r20.rs6.net/tn.jsp?f=001abc&amp;c=xyz                    | refuse
https://e.esp.example/e/c/eyJlbWFpbF9pZCI6ImRnVHEifQ             | refuse
https://e.esp.example/t/j-l-abcdefg-hijkl-r/                     | refuse
https://e.esp.example/link/c/YT0yNzE2Njg1                        | refuse
https://xyz.mjt.lu/lnk/AAAAAbbbbb/1/abc                          | refuse
https://click.esp.example/?qs=9f86d081884c7d659a2feaa0c55ad0159f86d081 | refuse
https://x.r.us-east-1.awstrack.me/L0/https:%2F%2Fshop.example%2Fa%3Fb=1%26c=2/1/0100-000000/x=4 | https://shop.example/a?b=1&amp;c=2
https://click.acme.example/CL0/https:%2F%2Fshop.example%2Fa/1/0100/x=4 | https://shop.example/a
http://r20.rs6.net/tn.jsp?t=lcq&amp;p=http%3A%2F%2Fshop.example%2Fa%3Fb | http://shop.example/a?b
https://x.awstrack.me/L0/javascript:alert(1)/1/0100              | refuse
https://x.awstrack.me/L0/https:%2F%2Fa@evil.example/1/0100       | refuse
https://x.awstrack.me/L0/https:%2F%2Fshop.example%2F%0D%0Aa/1/x  | refuse
https://x.awstrack.me/L0/https:%2F%2Fshop.example%2F%22onclick=%22x/1/x | https://shop.example/&quot;onclick=&quot;x
https://r20.rs6.net/tn.jsp?p=http%3A%2F%2Fa.example&amp;p=http%3A%2F%2Fb.example | refuse
https://r20.rs6.net/tn.jsp?p=javascript%3Aalert(1)               | refuse
https://shop.example/click                                       | keep
https://shop.example/c/e                                         | keep
https://shop.example/ls/click-here                               | keep
https://shop.example/c/ejemplos-de-decoracion-de-casa            | keep
https://shop.example/e/c/elegant-evening-dresses-for-autumn      | keep
https://shop.example/ss/c/shoes                                  | keep
https://shop.example/f/a/autumn-collection-2026                  | keep
https://shop.example/t/shirt-l-blue-white-s/                     | keep
https://shop.example/tr/cl/kampanya                              | keep
https://shop.example/link/c/contact-us-now                       | keep
https://shop.example/track/my-order                              | keep
https://shop.example/fall/a/short                                | keep
https://rs6.net.example/tn.jsp                                   | keep
https://track.acme.example/ls/click                              | keep
/ls/click?upn=abc                                                | keep
mailto:a@esp.example/ls/click                                    | keep
"""


@pytest.mark.parametrize(("url", "expected"), rows(WRAPPED))
def test_a_wrapped_link_is_unwrapped_only_where_its_destination_can_be_read(url: str, expected: str) -> None:
    page = f'<a href="{url}">x</a>'.encode()
    found = strangers(page)
    if expected == "keep":
        assert found == ()
        return
    assert [(each.kind, page[each.start : each.end].decode()) for each in found] == [(Kind.WRAPPED_LINK, url)]
    assert found[0].replacement == (None if expected == "refuse" else expected)


def test_a_destination_in_the_place_of_an_unquoted_address_brings_its_quotes() -> None:
    page = b"<a href=https://x.awstrack.me/L0/https:%2F%2Fshop.example%2F%3E%20a/1/x class=b>x</a>"
    assert strangers(page)[0].replacement is None  # white space in it: no destination
    page = page.replace(b"%20", b"")
    assert without(page) == b'<a href="https://shop.example/&gt;a" class=b>x</a>'
    assert [anchor.url for anchor in scan(without(page)).anchors] == ["https://shop.example/>a"]


# Backgrounds and style sheets: the address goes, the rest stays.
BACKGROUNDS = r"""
<td background="https://esp.example/o.gif" class=a>            | <td background="data:," class=a>
<td background=https://esp.example/o.gif class=a>              | <td background=data:, class=a>
<p style="color:red;background:url(https://esp.example/wf/open?upn=1)"> | <p style="color:red;background:url(data:,)">
<p style="background:url('https://esp.example/wf/open?upn=1')"> | <p style="background:url('data:,')">
<style>p{background:url("https://esp.example/o.gif")}</style>  | <style>p{background:url("data:,")}</style>
<link rel=stylesheet href="https://esp.example/track/open/1">  | <link rel=stylesheet href="data:,">
<td background="https://cdn.example/paper.png">                | <td background="https://cdn.example/paper.png">
<link rel=stylesheet href="https://fonts.example/css?family=A"> | <link rel=stylesheet href="https://fonts.example/css?family=A">
<img src="https://esp.example/o.gif" style="background:url(https://esp.example/o.gif)">y | y
"""


@pytest.mark.parametrize(("page", "expected"), rows(BACKGROUNDS))
def test_a_background_that_measures_loses_its_address(page: str, expected: str) -> None:
    assert without(page.encode()) == expected.encode()


def test_what_only_outlook_fetches_is_found_and_never_edited() -> None:
    button = b'<!--[if mso]><v:roundrect href="https://esp.example/ls/click?upn=1"></v:roundrect><![endif]-->'
    pixel = b"<!--[if gte mso 9]><img SRC=https://esp.example/wf/open?upn=1><![endif]-->"
    style = b"<!--[if mso]><p style='background:url(https://esp.example/o.gif)'><![endif]-->"
    for page in (button, pixel, style):
        assert [(each.kind, each.host, each.replacement) for each in strangers(page)] == [
            (Kind.REMOTE, "esp.example", None)
        ]
    comment = button.replace(b"<!--[if mso]>", b"<!-- ")
    assert strangers(comment) == ()
    assert strangers(comment + b"<!--[if mso]><table><![endif]-->" + comment) == ()


def test_a_relative_picture_is_fetched_from_the_base() -> None:
    picture = b'<img src="o.gif?u=1">'
    assert strangers(picture) == ()
    assert [each.host for each in strangers(b'<base href="https://esp.example/a/">' + picture)] == ["esp.example"]
    assert strangers(b'<base href="https://[">' + picture) == ()


def test_wrapped_links_of_a_text_part() -> None:
    text = b"""Read https://esp.example/ls/click?upn=1, or https://shop.example/ls/click-here:
        <https://x.awstrack.me/L0/https:%2F%2Fa.example/1> http://r20.rs6.net/tn.jsp?p=http%3A%2F%2Fa.example."""
    found = find_in_text(text, own_hosts=OWN)
    assert [(text[each.start : each.end].decode()[:20], each.replacement) for each in found] == [
        ("https://esp.example/", None),
        ("https://x.awstrack.m", "https://a.example"),
        ("http://r20.rs6.net/t", "http://a.example"),
    ]
    assert text[found[0].start : found[0].end] == b"https://esp.example/ls/click?upn=1"
    assert find_in_text(b"https://track.acme.example/ls/click?upn=1", own_hosts=OWN) == ()


def test_every_shape_says_whose_it_is() -> None:
    shapes = [
        *PIXELS.any,
        *LINKS.any,
        *(row[1] for table in (PIXELS, LINKS) for row in chain.from_iterable(table.hosts.values())),
    ]
    assert len(shapes) > 50
    assert all(shape.why and shape.readable in ("", "path", "p") for shape in shapes)
    assert PIXELS.pattern.groups == len(PIXELS.any)
    assert LINKS.pattern.groups == len(LINKS.any)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_real_templates_hold_none(path: Path) -> None:
    assert strangers(path.read_bytes()) == ()


PIECES = b"""<a href=|"|>|<img src=| width=1 height=1>|https://esp.example/wf/open?upn=1|</a>|'|//esp.example/o.gif|
https://x.awstrack.me/L0/https:%2F%2Fa.example/1|<!--[if mso]>|<![endif]-->|<td background=| style=background:url(|)|
<style>|</style>|<base href=| |\xff""".split(b"|")


@settings(max_examples=400, deadline=None)
@example(b'<p style=background:url(//esp.example/o.gif"//esp.example/o.gif')
@example(
    b"<a href= style=background:url(https://esp.example/wf/open?upn=1</style>\n"
    b"<style><img src=https://esp.example/wf/open?upn=1>"
)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join))
def test_once_stripped_nothing_is_left_to_strip(page: bytes) -> None:
    """Trackers never overlap, and what stays is only what could not be taken out."""
    found = strangers(page)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(0 <= each.start < each.end <= len(page) for each in found)
    assert all(isinstance(each.confidence, Confidence) for each in found)
    if all(each.replacement is not None for each in found):
        assert strangers(without(page)) == ()
