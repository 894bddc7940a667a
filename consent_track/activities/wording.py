"""Who approved the words people are asked with: words that nobody signed are neither asked with nor granted on.

All shipped texts are drafts (decision 27). A signature stands under exactly these words; one character changed needs
another (GDPR Art. 12(1); ST-15).
"""

from consent_track.records import sign_offs
from consent_track.records.sign_offs import SignOff

from . import Processing


def may_ask(p: Processing, locale: str, texts_hash: str) -> bool:
    """Whether people may be asked, and a yes be taken, in exactly these texts of a locale."""
    return signature(p, locale, texts_hash) is not None


def signature(p: Processing, locale: str, texts_hash: str) -> SignOff | None:
    """Who signed exactly these texts, or None."""
    return sign_offs.find(p.session, locale, texts_hash)


def sign(p: Processing, signed: SignOff) -> None:
    """Record a signature; signing the same texts again replaces the earlier one."""
    sign_offs.record(p.session, signed)
