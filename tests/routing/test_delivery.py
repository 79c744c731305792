"""A real Alertmanager with our configuration: who hears what, in how many messages."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from farend import PASSWORD, USER, FarEnd, part, wait
from running import Alertmanager, alert

QUICK = {"groupWait": "2s", "groupInterval": "2s"}
ROUTING = {"critical": QUICK, "warning": QUICK}


def receivers(far_end: FarEnd) -> list[dict[str, Any]]:
    """Those of the requirements: two Slack channels, PagerDuty and mail; and a hook, whose JSON names every alert."""
    mail = {
        "to": ["ops@sergas.example"],
        "from": "alerts@sergas.example",
        "smarthost": far_end.smarthost,
        "requireTLS": False,
        "authUsername": USER,
        "passwordSecretRef": {"name": "smtp", "key": "password"},
    }
    url = {"urlSecretRef": {"name": "slack", "key": "url"}}
    pager = {"url": f"{far_end.url}/v2/enqueue", "routingKeySecretRef": {"name": "pagerduty", "key": "routing-key"}}
    return [
        {"name": "slack-critical", "slack": {"channel": "#critical", **url}},
        {"name": "slack-warnings", "slack": {"channel": "#warnings", **url}},
        {"name": "oncall", "pagerduty": pager},
        {"name": "mail", "email": mail},
        {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}},
    ]


def secrets(far_end: FarEnd) -> dict[str, str]:
    return {
        "slack": f"{far_end.url}/slack",
        "pagerduty": "0123456789abcdef0123456789abcdef",
        "smtp": PASSWORD,
        "hook": f"{far_end.url}/hook",
        "deadman": f"{far_end.url}/heartbeat",
    }


def titles(far_end: FarEnd, channel: str) -> list[str]:
    return [body["attachments"][0]["title"] for body in far_end.at("/slack") if body["channel"] == channel]


@pytest.fixture
def started(alertmanager: Alertmanager, far_end: FarEnd) -> Alertmanager:
    alertmanager.configure({"receivers": receivers(far_end), "routing": ROUTING}, secrets(far_end))
    return alertmanager.start()


def test_critical_goes_to_its_channel_the_pager_and_mail_and_a_warning_to_its_channel_and_mail(
    started: Alertmanager, far_end: FarEnd
) -> None:
    started.post(
        [
            alert("HighErrorRate", "critical", namespace="crm", job="sergas-api"),
            alert("CacheMemoryHigh", "warning", namespace="crm", job="redis"),
        ]
    )
    wait("two mails and both hooks", lambda: len(far_end.mails) == 2 and len(far_end.at("/hook")) == 2)
    wait("one message in each channel and one event", lambda: len(far_end.posts) == 5)
    assert titles(far_end, "#critical") == ["[FIRING:1] HighErrorRate (critical) sergas-api in crm"]
    assert titles(far_end, "#warnings") == ["[FIRING:1] CacheMemoryHigh (warning) redis in crm"]
    assert [event["payload"]["summary"] for event in far_end.at("/v2/enqueue")] == [
        "[FIRING:1] HighErrorRate (critical) sergas-api in crm: summary of HighErrorRate"
    ]
    assert sorted(mail["Subject"] for mail in far_end.mails) == [
        "[FIRING:1] CacheMemoryHigh (warning) redis in crm",
        "[FIRING:1] HighErrorRate (critical) sergas-api in crm",
    ]
    assert all("summary of" in part(mail, kind) for mail in far_end.mails for kind in ("plain", "html"))


def test_an_attack_in_a_label_arrives_as_harmless_text_everywhere(started: Alertmanager, far_end: FarEnd) -> None:
    attack = "x\r\nBcc: victim@example.com\r\n\r\n<!channel> <http://evil.example|Runbook> <script>alert(1)</script>"
    hostile = alert("HighErrorRate", namespace=attack, job=attack)
    started.post([hostile | {"annotations": {"summary": attack, "description": attack}}])
    [mail] = wait("a mail", lambda: far_end.mails)
    wait("one message in Slack and one event", lambda: far_end.at("/slack") and far_end.at("/v2/enqueue"))
    assert {"bcc", "cc"} & {name.lower() for name in mail} == set()
    assert "\n" not in mail["Subject"]
    assert mail["Subject"].startswith("[FIRING:1] HighErrorRate (critical) x Bcc: victim@example.com <!channel>")
    assert "<script" not in part(mail, "html")
    assert "://" not in part(mail, "html") + part(mail, "plain")
    [message] = far_end.at("/slack")
    shown = json.dumps(message["attachments"])
    assert not any(mark in shown for mark in ("<!", "<http", "<script", "://"))
    [event] = far_end.at("/v2/enqueue")
    assert "\n" not in event["payload"]["summary"]
    assert event.get("links", []) == []


def test_the_end_of_an_alert_closes_the_same_incident(started: Alertmanager, far_end: FarEnd) -> None:
    labels = {"namespace": "crm", "job": "sergas-api"}
    started.post([alert("HighErrorRate", **labels)])
    [fired] = wait("the incident", lambda: far_end.at("/v2/enqueue"))
    started.post([alert("HighErrorRate", ends=-1, **labels)])
    wait("its end", lambda: len(far_end.at("/v2/enqueue")) == 2)
    ended = far_end.at("/v2/enqueue")[1]
    assert (fired["event_action"], ended["event_action"]) == ("trigger", "resolve")
    assert fired["dedup_key"] == ended["dedup_key"]
    wait("the end in Slack", lambda: len(titles(far_end, "#critical")) == 2)
    assert titles(far_end, "#critical")[1] == "[RESOLVED] HighErrorRate (critical) sergas-api in crm"


def test_two_hundred_alerts_at_once_all_arrive_one_message_for_each_group(
    started: Alertmanager, far_end: FarEnd
) -> None:
    """Ten instances of four jobs, each with three critical alerts and two warnings: 20 groups of 10."""
    kinds = {"RequestsPilingUp": "critical", "ServiceRestarting": "critical", "DatabasePoolExhausted": "critical"}
    kinds |= {"CPUUsageHigh": "warning", "MemoryUsageHigh": "warning"}
    storm = [
        alert(name, severity, namespace="crm", job=job, instance=f"10.0.0.{number}:8000")
        for name, severity in kinds.items()
        for job in ("sergas-api", "sergas-agents", "postgres", "redis")
        for number in range(10)
    ]
    assert len(storm) == 200
    for fired in storm:
        # Begun when Alertmanager hears of it: what is older than group_wait does not wait for the others.
        del fired["startsAt"]
    started.post(storm)
    wait("every group at the hook", lambda: len(far_end.at("/hook")) == 20, 60)
    wait("every group by mail", lambda: len(far_end.mails) == 20, 60)
    wait("every critical group at PagerDuty", lambda: len(far_end.at("/v2/enqueue")) == 12, 60)
    wait("every group in Slack", lambda: len(far_end.at("/slack")) == 20, 60)

    told = [found for body in far_end.at("/hook") for found in body["alerts"]]
    assert len({found["fingerprint"] for found in told}) == len(told) == 200
    grouped = Counter((body["groupLabels"]["alertname"], body["groupLabels"]["job"]) for body in far_end.at("/hook"))
    assert set(grouped.values()) == {1}
    assert {len(body["alerts"]) for body in far_end.at("/hook")} == {10}
    assert len(titles(far_end, "#critical")) == 12
    assert len(titles(far_end, "#warnings")) == 8
    assert {title[:11] for title in titles(far_end, "#critical")} == {"[FIRING:10]"}
    assert Counter(mail["Subject"].split()[2] for mail in far_end.mails) == {"(critical)": 12, "(warning)": 8}
    # No second message for what has been told.
    assert started.metric("alertmanager_notifications_suppressed_total") == 0
    assert sum(len(found) for found in (far_end.at("/hook"), far_end.at("/slack"))) == 40


def test_watchdog_reaches_the_heartbeat_again_and_again_and_no_one_else(
    alertmanager: Alertmanager, far_end: FarEnd
) -> None:
    everything = {"matchers": [{"name": "alertname", "value": ".+", "matchType": "=~"}], "receivers": ["hook"], **QUICK}
    spec = {
        "receivers": receivers(far_end),
        "routing": ROUTING,
        "routes": [everything],
        "heartbeat": {"urlSecretRef": {"name": "deadman", "key": "url"}, "interval": "1s"},
    }
    alertmanager.configure(spec, secrets(far_end))
    alertmanager.start()
    alertmanager.post([alert("Watchdog", "info"), alert("Other", "warning")])
    wait("three heartbeats", lambda: len(far_end.at("/heartbeat")) >= 3)
    wait("the other alert", lambda: far_end.at("/hook"))
    assert {found["labels"]["alertname"] for body in far_end.at("/heartbeat") for found in body["alerts"]} == {
        "Watchdog"
    }
    assert {found["labels"]["alertname"] for body in far_end.at("/hook") for found in body["alerts"]} == {"Other"}
    assert far_end.at("/slack") == far_end.mails == []


def test_without_a_heartbeat_watchdog_reaches_no_one(started: Alertmanager, far_end: FarEnd) -> None:
    started.post([alert("Watchdog", "info"), alert("Other", "critical")])
    wait("the other alert", lambda: far_end.at("/hook"))
    assert {found["labels"]["alertname"] for body in far_end.at("/hook") for found in body["alerts"]} == {"Other"}


def test_a_heartbeat_without_its_secret_hurts_only_itself(alertmanager: Alertmanager, far_end: FarEnd) -> None:
    given = {name: value for name, value in secrets(far_end).items() if name != "deadman"}
    spec = {
        "receivers": receivers(far_end),
        "routing": ROUTING,
        "heartbeat": {"urlSecretRef": {"name": "deadman", "key": "url"}, "interval": "1s"},
    }
    alertmanager.configure(spec, given)
    alertmanager.start()
    alertmanager.post([alert("Watchdog", "info"), alert("Other", "critical")])
    wait("the other alert", lambda: far_end.at("/hook"))
    assert far_end.at("/heartbeat") == []
