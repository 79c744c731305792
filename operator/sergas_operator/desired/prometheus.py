"""The Prometheus custom resource."""

from __future__ import annotations

from typing import Any

from sergas_operator import names
from sergas_operator.desired import workloads
from sergas_operator.quantity import prometheus_size, to_bytes
from sergas_operator.settings import Settings, version
from sergas_operator.spec import Discovery, Monitoring, Prometheus

# Of a volume, the part samples may fill: the write-ahead log and the block being compacted need the rest.
RETENTION_SHARE = 0.8
MEBIBYTE = 1024 * 1024
SELECTED = ("serviceMonitor", "podMonitor", "probe", "rule")


def prometheus(monitoring: Monitoring, settings: Settings) -> dict[str, Any]:
    """The Prometheus that `monitoring` asks for."""
    spec = monitoring.spec.prometheus
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": names.metadata(monitoring, monitoring.name, names.PROMETHEUS),
        "spec": {
            "image": settings.prometheus_image,
            "version": version(settings.prometheus_image),
            "replicas": spec.replicas,
            "retention": spec.retention,
            "retentionSize": retention_size(spec),
            "scrapeInterval": "30s",
            "evaluationInterval": "30s",
            "externalLabels": {"environment": monitoring.spec.environment},
            "serviceAccountName": settings.prometheus_service_account,
            "serviceDiscoveryRole": "EndpointSlice",
            "alerting": {"alertmanagers": [_alertmanager(monitoring)]},
            **_selectors(spec.discovery),
            **workloads.pod_fields(monitoring, names.PROMETHEUS, spec.scheduling, spec.resources, spec.storage),
        },
    }


def retention_size(spec: Prometheus) -> str:
    """The most bytes of samples to keep, as Prometheus writes it: what the spec says, or 80 % of the
    volume.
    """
    if spec.retention_size:
        return spec.retention_size
    share = int(to_bytes(spec.storage.size) * RETENTION_SHARE)
    return prometheus_size(share // MEBIBYTE * MEBIBYTE or share)


def _alertmanager(monitoring: Monitoring) -> dict[str, Any]:
    # A Service of our own: prometheus-operator's `alertmanager-operated` selects the pods of every
    # Alertmanager in the namespace. Prometheus discovers the endpoints behind it and so sends every alert
    # to every replica.
    return {
        "name": names.service(monitoring.name, names.ALERTMANAGER),
        "namespace": monitoring.namespace,
        "port": names.PORT_NAME,
        "apiVersion": "v2",
    }


def _selectors(discovery: Discovery) -> dict[str, Any]:
    # To prometheus-operator a missing selector selects nothing and an empty one everything; a missing
    # namespace selector means the own namespace.
    selector = {"matchLabels": discovery.match_labels} if discovery.match_labels else {}
    selectors: dict[str, Any] = {f"{kind}Selector": selector for kind in SELECTED}
    if discovery.scope == "AllNamespaces":
        selectors |= {f"{kind}NamespaceSelector": {} for kind in SELECTED}
    return selectors
