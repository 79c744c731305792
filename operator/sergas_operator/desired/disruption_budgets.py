"""PodDisruptionBudgets: a node drain takes one replica at a time."""

from __future__ import annotations

from typing import Any

from sergas_operator import names
from sergas_operator.spec import Monitoring


def disruption_budget(monitoring: Monitoring, part: str) -> dict[str, Any]:
    """The budget of `prometheus` or `alertmanager`.

    It counts what may be away and not what must stay, so that a single replica does not block every drain.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": names.metadata(monitoring, names.service(monitoring.name, part), part),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": names.pods(monitoring, part)}},
    }
