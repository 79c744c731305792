"""The status of a SergasMonitoring, made of what one pass observed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sergas_operator.conditions import Condition, Observed, available, conditions
from sergas_operator.receivers import Resolved
from sergas_operator.spec import Monitoring

MESSAGE_LENGTH = 32768
RECEIVER_MESSAGE_LENGTH = 2048
PLANNED_FIELDS = 64


def status(monitoring: Monitoring, observed: Observed, previous: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The whole status.

    Args:
        monitoring: the SergasMonitoring.
        observed: what this pass saw.
        previous: the status as it is, for the times of its conditions.
        now: the time of a condition that changes now, in RFC 3339.
    """
    receivers = observed.receivers
    return {
        "observedGeneration": monitoring.generation,
        "conditions": _timed(monitoring, conditions(monitoring, observed), previous.get("conditions") or (), now),
        "prometheus": _replicas(monitoring.spec.prometheus.replicas, available(observed.prometheus)),
        "alertmanager": _replicas(monitoring.spec.alertmanager.replicas, available(observed.alertmanager)),
        "receiversReady": f"{sum(not receiver.problems for receiver in receivers)}/{len(receivers)}",
        "receivers": [_receiver(receiver) for receiver in receivers],
        "config": {"appliedHash": observed.applied_hash, "loadedHash": common_hash(observed.loaded_hashes)},
        "storage": [
            {"pvc": volume.claim, "requested": volume.requested, "actual": volume.actual} for volume in observed.volumes
        ],
        "plannedChanges": _planned(observed) if monitoring.spec.mode == "Plan" else [],
    }


def common_hash(hashes: Sequence[str | None]) -> str:
    """The hash every Alertmanager runs; empty when they differ, when one did not answer, or when there is
    none.
    """
    found = set(hashes)
    return next(iter(found)) or "" if len(found) == 1 else ""


def _replicas(wanted: int, ready: int) -> dict[str, Any]:
    return {"replicas": wanted, "readyReplicas": ready, "ready": f"{ready}/{wanted}"}


def _receiver(resolved: Resolved) -> dict[str, Any]:
    message = " ".join(f"{problem}." for problem in resolved.problems)[:RECEIVER_MESSAGE_LENGTH]
    return {"name": resolved.receiver.name, "secretFound": resolved.secret_found, "message": message}


def _planned(observed: Observed) -> list[dict[str, Any]]:
    return [
        {
            "action": change.action,
            "kind": change.kind,
            "name": change.name,
            "fields": list(change.fields[:PLANNED_FIELDS]),
        }
        for change in observed.changes
    ]


def _timed(
    monitoring: Monitoring, found: Sequence[Condition], previous: Sequence[Mapping[str, Any]], now: str
) -> list[dict[str, Any]]:
    """The conditions with their times: one whose status is what it was keeps the time it had."""
    before = {condition["type"]: condition for condition in previous}
    result = []
    for condition in found:
        old = before.get(condition.type, {})
        unchanged = old.get("status") == condition.status and old.get("lastTransitionTime")
        result.append(
            {
                "type": condition.type,
                "status": condition.status,
                "reason": condition.reason,
                "message": condition.message[:MESSAGE_LENGTH],
                "lastTransitionTime": old["lastTransitionTime"] if unchanged else now,
                "observedGeneration": monitoring.generation,
            }
        )
    return result
