"""Which links may lead through us, and which stay as their author wrote them. When in doubt, they stay."""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

from consent_track.domain.vocabulary import MailType

from .html import Anchor

LONGEST: Final = 2_000


class KeepReason(StrEnum):
    """Why a link is left alone."""

    EMPTY = "empty"
    ANCHOR = "anchor"
    NOT_HTTP = "not_http"
    NO_TRACK = "no_track"
    UNSUBSCRIBE = "unsubscribe"
    RIGHTS = "rights"
    ONE_TIME = "one_time"
    PAYMENT = "payment"
    TEXT_IS_URL = "text_is_url"
    OWN = "own"
    INVALID = "invalid"
    TEMPLATE = "template_placeholder"
    TOO_LONG = "too_long"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """This link may be measured; `destination` is byte-equal to the author's."""

    destination: str


@dataclass(frozen=True, slots=True)
class Keep:
    """This link stays as it is."""

    reason: KeepReason


# Words in the address or in the visible text, by language; the address is split at everything that is no letter.
_WORDS: Final = {
    KeepReason.UNSUBSCRIBE: """unsubscribe unsub optout abmelden abbestellen austragen desabonner désabonner
        désabonnement desinscription désinscription désinscrire disiscriviti disiscrizione cancelar baja darse desuscribirse""",
    KeepReason.RIGHTS: """privacy datenschutz confidentialite confidentialité privacidad gdpr dsgvo rgpd preferences
        preferenze préférences einstellungen consent consentement einwilligung consenso consentimiento cookies rights
        impressum imprint""",
    KeepReason.ONE_TIME: """reset verify verification verifizieren confirm confirmation bestätigen bestaetigen confirmer
        confirma conferma activate activation aktivieren activer magic login signin logon passwort password
        passwd motdepasse otp onetime invite invitation einladung accept token""",
    KeepReason.PAYMENT: """pay payment checkout billing invoice zahlung bezahlen rechnung paiement payer facture
        pagamento
        fattura pago factura""",
}
_REASON_OF: Final = {word: reason for reason, words in _WORDS.items() for word in words.split()}
_PHRASES: Final = re.compile(
    r"opt[\s_-]?out|magic[\s_-]?link|manage[\s_-]?(?:your[\s_-]?)?(?:choices|preferences|subscription)|"
    r"se d[ée]sabonner|vos choix|ihre wahl|إلغاء الاشتراك|الخصوصية|اختياراتك|تأكيد|كلمة المرور|الدفع",
    re.IGNORECASE,
)
_PHRASE_REASON: Final = {
    "magic": KeepReason.ONE_TIME,
    "تأكيد": KeepReason.ONE_TIME,
    "كلمة": KeepReason.ONE_TIME,
    "الدفع": KeepReason.PAYMENT,
}
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{%|\*\||\|\*|%%|\[\[|<%|\$\{")
# Visible text that looks like an address: a mail program that finds another one behind it warns of fraud.
_LOOKS_LIKE_URL: Final = re.compile(r"(?:https?://|www\.)\S|^\S+\.[a-z]{2,24}(?:[/?#:]\S*)?$", re.IGNORECASE)
_PLAIN: Final = re.compile(r"https?://[\x21-\x7e]+", re.IGNORECASE)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)


def classify(anchor: Anchor, *, mail_type: MailType, own_hosts: frozenset[str]) -> Rewrite | Keep:
    """Whether a link may be measured. Words of authentication and payment keep it in any kind of mail (decision 24)."""
    url = anchor.url
    if not url or anchor.no_track:
        return Keep(KeepReason.NO_TRACK if url else KeepReason.EMPTY)
    if url.startswith("#"):
        return Keep(KeepReason.ANCHOR)
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        return Keep(KeepReason.NOT_HTTP if ":" in url else KeepReason.RELATIVE)
    if len(url) > LONGEST:
        return Keep(KeepReason.TOO_LONG)
    if _PLACEHOLDER.search(url):
        return Keep(KeepReason.TEMPLATE)
    # What stands there is what somebody would be led to, byte for byte: surrounding white space is not ours to drop.
    destination = vetted(anchor.href.value)
    if destination is None:
        return Keep(KeepReason.INVALID)
    if urlsplit(destination).netloc.lower() in own_hosts:
        return Keep(KeepReason.OWN)
    if _LOOKS_LIKE_URL.search(anchor.text):
        return Keep(KeepReason.TEXT_IS_URL)
    reason = _by_words(destination, anchor.text, mail_type)
    return Keep(reason) if reason else Rewrite(destination)


def _by_words(destination: str, text: str, mail_type: MailType) -> KeepReason | None:
    parts = urlsplit(destination)
    said = f"{parts.path} {parts.query} {text}"
    phrase = _PHRASES.search(said)
    if phrase:
        first = _LETTERS.search(phrase[0])
        return _PHRASE_REASON.get(first[0].lower() if first else "", KeepReason.RIGHTS)
    for word in _LETTERS.findall(said.lower()):
        reason = _REASON_OF.get(word)
        if reason is not None:
            return reason
    # An authentication mail is there for its links: none of them is measured.
    return KeepReason.ONE_TIME if mail_type is MailType.AUTHENTICATION else None


def vetted(url: str) -> str | None:
    """The same URL if it may ever stand in a Location header, else None (threats T1, T2; CWE-601).

    http or https, a valid host, no user information, printable ASCII only; it is never normalised.
    """
    if len(url) > LONGEST or _PLAIN.fullmatch(url) is None or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not parts.hostname or port == 0:
        return None
    return url if _is_host(parts.hostname, bracketed="[" in parts.netloc) else None


def _is_host(host: str, *, bracketed: bool) -> bool:
    if bracketed:
        try:
            return bool(IPv6Address(host)) and "%" not in host
        except AddressValueError:
            return False
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdigit() or labels[-1].lower().startswith("0x"):
        try:
            return bool(IPv4Address(host)) or True
        except AddressValueError:
            return False
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
