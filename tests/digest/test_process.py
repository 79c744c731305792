"""The digest as a process with a real mail server: what it takes it mails, whatever happens in between."""

from __future__ import annotations

import json
import time
from typing import Any

from digest_process import Digest
from farend import FarEnd, part, wait


def payload(*alerts: dict[str, Any]) -> bytes:
    return json.dumps({"version": "4", "alerts": list(alerts)}).encode()


def told(name: str, status: str = "resolved") -> dict[str, Any]:
    return {
        "status": status,
        "fingerprint": name,
        "labels": {"alertname": name, "severity": "info"},
        "annotations": {"summary": f"summary of {name}"},
        "startsAt": "2026-01-02T03:04:05.123456789Z",
        "endsAt": "2026-01-02T03:05:05Z",
    }


def test_what_it_has_taken_is_mailed_to_every_address_once(
    digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(3, mail_receiver)
    digest.start()
    assert digest.post(payload(told("First"), told("Second"))) == (200, "kept\n")
    [mail] = wait("a mail", lambda: far_end.mails)
    assert mail["Subject"] == "[DIGEST] 2 info alerts in production"
    assert mail["To"] == "ops@sergas.example, second@sergas.example"
    assert {kind: part(mail, kind).count("summary of") for kind in ("plain", "html")} == {"plain": 2, "html": 2}
    wait("it is noted", lambda: digest.metric('sergas_digest_mails_sent_total{receiver="mail"}') == 1)
    wait("nothing waits", lambda: digest.metric("sergas_digest_alerts_pending") == 0)
    assert digest.metric("sergas_digest_alerts_received_total") == 2
    assert time.time() - (digest.metric('sergas_digest_last_success_timestamp_seconds{receiver="mail"}') or 0) < 30
    assert digest.post(payload(told("Third"))) == (200, "kept\n")
    wait("the next", lambda: len(far_end.mails) == 2)
    assert "First" not in part(far_end.mails[1], "plain")
    assert digest.stop() == 0


def test_a_mail_server_that_refuses_gets_it_again_with_what_came_meanwhile(
    digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]
) -> None:
    far_end.mail_answer = "451 try again later"
    digest.configure(1, mail_receiver)
    digest.start()
    digest.post(payload(told("First")))
    wait("a refusal", lambda: digest.metric('sergas_digest_mail_failures_total{receiver="mail"}'))
    digest.post(payload(told("Second")))
    assert far_end.mails == []
    far_end.mail_answer = "250 kept"
    wait("the mail", lambda: far_end.mails)
    assert "First" in part(far_end.mails[0], "plain")
    assert "Second" in part(far_end.mails[0], "plain")
    assert "try again later" in digest.log


def test_a_killed_digest_loses_nothing_and_repeats_nothing(
    digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(2, mail_receiver)
    digest.start()
    digest.post(payload(told("First")))
    wait("the first mail", lambda: far_end.mails)
    wait("it is noted", lambda: digest.metric('sergas_digest_mails_sent_total{receiver="mail"}') == 1)
    digest.post(payload(told("Second"), told("Open", "firing")))
    digest.kill()
    digest.start()
    wait("the second mail", lambda: len(far_end.mails) > 1)
    body = part(far_end.mails[1], "plain")
    assert ("First" in body, "Second" in body, "Open" in body) == (False, True, True)


def test_a_slow_receiver_delays_no_other(digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]) -> None:
    unreachable = mail_receiver | {"name": "unreachable", "smarthost": "127.0.0.1:1"}
    digest.configure(1, unreachable, mail_receiver)
    digest.start()
    digest.post(payload(told("First")))
    wait("the mail", lambda: far_end.mails)
    assert digest.metric('sergas_digest_mail_failures_total{receiver="unreachable"}')
    assert digest.metric("sergas_digest_alerts_pending") == 1


def test_a_server_without_tls_gets_nothing_where_tls_is_required(
    digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(1, mail_receiver | {"requireTLS": True})
    digest.start()
    digest.post(payload(told("First")))
    wait("a refusal", lambda: "STARTTLS extension not supported by server" in digest.log)
    assert far_end.mails == []


def test_nothing_to_tell_is_no_mail(digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]) -> None:
    digest.configure(1, mail_receiver)
    digest.start()
    sample = 'sergas_digest_last_success_timestamp_seconds{receiver="mail"}'
    first = wait("a boundary", lambda: digest.metric(sample))
    wait("another", lambda: digest.metric(sample) > first)
    assert far_end.mails == []


def test_what_is_no_webhook_is_refused_with_a_sentence(digest: Digest, mail_receiver: dict[str, Any]) -> None:
    digest.configure(60, mail_receiver)
    digest.start()
    assert digest.post(b"{}") == (
        400,
        "the body must be the JSON of an Alertmanager webhook, an object with a list `alerts`\n",
    )
    status, sentence = digest.post(payload({"status": "firing"}))
    assert (status, sentence) == (400, "alerts[0] is not an alert: KeyError 'fingerprint'\n")
    assert digest.get("/healthz") == "ok\n"


def test_a_missing_configuration_is_said_and_alerts_are_kept_until_it_comes(
    digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]
) -> None:
    digest.folder.mkdir()
    digest.start()
    digest.post(payload(told("First")))
    wait("the sentence", lambda: "cannot be read: No such file or directory; nothing is mailed" in digest.log)
    digest.configure(1, mail_receiver)
    wait("the mail", lambda: far_end.mails)
    assert "First" in part(far_end.mails[0], "plain")


def test_no_password_is_logged(digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any], tmp_path: Any) -> None:
    (tmp_path / "mail.password").write_text("wrong-s3cret")
    digest.configure(1, mail_receiver)
    digest.start()
    digest.post(payload(told("First")))
    wait("a refusal", lambda: digest.metric('sergas_digest_mail_failures_total{receiver="mail"}'))
    assert "wrong-s3cret" not in digest.log
    assert far_end.mails == []
