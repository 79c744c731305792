"""Whether the newest generation of the workloads runs. Pure.

What counts is the StatefulSet that runs, not only what prometheus-operator reports: a Prometheus that is paused, or
whose StatefulSet was edited, reports success for its old spec. prometheus-operator passes a Prometheus's retention on
as an argument, or, from 0.92 on to a Prometheus from 3.11 on, in the configuration file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sergas_operator.model import names
from sergas_operator.model.spec import Monitoring
from sergas_operator.reporting.observed import Observed

Body = Mapping[str, Any]

# The argument of the container by which prometheus-operator passes `retention` on, if it does so by an argument.
RETENTION_ARGUMENTS = {names.PROMETHEUS: "--storage.tsdb.retention.time", names.ALERTMANAGER: "--data.retention"}


def rolling_out(monitoring: Monitoring, observed: Observed) -> list[str]:
    """Return the kinds of the workloads whose newest generation does not run yet."""
    parts = (
        (names.PROMETHEUS, observed.prometheus, monitoring.spec.prometheus.replicas),
        (names.ALERTMANAGER, observed.alertmanager, monitoring.spec.alertmanager.replicas),
    )
    return [
        part.capitalize()
        for part, child, replicas in parts
        if not (_settled(child, replicas) and _runs(part, child, observed.stateful_sets.get(part), replicas))
    ]


def reconciled(child: Body | None) -> Body:
    """Return prometheus-operator's condition Reconciled, empty when there is none."""
    listed = ((child or {}).get("status") or {}).get("conditions") or []
    return next((condition for condition in listed if condition.get("type") == "Reconciled"), {})


def available(child: Body | None) -> int:
    """Return the available replicas of a Prometheus, an Alertmanager or a StatefulSet."""
    return int(((child or {}).get("status") or {}).get("availableReplicas", 0))


def _settled(child: Body | None, replicas: int) -> bool:
    """Whether prometheus-operator has reconciled the newest generation, and all pods run it and are ready."""
    if child is None:
        return False
    status = child.get("status") or {}
    seen = reconciled(child).get("observedGeneration", 0)
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return bool(seen >= child["metadata"].get("generation", 0)) and counts == {replicas}


def _runs(part: str, child: Body | None, stateful_set: Body | None, replicas: int) -> bool:
    """Whether the StatefulSet has the replicas, the image and the retention of the child, and its pods run it."""
    if child is None or stateful_set is None:
        return False
    spec, status = stateful_set["spec"], stateful_set.get("status") or {}
    container = next(found for found in spec["template"]["spec"]["containers"] if found["name"] == part)
    wanted = child["spec"]
    return (
        not wanted.get("paused")
        and spec.get("replicas") == replicas
        and status.get("observedGeneration", 0) >= stateful_set["metadata"].get("generation", 0)
        and status.get("updatedReplicas", 0) == replicas
        and container["image"] == wanted["image"]
        and _retention(part, container) in _accepted_retentions(part, wanted["retention"])
    )


def _retention(part: str, container: Body) -> str | None:
    """Return the retention in the container's arguments, None when there is none."""
    arguments = (argument.strip("'").partition("=") for argument in container.get("args") or ())
    return next((value for name, _, value in arguments if name == RETENTION_ARGUMENTS[part]), None)


def _accepted_retentions(part: str, wanted: str) -> set[str | None]:
    """Return what the arguments may have. Without an argument a Prometheus reads it from its configuration file."""
    return {wanted, None} if part == names.PROMETHEUS else {wanted}
