"""The Prometheus custom resource."""

from __future__ import annotations

from typing import Any

from sergas_operator.desired import workloads
from sergas_operator.desired.inputs import Inputs
from sergas_operator.model import names
from sergas_operator.model.quantity import prometheus_bytes, prometheus_size, to_bytes
from sergas_operator.model.spec import Discovery, Monitoring
from sergas_operator.settings import version

# The share of a volume that samples may fill. Prometheus's documentation advises at most 80 to 85 %: the write-ahead
# log and the block being compacted need the rest.
# https://prometheus.io/docs/prometheus/latest/storage/#right-sizing-retention-size
DEFAULT_SHARE, LARGEST_SHARE = 0.80, 0.85
MEBIBYTE = 1024 * 1024
# The requirements expect 200m and 2 GiB for 100 targets; an idle node with kube-prometheus-stack took 20m and 240 MiB.
RESOURCES: dict[str, Any] = {"requests": {"cpu": "200m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}}
SELECTED = ("serviceMonitor", "podMonitor", "probe", "scrapeConfig", "rule")


def prometheus(inputs: Inputs) -> dict[str, Any]:
    """The Prometheus of a SergasMonitoring."""
    monitoring, settings = inputs.monitoring, inputs.settings
    spec = monitoring.spec.prometheus
    claim = workloads.claim_of(inputs, names.PROMETHEUS, spec.storage)
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": names.metadata(monitoring, names.resource(monitoring.name), names.PROMETHEUS),
        "spec": {
            "image": settings.prometheus_image,
            "version": version(settings.prometheus_image),
            "replicas": spec.replicas,
            "retention": spec.retention,
            "retentionSize": retention_size(inputs),
            **({"externalUrl": spec.external_url} if spec.external_url else {}),
            "scrapeInterval": "30s",
            "evaluationInterval": "30s",
            "externalLabels": {"environment": monitoring.spec.environment},
            "serviceAccountName": settings.prometheus_service_account,
            "serviceDiscoveryRole": "EndpointSlice",
            "alerting": {"alertmanagers": [_alertmanager(monitoring)]},
            # Else the author of a monitor can send a file of Prometheus's container, such as its token, to a target.
            "arbitraryFSAccessThroughSMs": {"deny": not spec.discovery.allow_file_access},
            **_selectors(spec.discovery),
            **workloads.pod_fields(inputs, names.PROMETHEUS, spec.scheduling, spec.resources or RESOURCES),
            **workloads.volume_fields(monitoring, names.PROMETHEUS, spec.storage, claim),
        },
    }


def retention_size(inputs: Inputs) -> str:
    """Return the most bytes of samples to keep, as Prometheus writes it.

    That is the spec's retentionSize, or 80 % of the smallest volume. A volume that is smaller than the spec says
    limits both: what counts is the capacity that exists.
    """
    spec = inputs.monitoring.spec.prometheus
    wanted = to_bytes(workloads.claim_of(inputs, names.PROMETHEUS, spec.storage).size)
    volume = inputs.smallest_volume or wanted
    if spec.retention_size and prometheus_bytes(spec.retention_size) <= volume * LARGEST_SHARE:
        return spec.retention_size
    share = int(volume * DEFAULT_SHARE)
    return prometheus_size(share // MEBIBYTE * MEBIBYTE or share)


def _alertmanager(monitoring: Monitoring) -> dict[str, Any]:
    # prometheus-operator's Service `alertmanager-operated` selects the pods of every Alertmanager in the namespace.
    # Prometheus discovers the endpoints behind our Service and sends every alert to every replica.
    return {
        "name": names.alertmanager_service(monitoring.name),
        "namespace": monitoring.namespace,
        "port": names.PORT_NAME,
        "apiVersion": "v2",
    }


def _selectors(discovery: Discovery) -> dict[str, Any]:
    # To prometheus-operator a missing selector selects nothing and an empty one everything; a missing namespace
    # selector means the own namespace.
    selector = {"matchLabels": discovery.match_labels} if discovery.match_labels else {}
    selectors: dict[str, Any] = {f"{kind}Selector": selector for kind in SELECTED}
    if discovery.scope == "AllNamespaces":
        selectors |= {f"{kind}NamespaceSelector": {} for kind in SELECTED}
    return selectors
