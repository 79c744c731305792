"""PodDisruptionBudgets: a node drain evicts one replica at a time."""

from __future__ import annotations

from typing import Any

from sergas_operator.desired.inputs import Inputs
from sergas_operator.model import names


def prometheus(inputs: Inputs) -> dict[str, Any]:
    """The budget of the Prometheus replicas."""
    return _budget(inputs, names.prometheus_service(inputs.monitoring.name), names.PROMETHEUS)


def alertmanager(inputs: Inputs) -> dict[str, Any]:
    """The budget of the Alertmanager replicas."""
    return _budget(inputs, names.alertmanager_service(inputs.monitoring.name), names.ALERTMANAGER)


def _budget(inputs: Inputs, name: str, part: str) -> dict[str, Any]:
    monitoring = inputs.monitoring
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": names.metadata(monitoring, name, part),
        # maxUnavailable and not minAvailable: a single replica must not block every drain.
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": names.pods(monitoring, part)}},
    }
