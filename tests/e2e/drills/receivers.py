"""Who is to be told of an alert. Whoever changes the routing changes the expectations here, and nowhere else."""

import re
from collections.abc import Iterator

from sergas_demo.kube import Object
from sergas_demo.sink import Notification

CRITICAL_CHANNEL, WARNINGS_CHANNEL = "#critical", "#warnings"
ONCALL = "on call"
MAIL, DIGEST = "ops@sergas.example", "digest@sergas.example"

TOLD: dict[str, frozenset[str]] = {
    "critical": frozenset({CRITICAL_CHANNEL, ONCALL, MAIL}),
    "warning": frozenset({WARNINGS_CHANNEL, MAIL}),
    "info": frozenset({DIGEST}),
}
"""Who is told of each severity."""

HEARTBEAT = "webhook heartbeat"
"""The far end that raises the alarm when Watchdog no longer arrives."""
# A message that is lost while the stack starts is repeated once within the time that a drill waits for its delivery.
HEARTBEAT_INTERVAL = "30s"


def told_of(alert: str, severity: str) -> frozenset[str]:
    """Who is to be told that an alert fires."""
    return frozenset({HEARTBEAT}) if alert == "Watchdog" else TOLD[severity]


def reached(row: Notification) -> str:
    """The receiver at whose far end a message arrived: its channel, pager or address."""
    by_kind = {"slack": row.get("channel"), "pagerduty": ONCALL, "email": ", ".join(row.get("to", ()))}
    return by_kind.get(row["kind"]) or f"{row['kind']} {row.get('via', '')}"


def says(row: Notification, alert: str, namespace: str) -> set[str]:
    """What a message says of an alert in a namespace: `firing`, `resolved`, both, or nothing."""
    text = row.get("text", "")
    if row.get("subject", "").startswith("[DIGEST]"):
        about = [entry for name, entry in digest_entries(text) if name == alert and namespace in entry]
        return {"firing" if "still firing" in entry else "resolved" for entry in about}
    return {row["status"]} if alert in row.get("alerts", ()) and namespace in text else set()


def digest_entries(text: str) -> Iterator[tuple[str, str]]:
    """(name of the alert, what is said of it) of a digest: a heading for each name, a star before each alert."""
    for section in re.split(r"\n(?=\w+ \(\d+\)\n)", text)[1:]:
        heading, *entries = re.split(r"\n\* ", section)
        for entry in entries:
            yield heading.split(" ")[0], entry


def receivers(far_end: str) -> list[Object]:
    """The receivers of a SergasMonitoring, all at one far end (`<service>.<namespace>.svc`)."""
    return [
        {"name": "slack-critical", "slack": _slack(CRITICAL_CHANNEL, "critical-url")},
        {"name": "slack-warnings", "slack": _slack(WARNINGS_CHANNEL, "warnings-url")},
        {
            "name": "oncall",
            "pagerduty": {"url": pagerduty_url(far_end), "routingKeySecretRef": _key("routing-key")},
        },
        {"name": "mail", "email": email(far_end, MAIL)},
        {"name": "digest", "email": email(far_end, DIGEST)},
    ]


ROUTING: Object = {
    "critical": {"receivers": ["slack-critical", "oncall", "mail"], "groupWait": "1s", "groupInterval": "3s"},
    "warning": {"receivers": ["slack-warnings", "mail"], "groupWait": "1s", "groupInterval": "3s"},
    "info": {"receivers": ["digest"], "digest": "10s"},
}
"""The default routing, hurried, for a drill cannot wait a day; info has a mailbox of its own, to be told apart."""

USER, PASSWORD = "alerts", "drill-smtp-pa55word"


def pagerduty_url(far_end: str) -> str:
    """The URL of a far end that accepts PagerDuty events."""
    return f"http://{far_end}:8080/v2/enqueue"


def email(far_end: str, to: str) -> Object:
    """A mailbox at a far end."""
    return {
        "to": [to],
        "from": "alerts@sergas.example",
        "smarthost": f"{far_end}:2525",
        "requireTLS": False,
        "authUsername": USER,
        "passwordSecretRef": _key("password"),
    }


SECRET = "receivers"


def secret_values(far_end: str) -> dict[str, str]:
    """What the Secret of that name must hold."""
    return {
        "critical-url": f"http://{far_end}:8080/slack/critical",
        "warnings-url": f"http://{far_end}:8080/slack/warnings",
        "heartbeat-url": f"http://{far_end}:8080/webhook/heartbeat",
        "routing-key": "drill0routing0key0drill0routing0",
        "password": PASSWORD,
    }


def heartbeat() -> Object:
    """Where Watchdog goes."""
    return {"urlSecretRef": _key("heartbeat-url"), "interval": HEARTBEAT_INTERVAL}


def _slack(channel: str, key: str) -> Object:
    return {"channel": channel, "urlSecretRef": _key(key)}


def _key(key: str) -> Object:
    return {"name": SECRET, "key": key}
