"""The typed model of a SergasMonitoring. A test holds it equal to the CRD, names and defaults alike.

The API server validates and defaults a resource before the operator reads it. Defaults are repeated here so that
`sergas-operator render` works on a file that no API server has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from sergas_operator.model.decode import decode

GROUP = "monitoring.sergas.com"
VERSION = "v1alpha1"
KIND = "SergasMonitoring"
API_VERSION = f"{GROUP}/{VERSION}"

Severity = Literal["critical", "warning", "info"]
RECEIVER_KINDS = ("slack", "pagerduty", "email", "webhook")
# PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview
PAGERDUTY_URLS = ("https://events.pagerduty.com/v2/enqueue", "https://events.eu.pagerduty.com/v2/enqueue")
GROUP_BY = ("alertname", "namespace", "job")


class Model(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An object of the resource. The field `group_by` reads the JSON field `groupBy`."""


class SecretRef(Model, frozen=True):
    """A key of a Secret in the SergasMonitoring's namespace."""

    name: str
    key: str


class Storage(Model, frozen=True):
    """The volume of each replica. `size` is a Kubernetes quantity; an empty class is the cluster's default."""

    size: str
    storage_class_name: str = ""
    when_deleted: str = "Retain"


class Scheduling(Model, frozen=True):
    """Where pods run."""

    anti_affinity: str = "Preferred"
    topology_key: str = "kubernetes.io/hostname"
    priority_class_name: str = ""
    node_selector: dict[str, Any] = {}
    tolerations: tuple[dict[str, Any], ...] = ()


class Discovery(Model, frozen=True):
    """Which monitors and rules Prometheus uses, and whether monitors may refer to files of its container."""

    scope: str = "AllNamespaces"
    match_labels: dict[str, Any] = {}
    allow_file_access: bool = False


class PrometheusStorage(Storage, frozen=True):
    """The volume of each Prometheus replica."""

    size: str = "50Gi"


class AlertmanagerStorage(Storage, frozen=True):
    """The volume of each Alertmanager replica."""

    size: str = "2Gi"


class Prometheus(Model, frozen=True):
    """The Prometheus servers. An empty `retention_size` means 80 % of the smallest volume."""

    external_url: str = msgspec.field(default="", name="externalURL")
    replicas: int = 2
    retention: str = "30d"
    retention_size: str = ""
    storage: PrometheusStorage = PrometheusStorage()
    resources: dict[str, Any] = {}
    scheduling: Scheduling = Scheduling()
    discovery: Discovery = Discovery()


class Alertmanager(Model, frozen=True):
    """The Alertmanagers. `external_url` is the address for people; messages link to it when it is set."""

    replicas: int = 3
    external_url: str = msgspec.field(default="", name="externalURL")
    storage: AlertmanagerStorage = AlertmanagerStorage()
    resources: dict[str, Any] = {}
    scheduling: Scheduling = Scheduling()


class Slack(Model, frozen=True):
    """A Slack channel. All fields but the Secret are Alertmanager templates."""

    channel: str
    url_secret_ref: SecretRef
    username: str | None = None
    icon_emoji: str | None = None
    title: str | None = None
    text: str | None = None


class PagerDuty(Model, frozen=True):
    """A PagerDuty service. `description` is an Alertmanager template."""

    routing_key_secret_ref: SecretRef
    url: str | None = None
    description: str | None = None


class Email(Model, frozen=True):
    """Mail addresses. All addresses and texts are Alertmanager templates."""

    to: tuple[str, ...]
    from_: str = msgspec.field(name="from")
    smarthost: str
    require_tls: bool = msgspec.field(default=True, name="requireTLS")
    auth_username: str | None = None
    password_secret_ref: SecretRef | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None


class Webhook(Model, frozen=True):
    """A URL that accepts Alertmanager's JSON. 0 `max_alerts` means no limit."""

    url_secret_ref: SecretRef
    max_alerts: int = 0


class Heartbeat(Model, frozen=True):
    """The dead man's switch: a URL that expects a request every `interval`."""

    url_secret_ref: SecretRef
    interval: str = "1m"


class Receiver(Model, frozen=True):
    """A notification target. Exactly one of the four kinds is set."""

    name: str
    send_resolved: bool = True
    slack: Slack | None = None
    pagerduty: PagerDuty | None = None
    email: Email | None = None
    webhook: Webhook | None = None

    @property
    def kind(self) -> str:
        """`slack`, `pagerduty`, `email` or `webhook`."""
        return next(kind for kind in RECEIVER_KINDS if getattr(self, kind) is not None)


class SeverityRouting(Model, frozen=True, kw_only=True):
    """The receivers of a severity and its timing. `receivers` None means the default set, empty means none."""

    receivers: tuple[str, ...] | None = None
    group_by: tuple[str, ...] = GROUP_BY
    group_wait: str
    group_interval: str
    repeat_interval: str


class CriticalRouting(SeverityRouting, frozen=True, kw_only=True):
    """Routing of critical alerts."""

    group_wait: str = "10s"
    group_interval: str = "1m"
    repeat_interval: str = "1h"


class WarningRouting(SeverityRouting, frozen=True, kw_only=True):
    """Routing of warnings."""

    group_wait: str = "30s"
    group_interval: str = "5m"
    repeat_interval: str = "12h"


class InfoRouting(Model, frozen=True):
    """Routing of info alerts: one message every `digest`."""

    receivers: tuple[str, ...] | None = None
    digest: str = "24h"


class Routing(Model, frozen=True):
    """Receivers and timing of each severity."""

    critical: CriticalRouting = CriticalRouting()
    warning: WarningRouting = WarningRouting()
    info: InfoRouting = InfoRouting()


class Matcher(Model, frozen=True):
    """One comparison of a label."""

    name: str
    value: str
    match_type: str = "="


class Route(Model, frozen=True):
    """A route that is tried before those of the severities."""

    matchers: tuple[Matcher, ...]
    receivers: tuple[str, ...]
    continue_: bool = msgspec.field(default=False, name="continue")
    group_by: tuple[str, ...] = GROUP_BY
    group_wait: str = "30s"
    group_interval: str = "5m"
    repeat_interval: str = "4h"


class InhibitRule(Model, frozen=True):
    """Alerts that mute others while they fire."""

    source_match: tuple[Matcher, ...]
    target_match: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


class Spec(Model, frozen=True):
    """The spec of a SergasMonitoring."""

    environment: str = "production"
    mode: str = "Apply"
    paused: bool = False
    deletion_policy: str = "Delete"
    prometheus: Prometheus = Prometheus()
    alertmanager: Alertmanager = Alertmanager()
    receivers: tuple[Receiver, ...] = ()
    routing: Routing = Routing()
    routes: tuple[Route, ...] = ()
    inhibit_rules: tuple[InhibitRule, ...] = ()
    heartbeat: Heartbeat | None = None


class Monitoring(msgspec.Struct, frozen=True):
    """One SergasMonitoring: its identity and its spec."""

    name: str
    namespace: str
    uid: str
    generation: int
    spec: Spec


def read(body: Mapping[str, Any]) -> Monitoring:
    """Return the Monitoring in a SergasMonitoring as the API server returns it.

    Raises:
        SpecError: the spec has a field or a type that this operator does not know.
    """
    return identity(body, decode(Spec, body.get("spec") or {}, "spec"))


def identity(body: Mapping[str, Any], spec: Spec) -> Monitoring:
    """Return the Monitoring with the identity of `body` and the given spec."""
    metadata = body["metadata"]
    return Monitoring(
        name=metadata["name"],
        namespace=metadata.get("namespace", "default"),
        uid=metadata.get("uid", ""),
        generation=metadata.get("generation", 0),
        spec=spec,
    )
