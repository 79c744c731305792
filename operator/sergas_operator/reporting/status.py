"""Builds the status of a SergasMonitoring from what one reconcile observed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sergas_operator.desired.receivers import Resolved
from sergas_operator.errors import OperatorError
from sergas_operator.model.spec import Monitoring
from sergas_operator.reporting.conditions import Condition, conditions
from sergas_operator.reporting.observed import Observed
from sergas_operator.reporting.rollout import available
from sergas_operator.reporting.volumes import requested_size, volumes_in_use

# The limits in the CRD.
MESSAGE_LENGTH = 32768
RECEIVER_MESSAGE_LENGTH = 2048
FIELDS, FIELD_LENGTH = 64, 512
SIZE_LENGTH = 32


def status(monitoring: Monitoring, observed: Observed, previous: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return the whole status.

    Args:
        monitoring: the SergasMonitoring.
        observed: what this reconcile observed.
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
        "config": {"appliedHash": observed.config_hash, "loadedHash": common_hash(observed.evidence.loaded)},
        "storage": [
            {
                "pvc": volume.claim,
                "requested": requested_size(monitoring.spec, volume),
                "actual": volume.actual[:SIZE_LENGTH],
            }
            for volume in volumes_in_use(monitoring.spec, observed.volumes)
        ],
        "deletionPolicy": observed.deletion_policy,
        "plannedChanges": _planned(observed) if monitoring.spec.mode == "Plan" else [],
    }


def failed_status(
    monitoring: Monitoring, problem: OperatorError, previous: Mapping[str, Any], now: str
) -> dict[str, Any]:
    """Return the status of a reconcile that failed before it observed anything.

    Ready and Progressing report the problem. Everything else stays as it was, with the generation it was about.
    """
    types = ("Ready", "Progressing")
    failed = [Condition(kind, "False", problem.reason, str(problem)) for kind in types]
    before = previous.get("conditions") or ()
    ready, progress = _timed(monitoring, failed, before, now)
    parts = [dict(condition) for condition in before if condition["type"] not in types]
    return {**previous, "observedGeneration": monitoring.generation, "conditions": [ready, *parts, progress]}


def common_hash(hashes: Sequence[str | None]) -> str:
    """Return the hash that every Alertmanager runs; empty when they differ or one did not answer."""
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
            "fields": [field[:FIELD_LENGTH] for field in change.fields[:FIELDS]],
        }
        for change in observed.changes
    ]


def _timed(
    monitoring: Monitoring, found: Sequence[Condition], previous: Sequence[Mapping[str, Any]], now: str
) -> list[dict[str, Any]]:
    """The conditions with their times: one whose status did not change keeps its time."""
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
