"""The mail server: a real SMTP conversation, with a login where credentials are set."""

import asyncio
import hmac
import warnings
from dataclasses import dataclass

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sergas_sink import mail
from sergas_sink.journal import Journal
from sergas_sink.message import RefusedError

MAX_MAIL_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Credentials:
    """The one login the mail server takes."""

    username: str
    password: str

    def match(self, offered: object) -> bool:
        """Compare in constant time."""
        if not isinstance(offered, LoginPassword):
            return False
        names = hmac.compare_digest(offered.login, self.username.encode())
        return hmac.compare_digest(offered.password, self.password.encode()) and names


class Mailbox:
    """aiosmtpd's handler: keeps each message in the journal, or says why not."""

    def __init__(self, journal: Journal, *, login: bool) -> None:
        self._journal = journal
        self._login = login

    async def handle_EHLO(  # noqa: N802  aiosmtpd looks the hook up by this name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Greet; without a login to take, do not offer AUTH, which aiosmtpd does with an empty list of mechanisms."""
        session.host_name = hostname
        return responses if self._login else [line for line in responses if not line.startswith("250-AUTH")]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd looks the hook up by this name
        """Answer the end of a message."""
        try:
            self._journal.trip("email")
            content = envelope.content or b""
            raw = content if isinstance(content, bytes) else content.encode()
            self._journal.accept(mail.read(raw, envelope.mail_from or "", envelope.rcpt_tos))
        except RefusedError as refusal:
            self._journal.refuse("email", refusal)
            return f"{refusal.status} {refusal.answer}: {refusal}"
        return "250 2.0.0 Ok: kept"


class MailServer(SMTP):
    """Asks for user and password in the words that Postfix and Exchange use, the only ones Alertmanager knows."""

    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"


def _session(journal: Journal, credentials: Credentials | None) -> SMTP:
    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        if credentials is not None and credentials.match(data):
            return AuthResult(success=True)
        journal.refuse("email", RefusedError(535, "5.7.8 authentication failed", "unknown user or wrong password"))
        return AuthResult(success=False, handled=False)

    with warnings.catch_warnings():
        # No TLS inside the test cluster: a certificate of its own could not be checked by Alertmanager anyway.
        warnings.simplefilter("ignore", UserWarning)
        return MailServer(
            Mailbox(journal, login=credentials is not None),
            data_size_limit=MAX_MAIL_BYTES,
            enable_SMTPUTF8=True,
            hostname="sink.sergas.example",
            ident="Sergas sink",
            auth_required=credentials is not None,
            auth_require_tls=False,
            # Clients rightly refuse PLAIN on an unencrypted connection, so only LOGIN is offered.
            auth_exclude_mechanism=["PLAIN"],
            authenticator=authenticate,
        )


async def serve(journal: Journal, host: str, port: int, credentials: Credentials | None) -> asyncio.Server:
    """Start listening; port 0 takes a free one.

    Args:
        journal: Where messages are kept.
        host: Address to listen on.
        port: TCP port.
        credentials: The login to demand before MAIL; none is demanded when None.
    """
    return await asyncio.get_running_loop().create_server(lambda: _session(journal, credentials), host, port)
