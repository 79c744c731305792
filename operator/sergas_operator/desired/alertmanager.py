"""The Alertmanager custom resource."""

from __future__ import annotations

from typing import Any

from sergas_operator import names
from sergas_operator.desired import workloads
from sergas_operator.duration import to_seconds
from sergas_operator.settings import Settings, version
from sergas_operator.spec import GROUP, Monitoring, Spec

# Alertmanager's own default. What was notified must be remembered for longer than any interval, or an alert
# is told twice.
LEAST_RETENTION_SECONDS = 120 * 3600
MARGIN_SECONDS = 24 * 3600


def alertmanager(monitoring: Monitoring, settings: Settings) -> dict[str, Any]:
    """The Alertmanager that `monitoring` asks for."""
    spec = monitoring.spec.alertmanager
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Alertmanager",
        "metadata": names.metadata(monitoring, monitoring.name, names.ALERTMANAGER),
        "spec": {
            "image": settings.alertmanager_image,
            "version": version(settings.alertmanager_image),
            "replicas": spec.replicas,
            "retention": retention(monitoring.spec),
            **({"externalUrl": spec.external_url} if spec.external_url else {}),
            "configSecret": names.config_secret(monitoring.name),
            # No AlertmanagerConfig carries this label. With a selector set, prometheus-operator parses our
            # configuration before Alertmanager gets it, and refuses a broken one in its status.
            "alertmanagerConfigSelector": {"matchLabels": {f"{GROUP}/alertmanager-config": "none"}},
            # Replicas of another SergasMonitoring that come to hold one of our pods' addresses must not join.
            "clusterLabel": f"{monitoring.namespace}/{monitoring.name}",
            "serviceAccountName": settings.alertmanager_service_account,
            "automountServiceAccountToken": False,
            **workloads.pod_fields(monitoring, names.ALERTMANAGER, spec.scheduling, spec.resources, spec.storage),
        },
    }


def retention(spec: Spec) -> str:
    """How long silences and the notification log are kept: five days, or a day more than the longest
    interval.
    """
    intervals = [
        spec.routing.critical.repeat_interval,
        spec.routing.warning.repeat_interval,
        spec.routing.info.digest,
        *(route.repeat_interval for route in spec.routes),
    ]
    longest = max(to_seconds(interval) for interval in intervals)
    return f"{max(LEAST_RETENTION_SECONDS, longest + MARGIN_SECONDS) // 3600}h"
