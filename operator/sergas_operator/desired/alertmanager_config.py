"""Alertmanager's configuration, and the Secret that holds it.

The YAML holds no secret: values stand in further keys of the Secret, which prometheus-operator mounts
beside it, and are named as files. A rotated value so rolls no pod and reloads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from sergas_operator import names
from sergas_operator.duration import to_seconds
from sergas_operator.receivers import Resolved
from sergas_operator.spec import Matcher, Monitoring, Receiver, Route, SeverityRouting, Spec

CONFIG_KEY = "alertmanager.yaml"
FOLDER = "/etc/alertmanager/config"
# Receivers of our own. A user's cannot begin with an underscore.
NO_ONE = "_none"
MARKER = "_config-"
HASH_LENGTH = 16
# Reloads rebuild Alertmanager's groups, so a digest that waited its whole interval for the first message
# might never be sent.
DIGEST_WAIT = "5m"

SLACK_TEXT = (
    "{{ range .Alerts }}{{ if .Annotations.summary }}*{{ .Annotations.summary }}*\n{{ end }}"
    "{{ if .Annotations.description }}{{ .Annotations.description }}\n{{ end }}"
    "{{ if .Annotations.runbook_url }}<{{ .Annotations.runbook_url }}|Runbook>\n{{ end }}{{ end }}"
)
# PagerDuty knows critical, error, warning and info; anything else is refused.
PAGERDUTY_SEVERITY = (
    '{{ if eq .CommonLabels.severity "critical" "warning" "info" }}{{ .CommonLabels.severity }}{{ else }}error{{ end }}'
)


@dataclass(frozen=True)
class Config:
    """A rendered configuration: its YAML, and the secret values that go beside it, by key."""

    text: str
    files: dict[str, bytes]


def render(monitoring: Monitoring, receivers: Sequence[Resolved]) -> Config:
    """The configuration `monitoring` asks for. The same input gives the same bytes.

    A receiver nobody routes to carries the hash as its name: asked for its receivers, Alertmanager so
    proves what it runs.
    """
    spec = monitoring.spec
    document = {
        "global": {"resolve_timeout": "5m"},
        "route": _route_tree(spec),
        "inhibit_rules": _inhibit_rules(spec),
        "receivers": [{"name": NO_ONE}, *(_receiver(resolved) for resolved in receivers)],
    }
    digest = hashlib.sha256(json.dumps(document).encode()).hexdigest()[:HASH_LENGTH]
    document["receivers"].append({"name": MARKER + digest})  # type: ignore[attr-defined]  # a list, made above
    files = {resolved.key: resolved.value for resolved in receivers if resolved.key and resolved.value is not None}
    return Config(_dump(document), files)


def config_secret(monitoring: Monitoring, config: Config) -> dict[str, Any]:
    """The Secret that holds `config`."""
    data = {CONFIG_KEY: config.text.encode(), **config.files}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": names.metadata(monitoring, names.config_secret(monitoring.name), names.ALERTMANAGER),
        "type": "Opaque",
        "data": {key: base64.b64encode(value).decode() for key, value in sorted(data.items())},
    }


def loaded_hash(receiver_names: Iterable[str]) -> str:
    """The hash of the configuration an Alertmanager with these receivers runs; empty when it is none of
    ours.
    """
    return next((name.removeprefix(MARKER) for name in receiver_names if name.startswith(MARKER)), "")


def default_receivers(spec: Spec, severity: str) -> list[str]:
    """Who hears of a severity when its routing names no one: all of critical, no pager for warning, only
    mail for info.
    """
    kinds = {
        "critical": ("slack", "pagerduty", "email", "webhook"),
        "warning": ("slack", "email", "webhook"),
        "info": ("email",),
    }[severity]
    return [receiver.name for receiver in spec.receivers if receiver.kind in kinds]


def _dump(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)


# libyaml's dumper is ten times as fast where PyYAML was built with it, and writes the same.
_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):  # type: ignore[misc]  # its base is chosen at run time
    """No anchors: the parts of a configuration that repeat are to be read where they stand."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the overridden method's signature
        return True


def _route_tree(spec: Spec) -> dict[str, Any]:
    return {
        "receiver": NO_ONE,
        "group_by": list(spec.routing.warning.group_by),
        "routes": [
            # Both fire on purpose: Watchdog always, InfoInhibitor as a source of inhibition. Neither is for
            # people.
            {"receiver": NO_ONE, "matchers": ['alertname =~ "Watchdog|InfoInhibitor"']},
            *(_custom_route(route) for route in spec.routes),
            {"receiver": NO_ONE, "matchers": ['severity = "none"']},
            _severity_route(spec, "critical", 'severity = "critical"', spec.routing.critical),
            _info_route(spec),
            # Last and without a matcher: an alert of an unknown severity is better told as a warning than
            # lost.
            _severity_route(spec, "warning", "", spec.routing.warning),
        ],
    }


def _severity_route(spec: Spec, severity: str, matcher: str, routing: SeverityRouting) -> dict[str, Any]:
    named = routing.receivers
    return _fan_out(
        default_receivers(spec, severity) if named is None else named,
        [matcher] if matcher else [],
        {
            "group_by": list(routing.group_by),
            "group_wait": routing.group_wait,
            "group_interval": routing.group_interval,
            "repeat_interval": routing.repeat_interval,
        },
    )


def _info_route(spec: Spec) -> dict[str, Any]:
    info = spec.routing.info
    # Alertmanager repeats at a group's tick once repeat_interval has passed. One as long as the tick itself
    # would be missed by a hair every other time; half of it never is.
    repeat = max(1, to_seconds(info.digest) // 2)
    return _fan_out(
        default_receivers(spec, "info") if info.receivers is None else info.receivers,
        ['severity = "info"'],
        {
            "group_by": ["severity"],
            "group_wait": min(DIGEST_WAIT, info.digest, key=to_seconds),
            "group_interval": info.digest,
            "repeat_interval": f"{repeat}s",
        },
    )


def _custom_route(route: Route) -> dict[str, Any]:
    tree = _fan_out(
        route.receivers,
        [_matcher(matcher) for matcher in route.matchers],
        {
            "group_by": list(route.group_by),
            "group_wait": route.group_wait,
            "group_interval": route.group_interval,
            "repeat_interval": route.repeat_interval,
        },
    )
    return tree | ({"continue": True} if route.continue_ else {})


def _fan_out(receivers: Sequence[str], matchers: list[str], timing: dict[str, Any]) -> dict[str, Any]:
    """One route that tells every receiver; each has groups of its own, so that a slow one holds up no
    other.
    """
    # An empty list would group everything into one message only at the top: elsewhere it means the parent's.
    timing = {name: value for name, value in timing.items() if value != []}
    tree: dict[str, Any] = {"receiver": NO_ONE}
    if matchers:
        tree["matchers"] = matchers
    tree |= timing
    if receivers:
        tree["routes"] = [{"receiver": name, "continue": True} for name in receivers]
    return tree


def _matcher(matcher: Matcher) -> str:
    escaped = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{matcher.name} {matcher.match_type} "{escaped}"'


def _inhibit_rules(spec: Spec) -> list[dict[str, Any]]:
    same = ["namespace", "alertname"]
    return [
        _inhibit(['severity = "critical"'], ['severity =~ "warning|info"'], same),
        _inhibit(['severity = "warning"'], ['severity = "info"'], same),
        # The rule of kube-prometheus-stack's InfoInhibitor alert: info is told only beside something worse.
        _inhibit(['alertname = "InfoInhibitor"'], ['severity = "info"'], ["namespace"]),
        *(
            _inhibit(
                [_matcher(m) for m in rule.source_match], [_matcher(m) for m in rule.target_match], list(rule.equal)
            )
            for rule in spec.inhibit_rules
        ),
    ]


def _inhibit(source: list[str], target: list[str], equal: list[str]) -> dict[str, Any]:
    return {"source_matchers": source, "target_matchers": target, **({"equal": equal} if equal else {})}


def _receiver(resolved: Resolved) -> dict[str, Any]:
    """A receiver with its integration, or without any while no value is known: its name keeps the routes
    valid.
    """
    receiver = resolved.receiver
    if not resolved.can_notify:
        return {"name": receiver.name}
    render_kind = {"slack": _slack, "pagerduty": _pagerduty, "email": _email, "webhook": _webhook}[receiver.kind]
    options = {"send_resolved": receiver.send_resolved, **render_kind(receiver, resolved)}
    return {
        "name": receiver.name,
        f"{receiver.kind}_configs": [{key: value for key, value in options.items() if value is not None}],
    }


def _text(resolved: Resolved, name: str, value: str | None, default: str | None = None) -> str | None:
    return default if value is None or name in resolved.rejected_texts else value


def _slack(receiver: Receiver, resolved: Resolved) -> dict[str, Any]:
    slack = receiver.slack
    assert slack is not None  # noqa: S101  # the receiver's kind says so
    return {
        "api_url_file": f"{FOLDER}/{resolved.key}",
        "channel": slack.channel,
        "username": slack.username,
        "icon_emoji": slack.icon_emoji,
        "title": _text(resolved, "title", slack.title),
        "text": _text(resolved, "text", slack.text, SLACK_TEXT),
    }


def _pagerduty(receiver: Receiver, resolved: Resolved) -> dict[str, Any]:
    pagerduty = receiver.pagerduty
    assert pagerduty is not None  # noqa: S101  # the receiver's kind says so
    return {
        "routing_key_file": f"{FOLDER}/{resolved.key}",
        "url": pagerduty.url,
        "severity": PAGERDUTY_SEVERITY,
        "description": _text(resolved, "description", pagerduty.description),
    }


def _email(receiver: Receiver, resolved: Resolved) -> dict[str, Any]:
    email = receiver.email
    assert email is not None  # noqa: S101  # the receiver's kind says so
    subject = _text(resolved, "subject", email.subject)
    return {
        "to": ", ".join(email.to),
        "from": email.from_,
        "smarthost": email.smarthost,
        "require_tls": email.require_tls,
        "auth_username": email.auth_username,
        "auth_password_file": f"{FOLDER}/{resolved.key}" if resolved.key else None,
        "headers": {"Subject": subject} if subject is not None else None,
        "text": _text(resolved, "text", email.text),
        "html": _text(resolved, "html", email.html),
    }


def _webhook(receiver: Receiver, resolved: Resolved) -> dict[str, Any]:
    webhook = receiver.webhook
    assert webhook is not None  # noqa: S101  # the receiver's kind says so
    return {"url_file": f"{FOLDER}/{resolved.key}", "max_alerts": webhook.max_alerts or None}
