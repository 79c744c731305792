"""The far end of every receiver, on loopback: what arrives is kept as it came."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOOPBACK = "127.0.0.1"
USER, PASSWORD = "alerts", "pa55 word"
WAIT_SECONDS = 60.0


def wait(what: str, holds: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """What `holds` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (result := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
    return result


class _MailServer(SMTP):
    # The words Postfix uses, the only ones Alertmanager knows.
    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"


def _login(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@dataclass
class FarEnd:
    """An HTTP server that takes everything, and a mail server with a login.

    Attributes:
        posts: path and JSON of every POST.
        mails: every mail accepted.
        mail_answer: what the mail server answers to a mail; one that does not begin with 2 refuses it.
    """

    posts: list[tuple[str, Any]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    mail_answer: str = "250 kept"
    refused: int = 0

    def start(self) -> FarEnd:
        """Listens on free ports."""
        posts = self.posts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posts.append((self.path, json.loads(body)))
                self.send_response(202 if self.path == "/v2/enqueue" else 200)
                answer = b'{"status":"success"}' if self.path == "/v2/enqueue" else b"ok"
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._web = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        listening = threading.Event()
        self._mailbox = threading.Thread(target=lambda: asyncio.run(self._take_mail(listening)), daemon=True)
        self._mailbox.start()
        assert listening.wait(10), "the mail server did not start within 10 s"
        return self

    def stop(self) -> None:
        """Closes both."""
        self._close()
        self._mailbox.join(10)
        self._web.shutdown()
        self._web.server_close()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._web.server_port}"

    @property
    def smarthost(self) -> str:
        return f"{LOOPBACK}:{self._mail_port}"

    async def _take_mail(self, listening: threading.Event) -> None:
        loop, closed = asyncio.get_running_loop(), asyncio.Event()
        self._close = lambda: loop.call_soon_threadsafe(closed.set)
        server = await loop.create_server(self._session, LOOPBACK, 0)
        self._mail_port = server.sockets[0].getsockname()[1]
        listening.set()
        async with server:
            await closed.wait()

    def _session(self) -> SMTP:
        with warnings.catch_warnings():
            # There is no TLS on loopback: no certificate there could be checked.
            warnings.simplefilter("ignore", UserWarning)
            return _MailServer(
                self,
                auth_required=True,
                auth_require_tls=False,
                auth_exclude_mechanism=["PLAIN"],
                authenticator=_login,
                enable_SMTPUTF8=True,
                ident="far end",
            )

    def at(self, path: str) -> list[Any]:
        """What was posted to a path."""
        return [body for found, body in self.posts if found == path]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd looks this hook up by its name."""
        if self.mail_answer.startswith("2"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        else:
            self.refused += 1
        return self.mail_answer


def part(mail: EmailMessage, kind: str) -> str:
    """The `plain` or `html` body of a mail."""
    body = mail.get_body(preferencelist=(kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
