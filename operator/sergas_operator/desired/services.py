"""The Services people and Prometheus reach the replicas by."""

from __future__ import annotations

from typing import Any

from sergas_operator import names
from sergas_operator.spec import Monitoring


def prometheus_service(monitoring: Monitoring) -> dict[str, Any]:
    """The Service of the Prometheus replicas.

    Replicas scrape at different moments: a client that changed replica between two queries would see graphs
    jump, so it stays with one.
    """
    return _service(monitoring, names.PROMETHEUS, session_affinity="ClientIP")


def alertmanager_service(monitoring: Monitoring) -> dict[str, Any]:
    """The Service of the Alertmanager replicas, which all know the same."""
    return _service(monitoring, names.ALERTMANAGER, session_affinity="None")


def _service(monitoring: Monitoring, part: str, *, session_affinity: str) -> dict[str, Any]:
    port = names.PORTS[part]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": names.metadata(monitoring, names.service(monitoring.name, part), part),
        "spec": {
            "type": "ClusterIP",
            "sessionAffinity": session_affinity,
            "selector": names.pods(monitoring, part),
            "ports": [
                {"name": names.PORT_NAME, "port": port, "targetPort": names.PORT_NAME, "protocol": "TCP"},
            ],
        },
    }
