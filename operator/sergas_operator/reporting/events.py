"""The Events about a SergasMonitoring. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sergas_operator.model.names import MANAGER
from sergas_operator.model.spec import API_VERSION, KIND
from sergas_operator.reporting.observed import Change

MESSAGE_LENGTH = 1024
# No Event is posted about Ready, which repeats its parts, nor for reasons that every installation and rollout passes.
QUIET = {"Ready"}
EXPECTED = {
    *("NotCreated", "WaitingForPrometheusOperator", "ReplicasNotReady", "DigestNotReady", "NotNeeded", "NotAsked"),
    *("Loading", "NoVolumes", "VolumesPending", "RollingOut", "LoadingConfig", "Converged", "Planned"),
    *("NoEndpoints", "NoTargets", "AlertmanagersNotDiscovered", "WaitingForGarbageCollection"),
}


def events(
    body: Mapping[str, Any], status: Mapping[str, Any], changes: Sequence[Change], now: str
) -> Iterator[dict[str, Any]]:
    """Yield the Events of one reconcile: one for each kind of write, and one for each condition that changed.

    Args:
        body: the SergasMonitoring with its previous status, which prevents repeated Events.
        status: the new status.
        changes: what was written.
        now: the time, in RFC 3339.
    """
    for action in sorted({change.action for change in changes}):
        yield _event(body, "Normal", _past(action), _summary(action, changes), now)
    before = {condition["type"]: condition for condition in (body.get("status") or {}).get("conditions") or ()}
    for condition in status["conditions"]:
        old = before.get(condition["type"], {})
        same = all(old.get(name) == condition[name] for name in ("status", "reason", "message"))
        if same or condition["type"] in QUIET or condition["reason"] in EXPECTED:
            continue
        kind = "Warning" if condition["status"] == "False" and condition["type"] != "Progressing" else "Normal"
        yield _event(body, kind, condition["reason"], condition["message"], now)


def _summary(action: str, changes: Sequence[Change]) -> str:
    """One sentence for all writes of a kind: `Updated Prometheus sergas (spec.retention).`"""
    done = sorted(
        f"{change.kind} {change.name}" + (f" ({', '.join(change.fields)})" if change.fields else "")
        for change in changes
        if change.action == action
    )
    return f"{_past(action)} {', '.join(done)}."


def _past(action: str) -> str:
    return f"{action}d"


def _event(body: Mapping[str, Any], kind: str, reason: str, message: str, now: str) -> dict[str, Any]:
    """An Event whose name depends on its content: the same one again only renews the time of the first."""
    metadata = body["metadata"]
    digest = hashlib.sha256(f"{metadata['uid']} {kind} {reason} {message}".encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": kind,
        "reason": reason,
        "message": message if len(message) <= MESSAGE_LENGTH else message[: MESSAGE_LENGTH - 1] + "…",
        "source": {"component": MANAGER},
        "reportingComponent": MANAGER,
        "reportingInstance": MANAGER,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
