"""Words that say what a link is for: leaving the list, a right, one use only, a payment. English to Arabic.

A link that carries one of them is never measured. The tables are meant to be too long rather than too short: a link
kept by mistake costs a figure, a link measured by mistake costs somebody's right, or their account.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final
from urllib.parse import unquote


class Meaning(StrEnum):
    """What a link is for, where its words say so; a reason to keep it."""

    UNSUBSCRIBE = "unsubscribe"
    RIGHTS = "rights"
    ONE_TIME = "one_time"
    PAYMENT = "payment"


# Lower case, accents taken off. Commas separate; a phrase is words in a row, in an address as well: /opt-out, optOut.
_WORDS: Final = {
    Meaning.UNSUBSCRIBE: """
        unsubscribe, unsubscribed, unsubscription, unsub, remove me, leave this list, stop these emails,
        desabonner, desabonnement, desabonnez, desinscrire, desinscription, desinscrivez, ne plus recevoir,
        abmelden, abmeldung, abbestellen, abbestellung, austragen, austragung, nicht mehr erhalten,
        disiscrivi, disiscriviti, disiscrivere, disiscrizione, annulla iscrizione, cancella iscrizione, cancellami,
        desuscribir, desuscribirse, desuscribirme, darse de baja, darme de baja, date de baja, dar de baja, baja,
        cancelar suscripcion, cancelar la suscripcion, الغاء الاشتراك, الغاء اشتراكك, الغاء اشتراك""",
    Meaning.RIGHTS: """
        privacy, preferences, preference, prefs, consent, consents, optout, opt out, opt in, gdpr, ccpa, cpra, dsar,
        rights, cookies, cookie policy, cookie settings, do not sell, do not share, personal data,
        personal information, your choices, my choices, manage choices, manage subscription, manage subscriptions,
        manage my subscription, manage your subscription, manage your subscriptions, subscription settings,
        subscription center, subscription centre, email settings, notification settings,
        data protection, imprint, withdraw, objection,
        confidentialite, vie privee, consentement, rgpd, donnees personnelles, mes choix, vos choix,
        mentions legales, mes droits, vos droits,
        datenschutz, datenschutzerklarung, datenschutzerklaerung, einstellungen, einwilligung, einwilligungen,
        widerruf, widerrufen, widerspruch, dsgvo, impressum, ihre wahl, ihre rechte, praferenzen, praeferenzen,
        riservatezza, preferenze, preferenza, consenso, consensi, dati personali, tue scelte, tuoi diritti, revoca,
        privacidad, preferencias, consentimiento, datos personales, tus opciones, sus opciones, sus derechos,
        tus derechos, aviso legal, revocar,
        الخصوصيه, خصوصيه, التفضيلات, تفضيلات, تفضيلاتك, الموافقه, موافقه, موافقتك, اختياراتك, حقوقك, بياناتك""",
    Meaning.ONE_TIME: """
        reset, verify, verification, verifying, confirm, confirmation, confirming, activate, activation, reactivate,
        magic, magiclink, login, logon, signin, log in, log on, sign in, sign on, sso, oauth, auth,
        authenticate, authentication, authorize, authorise, approve, otp, onetime, one time, passcode, password,
        passwords, passwd, pwd, passwordless, token, jwt, amz signature, invite, invites, invitation, accept,
        unlock, recover, recovery, mfa, validate, validation, complete registration,
        reinitialiser, reinitialisation, reinitialisez, verifier, verifiez, confirmer, confirmez, activer, activez,
        connexion, se connecter, connectez, mot de passe, motdepasse, jeton, accepter, acceptez, valider,
        validez, deverrouiller, zurucksetzen, zuruecksetzen, verifizieren, verifizierung, bestatigen, bestaetigen,
        bestatigung, bestaetigung, aktivieren, aktivierung, anmelden, anmeldung, einloggen, passwort, kennwort,
        einladung, annehmen, freischalten, entsperren, wiederherstellen,
        reimposta, reimpostare, ripristina, ripristinare, verifica, verificare, conferma, confermare, attiva,
        attivare, attivazione, accedi, invito, accetta, accettare, sblocca,
        restablecer, restablece, verificar, verificacion, confirmar, confirma, confirmacion, activar, activa,
        activacion, acceder, iniciar sesion, inicia sesion, contrasena, invitacion, aceptar, acepta,
        desbloquear, اعاده تعيين, كلمه المرور, كلمه السر, تاكيد, تحقق, التحقق, تفعيل, تسجيل الدخول, دعوه, قبول""",
    Meaning.PAYMENT: """
        pay, payment, payments, paying, checkout, billing, invoice, invoices, receipt, refund, iban,
        payer, payez, paiement, paiements, regler, reglement, facture, factures, facturation, virement,
        bezahlen, zahlen, zahlung, zahlungen, rechnung, rechnungen, uberweisung, ueberweisung,
        paga, pagare, pagamento, pagamenti, fattura, fatture, fatturazione, bonifico,
        pagar, pago, pagos, factura, facturas, facturacion, الدفع, دفع, ادفع, فاتوره, الفاتوره, فواتير, السداد""",
}
# Parts of long words: resetpassword, managepreferences, Zahlungserinnerung, Datenschutzhinweise.
_INSIDE: Final = {
    Meaning.UNSUBSCRIBE: "unsubscri optout abbestell desabonn desinscri disiscri desuscri",
    Meaning.RIGHTS: "privacy preferenc datenschutz einwillig confidential consent privacid preferenz",
    Meaning.ONE_TIME: "password passwort passwor magiclink verif confirm activat bestatig invit reinitial einladung",
    # An Erzählung is a story; manufacture and manifattura make things.
    Meaning.PAYMENT: "payment checkout billing invoice rechnung (?<!er)zahlung paiement pagament (?<!manu)factur "
    "(?<!mani)fattur",
}
_LONG: Final = 5  # letters; no part is shorter

_PHRASES: Final[dict[str, list[tuple[tuple[str, ...], Meaning]]]] = {}
for _meaning, _table in _WORDS.items():
    for _phrase in _table.split(","):
        _first, *_rest = _phrase.split()
        _PHRASES.setdefault(_first, []).append((tuple(_rest), _meaning))
_PARTS: Final = re.compile("|".join(f"(?P<{name}>{'|'.join(parts.split())})" for name, parts in _INSIDE.items()))
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_]+")
_LETTERS: Final = str.maketrans({"ة": "ه", "ـ": "", "。": "."})
_RUN: Final = re.compile(r"[A-Za-z0-9]{20,}+")


def meaning(said: str) -> Meaning | None:
    """What the words of an address or of a link's text say; None if nothing that we know."""
    words = _words(said)
    for index, word in enumerate(words):
        for rest, found in _PHRASES.get(word, ()):
            if not rest or tuple(words[index + 1 : index + 1 + len(rest)]) == rest:
                return found
        if len(word) >= _LONG and (part := _PARTS.search(word)) is not None:
            return Meaning(str(part.lastgroup))
    return None


def _words(said: str) -> list[str]:
    if "%" in said:
        said = unquote(said, errors="replace")
    if not said.isascii():
        said = plain(said)
    return [word.lower() for word in _WORD.findall(_RUN.sub(_unless_opaque, said))]


def _unless_opaque(run: re.Match[str]) -> str:
    """Nothing for an identifier: in 20 letters and digits of both cases any short word may turn up."""
    text = run[0]
    return text if text.isalpha() or text.islower() or text.isupper() else " "


def plain(text: str) -> str:
    """Letters without accents, vowel points and joiners; ta marbuta as ha; an ideographic full stop as a point."""
    letters = unicodedata.normalize("NFKD", text)
    kept = "".join(letter for letter in letters if unicodedata.category(letter) not in ("Mn", "Cf"))
    return kept.translate(_LETTERS)
