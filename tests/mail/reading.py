"""Reading a mail of the corpus and changing it, as every test here does."""

from corpus import MAILS

from consent_track.mail.leaf import Edit, Leaf, apply
from consent_track.mail.mime import Mail, Unreadable, scan


def read(data: bytes) -> Mail:
    found = scan(data)
    assert isinstance(found, Mail), found
    return found


def leaf_of(data: bytes, index: int = 0) -> Leaf:
    found = read(data)
    leaf = Leaf.of(found, found.leaves[index])
    assert isinstance(leaf, Leaf), leaf
    return leaf


def edited(leaf: Leaf, *edits: Edit) -> bytes:
    splices = leaf.splice(edits)
    assert not isinstance(splices, Unreadable), splices
    return apply(leaf.mail.data, splices)


def at_end(leaf: Leaf, new: str) -> bytes:
    return edited(leaf, Edit(len(leaf.text), len(leaf.text), new))


def charset_of_text(leaf: Leaf) -> str:
    return "utf-8" if leaf.stand_in else leaf.charset


def shown(leaf: Leaf) -> str:
    """What a reader's program makes of the leaf."""
    return leaf.text.decode(charset_of_text(leaf))


def body(leaf: Leaf) -> bytes:
    return leaf.mail.data[leaf.part.body_start : leaf.part.body_end]


def as_sent(leaf: Leaf, new: str) -> str:
    """The new text as the leaf will show it: its own line breaks, and in HTML references for what it cannot carry."""
    new = new.replace("\r\n", "\n").replace("\n", leaf.newline.decode())
    if not leaf.is_html:
        return new
    charset = "ascii" if leaf.part.encoding == "7bit" and not leaf.stand_in else leaf.charset
    return new.encode(charset, "xmlcharrefreplace").decode(charset)


EDITABLE = [
    (name, index)
    for name, data in MAILS.items()
    for found in [read(data)]
    for index, one in enumerate(found.leaves)
    if one.content_type.startswith("text/") and isinstance(Leaf.of(found, one), Leaf)
]
