"""Receivers in Alertmanager's configuration: how each is notified, and with which text."""

from __future__ import annotations

from typing import Any

from sergas_operator.desired.receivers import Resolved
from sergas_operator.model.spec import Receiver

# Where prometheus-operator mounts the keys of the config Secret.
FOLDER = "/etc/alertmanager/config"
# PagerDuty accepts critical, error, warning and info only.
PAGERDUTY_SEVERITY = (
    '{{ if eq .CommonLabels.severity "critical" "warning" "info" }}{{ .CommonLabels.severity }}{{ else }}error{{ end }}'
)


def integration(resolved: Resolved) -> dict[str, Any]:
    """Return a receiver with its integration, or without one while it cannot notify: its name keeps routes valid."""
    receiver = resolved.receiver
    if not resolved.can_notify:
        return {"name": receiver.name}
    render = {"slack": _slack, "pagerduty": _pagerduty, "email": _email, "webhook": _webhook}[receiver.kind]
    options = {"send_resolved": receiver.send_resolved, **render(receiver, resolved)}
    return {
        "name": receiver.name,
        f"{receiver.kind}_configs": [{key: value for key, value in options.items() if value is not None}],
    }


def _text(resolved: Resolved, name: str, value: str | None) -> str:
    """The user's text if it is valid, the default text otherwise."""
    if value is not None and name not in resolved.rejected_texts:
        return value
    return _default(f"{resolved.receiver.kind}.{name}")


def _default(name: str) -> str:
    return f'{{{{ template "sergas.{name}" . }}}}'


def _slack(receiver: Receiver, resolved: Resolved) -> dict[str, Any]:
    slack = receiver.slack
    assert slack is not None  # noqa: S101  # the receiver's kind
    return {
        "api_url_file": f"{FOLDER}/{resolved.key}",
        "channel": slack.channel,
        "username": slack.username,
        "icon_emoji": slack.icon_emoji,
        "color": _default("slack.color"),
        "title": _text(resolved, "title", slack.title),
        "title_link": _default("slack.title_link"),
        "text": _text(resolved, "text", slack.text),
        # Phones show it. Alertmanager's default would contain unescaped labels, also mentions.
        "fallback": _default("slack.title"),
    }


def _pagerduty(receiver: Receiver, resolved: Resolved) -> dict[str, Any]:
    pagerduty = receiver.pagerduty
    assert pagerduty is not None  # noqa: S101  # the receiver's kind
    return {
        "routing_key_file": f"{FOLDER}/{resolved.key}",
        "url": pagerduty.url,
        "severity": PAGERDUTY_SEVERITY,
        "class": _default("pagerduty.class"),
        "component": _default("pagerduty.component"),
        "group": _default("pagerduty.group"),
        "client": "Sergas Monitoring",
        "client_url": _default("pagerduty.client_url"),
        "description": _text(resolved, "description", pagerduty.description),
        "details": {
            name: _default(f"pagerduty.{name}") for name in ("firing", "resolved", "num_firing", "num_resolved")
        },
        "links": [
            {"href": _default("pagerduty.runbook"), "text": "Runbook"},
            {"href": _default("pagerduty.dashboard"), "text": "Dashboard"},
            {"href": _default("pagerduty.silence"), "text": "Silence"},
        ],
    }


def _email(receiver: Receiver, resolved: Resolved) -> dict[str, Any]:
    email = receiver.email
    assert email is not None  # noqa: S101  # the receiver's kind
    return {
        "to": ", ".join(email.to),
        "from": email.from_,
        "smarthost": email.smarthost,
        "require_tls": email.require_tls,
        "auth_username": email.auth_username,
        "auth_password_file": f"{FOLDER}/{resolved.key}" if resolved.key else None,
        "headers": {"Subject": _text(resolved, "subject", email.subject)},
        "text": _text(resolved, "text", email.text),
        "html": _text(resolved, "html", email.html),
    }


def _webhook(receiver: Receiver, resolved: Resolved) -> dict[str, Any]:
    webhook = receiver.webhook
    assert webhook is not None  # noqa: S101  # the receiver's kind
    return {"url_file": f"{FOLDER}/{resolved.key}", "max_alerts": webhook.max_alerts or None}
