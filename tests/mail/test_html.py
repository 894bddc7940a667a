"""What the HTML scanner finds, and what it leaves alone: a table of pages."""

import html as entities
import re

import pytest

from consent_track.mail import attribute, html


def table(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split(" | ")] for line in text.strip().splitlines()]


def written(cell: str) -> bytes:
    """A cell as octets: \\n, \\t, \\f, \\0 and \\xNN as in Python, the rest in UTF-8."""
    return re.sub(
        rb"\\(x[0-9a-f]{2}|[ntf0])", lambda found: found[0].decode("unicode_escape").encode("latin-1"), cell.encode()
    )


# What a mail program shows as links, with " , " between two; "-" is none. One page a line.
LINKS = r"""
quoted                                   | <a href="https://a.example/">x</a>                                    | https://a.example/
single quotes                            | <a href='https://a.example/?a="b"'>x</a>                              | https://a.example/?a="b"
unquoted                                 | <a href=https://a.example/x?y=z&z>x</a>                               | https://a.example/x?y=z&z
unquoted, slash before the end           | <a href=https://a.example/>x</a>                                      | https://a.example/
unquoted value with quotes inside        | <a href=a"b>c"d>x</a>                                                 | a"b
upper case                               | <A HREF="A">x</A><aReA hReF=B>                                        | A , B
white space around the equals sign       | <a\nhref\t=\f"a" >x</a>                                               | a
several lines                            | <a class="b"\n\n   href="a"\n>x</a\n>                                 | a
no space between attributes              | <a class="b"href="a"title='c'>x</a>                                   | a
slashes between attributes               | <a/href="a"/>x</a>                                                    | a
quoted end of tag                        | <a title=">" href="a" alt='<a href="no">'>x</a>                       | a
end of tag in another tag's quotes       | <td title="> <a href='no'>"><a href="a">x</a>                         | a
the first of two counts                  | <a href="a" href="b" HREF="c">x</a>                                   | a
valueless attributes                     | <a hidden download href="a" disabled>x</a>                            | a
valueless href                           | <a href>x</a><a href=>y</a><a href="">z</a>                           | "" , "" , ""
an equals sign begins a name             | <a ="b>c" href="no"> href="no">x</a><a href="a">                      | a
an equals sign in a value                | <a b==">" href="a">x</a>                                              | -
no href                                  | <a name="top">x</a><a id=b>                                           | -
other elements                           | <abbr href=a><a-b href=b><ax href=c><address href=d><v:a href=e>      | -
the name runs to white space             | <a"href="no"><a=b href=no>                                            | -
a NUL in the name                        | <a\0 href="no">x</a>                                                  | -
an anchor in an anchor                   | <a href="a">x<a href="b">y</a>                                        | a , b
never closed anchor                      | <a href="a">x                                                         | a
never closed tag                         | <a href="a">x</a><a href="b"                                          | a
never closed quote                       | <a href="a">x</a><a href="b>y</a><a href='c'>                         | a
a quote closed much later                | <a href="b>y</a><a title=">x</a>                                      | b>y</a><a title=
a lone less-than sign                    | 1 < 2 <3 <<a href="a">x</a> <                                         | a
comment                                  | <!-- <a href="no">x</a> --><a href="a">                               | a
comment with dashes                      | <!-- -- > -- ><a href="no"> ---><a href="a">                          | a
comment closed at once                   | <!--><a href="a">x</a><!---><a href="b">                              | a , b
comment that opens with a dash           | <!---!><a href="no">--><a href="a">                                   | a
comment closed with a bang               | <!-- <a href="no"> --!><a href="a">                                   | a
comment closed with two bangs            | <!-- <a href="no"> --!!><a href="no">--><a href="a">                  | a
empty comment                            | <!----><a href="a"><!----!><a href="b">                               | a , b
comment never closed                     | <a href="a">x</a><!-- <a href="no">                                   | a
comments do not nest                     | <!-- <!-- --> <a href="a"> -->                                        | a
bogus comments                           | <!x <a href=no>><?php <a href=no>><a href="a">                        | a
bogus end tags                           | </ <a href="no">></3 <a href=no>></><a href="a">                      | a
doctype                                  | <!DOCTYPE html PUBLIC "-//W3C//DTD" "x"><a href="a">                  | a
CDATA ends at the first greater-than     | <![CDATA[<a href="no">x</a>]]><a href="a">                            | a
raw text                                 | <style>a>b{}<a href="no"></style><a href="a">                         | a
script                                   | <script>if(a<b)"<a href='no'>"</script ><a href="a">                  | a
title, text area, xmp                    | <title><a href=no></title><textarea><a href=no></textarea><xmp><a href=no></xmp><a href=a> | a
raw text ends at its own end tag         | <style></styles><a href=no></sty</style/><a href="a">                 | a
raw text never closed                    | <a href="a">x</a><textarea><a href="no">x</a></textare                | a
raw text ends in upper case              | <SCRIPT><a href=no></ScRiPt><a href="a">                              | a
plain text to the end                    | <a href="a">x</a><plaintext><a href="no"></plaintext><a href=no>      | a
noscript is shown, mails run no script   | <noscript><a href="a">x</a></noscript>                                | a
Outlook alone                            | <!--[if mso]><a href="no">x</a><![endif]--><a href="a">               | a
all but Outlook, hidden form             | <!--[if !mso]><!--><a href="a">x</a><!--<![endif]-->                  | a
all but Outlook, other hidden form       | <!--[if !mso]><!-- --><a href="a">x</a><!--<![endif]-->               | a
all but Outlook, revealed form           | <![if !mso]><a href="a">x</a><![endif]>                               | a
VML button                               | <v:roundrect href="no" arcsize="8%"><w:anchorlock/></v:roundrect><a href="a"> | a
VML button with its twin                 | <!--[if mso]><v:roundrect href="no"></v:roundrect><![endif]--><!--[if !mso]> <!--><a href="a">x</a><!-- <![endif]--> | a
image maps                               | <map><area shape=rect coords="0,0,9,9" href="a"><area href="b"></map> | a , b
references                               | <a href="?a=1&amp;b=2&#38;c=&#x33;&sect=4">x</a>                      | ?a=1&b=2&c=3&sect=4
references with a name of their own      | <a href="&lbrace;&Tab;&colon;&nosuch;">x</a>                          | {\t:&nosuch;
references that are none                 | <a href="?a&lt=1&copy2=3&ampx&gt">x</a>                               | ?a&lt=1&copy2=3&ampx>
white space around an address            | <a href=" \n a\t">x</a>                                               | a
attributes with odd names                | <a @click="x" :y='z>' "q" href="a" <b>x</a>                           | a
template placeholders                    | <a href="{{ url }}">x</a>                                             | {{ url }}
eight-bit octets                         | <p title="\xe9\xff"><a href="a">\xe9</a>                              | a
"""  # noqa: E501


@pytest.mark.parametrize(("what", "page", "links"), table(LINKS), ids=[row[0] for row in table(LINKS)])
def test_which_links_are_live(what: str, page: str, links: str) -> None:
    found = [anchor.url or '""' for anchor in html.scan(written(page)).anchors]
    assert found == ([] if links == "-" else written(links).decode().split(" , "))


# Where the footer and the pixel go: at the ^.
PLACES = r"""
<html><body><p>x</p>^</body></html>
<html><body><p>x</p>^</html>
<p>x</p>^
^
<p>x</html>y^</html>
<body>x</body>y^</body>z</html>
<body>x<!-- </body> -->y^</body>
<body>x^</body><!-- </body> --></html>
<body>x^</body><script>"</body>"</script>
<body>x<p title="</body>">y^</body>
<body>x^</BODY\n></html>
<body>x^</body foo="bar>">
<body>x^<!-- never closed </body>
<body>x^<style>never closed </body>
<body>x^<a href="never closed </body>
<body>x^<a href=never closed
<body>x^</body
<body>x<!--[if mso]></body><![endif]-->y^</body>
<body>x<!--[if mso]></table><![endif]-->^
<body><table><tr><td>x^
<p>x</p>^<!
1 < 2^
<bodyx></bodyx></body-x>^
<body>x^</body><textarea></body></html>
"""


@pytest.mark.parametrize("page", PLACES.strip("\n").splitlines())
def test_where_the_footer_goes(page: str) -> None:
    before, after = (written(half) for half in page.split("^"))
    found = html.scan(before + after)
    assert html.insertion_point(found, before + after) == len(before)


# What a link shows and says.
WORDS = r"""
<a href=a>Read <b>more</b></a>                                              | Read more        |
<a href=a>  two\n\n words  </a>                                              | two words        |
<a href=a>exa<b>mple</b>.com</a>                                             | example.com      |
<a href=a>one<br>two<p>three</p>four</a>                                     | one two three four |
<a href=a>A &amp; B &lt;C&gt; &eacute;</a>                                   | A & B <C> é      |
<a href=a><!--[if mso]>Outlook<![endif]-->Buy<!-- x</a></a> --></a>          | Buy              |
<a href=a><span title=">">Buy</span></a>                                     | Buy              |
<a href=a><img src=b alt="Leave the list"></a>                               |                  | Leave the list
<a href=a title="Our rules">x</a>                                            | x                | Our rules
<a href=a aria-label='Reset &amp; go'>x<img src=c></a><img alt=no>           | x                | Reset & go
<area href=a alt="The map">                                                  |                  | The map
<a href=a>caf\xe9</a>                                                        | café             |
<a href=a>d\xc3\xa9sabonner</a>                                              | désabonner       |
<img alt=no><a href=a>x</a>                                                  | x                |
<map><img alt=no><area href=a alt=b>                                         |                  | b
<a href=a>x<a href=b>y</a>                                                   | x                |
"""


@pytest.mark.parametrize("line", WORDS.strip("\n").splitlines())
def test_what_a_link_shows(line: str) -> None:
    page, text, label = (cell.strip() for cell in line.split("|"))
    anchor = html.scan(written(page)).anchors[0]
    assert (anchor.text, anchor.label) == (text, label)


def test_words_are_read_in_the_charset_of_the_part() -> None:
    page = "<a href='a' title='Отказ'>Отписаться</a>".encode("koi8-r")
    anchor = html.scan(page, "koi8-r").anchors[0]
    assert (anchor.text, anchor.label) == ("Отписаться", "Отказ")
    assert html.scan(page, "no-such-charset").anchors[0].text
    assert html.scan("<a href=a>é</a>".encode(), "ascii").anchors[0].text == "é"


def test_words_are_bounded() -> None:
    anchor = html.scan(b"<a href=a>" + b"word " * 10_000 + b"</a>").anchors[0]
    assert len(anchor.text) == 2_048


def test_marks_and_the_wish_not_to_be_measured() -> None:
    page = (
        b'<a rel="NoFollow" id=Top class="btn  Big" data-no-track href="a">x</a><a data-no-track="" href=b><a href=c>'
    )
    first, second, third = html.scan(page).anchors
    assert first.marks == ("nofollow", "top", "btn", "big")
    assert first.no_track is not None
    assert page[slice(*first.no_track)] == b" data-no-track"
    assert second.no_track is not None
    assert page[slice(*second.no_track)] == b' data-no-track=""'
    assert third.no_track is None


def test_pictures_with_what_tells_their_size() -> None:
    page = b'<p><IMG alt=x src=" https://a.example/p.gif" width=1 HEIGHT="1" style="display:none">'
    page += b"<img width=9><img hidden src=c>"
    first, second = html.scan(page).images
    assert page[first.start : first.end].startswith(b"<IMG")
    assert page[first.start : first.end].endswith(b'none">')
    assert first == html.Image(first.start, first.end, "https://a.example/p.gif", "1", "1", "display:none")
    assert (second.url, second.hidden) == ("c", True)


REMOTE = r"""
<td background="https://a.example/b.png">                         | https://a.example/b.png
<table BACKGROUND = //a.example/b.png class=x>                    | //a.example/b.png
<p style="background:url(https://a.example/c.png) no-repeat">     | https://a.example/c.png
<p style="background:URL( 'https://a.example/c.png' )">           | https://a.example/c.png
<p style='background:url("https://a.example/C.png?d&amp;e")'>     | https://a.example/C.png?d&e
<p style="background:url(&quot;https://a.example/c.png&quot;)">   | https://a.example/c.png
<style>@import url(https://a.example/d.css);</style>              | https://a.example/d.css
<link rel=stylesheet href="https://a.example/e.css">              | https://a.example/e.css
<iframe src="https://a.example/f"></iframe>                       | https://a.example/f
<video poster="https://a.example/g.jpg">                          | https://a.example/g.jpg
<input type=image src=https://a.example/h.png>                    | https://a.example/h.png
<!--[if mso]><p style="background:url(https://a.example/i)"><![endif]--> | https://a.example/i
<!-- <p style="background:url(https://a.example/no)"> -->          | -
<p style="background:url(cid:picture)">                           | -
<p style="background-color:#fff">                                 | -
"""


@pytest.mark.parametrize(("page", "url"), table(REMOTE))
def test_what_else_is_fetched(page: str, url: str) -> None:
    octets = written(page)
    found = html.scan(octets).remote
    assert [ref.url for ref in found] == ([] if url == "-" else [url])
    for ref in found:
        assert entities.unescape(octets[ref.start : ref.end].decode()) == url


def test_the_frame_of_a_page() -> None:
    page = b'<html lang="ar" dir=RTL><head><base href="https://a.example/"><base href=no></head>'
    page += b"<body bgcolor=x>x</body></html>"
    found = html.scan(page)
    assert (found.lang, found.direction, found.base_href, found.has_amp) == ("ar", "rtl", "https://a.example/", False)
    assert found.body_open_end == page.index(b">x") + 1
    assert (found.head_close, found.html_close) == (page.index(b"</head>"), page.index(b"</html>"))
    assert found.live_end == len(page)
    assert html.scan(b"<!doctype html><html amp4email>").has_amp
    assert html.scan("<!doctype html><html ⚡4email data-css-strict>".encode()).has_amp
    twice = html.scan(b"<html amp4email lang=fr><html lang=de><body><p><body>")
    assert (twice.has_amp, twice.lang, twice.body_open_end) == (True, "fr", 44)


def test_an_address_without_a_value_has_its_place_behind_the_name() -> None:
    page = b'<a href class=b><a href= ><a href="">'
    places = [anchor.href for anchor in html.scan(page).anchors]
    assert [(page[: href.value_start][-6:], href.value_end - href.value_start, href.quote) for href in places] == [
        (b"a href", 0, ""),
        (b"href= ", 0, ""),
        (b'href="', 0, '"'),
    ]


def test_comments_are_known_and_those_for_outlook_apart() -> None:
    page = b"a<!--x-->b<!--[if gte mso 9]><xml></xml><![endif]-->c<!--[if !mso]><!-->d<!--<![endif]-->"
    found = html.scan(page)
    assert [page[slice(*span)] for span in found.comments] == re.findall(rb"<!--.*?-->", page)
    assert [page[slice(*span)][:8] for span in found.conditionals] == [b"<!--[if ", b"<!--[if "]


def test_a_tag_with_too_many_attributes_ends_the_page() -> None:
    page = b"<a href=a>x</a>" + b"<p" + b" a" * 30_000 + b"><a href=no>"
    found = html.scan(page)
    assert [anchor.url for anchor in found.anchors] == ["a"]
    assert html.insertion_point(found, page) == len(b"<a href=a>x</a>")


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Python 3.11.0 to 3.11.4, Debian 12's among them, go on in the wrong place behind such a group (gh-106052)."""
    patterns = [
        value for module in (html, attribute) for value in vars(module).values() if isinstance(value, re.Pattern)
    ]
    assert len(patterns) >= 6
    for pattern in patterns:
        assert (
            re.search(
                rb"\)(?:[*+?]|\{[0-9,]*\})\+",
                pattern.pattern if isinstance(pattern.pattern, bytes) else pattern.pattern.encode(),
            )
            is None
        )
