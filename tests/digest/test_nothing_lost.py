"""A real Alertmanager, the digest and a mail server: every info alert is in exactly one digest after it ended, although
Alertmanager is reloaded and restarted and the digest is killed in between.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from digest_process import TOKEN, Digest
from farend import PASSWORD, USER, FarEnd, wait
from mail_server import MailServer
from running import Alertmanager, alert, stamp

SERVICE = "http://sergas-digest.monitoring.svc:8080"
HOOK = {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}


def spec(far_end: FarEnd, **more: Any) -> dict[str, Any]:
    mail = {
        "to": ["ops@sergas.example"],
        "from": "alerts@sergas.example",
        "smarthost": far_end.smarthost,
        "requireTLS": False,
        "authUsername": USER,
        "passwordSecretRef": {"name": "smtp", "key": "password"},
    }
    # Alertmanager reports the end of an alert at the next tick of its group.
    return {"receivers": [{"name": "mail", "email": mail}], "routing": {"info": {"digest": "2s"}}} | more


def configure(alertmanager: Alertmanager, far_end: FarEnd, digest: Digest, **more: Any) -> None:
    secrets = {"smtp": PASSWORD, "hook": f"{far_end.url}/hook"}
    alertmanager.configure(spec(far_end, **more), secrets, {SERVICE: digest.url})
    authenticate(alertmanager.folder / "alertmanager.yaml")


def authenticate(path: Path) -> None:
    """Makes Alertmanager send the token of the digest."""
    document = yaml.safe_load(path.read_text())
    [receiver] = [found for found in document["receivers"] if found["name"] == "_digest"]
    for webhook in receiver["webhook_configs"]:
        webhook["http_config"] = {"authorization": {"type": "Bearer", "credentials": TOKEN}}
    path.write_text(json.dumps(document))


def fire(alertmanager: Alertmanager, name: str) -> dict[str, Any]:
    fired = alert(name, "info", namespace="crm")
    alertmanager.post([fired])
    return fired


def end(alertmanager: Alertmanager, *fired: dict[str, Any]) -> None:
    """Posts the alerts with the time of their end, as Prometheus does."""
    alertmanager.post([found | {"endsAt": stamp(0)} for found in fired])


def stored(digest: Digest) -> float:
    return digest.metric("sergas_digest_alerts_received_total") or 0


def test_alerts_survive_reload_restart_and_kill_and_are_mailed_once(
    alertmanager: Alertmanager, digest: Digest, far_end: FarEnd, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    # Nothing is mailed before the end: the digest's interval is longer than this test.
    digest.configure(100_000_000, mail_receiver)
    digest.start()
    configure(alertmanager, far_end, digest)
    alertmanager.start()

    # An alert fires and ends between two digests.
    short = fire(alertmanager, "Short")
    wait("its start", lambda: stored(digest) == 1)
    end(alertmanager, short)
    wait("its end", lambda: stored(digest) == 2)

    # Alertmanager reads a new configuration, which rebuilds its groups.
    across_reload = fire(alertmanager, "AcrossReload")
    wait("its start", lambda: stored(digest) == 3)
    configure(alertmanager, far_end, digest, inhibitRules=[], routes=[])
    alertmanager.reload()
    after_reload = fire(alertmanager, "AfterReload")
    wait("its start", lambda: stored(digest) >= 4)
    end(alertmanager, across_reload, after_reload)
    wait("both ends", lambda: stored(digest) >= 6)

    # Alertmanager is restarted. Prometheus continues to send what fires, and for a while what has ended.
    across_restart = fire(alertmanager, "AcrossRestart")
    wait("its start", lambda: stored(digest) >= 7)
    alertmanager.stop()
    alertmanager.start()
    before = stored(digest)
    end(alertmanager, across_restart)
    fire(alertmanager, "AfterRestart")
    wait("an end and a start", lambda: stored(digest) >= before + 2)

    # The digest is killed while an alert fires, and another comes and goes before it is back.
    before = stored(digest)
    across_kill = fire(alertmanager, "AcrossKill")
    wait("its start", lambda: stored(digest) > before)
    digest.kill()
    while_down = fire(alertmanager, "WhileDown")
    failed = 'alertmanager_notification_requests_failed_total{integration="webhook"}'
    wait("an attempt that fails", lambda: alertmanager.metric(failed) > 0)
    digest.start()
    end(alertmanager, across_kill, while_down)
    wait("all of them", lambda: stored(digest) >= 3)

    names = ["Short", "AcrossReload", "AfterReload", "AcrossRestart", "AfterRestart", "AcrossKill", "WhileDown"]
    digest.stop()
    digest.configure(3, mail_receiver)
    digest.start()
    wait("a mail", lambda: mail_server.mails)
    body = mail_server.mails[0].body()
    assert {name: body.count(f"* summary of {name}\n") for name in names} == dict.fromkeys(names, 1)
    assert mail_server.mails[0].message["Subject"] == "[DIGEST] 7 info alerts (1 still firing) in production"
    assert body.count("still firing") == 2
    wait("a second mail, for what still fires", lambda: len(mail_server.mails) > 1)
    again = mail_server.mails[1].body()
    assert {name for name in names if name in again} == {"AfterRestart"}


def test_reports_of_two_alertmanagers_are_one_alert(  # noqa: PLR0917  # fixtures
    alertmanager: Alertmanager,
    digest: Digest,
    far_end: FarEnd,
    mail_server: MailServer,
    mail_receiver: dict[str, Any],
    tmp_path: Path,
) -> None:
    """They are not a cluster here, so each sends everything: the most duplicates there can be."""
    second = Alertmanager(tmp_path / "second")
    digest.configure(100_000_000, mail_receiver)
    digest.start()
    for running in (alertmanager, second):
        configure(running, far_end, digest)
        running.start()
    try:
        fired = alert("Twice", "info", namespace="crm")
        for running in (alertmanager, second):
            running.post([fired])
        wait("two starts", lambda: stored(digest) == 2)
        for running in (alertmanager, second):
            end(running, fired)
        wait("two ends", lambda: stored(digest) == 4)
    finally:
        second.stop()
    digest.stop()
    digest.configure(2, mail_receiver)
    digest.start()
    wait("the mail", lambda: mail_server.mails)
    assert mail_server.mails[0].message["Subject"] == "[DIGEST] 1 info alert in production"
    assert mail_server.mails[0].body().count("* summary of Twice\n") == 1


def test_two_hundred_info_alerts_are_one_mail(
    alertmanager: Alertmanager, digest: Digest, far_end: FarEnd, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(100_000_000, mail_receiver)
    digest.start()
    configure(alertmanager, far_end, digest)
    alertmanager.start()
    storm = [alert(f"Info{number % 4}", "info", namespace="crm", pod=f"pod-{number}") for number in range(200)]
    alertmanager.post(storm)
    wait("all of them", lambda: stored(digest) == 200, 60)
    digest.stop()
    digest.configure(2, mail_receiver)
    digest.start()
    wait("the mail", lambda: mail_server.mails)
    body = mail_server.mails[0].body()
    assert mail_server.mails[0].message["Subject"] == "[DIGEST] 200 info alerts (200 still firing) in production"
    assert {f"pod-{number}" for number in range(200)} <= set(body.replace("\n", " ").split())
    assert [body.count(f"Info{number} (50)") for number in range(4)] == [1] * 4


def test_receivers_other_than_mail_are_notified_by_alertmanager(
    alertmanager: Alertmanager, digest: Digest, far_end: FarEnd, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(2, mail_receiver)
    digest.start()
    both = spec(far_end)["receivers"] + [HOOK]
    info = {"info": {"receivers": ["mail", "hook"], "digest": "2s"}}
    configure(alertmanager, far_end, digest, receivers=both, routing=info)
    alertmanager.start()
    fire(alertmanager, "Both")
    wait("the hook", lambda: far_end.at("/hook"))
    wait("the mail", lambda: mail_server.mails)
    assert far_end.at("/hook")[0]["alerts"][0]["labels"]["alertname"] == "Both"
    assert "Both" in mail_server.mails[0].body()
