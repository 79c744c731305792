"""The Services of the Prometheus and Alertmanager replicas."""

from __future__ import annotations

from typing import Any

from sergas_operator.desired.inputs import Inputs
from sergas_operator.model import names


def prometheus_service(inputs: Inputs) -> dict[str, Any]:
    """The Service of the Prometheus replicas.

    Replicas scrape at different moments, so graphs would jump for a client that changes replica between two queries:
    each client stays with one replica.
    """
    name = names.prometheus_service(inputs.monitoring.name)
    return _service(inputs, name, names.PROMETHEUS, session_affinity="ClientIP")


def alertmanager_service(inputs: Inputs) -> dict[str, Any]:
    """The Service of the Alertmanager replicas, which share their state."""
    name = names.alertmanager_service(inputs.monitoring.name)
    return _service(inputs, name, names.ALERTMANAGER, session_affinity="None")


def _service(inputs: Inputs, name: str, part: str, *, session_affinity: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": names.metadata(inputs.monitoring, name, part),
        "spec": {
            "type": "ClusterIP",
            "sessionAffinity": session_affinity,
            "selector": names.pods(inputs.monitoring, part),
            "ports": [
                _port(names.PORT_NAME, names.PORTS[part]),
                _port(names.RELOADER_PORT_NAME, names.RELOADER_PORT),
            ],
        },
    }


def _port(name: str, port: int) -> dict[str, Any]:
    return {"name": name, "port": port, "targetPort": name, "protocol": "TCP"}
