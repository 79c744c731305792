"""The digest as a process with a real mail server."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from digest_process import TOKEN, Digest, payload, posted
from farend import wait
from mail_server import MailServer

FAILURES = 'sergas_digest_mail_failures_total{receiver="mail"}'
SENT = 'sergas_digest_mails_sent_total{receiver="mail"}'
OVERDUE = 'sergas_digest_overdue_seconds{receiver="mail"}'


def rejections(digest: Digest, reason: str) -> float | None:
    return digest.metric(f'sergas_digest_rejections_total{{reason="{reason}"}}')


def test_mails_stored_alerts_to_every_address_once(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(3, mail_receiver)
    digest.start()
    digest.store(posted("First"), posted("Second"))
    [mail] = wait("a mail", lambda: mail_server.mails)
    assert mail.message["Subject"] == "[DIGEST] 2 info alerts in production"
    assert mail.message["To"] == "ops@sergas.example, second@sergas.example"
    assert mail.recipients == ("ops@sergas.example", "second@sergas.example")
    assert {kind: mail.body(kind).count("summary of") for kind in ("plain", "html")} == {"plain": 2, "html": 2}
    wait("it is recorded", lambda: digest.metric(SENT) == 1)
    wait("nothing waits", lambda: digest.metric("sergas_digest_alerts_pending") == 0)
    assert digest.metric("sergas_digest_alerts_received_total") == 2
    assert time.time() - (digest.metric('sergas_digest_last_success_timestamp_seconds{receiver="mail"}') or 0) < 30
    digest.store(posted("Third"))
    wait("the next", lambda: len(mail_server.mails) == 2)
    assert "First" not in mail_server.mails[1].body()
    # A success counts as a success only.
    wait("it is recorded", lambda: digest.metric(SENT) == 2)
    assert digest.metric(FAILURES) == 0
    wait("none is missing", lambda: digest.metric(OVERDUE) == 0)
    assert digest.stop() == 0


def test_retries_a_refused_mail_with_what_arrived_since(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    mail_server.replies["message"] = "451 try again later"
    digest.configure(1, mail_receiver)
    digest.start()
    digest.store(posted("First"))
    wait("a refusal", lambda: digest.metric(FAILURES))
    digest.store(posted("Second"))
    assert mail_server.mails == []
    assert digest.metric(SENT) == 0
    wait("it is overdue", lambda: (digest.metric(OVERDUE) or 0) > 4)
    del mail_server.replies["message"]
    [mail] = wait("the mail", lambda: mail_server.mails)
    assert "First" in mail.body()
    assert "Second" in mail.body()
    assert any("451 try again later" in message for message in digest.messages())
    wait("it is not overdue", lambda: (digest.metric(OVERDUE) or 0) < 2)
    assert digest.metric(FAILURES) == 1


def test_slow_receiver_delays_no_other(digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]) -> None:
    unreachable = mail_receiver | {"name": "unreachable", "smarthost": "127.0.0.1:1"}
    digest.configure(1, unreachable, mail_receiver)
    digest.start()
    digest.store(posted("First"))
    wait("the mail", lambda: mail_server.mails)
    wait("a failure", lambda: digest.metric('sergas_digest_mail_failures_total{receiver="unreachable"}'))
    assert digest.metric("sergas_digest_alerts_pending") == 1


def test_sends_no_mail_without_alerts(digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]) -> None:
    digest.configure(1, mail_receiver)
    digest.start()
    sample = 'sergas_digest_last_success_timestamp_seconds{receiver="mail"}'
    first = wait("a boundary", lambda: digest.metric(sample))
    wait("another", lambda: digest.metric(sample) > first)
    assert mail_server.sessions == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
    ],
)
def test_rejects_requests_without_the_token(
    digest: Digest, mail_receiver: dict[str, Any], headers: dict[str, str]
) -> None:
    digest.configure(60, mail_receiver)
    digest.start()
    assert digest.post(payload(posted("First")), headers) == (
        401,
        "the bearer token is missing or wrong: send `Authorization: Bearer <token>` with the token of the digest's "
        "tokenFile\n",
    )
    assert rejections(digest, "unauthorized") == 1
    assert digest.metric("sergas_digest_alerts_received_total") == 0


def test_accepts_a_new_token_without_a_restart(digest: Digest, mail_receiver: dict[str, Any]) -> None:
    digest.configure(60, mail_receiver)
    digest.start()
    (digest.folder / "token").write_text(f"new\n{TOKEN}\n")
    for token in ("new", TOKEN):
        assert digest.post(payload(posted(token)), {"Authorization": f"Bearer {token}"})[0] == 200
    (digest.folder / "token").write_text("new\n")
    assert digest.post(payload(posted("Third")))[0] == 401


def test_is_not_ready_without_a_token_file(digest: Digest, mail_receiver: dict[str, Any]) -> None:
    digest.configure(60, mail_receiver, tokenFile="")
    digest.spawn()
    sentence = "the configuration has no tokenFile: set it to a file that holds the senders' bearer token"
    assert digest.ask("/readyz") == (503, f"{sentence}\n")
    assert sentence in digest.messages()
    # Alertmanager repeats a request that is answered with 503.
    assert digest.post(payload(posted("First"))) == (503, f"requests cannot be authenticated: {sentence}\n")
    digest.configure(60, mail_receiver)
    wait("it is ready", lambda: digest.get("/readyz"))
    digest.store(posted("First"))


def test_is_not_ready_without_a_configuration(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.spawn()
    sentence = f"the configuration {digest.folder / 'digest.json'} cannot be read: No such file or directory"
    assert digest.ask("/readyz") == (503, f"{sentence}\n")
    assert digest.post(payload(posted("First"))) == (503, f"requests cannot be authenticated: {sentence}\n")
    digest.configure(1, mail_receiver)
    wait("it is ready", lambda: digest.get("/readyz"))
    digest.store(posted("First"))
    wait("the mail", lambda: mail_server.mails)
    assert digest.messages().count(sentence) == 1


def test_rejects_a_large_body_before_it_is_read(digest: Digest, mail_receiver: dict[str, Any]) -> None:
    digest.configure(60, mail_receiver)
    digest.start()
    before = digest.memory()
    status, sentence = digest.post(b"x" * (1024 * 1024 + 1))
    assert (status, sentence) == (413, "the body is larger than 1048576 bytes: send fewer alerts at once\n")
    assert rejections(digest, "too_large") == 1
    assert digest.memory() - before < 8


def test_stores_the_valid_alerts_of_a_request_and_names_the_others(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(2, mail_receiver)
    digest.start()
    bad = posted("Bad") | {"startsAt": "9999-12-31T23:59:59-12:00"}
    status, sentence = digest.post(payload(posted("Good"), bad))
    assert status == 400
    assert sentence.startswith("1 alerts are stored and 1 are not: alerts[1] is invalid: ")
    assert rejections(digest, "invalid_alert") == 1
    assert digest.post(b"{}")[0] == 400
    assert rejections(digest, "malformed") == 1
    [mail] = wait("the mail", lambda: mail_server.mails)
    assert mail.message["Subject"] == "[DIGEST] 1 info alert in production"


def test_logs_one_json_object_per_line_without_passwords(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "mail.password").write_text("wrong-s3cret")
    digest.configure(1, mail_receiver)
    digest.start()
    digest.store(posted("First"))
    wait("a refusal", lambda: digest.metric(FAILURES))
    digest.stop()
    lines = [json.loads(line) for line in digest.log.splitlines()]
    assert all(line.keys() >= {"time", "level", "logger", "message"} for line in lines)
    [failure] = [line for line in lines if "not sent" in line["message"]]
    assert (failure["level"], failure["logger"]) == ("warning", "sergas_digest.delivery")
    assert "SMTPAuthenticationError" in failure["message"]
    assert "next attempt in 10 s" in failure["message"]
    assert "wrong-s3cret" not in digest.log
    assert TOKEN not in digest.log
    assert mail_server.mails == []


def test_logs_plain_text_on_request(digest: Digest, mail_receiver: dict[str, Any]) -> None:
    digest.environment = {"SERGAS_LOG_FORMAT": "plain"}
    digest.configure(1, mail_receiver, tokenFile="")
    digest.spawn()
    wait("a line", lambda: " ERROR sergas_digest.config: the configuration has no tokenFile" in digest.log)
