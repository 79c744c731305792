"""Mail servers on loopback that refuse, pause or break off at a chosen step of a session."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from farend import LOOPBACK, PASSWORD, USER, wait

STEPS = ("connect", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "message")
"""The steps of a session before the server has accepted a message, in order."""
BREAK = "break"
"""A reply that closes the connection instead."""


@dataclass(frozen=True)
class Mail:
    """A message that was accepted, as it came, and for whom."""

    content: bytes
    recipients: tuple[str, ...]

    @property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def body(self, kind: str = "plain") -> str:
        part = self.message.get_body(preferencelist=(kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")


@dataclass
class MailServer:
    """A mail server with a login.

    Attributes:
        mails: what was accepted.
        replies: the reply to a step instead of the usual one: by step, by `RCPT <address>`, or `accepted` for a reply
            to a message that was accepted nevertheless. BREAK closes the connection.
        pause_at: the step at which a session waits until it is released or cut off; `accepted` is after a message was
            accepted and before the reply.
        sessions: how many sessions there were.
    """

    host: str = LOOPBACK
    listen_port: int = 0
    starttls: ssl.SSLContext | None = None
    implicit_tls: ssl.SSLContext | None = None
    mails: list[Mail] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    pause_at: str = ""
    paused: int = 0
    sessions: int = 0
    _protocols: list[SMTP] = field(default_factory=list)

    def start(self) -> MailServer:
        listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listening)), daemon=True)
        self._thread.start()
        assert listening.wait(10), "the mail server did not start within 10 s"
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join(10)

    def release(self) -> None:
        """Lets the session that waits, and all later ones, go on."""
        self.pause_at = ""
        self._loop.call_soon_threadsafe(self._released.set)

    @property
    def smarthost(self) -> str:
        return f"{self.host}:{self.port}"

    async def _serve(self, listening: threading.Event) -> None:
        self._loop, self._closed, self._released = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        server = await self._loop.create_server(self._session, self.host, self.listen_port, ssl=self.implicit_tls)
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        async with server:
            await self._closed.wait()
            for session in self._protocols:
                if session.transport:
                    session.transport.abort()
            if sessions := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(sessions, timeout=5)

    def _session(self) -> SMTP:
        self.sessions += 1
        with warnings.catch_warnings():
            # A login without TLS is for loopback only.
            warnings.simplefilter("ignore", UserWarning)
            found = _Protocol(
                self,
                auth_required=True,
                auth_require_tls=self.starttls is not None,
                authenticator=self._login,
                tls_context=self.starttls,
                require_starttls=self.starttls is not None,
                enable_SMTPUTF8=True,
                ident="mail server",
            )
        self._protocols.append(found)
        return found

    def _login(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)

    async def step(self, name: str) -> str:
        """Waits if the session is to wait here, and returns the reply that was chosen for the step."""
        if self.pause_at == name:
            self.paused += 1
            await self._released.wait()
        return self.replies.get(name, "")

    # aiosmtpd finds these by their names.
    async def handle_MAIL(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        return await self.step("MAIL") or "250 OK"

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        reply = await self.step("RCPT") or self.replies.get(f"RCPT {address}", "250 OK")
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = await self.step("message")
        if reply == BREAK:
            return _break(server)
        if reply:
            return reply
        assert isinstance(envelope.content, bytes)
        self.mails.append(Mail(envelope.content, tuple(envelope.rcpt_tos)))
        reply = await self.step("accepted")
        return _break(server) if reply == BREAK else reply or "250 accepted"


class _Protocol(SMTP):
    # The words of Postfix, the only ones that Alertmanager understands.
    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    async def _handle_client(self) -> None:
        await self.event_handler.step("connect")
        await super()._handle_client()

    async def smtp_EHLO(self, arg: str) -> None:  # noqa: N802
        await self.event_handler.step("EHLO")
        await super().smtp_EHLO(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if reply := await self.event_handler.step("AUTH"):
            await self.push(reply)
        else:
            await super().smtp_AUTH(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if reply := await self.event_handler.step("DATA"):
            await self.push(reply)
        else:
            await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        reply = await self.event_handler.step("QUIT")
        if reply == BREAK:
            _break(self)
        elif reply:
            await self.push(reply)
        else:
            await super().smtp_QUIT(arg)


def _break(server: SMTP) -> str:
    assert server.transport is not None
    server.transport.abort()
    return "421 broken off"


@contextmanager
def dripping_server(seconds: float) -> Iterator[tuple[str, list[int]]]:
    """A server that sends its greeting one byte at a time and never ends it: its smarthost, and the bytes it sent."""
    sent: list[int] = [0]
    listening, stop = threading.Event(), threading.Event()
    address: list[str] = []

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not stop.is_set():
                writer.write(b"2")
                await writer.drain()
                sent[0] += 1
                await asyncio.sleep(seconds)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(drip, LOOPBACK, 0)
        address.append(f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}")
        listening.set()
        await asyncio.to_thread(stop.wait)
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert listening.wait(10)
    yield address[0], sent
    stop.set()
    thread.join(10)


def certificate(folder: Path, address: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context with a self-signed certificate for an address, and the certificate's file."""
    key, found = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=mail", "-addext", f"subjectAltName=IP:{address}"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(found)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(found, key)
    return context, found


def paused(server: MailServer, sessions: int = 1) -> None:
    """Waits until this many sessions have reached the step at which they pause."""
    wait(f"{sessions} paused sessions at {server.pause_at}", lambda: server.paused >= sessions)
