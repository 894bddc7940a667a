"""Handing a mail to the operator's mail server: SMTP with TLS, one mail a connection, every refusal told apart.

A URL says where: `smtp://user:password@host:587` (STARTTLS, which is required) or `smtps://host:465`. Without TLS only
on this very machine.
"""

import smtplib
import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from consent_track.domain.errors import SendFailed
from consent_track.settings import LOCAL_HOSTS

TIMEOUT = 30.0  # seconds for each step of the dialogue


@dataclass(frozen=True, slots=True)
class MailServer:
    """The operator's mail server. `sender` is the envelope's: bounces go there."""

    url: str = field(repr=False)
    sender: str
    trust: ssl.SSLContext | None = field(default=None, repr=False)

    def send(self, recipient: str, mail: bytes) -> None:
        """Hand over one mail. Raises SendFailed; permanent for a 5xx about this recipient or this mail."""
        parts = urlsplit(self.url)
        try:
            with self._connection() as server:
                self._secure(server)
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.sendmail(self.sender, [recipient], mail)
        except smtplib.SMTPRecipientsRefused as refused:
            code = next(iter(refused.recipients.values()), (550, b""))[0]
            raise SendFailed(f"the recipient was refused with {code}", permanent=code >= 500) from None
        except smtplib.SMTPAuthenticationError as refused:  # of the operator, not of this mail: it may be put right
            raise SendFailed(f"the login was refused with {refused.smtp_code}", permanent=False) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refused:
            code = refused.smtp_code
            raise SendFailed(f"the mail was refused with {code}", permanent=code >= 500) from None
        except UnicodeError:  # an address beyond ASCII, and no SMTPUTF8 (RFC 6531)
            raise SendFailed("the recipient's address cannot be said to this server", permanent=True) from None
        except (smtplib.SMTPException, OSError) as failed:
            raise SendFailed(f"the mail server: {type(failed).__name__}", permanent=False) from None

    def greet(self) -> None:
        """See whether the server answers, and takes the login; sends nothing. Raises SendFailed."""
        parts = urlsplit(self.url)
        try:
            with self._connection() as server:
                self._secure(server)
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.noop()
        except (smtplib.SMTPException, OSError) as failed:
            raise SendFailed(f"the mail server: {type(failed).__name__}", permanent=False) from None

    def _secure(self, server: smtplib.SMTP) -> None:
        parts = urlsplit(self.url)
        if parts.scheme == "smtp" and parts.hostname not in LOCAL_HOSTS:
            server.starttls(context=self.trust or ssl.create_default_context())

    def _connection(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "smtps":
            context = self.trust or ssl.create_default_context()
            return smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=context)
        return smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT)
