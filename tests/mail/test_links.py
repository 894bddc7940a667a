"""Which links are measured and which are kept, as tables."""

import pytest

from consent_track.domain.vocabulary import MailType
from consent_track.mail.html import Anchor, scan
from consent_track.mail.keepwords import meaning
from consent_track.mail.links import LONGEST, Keep, KeepReason, Rewrite, classify, looks_like_url

OWN = frozenset({"track.acme.example", "localhost:8080"})
NEWSLETTER = MailType.REQUESTED_NEWSLETTER


def link(page: str) -> Anchor:
    return scan(page.encode()).anchors[0]


def verdict(anchor: Anchor, mail_type: MailType = NEWSLETTER) -> str:
    found = classify(anchor, mail_type=mail_type, own_hosts=OWN)
    if isinstance(found, Keep):
        return found.reason.value
    assert found == Rewrite(anchor.href.value)
    return "rewrite"


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split(" | ")] for line in text.strip().splitlines()]


# A link in a newsletter that Alice agreed to have measured.
NEWSLETTERS = r"""
<a href="https://shop.example/">Shop</a>                                         | rewrite
<a href="http://shop.example/autumn?size=4&amp;utm_source=mail#top">See</a>      | rewrite
<a href="HTTPS://Shop.Example/Autumn">See</a>                                    | rewrite
<a href="https://shop.example:8443/a">See</a>                                    | rewrite
<a href="https://192.0.2.7/a">See</a>                                            | rewrite
<a href="https://[2001:db8::7]/a">See</a>                                        | rewrite
<a href="https://xn--bcher-kva.example/a">Bücher</a>                             | rewrite
<a href="https://shop.example/e/9f86d081884c7d659a2feaa0c55ad015">See</a>        | rewrite
<a href="https://privacy.example/a">See</a>                                      | rewrite
<a href="https://shop.example/a"><img src="a.png" alt="Autumn"></a>              | rewrite
<a href="https://shop.example/a">No. 5 for $9.99, v2.0, at 3 p.m.</a>            | rewrite
<a href="https://shop.example/%E2%82%AC">50% off</a>                             | rewrite
<a href="">x</a>                                                                 | empty
<a href=" ">x</a>                                                                | empty
<a href="#top">x</a>                                                             | anchor
<a href="/a">x</a>                                                               | relative
<a href="a.html">x</a>                                                           | relative
<a href="//shop.example/a">x</a>                                                 | relative
<a href="?a=b:c">x</a>                                                           | not_http
<a href="mailto:hello@shop.example">x</a>                                        | not_http
<a href="tel:+49301234">x</a>                                                    | not_http
<a href="javascript:alert(1)">x</a>                                              | not_http
<a href="java&Tab;script&colon;alert(1)">x</a>                                   | not_http
<a href="data:text/html,x">x</a>                                                 | not_http
<a href="cid:part1">x</a>                                                        | not_http
<a href="https://shop.example/a" data-no-track>x</a>                             | no_track
<a href="https://shop.example/a" DATA-NO-TRACK="yes">x</a>                       | no_track
<a href="{{ action_url }}">x</a>                                                 | template_placeholder
<a href="https://shop.example/{{id}}">x</a>                                      | template_placeholder
<a href="https://shop.example/?a=*|UNIQID|*">x</a>                               | template_placeholder
<a href="https://shop.example/?a=%%email%%">x</a>                                | template_placeholder
<a href="https://shop.example/?a=[[id]]">x</a>                                   | template_placeholder
<a href="https://shop.example/{% url %}">x</a>                                   | template_placeholder
<a href="https://shop.example/<%= id %>">x</a>                                   | template_placeholder
<a href="https://shop.example/${id}">x</a>                                       | template_placeholder
<a href="https://shop.example/{id}">x</a>                                        | template_placeholder
<a href="https://shop.example/%7B%7Bid%7D%7D">x</a>                              | template_placeholder
<a href="https://shop.example/é">x</a>                                           | not_ascii
<a href="https://bücher.example/">x</a>                                          | not_ascii
<a href="https://shop.example/a b">x</a>                                         | malformed
<a href=" https://shop.example/a">x</a>                                          | malformed
<a href="https://shop.example/&#13;&#10;Set-Cookie:a">x</a>                      | malformed
<a href="https:\\shop.example/a">x</a>                                           | malformed
<a href="https://shop.example\@evil.example/">x</a>                              | malformed
<a href="https://alice@shop.example/">x</a>                                      | userinfo
<a href="https://shop.example:443@evil.example/">x</a>                           | userinfo
<a href="https:///shop.example">x</a>                                            | invalid_host
<a href="https:shop.example">x</a>                                               | invalid_host
<a href="https://">x</a>                                                         | invalid_host
<a href="https://shop..example/">x</a>                                           | invalid_host
<a href="https://2130706433/">x</a>                                              | invalid_host
<a href="https://track.acme.example/a">x</a>                                     | own
<a href="https://TRACK.acme.example.:443/a">x</a>                                | own
<a href="http://localhost:8080/a">x</a>                                          | own
<a href="http://localhost:8081/a">x</a>                                          | rewrite
<a href="https://shop.example/a">https://shop.example/a</a>                      | text_is_url
<a href="https://shop.example/a">www.shop.example</a>                            | text_is_url
<a href="https://shop.example/a">shop.example</a>                                | text_is_url
<a href="https://shop.example/a">Visit <b>shop</b>.example today</a>             | text_is_url
<a href="https://shop.example/a">(Shop.Example/autumn)</a>                       | text_is_url
<a href="https://shop.example/a">hello@shop.example</a>                          | text_is_url
<a href="https://shop.example/a">bücher.example:</a>                             | text_is_url
<a href="https://shop.example/a">shop&#8203;.&zwnj;example</a>                   | text_is_url
<a href="https://shop.example/a">shop。example</a>                                | text_is_url
<a href="https://shop.example/unsubscribe?u=1">x</a>                             | unsubscribe
<a href="https://shop.example/%75nsubscribe">x</a>                               | unsubscribe
<a href="https://unsubscribe.shop.example/1">x</a>                               | unsubscribe
<a href="https://shop.example/1"><img src="a" alt="Unsubscribe"></a>             | unsubscribe
<a href="https://shop.example/1" title="Unsubscribe">x</a>                       | unsubscribe
<a href="https://shop.example/1" class="footer-link unsubscribe">x</a>           | unsubscribe
<a href="https://shop.example/1">UNSUBSCRIBE</a>                                 | unsubscribe
<a href="https://shop.example/one-click-unsubscribeme">x</a>                     | unsubscribe
<a href="https://shop.example/optOut">x</a>                                      | rights
<a href="https://shop.example/opt-out">x</a>                                     | rights
<a href="https://shop.example/legal/privacy-policy">x</a>                        | rights
<a href="https://shop.example/privacypolicy">x</a>                               | rights
<a href="https://shop.example/account#preferences">x</a>                         | rights
<a href="https://shop.example/1">Manage your choices</a>                         | rights
<a href="https://shop.example/1">Do not sell or share my personal information</a> | rights
<a href="https://shop.example/resetPassword?u=1">x</a>                           | one_time
<a href="https://shop.example/passwordreset/1">x</a>                             | one_time
<a href="https://shop.example/magic-link/1">x</a>                                | one_time
<a href="https://shop.example/?token=1">x</a>                                    | one_time
<a href="https://shop.example/#/verify/1">x</a>                                  | one_time
<a href="https://login.shop.example/1">x</a>                                     | one_time
<a href="https://shop.example/1">Confirm your address</a>                        | one_time
<a href="https://shop.example/1">Log in</a>                                      | one_time
<a href="https://shop.example/invite/1">x</a>                                    | one_time
<a href="https://shop.example/1">Pay now</a>                                     | payment
<a href="https://shop.example/payNow">x</a>                                      | payment
<a href="https://shop.example/myChoices">x</a>                                   | rights
<a href="https://shop.example/Xx9PayAbcDefGhiJkl12345">x</a>                     | rewrite
<a href="https://shop.example/you-are-invited">x</a>                             | one_time
<a href="https://shop.example/checkout/1">x</a>                                  | payment
<a href="https://www.paypal.com/x">x</a>                                         | payment
<a href="https://buy.stripe.com/x">x</a>                                         | payment
<area href="https://shop.example/1" alt="Unsubscribe">                           | unsubscribe
<area href="https://shop.example/1" alt="Autumn">                                | rewrite
"""


@pytest.mark.law("TI-10")
@pytest.mark.parametrize(("page", "expected"), rows(NEWSLETTERS))
def test_a_link_in_a_newsletter(page: str, expected: str) -> None:
    assert verdict(link(page)) == expected


# The words on the link, in the six languages of the table.
LANGUAGES = r"""
unsubscribe | Unsubscribe · Remove me · Leave this list
unsubscribe | Se désabonner · Désinscription · Ne plus recevoir
unsubscribe | Abmelden · Newsletter abbestellen · Austragen
unsubscribe | Disiscriviti · Annulla iscrizione · Cancella l'iscrizione: disiscrizione
unsubscribe | Darse de baja · Cancelar suscripción · Desuscribirse
unsubscribe | إلغاء الاشتراك · اضغط هنا لإلغاءِ الاشتراك الغاء الاشتراك
rights      | Privacy · Your choices · Email settings · Opt-out · Withdraw consent
rights      | Confidentialité · Vie privée · Vos choix · Données personnelles
rights      | Datenschutz · Einstellungen · Einwilligung widerrufen · Ihre Wahl · Datenschutzhinweise
rights      | Riservatezza · Le tue scelte · Dati personali · Preferenze
rights      | Privacidad · Tus opciones · Datos personales · Preferencias
rights      | سياسة الخصوصية · الخصوصـيّة · التفضيلات · اختياراتك
one_time    | Reset your password · Verify e-mail · Activate account · Sign in · Accept invitation
one_time    | Réinitialiser · Mot de passe · Confirmer · Activez votre compte · Se connecter
one_time    | Passwort zurücksetzen · Bestätigen · Aktivieren · Anmelden · Einladung · E-Mail-Bestätigungslink
one_time    | Reimposta · Conferma · Attiva · Accedi · Invito
one_time    | Restablecer contraseña · Confirmar · Activar · Iniciar sesión · Invitación
one_time    | إعادة تعيين · كلمة المرور · تأكيد · تفعيل · تسجيل الدخول · دعوة
payment     | Pay invoice · Checkout · Update billing · View receipt
payment     | Payer · Votre facture · Paiement · Régler
payment     | Bezahlen · Rechnung ansehen · Zahlung · Zahlungserinnerung
payment     | Paga ora · Fattura · Pagamento
payment     | Pagar · Ver factura · Pago
payment     | الدفع · فاتورة · ادفع الآن
"""


@pytest.mark.law("TI-10")
@pytest.mark.parametrize(("reason", "texts"), rows(LANGUAGES))
def test_words_keep_a_link_in_every_language(reason: str, texts: str) -> None:
    for text in texts.split(" · "):
        for shown in (text, text.upper()):
            found = meaning(shown)
            assert found is not None, shown
            assert found.value == reason, shown


ORDINARY = """Read more · En savoir plus · Mehr erfahren · Scopri di più · Leer más · اقرأ المزيد · Top 10 paving stones
 · Sunsubtle · Magical hour, logged · Presets · a/b?c=d · Erzählungen · Manufacturers · Manifattura · https://shop.example/XpayYresetZtoken1234567890aB"""


@pytest.mark.parametrize("text", [text.strip() for text in ORDINARY.split(" · ")])
def test_ordinary_words_keep_nothing(text: str) -> None:
    assert meaning(text) is None


# One page, four kinds of mail. Decision 24: what opens an account or moves money is never measured, in any kind.
MAILS = r"""
                                                     | newsletter  | transactional | legal       | authentication
<a href="https://a.example/help">Help</a>            | rewrite     | rewrite       | rewrite     | one_time
<a href="https://a.example/how-to-care">x</a>        | rewrite     | rewrite       | rewrite     | one_time
<a href="https://a.example/how-to-care-for-wool-in-cold-water">x</a> | rewrite | rewrite | rewrite | one_time
<a href="https://a.example/reset/1">x</a>            | one_time    | one_time      | one_time    | one_time
<a href="https://a.example/1">Magic link</a>         | one_time    | one_time      | one_time    | one_time
<a href="https://a.example/pay/1">x</a>              | payment     | payment       | payment     | payment
<a href="https://a.example/9f86d081884c7d659a2fea">  | rewrite     | one_time      | one_time    | one_time
<a href="https://a.example/?k=1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"> | rewrite | one_time | one_time | one_time
<a href="https://a.example/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx">  | rewrite | one_time | one_time | one_time
<a href="https://a.example/unsubscribe">x</a>        | unsubscribe | unsubscribe   | unsubscribe | unsubscribe
"""


@pytest.mark.parametrize("row", rows(MAILS)[1:], ids=lambda row: row[0][9:50])
def test_a_link_in_another_kind_of_mail(row: list[str]) -> None:
    page, *expected = row
    kinds = (NEWSLETTER, MailType.TRANSACTIONAL, MailType.LEGALLY_REQUIRED, MailType.AUTHENTICATION)
    assert [verdict(link(page), kind) for kind in kinds] == expected


def test_a_link_that_is_too_long() -> None:
    fits = "https://shop.example/" + "a" * (LONGEST - 21)
    assert verdict(link(f'<a href="{fits}">x</a>')) == "rewrite"
    assert verdict(link(f'<a href="{fits}a">x</a>')) == "too_long"


def test_every_reason_has_an_example() -> None:
    named = {row[1] for row in rows(NEWSLETTERS)} | {"too_long"}
    assert named == {reason.value for reason in KeepReason} | {"rewrite"}


def test_a_text_that_looks_like_an_address() -> None:
    for text in ("http://a", "a.example", "»a.example«", "x a.b.example/c?d y", "A.EXAMPLE.", "a@b.example"):
        assert looks_like_url(text), text
    for text in (
        "",
        "Read more…",
        "e.g. this",
        "U.S.",
        "3.5 kg",
        "...",
        "at 10:30",
        "Dr. No",
        "1.2.3",
        "macOS 10.15",
        ".",
        "Ende.",
    ):
        assert not looks_like_url(text), text
