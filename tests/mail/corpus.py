"""Small mails of every shape we have met, built in the open: what is special about each stands in its name.

`MAILS` are well formed or at least mail that is sent; `BROKEN` are what accidents and attackers make of it.
"""
# ruff: noqa: E501 (a table of mails is read by its rows)

import base64
import quopri
from typing import Final

CRLF: Final = b"\r\n"
HTML: Final = (
    "<!doctype html>\n<html><head><title>News</title></head>\n<body>\n"
    '<p class="hello">Hello Alice, it costs 100 = 100.</p>\n'
    '<p><a href="https://shop.example/spring?a=1&amp;b=2">Our spring offers, which are so many that this line is long</a></p>\n'
    "{words}\n</body></html>\n"
)
TEXT: Final = (
    "Hello Alice,\n\nour spring offers: https://shop.example/spring?a=1&b=2\n{words}\n-- \nAcme, 1 Long Street\n"
)


def html(words: str = "plain words") -> str:
    return HTML.replace("{words}", words)


def text(words: str = "plain words") -> str:
    return TEXT.replace("{words}", words)


def encoded(body: bytes, encoding: str) -> bytes:
    """The body as a mailer would send it."""
    if encoding == "quoted-printable":
        return quopri.encodestring(body).replace(b"\r\n", b"\n").replace(b"\n", CRLF)
    if encoding == "base64":
        return base64.encodebytes(body).replace(b"\n", CRLF)
    return body


def part(
    kind: str, body: str | bytes, *, charset: str = "", encoding: str = "", codec: str = "", more: str = ""
) -> bytes:
    """One part: its fields and its body; `codec` where Python's name for the charset is another."""
    octets = body.replace("\n", "\r\n").encode(codec or charset or "ascii") if isinstance(body, str) else body
    fields = f"Content-Type: {kind}" + (f'; charset="{charset}"' if charset else "") + "\n"
    fields += f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
    fields += more and more + "\n"
    return (fields + "\n").replace("\n", "\r\n").encode() + encoded(octets, encoding)


def multi(
    kind: str, boundary: str, *parts: bytes, before: bytes = b"", after: bytes = b"", close: bool = True, more: str = ""
) -> bytes:
    """A multipart of the given parts; preamble, epilogue and the closing delimiter as wished."""
    line = b"--" + boundary.encode()
    body = (
        before + b"".join(line + CRLF + one + CRLF for one in parts) + (line + b"--" + CRLF + after if close else b"")
    )
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"{more}\r\n\r\n'.encode() + body


def mail(content: bytes, more: str = "", newline: bytes = CRLF) -> bytes:
    """A whole mail around a part."""
    top = "From: Acme <news@acme.example>\nTo: alice@example.org\nSubject: Spring\nMIME-Version: 1.0\n" + more
    data = top.replace("\n", "\r\n").encode() + content
    return data if newline == CRLF else data.replace(CRLF, newline)


def pair(**words: str) -> bytes:
    return multi("alternative", "=_pair", part("text/plain", text(), **words), part("text/html", html(), **words))


ATTACHED: Final = part(
    "application/pdf",
    bytes(range(256)) * 4,
    encoding="base64",
    more='Content-Disposition: attachment; filename="a.pdf"',
)
NOTE: Final = "Content-Disposition: attachment"
ARABIC: Final = "مرحبا أليس، عروض الربيع"
GREEK: Final = "Γειά σου Αλίκη"
RUSSIAN: Final = "Здравствуй, Алиса"
JAPANESE: Final = "こんにちは、アリス。春のお知らせ ソ能表"
CHINESE: Final = "你好，爱丽丝。春季优惠 㐀"
GERMAN: Final = "Grüße an Alice, schöne Straße"
EMOJI: Final = "Spring 🌷 is here"

Q, B = "quoted-printable", "base64"

MAILS: Final[dict[str, bytes]] = {
    "html 7bit": mail(part("text/html", html(), charset="us-ascii", encoding="7bit")),
    "html 7bit utf-8": mail(part("text/html", html(), charset="utf-8", encoding="7bit")),
    "html base64 with LF inside": mail(part("text/html", html(GERMAN).encode(), charset="utf-8", encoding=B)),
    "html no charset": mail(part("text/html", html())),
    "html quoted-printable": mail(part("text/html", html(GERMAN), charset="utf-8", encoding=Q)),
    "html base64": mail(part("text/html", html(GERMAN), charset="utf-8", encoding=B)),
    "html 8bit": mail(part("text/html", html(EMOJI), charset="utf-8", encoding="8bit")),
    "html binary": mail(part("text/html", html(EMOJI), charset="utf-8", encoding="binary")),
    "html bare LF": mail(part("text/html", html(GERMAN), charset="utf-8", encoding="8bit"), newline=b"\n"),
    "html quoted-printable bare LF": mail(part("text/html", html(GERMAN), charset="utf-8", encoding=Q), newline=b"\n"),
    "html base64 bare LF": mail(part("text/html", html(GERMAN), charset="utf-8", encoding=B), newline=b"\n"),
    "html LF body under CRLF fields": mail(part("text/html", html().encode(), charset="utf-8", encoding="8bit")),
    "plain 7bit": mail(part("text/plain", text(), charset="us-ascii", encoding="7bit")),
    "plain without content type": mail(b"\r\n" + text().encode()),
    "plain quoted-printable latin-1": mail(part("text/plain", text(GERMAN), charset="iso-8859-1", encoding=Q)),
    "plain 8bit latin-1": mail(part("text/plain", text(GERMAN), charset="iso-8859-1", encoding="8bit")),
    "plain base64 latin-1": mail(part("text/plain", text(GERMAN), charset="iso-8859-1", encoding=B)),
    "plain trailing white space quoted": mail(part("text/plain", b"a =20\r\nb=09\r\nlast =", charset="utf-8", encoding=Q)),
    "plain flowed": mail(part("text/plain; format=flowed", text("soft \nline"), charset="utf-8", encoding="8bit")),
    "plain flowed delsp": mail(part("text/plain; format=flowed; delsp=yes", text("a \nb"), charset="utf-8", encoding="8bit")),
    "alternative 7bit": mail(pair(charset="us-ascii", encoding="7bit")),
    "alternative quoted-printable": mail(pair(charset="utf-8", encoding=Q)),
    "alternative base64": mail(pair(charset="utf-8", encoding=B)),
    "alternative bare LF": mail(pair(charset="utf-8", encoding=Q), newline=b"\n"),
    "alternative windows-1256": mail(
        multi("alternative", "x", part("text/plain", text(ARABIC[:5]), charset="windows-1256", encoding=Q),
              part("text/html", html(ARABIC[:5]), charset="windows-1256", encoding="8bit"))),
    "html shift_jis": mail(part("text/html", html(JAPANESE), charset="Shift_JIS", encoding="8bit")),
    "html shift_jis base64": mail(part("text/html", html(JAPANESE), charset="Shift_JIS", encoding=B)),
    "html gb18030": mail(part("text/html", html(CHINESE), charset="gb18030", encoding=Q)),
    "html gb2312 8bit": mail(part("text/html", html("你好"), charset="gb2312", encoding="8bit")),
    "html big5": mail(part("text/html", html("許功蓋"), charset="big5", encoding="8bit")),
    "html koi8-r": mail(part("text/html", html(RUSSIAN), charset="koi8-r", encoding="8bit")),
    "plain koi8-r": mail(part("text/plain", text(RUSSIAN), charset="koi8-r", encoding="8bit")),
    "plain windows-1251 base64": mail(part("text/plain", text(RUSSIAN), charset="windows-1251", encoding=B)),
    "html iso-8859-7": mail(part("text/html", html("Γεια"), charset="iso-8859-7", encoding=Q)),
    "html iso-8859-8-i": mail(part("text/html", html("שלום"), charset="iso-8859-8-i", codec="iso-8859-8", encoding="8bit")),
    "html iso-2022-jp": mail(part("text/html", html(JAPANESE), charset="iso-2022-jp", encoding="7bit")),
    "plain iso-2022-jp": mail(part("text/plain", text(JAPANESE), charset="iso-2022-jp", encoding="7bit")),
    "plain iso-2022-jp base64": mail(part("text/plain", text(JAPANESE), charset="iso-2022-jp", encoding=B)),
    "html euc-kr": mail(part("text/html", html("안녕하세요"), charset="euc-kr", encoding="8bit")),
    "html utf-16": mail(part("text/html", b"\xff\xfe" + html(EMOJI).encode("utf-16-le"), charset="utf-16", encoding=B)),
    "plain utf-16be no mark": mail(part("text/plain", text(GREEK), charset="utf-16be", encoding=B)),
    "plain utf-16 big-endian": mail(
        part("text/plain", b"\xfe\xff" + text(GREEK).encode("utf-16-be"), charset="utf-16", encoding=B)),
    "plain utf-7": mail(part("text/plain", text("Gr+APwA3w-e"), charset="utf-7", codec="ascii", encoding="7bit")),
    "mixed with attachment": mail(multi("mixed", "m", pair(charset="utf-8", encoding=Q), ATTACHED)),
    "related inside alternative": mail(
        multi("alternative", "alt", part("text/plain", text()),
              multi("related", "rel", part("text/html", html(), charset="utf-8", encoding=Q),
                    part("image/png", b"\x89PNG\r\n\x1a\n", encoding=B, more="Content-ID: <logo>")))),
    "related with start": mail(
        multi("related", "rel", part("image/png", b"\x89PNG", encoding=B, more="Content-ID: <logo>"),
              part("text/html", html(), more="Content-ID: <page>"), more='; start="<page>"; type="text/html"')),
    "related with a second page": mail(
        multi("related", "rel", part("text/html", html()), part("text/html", html("framed"), more="Content-ID: <f>"))),
    "five levels": mail(
        multi("mixed", "a", multi("mixed", "aa", multi("related", "aaa", multi("alternative", "aaaa",
              part("text/plain", text()), part("text/html", html(), encoding=B, charset="utf-8")))), ATTACHED)),
    "boundary is prefix of inner": mail(
        multi("mixed", "=_Part_1", multi("alternative", "=_Part_12", part("text/plain", text()), part("text/html", html())))),
    "inner boundary is prefix of outer": mail(
        multi("mixed", "=_Part_12", multi("alternative", "=_Part_1", part("text/plain", text()), part("text/html", html())))),
    "lines that almost match": mail(
        multi("alternative", "b", part("text/plain", "--\n--c\n--bb\n--b-\n --b\nx--b\n---b\n--B\n"), part("text/html", html()))),
    "boundary with padding": mail(pair(charset="utf-8", encoding=Q)).replace(b"--=_pair\r\n", b"--=_pair \t \r\n"),
    "boundary unquoted": mail(pair(charset="utf-8", encoding=Q)).replace(b'boundary="=_pair"', b"boundary==_pair").replace(
        b"boundary==_pair", b"boundary=_pair").replace(b"--=_pair", b"--_pair"),
    "boundary with colon and spaces": mail(multi("alternative", "a: b c", part("text/plain", text()), part("text/html", html()))),
    "preamble and epilogue": mail(
        multi("alternative", "b", part("text/plain", text()), part("text/html", html()),
              before=b"This is a multi-part message.\r\n--not\r\n\r\n", after=b"\r\nepilogue\r\n--b\r\n--b--\r\n")),
    "folded content type": mail(pair(charset="utf-8", encoding=Q)).replace(b"alternative; ", b"alternative;\r\n\t"),
    "comment and case in fields": mail(
        b"CONTENT-TYPE: Text/HTML (a page); Charset=UTF-8 (of course)\r\ncontent-transfer-encoding: 8BIT (yes)\r\n\r\n"
        + html(EMOJI).encode()),
    "continued parameter": mail(
        b"Content-Type: multipart/alternative; boundary*0=\"ab\";\r\n boundary*1=cd\r\n\r\n--abcd\r\n"
        + part("text/plain", text()) + b"\r\n--abcd\r\n" + part("text/html", html()) + b"\r\n--abcd--\r\n"),
    "amp": mail(
        multi("alternative", "b", part("text/plain", text()), part("text/x-amp-html", "<html amp4email></html>"),
              part("text/html", html()))),
    "invitation": mail(
        multi("alternative", "b", part("text/plain", text()), part("text/html", html()),
              part("text/calendar; method=REQUEST", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", charset="utf-8"))),
    "text attachments": mail(
        multi("mixed", "b", part("text/html", html()), part("text/plain", "log", more=NOTE),
              part('text/html; name="page.html"', html("a file")),
              part("text/plain", "x", more="Content-Disposition: inline;\n filename*=utf-8''n%C3%B6te.txt"))),
    "two pages inline": mail(multi("mixed", "b", part("text/html", html("one")), ATTACHED, part("text/html", html("two")))),
    "list footer": mail(multi("mixed", "b", pair(charset="utf-8", encoding=Q), part("text/plain", "____\nlist@example.org\n"))),
    "forwarded mail": mail(
        multi("mixed", "b", part("text/plain", text()),
              b"Content-Type: message/rfc822\r\n\r\n" + mail(multi("alternative", "in", part("text/html", html("forwarded")))))),
    "digest": mail(multi("digest", "b", b"\r\n" + mail(part("text/plain", text())), b"\r\n" + mail(part("text/html", html())))),
    "signed": mail(
        multi("signed", "b", part("text/html", html()), part("application/pgp-signature", "-----BEGIN PGP SIGNATURE-----"),
              more="; micalg=pgp-sha512")),
    "s/mime signed": mail(part("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", b"\x30\x80" * 40, encoding=B)),
    "s/mime encrypted": mail(part("application/x-pkcs7-mime; smime-type=enveloped-data", b"\x30\x80" * 40, encoding=B)),
    "encrypted": mail(
        multi("encrypted", "b", part("application/pgp-encrypted", "Version: 1"), part("application/octet-stream", b"...."))),
    "pgp inline": mail(part("text/plain", "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n")),
    "pgp inline base64": mail(part("text/plain", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n", charset="utf-8", encoding=B)),
    "dkim": mail(part("text/html", html()), "DKIM-Signature: v=1; a=rsa-sha256; d=acme.example;\n\tb=AAAA\n"),
    "arc": mail(part("text/html", html()), "ARC-Seal: i=1; a=rsa-sha256; cv=none; b=AAAA\n"),
    "bounce": mail(
        multi("report", "b", part("text/plain", "It failed."), part("message/delivery-status", "Action: failed\n"))),
    "empty body": mail(part("text/plain", "", charset="utf-8")),
    "no body and no empty line": b"From: a@example.org\r\nSubject: nothing\r\n",
    "no fields": b"\r\nOnly a body.\r\n",
    "nothing": b"",
    "empty parts": mail(b'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n--b\r\n\r\n--b--\r\n'),
    "inner part without body": mail(
        multi("mixed", "out", multi("mixed", "in", b"Content-Type: text/plain", close=False), ATTACHED)),
    "no closing delimiter": mail(multi("alternative", "b", part("text/plain", text()), part("text/html", html()), close=False)),
    "inner never closed": mail(
        multi("mixed", "out", multi("alternative", "in", part("text/plain", text()), part("text/html", html()), close=False), ATTACHED)),
    "mixed newlines": mail(pair(charset="utf-8", encoding="8bit")).replace(b"</p>\r\n", b"</p>\n").replace(b"--=_pair\r\n", b"--=_pair\n"),
    "lone carriage returns in the body": mail(part("text/html", b"<p>a\rb</p>\r\n--b\r<p>c</p>\r", charset="utf-8")),
    "no newline at the end": mail(part("text/html", b"<p>the end</p>", charset="utf-8")),
    "long lines 8bit": mail(part("text/html", html("w" * 3000), charset="utf-8", encoding="8bit")),
    "one long line quoted-printable": mail(part("text/html", b"<p>" + b"caf=C3=A9 " * 300 + b"</p>", charset="utf-8")).replace(
        b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", 1),
    "quoted-printable with stray signs": mail(
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<a href=https://a.example/?q=zz&==3D=4>soft = \r\nbreak</a> =e2=82=ac 1=1=\r\n=\r\n2 = 2=\r\n"),
    "quoted-printable with escaped newlines": mail(
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<p>one</p>=0D=0A=\r\n<p>two</p>=0A=\r\n<p>three</p>=0D=0A"),
    "base64 in one line": mail(
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(html(GERMAN).encode()) + b"\r\n"),
    "base64 in odd lines": mail(
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b"\r\n".join(base64.b64encode(html(GERMAN).encode())[at : at + 61] for at in range(0, 2000, 61)).rstrip(b"=\r\n")),
    "unknown charset": mail(part("text/html", html(), charset="x-klingon", codec="ascii")),
    "unknown encoding": mail(part("text/html", html(), charset="utf-8", encoding="x-uuencode")),
    "broken base64": mail(part("text/html", b"<p>not base64 at all</p>")).replace(
        b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1),
    "utf-7 written in another way": mail(part("text/plain", "+AGE-", charset="utf-7", codec="ascii")),
    "utf-16 with half a character": mail(part("text/plain", b"\xff\xfea", charset="utf-16", encoding=B)),
}  # fmt: skip

BROKEN: Final[dict[str, bytes]] = {
    "not a field": b"From: a@example.org\r\nthis is no field\r\n\r\nbody",
    "starts with a fold": b" folded\r\nFrom: a@example.org\r\n\r\nbody",
    "lone CR in a field": b"Subject: a\rBcc: b@example.org\r\n\r\nbody",
    "NUL in a field": b"Subject: a\0b\r\n\r\nbody",
    "two content types": b"Content-Type: text/html\r\nContent-Type: text/plain\r\n\r\nbody",
    "two encodings": b"Content-Transfer-Encoding: 7bit\r\ncontent-transfer-encoding: base64\r\n\r\nbody",
    "multipart without boundary": b"Content-Type: multipart/mixed\r\n\r\n--\r\n\r\nbody",
    "boundary never used": b"Content-Type: multipart/mixed; boundary=b\r\n\r\nbody",
    "boundary used again inside": mail(multi("mixed", "b", multi("mixed", "b", part("text/plain", "x")))),
    "boundary is the closing of another": mail(multi("mixed", "b", multi("mixed", "b--", part("text/plain", "x")))),
}
