"""Alertmanager, digest and mail server, all real: every info alert is in exactly one digest after it ended, whatever
is reloaded, restarted or killed in between.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from digest_process import Digest
from farend import PASSWORD, USER, FarEnd, part, wait
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
    # Alertmanager tells of an alert's end at the next tick of its group, which follows the digest's interval.
    return {"receivers": [{"name": "mail", "email": mail}], "routing": {"info": {"digest": "2s"}}} | more


def configure(alertmanager: Alertmanager, far_end: FarEnd, digest: Digest, **more: Any) -> None:
    secrets = {"smtp": PASSWORD, "hook": f"{far_end.url}/hook"}
    alertmanager.configure(spec(far_end, **more), secrets, {SERVICE: digest.url})


def fire(alertmanager: Alertmanager, name: str) -> dict[str, Any]:
    fired = alert(name, "info", namespace="crm")
    alertmanager.post([fired])
    return fired


def end(alertmanager: Alertmanager, *fired: dict[str, Any]) -> None:
    """As Prometheus does: the same alert, with the time of its end."""
    alertmanager.post([found | {"endsAt": stamp(0)} for found in fired])


def kept(digest: Digest) -> float:
    return digest.metric("sergas_digest_alerts_received_total") or 0


def test_info_alerts_survive_reload_restart_and_kill_and_are_told_once(
    alertmanager: Alertmanager, digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]
) -> None:
    # Nothing is mailed until all has happened: the digest's interval is longer than this test.
    digest.configure(100_000_000, mail_receiver)
    digest.start()
    configure(alertmanager, far_end, digest)
    alertmanager.start()

    # Fires and ends between two digests.
    short = fire(alertmanager, "Short")
    wait("its beginning", lambda: kept(digest) == 1)
    end(alertmanager, short)
    wait("its end", lambda: kept(digest) == 2)

    # Alertmanager reads a new configuration, which rebuilds its groups.
    across_reload = fire(alertmanager, "AcrossReload")
    wait("its beginning", lambda: kept(digest) == 3)
    configure(alertmanager, far_end, digest, inhibitRules=[], routes=[])
    alertmanager.reload()
    after_reload = fire(alertmanager, "AfterReload")
    wait("its beginning", lambda: kept(digest) >= 4)
    end(alertmanager, across_reload, after_reload)
    wait("both ends", lambda: kept(digest) >= 6)

    # Alertmanager is restarted; Prometheus goes on sending what fires, and for a while what has ended.
    across_restart = fire(alertmanager, "AcrossRestart")
    wait("its beginning", lambda: kept(digest) >= 7)
    alertmanager.stop()
    alertmanager.start()
    before = kept(digest)
    end(alertmanager, across_restart)
    fire(alertmanager, "AfterRestart")
    wait("an end and a beginning", lambda: kept(digest) >= before + 2)

    # The digest is killed while an alert fires, and another comes and goes before it is back.
    before = kept(digest)
    across_kill = fire(alertmanager, "AcrossKill")
    wait("its beginning", lambda: kept(digest) > before)
    digest.kill()
    while_down = fire(alertmanager, "WhileDown")
    failed = 'alertmanager_notification_requests_failed_total{integration="webhook"}'
    wait("an attempt that fails", lambda: alertmanager.metric(failed) > 0)
    digest.start()
    end(alertmanager, across_kill, while_down)
    wait("all of them", lambda: kept(digest) >= 3)

    names = ["Short", "AcrossReload", "AfterReload", "AcrossRestart", "AfterRestart", "AcrossKill", "WhileDown"]
    digest.stop()
    digest.configure(3, mail_receiver)
    digest.start()
    wait("a mail", lambda: far_end.mails)
    body = part(far_end.mails[0], "plain")
    assert {name: body.count(f"* summary of {name}\n") for name in names} == dict.fromkeys(names, 1)
    assert far_end.mails[0]["Subject"] == "[DIGEST] 7 info alerts (1 still firing) in production"
    assert body.count("still firing") == 2
    wait("a second mail, for what still fires", lambda: len(far_end.mails) > 1)
    again = part(far_end.mails[1], "plain")
    assert {name for name in names if name in again} == {"AfterRestart"}


def test_what_two_alertmanagers_tell_of_is_one_alert(
    alertmanager: Alertmanager, digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any], tmp_path: Path
) -> None:
    """They are no cluster here, so that each tells of everything: the most duplicates there can be."""
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
        wait("two beginnings", lambda: kept(digest) == 2)
        for running in (alertmanager, second):
            end(running, fired)
        wait("two ends", lambda: kept(digest) == 4)
    finally:
        second.stop()
    digest.stop()
    digest.configure(2, mail_receiver)
    digest.start()
    wait("the mail", lambda: far_end.mails)
    assert far_end.mails[0]["Subject"] == "[DIGEST] 1 info alert in production"
    assert part(far_end.mails[0], "plain").count("* summary of Twice\n") == 1


def test_two_hundred_info_alerts_are_one_mail(
    alertmanager: Alertmanager, digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(100_000_000, mail_receiver)
    digest.start()
    configure(alertmanager, far_end, digest)
    alertmanager.start()
    storm = [alert(f"Info{number % 4}", "info", namespace="crm", pod=f"pod-{number}") for number in range(200)]
    alertmanager.post(storm)
    wait("all of them", lambda: kept(digest) == 200, 60)
    digest.stop()
    digest.configure(2, mail_receiver)
    digest.start()
    wait("the mail", lambda: far_end.mails)
    body = part(far_end.mails[0], "plain")
    assert far_end.mails[0]["Subject"] == "[DIGEST] 200 info alerts (200 still firing) in production"
    assert {f"pod-{number}" for number in range(200)} <= set(body.replace("\n", " ").split())
    assert [body.count(f"Info{number} (50)") for number in range(4)] == [1] * 4


def test_info_for_others_than_mail_goes_straight_to_them(
    alertmanager: Alertmanager, digest: Digest, far_end: FarEnd, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(2, mail_receiver)
    digest.start()
    both = spec(far_end)["receivers"] + [HOOK]
    info = {"info": {"receivers": ["mail", "hook"], "digest": "2s"}}
    configure(alertmanager, far_end, digest, receivers=both, routing=info)
    alertmanager.start()
    fire(alertmanager, "Both")
    wait("the hook", lambda: far_end.at("/hook"))
    wait("the mail", lambda: far_end.mails)
    assert far_end.at("/hook")[0]["alerts"][0]["labels"]["alertname"] == "Both"
    assert "Both" in part(far_end.mails[0], "plain")
