"""The typed model of a SergasMonitoring. A test holds it equal to the CRD, names and defaults alike.

The API server has validated and defaulted what arrives here; defaults are repeated so that `sergas-operator
render` works on a file no API server has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from sergas_operator.parse import parse

GROUP = "monitoring.sergas.com"
VERSION = "v1alpha1"
KIND = "SergasMonitoring"

Severity = Literal["critical", "warning", "info"]
GROUP_BY = ("alertname", "namespace", "job")
T = TypeVar("T")


@dataclass(frozen=True)
class SecretRef:
    """A key of a Secret in the SergasMonitoring's namespace."""

    name: str
    key: str


@dataclass(frozen=True)
class Storage:
    """The volume of each replica. `size` is a Kubernetes quantity; an empty class is the cluster's default."""

    size: str
    storage_class_name: str = ""
    when_deleted: str = "Retain"


@dataclass(frozen=True)
class Scheduling:
    """Where pods run."""

    anti_affinity: str = "Preferred"
    topology_key: str = "kubernetes.io/hostname"
    node_selector: dict[str, Any] = field(default_factory=dict)
    tolerations: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Discovery:
    """Which monitors and rules Prometheus uses."""

    scope: str = "AllNamespaces"
    match_labels: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PrometheusStorage(Storage):
    """Prometheus's volume."""

    size: str = "50Gi"


@dataclass(frozen=True)
class AlertmanagerStorage(Storage):
    """Alertmanager's volume."""

    size: str = "2Gi"


@dataclass(frozen=True)
class Prometheus:
    """The Prometheus servers. An empty `retention_size` means 80 % of the volume."""

    replicas: int = 2
    retention: str = "30d"
    retention_size: str = ""
    storage: PrometheusStorage = field(default_factory=PrometheusStorage)
    resources: dict[str, Any] = field(default_factory=dict)
    scheduling: Scheduling = field(default_factory=Scheduling)
    discovery: Discovery = field(default_factory=Discovery)


@dataclass(frozen=True)
class Alertmanager:
    """The Alertmanagers. `external_url` is where people open them; messages link there when it is set."""

    replicas: int = 3
    external_url: str = field(default="", metadata={"json": "externalURL"})
    storage: AlertmanagerStorage = field(default_factory=AlertmanagerStorage)
    resources: dict[str, Any] = field(default_factory=dict)
    scheduling: Scheduling = field(default_factory=Scheduling)


@dataclass(frozen=True)
class Slack:
    """A Slack channel. `title` and `text` are Alertmanager templates."""

    channel: str
    url_secret_ref: SecretRef
    username: str | None = None
    icon_emoji: str | None = None
    title: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class PagerDuty:
    """A PagerDuty service. `description` is an Alertmanager template."""

    routing_key_secret_ref: SecretRef
    url: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Email:
    """Mail addresses. `subject`, `text` and `html` are Alertmanager templates."""

    to: tuple[str, ...]
    from_: str = field(metadata={"json": "from"})
    smarthost: str
    require_tls: bool = field(default=True, metadata={"json": "requireTLS"})
    auth_username: str | None = None
    password_secret_ref: SecretRef | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None


@dataclass(frozen=True)
class Webhook:
    """A web address that takes Alertmanager's JSON. 0 `max_alerts` means all."""

    url_secret_ref: SecretRef
    max_alerts: int = 0


@dataclass(frozen=True)
class Heartbeat:
    """The dead man's switch: a web address that expects a request every `interval`."""

    url_secret_ref: SecretRef
    interval: str = "1m"


@dataclass(frozen=True)
class Receiver:
    """Someone who can be told. Exactly one of the four kinds is set."""

    name: str
    send_resolved: bool = True
    slack: Slack | None = None
    pagerduty: PagerDuty | None = None
    email: Email | None = None
    webhook: Webhook | None = None

    @property
    def kind(self) -> str:
        """`slack`, `pagerduty`, `email` or `webhook`."""
        return next(kind for kind in ("slack", "pagerduty", "email", "webhook") if getattr(self, kind) is not None)


@dataclass(frozen=True)
class SeverityRouting:
    """Who hears of a severity. `receivers` None means the default set, empty means no one."""

    group_wait: str
    group_interval: str
    repeat_interval: str
    receivers: tuple[str, ...] | None = None
    group_by: tuple[str, ...] = GROUP_BY


@dataclass(frozen=True)
class CriticalRouting(SeverityRouting):
    """Routing of critical alerts."""

    group_wait: str = "10s"
    group_interval: str = "1m"
    repeat_interval: str = "1h"


@dataclass(frozen=True)
class WarningRouting(SeverityRouting):
    """Routing of warnings."""

    group_wait: str = "30s"
    group_interval: str = "5m"
    repeat_interval: str = "12h"


@dataclass(frozen=True)
class InfoRouting:
    """Routing of info alerts: one message every `digest`."""

    receivers: tuple[str, ...] | None = None
    digest: str = "24h"


@dataclass(frozen=True)
class Routing:
    """Who hears of which severity."""

    critical: CriticalRouting = field(default_factory=CriticalRouting)
    warning: WarningRouting = field(default_factory=WarningRouting)
    info: InfoRouting = field(default_factory=InfoRouting)


@dataclass(frozen=True)
class Matcher:
    """One comparison of a label."""

    name: str
    value: str
    match_type: str = "="


@dataclass(frozen=True)
class Route:
    """A route tried before the severities' own."""

    matchers: tuple[Matcher, ...]
    receivers: tuple[str, ...]
    continue_: bool = field(default=False, metadata={"json": "continue"})
    group_by: tuple[str, ...] = GROUP_BY
    group_wait: str = "30s"
    group_interval: str = "5m"
    repeat_interval: str = "4h"


@dataclass(frozen=True)
class InhibitRule:
    """Alerts that mute others while they fire."""

    source_match: tuple[Matcher, ...]
    target_match: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spec:
    """The spec of a SergasMonitoring."""

    environment: str = "production"
    mode: str = "Apply"
    paused: bool = False
    deletion_policy: str = "Delete"
    prometheus: Prometheus = field(default_factory=Prometheus)
    alertmanager: Alertmanager = field(default_factory=Alertmanager)
    receivers: tuple[Receiver, ...] = ()
    routing: Routing = field(default_factory=Routing)
    routes: tuple[Route, ...] = ()
    inhibit_rules: tuple[InhibitRule, ...] = ()
    heartbeat: Heartbeat | None = None


@dataclass(frozen=True)
class Monitoring:
    """One SergasMonitoring: its identity and its spec."""

    name: str
    namespace: str
    uid: str
    generation: int
    spec: Spec


def read(body: Mapping[str, Any]) -> Monitoring:
    """The Monitoring in a SergasMonitoring as the API server gives it.

    Raises:
        SpecError: the spec holds something this operator does not know.
    """
    metadata = body["metadata"]
    return Monitoring(
        name=metadata["name"],
        namespace=metadata.get("namespace", "default"),
        uid=metadata.get("uid", ""),
        generation=metadata.get("generation", 0),
        spec=parse(Spec, body.get("spec") or {}, "spec"),
    )
