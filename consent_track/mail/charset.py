"""Which charset a text is in, by the names that mail uses, and whether its octets can be searched as ASCII."""

import codecs
import re
from functools import lru_cache
from typing import Final

# A label is the sender's word: it may only name a charset of text, never another codec of Python (idna, rot13, zlib),
# and names nobody knows must not fill the codec registry's cache.
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9_.:+-]{0,39}", re.ASCII)
_TEXT: Final = re.compile(
    r"(ascii|utf-(8|7|16|32)(-[bl]e)?|iso8859-\d+|iso2022_\w+|cp\d+|koi8[-_][rut]|mac[-_]\w+|big5\w*|euc_\w+"
    r"|gb2312|gbk|gb18030|hz|johab|shift_jis\w*|tis-620|ptcp154|kz1048|hp-roman8)"
)
_ALSO: Final = {
    "iso-8859-8-i": "iso-8859-8",  # RFC 1556: the same octets, another direction
    "iso-8859-8-e": "iso-8859-8",
    "x-sjis": "shift_jis",
    "x-gbk": "gbk",
    "x-euc-jp": "euc_jp",
    "windows-874": "cp874",
    "windows-31j": "cp932",
}
# Stateful, or with octets of ASCII punctuation inside other characters: `<` found there need not be a `<`.
_NOT_SEARCHABLE: Final = re.compile(r"utf-(7|16|32)|iso2022|hz|johab")
_ASCII: Final = bytes(range(128))


@lru_cache(maxsize=256)
def codec_name(label: str | None) -> str | None:
    """The codec for a charset label in lower case; `ascii` if there is no label, None if the label names no charset."""
    if label is None:
        return "ascii"
    if not _LABEL.fullmatch(label):
        return None
    try:
        name = codecs.lookup(_ALSO.get(label, label)).name
    except LookupError:
        return None
    return name if _TEXT.fullmatch(name) else None


@lru_cache(maxsize=256)
def is_searchable(name: str) -> bool:
    """Whether every octet below 128 of a text in that charset is the ASCII character it looks like."""
    if _NOT_SEARCHABLE.match(name):
        return False
    return _ASCII.decode(name, "replace") == _ASCII.decode("ascii")


def reversible(name: str, octets: bytes) -> tuple[str, str] | None:
    """The text and the exact codec, if writing it anew gives the very same octets; else None.

    RFC 2781 section 4: UTF-16 without a mark is big-endian. The mark stays in the text as its first character.
    """
    if name in ("utf-16", "utf-32"):
        little = octets.startswith(codecs.BOM_UTF16_LE if name == "utf-16" else codecs.BOM_UTF32_LE)
        name += "-le" if little else "-be"
    try:
        text = octets.decode(name)
        text.encode()  # UTF-7 can say half of a surrogate pair, which is no text and no UTF-8
        return (text, name) if text.encode(name) == octets else None
    except UnicodeError:
        return None
