"""Sends a message to a mail server, within a deadline, and reports what became of each recipient."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import replace

import aiosmtplib

from sergas_digest import config
from sergas_digest.config import ConfigError, MailReceiver
from sergas_digest.outcome import Outcome

IMPLICIT_TLS_PORT = 465
# One command and its reply.
COMMAND_SECONDS = 60.0
# The whole session. A content filter may take minutes before it answers DATA, and a session that is cut off then
# may mean a duplicate.
SESSION_SECONDS = 300.0
QUIT_SECONDS = 5.0
TEMPORARY, PERMANENT = 400, 500


class Session:
    """One SMTP session with the mail server of a receiver.

    TLS is as in Alertmanager: from the start on port 465, with STARTTLS elsewhere, none if it is not required.
    """

    def __init__(self, receiver: MailReceiver) -> None:
        self._receiver = receiver
        # It is right at every moment, also if the session is cut off.
        self._outcome = Outcome()
        self._client = aiosmtplib.SMTP(
            hostname=receiver.host,
            port=receiver.port,
            local_hostname="localhost",
            timeout=COMMAND_SECONDS,
            use_tls=receiver.port == IMPLICIT_TLS_PORT,
            start_tls=False,
            tls_context=ssl.create_default_context() if self._uses_tls else None,
        )

    async def send(self, recipients: Sequence[str], message: bytes, deadline: asyncio.Timeout) -> Outcome:
        """Sends a message to `recipients`, who are some of the receiver's addresses, up to the server's reply.

        Every failure is in the outcome. `deadline` is that of the whole session and is not entered yet; rescheduling
        it ends the session earlier.
        """
        server = self._receiver.smarthost
        try:
            async with deadline:
                await self._open()
                if accepted := await self._envelope(recipients):
                    await self._data(accepted, message)
        except TimeoutError:
            self._fail(f"the session with {server} did not end within its deadline")
        except (aiosmtplib.SMTPException, OSError, ConfigError, ValueError) as error:
            self._fail(f"{server}: {type(error).__name__}: {error}")
        return self._outcome

    async def quit(self) -> None:
        """Ends the session. The server has answered already, so an error at QUIT changes nothing."""
        try:
            if self._client.is_connected and not self._outcome.error:
                await self._client.quit(timeout=QUIT_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            return
        finally:
            self._client.close()

    @property
    def _uses_tls(self) -> bool:
        return self._receiver.require_tls or self._receiver.port == IMPLICIT_TLS_PORT

    def _fail(self, error: str) -> None:
        self._outcome = replace(self._outcome, error=error)

    async def _open(self) -> None:
        secret = config.password(self._receiver)
        await self._client.connect()
        if self._receiver.require_tls and self._receiver.port != IMPLICIT_TLS_PORT:
            # It raises if the server does not offer STARTTLS.
            await self._client.starttls()
        if self._receiver.username:
            await self._client.login(self._receiver.username, secret)

    async def _envelope(self, recipients: Sequence[str]) -> list[str]:
        """Gives sender and recipients, and returns the recipients that the server takes."""
        sender = self._receiver.sender
        international = not all(address.isascii() for address in (sender, *self._receiver.to))
        encoding = "utf-8" if international else "ascii"
        await self._client.mail(sender, options=["SMTPUTF8"] if international else [], encoding=encoding)
        taken = []
        for address in recipients:
            try:
                await self._client.rcpt(address, encoding=encoding)
                taken.append(address)
            except aiosmtplib.SMTPRecipientRefused as error:
                self._refuse([address], error)
        return taken

    async def _data(self, recipients: list[str], message: bytes) -> None:
        """Sends the message. From here to the reply nobody knows whether the server has accepted it."""
        self._outcome = replace(self._outcome, certain=False)
        try:
            # The deadline of the session bounds the wait for the reply.
            await self._client.data(message, timeout=None)
        except aiosmtplib.SMTPDataError as error:
            self._outcome = replace(self._outcome, certain=True)
            if error.code >= TEMPORARY:
                self._refuse(recipients, error)
                return
        self._outcome = replace(self._outcome, certain=True, accepted=tuple(recipients))

    def _refuse(self, addresses: Sequence[str], error: aiosmtplib.SMTPResponseException) -> None:
        replies = dict.fromkeys(addresses, f"{error.code} {error.message}")
        if error.code >= PERMANENT:
            self._outcome = replace(self._outcome, refused=self._outcome.refused | replies)
        else:
            self._outcome = replace(self._outcome, deferred=self._outcome.deferred | replies)
