"""Hands a mail to its server."""

from __future__ import annotations

import logging
import smtplib
import ssl
from email.message import EmailMessage

from sergas_digest.settings import MailReceiver, password

log = logging.getLogger(__name__)

SECONDS = 30.0
IMPLICIT_TLS_PORT = 465


def send(receiver: MailReceiver, mail: EmailMessage) -> None:
    """Returns once the server has taken the mail for at least one address.

    TLS is as for Alertmanager: from the start on port 465, by STARTTLS elsewhere, none where it is not required.

    Raises:
        smtplib.SMTPException, OSError: it has not.
        SettingsError: the password cannot be read.
    """
    host, _, port = receiver.smarthost.rpartition(":")
    host = host.strip("[]")
    secret = password(receiver)
    with _connect(host, int(port)) as server:
        if receiver.require_tls and int(port) != IMPLICIT_TLS_PORT:
            # Raises where the server does not offer it.
            server.starttls(context=ssl.create_default_context())
        if receiver.username:
            server.login(receiver.username, secret)
        refused = server.send_message(mail, receiver.sender, list(receiver.to))
    for address, (code, _reason) in refused.items():
        log.warning(
            "%s: the mail server refused the address %s with %d; the others have the mail", receiver.name, address, code
        )


def _connect(host: str, port: int) -> smtplib.SMTP:
    if port == IMPLICIT_TLS_PORT:
        return smtplib.SMTP_SSL(
            host, port, local_hostname="localhost", timeout=SECONDS, context=ssl.create_default_context()
        )
    return smtplib.SMTP(host, port, local_hostname="localhost", timeout=SECONDS)
