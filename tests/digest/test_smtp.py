"""SMTP sessions with real servers: TLS, logins, refusals of some recipients, errors at QUIT, deadlines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from farend import PASSWORD, USER
from mail_server import BREAK, MailServer, certificate, dripping_server

from sergas_digest.config import MailReceiver
from sergas_digest.outcome import Outcome
from sergas_digest.smtp import IMPLICIT_TLS_PORT, Session

FIRST, SECOND = "ops@sergas.example", "second@sergas.example"
MESSAGE = b"Subject: test\r\n\r\nbody\r\n.\r\nend\r\n"
# An address of its own, so that port 465 is free.
TLS_HOST = "127.4.6.5"


@pytest.fixture
def receiver(mail_server: MailServer, tmp_path: Path) -> MailReceiver:
    (tmp_path / "password").write_text(PASSWORD)
    password = str(tmp_path / "password")
    return MailReceiver("mail", (FIRST, SECOND), "alerts@sergas.example", mail_server.smarthost, False, USER, password)


def with_(receiver: MailReceiver, **changes: object) -> MailReceiver:
    return msgspec.structs.replace(receiver, **changes)


async def no_connection() -> None:
    """Waits until the loop watches no socket but its own: every session closes its connection."""
    async with asyncio.timeout(10):
        while len(asyncio.get_running_loop()._selector.get_map()) > 1:  # noqa: ASYNC110  # asyncio has no event for it
            await asyncio.sleep(0.01)


def send(receiver: MailReceiver, seconds: float = 30, recipients: tuple[str, ...] = (FIRST, SECOND)) -> Outcome:
    async def session() -> Outcome:
        found = Session(receiver)
        outcome = await found.send(recipients, MESSAGE, asyncio.timeout(seconds))
        await found.quit()
        await no_connection()
        return outcome

    return asyncio.run(session())


def test_all_recipients_accept(receiver: MailReceiver, mail_server: MailServer) -> None:
    assert send(receiver) == Outcome(accepted=(FIRST, SECOND))
    [mail] = mail_server.mails
    assert (mail.content, mail.recipients) == (MESSAGE, (FIRST, SECOND))


def test_some_recipients_are_refused(receiver: MailReceiver, mail_server: MailServer) -> None:
    third = "third@sergas.example"
    mail_server.replies[f"RCPT {SECOND}"] = "450 4.2.0 greylisted"
    mail_server.replies[f"RCPT {third}"] = "550 5.1.1 no such user"
    outcome = send(with_(receiver, to=(FIRST, SECOND, third)), recipients=(FIRST, SECOND, third))
    assert outcome == Outcome((FIRST,), {SECOND: "450 4.2.0 greylisted"}, {third: "550 5.1.1 no such user"})
    assert [mail.recipients for mail in mail_server.mails] == [(FIRST,)]


@pytest.mark.parametrize(("code", "kind"), [("450", "deferred"), ("550", "refused")])
def test_all_recipients_are_refused(receiver: MailReceiver, mail_server: MailServer, code: str, kind: str) -> None:
    mail_server.replies["RCPT"] = f"{code} no"
    replies = {FIRST: f"{code} no", SECOND: f"{code} no"}
    assert send(receiver) == Outcome(**{kind: replies})
    assert mail_server.mails == []


@pytest.mark.parametrize("step", ["DATA", "message"])
@pytest.mark.parametrize(("reply", "kind"), [("451 later", "deferred"), ("554 spam", "refused")])
def test_the_message_is_refused(
    receiver: MailReceiver, mail_server: MailServer, step: str, reply: str, kind: str
) -> None:
    mail_server.replies[step] = reply
    assert send(receiver) == Outcome(**{kind: {FIRST: reply, SECOND: reply}})


def test_any_positive_reply_to_the_message_is_an_acceptance(receiver: MailReceiver, mail_server: MailServer) -> None:
    mail_server.replies["accepted"] = "252 queued"
    assert send(receiver) == Outcome(accepted=(FIRST, SECOND))


@pytest.mark.parametrize("reply", ["421 bye", "500 what", "250 ok", "nonsense", BREAK])
def test_an_error_at_quit_changes_nothing(receiver: MailReceiver, mail_server: MailServer, reply: str) -> None:
    mail_server.replies["QUIT"] = reply
    assert send(receiver) == Outcome(accepted=(FIRST, SECOND))


def test_a_sender_is_refused(receiver: MailReceiver, mail_server: MailServer) -> None:
    mail_server.replies["MAIL"] = "550 not you"
    outcome = send(receiver)
    assert (outcome.accepted, outcome.certain) == ((), True)
    assert "550" in outcome.error


@pytest.mark.parametrize(("step", "mails"), [("message", 0), ("accepted", 1)])
def test_it_is_uncertain_what_became_of_a_message_without_a_reply(
    receiver: MailReceiver, mail_server: MailServer, step: str, mails: int
) -> None:
    mail_server.replies[step] = BREAK
    outcome = send(receiver)
    assert (outcome.accepted, outcome.certain) == ((), False)
    assert "SMTPServerDisconnected" in outcome.error
    assert len(mail_server.mails) == mails


def test_a_malformed_reply_to_the_message_is_uncertain(receiver: MailReceiver, mail_server: MailServer) -> None:
    mail_server.replies["accepted"] = "nonsense"
    assert not send(receiver).certain


def test_a_wrong_password_sends_nothing(receiver: MailReceiver, mail_server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong")
    outcome = send(receiver)
    assert outcome.certain
    assert "SMTPAuthenticationError" in outcome.error
    assert "535" in outcome.error
    assert mail_server.mails == []


def test_a_missing_password_file_is_named_and_no_session_begins(
    receiver: MailReceiver, mail_server: MailServer, tmp_path: Path
) -> None:
    (tmp_path / "password").unlink()
    assert send(receiver).error.endswith(
        f"ConfigError: the password file {tmp_path}/password of receiver mail cannot be read: No such file or directory"
    )
    assert mail_server.sessions == 0


def test_the_deadline_ends_a_session_with_a_silent_server(receiver: MailReceiver, mail_server: MailServer) -> None:
    mail_server.pause_at = "RCPT"
    began = time.monotonic()
    outcome = send(receiver, 0.5)
    assert time.monotonic() - began < 5
    sentence = f"the session with {mail_server.smarthost} did not end within its deadline"
    assert outcome == Outcome(error=sentence)


def test_the_deadline_ends_a_session_with_a_dripping_server(receiver: MailReceiver) -> None:
    with dripping_server(0.05) as (smarthost, sent):
        began = time.monotonic()
        outcome = send(with_(receiver, smarthost=smarthost), 1)
        assert time.monotonic() - began < 5
        assert sent[0] > 5
    assert outcome == Outcome(error=f"the session with {smarthost} did not end within its deadline")


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server with STARTTLS and a certificate that the digest trusts."""
    context, authority = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    found = MailServer(starttls=context).start()
    yield found
    found.stop()


def test_starttls(receiver: MailReceiver, tls: MailServer) -> None:
    secure = with_(receiver, smarthost=tls.smarthost, require_tls=True)
    assert send(secure) == Outcome(accepted=(FIRST, SECOND))
    # That server offers no login without TLS, so the first mail went through TLS.
    assert "SMTPException" in send(with_(secure, require_tls=False)).error
    assert len(tls.mails) == 1


def test_an_untrusted_certificate_gets_no_password(
    receiver: MailReceiver, tls: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    outcome = send(with_(receiver, smarthost=tls.smarthost, require_tls=True))
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.error
    assert tls.mails == []


def test_a_certificate_of_another_host_is_refused(receiver: MailReceiver, tls: MailServer) -> None:
    outcome = send(with_(receiver, smarthost=f"localhost:{tls.port}", require_tls=True))
    assert "Hostname mismatch" in outcome.error
    assert tls.mails == []


def test_a_server_without_starttls_gets_nothing_if_tls_is_required(
    receiver: MailReceiver, mail_server: MailServer
) -> None:
    outcome = send(with_(receiver, require_tls=True))
    assert "STARTTLS" in outcome.error
    assert outcome.certain
    assert mail_server.mails == []


@pytest.mark.parametrize("require_tls", [True, False])
def test_port_465_uses_tls_from_the_start(
    receiver: MailReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require_tls: bool
) -> None:
    context, authority = certificate(tmp_path, TLS_HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    try:
        server = MailServer(TLS_HOST, IMPLICIT_TLS_PORT, implicit_tls=context).start()
    except PermissionError:
        pytest.skip("port 465 needs root")
    try:
        secure = with_(receiver, smarthost=f"{TLS_HOST}:{IMPLICIT_TLS_PORT}", require_tls=require_tls)
        assert send(secure) == Outcome(accepted=(FIRST, SECOND))
        assert len(server.mails) == 1
    finally:
        server.stop()


def test_international_addresses(receiver: MailReceiver, mail_server: MailServer) -> None:
    address = "größe@sergas.example"
    assert send(with_(receiver, to=(address,)), recipients=(address,)) == Outcome(accepted=(address,))
    assert mail_server.mails[0].recipients == (address,)
