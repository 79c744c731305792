"""The Alertmanager custom resource."""

from __future__ import annotations

from typing import Any

from sergas_operator.desired import workloads
from sergas_operator.desired.inputs import Inputs
from sergas_operator.model import names
from sergas_operator.model.duration import to_seconds
from sergas_operator.model.spec import GROUP, Spec
from sergas_operator.settings import version

# Alertmanager's own default. The notification log must be kept for longer than any interval, or an alert is notified
# again too early.
LEAST_RETENTION_SECONDS = 120 * 3600
MARGIN_SECONDS = 24 * 3600
# An idle Alertmanager took 33 MiB; what it holds grows with alerts and silences.
RESOURCES: dict[str, Any] = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}


def alertmanager(inputs: Inputs) -> dict[str, Any]:
    """The Alertmanager of a SergasMonitoring."""
    monitoring, settings = inputs.monitoring, inputs.settings
    spec = monitoring.spec.alertmanager
    claim = workloads.claim_of(inputs, names.ALERTMANAGER, spec.storage)
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Alertmanager",
        "metadata": names.metadata(monitoring, names.resource(monitoring.name), names.ALERTMANAGER),
        "spec": {
            "image": settings.alertmanager_image,
            "version": version(settings.alertmanager_image),
            "replicas": spec.replicas,
            "retention": retention(monitoring.spec),
            **({"externalUrl": spec.external_url} if spec.external_url else {}),
            "configSecret": names.config_secret(monitoring.name),
            # No AlertmanagerConfig carries this label. With a selector set, prometheus-operator parses our
            # configuration before Alertmanager loads it, and reports a broken one in its status.
            "alertmanagerConfigSelector": {"matchLabels": {f"{GROUP}/alertmanager-config": "none"}},
            # Replicas of another SergasMonitoring that get the address of one of our pods must not join.
            "clusterLabel": f"{monitoring.namespace}/{monitoring.name}",
            "serviceAccountName": settings.alertmanager_service_account,
            "automountServiceAccountToken": False,
            **workloads.pod_fields(inputs, names.ALERTMANAGER, spec.scheduling, spec.resources or RESOURCES),
            **workloads.volume_fields(monitoring, names.ALERTMANAGER, spec.storage, claim),
        },
    }


def retention(spec: Spec) -> str:
    """Return how long silences and the notification log are kept: 5 days, or a day more than the longest interval."""
    intervals = [
        spec.routing.critical.repeat_interval,
        spec.routing.warning.repeat_interval,
        spec.routing.info.digest,
        *(route.repeat_interval for route in spec.routes),
    ]
    longest = max(to_seconds(interval) for interval in intervals)
    return f"{max(LEAST_RETENTION_SECONDS, longest + MARGIN_SECONDS) // 3600}h"
